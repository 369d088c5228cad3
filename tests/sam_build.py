"""Builds template.yaml with SAM and runs the function with nothing but what is then in .aws-sam.

The function runs under AWS's own runtime interface emulator, which the SAM CLI brings along, with the environment that the
template gives it; Cases is the emulator of this repository. Two events have to become cases.
"""

import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import boto3
import samcli.local
from samcli.yamlhelper import yaml_parse

REPOSITORY = Path(__file__).resolve().parent.parent
BUILT = REPOSITORY / ".aws-sam" / "build"
X86 = platform.machine() in ("x86_64", "AMD64")
EVENTS = ("contact-flow-voice.json", "order-failed.json")


def main():
    sam = [str(Path(sys.executable).with_name("sam")), "build", "--parameter-overrides"]
    subprocess.run([*sam, f"Architecture={'x86_64' if X86 else 'arm64'}"], cwd=REPOSITORY, check=True)
    domain = json.loads((REPOSITORY / "domain.json").read_text())["domain"]
    instance = json.loads(event(EVENTS[0]))["Details"]["ContactData"]["InstanceARN"]
    parameters = {
        "CasesDomainId": domain["domainId"],
        "ConnectInstanceArn": instance,
        "ProfilesDomain": json.loads((REPOSITORY / "profiles.json").read_text())["domain"]["DomainName"],
        "AWS::AccountId": domain["domainArn"].split(":")[4],
    }
    with tempfile.TemporaryDirectory() as folder, Emulator() as emulator:
        unpacked = Unpacked(Path(folder))
        environment = unpacked.environment(parameters) | {
            "AWS_ENDPOINT_URL_CONNECTCASES": emulator.endpoint,
            "AWS_ENDPOINT_URL_CUSTOMER_PROFILES": emulator.endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "example",
            "AWS_SECRET_ACCESS_KEY": "example",
            "AWS_LAMBDA_FUNCTION_NAME": "casebridge",
            "AWS_LAMBDA_FUNCTION_TIMEOUT": "10",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "LAMBDA_TASK_ROOT": str(unpacked.task),
        }
        with Function(unpacked.task / "bootstrap", environment) as function:
            for name in EVENTS:
                answer = function.invoke(event(name))
                assert "errorType" not in answer, f"{name}: {answer}"
                print(f"{name}: {json.dumps(answer)}")
        cases = emulator.cases(domain["domainId"])
        assert len(cases) == len(EVENTS), f"{len(EVENTS)} events made {len(cases)} cases"
    size = (BUILT / "Function" / "bootstrap").stat().st_size
    print(f"{len(cases)} cases made by what .aws-sam holds; the function has {size / 1e6:.1f} MB")


def event(name):
    return (REPOSITORY / "events" / name).read_bytes()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Unpacked:
    """What .aws-sam holds, in folders such as Lambda would unpack it to."""

    def __init__(self, folder):
        self.task, self.layer = folder / "task", folder / "opt"
        shutil.copytree(BUILT / "Function", self.task)
        shutil.copytree(BUILT / "MappingLayer", self.layer)

    def environment(self, parameters):
        """The variables of the built template, with its parameters in them and the layer where it is here."""
        template = yaml_parse((BUILT / "template.yaml").read_text())
        defaults = {name: parameter.get("Default") for name, parameter in template["Parameters"].items()}
        variables = template["Resources"]["Function"]["Properties"]["Environment"]["Variables"]

        def resolve(value):
            if isinstance(value, dict):
                return str((defaults | parameters)[value["Ref"]])
            return re.sub("^/opt/", f"{self.layer}/", str(value))

        return {name: resolve(value) for name, value in variables.items()}


class Emulator:
    """The emulator of Cases and Customer Profiles, on a port of its own."""

    def __enter__(self):
        command = ["cargo", "run", "--locked", "--quiet", "--package", "cases-emulator", "--"]
        self.process = subprocess.Popen(
            [*command, "--domain", "domain.json", "--profiles", "profiles.json", "--port", "0"],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        self.endpoint = re.search(r"http://\S+", line).group()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def cases(self, domain_id):
        client = boto3.client(
            "connectcases",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="example",
            aws_secret_access_key="example",
        )
        return client.search_cases(domainId=domain_id)["cases"]


class Function:
    """The function's binary under the runtime interface emulator."""

    def __init__(self, binary, environment):
        name = f"aws-lambda-rie-{'x86_64' if X86 else 'arm64'}"
        self.emulator = next(Path(samcli.local.__path__[0]).rglob(name))
        self.binary, self.environment = binary, environment

    def __enter__(self):
        self.address = f"127.0.0.1:{free_port()}"
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
        )  # fmt: skip
        while self.process.poll() is None:
            with socket.socket() as probe:
                host, port = self.address.split(":")
                if probe.connect_ex((host, int(port))) == 0:
                    return self
            time.sleep(0.05)
        sys.exit(f"the runtime interface emulator ended with {self.process.returncode}")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def invoke(self, payload):
        url = f"http://{self.address}/2015-03-31/functions/function/invocations"
        with urllib.request.urlopen(url, payload, timeout=30) as response:
            return json.load(response)


if __name__ == "__main__":
    main()
