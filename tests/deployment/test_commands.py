"""The commands of docs/operations.md and of the examples run as they stand there, through the real AWS CLI, against prepared answers.

The AWS CLI parses and validates each request by the service's model, and sends nothing (bin/run_aws.py).
"""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from stack import REPOSITORY, Stack
from test_versions import AT_ONCE

PAGES = ("docs/operations.md", "deploy/rule.yaml", "examples/failed-orders/README.md", "examples/contact-lens-rules/README.md")
BIN = Path(__file__).parent / "bin"
AWSCLI = REPOSITORY / "target" / "tools" / "awscli" / "bin" / "python"
MOTO = REPOSITORY / "target" / "tools" / "moto" / "bin" / "moto_server"
# What needs Rust or SAM; the stages `documentation` and `sam-build` are for those.
ELSEWHERE = re.compile(r"(cargo|sam|MAPPING=\S+ sam|python3 -m venv|~/casebridge-tools) ?")
DIGITS = "12345678901234567890123"
BIG = "x" * 131_072
OUTPUTS = Stack({"Ledger": "true"}).outputs


def blocks(page):
    """The ```sh blocks of a page, and the commands in the comment of a template."""
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    if page.endswith(".yaml"):
        return ["\n".join(re.findall(r"^#   (aws .*)$", text, re.M))]
    return re.findall(r"^```sh\n(.*?)^```", text, re.S | re.M)


def without_elsewhere(block):
    return "\n".join(line for line in block.splitlines() if not ELSEWHERE.match(line))


def message(body, **members):
    return {"MessageId": "m", "ReceiptHandle": f"handle-{len(body)}", "Body": body, **members}


FAILED = json.dumps({"event": {"id": "e-1", "detail": {"order": 0, "note": BIG}}, "errorCode": "FieldMissing", "errorField": "Order number",
                     "errorMessage": "it is missing"}).replace('"order": 0', f'"order": {DIGITS}, "total": 629.90')  # fmt: skip
PARAMETERS = [{"ParameterKey": name, "ParameterValue": "any"} for name in ("EventPolling", "EventRuleState", "CasesDomainId", "Ledger")]
ANSWERS = {
    "appconfig.CreateHostedConfigurationVersion": {"VersionNumber": 7, "Content": "bytes:document"},
    "appconfig.StartDeployment": {"DeploymentNumber": 1},
    "appconfig.UpdateConfigurationProfile": {"Id": "ij78kl9"},
    "cloudformation.DescribeStacks": {
        "Stacks": [{
            "StackName": "casebridge",
            "StackStatus": "UPDATE_COMPLETE",
            "Parameters": PARAMETERS,
            "Outputs": [{"OutputKey": name, "OutputValue": value} for name, value in OUTPUTS.items()],
        }]
    },
    "cloudformation.GetTemplateSummary": {"Parameters": []},
    "cloudformation.UpdateStack": {"StackId": "casebridge"},
    "cloudformation.CreateChangeSet": {"Id": "change", "StackId": "casebridge"},
    "cloudformation.DescribeChangeSet": {"Status": "CREATE_COMPLETE"},
    "cloudformation.ExecuteChangeSet": {},
    "codedeploy.ListDeployments": {"deployments": ["d-EXAMPLE11"]},
    "codedeploy.StopDeployment": {"status": "Succeeded"},
    "connectcases.UpdateCase": {},
    "dynamodb.DeleteItem": {},
    "dynamodb.RestoreTableToPointInTime": {},
    "dynamodb.DescribeTable": {"Table": {"TableStatus": "ACTIVE"}},
    "dynamodb.UpdateContinuousBackups": {},
    "dynamodb.UpdateTable": {},
    "dynamodb.UpdateTimeToLive": {},
    "events.CreateArchive": {},
    "events.StartReplay": {},
    "lambda.AddPermission": {"Statement": "{}"},
    "lambda.Invoke": {"StatusCode": 200, "Payload": "bytes:{}"},
    "lambda.ListVersionsByFunction": {"Versions": [{"Version": "41", "LastModified": "2026-11-30T08:00:00Z"}]},
    "lambda.UpdateAlias": {},
    "logs.StartQuery": {"queryId": "q-1"},
    "logs.GetQueryResults": {"results": [[{"field": "case.id", "value": "case-1"}], [{"field": "case.id", "value": "case-2"}]]},
    "sqs.DeleteMessage": {},
    "sqs.ReceiveMessage": {"Messages": []},
    "sqs.SendMessage": {"MessageId": "m"},
    "sqs.StartMessageMoveTask": {"TaskHandle": "task"},
}  # fmt: skip


