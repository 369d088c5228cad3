"""Builds template.yaml with SAM and runs the function with nothing but what is then in .aws-sam.

The function runs under AWS's own runtime interface emulator, which the SAM CLI brings along, with the environment that the
template gives it; Cases is the emulator of this repository. An event for each of the two functions has to become a case.
"""

import json
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
sys.path.insert(0, str(REPOSITORY / "tests" / "deployment"))

from stack import Stack, template

BUILT = REPOSITORY / ".aws-sam" / "build"
X86 = platform.machine() in ("x86_64", "AMD64")
# What each function of the template is invoked with.
EVENTS = {"FlowFunction": "contact-flow-voice.json", "EventFunction": "order-failed.json"}


def main():
    sam = [str(Path(sys.executable).with_name("sam")), "build", "--parameter-overrides"]
    subprocess.run([*sam, f"Architecture={'x86_64' if X86 else 'arm64'}"], cwd=REPOSITORY, check=True)
    domain_id = json.loads((REPOSITORY / "domain.json").read_text())["domain"]["domainId"]
    stack = Stack({"CasesDomainId": domain_id}, source=template(BUILT / "template.yaml"))
    with tempfile.TemporaryDirectory() as folder, Emulator() as emulator:
        unpacked = Unpacked(Path(folder))
        for logical_id, name in EVENTS.items():
            properties = stack.resources[logical_id]["Properties"]
            task = unpacked.task(logical_id)
            environment = unpacked.environment(properties) | {
                "AWS_ENDPOINT_URL_CONNECTCASES": emulator.endpoint,
                "AWS_ENDPOINT_URL_CUSTOMER_PROFILES": emulator.endpoint,
                "AWS_REGION": stack.region,
                "AWS_ACCESS_KEY_ID": "example",
                "AWS_SECRET_ACCESS_KEY": "example",
                "AWS_LAMBDA_FUNCTION_NAME": logical_id,
                "AWS_LAMBDA_FUNCTION_TIMEOUT": str(properties["Timeout"]),
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(properties["MemorySize"]),
                "LAMBDA_TASK_ROOT": str(task),
            }
            with Function(task / "bootstrap", environment) as function:
                answer = function.invoke(event(name))
                assert "errorType" not in answer, f"{name}: {answer}"
                print(f"{logical_id}: {name}: {json.dumps(answer)}")
        cases = emulator.cases(domain_id)
        assert len(cases) == len(EVENTS), f"{len(EVENTS)} events made {len(cases)} cases"
        built = {unpacked.code(logical_id) for logical_id in EVENTS}
        assert len(built) == 1, f"the functions are not of one build: {built}"
        size = (task / "bootstrap").stat().st_size
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
        self.folder, self.layer = folder, folder / "opt"
        self.resources = yaml_parse((BUILT / "template.yaml").read_text())["Resources"]
        shutil.copytree(BUILT / self.resources["MappingLayer"]["Properties"]["ContentUri"], self.layer)

    def code(self, logical_id):
        """The folder that was built for a function."""
        return BUILT / self.resources[logical_id]["Properties"]["CodeUri"]

    def task(self, logical_id):
        return Path(shutil.copytree(self.code(logical_id), self.folder / logical_id))

    def environment(self, properties):
        """The variables of a function, with the layer where it is here."""
        variables = properties["Environment"]["Variables"]
        return {name: re.sub("^/opt/", f"{self.layer}/", str(value)) for name, value in variables.items()}


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
