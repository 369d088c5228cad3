"""Deploys what is in .aws-sam to MiniStack, a local AWS, with `sam deploy`, and has flows and events become cases there.

MiniStack runs the functions as processes, between its own EventBridge, SQS, poller and DynamoDB, and checks their calls against the
stack's roles. It does not check what EventBridge and the poller do for the stack, nor the key. Cases and Customer Profiles are the
emulator of this repository, which checks nobody.
"""

import contextlib
import functools
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import boto3
from samcli.yamlhelper import yaml_dump

from built import BUILT, REPOSITORY, Built, Emulator

sys.path.insert(0, str(REPOSITORY / "tests" / "deployment"))

from stack import ACCOUNT, required

REGION = "us-east-1"
# What MiniStack does not deploy, with the words it refuses it with.
UNKNOWN_TYPES = {"AWS::Connect::IntegrationAssociation", "AWS::Logs::QueryDefinition"}  # Unrecognized resource types
UNKNOWN_PROPERTIES = {"AWS::CloudWatch::Alarm": "Metrics"}  # Properties.Metrics (metric math) is not supported
# The account's root user, for MiniStack.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}


def main():
    with contextlib.ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory()))
        built = Built(folder)
        emulator = ending.enter_context(Emulator())
        stack = Deployed(ending.enter_context(MiniStack(folder)), emulator, built)
        for step in (
            event_sent_directly,
            flow_gets_its_case,
            mapping_is_changed_and_rolled_back,
            event_becomes_case,
            refused_event_is_put_aside,
            five_hundred_events_make_as_many_cases,
            event_that_keeps_failing_becomes_dead_letter,
        ):
            started = time.monotonic()
            step(stack)
            print(f"{step.__name__}: {time.monotonic() - started:.1f} s", flush=True)


def event_sent_directly(stack):
    """An event that fails three times is in the failure queue, as Lambda's record of the invocation."""
    stack.deploy()
    refused = event("order-failed-wrong-type.json")
    payload = json.dumps(refused)
    client, name = stack.client("lambda"), stack.outputs["EventFunctionName"]
    # MiniStack knows retries and destination of $LATEST alone: what the stack has for `live` is put there.
    configuration = client.get_function_event_invoke_config(FunctionName=name, Qualifier="live")
    members = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
    client.put_function_event_invoke_config(FunctionName=name, **{member: configuration[member] for member in members})
    client.invoke(FunctionName=name, InvocationType="Event", Payload=payload)
    record = json.loads(stack.received("FailureQueueUrl")["Body"])
    assert record["requestPayload"] == refused, record
    assert record["responsePayload"]["errorType"] == "FieldInvalid", record
    assert record["requestContext"]["approximateInvokeCount"] == 3, record


def flow_gets_its_case(stack):
    """The same one when it asks again."""
    first, again = (stack.invoke("FlowFunction", event("contact-flow-voice.json")) for _ in range(2))
    assert (first["status"], again["status"]) == ("created", "existing"), (first, again)
    assert first["caseId"] == again["caseId"], (first, again)


def mapping_is_changed_and_rolled_back(stack):
    """Another mapping is another version, which `live` then names; moving `live` back brings the old mapping back."""
    refund = event("contact-flow-voice.json")
    name, before = stack.outputs["FlowFunctionName"], stack.live_version()
    mapping = BUILT / stack.built.resource("FlowFunction")["CodeUri"] / "mapping.yaml"
    text = mapping.read_text()
    # A name is part of the key, so that the case is another one.
    mapping.write_text(text.replace("name: refund-request", "name: refund-changed"))
    try:
        stack.deploy()
    finally:
        mapping.write_text(text)
    assert stack.live_version() != before, "the mapping was deployed, and `live` stayed on the old one"
    assert stack.invoke("FlowFunction", refund)["mapping"] == "refund-changed"
    stack.client("lambda").update_alias(FunctionName=name, Name="live", FunctionVersion=before)
    assert stack.invoke("FlowFunction", refund)["mapping"] == "refund-request"


def event_becomes_case(stack):
    """Through rule, queue and poller; one that tells of our own doing does not pass the rule."""
    own = order("B-1")
    own["detail"]["performedBy"] = {"user": {"customEntity": "casebridge/order-failed"}}
    stack.put([own, order("B-2")])
    until(20, "the event has no case", lambda: stack.orders("B-2"))
    stack.until_done()
    assert stack.orders("B-") == ["B-2"], stack.orders("B-")


