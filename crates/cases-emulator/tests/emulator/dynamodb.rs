//! The tables through the official client, and the requests that they refuse.

use std::fmt::Write as _;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use bytes::Bytes;
use cases_emulator::{Emulator, Fault, FaultKind};
use serde_json::{Value, json};

use crate::{emulator, in_process};

pub(crate) const TABLE: &str = "ledger";

fn with_table() -> Emulator {
    let emulator = emulator();
    emulator.add_table(TABLE);
    emulator
}

fn client(emulator: &Emulator) -> Client {
    Client::new(&in_process(emulator))
}

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn n(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// Stores an item with this expiration, unless there is one with the same id.
async fn claim(client: &Client, id: &str, expiration: i64) -> Result<(), aws_sdk_dynamodb::Error> {
    client
        .put_item()
        .table_name(TABLE)
        .item("id", s(id))
        .item("status", s("INPROGRESS"))
        .item("expiration", n(expiration))
        .condition_expression("attribute_not_exists(id)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .send()
        .await?;
    Ok(())
}

/// Posts a body to an operation; returns status, content type, `__type` and the answer's body.
pub(crate) async fn post(
    emulator: &Emulator,
    target: &str,
    body: &str,
) -> (u16, String, String, Value) {
    let request = http::Request::post("/")
        .header("x-amz-target", target)
        .body(Bytes::from(body.to_owned()))
        .expect("a request");
    let response = emulator.respond(request).await.expect("an answer");
    let content_type = response.headers()["content-type"].to_str().expect("text");
    let content_type = content_type.to_owned();
    let answer: Value = serde_json::from_slice(response.body()).expect("JSON");
    let kind = answer.get("__type").and_then(Value::as_str);
    let kind = kind.unwrap_or_default().to_owned();
    (response.status().as_u16(), content_type, kind, answer)
}

#[tokio::test(start_paused = true)]
async fn a_claim_is_won_once_and_updated() {
    let emulator = with_table();
    let client = client(&emulator);
    claim(&client, "k", 2_000_000_000).await.expect("the first");
    let error = claim(&client, "k", 1).await.expect_err("the second");
    let aws_sdk_dynamodb::Error::ConditionalCheckFailedException(failed) = error else {
        panic!("a failed condition, not {error:?}");
    };
    let item = failed.item().expect("the item that is there");
    assert_eq!(item["expiration"], n(2_000_000_000));

    let update = || {
        client
            .update_item()
            .table_name(TABLE)
            .key("id", s("k"))
            .update_expression("SET #s = :done, attempts = :one REMOVE expiration")
            .condition_expression("#s = :inprogress")
            .expression_attribute_names("#s", "status")
            .expression_attribute_values(":done", s("COMPLETED"))
            .expression_attribute_values(":inprogress", s("INPROGRESS"))
            .expression_attribute_values(":one", n(1))
            .send()
    };
    update().await.expect("an update");
    let done = json!({ "id": "k", "status": "COMPLETED", "attempts": 1 });
    assert_eq!(emulator.items(TABLE), std::slice::from_ref(&done));
    let error = update().await.expect_err("a failed condition");
    assert_eq!(error.code(), Some("ConditionalCheckFailedException"));
    assert_eq!(emulator.item(TABLE, "k"), Some(done));
    assert_eq!(emulator.item(TABLE, "l"), None);

    let read = client.get_item().table_name(TABLE).key("id", s("k"));
    let read = read.consistent_read(true).send().await.expect("a read");
    assert_eq!(read.item().expect("the item")["status"], s("COMPLETED"));
    for _ in 0..2 {
        let gone = client.delete_item().table_name(TABLE).key("id", s("k"));
        gone.send().await.expect("a deletion");
        assert_eq!(emulator.items(TABLE), Vec::<Value>::new());
    }
    let read = client.get_item().table_name(TABLE).key("id", s("k"));
    assert_eq!(read.send().await.expect("a read").item(), None);
    let requests = emulator.requests();
    let names: Vec<&str> = requests.iter().map(|r| r.operation.as_str()).collect();
    assert_eq!(
        [names[0], names[2], names[4], names[5]],
        ["PutItem", "UpdateItem", "GetItem", "DeleteItem"].map(|name| format!("DynamoDB.{name}"))
    );
}

#[tokio::test(start_paused = true)]
async fn an_update_creates_the_item_that_is_missing() {
    let emulator = with_table();
    let update = client(&emulator).update_item().table_name(TABLE);
    let update = update.key("id", s("k")).update_expression("SET a = :a");
    let update = update.expression_attribute_values(":a", n(-1)).send().await;
    update.expect("an update");
    assert_eq!(emulator.items(TABLE), [json!({ "id": "k", "a": -1 })]);
}

#[tokio::test(start_paused = true)]
async fn a_table_is_unknown_until_it_is_added() {
    let emulator = emulator();
    let client = client(&emulator);
    let error = claim(&client, "k", 1).await.expect_err("no table");
    assert!(
        matches!(error, aws_sdk_dynamodb::Error::ResourceNotFoundException(_)),
        "{error:?}"
    );
    assert!(emulator.items(TABLE).is_empty());
    emulator.add_table(TABLE);
    claim(&client, "k", 1).await.expect("an empty table");
    emulator.add_table(TABLE);
    assert!(emulator.items(TABLE).is_empty(), "the new table is empty");
}

#[tokio::test(start_paused = true)]
async fn faults_have_the_forms_of_the_service() {
    let emulator = with_table();
    let client = client(&emulator);
    for (status, name) in [
        (400, "ThrottlingException"),
        (400, "ProvisionedThroughputExceededException"),
        (500, "InternalServerError"),
        (400, "RequestLimitExceeded"),
    ] {
        emulator.inject(Fault::status(status, name, "sorry").on("DynamoDB.PutItem"));
        let error = claim(&client, name, 1).await.expect_err(name);
        assert_eq!((error.code(), error.message()), (Some(name), Some("sorry")));
        assert!(emulator.items(TABLE).is_empty());
    }
    emulator.inject(Fault::new(FaultKind::CloseAfter).on("DynamoDB.PutItem"));
    claim(&client, "k", 1).await.expect_err("no answer");
    assert_eq!(emulator.items(TABLE).len(), 1);
    emulator.set_rate_limits(true);
    for number in 0..200 {
        let id = number.to_string();
        claim(&client, &id, 1)
            .await
            .expect("no quota of the emulator");
    }
}

#[tokio::test(start_paused = true)]
async fn errors_are_those_of_aws_json() {
    let emulator = with_table();
    for (target, body, kind) in [
        (
            "DynamoDB_20120810.GetItem",
            json!({ "TableName": TABLE }),
            "com.amazon.coral.validate#ValidationException",
        ),
        (
            "DynamoDB_20120810.GetItem",
            json!({ "TableName": "other", "Key": { "id": { "S": "k" } } }),
            "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
        ),
        (
            "DynamoDB_20120810.DeleteItem",
            json!({
                "TableName": TABLE, "Key": { "id": { "S": "k" } },
                "ConditionExpression": "attribute_exists(id)",
            }),
            "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
        ),
        (
            "DynamoDB_20120810.Scan",
            json!({ "TableName": TABLE }),
            "com.amazon.coral.service#UnknownOperationException",
        ),
    ] {
        let (status, content_type, found, answer) =
            post(&emulator, target, &body.to_string()).await;
        assert_eq!((status, found.as_str()), (400, kind), "{answer}");
        assert_eq!(content_type, "application/x-amz-json-1.0");
        assert!(answer["message"].is_string(), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn wrong_and_unsupported_requests_are_refused() {
    let emulator = with_table();
    let item = r#""Item": {"id": {"S": "k"}}"#;
    let key = r#""Key": {"id": {"S": "k"}}"#;
    let update = r#""UpdateExpression": "SET a = :a""#;
    let values = r#""ExpressionAttributeValues": {":a": {"S": "a"}}"#;
    let large = format!(
        r#""Item": {{"id": {{"S": "k"}}, "a": {{"S": "{}"}}}}"#,
        "x".repeat(400 * 1024)
    );
    let long = format!(r#""Item": {{"id": {{"S": "{}"}}}}"#, "x".repeat(2049));
    let mut refused = String::new();
    for (operation, members) in [
        ("PutItem", vec![r#""Item": {"a": {"S": "a"}}"#]),
        ("PutItem", vec![r#""Item": {"id": {"N": "1"}}"#]),
        ("PutItem", vec![r#""Item": {"id": {"S": ""}}"#]),
        ("PutItem", vec![&long]),
        ("PutItem", vec![&large]),
        (
            "PutItem",
            vec![r#""Item": {"id": {"S": "k"}, "b": {"B": "AA=="}}"#],
        ),
        ("PutItem", vec![item, r#""Expected": {}"#]),
        (
            "PutItem",
            vec![item, r#""ReturnConsumedCapacity": "TOTAL""#],
        ),
        ("PutItem", vec![item, values]),
        ("GetItem", vec![]),
        ("GetItem", vec![r#""Key": {"key": {"S": "k"}}"#]),
        (
            "GetItem",
            vec![r#""Key": {"id": {"S": "k"}, "a": {"S": "a"}}"#],
        ),
        ("GetItem", vec![r#""Key": {"id": {"S": ""}}"#]),
        ("GetItem", vec![key, r#""ConsistentRead": "yes""#]),
        ("GetItem", vec![key, r#""ProjectionExpression": "id""#]),
        ("UpdateItem", vec![key]),
        ("UpdateItem", vec![key, r#""AttributeUpdates": {}"#]),
        (
            "UpdateItem",
            vec![key, update, values, r#""ReturnValues": "ALL_NEW""#],
        ),
        ("UpdateItem", vec![key, update]),
        (
            "UpdateItem",
            vec![key, update, r#""ExpressionAttributeNames": {"a": "b"}"#],
        ),
        (
            "UpdateItem",
            vec![key, update, values, r#""ExpressionAttributeNames": {}"#],
        ),
        (
            "UpdateItem",
            vec![
                key,
                update,
                values,
                r##""ExpressionAttributeNames": {"#s": "status"}"##,
            ],
        ),
        (
            "UpdateItem",
            vec![
                key,
                update,
                r#""ExpressionAttributeValues": {":a": {"S": "a"}, ":b": {"S": "b"}}"#,
            ],
        ),
        (
            "UpdateItem",
            vec![key, r#""UpdateExpression": "SET id = :a""#, values],
        ),
        ("DeleteItem", vec![key, r#""ConditionalOperator": "AND""#]),
        (
            "DeleteItem",
            vec![key, r#""ConditionExpression": "a IN (b)""#],
        ),
        (
            "DeleteItem",
            vec![key, r#""ReturnValuesOnConditionCheckFailure": "ALL""#],
        ),
    ] {
        let table = format!(r#""TableName": "{TABLE}""#);
        let body = [&[table.as_str()], members.as_slice()].concat().join(", ");
        let target = format!("DynamoDB_20120810.{operation}");
        let (_, _, kind, answer) = post(&emulator, &target, &format!("{{{body}}}")).await;
        assert_eq!(
            kind, "com.amazon.coral.validate#ValidationException",
            "{answer}"
        );
        let message = answer["message"].as_str().expect("a message");
        let members = members.join(", ").replace(&"x".repeat(400 * 1024), "…");
        let members = members.replace(&"x".repeat(2049), "…");
        let _ = writeln!(refused, "{operation} {members}\n  {message}");
    }
    assert!(emulator.items(TABLE).is_empty());
    insta::assert_snapshot!(refused);
}
