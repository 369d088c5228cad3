"""Resolves template.yaml, or another template, for one choice of parameters, as CloudFormation would, without an account.

SAM's own resolver leaves conditions and `AWS::NoValue` in place. This one drops what is absent, and refuses a reference to a resource that
is not in the stack, as CloudFormation does when it deploys.
"""

import copy
import functools
import json
import re
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(REPOSITORY / "tests"))

from expand_template import expanded

ACCOUNT = "111122223333"
PARTITIONS = {  # each with a Region, and what its host names end with
    "aws": ("us-east-1", "amazonaws.com"),
    "aws-us-gov": ("us-gov-west-1", "amazonaws.com"),
    "aws-cn": ("cn-north-1", "amazonaws.com.cn"),
}
NO_VALUE = object()

# What a resource's ARN holds after the account, by type; a type that is not here has no ARN in this stack.
ARNS = {
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/{name}",
    "AWS::Events::Rule": "events:{region}:{account}:rule/{bus}{name}",
    "AWS::IAM::ManagedPolicy": "iam::{account}:policy/{name}",
    "AWS::IAM::Role": "iam::{account}:role/{name}",
    "AWS::KMS::Key": "kms:{region}:{account}:key/{name}",
    "AWS::Lambda::Function": "lambda:{region}:{account}:function:{name}",
    "AWS::Lambda::Alias": "lambda:{region}:{account}:function:{function}:live",
    "AWS::Logs::LogGroup": "logs:{region}:{account}:log-group:{name}:*",
    "AWS::SQS::Queue": "sqs:{region}:{account}:{name}",
}
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-rules.html
FUNCTIONS_OF_RULES = {
    "And", "Contains", "EachMemberEquals", "EachMemberIn", "Equals", "Not", "Or", "RefAll", "ValueOf", "ValueOfAll",
}  # fmt: skip
REFERENCE_IS_ARN = {"AWS::IAM::ManagedPolicy", "AWS::Lambda::Alias"}


@functools.cache
def template(path=REPOSITORY / "template.yaml", code="artifact", **parameters):
    """The expansion of a template, for a zip file. SAM itself puts the parameters of gradual deployments in place."""
    return expanded(path, parameters, code)


def rule_templates():
    """The templates of rules, each with its path below the repository: deploy/rule.yaml, and the examples' copies of it."""
    paths = [REPOSITORY / "deploy" / "rule.yaml", *sorted(REPOSITORY.glob("examples/*/rule.yaml"))]
    return {str(path.relative_to(REPOSITORY)): template(path) for path in paths}


def rule_stack(path="deploy/rule.yaml", parameters=None, main=None, partition="aws"):
    """The stack of a rule beside a stack of template.yaml, whose exports it imports."""
    main = main or Stack(partition=partition)
    given = {"CasebridgeStack": main.name} | (parameters or {})
    return Stack(given, partition, rule_templates()[path], name="casebridge-rule", exports=main.exports)


def required(partition="aws"):
    """Values of the parameters that have no default."""
    region = PARTITIONS[partition][0]
    return {
        "CasesDomainId": "3ceaaf30-8142-48ea-91d9-3080f9b439fc",
        "ConnectInstanceArn": f"arn:{partition}:connect:{region}:{ACCOUNT}:instance/6b1f6f0e-3c2a-4a57-9a0c-5d1e2f7a8b90",
        "ProfilesDomain": "amazon-connect-example",
    }


class Refused(Exception):
    """CloudFormation would not take the parameters."""


