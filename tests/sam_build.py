"""Builds template.yaml with SAM and runs both functions with nothing but what is then in .aws-sam, over every event of events/.

The functions run under AWS's own runtime interface emulator, which the SAM CLI brings along, with the environment that the template
gives them; Cases is the emulator of this repository. Each event has to have the status that events/expected.json states, and what is
logged has to be JSON, with the metrics, and without the customers.
"""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import samcli.local

from built import ARCHITECTURE, BUILT, DOMAIN_ID, REPOSITORY, Built, Emulator

sys.path.insert(0, str(REPOSITORY / "tests" / "deployment"))

from alarms import RECORDED
from stack import Stack, template

EVENTS = REPOSITORY / "events"


def main():
    sam_build()
    stack = Stack({"CasesDomainId": DOMAIN_ID}, source=template(BUILT / "template.yaml"))
    expected = json.loads((EVENTS / "expected.json").read_text())
    names = sorted({path.name for path in EVENTS.glob("*.json")} - {"expected.json"})
    flows = [name for name in names if name.startswith("contact-flow-")]
    of_functions = {"FlowFunction": flows, "EventFunction": [name for name in names if name not in flows]}
    with tempfile.TemporaryDirectory() as folder, Emulator() as emulator:
        built = Built(Path(folder))
        binaries = {(built.code(logical_id) / "bootstrap").read_bytes() for logical_id in of_functions}
        assert len(binaries) == 1, "the functions are not of one build"
        for logical_id, its in of_functions.items():
            properties = stack.resources[logical_id]["Properties"]
            task = built.task(logical_id)
            variables = properties["Environment"]["Variables"]
            environment = {name: str(value) for name, value in variables.items()} | {
                "AWS_ENDPOINT_URL": emulator.endpoint,
                "AWS_REGION": stack.region,
                "AWS_ACCESS_KEY_ID": "example",
                "AWS_SECRET_ACCESS_KEY": "example",
                "AWS_LAMBDA_FUNCTION_NAME": logical_id,
                "AWS_LAMBDA_FUNCTION_TIMEOUT": str(properties["Timeout"]),
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(properties["MemorySize"]),
                "AWS_LAMBDA_LOG_FORMAT": properties["LoggingConfig"]["LogFormat"],
                "AWS_LAMBDA_LOG_LEVEL": properties["LoggingConfig"]["ApplicationLogLevel"],
                "LAMBDA_TASK_ROOT": str(task),
            }
            log = Path(folder) / f"{logical_id}.log"
            with Function(task / "bootstrap", environment, log) as function:
                for name in its:
                    answer = function.invoke((EVENTS / name).read_bytes())
                    assert status(answer) == expected[name], f"{name} is to be {expected[name]}: {answer}"
                    print(f"{logical_id}: {name}: {status(answer)}")
            expect_log(log.read_text(), its)
        made = len(emulator.cases())
    size = len(binaries.pop()) / 1e6
    print(f"{len(names)} events as expected, {made} cases, made by what .aws-sam holds; the function has {size:.1f} MB")


def sam_build():
    """What `sam build` does, but for this machine's processor. A mapping that has changed is in what it writes, cache or no cache."""
    text = (REPOSITORY / "template.yaml").read_text()
    here, changes = re.subn(r"Architectures: \[\w+\]", f"Architectures: [{ARCHITECTURE}]", text)
    assert changes == 1, "template.yaml is to name the processor once"
    # Beside the copy there is nothing that it names.
    here = re.sub(r"(LicenseUrl|ReadmeUrl): (\w)", rf"\1: {REPOSITORY}/\2", here)
    copy = REPOSITORY / "target" / "template.yaml"
    copy.write_text(here)
    sam = [Path(sys.executable).with_name("sam"), "build", "--template-file", copy, "--base-dir", REPOSITORY, "--cached"]
    environment = os.environ | {"CASEBRIDGE_ARCHITECTURE": ARCHITECTURE}
    examples = REPOSITORY / "examples" / "refund-flow" / "mapping.yaml"
    for mapping in (examples, REPOSITORY / "mapping.yaml"):
        subprocess.run(sam, cwd=REPOSITORY, check=True, env=environment | {"MAPPING": str(mapping)})
        built = (BUILT / "FlowFunction" / "mapping.yaml").read_text()
        assert built == mapping.read_text(), f"what was built does not have {mapping}"


