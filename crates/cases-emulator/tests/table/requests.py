"""The operations themselves: what they store, read and delete."""

from table.checks import error_of, test


@test
def both_types_read_back(table):
    item = {
        "text": {"S": "Zoë \u2014 \U0001f9ea"},
        "empty": {"S": ""},
        "number": {"N": "-12"},
        "large": {"N": "12345678901234567890123456789012345678"},
    }
    key = table.put(item)
    answer = table.client.get_item(TableName=table.name, Key=key, ConsistentRead=True)
    assert answer["Item"] == {**item, **key}, answer["Item"]


@test
def numbers_lose_their_spelling(table):
    key = table.put({"n": {"N": "0010"}, "p": {"N": "+7"}, "z": {"N": "-0"}})
    item = table.client.get_item(TableName=table.name, Key=key)["Item"]
    assert (item["n"], item["p"], item["z"]) == ({"N": "10"}, {"N": "7"}, {"N": "0"}), item


@test
def put_replaces_the_whole_item(table):
    key = table.put({"a": {"S": "a"}})
    table.client.put_item(TableName=table.name, Item={**key, "b": {"S": "b"}})
    assert table.get(key) == {"b": {"S": "b"}}


@test
def a_missing_item_is_no_member(table):
    answer = table.client.get_item(TableName=table.name, Key=table.key())
    assert "Item" not in answer, answer


@test
def delete_may_be_repeated(table):
    key = table.put({"a": {"S": "a"}})
    for _ in range(2):
        table.client.delete_item(TableName=table.name, Key=key)
        assert table.get(key) is None


@test
def one_name_and_one_value_may_be_used_twice_and_across_expressions(table):
    key = table.put({"status": {"S": "a"}})
    table.client.update_item(
        TableName=table.name,
        Key=key,
        UpdateExpression="SET #s = :b, c = :b",
        ConditionExpression="NOT #s = :b AND attribute_exists(#s)",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":b": {"S": "b"}},
    )
    assert table.get(key) == {"status": {"S": "b"}, "c": {"S": "b"}}


@test
def names_with_any_character_go_through_placeholders(table):
    key = table.put({"a.b c": {"S": "a"}})
    table.client.update_item(
        TableName=table.name,
        Key=key,
        UpdateExpression="SET #1_ = :b, #n = :b",
        ExpressionAttributeNames={"#1_": "a.b c", "#n": "#n"},
        ExpressionAttributeValues={":b": {"S": "b"}},
    )
    assert table.get(key) == {"a.b c": {"S": "b"}, "#n": {"S": "b"}}


@test
def an_unknown_table_is_not_found(table):
    none, key = {"TableName": "no-such-table"}, table.key()
    update = {
        "UpdateExpression": "SET a = :a",
        "ExpressionAttributeValues": {":a": {"S": "a"}},
    }
    for call, request in (
        (table.client.get_item, {"Key": key}),
        (table.client.put_item, {"Item": key}),
        (table.client.update_item, {"Key": key, **update}),
        (table.client.delete_item, {"Key": key}),
    ):
        response = error_of(call, **none, **request)
        assert response["Error"]["Code"] == "ResourceNotFoundException", response["Error"]
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
