//! Payloads of every shape: taken, skipped or refused with a sentence, and never a panic.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Function, members, read, read_json};

/// The flow answer's members: always all of them.
const MEMBERS: [&str; 12] = [
    "status",
    "caseId",
    "caseArn",
    "referenceNumber",
    "contactLinked",
    "commentAdded",
    "customerArn",
    "mapping",
    "errorCode",
    "errorField",
    "errorMessage",
    "retryable",
];

#[tokio::test(start_paused = true)]
async fn a_flow_always_gets_the_same_members_as_text() {
    let function = Function::shipped();
    let mut unanswerable = read_json("events/contact-flow-voice.json");
    unanswerable["Details"]["ContactData"]["Attributes"] = Value::Null;
    for payload in [
        read("events/contact-flow-voice.json"),
        unanswerable.to_string(),
        r#"{"Details":{"ContactData":{}}}"#.to_owned(),
    ] {
        let answer = function.handle(&payload).await;
        let members = answer.as_object().expect("an object");
        assert!(members.values().all(Value::is_string), "{answer}");
        assert_eq!(members.len(), MEMBERS.len());
        assert!(
            MEMBERS.iter().all(|name| members.contains_key(*name)),
            "{answer}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_recognised_is_refused_in_a_sentence() {
    let function = Function::shipped();
    let mut refusals = String::new();
    let deep = "[".repeat(200);
    for payload in [
        "[]",
        r#"[{"Data":{}}]"#,
        "7",
        "null",
        "{}",
        r#"{"source":"x"}"#,
        r#"{"detail-type":"x"}"#,
        r#"{"source":7,"detail-type":"x"}"#,
        r#"{"Records":[]}"#,
        r#"{"Records":[{"eventSource":"aws:s3"}]}"#,
        r#"{"Records":[{"eventSource":"aws:sqs"}]}"#,
        r#"{"Details":{"ContactData":null}}"#,
        "{",
        deep.as_str(),
    ] {
        let error = function.handle(payload).await;
        assert_eq!(error["errorType"], "UnrecognizedPayload", "{payload}");
        let shown: String = payload.chars().take(60).collect();
        let sentence = error["errorMessage"].as_str().expect("a sentence");
        refusals.extend([shown.as_str(), "\n    ", sentence, "\n"]);
    }
    insta::assert_snapshot!(refusals);
    assert!(function.emulator.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn six_megabytes_are_no_different() {
    let function = Function::shipped();
    let mut event = read_json("events/order-failed.json");
    event["detail"]["notes"] = "x".repeat(6_000_000).into();
    assert_eq!(
        function.handle(&event.to_string()).await["status"],
        "created"
    );
    let mut event = read_json("events/contact-flow-voice.json");
    event["Details"]["ContactData"]["Attributes"]["reason"] = "x".repeat(6_000_000).into();
    let answer = function.handle(&event.to_string()).await;
    let found = members(&answer, ["errorCode", "errorField"]);
    assert_eq!(found, ["FieldInvalid", "Summary"], "{answer}");
    assert_eq!(
        answer["errorMessage"],
        "the field `Summary` (Text) takes at most 3000 characters, found 6000000"
    );
}

#[tokio::test(start_paused = true)]
async fn senders_that_are_not_allowed_are_refused_before_anything_is_called() {
    let mut function = Function::shipped();
    function.casebridge.guard.allowed_accounts = vec!["444455556666".to_owned()];
    assert_eq!(
        function
            .handle(&read("events/contact-flow-voice.json"))
            .await["errorCode"],
        "SourceNotAllowed"
    );
    assert_eq!(
        function.handle(&read("events/order-failed.json")).await["errorType"],
        "SourceNotAllowed"
    );
    function.casebridge.guard.allowed_accounts = Vec::new();
    function.casebridge.guard.allowed_instances =
        vec!["arn:aws:connect:us-east-1:111122223333:instance/other".to_owned()];
    assert_eq!(
        function
            .handle(&read("events/contact-flow-voice.json"))
            .await["errorCode"],
        "SourceNotAllowed"
    );
    assert!(function.emulator.requests().is_empty());
}

/// All instances of an account share its event bus: their events are not this function's failures.
#[tokio::test(start_paused = true)]
async fn an_event_of_another_instance_is_skipped() {
    let mut function = Function::shipped();
    let events = ["contact-event-disconnected", "contact-lens-post-call"];
    for event in events {
        function.casebridge.guard.allowed_instances =
            vec!["arn:aws:connect:us-east-1:111122223333:instance/other".to_owned()];
        let answer = function.handle(&read(format!("events/{event}.json"))).await;
        assert_eq!(
            members(&answer, ["status", "errorCode"]),
            ["skipped", "OtherInstance"],
            "{answer}"
        );
    }
    assert!(function.emulator.requests().is_empty());
    // An account that is not allowed is a failure all the same.
    function.casebridge.guard.allowed_accounts = vec!["444455556666".to_owned()];
    let answer = function
        .handle(&read("events/contact-event-disconnected.json"))
        .await;
    assert_eq!(answer["errorType"], "SourceNotAllowed");
}

#[tokio::test(start_paused = true)]
async fn a_copy_from_another_region_is_skipped() {
    let function = Function::shipped();
    let mut event = read_json("events/contact-event-disconnected.json");
    event["detail"]["globalResiliencyMetadata"] =
        json!({ "activeRegion": "us-west-2", "originRegion": "us-east-1" });
    let answer = function.handle(&event.to_string()).await;
    assert_eq!(
        (answer["status"].as_str(), answer["errorCode"].as_str()),
        (Some("skipped"), Some("InactiveRegion"))
    );
    event["detail"]["globalResiliencyMetadata"]["activeRegion"] = "us-east-1".into();
    assert_eq!(
        function.handle(&event.to_string()).await["status"],
        "created"
    );
}

/// Any JSON.
fn any_json() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "Details",
        "ContactData",
        "Parameters",
        "Attributes",
        "source",
        "detail-type",
        "detail",
        "order",
        "Records",
        "body",
        "eventSource",
        "messageId",
        "x",
    ]);
    let texts = prop::sample::select(vec![
        "",
        "aws.connect",
        "aws.cases",
        "aws:sqs",
        "com.example.orders",
        "Order Failed",
        "VOICE",
        "refund",
        "é\u{0}\u{1F469}\u{200D}\u{1F469}",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        texts.prop_map(Value::from),
        ".{0,8}".prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(names.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A shipped event with some of its members replaced by any JSON.
fn damaged_event() -> impl Strategy<Value = Value> {
    let files = [
        "contact-flow-voice",
        "contact-flow-chat",
        "contact-flow-nested-parameters",
        "contact-event-disconnected",
        "contact-lens-post-call",
        "order-failed",
        "sqs-batch-of-two",
        "cases-change-own",
    ];
    let event = prop::sample::select(files.to_vec())
        .prop_map(|file| read_json(format!("events/{file}.json")));
    (
        event,
        prop::collection::vec((any::<prop::sample::Index>(), any_json()), 0..4),
    )
        .prop_map(|(mut event, damages)| {
            for (index, value) in damages {
                let mut pointers = Vec::new();
                collect(&event, String::new(), &mut pointers);
                if let Some(member) = event.pointer_mut(index.get::<String>(&pointers)) {
                    *member = value;
                }
            }
            event
        })
}

fn collect(value: &Value, pointer: String, pointers: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            collect(
                value,
                format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")),
                pointers,
            );
        }),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, value)| collect(value, format!("{pointer}/{index}"), pointers)),
        _ => {}
    }
    pointers.push(pointer);
}

/// Handles a payload and holds what is promised of every payload.
fn survives(payload: &Value) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let function = Function::shipped();
        let answer = function.handle(&payload.to_string()).await;
        // Whatever is sent is a request that Cases takes: what it would refuse is refused here first.
        let refused: Vec<u16> = function
            .emulator
            .requests()
            .into_iter()
            .map(|request| request.status)
            .filter(|status| *status != 200)
            .collect();
        assert!(refused.is_empty(), "{refused:?}: {answer}");
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_json_makes_the_function_panic(payload in any_json()) {
        survives(&payload);
    }

    #[test]
    fn no_damage_to_an_event_gets_a_bad_request_sent(payload in damaged_event()) {
        survives(&payload);
    }
}
