"""Prints the CloudFormation template that SAM makes of a SAM template, for cfn-lint and checkov.

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


def expanded(path, parameters=None, code="artifact"):
    """The expansion of the template in a file, for a zip file of that name."""
    with open(path, encoding="utf-8") as file:
        template = yaml_parse(file)
    if "Transform" not in template:
        return template
    # SAM expands only what has been uploaded.
    for resource in template["Resources"].values():
        for location in ("CodeUri", "ContentUri"):
            if location in resource.get("Properties", {}):
                resource["Properties"][location] = f"s3://example-bucket/{code}.zip"
    return transform(template, parameters or {}, ManagedPolicies())


if __name__ == "__main__":
    json.dump(expanded(sys.argv[1]), sys.stdout, indent=2)