class Shell:
    """Runs bash with the AWS CLI and jq of bin/, in a folder of its own."""

    def __init__(self, folder, answers=ANSWERS, new_jq=True):
        self.folder = Path(folder)
        self.calls_file = self.folder / "calls"
        self.calls_file.write_text("")
        (self.folder / "answers").write_text(json.dumps(answers))
        (self.folder / "bin").mkdir()
        self.command("aws", f'exec "{AWSCLI}" "{BIN / "run_aws.py"}" "$@"')
        if new_jq:
            self.command("jq", f'exec "{AWSCLI}" "{BIN / "run_jq.py"}" "$@"')
        self.command("sleep", "")
        for name in ("mapping.yaml", "domain.json", "events", "deploy", "examples"):
            (self.folder / name).symlink_to(REPOSITORY / name)
        (self.folder / "rule.yaml").symlink_to(REPOSITORY / "deploy" / "rule.yaml")

    def command(self, name, text):
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def run(self, script, check=True, **environment):
        done = subprocess.run(
            ["bash", "-c", "set -euo pipefail\n" + script],
            cwd=self.folder,
            env={
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
                "HOME": str(self.folder),
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "example",
                "AWS_SECRET_ACCESS_KEY": "example",
                "AWS_PAGER": "",
                "ANSWERS": str(self.folder / "answers"),
                "CALLS": str(self.calls_file),
            }
            | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"it ended with {done.returncode}:\n{script}\n{done.stdout[-3000:]}")
        return done

    def calls(self, operation=None):
        calls = [json.loads(line) for line in self.calls_file.read_text().splitlines()]
        return [call["parameters"] for call in calls if call["operation"] == operation] if operation else calls


