//! Every body gets an answer that the service model has.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::dynamodb::TABLE;
use crate::{dynamodb, post, with_profiles};

/// Names and values of the service models.
const WORDS: &[&str] = &[
    "templateId",
    "fields",
    "id",
    "value",
    "stringValue",
    "doubleValue",
    "emptyValue",
    "clientToken",
    "performedBy",
    "customEntity",
    "tags",
    "filter",
    "tag",
    "equalTo",
    "maxResults",
    "nextToken",
    "caseRules",
    "type",
    "content",
    "contact",
    "contactArn",
    "comment",
    "body",
    "contentType",
    "filters",
    "KeyName",
    "Values",
    "AdditionalSearchKeys",
    "LogicalOperator",
    "ProfileId",
    "Address",
    "Attributes",
    "TableName",
    "Key",
    "Item",
    "S",
    "N",
    "#n",
    ":v",
    "UpdateExpression",
    "ConditionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ReturnValuesOnConditionCheckFailure",
    "QueueUrl",
    "MessageBody",
    "MessageGroupId",
    "title",
    "f-total",
    "f-priority",
    "t-plain",
    "high",
    "Contact",
    "Text/Plain",
    "_phone",
    "AND",
    "ALL_OLD",
    "SET a = :v",
    "attribute_exists(#n)",
];

/// Any JSON, often with names and values of the models.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(WORDS);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        let name = prop_oneof![word.clone().prop_map(str::to_owned), ".{0,6}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn run(test: impl Future<Output = Result<(), TestCaseError>>) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(test)
}

proptest! {
    #[test]
    fn every_body_has_a_modelled_answer(body in any_json(), query in "[a-zA-Z=&%0-9]{0,20}") {
        run(async {
            let emulator = with_profiles();
            for path in [
                "domains-list", "domains/d-1", "domains/d-1/cases", "domains/d-1/cases/c",
                "domains/d-1/cases/c/audit-history", "domains/d-1/cases-search",
                "domains/d-1/templates-list", "domains/d-1/templates/t-plain",
                "domains/d-1/fields-list", "domains/d-1/fields-batch",
                "domains/d-1/fields/status/options-list", "domains/d-1/rules-list/",
                "domains/d-1/rules-batch", "domains/d-1/cases/c/related-items/",
                "domains/d-1/cases/c/related-items-search", "domains/d-1/list-cases-for-contact",
                "domains/amazon-connect-example/profiles",
                "domains/amazon-connect-example/profiles/search",
            ] {
                let invalid = if path.contains("profiles") { "BadRequestException" } else { "ValidationException" };
                let path = format!("/{path}?{query}");
                let (status, exception, _) = post(&emulator, &path, &body.to_string()).await;
                let modelled = match status {
                    200 => exception.is_empty(),
                    400 => exception == invalid,
                    404 => exception == "ResourceNotFoundException",
                    _ => false,
                };
                prop_assert!(modelled, "{path}: {status} {exception}");
            }
            Ok(())
        })?;
    }

    #[test]
    fn every_target_has_a_modelled_answer(mut body in any_json(), named in any::<bool>()) {
        run(async {
            let emulator = with_profiles();
            emulator.add_table(TABLE);
            emulator.add_queue("http://localhost/q");
            if let (true, Some(members)) = (named, body.as_object_mut()) {
                members.insert("TableName".to_owned(), json!(TABLE));
                members.insert("QueueUrl".to_owned(), json!("http://localhost/q"));
                members.entry("Key").or_insert(json!({ "id": { "S": "k" } }));
            }
            for operation in ["PutItem", "GetItem", "UpdateItem", "DeleteItem"] {
                let target = format!("DynamoDB_20120810.{operation}");
                let (status, _, kind, _) = dynamodb::post(&emulator, &target, &body.to_string()).await;
                let name = kind.split('#').next_back().unwrap_or_default();
                let modelled = match status {
                    200 => name.is_empty(),
                    400 => ["ValidationException", "ResourceNotFoundException",
                        "ConditionalCheckFailedException"].contains(&name),
                    _ => false,
                };
                prop_assert!(modelled, "{operation}: {status} {kind}");
            }
            let (status, _, kind, _) =
                dynamodb::post(&emulator, "AmazonSQS.SendMessage", &body.to_string()).await;
            prop_assert!(status == 200 || (status == 400 && !kind.is_empty()), "{status} {kind}");
            Ok(())
        })?;
    }
}
