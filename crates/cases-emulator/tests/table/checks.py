"""The checks: those that were registered, and the table they are made on."""

import itertools
import uuid

from botocore.exceptions import ClientError

TESTS = []

NAMES = {"#s": "status", "#m": "m", "#x": "x", "#z": "z"}
VALUES = {
    ":a": {"S": "a"},
    ":b": {"S": "b"},
    ":empty": {"S": ""},
    ":8": {"N": "8"},
    ":9": {"N": "9"},
    ":nine": {"N": "9.00"},
    ":10": {"N": "10"},
    ":yes": {"BOOL": True},
    ":no": {"BOOL": False},
    ":nil": {"NULL": True},
    ":ab": {"SS": ["a", "b"]},
    ":ba": {"SS": ["b", "a"]},
    ":bc": {"SS": ["b", "c"]},
    ":list": {"L": [{"N": "1"}, {"S": "a"}]},
    ":map": {"M": {"x": {"N": "1"}}},
    ":nothing": {"M": {}},
}


class Table:
    """A table with the string partition key `id`."""

    def __init__(self, client, name):
        self.client, self.name = client, name
        self.run, self.count = uuid.uuid4().hex, itertools.count()

    def key(self):
        """A key that no item has."""
        return {"id": {"S": f"{self.run}-{next(self.count)}"}}

    def put(self, item):
        """Stores the item under a new key, and gives the key."""
        key = self.key()
        self.client.put_item(TableName=self.name, Item={**key, **item})
        return key

    def get(self, key):
        """The item without its key, or None."""
        answer = self.client.get_item(TableName=self.name, Key=key, ConsistentRead=True)
        item = answer.get("Item")
        return item and plain({name: value for name, value in item.items() if name != "id"})

    def update(self, key, expression, **more):
        return self.client.update_item(
            TableName=self.name,
            Key=key,
            **expressions(UpdateExpression=expression, **more),
        )


def expressions(**given):
    """The request's members with just the names and values that its expressions use."""
    text = " ".join(given.get(name) or "" for name in ("UpdateExpression", "ConditionExpression"))
    words = set(text.replace(",", " ").replace(".", " ").replace("(", " ").replace(")", " ").split())
    names = {name: NAMES[name] for name in words & NAMES.keys()}
    values = {value: VALUES[value] for value in words & VALUES.keys()}
    if names:
        given.setdefault("ExpressionAttributeNames", names)
    if values:
        given.setdefault("ExpressionAttributeValues", values)
    return given


def plain(attributes):
    """Attributes to compare: numbers without their spelling, sets without their order."""

    def value(attribute):
        [(kind, inner)] = attribute.items()
        if kind == "M":
            return {"M": plain(inner)}
        if kind == "L":
            return {"L": [value(item) for item in inner]}
        return {kind: {"N": float, "SS": sorted}.get(kind, lambda same: same)(inner)}

    return {name: value(attribute) for name, attribute in attributes.items()}


def test(function):
    TESTS.append(function)
    return function


def named(name, run):
    """Registers a check under that name."""
    run.__name__ = name
    TESTS.append(run)


def error_of(call, *arguments, **more):
    """The response of the error that the call raises."""
    try:
        call(*arguments, **more)
    except ClientError as error:
        return error.response
    raise AssertionError("no error")


def refused(name, code, call, item=None):
    """Registers a bad request: the error's code, and an item that it leaves as it was."""

    def run(table):
        before = item or {"n": {"N": "9"}}
        key = table.put(before)
        response = error_of(call, table, key)
        assert response["Error"]["Code"] == code, response["Error"]
        assert response["Error"]["Message"], "the error has no message"
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 400, response
        assert table.get(key) == plain(before), "the item was changed"

    named(f"{code}: {name}", run)
