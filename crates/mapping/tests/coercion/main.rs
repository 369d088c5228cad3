//! The coercion table, row by row, through the library.
//!
//! Each row states a value, the case field that receives it, and the value that is then sent.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends by panicking"
)]

mod table;

use mapping::field::{FieldError, FieldType, FieldValue};
use mapping::text;
use mapping::value::Value;
use serde_json::{Value as Json, json};
use table::{Outcome, Row, Section};

#[test]
fn every_row_holds() {
    let sections = table::sections();
    let mut wrong = Vec::new();
    for section in &sections {
        for row in &section.rows {
            let (expected, found) = (expected(row), found(section, row));
            if expected != found {
                wrong.push(format!(
                    "{}: {} {}\n  expected {}\n  found    {}",
                    section.title,
                    row.value,
                    row.note,
                    brief(&expected),
                    brief(&found)
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_type_has_its_rows() {
    let sections = table::sections();
    for kind in [
        FieldType::Text,
        FieldType::Number,
        FieldType::Boolean,
        FieldType::DateTime,
        FieldType::SingleSelect,
        FieldType::Url,
        FieldType::User,
    ] {
        let of_it = || sections.iter().filter(|section| section.field.kind == kind);
        let rows: usize = of_it().map(|section| section.rows.len()).sum();
        assert!(rows >= 10, "{}: {rows}", kind.name());
        let explained = of_it().any(|section| !section.about.is_empty());
        assert!(explained, "{}: nothing says what it takes", kind.name());
    }
}

/// Returns the expected outcome as the request holds it: `{"stringValue": …}`.
fn expected(row: &Row) -> Json {
    match &row.outcome {
        Outcome::Sent(member, Json::Number(number)) => {
            json!({ member: number.as_f64().expect("a double") })
        }
        Outcome::Sent(member, value) => json!({ member: value }),
        Outcome::Kept(times) => {
            let text = row.value.as_str().expect("text");
            json!({ "stringValue": text.repeat(*times) })
        }
        Outcome::Missing => json!("missing"),
        Outcome::Refused(rule) => json!({ "refused": rule }),
    }
}

fn found(section: &Section, row: &Row) -> Json {
    let field = &section.field;
    let given = match &row.value {
        Json::String(text) => text.repeat(row.times).into(),
        other => other.clone(),
    };
    let Some(mut item) = Value::from_json(&given) else {
        return json!("missing");
    };
    if let (true, Json::String(text)) = (row.truncate, &given) {
        let text = text::truncate(text, field.limit());
        item = Value::text(text).expect("text that is not empty");
    }
    match field.coerce(item, None) {
        Ok(FieldValue::String(text)) => json!({ "stringValue": text }),
        Ok(FieldValue::Double(number)) => json!({ "doubleValue": number }),
        Ok(FieldValue::Boolean(boolean)) => json!({ "booleanValue": boolean }),
        Ok(FieldValue::UserArn(arn)) => json!({ "userArnValue": arn }),
        Ok(FieldValue::Empty) => json!({ "emptyValue": {} }),
        Err(field_error @ (FieldError::TooLong { .. } | FieldError::Other(_))) => {
            json!({ "refused": field_error.to_string() })
        }
    }
}

fn brief(value: &Json) -> String {
    value.to_string().chars().take(200).collect()
}