class Stack:
    """The resources and outputs of a stack; what its conditions leave out is not there."""

    def __init__(self, parameters=None, partition="aws", source=None, name="casebridge", exports=None):
        self.source = source or template()
        self.name = name
        # What other stacks export; `self.exports` is what this one does.
        self.imported = exports or {}
        self.partition = partition
        self.region, self.suffix = PARTITIONS[partition]
        always = {name: value for name, value in required(partition).items() if name in self.source["Parameters"]}
        self.parameters = self._parameters(always | (parameters or {}))
        self._refuse_broken_rules()
        self.resources = {
            name: self.resolve(resource) for name, resource in self.source["Resources"].items() if self._is_there(resource)
        }
        self.outputs = {
            name: self.resolve(output["Value"]) for name, output in self.source["Outputs"].items() if self._is_there(output)
        }
        self.exports = {
            self.resolve(output["Export"]["Name"]): self.outputs[name]
            for name, output in self.source["Outputs"].items()
            if "Export" in output and name in self.outputs
        }

    def of_type(self, kind):
        return {name: resource["Properties"] for name, resource in self.resources.items() if resource["Type"] == kind}

    def _parameters(self, given):
        declared = self.source["Parameters"]
        unknown = given.keys() - declared.keys()
        if unknown:
            raise Refused(f"the template has no parameters {sorted(unknown)}")
        values = {}
        for name, parameter in declared.items():
            if name not in given and "Default" not in parameter:
                raise Refused(f"{name} has no value and no default")
            value = str(given.get(name, parameter.get("Default")))
            allowed = [str(item) for item in parameter.get("AllowedValues", [value])]
            if value not in allowed:
                raise Refused(f"{name} is {value!r}, not one of {allowed}")
            items = [item.strip() for item in value.split(",")] if parameter["Type"] == "CommaDelimitedList" else [value]
            if not all(re.search(parameter.get("AllowedPattern", ""), item) for item in items):
                raise Refused(f"{name} is {value!r}, which does not match {parameter['AllowedPattern']}")
            if parameter["Type"] == "Number":
                if not float(parameter.get("MinValue", "-inf")) <= float(value) <= float(parameter.get("MaxValue", "inf")):
                    raise Refused(f"{name} is {value}, out of its range")
            values[name] = items if parameter["Type"] == "CommaDelimitedList" else value
        return values

    def _refuse_broken_rules(self):
        for rule in self.source.get("Rules", {}).values():
            # CloudFormation knows fewer functions here than in conditions.
            unknown = set(re.findall(r'"Fn::(\w+)"', json.dumps(rule))) - FUNCTIONS_OF_RULES
            if unknown:
                raise Refused(f"rules do not know {unknown}")
            if not self.resolve(rule.get("RuleCondition", True)):
                continue
            for assertion in rule["Assertions"]:
                if not self.resolve(assertion["Assert"]):
                    raise Refused(assertion["AssertDescription"])

    def _is_there(self, item):
        return "Condition" not in item or self._condition(item["Condition"])

    def _condition(self, name):
        return self.resolve(self.source["Conditions"][name])

    def resolve(self, value):
        """The value with every function in it applied."""
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not NO_VALUE]
        if not isinstance(value, dict):
            return copy.copy(value)
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            # In an IAM policy `Condition` is a member; as a function it names one of the stack's conditions.
            if name == "Condition" and isinstance(argument, str):
                return self._condition(argument)
            if name == "Ref":
                return self._reference(argument)
            if name.startswith("Fn::"):
                return getattr(self, "_" + name.removeprefix("Fn::").lower())(argument)
        resolved = {name: self.resolve(item) for name, item in value.items() if name != "Condition" or not isinstance(item, str)}
        return {name: item for name, item in resolved.items() if item is not NO_VALUE}

    def _reference(self, name):
        pseudo = {
            "AWS::AccountId": ACCOUNT,
            "AWS::NoValue": NO_VALUE,
            "AWS::Partition": self.partition,
            "AWS::Region": self.region,
            "AWS::StackName": self.name,
            "AWS::URLSuffix": self.suffix,
        }
        if name in pseudo:
            return pseudo[name]
        if name in self.parameters:
            return self.parameters[name]
        kind = self._existing(name)["Type"]
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{self.region}.{self.suffix}/{ACCOUNT}/{name}"
        if kind == "AWS::Events::Rule":
            properties = self.resolve(self.source["Resources"][name]["Properties"])
            bus = properties.get("EventBusName", "default")
            name = properties.get("Name", name)
            return name if bus == "default" else f"{bus}|{name}"
        return self._arn(name) if kind in REFERENCE_IS_ARN else name

    def _existing(self, name):
        resource = self.source["Resources"].get(name)
        if resource is None or not self._is_there(resource):
            raise Refused(f"a resource refers to {name}, which is not in the stack with these parameters")
        return resource

    def _arn(self, name):
        resource = self._existing(name)
        bus = self.resolve(resource["Properties"].get("EventBusName", "default"))
        if resource["Type"] == "AWS::Events::Rule":
            name = self.resolve(resource["Properties"].get("Name", name))
        rest = ARNS[resource["Type"]].format(
            region=self.region,
            account=ACCOUNT,
            name=name,
            bus="" if bus == "default" else f"{bus}/",
            function=resource["Properties"].get("FunctionName", {}).get("Ref"),
        )
        return f"arn:{self.partition}:{rest}"

    def _getatt(self, argument):
        name, attribute = argument if isinstance(argument, list) else argument.split(".", 1)
        if attribute == "QueueName":
            self._existing(name)
            return name
        if attribute == "Version":
            self._existing(name)
            return "1"
        assert attribute == "Arn", f"this test does not know the attribute {name}.{attribute}"
        return self._arn(name)

    def _sub(self, argument):
        text, given = argument if isinstance(argument, list) else (argument, {})
        given = self.resolve(given)

        def one(match):
            name = match[1]
            if name in given:
                return str(given[name])
            return self._getatt(name) if "." in name else str(self._reference(name))

        return re.sub(r"\$\{([A-Za-z0-9:.]+)\}", one, text)

    def _importvalue(self, argument):
        name = self.resolve(argument)
        if name not in self.imported:
            raise Refused(f"no stack exports {name}")
        return self.imported[name]

    def _if(self, argument):
        condition, yes, no = argument
        return self.resolve(yes if self._condition(condition) else no)

    def _equals(self, argument):
        one, other = self.resolve(argument)
        return str(one) == str(other)

    def _eachmemberequals(self, argument):
        items, value = self.resolve(argument)
        return all(item == value for item in items)

    def _not(self, argument):
        return not self.resolve(argument[0])

    def _and(self, argument):
        return all(map(self.resolve, argument))

    def _or(self, argument):
        return any(map(self.resolve, argument))

    def _findinmap(self, argument):
        table, row, column = self.resolve(argument)
        return self.source["Mappings"][table][row][column]

    def _select(self, argument):
        index, items = self.resolve(argument)
        return items[int(index)]

    def _split(self, argument):
        separator, text = self.resolve(argument)
        return text.split(separator)

    def _join(self, argument):
        separator, items = self.resolve(argument)
        return separator.join(items)
