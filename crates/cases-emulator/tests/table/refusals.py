"""Wrong requests: each is a ValidationException and does not change the item."""

from table.checks import VALUES, refused

CODE = "ValidationException"
ITEM = {"a": {"S": "a"}, "n": {"N": "9"}}


def update(expression, **more):
    return lambda table, key: table.update(key, expression, **more)


def condition(text, **more):
    return lambda table, key: table.update(key, "SET n = :8", ConditionExpression=text, **more)


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
    "attribute_exists(:a)",
    "exists(a)",
    "if_not_exists(a, :a) = :a",
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
    "SET status = :a",
    "SET _b = :a",
    "SET :a = a",
    "SET id = :a",
    "SET a = :b REMOVE id",
    "SET a = :undefined",
    "SET #undefined = :a",
):
    refused(f"update '{expression}'", CODE, update(expression), ITEM)

for name, members in {
    "an unused name": {"ExpressionAttributeNames": {"#s": "status"}},
    "no name in the names": {"ExpressionAttributeNames": {}},
    "a name without its sign": {"ExpressionAttributeNames": {"s": "status"}},
}.items():
    refused(name, CODE, update("SET a = :b", **members))

refused("an unused value", CODE, update(
    "SET a = :a", ExpressionAttributeValues={":a": {"S": "a"}, ":b": {"S": "b"}}
))
refused("values without an expression", CODE, lambda table, key: table.client.put_item(
    TableName=table.name, Item=key, ExpressionAttributeValues={":a": VALUES[":a"]}
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
    "more than 400 KiB": {"S": "x" * (400 * 1024)},
}.items():
    refused(name, CODE, put({"value": value}))
