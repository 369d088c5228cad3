"""Bad requests: each is a ValidationException and leaves the item as it was."""

from table.checks import VALUES, refused

CODE = "ValidationException"
ITEM = {"a": {"S": "a"}, "n": {"N": "9"}, "pair": {"SS": ["a", "b"]}}


def update(expression, **more):
    return lambda table, key: table.update(key, expression, **more)


def condition(text, **more):
    return lambda table, key: table.update(key, "REMOVE n", ConditionExpression=text, **more)


def put(item):
    return lambda table, key: table.client.put_item(TableName=table.name, Item={**key, **item})


for text in (
    "",
    "a",
    "a =",
    "a == :a",
    "a = :a AND",
    "a = :a a = :a",
    "(a = :a",
    "((a = :a))",
    "a = a",
    "attribute_exists(:a)",
    "exists(a)",
    "if_not_exists(a, :a) = :a",
    "n < :yes",
    "n BETWEEN :10 AND :9",
    "status = :a",
    "owner = :a",
    "data = :a",
    "a = :undefined",
    "#undefined = :a",
):
    refused(f"condition '{text}'", CODE, condition(text), ITEM)

for expression in (
    "",
    "a = :a",
    "SET",
    "SET a",
    "SET a = :a,",
    "SET a = :a SET b = :b",
    "SET a = :a REMOVE a",
    "SET a = :a, a = :b",
    "SET b = :map, b.x = :9",
    "SET b = c",
    "SET b = c + :9",
    "SET b = a + :9",
    "SET b = :a + :9",
    "SET b = :9 + :9 + :9",
    "SET b.x = :9",
    "SET a.x = :9",
    "REMOVE b.x",
    "SET status = :a",
    "SET b = size(a)",
    "SET _b = :a",
    "SET :a = a",
    "SET id = :a",
    "REMOVE id",
    "ADD a :9",
    "ADD n :a",
    "ADD n :ab",
    "DELETE n :ab",
    "DELETE pair :9",
):
    refused(f"update '{expression}'", CODE, update(expression), ITEM)

for name, members in {
    "an unused name": {"ExpressionAttributeNames": {"#s": "status"}},
    "an unused value": {"ExpressionAttributeValues": {":a": VALUES[":a"]}},
    "no name in the names": {"ExpressionAttributeNames": {}},
    "a name without its sign": {"ExpressionAttributeNames": {"s": "status"}},
    "an unknown ReturnValues": {"ReturnValues": "SOME"},
}.items():
    refused(name, CODE, update("REMOVE n", **members))

refused("an unused value beside a used one", CODE, update(
    "SET a = :a", ExpressionAttributeValues={":a": {"S": "a"}, ":b": {"S": "b"}}
))
refused("values without an expression", CODE, lambda table, key: table.client.put_item(
    TableName=table.name, Item=key, ExpressionAttributeValues={":a": {"S": "a"}}
))
refused("ReturnValues of put", CODE, lambda table, key: table.client.put_item(
    TableName=table.name, Item=key, ReturnValues="ALL_NEW"
))
refused("an item without its key", CODE, lambda table, _: table.client.put_item(
    TableName=table.name, Item={"a": {"S": "a"}}
))
refused("a key of another type", CODE, lambda table, _: table.client.put_item(
    TableName=table.name, Item={"id": {"N": "1"}}
))
refused("an empty key", CODE, lambda table, _: table.client.get_item(
    TableName=table.name, Key={"id": {"S": ""}}
))
refused("a key with another attribute", CODE, lambda table, key: table.client.get_item(
    TableName=table.name, Key={**key, "a": {"S": "a"}}
))
refused("a key of another name", CODE, lambda table, _: table.client.get_item(
    TableName=table.name, Key={"key": {"S": "a"}}
))

for name, value in {
    "no value": {},
    "a number that is none": {"N": "one"},
    "39 digits": {"N": "123456789012345678901234567890123456789"},
    "a number that is too large": {"N": "1e126"},
    "a number that is too small": {"N": "1e-131"},
    "an empty set": {"SS": []},
    "a set with a text twice": {"SS": ["a", "a"]},
    "a null that is none": {"NULL": False},
    "more than 400 KiB": {"S": "x" * (400 * 1024)},
}.items():
    refused(name, CODE, put({"value": value}))
