"""Prints the CloudFormation template that SAM makes of a SAM template, for cfn-lint.

Linters stop at the serverless resources; what SAM generates from them is only checked once it is expanded.
"""

import json
import os
import sys

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class ManagedPolicies:
    """The policies that SAM attaches of its own accord, which it would ask IAM for."""

    def load(self):
        name = "AWSLambdaBasicExecutionRole"
        return {name: f"arn:aws:iam::aws:policy/service-role/{name}"}


with open(sys.argv[1], encoding="utf-8") as file:
    template = yaml_parse(file)

# SAM expands only what has been uploaded.
for resource in template["Resources"].values():
    for location in ("CodeUri", "ContentUri"):
        if location in resource.get("Properties", {}):
            resource["Properties"][location] = "s3://example-bucket/artifact.zip"

json.dump(transform(template, {}, ManagedPolicies()), sys.stdout, indent=2)
