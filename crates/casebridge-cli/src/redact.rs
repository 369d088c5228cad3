//! `redact`: events without the words of customers, for samples that may be kept in git.
//!
//! The shape stays: members, types, lengths and digits' places. What a mapping decides by stays too: the values that its event patterns
//! and tables name, times, and the members that hold ids and kinds.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

use anyhow::{Context as _, bail};
use mapping::source::{Format, Source};
use mapping::tree::{Kind, Node};
use mapping::value::Value as Item;
use mapping::{timestamp, zone::Zone};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::sources::{read_input, read_text};
use crate::terminal;

/// Replace the words of customers in an event by made-up ones of the same shape
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo casebridge redact real.json > events/refund.json
  cargo casebridge redact archive.jsonl --key \"$KEY\" > archive.redacted.jsonl

Equal values get equal replacements, within one run, or between runs with the same --key.
Values that the mapping's event patterns and tables name stay, as do times, and members that
hold ids and kinds (source, detail-type, Channel, …). Look at the result before you keep it:
a name in a member that the mapping tests stays too.

Exit status: 0; 2 an event could not be read.")]
pub(crate) struct Arguments {
    /// The events: files of JSON or JSON lines, or `-` for standard input
    #[arg(required = true, value_name = "EVENT")]
    events: Vec<String>,

    /// The mapping whose words stay [default: mapping.yaml, if there is one]
    #[arg(long, value_name = "FILE")]
    mapping: Option<String>,

    /// The secret that replacements depend on [default: another one for each run]
    #[arg(long, value_name = "TEXT")]
    key: Option<String>,
}

/// Members whose text identifies or classifies and is no word of a customer.
const KEPT: [&str; 22] = [
    "AwsRegion",
    "Channel",
    "InitiationMethod",
    "LanguageCode",
    "Name",
    "Type",
    "account",
    "aws:connect:instanceId",
    "channel",
    "detail-type",
    "eventSource",
    "eventSourceARN",
    "eventType",
    "initiationMethod",
    "messageId",
    "queueArn",
    "region",
    "resources",
    "source",
    "type",
    "version",
    "actionName",
];

/// # Errors
///
/// A file that cannot be read or is not JSON.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let mapping = match &arguments.mapping {
        Some(file) => Some((file.as_str(), read_text(file)?)),
        None => read_text("mapping.yaml")
            .ok()
            .map(|text| ("mapping.yaml", text)),
    };
    let key = match &arguments.key {
        Some(key) => key.clone(),
        None => RandomState::new().hash_one("casebridge").to_string(),
    };
    let mut words = HashSet::new();
    if let Some((file, text)) = mapping {
        let Ok(Source { root, .. }) = Format::of(file).parse(&text) else {
            bail!("{file} is not valid: see `cargo casebridge check`");
        };
        collect(&root, &mut words);
    }
    let redactor = Redactor { key, words };
    for file in &arguments.events {
        let text = read_input(file)?;
        if let Ok(mut event) = serde_json::from_str::<Value>(&text) {
            redactor.value(&mut event, "");
            terminal::print(&format!("{}\n", serde_json::to_string_pretty(&event)?))?;
            continue;
        }
        for (number, line) in (1..)
            .zip(text.lines())
            .filter(|(_, line)| !line.trim().is_empty())
        {
            // The parser's own message could quote the line.
            let parsed = serde_json::from_str(line).ok();
            let mut event: Value =
                parsed.with_context(|| format!("{file}:{number} is not JSON"))?;
            redactor.value(&mut event, "");
            terminal::print(&format!("{event}\n"))?;
        }
    }
    Ok(true)
}

/// Collects the texts of a mapping's event patterns and the keys of its tables.
fn collect(node: &Node, words: &mut HashSet<String>) {
    match &node.kind {
        Kind::Map(entries) => {
            for entry in entries {
                match entry.key.text.as_str() {
                    "when" => texts(&entry.value, words),
                    "tables" => {
                        let tables = node.entries("tables").iter();
                        let rows = tables.flat_map(|table| match &table.value.kind {
                            Kind::Map(rows) => rows.as_slice(),
                            Kind::List(_) | Kind::Scalar(_) => &[],
                        });
                        words.extend(rows.map(|row| row.key.text.to_lowercase()));
                    }
                    _ => collect(&entry.value, words),
                }
            }
        }
        Kind::List(items) => items.iter().for_each(|item| collect(item, words)),
        Kind::Scalar(_) => {}
    }
}

/// Collects every scalar of an event pattern.
fn texts(node: &Node, words: &mut HashSet<String>) {
    match &node.kind {
        Kind::Map(entries) => entries.iter().for_each(|entry| texts(&entry.value, words)),
        Kind::List(items) => items.iter().for_each(|item| texts(item, words)),
        Kind::Scalar(scalar) => {
            words.insert(scalar.text.to_lowercase());
        }
    }
}

struct Redactor {
    /// The secret. Without it, a short number could be found again by trying all.
    key: String,
    /// Texts that stay, in lower case.
    words: HashSet<String>,
}