@unittest.skipUnless(AWSCLI.exists(), "the AWS CLI is not installed below target/tools")
class Commands(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def page(self, page="docs/operations.md", only=""):
        """The definitions of a page, and its blocks that hold a text."""
        found = [without_elsewhere(block) for block in blocks(page)]
        begin = [block for block in found if block.startswith(("Stack=", "set_parameter()", "again()"))]
        return "\n".join([*begin, *(block for block in found if only and only in block and block not in begin)])

    def test_every_command_is_one_that_aws_accepts(self):
        unasked = ANSWERS.keys() - {"sqs.SendMessage", "sqs.DeleteMessage"}  # the queues are empty
        for page in PAGES:
            shell_folder = Path(self.folder) / page.replace("/", "-")
            shell_folder.mkdir()
            shell = Shell(shell_folder)
            shell.run("\n".join(map(without_elsewhere, blocks(page))))
            called = {call["operation"] for call in shell.calls()}
            unasked -= called
            written = "\n".join(map(without_elsewhere, blocks(page)))
            for service, operation in re.findall(r"\baws ([a-z]+) ([a-z-]+)", written):
                if operation in ("deploy", "wait"):
                    continue
                name = f"{'codedeploy' if service == 'deploy' else service}.{operation.replace('-', '')}"
                # The loop of `again` has nothing to send here.
                if operation not in ("send-message", "delete-message"):
                    self.assertIn(name, {one.lower() for one in called}, f"{page} names it, and it was not called")
        self.assertFalse(unasked, "no page has a command for these answers")

    def test_a_parameter_is_changed_and_the_others_kept(self):
        shell = Shell(self.folder)
        shell.run(self.page() + "\nset_parameter EventPolling=false\nset_parameter EventRuleState=")
        first, second = shell.calls("cloudformation.UpdateStack")
        self.assertTrue(first["UsePreviousTemplate"])
        self.assertEqual(set(first["Capabilities"]), {"CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"})
        expected = [{"ParameterKey": p["ParameterKey"], "UsePreviousValue": True} for p in PARAMETERS]
        expected[0] = {"ParameterKey": "EventPolling", "ParameterValue": "false"}
        self.assertEqual(first["Parameters"], expected)
        self.assertEqual(second["Parameters"][1], {"ParameterKey": "EventRuleState", "ParameterValue": ""})

    def test_what_is_set_without_a_build_needs_none(self):
        text = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
        for name in set(re.findall(r"set_parameter (\w+)=", text)) - {"RuleState", "EventMaximumConcurrency"}:
            self.assertIn(name, AT_ONCE)

    def test_a_rollback_moves_the_alias_and_ends_a_canary(self):
        shell = Shell(self.folder)
        shell.run(self.page(only="update-alias"))
        calls = shell.calls("lambda.UpdateAlias")
        self.assertEqual([call["FunctionName"] for call in calls], [OUTPUTS["FlowFunctionName"], OUTPUTS["EventFunctionName"]])
        for call in calls:
            self.assertEqual((call["Name"], call["FunctionVersion"]), ("live", "41"))
            self.assertEqual(call["RoutingConfig"], {"AdditionalVersionWeights": {}})

    def sent_again(self, message, command, new_jq=True):
        shell = Shell(self.folder, ANSWERS | {"sqs.ReceiveMessage": [{"Messages": [message]}, {"Messages": []}]}, new_jq)
        command = next(line for block in blocks("docs/operations.md") for line in block.splitlines() if line.startswith(command))
        return shell, shell.run(f"{self.page()}\n{command}", check=new_jq)

    def test_a_failed_event_is_sent_again_digit_by_digit(self):
        shell, _ = self.sent_again(message(FAILED), 'again "$FailureQueueUrl"')
        [sent], [deleted] = shell.calls("sqs.SendMessage"), shell.calls("sqs.DeleteMessage")
        self.assertEqual(sent["QueueUrl"], OUTPUTS["EventQueueUrl"])
        self.assertIn(f'"order":{DIGITS}', sent["MessageBody"])
        self.assertIn('"total":629.90', sent["MessageBody"])
        self.assertGreater(len(sent["MessageBody"]), 131_072, "an argument has 128 KiB at most")
        self.assertEqual((deleted["QueueUrl"], deleted["ReceiptHandle"]), (OUTPUTS["FailureQueueUrl"], f"handle-{len(FAILED)}"))

    def test_an_event_that_is_text_is_sent_as_it_came(self):
        shell, _ = self.sent_again(message(json.dumps({"event": "not json", "errorCode": "UnrecognizedPayload"})), 'again "$FailureQueueUrl"')
        self.assertEqual([sent["MessageBody"] for sent in shell.calls("sqs.SendMessage")], ["not json"])

    def test_an_undelivered_event_is_sent_as_it_came(self):
        body = f'{{"detail": {{"order": {DIGITS}, "total": 629.90}}}}'
        shell, _ = self.sent_again(message(body), 'again "$UndeliveredQueueUrl"')
        self.assertEqual([sent["MessageBody"] for sent in shell.calls("sqs.SendMessage")], [body])

    def test_a_jq_that_changes_numbers_sends_and_deletes_nothing(self):
        old = shutil.which("jq")
        shown = subprocess.run([old, "-r", "tojson"], input=DIGITS, stdout=subprocess.PIPE, text=True).stdout if old else ""
        if not old or shown.strip() == DIGITS:
            self.skipTest("the system's jq keeps numbers, or there is none")
        # The outputs are read by the newer one.
        shell = Shell(self.folder, ANSWERS | {"sqs.ReceiveMessage": {"Messages": [message(FAILED)]}})
        done = shell.run(f"{self.page()}\nrm bin/jq; hash -r\nagain \"$FailureQueueUrl\" '.Body'", check=False)
        self.assertIn("again needs jq 1.7", done.stdout)
        self.assertEqual(shell.calls("sqs.ReceiveMessage") + shell.calls("sqs.SendMessage") + shell.calls("sqs.DeleteMessage"), [])

    def test_a_message_that_cannot_be_sent_is_not_deleted(self):
        shell = Shell(self.folder, ANSWERS | {"sqs.ReceiveMessage": {"Messages": [message("{}")]}})
        shell.run(f"{self.page()}\nagain \"$FailureQueueUrl\" '.Body | fromjson | .event'", check=False)
        self.assertEqual(shell.calls("sqs.DeleteMessage"), [])

    def test_the_version_that_was_made_is_the_one_that_is_deployed(self):
        shell = Shell(self.folder)
        shell.run(self.page(only="create-hosted-configuration-version"))
        [made], [deployed] = shell.calls("appconfig.CreateHostedConfigurationVersion"), shell.calls("appconfig.StartDeployment")
        self.assertIn("\n---\n", made["Content"])
        self.assertEqual(deployed["ConfigurationVersion"], "7")

    def test_the_attributes_of_undelivered_events_are_asked_for(self):
        attributes = {name: {"StringValue": value, "DataType": "String"} for name, value in (("ERROR_CODE", "NO_PERMISSIONS"), ("ERROR_MESSAGE", "why"))}
        answers = ANSWERS | {"sqs.ReceiveMessage": [{"Messages": [message("{}", MessageAttributes=attributes)]}, {"Messages": []}]}
        shell = Shell(self.folder, answers)
        done = shell.run(self.page(only="ERROR_CODE"))
        self.assertEqual(shell.calls("sqs.ReceiveMessage")[0]["MessageAttributeNames"], ["All"])
        self.assertIn("NO_PERMISSIONS\twhy", done.stdout)

    def test_cases_of_a_bad_mapping_are_found_and_corrected(self):
        shell = Shell(self.folder)
        shell.run(self.page(only="get-query-results") + "\n" + self.page(only="update-case"))
        self.assertEqual([call["caseId"] for call in shell.calls("connectcases.UpdateCase")], ["case-1", "case-2"])


@unittest.skipUnless(AWSCLI.exists() and MOTO.exists(), "the AWS CLI or moto is not installed below target/tools")
class Restore(unittest.TestCase):
    """Against moto: the table of the stack, written, restored by the page's commands, and read as the ledger reads it."""

    def test_the_ledger_comes_back_from_point_in_time_recovery(self):
        with socket.socket() as probe, tempfile.TemporaryDirectory() as folder:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
            probe.close()
            with (Path(folder) / "moto.log").open("wb") as log:
                server = subprocess.Popen([MOTO, "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log)
            try:
                end = time.monotonic() + 30
                while time.monotonic() < end:
                    with socket.socket() as one:
                        if one.connect_ex(("127.0.0.1", port)) == 0:
                            break
                    time.sleep(0.1)
                (Path(folder) / "shell").mkdir()
                shell = Shell(Path(folder) / "shell")
                shell.command("aws", f'exec "{AWSCLI}" -m awscli "$@"')
                self.restore(shell, f"http://127.0.0.1:{port}")
            finally:
                server.terminate()
                server.wait()

    def restore(self, shell, endpoint):
        table = Stack({"Ledger": "true"}).resources["LedgerTable"]["Properties"]
        create = {
            "TableName": "casebridge-ledger",
            **{name: table[name] for name in ("AttributeDefinitions", "KeySchema", "BillingMode", "DeletionProtectionEnabled")},
        }
        (shell.folder / "table.json").write_text(json.dumps(create))
        [commands] = [block for block in blocks("docs/operations.md") if "restore-table-to-point-in-time" in block]
        # moto keeps no history: the time is one at which the item was there.
        commands = re.sub(r"--restore-date-time \S+", "--use-latest-restorable-time", commands)
        self.assertEqual(commands.count("--use-latest-restorable-time"), 1)
        done = shell.run(
            f"""LedgerTableName=casebridge-ledger
            aws dynamodb create-table --cli-input-json file://table.json
            aws dynamodb update-continuous-backups --table-name casebridge-ledger --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true
            aws dynamodb put-item --table-name casebridge-ledger --item '{{"id": {{"S": "key"}}, "status": {{"S": "COMPLETED"}}}}'
            {commands}
            aws dynamodb get-item --table-name casebridge-ledger-restored --key '{{"id": {{"S": "key"}}}}' --query Item.status.S --output text >status
            aws dynamodb describe-time-to-live --table-name casebridge-ledger-restored --query TimeToLiveDescription.AttributeName --output text >ttl
            aws dynamodb describe-table --table-name casebridge-ledger-restored --query Table.DeletionProtectionEnabled --output text >protected
            """,
            AWS_ENDPOINT_URL=endpoint,
        )
        self.assertEqual((shell.folder / "status").read_text(), "COMPLETED\n", done.stdout)
        self.assertEqual((shell.folder / "ttl").read_text(), table["TimeToLiveSpecification"]["AttributeName"] + "\n")
        self.assertEqual((shell.folder / "protected").read_text(), "True\n")


if __name__ == "__main__":
    unittest.main()
