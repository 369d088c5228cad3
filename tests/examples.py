"""Checks, tests and runs every folder of examples/, with the parameters it is deployed with.

The function that runs has the environment that the template gives it; the events have to pass the rule that is deployed.
"""

import contextlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from samcli.cli.types import CfnParameterOverridesType
from samcli.yamlhelper import yaml_parse

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "tests" / "deployment"))

from stack import Stack, rule_stack

FUNCTIONS = {"contact-flow": "FlowFunction", "eventbridge": "EventFunction"}
# What a mapping takes, and the parameter that gives it.
NEEDS = {"enrich": "EnrichContacts", "window": "Ledger", "on_existing": "Ledger", "ledger_unavailable": "Ledger"}


def main():
    folders = sorted(path.parent for path in (REPOSITORY / "examples").glob("*/mapping.yaml"))
    assert folders, "there are no examples"
    for folder in folders:
        Example(folder).run()


class Example:
    def __init__(self, folder):
        self.folder = folder.relative_to(REPOSITORY)
        self.mapping = yaml_parse((folder / "mapping.yaml").read_text())
        config = tomllib.loads((folder / "samconfig.toml").read_text())
        overrides = config["default"]["deploy"]["parameters"]["parameter_overrides"]
        self.stack = Stack(CfnParameterOverridesType().convert(overrides, None, None))
        self.events = sorted(path for path in (self.folder / "events").glob("*.json") if path.name != "expected.json")

    def run(self):
        print(f"── {self.folder}", flush=True)
        self.expect_parameters()
        sources = ["--mapping", self.folder / "mapping.yaml"]
        if (self.folder / "contacts.json").exists():
            sources += ["--contacts", self.folder / "contacts.json"]
        casebridge("check", *sources, "--deny-warnings")
        casebridge("test", *sources)
        self.expect_rule()
        variables = self.environment()
        with tables_and_queues(variables) as endpoints:
            casebridge("local", *sources, *(f"--env={name}={value}" for name, value in (variables | endpoints).items()), *self.events)

    def expect_parameters(self):
        """The parameters give what the mapping takes, and nothing else."""
        for case in self.mapping["cases"]:
            for key, parameter in NEEDS.items():
                if key in case:
                    assert self.stack.parameters[parameter] == "true", f"{self.folder}: `{key}` takes {parameter}=true"
        for parameter in set(NEEDS.values()):
            used = any(key in case for case in self.mapping["cases"] for key in NEEDS if NEEDS[key] == parameter)
            assert used or self.stack.parameters[parameter] == "false", f"{self.folder}: nothing takes {parameter}"

    def expect_rule(self):
        """Every event passes the rule of the example. One with flows alone has no rule."""
        flows = all(case["trigger"] == "contact-flow" for case in self.mapping["cases"])
        path = self.folder / "rule.yaml"
        assert path.exists() != flows, f"{self.folder}: {'nothing starts from' if flows else 'it needs'} rule.yaml"
        if flows:
            return
        rule = rule_stack(str(path), main=self.stack).resources["EventRule"]["Properties"]
        for path in self.events:
            event = json.loads(path.read_text())
            events = [json.loads(record["body"]) for record in event["Records"]] if "Records" in event else [event]
            for event in events:
                pair = {"pattern": json.dumps(rule["EventPattern"]), "event": json.dumps(event)}
                answer = casebridge("match", "--jsonl", given=json.dumps(pair) + "\n")
                assert answer.strip() == "true", f"{path} does not pass the rule that is deployed"
        print(f"{len(self.events)} events pass the rule")

    def environment(self):
        """The function's variables; the files are those of the command line."""
        [trigger] = {case["trigger"] for case in self.mapping["cases"]}
        variables = self.stack.resources[FUNCTIONS[trigger]]["Properties"]["Environment"]["Variables"]
        return {name: value for name, value in variables.items() if not str(value).startswith("/opt/")}


@contextlib.contextmanager
def tables_and_queues(variables):
    """The ledger's table and the failure queue, which `local` does not have."""
    switches = {"--table": "CASEBRIDGE_LEDGER_TABLE", "--queue": "CASEBRIDGE_FAILURE_QUEUE"}
    given = [part for switch, name in switches.items() if name in variables for part in (switch, variables[name])]
    command = ["cargo", "run", "--locked", "--quiet", "--package", "cases-emulator", "--"]
    with subprocess.Popen(
        [*command, "--domain", "domain.json", "--port", "0", *given], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            endpoint = re.search(r"http://\S+", process.stdout.readline()).group()
            yield {"AWS_ENDPOINT_URL_DYNAMODB": endpoint, "AWS_ENDPOINT_URL_SQS": endpoint}
        finally:
            process.terminate()


def casebridge(*arguments, given=None):
    command = ["cargo", "run", "--locked", "--quiet", "--package", "casebridge-cli", "--", *map(str, arguments)]
    run = subprocess.run(command, cwd=REPOSITORY, input=given, stdout=subprocess.PIPE, text=True)
    if given is None or run.returncode != 0:
        print(run.stdout, end="", flush=True)
    if run.returncode != 0:
        sys.exit(f"cargo casebridge {' '.join(map(str, arguments))} ended with {run.returncode}")
    return run.stdout


if __name__ == "__main__":
    main()
