//! Mappings for domains with any names: no diagnostic as written, and none with every comment removed.

use mapping::Trigger;
use mapping::domain::Domain;
use mapping::{CheckReport, LoadContext, lint};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::skeleton::Skeleton;

const TRIGGERS: [Trigger; 2] = [Trigger::ContactFlow, Trigger::EventBridge];

/// The diagnostics of a mapping, with warnings; empty when there are none.
fn diagnostics(domain: &Domain, text: &str) -> String {
    let context = LoadContext {
        domain: Some(domain),
        entity_prefix: "casebridge/",
    };
    let CheckReport {
        mapping,
        diagnostics,
    } = lint::check("mapping.yaml", text, context);
    assert_eq!(mapping.is_none(), diagnostics.has_errors());
    if diagnostics.list.is_empty() {
        String::new()
    } else {
        format!("{diagnostics}\n\n{text}")
    }
}

/// Every mapping that a domain's active templates give.
fn mappings(domain: &Domain) -> Vec<String> {
    let active = domain.templates.iter().filter(|template| template.active);
    let skeletons = active
        .flat_map(|template| TRIGGERS.map(|trigger| Skeleton::new(domain, template, trigger)));
    skeletons
        .flat_map(|skeleton| [skeleton.mapping(), skeleton.lines().all_on().to_string()])
        .collect()
}

/// A domain with one template, which requires the first of its fields.
fn domain(template: &str, fields: &[(String, &str)]) -> Domain {
    let field = |(at, (name, kind)): (usize, &(String, &str))| {
        json!({
            "fieldId": format!("00000000-0000-4000-8000-{at:012}"),
            "name": name,
            "type": kind,
            "options": (*kind == "SingleSelect").then(|| json!([
                { "name": name, "value": "a", "active": true },
                { "name": "gone", "value": "b", "active": false },
            ])),
        })
    };
    let mut fields: Vec<Value> = fields.iter().enumerate().map(field).collect();
    let required: Vec<Value> = fields
        .first()
        .into_iter()
        .map(|field| json!({ "fieldId": field["fieldId"] }))
        .collect();
    for id in ["title", "summary", "customer_id", "assigned_user"] {
        fields.push(json!({ "fieldId": id, "name": id, "type": "Text" }));
    }
    let snapshot = json!({
        "domain": { "domainId": "d" },
        "templates": [{
            "templateId": "6800e67e-527f-4da6-96ec-4c60da8f3fe2",
            "name": template,
            "status": "Active",
            "requiredFields": required,
        }],
        "fields": fields,
    });
    Domain::from_json(&snapshot.to_string()).expect("a snapshot")
}

#[test]
fn the_mappings_of_the_shipped_domain_have_no_diagnostic() {
    let domain = Domain::from_json(include_str!("../../../../domain.json")).expect("a snapshot");
    let mappings = mappings(&domain);
    assert_eq!(mappings.len(), 8);
    for text in mappings {
        assert_eq!(diagnostics(&domain, &text), "");
    }
}

#[test]
fn a_required_customer_has_its_key() {
    let mut domain = domain("Complaint", &[]);
    domain.templates[0].required_fields = vec!["title".to_owned(), "customer_id".to_owned()];
    for text in mappings(&domain) {
        assert_eq!(diagnostics(&domain, &text), "");
    }
}

#[test]
fn two_templates_of_one_name_go_by_name_and_id() {
    let mut domain = domain("Complaint", &[]);
    let mut second = domain.templates[0].clone();
    second.id = "fe014372-9313-4adf-bba3-fec76ca387b5".to_owned();
    domain.templates.push(second);
    for (at, written) in [
        (0, "template: Complaint\n"),
        (1, "template: fe014372-9313-4adf-bba3-fec76ca387b5"),
    ] {
        let skeleton = Skeleton::new(&domain, &domain.templates[at], Trigger::ContactFlow);
        assert!(
            skeleton.mapping().contains(written),
            "{}",
            skeleton.mapping()
        );
        assert_eq!(diagnostics(&domain, &skeleton.mapping()), "");
    }
}

#[test]
fn odd_names_are_written_so_that_they_are_read() {
    let odd = json!([
        "a: b",
        "# 1",
        "{x}",
        "[y]",
        "it's",
        "\"quoted\"",
        "\\",
        "🙂",
        "<<",
        "null",
        "no",
        "12",
        "$5 off",
        "$.a",
        "{{ x }}",
        "- a",
        "? b",
        "&anchor",
        "*alias",
        "!tag",
        "|",
        ">",
        "%",
        "@",
        "`",
        "~",
        "",
        " ",
        " a ",
        "a\nb",
        "a\tb",
        "a\u{2028}b",
        "title",
        "Größe",
        "a  b",
        "twice",
        "twice",
        "x #y",
        "=",
        "---",
        "...",
    ]);
    let odd: Vec<&str> = odd
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let kinds = "Text Number Boolean DateTime SingleSelect Url User";
    for start in 0..odd.len() {
        let names = odd.iter().cycle().skip(start).take(odd.len());
        let fields: Vec<_> = names
            .zip(kinds.split(' ').cycle())
            .map(|(name, kind)| ((*name).to_owned(), kind))
            .collect();
        let domain = domain(odd[start], &fields);
        for text in mappings(&domain) {
            assert_eq!(diagnostics(&domain, &text), "");
        }
    }
}

proptest! {
    #[test]
    fn any_names_give_a_mapping_without_faults(
        template in name(),
        fields in prop::collection::vec((name(), prop::sample::select(vec!["Text", "Boolean", "SingleSelect", "Url"])), 0..6),
    ) {
        let domain = domain(&template, &fields);
        for text in mappings(&domain) {
            prop_assert_eq!(diagnostics(&domain, &text), "");
        }
    }
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[ a-c:#'\"{}$<|-]{0,8}", "\\PC{90,120}"]
}
