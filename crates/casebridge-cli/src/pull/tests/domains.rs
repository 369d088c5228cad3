//! Which domain is read, and what keeps it from being read.

use std::fmt::Write as _;

use cases_emulator::{ErrorAnswer, Fault, FaultKind};
use serde_json::json;

use super::super::{Snapshot, only};
use super::{EXAMPLE, emulator, example, pull, reader};

#[tokio::test(start_paused = true)]
async fn the_shipped_snapshot_comes_back_byte_for_byte() {
    let emulator = emulator(EXAMPLE);
    emulator.set_rate_limits(true);
    let pulled = pull(&emulator).await.expect("a domain");
    assert_eq!(pulled.text(), EXAMPLE);
}

#[tokio::test(start_paused = true)]
async fn the_order_of_the_answers_does_not_matter() {
    let mut shuffled = example();
    for list in ["templates", "fields", "rules"] {
        let items = shuffled.get_mut(list).and_then(|list| list.as_array_mut());
        items.expect("a list").reverse();
    }
    let pulled = pull(&emulator(&shuffled.to_string()))
        .await
        .expect("a domain");
    assert_eq!(pulled.text(), EXAMPLE);
}

#[tokio::test(start_paused = true)]
async fn members_that_the_sdk_does_not_know_are_kept() {
    let mut novel = example();
    novel["fields"][0]["attributes"]["text"]["isRich"] = json!(true);
    novel["templates"][0]["color"] = json!("blue");
    novel["rules"][0]["rule"] = json!({ "hidden": { "novel": [{ "b": 1.50, "a": {} }] } });
    let novel = Snapshot::parse(&novel.to_string()).expect("a snapshot");
    let pulled = pull(&emulator(&novel.text())).await.expect("a domain");
    assert_eq!(pulled.text(), novel.text());
}

#[tokio::test(start_paused = true)]
async fn a_domain_that_is_named_is_not_looked_for() {
    let emulator = emulator(EXAMPLE);
    let before = Snapshot::parse(EXAMPLE).expect("a snapshot");
    let reader = reader(&emulator);
    super::super::pull(&reader, None, Some(&before))
        .await
        .expect("the file's domain");
    let asked: Vec<String> = emulator
        .requests()
        .into_iter()
        .map(|request| request.operation)
        .collect();
    assert!(!asked.contains(&"ListDomains".to_owned()));

    let other = Some("another".to_owned());
    let refused = super::super::pull(&reader, other, Some(&before)).await;
    insta::assert_snapshot!(refused.expect_err("no such domain"));
}

#[test]
fn of_several_domains_one_must_be_named() {
    let several = [
        json!({ "domainId": "d-1", "name": "shop" }),
        json!({ "domainId": "d-2", "name": "shop-test" }),
    ];
    insta::assert_snapshot!(only(&several).expect_err("several"));
    assert_eq!(only(&several[..1]).expect("one"), "d-1");
    insta::assert_snapshot!(only(&[]).expect_err("none"));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_what_to_allow() {
    let mut said = String::new();
    for (operation, status, error_type, message) in [
        (
            "ListFields",
            403,
            "AccessDeniedException",
            "User: arn:aws:iam::111122223333:user/ada is not authorized to perform: cases:ListFields",
        ),
        ("ListDomains", 403, "AccessDeniedException", "no"),
        (
            "GetDomain",
            403,
            "ExpiredTokenException",
            "The security token included in the request is expired",
        ),
        ("GetTemplate", 429, "ThrottlingException", "Rate exceeded"),
        ("BatchGetCaseRule", 500, "InternalServerException", "oops"),
        (
            "ListFieldOptions",
            404,
            "ResourceNotFoundException",
            "no field",
        ),
    ] {
        let emulator = emulator(EXAMPLE);
        let answer = ErrorAnswer {
            status,
            error_type: error_type.to_owned(),
            message: message.to_owned(),
            retry_after: None,
        };
        emulator.inject(Fault::new(FaultKind::Status(answer)).on(operation));
        let error = pull(&emulator).await.expect_err("refused");
        let _ = writeln!(said, "{error:#}");
    }
    let emulator = emulator(EXAMPLE);
    emulator.inject(Fault::new(FaultKind::CloseBefore).on("ListTemplates"));
    let error = pull(&emulator).await.expect_err("closed");
    let _ = writeln!(said, "{error:#}");
    insta::assert_snapshot!(said);
}
