"""Conditions that an item meets or fails, in each of the three writes."""

from table.checks import error_of, expressions, named, test

ITEM = {"a": {"S": "a"}, "n": {"N": "9"}, "status": {"S": "a"}}

HOLD = """
attribute_exists(id)
attribute_exists(#s)
attribute_not_exists(z)
a = :a
n = :nine
n <= :10
n <= :9
a <= :b
NOT b = :b
NOT b <= :9
NOT n <= :a
#s = :a
a = :a AND n = :9
a = :b OR n = :9
a = :b AND n = :10 OR #s = :a
a = :a OR n = :9 AND #s = :b
(a = :b OR n = :9) AND #s = :a
NOT a = :b AND n = :9
NOT (a = :b AND n = :9)
not a = :b and n <= :9
attribute_not_exists(id) OR (n <= :10 AND #s = :a)
""".strip().splitlines()

FAIL = """
attribute_exists(z)
attribute_not_exists(id)
a = :b
a = :9
b = :b
b <= :9
n <= :8
n <= :a
#s = :b
a = :a AND n = :10
a = :b OR n = :10
a = :b AND (n = :10 OR #s = :a)
NOT a = :a
NOT (a = :a OR n = :10)
""".strip().splitlines()

# Each of the three writes with a condition, on the item with that key.
WRITES = {
    "PutItem": lambda table, key, text: table.client.put_item(
        TableName=table.name, Item=key, **expressions(ConditionExpression=text)
    ),
    "UpdateItem": lambda table, key, text: table.update(key, "SET n = :8", ConditionExpression=text),
    "DeleteItem": lambda table, key, text: table.client.delete_item(
        TableName=table.name, Key=key, **expressions(ConditionExpression=text)
    ),
}


def holds(text):
    def run(table):
        for write in WRITES.values():
            key = table.put(ITEM)
            before = table.get(key)
            write(table, key, text)
            assert table.get(key) != before, "the write had no effect"

    named(f"holds: {text}", run)


def fails(text):
    def run(table):
        for write in WRITES.values():
            key = table.put(ITEM)
            before = table.get(key)
            response = error_of(write, table, key, text)
            code = response["Error"]["Code"]
            assert code == "ConditionalCheckFailedException", response["Error"]
            assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
            assert "Item" not in response, "the request does not ask for the item"
            assert table.get(key) == before, "the write had an effect"

    named(f"fails: {text}", run)


for condition in HOLD:
    holds(condition)
for condition in FAIL:
    fails(condition)


@test
def an_item_that_does_not_exist_has_no_attributes(table):
    for text, met in {
        "attribute_not_exists(id)": True,
        "NOT a = :a": True,
        "attribute_exists(id)": False,
        "a = :a": False,
        "n <= :9": False,
    }.items():
        for name, write in WRITES.items():
            key = table.key()
            if met:
                write(table, key, text)
            else:
                error = error_of(write, table, key, text)["Error"]
                assert error["Code"] == "ConditionalCheckFailedException", (name, text, error)


@test
def a_failed_condition_returns_the_item_on_request(table):
    key = table.put({"a": {"S": "a"}})
    asked = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    writes = {
        table.client.put_item: {"Item": key},
        table.client.delete_item: {"Key": key},
        table.client.update_item: {"Key": key, "UpdateExpression": "SET n = :9"},
    }
    for write, members in writes.items():
        members = {"TableName": table.name, **members, **asked}
        request = expressions(ConditionExpression="attribute_not_exists(id)", **members)
        assert error_of(write, **request).get("Item") == {**key, "a": {"S": "a"}}
    request = expressions(ConditionExpression="attribute_exists(id)", **asked)
    response = error_of(
        table.client.put_item, TableName=table.name, Item=table.key(), **request
    )
    assert "Item" not in response, "there is no item to return"
