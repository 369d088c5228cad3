//! JSON in one form for all that mean the same: members sorted, null ones left out, numbers as
//! doubles. Equal texts are equal requests, whatever the client's serializer made of them.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use serde_json::Value;

/// The canonical text of a body without those of its members.
pub(crate) fn fingerprint(body: &Value, without: &[&str]) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = match body.as_object() {
        Some(members) => object(
            members
                .iter()
                .filter(|(name, _)| !without.contains(&name.as_str())),
            &mut text,
        ),
        None => write(body, &mut text),
    };
    text
}

fn write(value: &Value, text: &mut String) -> fmt::Result {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => write!(text, "{value}"),
        Value::Number(number) => match number.as_f64() {
            Some(number) => write!(text, "{number:?}"),
            None => write!(text, "{number}"),
        },
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write(item, text)?;
                text.push(',');
            }
            text.push(']');
            Ok(())
        }
        Value::Object(members) => object(members.iter(), text),
    }
}

fn object<'a>(
    members: impl Iterator<Item = (&'a String, &'a Value)>,
    text: &mut String,
) -> fmt::Result {
    let members: BTreeMap<_, _> = members.filter(|(_, value)| !value.is_null()).collect();
    text.push('{');
    for (name, value) in members {
        write!(text, "{name:?}:")?;
        write(value, text)?;
        text.push(',');
    }
    text.push('}');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> String {
        let value = serde_json::from_str(json).expect("JSON");
        fingerprint(&value, &["token"])
    }

    #[test]
    fn spelling_does_not_count() {
        assert_eq!(
            of(r#"{"token":"a","x":{"b":1,"a":[1.50,true,"\u0041"]},"n":null}"#),
            of(r#"{ "x": {"a":[1.5, true, "A"], "b": 1.0, "c": null}, "token": "b" }"#),
        );
    }

    #[test]
    fn meaning_counts() {
        let distinct = [
            "{}",
            r#"{"x":1}"#,
            r#"{"x":"1"}"#,
            r#"{"x":[1]}"#,
            r#"{"x":[1,2]}"#,
            r#"{"x":[2,1]}"#,
            r#"{"x":{"token":1}}"#,
            r#"{"x":""}"#,
            r#"{"x":{}}"#,
        ];
        let texts: std::collections::HashSet<_> = distinct.iter().map(|json| of(json)).collect();
        assert_eq!(texts.len(), distinct.len());
    }
}
