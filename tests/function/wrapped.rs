//! Lists of events, and what else services wrap events in: all of it is handled, and a failure has its real reason.

use serde_json::{Value, json};

use super::{Function, batch, down, expect_error, message};

const MAPPING: &str = "
version: 1
cases:
  - name: order
    trigger: eventbridge
    template: Contact follow-up
    fields:
      title: Order {{ $.detail.order }}
";

fn function() -> Function {
    Function::of(MAPPING)
}

fn order(order: &Value) -> Value {
    let id = format!("e-{order}");
    json!({ "source": "com.example.shop", "detail-type": "Order", "id": id, "detail": { "order": order } })
}

fn notification(event: &Value) -> Value {
    json!({ "Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:111122223333:t", "Message": event.to_string() })
}

fn batch_of(bodies: &[Value]) -> String {
    let numbered = |(number, body): (usize, &Value)| {
        let text = body
            .as_str()
            .map_or_else(|| body.to_string(), str::to_owned);
        message(&format!("m-{number}"), "events", &text)
    };
    let messages: Vec<Value> = (1..).zip(bodies).map(numbered).collect();
    batch(&messages)
}

#[tokio::test(start_paused = true)]
async fn every_event_of_a_list_is_handled() {
    let function = function();
    let list = json!([
        order(&json!(1)),
        order(&json!(2)),
        [notification(&order(&json!(3)))]
    ]);
    let answer = function.handle(&list.to_string()).await;
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    assert_eq!(function.emulator.cases().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_list_fails_by_its_first_failure_and_repeats_no_case() {
    let function = function();
    let list = json!([order(&json!(1)), order(&Value::Null), { "x": 1 }, order(&json!(4))]);
    for _ in 0..2 {
        let error = function.handle(&list.to_string()).await;
        expect_error(&error, "FieldMissing");
        let sentence = error["errorMessage"].as_str().expect("a sentence");
        assert!(
            sentence.starts_with("event 2 of 4: the field `Title` has no value"),
            "{sentence}"
        );
        assert_eq!(function.emulator.cases().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_may_pass_fails_the_list() {
    let function = function();
    function.always(down("CreateCase"));
    let list = json!([order(&json!(1)), order(&json!(2))]);
    let error = function.handle(&list.to_string()).await;
    assert!(error["errorType"].is_string(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_message_with_several_events_is_kept_for_any_of_them() {
    let function = function();
    let payload = batch_of(&[
        json!([order(&json!(1)), order(&Value::Null), order(&json!(3))]),
        notification(&order(&json!(4))),
    ]);
    let answer = function.handle(&payload).await;
    assert_eq!(
        answer,
        json!({ "batchItemFailures": [{ "itemIdentifier": "m-1" }] })
    );
    assert_eq!(function.emulator.cases().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_put_aside_has_its_real_reason() {
    let function = function().with_failure_queue();
    let flow = json!({ "Details": { "ContactData": { "ContactId": "c-1" } } });
    let answer = function
        .handle(&batch_of(&[
            json!([order(&json!(1)), order(&Value::Null)]),
            json!([]),
            json!("{\"source\":"),
            json!("no JSON \u{1} at all"),
            json!({ "Type": "Notification", "TopicArn": "t", "Message": "ALARM: too hot" }),
            json!({ "Type": "SubscriptionConfirmation", "TopicArn": "t", "Message": "x" }),
            json!([{ "Data": {}, "SystemMetadata": {} }]),
            json!({ "source": "x" }),
            flow,
            json!(""),
            json!("\"text\""),
        ]))
        .await;
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    let bodies = function.put_aside();
    let mut reasons: Vec<String> = bodies
        .iter()
        .map(|body| {
            let sentence = body["errorMessage"].as_str().expect("a sentence");
            let found = sentence.split("; found ").last().expect("a reason");
            format!(
                "{}\n    {}: {found}",
                sorted(&body["event"]),
                body["errorCode"]
            )
        })
        .collect();
    reasons.sort();
    insta::assert_snapshot!(reasons.join("\n"));
    assert_eq!(function.emulator.cases().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn two_callers_who_withhold_their_numbers_are_not_one_customer() {
    const CALLS: &str = "
version: 1
phone_country: US
cases:
  - name: call
    trigger: contact-flow
    template: Contact follow-up
    customer:
      find: [{ _phone: $.CustomerEndpoint.Address }]
      if_none:
        create: { FirstName: $.Attributes.first_name, PhoneNumber: $.CustomerEndpoint.Address }
    fields:
      title: Call from {{ $.Attributes.first_name }}
";
    let function = Function::of(CALLS);
    for (contact, name) in [("c-1", "Alice"), ("c-2", "Bob")] {
        let event = json!({ "Details": { "ContactData": {
            "ContactId": contact,
            "InstanceARN": "arn:aws:connect:us-east-1:111122223333:instance/i-1",
            "Attributes": { "first_name": name },
            "CustomerEndpoint": { "Address": "anonymous", "Type": "TELEPHONE_NUMBER" },
        } } });
        let answer = function.handle(&event.to_string()).await;
        assert_eq!(answer["status"], "created", "{answer}");
        assert_eq!(answer["customerArn"], "");
    }
    assert_eq!(function.emulator.cases().len(), 2);
    let operations = function.calls();
    assert!(
        !operations.iter().any(|name| name.contains("Profile")),
        "{operations:?}"
    );
}

/// The value with the members of every object in the order of their names, whatever order JSON keeps here.
fn sorted(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{}:{}", json!(name), sorted(value)))
                .collect();
            members.sort();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(sorted).collect();
            format!("[{}]", items.join(","))
        }
        other => other.to_string(),
    }
}