impl Redactor {
    fn value(&self, value: &mut Value, name: &str) {
        match value {
            // The names of members stay, those of contact attributes too: they are the flow's.
            Value::Object(members) => {
                for (name, value) in members {
                    self.value(value, name);
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.value(item, name);
                }
            }
            Value::String(text) => {
                if let Some(replaced) = self.text(text, name) {
                    *text = replaced;
                }
            }
            Value::Number(number) => {
                let is_time = name.to_lowercase().contains("time");
                if is_time || self.words.contains(number.as_str()) {
                    return;
                }
                let replaced = self.replaced(number.as_str());
                // The sign of an exponent is no letter to replace.
                let replaced = number.as_str().chars().zip(replaced.chars());
                let digits =
                    replaced.map(|(old, new)| if old.is_ascii_digit() { new } else { old });
                let replaced: String = digits.collect();
                if let Ok(replaced) = replaced.parse() {
                    *number = replaced;
                }
            }
            Value::Bool(_) | Value::Null => {}
        }
    }

    /// Returns the replacement of a text, or `None` if it stays.
    fn text(&self, text: &str, name: &str) -> Option<String> {
        // The body of a queue's message, and JSON in a text, are redacted inside.
        if text.starts_with(['{', '['])
            && let Ok(mut inner) = serde_json::from_str::<Value>(text)
        {
            self.value(&mut inner, name);
            return Some(inner.to_string());
        }
        let is_time = timestamp::read(&Item::Text(text.into()), Some(&Zone::utc())).is_ok()
            && text.contains(['-', ':']);
        if is_time || KEPT.contains(&name) || self.words.contains(&text.to_lowercase()) {
            return None;
        }
        // An ARN, and the resource in it, keeps its form.
        if let Some((arn, resource)) = text
            .strip_prefix("arn:")
            .and_then(|rest| rest.rsplit_once('/'))
        {
            return Some(format!("arn:{arn}/{}", self.replaced(resource)));
        }
        if let Some((_, domain)) = text.split_once('@')
            && domain.contains('.')
        {
            let user = self.replaced(text.split('@').next().unwrap_or_default());
            return Some(format!("{user}@example.com"));
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            let path = rest.split_once('/').map_or("", |(_, path)| path);
            return Some(format!("{scheme}://example.com/{}", self.replaced(path)));
        }
        Some(self.replaced(text))
    }

    /// Returns text of the same shape: letters for letters, digits for digits, everything else as it was.
    fn replaced(&self, text: &str) -> String {
        let mut digest = Sha256::new();
        digest.update(self.key.as_bytes());
        digest.update([0]);
        digest.update(text.as_bytes());
        let mut seed = digest.finalize();
        let mut replaced = String::with_capacity(text.len());
        let hexadecimal =
            text.len() == 36 && text.bytes().filter(|byte| *byte == b'-').count() == 4;
        let mut leads_number = true;
        for (index, character) in text.chars().enumerate() {
            let place = index % seed.len();
            if index > 0 && place == 0 {
                seed = Sha256::digest(seed);
            }
            let byte = seed.get(place).copied().unwrap_or_default();
            let letter = |first: u8, count: u8| char::from(first + byte % count);
            replaced.push(match character {
                // No number gets a leading zero, which JSON does not allow.
                '0'..='9' if leads_number => letter(b'1', 9),
                '0'..='9' => letter(b'0', 10),
                'a'..='f' if hexadecimal => letter(b'a', 6),
                c if c.is_lowercase() => letter(b'a', 26),
                c if c.is_uppercase() => letter(b'A', 26),
                c if c.is_alphabetic() => letter(b'a', 26),
                c => c,
            });
            leads_number = !character.is_ascii_digit() && character != '.';
        }
        replaced
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor(key: &str) -> Redactor {
        Redactor {
            key: key.to_owned(),
            words: HashSet::from(["refund".to_owned()]),
        }
    }

    #[test]
    fn the_shape_stays_and_the_words_go() {
        let mut event = serde_json::json!({
            "source": "com.example.orders", "time": "2026-11-22T08:41:09Z",
            "detail": {
                "request": "refund", "name": "Jürgen Müller", "phone": "+15550100177", "amount": 629.90, "vip": true, "note": null,
                "email": "jane@shop.example.org", "page": "https://shop.example.org/orders/17?x=1",
                "body": "{\"name\":\"Jürgen Müller\"}",
            },
        });
        let before = event.clone();
        redactor("a").value(&mut event, "");
        let text = event.to_string();
        for word in [
            "Jürgen",
            "Müller",
            "5550100177",
            "629.9",
            "jane",
            "shop",
            "orders/17",
        ] {
            let word_stays = word == "shop" && text.contains("com.example.orders");
            assert!(
                !text.contains(word) || word_stays && !text.contains("shop"),
                "{word}: {text}"
            );
        }
        let detail = |event: &Value, name: &str| event.pointer(&format!("/detail/{name}")).cloned();
        for name in ["request", "vip", "note"] {
            assert_eq!(detail(&event, name), detail(&before, name), "{name}");
        }
        assert_eq!(event.get("time"), before.get("time"));
        // Equal values have equal replacements, also inside a text of JSON.
        let name = detail(&event, "name").and_then(|name| name.as_str().map(str::to_owned));
        let body = detail(&event, "body").and_then(|body| body.as_str().map(str::to_owned));
        let (name, body) = (name.expect("a text"), body.expect("a text"));
        assert!(body.contains(&name), "{body} {name}");
        assert_eq!(name.chars().count(), "Jürgen Müller".chars().count());
        let mut other = before.clone();
        redactor("b").value(&mut other, "");
        assert_ne!(other, event);
    }

    #[test]
    fn a_number_stays_a_number() {
        for text in ["0", "-0.05", "1e5", "100200300400500600700"] {
            let mut value: Value = serde_json::from_str(text).expect("a number");
            redactor("a").value(&mut value, "");
            assert!(value.is_number(), "{text}");
        }
    }
}
