//! JSON: turns the text of an event into a [`Value`]. `serde_json` reads it, with three differences:
//!
//! - Half of a UTF-16 surrogate pair (`\ud83d` alone) becomes U+FFFD.
//! - A control character that is not escaped is accepted unchanged.
//! - An object that has a member with one of `serde_json`'s own private names is an object.
//!
//! Senders cut text in the middle of a character, and that must not cost the event.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Error, Map, Number, Value};

/// Parses one JSON value. Text that cannot be read is repaired and read again.
///
/// # Errors
/// The text is not JSON, or is nested more than 127 levels deep.
pub fn parse(text: &str) -> Result<Value, Error> {
    read(text).or_else(|error| match mended(text) {
        Some(text) => read(&text),
        None => Err(error),
    })
}

/// Returns the reason why a text cannot be read.
///
/// The parser's own message could quote the text, so only its kind and its location are kept.
#[must_use]
pub fn reason(error: &Error) -> String {
    let kind = match error.classify() {
        Category::Eof => "it ends too early",
        _ if error.to_string().starts_with("recursion limit") => "it is nested too deeply",
        _ => "it breaks JSON's grammar",
    };
    format!("{kind} at line {} column {}", error.line(), error.column())
}

fn read(text: &str) -> Result<Value, Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = AnyValue.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// Any JSON value.
struct AnyValue;

impl<'de> DeserializeSeed<'de> for AnyValue {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, boolean: bool) -> Result<Value, E> {
        Ok(Value::Bool(boolean))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    /// Reads an object or a number. With `arbitrary_precision`, `serde_json` passes a number's digits as a special member.
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key_seed(MemberName)? {
            match name {
                Name::Member(name) => object.insert(name, members.next_value_seed(Self)?),
                Name::Number => {
                    let digits: String = members.next_value()?;
                    let number: Number = digits.parse().map_err(A::Error::custom)?;
                    return Ok(Value::Number(number));
                }
            };
        }
        Ok(Value::Object(object))
    }
}

/// The name of a member.
struct MemberName;

enum Name {
    /// A member of an object.
    Member(String),
    /// The marker in place of a name, before a number's digits.
    Number,
}

impl<'de> DeserializeSeed<'de> for MemberName {
    type Value = Name;

    /// Asks for bytes. A name in the text comes as bytes, but `serde_json`'s own name for a number comes as text.
    ///
    /// Nothing else distinguishes the two.
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Name, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for MemberName {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_bytes<E: serde::de::Error>(self, name: &[u8]) -> Result<Name, E> {
        // Half of a surrogate pair comes as bytes that are not UTF-8. The text is then repaired and read again.
        let name = str::from_utf8(name).map_err(E::custom)?;
        Ok(Name::Member(name.to_owned()))
    }

    fn visit_str<E>(self, _: &str) -> Result<Name, E> {
        Ok(Name::Number)
    }
}

/// Returns the repaired text, or `None` if there is nothing to repair.
///
/// Each escape that is half of a surrogate pair becomes `\ufffd`. Each control character inside quotes becomes an escape.
fn mended(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut mended = String::new();
    let (mut at, mut copied, mut quoted) = (0, 0, false);
    while let Some(byte) = bytes.get(at) {
        let (length, replacement) = match byte {
            b'"' => {
                quoted = !quoted;
                (1, None)
            }
            b'\\' if quoted => escape(text, at),
            0..=0x1f if quoted => (1, Some(format!("\\u{byte:04x}"))),
            _ => (1, None),
        };
        if let Some(replacement) = replacement {
            mended.push_str(text.get(copied..at)?);
            mended.push_str(&replacement);
            copied = at + length;
        }
        at += length;
    }
    if mended.is_empty() {
        return None;
    }
    mended.push_str(text.get(copied..)?);
    Some(mended)
}

/// Returns the length of the escape that begins here, and its replacement.
fn escape(text: &str, at: usize) -> (usize, Option<String>) {
    match code_unit(text, at) {
        Some(0xD800..=0xDBFF) if matches!(code_unit(text, at + 6), Some(0xDC00..=0xDFFF)) => {
            (12, None)
        }
        Some(0xD800..=0xDFFF) => (6, Some("\\ufffd".to_owned())),
        _ => (2, None),
    }
}

/// Returns the code unit of `\uXXXX` at this position.
fn code_unit(text: &str, at: usize) -> Option<u16> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn parsed(text: &str) -> Value {
        parse(text).expect(text)
    }

