"""The registered checks, and the table that they run against."""

import itertools
import uuid

from botocore.exceptions import ClientError

TESTS = []

NAMES = {"#s": "status"}
VALUES = {
    ":a": {"S": "a"},
    ":b": {"S": "b"},
    ":empty": {"S": ""},
    ":8": {"N": "8"},
    ":9": {"N": "9"},
    ":nine": {"N": "009"},
    ":10": {"N": "10"},
}


class Table:
    """A table with the string partition key `id`."""

    def __init__(self, client, name):
        self.client, self.name = client, name
        self.run, self.count = uuid.uuid4().hex, itertools.count()

    def key(self):
        """Returns a key that no item has."""
        return {"id": {"S": f"{self.run}-{next(self.count)}"}}

    def put(self, item):
        """Stores the item under a new key and returns the key."""
        key = self.key()
        self.client.put_item(TableName=self.name, Item={**key, **item})
        return key

    def get(self, key):
        """Returns the item without its key, or None."""
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
    """Returns the request's members with the names and values that its expressions use."""
    text = " ".join(given.get(name) or "" for name in ("UpdateExpression", "ConditionExpression"))
    words = set(text.replace(",", " ").replace("(", " ").replace(")", " ").split())
    names = {name: NAMES[name] for name in words & NAMES.keys()}
    values = {value: VALUES[value] for value in words & VALUES.keys()}
    if names:
        given.setdefault("ExpressionAttributeNames", names)
    if values:
        given.setdefault("ExpressionAttributeValues", values)
    return given


def plain(attributes):
    """Returns the attributes with numbers that compare by value."""

    def value(attribute):
        [(kind, inner)] = attribute.items()
        return {kind: int(inner) if kind == "N" else inner}

    return {name: value(attribute) for name, attribute in attributes.items()}


def test(function):
    TESTS.append(function)
    return function


def named(name, run):
    """Registers a check under that name."""
    run.__name__ = name
    TESTS.append(run)


def error_of(call, *arguments, **more):
    """Returns the response of the error that the call raises."""
    try:
        call(*arguments, **more)
    except ClientError as error:
        return error.response
    raise AssertionError("no error")


def refused(name, code, call, item=None):
    """Registers a wrong request: it raises that error and does not change the item."""

    def run(table):
        before = item or {"n": {"N": "9"}}
        key = table.put(before)
        response = error_of(call, table, key)
        assert response["Error"]["Code"] == code, response["Error"]
        assert response["Error"]["Message"], "the error has no message"
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 400, response
        assert table.get(key) == plain(before), "the item was changed"

    named(f"{code}: {name}", run)
