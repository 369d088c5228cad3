"""What the stages that run a built function share: what `sam build` wrote, and Cases and Customer Profiles beside it."""

import json
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import boto3
from samcli.yamlhelper import yaml_parse

REPOSITORY = Path(__file__).resolve().parent.parent
ARCHITECTURE = "x86_64" if platform.machine() in ("x86_64", "AMD64") else "arm64"
BUILT = REPOSITORY / ".aws-sam" / "build"
DOMAIN_ID = json.loads((REPOSITORY / "domain.json").read_text())["domain"]["domainId"]


class Built:
    """What .aws-sam holds, in folders such as Lambda would unpack it to."""

    def __init__(self, folder):
        self.folder = folder
        if not (BUILT / "template.yaml").exists():
            sys.exit("nothing is built in .aws-sam: run `./test sam-build` first")
        self.template = yaml_parse((BUILT / "template.yaml").read_text())

    def resource(self, logical_id):
        return self.template["Resources"][logical_id]["Properties"]

    def code(self, logical_id):
        """The folder that was built for a function."""
        return BUILT / self.resource(logical_id)["CodeUri"]

    def task(self, logical_id):
        return Path(shutil.copytree(self.code(logical_id), self.folder / logical_id))


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
        self.client = boto3.client(
            "connectcases",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="example",
            aws_secret_access_key="example",
        )
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def cases(self, **search):
        """Every case, or those that a search finds; the pages of one are read to the end."""
        pages = self.client.get_paginator("search_cases").paginate(domainId=DOMAIN_ID, **search)
        return [case for page in pages for case in page["cases"]]