    #[test]
    fn half_a_surrogate_pair_is_the_replacement_character() {
        for (text, expected) in [
            (r#""nice \ud83d""#, "nice \u{fffd}"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
            (r#""\ude00\ud83d""#, "\u{fffd}\u{fffd}"),
            (r#""\uD83D\n""#, "\u{fffd}\n"),
            (r#""\ud83dA""#, "\u{fffd}A"),
            (r#""\ud83d\u0041""#, "\u{fffd}A"),
            (r#""\ud83d\\ude00""#, "\u{fffd}\\ude00"),
            (r#""\\ud83d \ud83d""#, "\\ud83d \u{fffd}"),
            (r#""\"\ud83d\"""#, "\"\u{fffd}\""),
            ("\"é\\ud83d é\"", "é\u{fffd} é"),
        ] {
            assert_eq!(parsed(text), json!(expected), "{text}");
        }
        assert_eq!(
            parsed(r#"{"\udc00": [{"x": "\ud83d"}, 1]}"#),
            json!({"\u{fffd}": [{"x": "\u{fffd}"}, 1]})
        );
    }

    #[test]
    fn control_characters_are_read() {
        assert_eq!(parsed("\"a\nb\u{0}c\""), json!("a\nb\u{0}c"));
        assert_eq!(parsed(r#"{"a\u0000": "\u0007"}"#), json!({"a\0": "\u{7}"}));
        assert_eq!(parsed("{\n\t\"a\": \"\t\"\n}"), json!({"a": "\t"}));
    }

    #[test]
    fn private_names_of_the_parser_are_names_like_any_other() {
        for name in ["Number", "RawValue"].map(|name| format!("$serde_json::private::{name}")) {
            for value in ["12", "{\"a\":1}", "x"] {
                let text = format!("{{\"{name}\": {}}}", json!(value));
                let read = parsed(&text);
                let object = read.as_object().expect("an object");
                assert_eq!(object.get(&name), Some(&value.into()), "{text}");
                // An escape in the name changes nothing.
                assert_eq!(parsed(&text.replace('$', "\\u0024")), read);
            }
            let nested = parsed(&format!(
                r#"{{"d": [{{"{name}": {{"{name}": 5}}, "b": 6}}]}}"#
            ));
            assert_eq!(
                nested
                    .pointer(&format!("/d/0/{name}/{name}"))
                    .map(Value::to_string),
                Some("5".to_owned())
            );
        }
    }

    #[test]
    fn numbers_keep_their_digits() {
        for text in [
            "0",
            "-0",
            "-17",
            "18446744073709551615",
            "629.90",
            "12345678901234567890123",
            "-0.0",
            "1e-400",
        ] {
            let Value::Number(number) = parsed(text) else {
                panic!("{text}")
            };
            assert_eq!(number.as_str(), text);
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let deep = "[".repeat(128);
        for text in [
            "",
            "{",
            "[1,]",
            "\"\\x\"",
            "\"\\ud83d",
            "01",
            "NaN",
            "{\"a\":1}}",
            &deep,
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        let deep = format!("{}{}", "[".repeat(127), "]".repeat(127));
        assert!(parse(&deep).is_ok());
    }

    /// Generates text that is nearly JSON, with many escapes and quotes.
    fn nearly_json() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "\"",
            "\\",
            "\\\"",
            "\\ud83d",
            "\\ude00",
            "\\u0041",
            "\\u",
            "d83d",
            "\n",
            "\0",
            "é",
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "1",
            "a",
            " ",
            "$serde_json::private::Number",
        ]);
        prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn json_that_is_sound_is_read_as_it_is(text in prop_oneof![nearly_json(), ".{0,32}".boxed()]) {
            if let Ok(expected) = serde_json::from_str::<Value>(&text)
                && !text.contains("private")
            {
                prop_assert_eq!(parse(&text).ok(), Some(expected));
                prop_assert_eq!(mended(&text), None);
            }
        }

        #[test]
        fn every_text_survives_being_cut_into_code_units(units in prop::collection::vec(any::<u16>(), 0..12)) {
            let escaped: Vec<String> = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
            let expected = String::from_utf16_lossy(&units);
            prop_assert_eq!(parse(&format!("\"{}\"", escaped.concat())).ok(), Some(json!(expected)));
        }

        #[test]
        fn nothing_is_mended_twice(text in nearly_json()) {
            if let Some(once) = mended(&text) {
                prop_assert_eq!(mended(&once), None);
            }
        }
    }
}
