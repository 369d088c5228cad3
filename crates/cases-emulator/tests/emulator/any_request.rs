//! Whatever the body, the answer is one the service model has.

use proptest::prelude::*;
use serde_json::Value;

use crate::{post, with_profiles};

/// Any JSON, often with the names of the model.
fn any_json() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        prop::sample::select(vec![
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
            "field",
            "tag",
            "not",
            "andAll",
            "equalTo",
            "sorts",
            "fieldId",
            "sortOrder",
            "maxResults",
            "nextToken",
            "caseRules",
            "searchTerm",
            "type",
            "content",
            "contact",
            "contactArn",
            "comment",
            "body",
            "contentType",
            "sla",
            "slaInputConfiguration",
            "custom",
            "filters",
            "KeyName",
            "Values",
            "AdditionalSearchKeys",
            "LogicalOperator",
            "ProfileId",
            "Address",
            "Attributes",
            "EngagementPreferences",
        ])
        .prop_map(str::to_owned),
        ".{0,6}",
    ];
    let word = prop::sample::select(vec![
        "title",
        "f-total",
        "f-priority",
        "t-plain",
        "Asc",
        "high",
        "Contact",
        "Text/Plain",
        "_phone",
        "AND",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_body_has_a_modelled_answer(body in any_json(), query in "[a-zA-Z=&%0-9]{0,20}") {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime").block_on(async {
            let emulator = with_profiles();
            for path in [
                "domains-list", "domains/d-1", "domains/d-1/cases", "domains/d-1/cases/c",
                "domains/d-1/cases/c/audit-history", "domains/d-1/cases-search",
                "domains/d-1/templates-list", "domains/d-1/templates/t-plain",
                "domains/d-1/fields-list", "domains/d-1/fields-batch",
                "domains/d-1/fields/status/options-list", "domains/d-1/rules-list/",
                "domains/d-1/rules-batch", "domains/d-1/cases/c/related-items/",
                "domains/d-1/cases/c/related-items-search", "domains/d-1/list-cases-for-contact",
            ] {
                let path = format!("/{path}?{query}");
                let (status, exception, _) = post(&emulator, &path, &body.to_string()).await;
                let modelled = match status {
                    200 => exception.is_empty(),
                    400 => exception == "ValidationException",
                    404 => exception == "ResourceNotFoundException",
                    _ => false,
                };
                prop_assert!(modelled, "{path}: {status} {exception}");
            }
            for path in ["profiles", "profiles/search", "profiles/keys"] {
                let path = format!("/domains/amazon-connect-example/{path}?{query}");
                let (status, exception, _) = post(&emulator, &path, &body.to_string()).await;
                let modelled = match status {
                    200 => exception.is_empty(),
                    400 => exception == "BadRequestException",
                    404 => exception == "ResourceNotFoundException",
                    _ => false,
                };
                prop_assert!(modelled, "{path}: {status} {exception}");
            }
            Ok(())
        })?;
    }
}