def status(answer):
    """What an answer says of its event; a batch is created when none of its items failed."""
    if "batchItemFailures" in answer:
        return "failed" if answer["batchItemFailures"] else "created"
    return "failed" if "errorType" in answer else answer["status"]


def expect_log(text, names):
    """What Lambda would send to CloudWatch: for every event its story and its metrics, and nobody's name, number or address."""
    own = re.compile(r"(START|END|REPORT) RequestId: ")  # the emulator's lines, which Lambda writes as JSON
    lines = [json.loads(line) for line in text.splitlines() if line and not own.match(line)]
    stories = [line for line in lines if "outcome" in line]
    directives = [directive for line in lines if "_aws" in line for directive in line["_aws"]["CloudWatchMetrics"]]
    metrics = {metric["Name"] for directive in directives for metric in directive["Metrics"]}
    events = sum(len(json.loads((EVENTS / name).read_text()).get("Records", [name])) for name in names)
    assert len(stories) == events, f"{events} events, and the log tells of {len(stories)}"
    assert {"CasesCreated", "ServiceLatency"} <= metrics, f"the log has no metrics but {metrics}"
    recorded = dimensions_by_metric(line for lines in RECORDED.values() for line in lines)
    for metric, dimensions in dimensions_by_metric(line for line in lines if "_aws" in line).items():
        known = recorded.get(metric, dimensions)
        assert dimensions == known, f"{metric} is by {dimensions}, and by {known} in tests/deployment/metrics.jsonl, which the alarms are tested with"
    for profile in json.loads((REPOSITORY / "profiles.json").read_text())["profiles"]:
        for name in ("FirstName", "LastName", "EmailAddress", "PhoneNumber"):
            assert profile.get(name, "\0") not in text, f"the log tells a customer's {name}"
    print(f"{len(stories)} events told in {len(lines)} lines of JSON; metrics: {', '.join(sorted(metrics))}")


def dimensions_by_metric(lines):
    """The dimensions of each metric, with and without a known event."""
    found = {}
    for line in lines:
        for directive in line["_aws"]["CloudWatchMetrics"]:
            for metric in directive["Metrics"]:
                known = "Mapping" in line
                found[metric["Name"], known] = sorted(map(sorted, directive["Dimensions"]))
    return found


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Function:
    """The function's binary under the runtime interface emulator, which does one invocation at a time."""

    def __init__(self, binary, environment, log):
        name = f"aws-lambda-rie-{ARCHITECTURE}"
        self.emulator = next(Path(samcli.local.__path__[0]).rglob(name))
        self.binary, self.environment, self.log = binary, environment, log

    def __enter__(self):
        self.address = f"127.0.0.1:{free_port()}"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    self.emulator,
                    "--log-level", "error",
                    "--runtime-interface-emulator-address", self.address,
                    "--runtime-api-address", f"127.0.0.1:{free_port()}",
                    self.binary,
                    "bootstrap",
                ],
                env=self.environment,
                stdout=log,
                stderr=log,
            )  # fmt: skip
        while self.process.poll() is None:
            with socket.socket() as probe:
                host, port = self.address.split(":")
                if probe.connect_ex((host, int(port))) == 0:
                    return self
            time.sleep(0.05)
        sys.exit(f"the runtime interface emulator ended with {self.process.returncode}:\n{self.log.read_text()}")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def invoke(self, payload):
        url = f"http://{self.address}/2015-03-31/functions/function/invocations"
        with urllib.request.urlopen(url, payload, timeout=30) as response:
            return json.load(response)


if __name__ == "__main__":
    main()
