//! Ids that look like the service's and repeat from run to run, and fingerprints of requests.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use serde_json::Value;

/// Returns a text in the form of a version 4 UUID, the same for the same arguments.
pub(crate) fn uuid(of: &str, sequence: u64) -> String {
    let high = scramble(fnv(of) ^ sequence);
    let low = scramble(high ^ sequence.rotate_left(32));
    let version = (high & 0xffff_ffff_ffff_0fff) | 0x4000;
    let variant = (low & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        version >> 32,
        (version >> 16) & 0xffff,
        version & 0xffff,
        variant >> 48,
        variant & 0xffff_ffff_ffff,
    )
}

/// Returns the eight digits that Cases gives a case as its reference number.
pub(crate) fn reference_number(sequence: u64) -> String {
    format!("{}", 10_000_000 + sequence % 90_000_000)
}

/// Returns the 64-bit FNV-1a hash.
pub(crate) fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Applies the finaliser of `SplitMix64`, a bijection: distinct numbers stay distinct.
fn scramble(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Returns one text for all bodies that mean the same request, without some of its members: members
/// sorted, null ones left out, numbers as doubles.
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
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn uuids_have_the_form_repeat_and_differ() {
        let id = uuid("case", 1);
        assert_eq!(id, uuid("case", 1));
        assert_eq!(
            id.split('-').map(str::len).collect::<Vec<_>>(),
            [8, 4, 4, 4, 12]
        );
        let ids: HashSet<_> = (0..10_000).map(|n| uuid("case", n)).collect();
        assert_eq!(ids.len(), 10_000);
    }

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
        let texts: HashSet<_> = distinct.iter().map(|json| of(json)).collect();
        assert_eq!(texts.len(), distinct.len());
    }
}