def refused_event_is_put_aside(stack):
    """What can never succeed is in the failure queue at once, with the reason."""
    refused = event("order-failed-wrong-type.json")
    stack.put([refused])
    body = json.loads(stack.received("FailureQueueUrl")["Body"])
    assert body["event"]["detail"] == refused["detail"], body
    assert (body["errorCode"], body["errorField"]) == ("FieldInvalid", "Order total"), body
    stack.until_done()


def five_hundred_events_make_as_many_cases(stack):
    """Each its own; fifty that come again make none."""
    numbers = [f"C-{number:03}" for number in range(500)]
    stack.put(map(order, numbers + numbers[:50]))
    until(120, "not every event has a case", lambda: len(stack.orders("C-")) >= len(numbers))
    stack.until_done()
    made = stack.orders("C-")
    assert sorted(made) == numbers, f"{len(made)} cases, of {len(set(made))} orders"
    for queue in ("FailureQueueUrl", "DeadLetterQueueUrl", "UndeliveredQueueUrl"):
        assert stack.waiting(queue) == 0, f"{stack.waiting(queue)} events are in {queue}"


def event_that_keeps_failing_becomes_dead_letter(stack):
    """As it came. What takes five hours, a hundred receives of three minutes, is two receives of seconds here."""
    function = stack.outputs["EventFunctionName"]
    stack.client("lambda").update_function_configuration(FunctionName=function, Timeout=2)
    version = stack.client("lambda").publish_version(FunctionName=function)["Version"]
    stack.client("lambda").update_alias(FunctionName=function, Name="live", FunctionVersion=version)
    redrive = {"deadLetterTargetArn": stack.outputs["DeadLetterQueueArn"], "maxReceiveCount": 2}
    attributes = {"VisibilityTimeout": "4", "RedrivePolicy": json.dumps(redrive)}
    stack.client("sqs").set_queue_attributes(QueueUrl=stack.outputs["EventQueueUrl"], Attributes=attributes)
    stack.emulator.stop()
    stack.put([order("D-1")])
    body = json.loads(stack.received("DeadLetterQueueUrl")["Body"])
    assert body["detail"] == order("D-1")["detail"], body


def event(name):
    return json.loads((REPOSITORY / "events" / name).read_text())


def order(number):
    """The failure of an order of that number."""
    failed = event("order-failed.json")
    failed["detail"]["order"]["id"] = number
    return failed


