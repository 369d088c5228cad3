//! A domain as large as the quotas allow, read at the published rates.

use std::time::Duration;

use aws_sdk_connectcases::config::retry::RetryConfig;
use cases_emulator::{Emulator, ErrorAnswer, Fault, FaultKind};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::connection::retries;
use super::{EXAMPLE, emulator, reader_with};

/// The most that a domain holds, by the Connect administrator guide: 500 fields, 500 options a field, 100 templates.
fn large() -> Value {
    let arn = "arn:aws:cases:us-east-1:111122223333:domain/large";
    let options: Vec<Value> = (0..500)
        .map(|n| json!({ "name": format!("Option {n}"), "value": format!("option_{n:03}"), "active": n % 7 != 0 }))
        .collect();
    let field = |n: usize| {
        let id = format!("field-{n:03}");
        let mut field = json!({
            "fieldId": id, "name": format!("Field {n}"), "fieldArn": format!("{arn}/field/{id}"),
            "type": if n < 20 { "SingleSelect" } else { "Number" }, "namespace": "Custom",
        });
        if n < 20 {
            field["options"] = json!(options);
        }
        field
    };
    let title = json!({
        "fieldId": "title", "name": "Title", "fieldArn": format!("{arn}/field/title"), "type": "Text", "namespace": "System",
    });
    let template = |n: usize| {
        let id = format!("template-{n:03}");
        json!({
            "templateId": id, "templateArn": format!("{arn}/template/{id}"), "name": format!("Template {n}"),
            "requiredFields": [{ "fieldId": format!("field-{n:03}") }], "status": "Active",
        })
    };
    json!({
        "domain": { "domainId": "large", "domainArn": arn, "name": "large", "domainStatus": "Active" },
        "templates": (0..100).map(template).collect::<Vec<_>>(),
        "fields": (0..499).map(field).chain([title]).collect::<Vec<_>>(),
        "rules": [],
    })
}

fn throttled(emulator: &Emulator) -> usize {
    let requests = emulator.requests().into_iter();
    requests.filter(|request| request.status == 429).count()
}

#[tokio::test(start_paused = true)]
async fn a_large_domain_is_read_whole_at_the_published_quotas() {
    let large = large();
    let emulator = emulator(&large.to_string());
    emulator.set_rate_limits(true);
    let start = Instant::now();
    let reader = reader_with(retries(None), &emulator);
    let pulled = super::super::pull(&reader, None, None)
        .await
        .expect("a domain");
    let took = start.elapsed();
    let throttled = throttled(&emulator);
    assert!(throttled > 0, "the quotas are too small for this domain");
    assert_eq!(pulled.text(), format!("{large:#}\n"));
    assert_eq!(
        emulator.requests().len() - throttled,
        1 + 1 + 1 + 100 + 5 + 10 + 20 * 5 + 1
    );
    assert!(took < Duration::from_secs(120), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_throttled_all_the_same_is_sent_again() {
    let emulator = emulator(EXAMPLE);
    let throttling = ErrorAnswer {
        status: 429,
        error_type: "ThrottlingException".to_owned(),
        message: "Rate exceeded".to_owned(),
        retry_after: None,
    };
    emulator.inject(Fault::new(FaultKind::Status(throttling)).on("BatchGetField"));
    let reader = reader_with(RetryConfig::standard(), &emulator);
    let pulled = super::super::pull(&reader, None, None).await;
    assert_eq!(pulled.expect("a domain").text(), EXAMPLE);
    assert_eq!(throttled(&emulator), 1);
}
