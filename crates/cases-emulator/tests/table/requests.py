"""The operations themselves: what is stored, read back, taken away and described."""

from table.checks import error_of, plain, test

EVERY_TYPE = {
    "text": {"S": "Zoë \u2014 \U0001f9ea"},
    "empty": {"S": ""},
    "number": {"N": "-12.5"},
    "large": {"N": "12345678901234567890123456789012345678"},
    "yes": {"BOOL": True},
    "no": {"BOOL": False},
    "nil": {"NULL": True},
    "map": {"M": {"a": {"L": [{"S": "b"}, {"M": {}}]}}},
    "list": {"L": []},
    "set": {"SS": ["b", "a"]},
}


@test
def every_type_reads_back(table):
    key = table.put(EVERY_TYPE)
    answer = table.client.get_item(TableName=table.name, Key=key, ConsistentRead=True)
    assert plain(answer["Item"]) == plain({**EVERY_TYPE, **key}), answer["Item"]
    assert answer["Item"]["large"] == EVERY_TYPE["large"], "every digit is kept"


@test
def numbers_lose_their_spelling(table):
    key = table.put({"n": {"N": "0010.500"}, "e": {"N": "1e2"}, "z": {"N": "-0.0"}})
    item = table.client.get_item(TableName=table.name, Key=key)["Item"]
    assert (item["n"], item["e"], item["z"]) == ({"N": "10.5"}, {"N": "100"}, {"N": "0"}), item


@test
def sums_are_exact_decimals(table):
    key = table.put({"n": {"N": "0.1"}})
    for _ in range(2):
        table.client.update_item(
            TableName=table.name,
            Key=key,
            UpdateExpression="ADD n :n",
            ExpressionAttributeValues={":n": {"N": "0.1"}},
        )
    assert table.client.get_item(TableName=table.name, Key=key)["Item"]["n"] == {"N": "0.3"}


@test
def put_replaces_the_whole_item(table):
    key = table.put({"a": {"S": "a"}})
    answer = table.client.put_item(
        TableName=table.name, Item={**key, "b": {"S": "b"}}, ReturnValues="ALL_OLD"
    )
    assert answer["Attributes"] == {**key, "a": {"S": "a"}}
    assert table.get(key) == {"b": {"S": "b"}}


@test
def a_missing_item_is_no_member(table):
    answer = table.client.get_item(TableName=table.name, Key=table.key())
    assert "Item" not in answer, answer


@test
def delete_gives_what_was_there_and_may_be_repeated(table):
    key = table.put({"a": {"S": "a"}})
    request = {"TableName": table.name, "Key": key, "ReturnValues": "ALL_OLD"}
    assert table.client.delete_item(**request)["Attributes"] == {**key, "a": {"S": "a"}}
    assert "Attributes" not in table.client.delete_item(**request)
    assert table.get(key) is None


@test
def one_name_and_one_value_may_be_used_twice_and_across_expressions(table):
    key = table.put({"status": {"S": "a"}})
    table.client.update_item(
        TableName=table.name,
        Key=key,
        UpdateExpression="SET #s = :b, c = :b",
        ConditionExpression="#s <> :b AND attribute_exists(#s)",
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
        UpdateExpression="SET #1_ = #1_, #n = #1_",
        ExpressionAttributeNames={"#1_": "a.b c", "#n": "#n"},
    )
    assert table.get(key) == {"a.b c": {"S": "a"}, "#n": {"S": "a"}}


@test
def the_claim_of_an_idempotent_function(table):
    """Put when there is none, or it has expired, or its lease is over."""
    key = table.key()

    def claim(now):
        table.client.put_item(
            TableName=table.name,
            Item={
                **key,
                "status": {"S": "INPROGRESS"},
                "expiration": {"N": "1000"},
                "in_progress_expiration": {"N": "500"},
            },
            ConditionExpression=(
                "attribute_not_exists(#id) OR #expiration < :now OR (#status = :inprogress AND "
                "attribute_exists(#lease) AND #lease < :now_ms)"
            ),
            ExpressionAttributeNames={
                "#id": "id",
                "#expiration": "expiration",
                "#lease": "in_progress_expiration",
                "#status": "status",
            },
            ExpressionAttributeValues={
                ":now": {"N": str(now // 1000)},
                ":now_ms": {"N": str(now)},
                ":inprogress": {"S": "INPROGRESS"},
            },
        )

    claim(0)
    for now in (1, 500):
        code = error_of(claim, now)["Error"]["Code"]
        assert code == "ConditionalCheckFailedException", code
    claim(501)
    table.update(key, "SET #s = :a")
    assert error_of(claim, 502)["Error"]["Code"] == "ConditionalCheckFailedException"
    claim(1_001_000)


@test
def the_table_is_described(table):
    described = table.client.describe_table(TableName=table.name)["Table"]
    assert described["TableName"] == table.name
    assert described["TableStatus"] == "ACTIVE"
    assert described["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert described["AttributeDefinitions"] == [{"AttributeName": "id", "AttributeType": "S"}]
    assert described["TableArn"].endswith(f":table/{table.name}")
    assert described["CreationDateTime"].year > 2000
    key = table.put({})
    by_arn = table.client.get_item(TableName=described["TableArn"], Key=key)
    assert by_arn["Item"] == key, "an ARN names the table as well"


@test
def an_unknown_table_is_not_found(table):
    none, key = {"TableName": "no-such-table"}, table.key()
    for call, request in (
        (table.client.get_item, {"Key": key}),
        (table.client.put_item, {"Item": key}),
        (table.client.update_item, {"Key": key}),
        (table.client.delete_item, {"Key": key}),
        (table.client.describe_table, {}),
    ):
        response = error_of(call, **none, **request)
        assert response["Error"]["Code"] == "ResourceNotFoundException", response["Error"]
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