def until(seconds, failed, condition):
    """What the condition gives once it is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.1)
    raise AssertionError(f"after {seconds} s {failed}")


class Deployed:
    """The stack as `sam deploy` makes it, with a ledger, and what it speaks to."""

    def __init__(self, cloud, emulator, built):
        self.emulator, self.client, self.environment, self.built = emulator, cloud.client, cloud.environment, built
        self.template = BUILT / "ministack.yaml"  # beside the folders that it names
        self.template.write_text(yaml_dump(self.deployable(cloud, built)))
        self.client("s3").create_bucket(Bucket="artifacts")

    def deployable(self, cloud, built):
        """What was built, as far as MiniStack knows it, with functions that speak to what is here."""
        template = built.template
        for name, resource in list(template["Resources"].items()):
            kind = resource["Type"]
            # MiniStack has no CodeDeploy: the alias moves at once.
            resource["Properties"].pop("DeploymentPreference", None)
            if kind in UNKNOWN_TYPES or UNKNOWN_PROPERTIES.get(kind, "") in resource["Properties"]:
                del template["Resources"][name]
                print(f"not deployed: {name}, {kind}")
        # Its poller compares these with numbers, and would have the text of a parameter.
        defaults = {name: parameter.get("Default") for name, parameter in template["Parameters"].items()}
        poller = template["Resources"]["EventQueuePoller"]["Properties"]
        poller["BatchSize"] = defaults["EventBatchSize"]
        poller["ScalingConfig"]["MaximumConcurrency"] = defaults["EventMaximumConcurrency"]
        template["Globals"]["Function"]["Environment"]["Variables"] |= {
            "AWS_CA_BUNDLE": str(cloud.certificate),
            "AWS_ENDPOINT_URL_CONNECTCASES": self.emulator.endpoint,
            "AWS_ENDPOINT_URL_CUSTOMER_PROFILES": self.emulator.endpoint,
            "AWS_ENDPOINT_URL_DYNAMODB": cloud.endpoint,
            "AWS_ENDPOINT_URL_SQS": cloud.endpoint,
        }
        return template

    def deploy(self, **parameters):
        """Both stacks: the functions', and a rule's."""
        self.outputs = self.deploy_one("casebridge", self.template, required() | {"Ledger": "true"} | parameters)
        self.deploy_one("casebridge-orders", REPOSITORY / "deploy" / "rule.yaml", {"CasebridgeStack": "casebridge"})

    def deploy_one(self, name, template, parameters):
        """Deploys a stack; returns its outputs."""
        command = [
            Path(sys.executable).with_name("sam"), "deploy", "--template-file", template, "--stack-name", name,
            "--s3-bucket", "artifacts", "--capabilities", "CAPABILITY_IAM", "--no-fail-on-empty-changeset",
            "--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items()),
        ]  # fmt: skip
        done = subprocess.run(command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            sys.exit(f"sam deploy of {name} ended with {done.returncode}:\n{done.stdout}")
        [stack] = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def live_version(self):
        """The version of the flows' function that is in use."""
        return self.client("lambda").get_alias(FunctionName=self.outputs["FlowFunctionName"], Name="live")["FunctionVersion"]

    def invoke(self, function, payload):
        answer = self.client("lambda").invoke(FunctionName=self.outputs[function], Payload=json.dumps(payload))
        assert "FunctionError" not in answer, answer["Payload"].read()
        return json.load(answer["Payload"])

    def put(self, events):
        entries = [
            {"Source": one["source"], "DetailType": one["detail-type"], "Detail": json.dumps(one["detail"])} for one in events
        ]
        client = self.client("events")
        for start in range(0, len(entries), 10):
            answer = client.put_events(Entries=entries[start : start + 10])
            assert answer["FailedEntryCount"] == 0, answer

    def orders(self, prefix):
        """The order numbers of the cases, of those that begin so."""
        fields = json.loads((REPOSITORY / "domain.json").read_text())["fields"]
        [field] = [field["fieldId"] for field in fields if field["name"] == "Order number"]
        values = [field["value"]["stringValue"] for case in self.emulator.cases(fields=[{"id": field}]) for field in case["fields"]]
        return [value for value in values if value.startswith(prefix)]

    def until_done(self):
        """Until the poller has nothing left to do."""
        until(20, "events are still waiting", lambda: self.waiting("EventQueueUrl") == 0)

    def waiting(self, queue):
        """How many messages a queue has, those that are at work among them."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self.client("sqs").get_queue_attributes(QueueUrl=self.outputs[queue], AttributeNames=names)["Attributes"]
        return sum(map(int, counts.values()))

    def received(self, queue):
        """The one message of a queue, which is then taken out of it."""
        url = self.outputs[queue]
        [message] = until(60, f"{queue} is empty", lambda: self.client("sqs").receive_message(QueueUrl=url).get("Messages"))
        self.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return message


class MiniStack:
    """A local AWS with a port, a certificate and an account of its own, which ends with all that it has started."""

    def __init__(self, folder):
        self.folder = folder
        self.certificate = folder / "ministack-tls" / "server.crt"

    def __enter__(self):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        self.endpoint = f"https://127.0.0.1:{port}"
        # Nothing of the caller's environment, which the functions would be given.
        environment = CREDENTIALS | {
            "PATH": os.environ["PATH"],
            "TMPDIR": str(self.folder),
            "AUTH": "true",
            "USE_SSL": "1",  # the queues' policies refuse whoever asks in the clear
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "IOT_MTLS_ENABLED": "0",
        }
        self.environment = os.environ | CREDENTIALS | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_CA_BUNDLE": str(self.certificate),
            "SAM_CLI_POLL_DELAY": "1",
        }
        self.log = self.folder / "ministack.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([sys.argv[1]], env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            until(60, "MiniStack does not answer", self.answers)
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def answers(self):
        assert self.process.poll() is None, "MiniStack has ended"
        try:
            context = ssl.create_default_context(cafile=self.certificate)
            with urllib.request.urlopen(f"{self.endpoint}/_ministack/health", context=context) as response:
                return response.status == 200
        except (OSError, urllib.error.URLError):
            return False

    def __exit__(self, failed, *_):
        # It keeps nothing, and would wait for connections to close; the functions are of its group.
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if failed:
            print(self.log.read_text()[-5_000:])

    @functools.cache
    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            verify=str(self.certificate),
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )


if __name__ == "__main__":
    main()
