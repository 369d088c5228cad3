//! Any text as a value of a mapping: it is refused at a place in it, or takes a value from an event without telling anyone else.

#![no_main]

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use mapping::expression::{self, Scope, ValueExpr, Variable, Variables};
use mapping::filter::{Definitions, Tables};
use mapping::text::MAX_TEXT;
use mapping::value::Value;
use mapping::zone::Zone;
use serde_json::{Value as Json, json};

/// What stands in every text of the event, and in no message.
const SECRET: &str = "zqj";

static DEFINITIONS: LazyLock<Definitions> = LazyLock::new(|| {
    let entries = [
        ("a", Value::Boolean(true)),
        ("1.50", Value::Text("b".into())),
    ];
    let table: HashMap<_, _> = entries.map(|(key, item)| (key.to_owned(), item)).into();
    Definitions {
        tables: Tables::from([("t".to_owned(), Arc::new(table))]),
        variables: vec!["v".to_owned(), "w".to_owned()],
        zone: Some(Zone::named("America/New_York").expect("a zone")),
    }
});

/// `$v` is an object with lists, `$w` is text.
static VARIABLES: LazyLock<Vec<Arc<Variable>>> = LazyLock::new(|| {
    let value = |text: &str| expression::parse(text, &Definitions::default()).expect("a value");
    let variable = |name: &str, value: ValueExpr| {
        Arc::new(Variable {
            name: name.to_owned(),
            value,
            members: Vec::new(),
        })
    };
    vec![variable("v", value("$.a")), variable("w", value("zqj {{ $.n }}"))]
});

static EVENT: LazyLock<Json> = LazyLock::new(|| {
    json!({
        "a": { "b": [1, "zqj", null, true, {}, [1.50, "zqj,zqj"]], "c d": "zqj é zqj\u{301}", "e-f": 1_795_339_800 },
        "l": [{ "n": [1, 2], "t": "zqj" }, { "n": [], "t": "" }, { "n": "zqj" }],
        "t": "2026-11-22T10:30:00+01:00", "x": "ZQJ ǆ ŉ İ ß zqj", "n": -0.5e-3, "y": "TRUE",
    })
});

fuzz_target!(|text: &str| {
    let template = match expression::parse(text, &DEFINITIONS) {
        Ok(template) => template,
        Err(diagnostic) => {
            assert!(text.get(diagnostic.at.clone()).is_some(), "{diagnostic:?}");
            return;
        }
    };
    let variables = Variables::new(&VARIABLES);
    let scope = Scope {
        event: &EVENT,
        mapping: "m",
        trigger: "eventbridge",
        domain: "d",
        variables: &variables,
    };
    assert_eq!(template.evaluate(&scope), template.evaluate(&scope));
    match template.evaluate_text(&scope) {
        Ok(value) => assert!(value.is_none_or(|text| !text.is_empty() && text.len() <= MAX_TEXT)),
        Err(wrong) => {
            let own = text.to_lowercase().contains(SECRET);
            assert!(
                own || !wrong.to_string().to_lowercase().contains(SECRET),
                "{wrong}"
            );
        }
    }
    let _ = template.missing(&scope);
});
