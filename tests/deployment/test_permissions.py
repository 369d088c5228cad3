"""The roles hold what the code calls and nothing else: every call has its permission, every permission its reason.

The calls are read from the `Operation` constants of src/, which every call of a service goes through. What AWS asks for beside a call's own
action is in DEPENDENT, with what triggers it (service authorization reference, administrator guide of Amazon Connect).
"""

import dataclasses
import itertools
import re
import unittest

from stack import ACCOUNT, REPOSITORY, Stack
from test_options import APPCONFIG, combinations

ROLES = {"FlowFunction": "FlowRole", "EventFunction": "EventRole"}
BOTH = frozenset(ROLES)
EVENTS = frozenset({"EventFunction"})


@dataclasses.dataclass(frozen=True)
class Permission:
    """An action, where it is needed, and why."""

    action: str
    resources: tuple  # endings of the ARNs, as the service authorization reference asks for them
    why: str
    when: tuple = ()  # parameters that ask for it, as (name, value); all must hold
    functions: frozenset = BOTH


DOMAIN = "domain/3ceaaf30-8142-48ea-91d9-3080f9b439fc"
CASE = f"{DOMAIN}/case/*"
FIELD = f"{DOMAIN}/field/*"
TEMPLATE = f"{DOMAIN}/template/*"
PROFILES = "domains/amazon-connect-example"
CONTACT = "instance/6b1f6f0e-3c2a-4a57-9a0c-5d1e2f7a8b90/contact/*"
LEDGER = ("Ledger", "true")
DATA_KEY = ("DataKeyArn", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/data")
VPC = {"VpcSubnetIds": "subnet-0a1b2c3d4e5f60718", "VpcSecurityGroupIds": "sg-0a1b2c3d4e5f60718"}

# A call of the code, by the API's name.
CALLS = {
    "CreateCase": Permission("cases:CreateCase", (DOMAIN, CASE, FIELD, TEMPLATE), "the case"),
    "SearchCases": Permission("cases:SearchCases", (DOMAIN,), "a case by its tag, after a conflict or a takeover"),
    "CreateRelatedItem": Permission("cases:CreateRelatedItem", (DOMAIN, CASE), "the contact, comments"),
    "ListCasesForContact": Permission("cases:ListCasesForContact", (DOMAIN,), "whether the contact is linked already"),
    "SearchRelatedItems": Permission("cases:SearchRelatedItems", (DOMAIN, CASE, FIELD), "whether a comment is there already"),
    "GetCase": Permission("cases:GetCase", (DOMAIN, CASE, FIELD), "the reference number"),
    "SearchProfiles": Permission("profile:SearchProfiles", (PROFILES,), "the customer; Cases validates customer_id by it, too"),
    "CreateProfile": Permission("profile:CreateProfile", (PROFILES,), "if_none: create", (("CreateProfiles", "true"),)),
    "DescribeContact": Permission("connect:DescribeContact", (CONTACT,), "enrich; Cases reads a contact that is linked, too"),
    "GetContactAttributes": Permission(
        "connect:GetContactAttributes", (CONTACT,), "enrich, which is for events", (("EnrichContacts", "true"),), EVENTS
    ),
    "GetItem": Permission("dynamodb:GetItem", ("table/LedgerTable",), "a look at a key whose event makes no request", (LEDGER,)),
    "PutItem": Permission("dynamodb:PutItem", ("table/LedgerTable",), "a claim", (LEDGER,)),
    "UpdateItem": Permission("dynamodb:UpdateItem", ("table/LedgerTable",), "a step that is done", (LEDGER,)),
    "DeleteItem": Permission("dynamodb:DeleteItem", ("table/LedgerTable",), "a claim given up", (LEDGER,)),
    "SendMessage": Permission(
        "sqs:SendMessage", (":FailureQueue",), "the failure queue; Lambda's on-failure destination", (), EVENTS
    ),
}

# What no call of the code is, and what asks for it.
DEPENDENT = [
    Permission("cases:TagResource", (CASE,), "CreateCase with tags: every case has casebridge:key"),
    Permission("connect:DescribeUser", ("/agent/*",), "CreateCase performed by a user", (("PerformedByUsers", "true"),)),
    Permission("logs:CreateLogStream", (":*",), "Lambda writes the function's log"),
    Permission("logs:PutLogEvents", (":*",), "Lambda writes the function's log"),
    Permission("sqs:ReceiveMessage", (":EventQueue",), "Lambda polls the queue with the function's role", (), EVENTS),
    Permission("sqs:DeleteMessage", (":EventQueue",), "Lambda polls the queue with the function's role", (), EVENTS),
    Permission("sqs:GetQueueAttributes", (":EventQueue",), "Lambda polls the queue with the function's role", (), EVENTS),
    Permission("kms:Decrypt", ("key/EventKey",), "SQS decrypts and encrypts messages with the caller's permission", (), EVENTS),
    Permission("kms:GenerateDataKey", ("key/EventKey",), "SendMessage to an encrypted queue", (), EVENTS),
    Permission("xray:PutTraceSegments", ("*",), "X-Ray, which knows no resources", (("Tracing", "Active"),)),
    Permission("xray:PutTelemetryRecords", ("*",), "X-Ray, which knows no resources", (("Tracing", "Active"),)),
    Permission(
        "appconfig:StartConfigurationSession",
        ("application/ab12cd3/environment/ef45gh6/configuration/ij78kl9",),
        "the extension asks for the mapping with the function's role",
        tuple(APPCONFIG.items()),
    ),
    Permission(
        "appconfig:GetLatestConfiguration",
        ("application/ab12cd3/environment/ef45gh6/configuration/ij78kl9",),
        "the extension asks for the mapping with the function's role",
        tuple(APPCONFIG.items()),
    ),
]
DEPENDENT += [
    Permission(f"ec2:{action}", ("*",), "Lambda makes network interfaces with the function's role", tuple(VPC.items()))
    for action in (
        "CreateNetworkInterface",
        "DeleteNetworkInterface",
        "DescribeNetworkInterfaces",
        "DescribeSubnets",
        "AssignPrivateIpAddresses",
        "UnassignPrivateIpAddresses",
    )
]
DEPENDENT += [
    Permission(f"kms:{action}", ("key/data",), "DynamoDB uses the table's key with the caller's permissions", (LEDGER, DATA_KEY))
    for action in ("Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKey", "DescribeKey")
]
WANTED = [*CALLS.values(), *DEPENDENT]


def sources():
    for path in sorted((REPOSITORY / "src").rglob("*.rs")):
        yield path, path.read_text(encoding="utf-8")


def operations():
    """The names and the `actions` of the `Operation` constants; a constant that takes the rest from another has none of its own."""
    found = {}
    for _, text in sources():
        for body in re.findall(r"const \w+: Operation = Operation \{(.*?)\n\};", text, re.S):
            actions = re.search(r'actions: "([^"]+)"', body)
            found[re.search(r'name: "(\w+)"', body)[1]] = actions and actions[1]
    return found


def statements(stack, function):
    """Every statement of the function's role."""
    role = stack.resources[ROLES[function]]["Properties"]
    assert stack.resources[function]["Properties"]["Role"].endswith(f":role/{ROLES[function]}")
    documents = [policy["PolicyDocument"] for policy in role["Policies"]]
    policies = stack.of_type("AWS::IAM::ManagedPolicy")
    documents += [policies[arn.rpartition("/")[2]]["PolicyDocument"] for arn in role["ManagedPolicyArns"]]
    return [statement for document in documents for statement in document["Statement"]]


def allowed(stack, function):
    """Actions, each with the resources it is allowed on."""
    found = {}
    for statement in statements(stack, function):
        assert statement["Effect"] == "Allow", statement
        resources = statement["Resource"]
        for action in statement["Action"]:
            given = found.setdefault(action, [])
            for resource in [resources] if isinstance(resources, str) else resources:
                assert resource not in given, f"{action} on {resource} is in two statements"
                given.append(resource)
    return found


def given(stack, name):
    """The value of a parameter, as it is given on the command line."""
    value = stack.parameters[name]
    return ",".join(value) if isinstance(value, list) else value


class Permissions(unittest.TestCase):
    def test_the_table_has_every_call_of_the_code(self):
        found = operations()
        self.assertGreater(len(found), 10, "the Operation constants are not found any more")
        self.assertCountEqual(found, CALLS, "a call without its permission, or a permission without its call")

    def test_what_the_code_says_to_allow_is_in_the_table(self):
        known = {permission.action for permission in WANTED}
        for name, actions in operations().items():
            named = set(re.findall(r"[a-z]+:[A-Z]\w+", actions or ""))
            self.assertLessEqual(named, known, name)
            if actions:
                self.assertIn(CALLS[name].action, named, f"the error of {name} does not name its own action")

    def test_no_call_goes_past_an_operation(self):
        """`client.create_case()`, `client().send_message()` and, of the client of our own, `get(&DESCRIBE_CONTACT, …)`: each is a call that CALLS knows."""
        names = {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower() for name in CALLS}
        found = set()
        for path, text in sources():
            calls = re.findall(r"\bclient(?:\(\))?\s*\.(\w+)\(\)", text) + re.findall(r"\bself\.get\(&(\w+)", text)
            for call in map(str.lower, calls):
                self.assertIn(call, names, f"{path.relative_to(REPOSITORY)} calls what no Operation describes")
                found.add(call)
        self.assertEqual(found, names, "an Operation that nobody calls")

    def test_each_role_has_what_the_options_need_and_nothing_else(self):
        # What the mapping does asks for permissions alone, so it is tried apart from what asks for resources.
        of_mapping = ("PerformedByUsers", "CreateProfiles", "EnrichContacts")
        choices = itertools.product(("true", "false"), repeat=len(of_mapping))
        of_account = [VPC, dict([DATA_KEY]), dict([DATA_KEY, LEDGER])]
        tried = [*combinations(), *of_account, *(dict(zip(of_mapping, chosen, strict=True)) for chosen in choices)]
        for parameters in tried:
            stack = Stack(parameters)
            for function in ROLES:
                with self.subTest(function, parameters=parameters):
                    wanted = {}
                    for permission in WANTED:
                        asked = all(given(stack, name) == value for name, value in permission.when)
                        if function in permission.functions and asked:
                            wanted[permission.action] = wanted.get(permission.action, ()) + permission.resources
                    found = allowed(stack, function)
                    self.assertCountEqual(found, wanted)
                    for action, endings in wanted.items():
                        arns = found[action]
                        self.assertEqual(len(arns), len(endings), f"{action}: {arns}")
                        for ending in endings:
                            self.assertTrue([arn for arn in arns if arn.endswith(ending)], f"{action} is not allowed on {ending}")

    def test_nothing_is_allowed_beyond_this_account(self):
        stack = Stack({"Tracing": "Active"} | VPC)
        for function in ROLES:
            for action, arns in allowed(stack, function).items():
                for arn in arns:
                    nowhere = action.startswith(("xray:", "ec2:"))
                    self.assertTrue(arn.split(":")[4:5] == [ACCOUNT] or nowhere, f"{action} on {arn}")

    def test_the_key_is_used_through_queues_alone(self):
        for partition, host in (("aws", "sqs.us-east-1.amazonaws.com"), ("aws-cn", "sqs.cn-north-1.amazonaws.com.cn")):
            found = [s for s in statements(Stack(partition=partition), "EventFunction") if "kms:Decrypt" in s["Action"]]
            self.assertEqual([s["Condition"] for s in found], [{"StringEquals": {"kms:ViaService": host}}])


if __name__ == "__main__":
    unittest.main()
