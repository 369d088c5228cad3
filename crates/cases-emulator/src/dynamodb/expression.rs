//! Condition and update expressions, limited to the grammar that the ledger uses:
//!
//! ```text
//! condition = all { "OR" all } ;  all = not { "AND" not } ;  not = "NOT" not | "(" condition ")" | test ;
//! test      = ( "attribute_exists" | "attribute_not_exists" ) "(" name ")" | name ( "=" | "<=" ) ":value" ;
//! update    = "SET" name "=" ":value" { "," … } [ "REMOVE" name { "," name } ] ;  name = word | "#name" ;
//! ```
//!
//! Everything else is refused, including what DynamoDB itself would accept.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html>

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::LazyLock;

use super::attribute::{AttributeValue, Attributes};
use crate::member::Member;
use crate::service::Refusal;

/// The longest expression, in bytes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const LENGTH: usize = 4096;

/// Words that an expression can name only through a placeholder, in upper case.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html>
static RESERVED_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    include_str!("reserved_words.txt")
        .split_ascii_whitespace()
        .collect()
});

/// Longer signs first, so that `<=` is not read as `<`.
const SIGNS: [&str; 14] = [
    "<=", ">=", "<>", "=", "<", ">", "(", ")", "[", "]", ",", ".", "+", "-",
];

/// The expressions of a write.
#[derive(Debug)]
pub(super) struct Expressions {
    pub(super) condition: Option<Condition>,
    pub(super) update: Option<Update>,
}

impl Expressions {
    /// Reads both expressions of a request. Each placeholder must be used.
    pub(super) fn read(body: &Member<'_>) -> Result<Self, Refusal> {
        let condition = body.optional("ConditionExpression")?;
        let update = body.optional("UpdateExpression")?;
        let has_expression = condition.is_some() || update.is_some();
        let mut placeholders = Placeholders::read(body, has_expression)?;
        let any_length = 0..=usize::MAX;
        let update = match update {
            Some(text) => Some(Update::read(
                text.text(any_length.clone())?,
                &mut placeholders,
            )?),
            None => None,
        };
        let condition = match condition {
            Some(text) => Some(Condition::read(text.text(any_length)?, &mut placeholders)?),
            None => None,
        };
        placeholders.check_all_used()?;
        Ok(Self { condition, update })
    }
}

/// A condition on an item.
#[derive(Debug)]
pub(super) enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Exists(String),
    Equal(String, AttributeValue),
    AtMost(String, AttributeValue),
}

impl Condition {
    fn read(text: &str, placeholders: &mut Placeholders) -> Result<Self, Refusal> {
        let mut reader = Reader::new("ConditionExpression", text, placeholders)?;
        let condition = any_of(&mut reader)?;
        reader.end()?;
        Ok(condition)
    }

    /// Returns true when the item meets the condition; an item that does not exist has no attributes.
    pub(super) fn holds(&self, item: &Attributes) -> bool {
        match self {
            Self::And(one, other) => one.holds(item) && other.holds(item),
            Self::Or(one, other) => one.holds(item) || other.holds(item),
            Self::Not(condition) => !condition.holds(item),
            Self::Exists(name) => item.contains_key(name),
            Self::Equal(name, value) => item.get(name) == Some(value),
            Self::AtMost(name, value) => {
                let order = item.get(name).and_then(|found| found.order(value));
                order.is_some_and(Ordering::is_le)
            }
        }
    }
}

fn any_of(reader: &mut Reader<'_>) -> Result<Condition, Refusal> {
    let mut condition = all_of(reader)?;
    while reader.keyword("OR") {
        condition = Condition::Or(Box::new(condition), Box::new(all_of(reader)?));
    }
    Ok(condition)
}

fn all_of(reader: &mut Reader<'_>) -> Result<Condition, Refusal> {
    let mut condition = negated(reader)?;
    while reader.keyword("AND") {
        condition = Condition::And(Box::new(condition), Box::new(negated(reader)?));
    }
    Ok(condition)
}

fn negated(reader: &mut Reader<'_>) -> Result<Condition, Refusal> {
    if reader.keyword("NOT") {
        return Ok(Condition::Not(Box::new(negated(reader)?)));
    }
    if reader.peek(0) != Some("(") {
        return test(reader);
    }
    if has_redundant_parentheses(reader) {
        return Err(reader.refusal("The expression has redundant parentheses;"));
    }
    reader.expect("(")?;
    let condition = any_of(reader)?;
    reader.expect(")")?;
    Ok(condition)
}

/// Returns true when the parentheses here enclose nothing but other parentheses, as in `((a = :a))`.
fn has_redundant_parentheses(reader: &Reader<'_>) -> bool {
    if reader.peek(1) != Some("(") {
        return false;
    }
    let mut depth = 0_usize;
    let mut ahead = 1;
    while let Some(token) = reader.peek(ahead) {
        match token {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        ahead += 1;
        if depth == 0 {
            return reader.peek(ahead) == Some(")");
        }
    }
    false
}

fn test(reader: &mut Reader<'_>) -> Result<Condition, Refusal> {
    if let (Some(function), Some("(")) = (reader.peek(0), reader.peek(1)) {
        let exists = match function {
            "attribute_exists" => true,
            "attribute_not_exists" => false,
            other => return Err(reader.unsupported(&format!("the function {other}"))),
        };
        reader.position += 2;
        let condition = Condition::Exists(reader.name()?);
        reader.expect(")")?;
        return Ok(if exists {
            condition
        } else {
            Condition::Not(Box::new(condition))
        });
    }
    let name = reader.name()?;
    let compare = match reader.next() {
        Some("=") => Condition::Equal,
        Some("<=") => Condition::AtMost,
        found => {
            reader.position = reader.position.saturating_sub(usize::from(found.is_some()));
            let operators = ["<>", "<", ">", ">=", "BETWEEN", "IN"];
            let operator = operators
                .iter()
                .find(|operator| found.is_some_and(|found| found.eq_ignore_ascii_case(operator)));
            return Err(match operator {
                Some(operator) => reader.unsupported(&format!("the operator {operator}")),
                None => reader.syntax_error(),
            });
        }
    };
    Ok(compare(name, reader.value()?))
}

/// The changes of an update expression, at most one for each attribute.
#[derive(Debug, Default)]
pub(super) struct Update(BTreeMap<String, Option<AttributeValue>>);

impl Update {
    fn read(text: &str, placeholders: &mut Placeholders) -> Result<Self, Refusal> {
        let mut reader = Reader::new("UpdateExpression", text, placeholders)?;
        let mut update = Self::default();
        if !reader.keyword("SET") {
            return Err(reader.unsupported("an update that does not begin with SET"));
        }
        loop {
            let name = reader.name()?;
            reader.expect("=")?;
            let value = reader.value()?;
            update.add(&reader, name, Some(value))?;
            if !reader.sign(",") {
                break;
            }
        }
        if reader.keyword("REMOVE") {
            loop {
                let name = reader.name()?;
                update.add(&reader, name, None)?;
                if !reader.sign(",") {
                    break;
                }
            }
        }
        reader.end()?;
        Ok(update)
    }

    fn add(
        &mut self,
        reader: &Reader<'_>,
        name: String,
        value: Option<AttributeValue>,
    ) -> Result<(), Refusal> {
        if self.changes(&name) {
            return Err(reader.refusal(&format!(
                "Two document paths overlap with each other; must remove or rewrite one of these \
                 paths; path one: [{name}], path two: [{name}]"
            )));
        }
        self.0.insert(name, value);
        Ok(())
    }

    /// Returns true when the update changes the attribute of that name.
    pub(super) fn changes(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Applies the changes to the item.
    pub(super) fn apply(&self, item: &mut Attributes) {
        for (name, value) in &self.0 {
            match value {
                Some(value) => item.insert(name.clone(), value.clone()),
                None => item.remove(name),
            };
        }
    }
}

/// The placeholders `#name` and `:value` of a request, and which of them were used.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ExpressionAttributeNames.html>
#[derive(Debug, Default)]
struct Placeholders {
    names: BTreeMap<String, String>,
    values: BTreeMap<String, AttributeValue>,
    used: BTreeSet<String>,
}

impl Placeholders {
    fn read(body: &Member<'_>, has_expression: bool) -> Result<Self, Refusal> {
        let mut placeholders = Self::default();
        for (member, sign) in [
            ("ExpressionAttributeNames", '#'),
            ("ExpressionAttributeValues", ':'),
        ] {
            let Some(entries) = body.optional(member)? else {
                continue;
            };
            let refusal = |what: &str| Err(Refusal::Validation(format!("{member} {what}")));
            if !has_expression {
                return refusal("can only be specified when using expressions");
            }
            let entries = entries.entries(0..=usize::MAX)?;
            if entries.is_empty() {
                return refusal("must not be empty");
            }
            for (key, value) in entries {
                let name = key.strip_prefix(sign).unwrap_or_default();
                if name.is_empty() || !name.chars().all(is_word) {
                    return refusal(&format!(
                        "contains invalid key: Syntax error; key: \"{key}\""
                    ));
                }
                if sign == '#' {
                    let name = value.text(1..=65535)?.to_owned();
                    placeholders.names.insert(key.to_owned(), name);
                } else {
                    let value = AttributeValue::read(&value)?;
                    placeholders.values.insert(key.to_owned(), value);
                }
            }
        }
        Ok(placeholders)
    }

    fn check_all_used(&self) -> Result<(), Refusal> {
        for (member, keys) in [
            (
                "ExpressionAttributeNames",
                self.names.keys().collect::<Vec<_>>(),
            ),
            ("ExpressionAttributeValues", self.values.keys().collect()),
        ] {
            let unused = keys.into_iter().filter(|key| !self.used.contains(*key));
            let unused: Vec<&str> = unused.map(String::as_str).collect();
            if !unused.is_empty() {
                return Err(Refusal::Validation(format!(
                    "Value provided in {member} unused in expressions: keys: {{{}}}",
                    unused.join(", ")
                )));
            }
        }
        Ok(())
    }
}

/// A reader of one expression, token by token.
struct Reader<'a> {
    /// The request's member, for messages.
    member: &'static str,
    /// Words, placeholders with their sign, and signs.
    tokens: Vec<&'a str>,
    position: usize,
    placeholders: &'a mut Placeholders,
}

impl<'a> Reader<'a> {
    fn new(
        member: &'static str,
        text: &'a str,
        placeholders: &'a mut Placeholders,
    ) -> Result<Self, Refusal> {
        let mut reader = Self {
            member,
            tokens: Vec::new(),
            position: 0,
            placeholders,
        };
        if text.len() > LENGTH {
            return Err(reader.refusal(&format!(
                "Expression size has exceeded the maximum allowed size; expression size: {}",
                text.len()
            )));
        }
        let mut rest = text.trim_start();
        while let Some((token, after)) = next_token(rest) {
            reader.tokens.push(token);
            rest = after.trim_start();
        }
        if let Some(character) = rest.chars().next() {
            let near = reader.tokens.last().copied().unwrap_or_default();
            return Err(reader.refusal(&format!(
                "Syntax error; token: \"{character}\", near: \"{near}{character}\""
            )));
        }
        if reader.tokens.is_empty() {
            return Err(reader.refusal("The expression can not be empty;"));
        }
        Ok(reader)
    }

    fn refusal(&self, what: &str) -> Refusal {
        Refusal::Validation(format!("Invalid {}: {what}", self.member))
    }

    /// Returns the refusal of an expression that only DynamoDB accepts.
    fn unsupported(&self, what: &str) -> Refusal {
        self.refusal(&format!("{what} is not supported by this emulator"))
    }

    /// Returns the refusal of the token at this position.
    fn syntax_error(&self) -> Refusal {
        let from = self.position.saturating_sub(1);
        let near: Vec<&str> = (from..=self.position + 1)
            .filter_map(|position| self.tokens.get(position).copied())
            .collect();
        let token = self.peek(0).unwrap_or("<EOF>");
        self.refusal(&format!(
            "Syntax error; token: \"{token}\", near: \"{}\"",
            near.join(" ")
        ))
    }

    fn peek(&self, ahead: usize) -> Option<&'a str> {
        self.tokens.get(self.position + ahead).copied()
    }

    fn next(&mut self) -> Option<&'a str> {
        let token = self.peek(0)?;
        self.position += 1;
        Some(token)
    }

    /// Advances past the sign, if it is here.
    fn sign(&mut self, sign: &str) -> bool {
        let found = self.peek(0) == Some(sign);
        self.position += usize::from(found);
        found
    }

    /// Advances past the sign, which must be here.
    fn expect(&mut self, sign: &str) -> Result<(), Refusal> {
        if self.sign(sign) {
            return Ok(());
        }
        Err(self.syntax_error())
    }

    /// Advances past the keyword, in any letter case, if it is here.
    fn keyword(&mut self, keyword: &str) -> bool {
        let found = self
            .peek(0)
            .is_some_and(|token| token.eq_ignore_ascii_case(keyword));
        self.position += usize::from(found);
        found
    }

    /// Reads an attribute's name, or the placeholder of one.
    fn name(&mut self) -> Result<String, Refusal> {
        let token = self.peek(0).unwrap_or_default();
        let name = if token.starts_with('#') {
            let name = self.placeholders.names.get(token).cloned();
            self.placeholders.used.insert(token.to_owned());
            name.ok_or_else(|| {
                self.refusal(&format!(
                    "An expression attribute name used in the document path is not defined; \
                     attribute name: {token}"
                ))
            })?
        } else if !token.starts_with(|character: char| character.is_ascii_alphabetic()) {
            return Err(self.syntax_error());
        } else if RESERVED_WORDS.contains(token.to_ascii_uppercase().as_str()) {
            return Err(self.refusal(&format!(
                "Attribute name is a reserved keyword; reserved keyword: {token}"
            )));
        } else {
            token.to_owned()
        };
        self.position += 1;
        if matches!(self.peek(0), Some("." | "[")) {
            return Err(self.unsupported("a document path below the top level"));
        }
        Ok(name)
    }

    /// Reads the placeholder of a value.
    fn value(&mut self) -> Result<AttributeValue, Refusal> {
        let Some(token) = self.peek(0) else {
            return Err(self.syntax_error());
        };
        if token.starts_with(|first: char| first == '#' || first.is_ascii_alphabetic()) {
            return Err(
                self.unsupported("an operand that is no value, such as a name or a function,")
            );
        }
        if !token.starts_with(':') {
            return Err(self.syntax_error());
        }
        let value = self.placeholders.values.get(token).cloned();
        self.placeholders.used.insert(token.to_owned());
        let value = value.ok_or_else(|| {
            self.refusal(&format!(
                "An expression attribute value used in expression is not defined; attribute value: \
                 {token}"
            ))
        })?;
        self.position += 1;
        if matches!(self.peek(0), Some("+" | "-")) {
            return Err(self.unsupported("arithmetic"));
        }
        Ok(value)
    }

    /// Refuses tokens that are left.
    fn end(self) -> Result<(), Refusal> {
        match self.peek(0) {
            None => Ok(()),
            Some(word @ ("SET" | "REMOVE" | "ADD" | "DELETE")) => {
                Err(self.unsupported(&format!("the section {word} at this place")))
            }
            Some(_) => Err(self.syntax_error()),
        }
    }
}

/// Splits the text after its first token.
fn next_token(text: &str) -> Option<(&str, &str)> {
    if let Some(sign) = SIGNS.into_iter().find(|sign| text.starts_with(sign)) {
        return text.split_at_checked(sign.len());
    }
    let first = text.chars().next()?;
    let after = text.strip_prefix(first)?;
    let rest = match first {
        '#' | ':' if after.starts_with(is_word) => after.trim_start_matches(is_word),
        'a'..='z' | 'A'..='Z' => after.trim_start_matches(is_word),
        '0'..='9' => after.trim_start_matches(|next: char| next.is_ascii_digit()),
        _ => return None,
    };
    text.split_at_checked(text.len() - rest.len())
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::dynamodb::attribute::{attributes, to_plain};

    fn item() -> Attributes {
        let item = json!({ "id": { "S": "a" }, "n": { "N": "9" }, "status": { "S": "x" } });
        attributes(&Member::body(&item)).expect("attributes")
    }

    fn placeholders() -> Placeholders {
        let body: Value = json!({
            "ExpressionAttributeNames": { "#s": "status", "#d": "a.b c" },
            "ExpressionAttributeValues": {
                ":a": { "S": "a" }, ":x": { "S": "x" }, ":9": { "N": "9" }, ":10": { "N": "10" },
            },
        });
        Placeholders::read(&Member::body(&body), true).expect("placeholders")
    }

    fn condition(text: &str) -> Result<Condition, String> {
        let read = Condition::read(text, &mut placeholders());
        read.map_err(|refusal| refusal.to_string())
    }

    fn update(text: &str) -> Result<Update, String> {
        Update::read(text, &mut placeholders()).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn conditions_hold_or_fail() {
        for (text, holds) in [
            ("attribute_exists(id)", true),
            ("attribute_exists(z)", false),
            ("attribute_not_exists(z)", true),
            ("attribute_not_exists(#s)", false),
            ("id = :a", true),
            ("id = :x", false),
            ("id = :9", false),
            ("#s = :x", true),
            ("z = :a", false),
            ("n = :9", true),
            ("n <= :9", true),
            ("n <= :10", true),
            ("n <= :a", false),
            ("NOT n <= :a", true),
            ("id <= :a", true),
            ("#s <= :a", false),
            ("z <= :9", false),
            ("NOT z <= :9", true),
            ("id = :a AND n = :10", false),
            ("id = :a OR n = :10", true),
            ("id = :x AND n = :10 OR #s = :x", true),
            ("id = :x AND (n = :10 OR #s = :x)", false),
            ("NOT id = :a AND n = :10 OR #s = :x", true),
            ("NOT (id = :a AND n = :10)", true),
            ("not NOT id = :a", true),
            ("(id = :a)", true),
            ("(id = :a) AND (n = :9)", true),
            ("((id = :a) AND (n = :9))", true),
            ("attribute_not_exists(id) OR (n <= :10 AND #s = :x)", true),
        ] {
            let condition = condition(text).expect(text);
            assert_eq!(condition.holds(&item()), holds, "{text}");
        }
    }

    #[test]
    fn wrong_and_unsupported_conditions_are_refused() {
        for (text, message) in [
            ("", "can not be empty"),
            ("  ", "can not be empty"),
            ("id", "token: \"<EOF>\""),
            ("id = ", "token: \"<EOF>\""),
            ("id == :a", "token: \"=\""),
            ("id = :a AND", "token: \"<EOF>\""),
            ("id = :a id = :a", "token: \"id\""),
            ("id id", "token: \"id\", near: \"id id\""),
            ("(id = :a", "token: \"<EOF>\""),
            ("id = :a)", "token: \")\""),
            ("((id = :a))", "redundant parentheses"),
            ("NOT ((id = :a))", "redundant parentheses"),
            ("_a = :a", "token: \"_\""),
            ("1a = :a", "token: \"1\""),
            ("a$b = :a", "token: \"$\""),
            ("# = :a", "token: \"#\""),
            ("id = :b", "not defined; attribute value: :b"),
            ("#n = :a", "not defined; attribute name: #n"),
            ("status = :a", "reserved keyword: status"),
            ("Owner = :a", "reserved keyword: Owner"),
            ("attribute_exists(:a)", "token: \":a\""),
            ("attribute_exists(id, n)", "token: \",\""),
            ("attribute_exists()", "token: \")\""),
            ("attribute_exists id", "token: \"id\""),
            (":a = id", "token: \":a\""),
            ("id = id", "an operand that is no value"),
            ("id = #s", "an operand that is no value"),
            ("id = size(id)", "an operand that is no value"),
            ("a.b = :a", "below the top level is not supported"),
            ("#s.#s = :a", "below the top level is not supported"),
            ("a[0] = :a", "below the top level is not supported"),
            ("id <> :a", "the operator <> is not supported"),
            ("n < :9", "the operator < is not supported"),
            ("n > :9", "the operator > is not supported"),
            ("n >= :9", "the operator >= is not supported"),
            ("n between :9 AND :10", "the operator BETWEEN is not"),
            ("n IN (:9)", "the operator IN is not supported"),
            ("contains(id, :a)", "the function contains is not"),
            ("begins_with(id, :a)", "the function begins_with is not"),
            ("size(id) <= :9", "the function size is not supported"),
            ("exists(id)", "the function exists is not supported"),
            ("if_not_exists(id, :a) = :a", "the function if_not_exists"),
        ] {
            let refusal = condition(text).expect_err(text);
            assert!(refusal.contains(message), "{text}: {refusal}");
        }
        let long = format!("id = :a{}", " OR id = :a".repeat(400));
        let refusal = condition(&long).expect_err("too long");
        assert!(refusal.contains("maximum allowed size"), "{refusal}");
    }

    #[test]
    fn updates_change_the_item() {
        let with = |name: &str, value: Value| {
            let mut plain = to_plain(&item());
            plain[name] = value;
            plain
        };
        for (text, left) in [
            ("SET #s = :a", with("status", json!("a"))),
            ("set #s=:a", with("status", json!("a"))),
            ("SET z = :10", with("z", json!(10))),
            ("SET #d = :x", with("a.b c", json!("x"))),
            ("SET n = :10 remove #s , z", json!({ "id": "a", "n": 10 })),
            (
                "SET n = :10, #s = :a",
                json!({ "id": "a", "n": 10, "status": "a" }),
            ),
        ] {
            let mut changed = item();
            update(text).expect(text).apply(&mut changed);
            assert_eq!(to_plain(&changed), left, "{text}");
        }
    }

    #[test]
    fn wrong_and_unsupported_updates_are_refused() {
        for (text, message) in [
            ("", "can not be empty"),
            ("n = :9", "does not begin with SET is not supported"),
            ("REMOVE n", "does not begin with SET is not supported"),
            ("ADD n :9", "does not begin with SET is not supported"),
            ("DELETE n :9", "does not begin with SET is not supported"),
            ("SET", "token: \"<EOF>\""),
            ("SET n", "token: \"<EOF>\""),
            ("SET n = ", "token: \"<EOF>\""),
            ("SET n = :9,", "token: \"<EOF>\""),
            ("SET n = :9 SET z = :9", "the section SET at this place"),
            ("SET n = :9 ADD z :9", "the section ADD at this place"),
            ("SET n = :9 REMOVE z DELETE y :9", "the section DELETE"),
            ("SET n = :9 REMOVE n", "paths overlap"),
            ("SET n = :9, n = :10", "path one: [n], path two: [n]"),
            ("SET :a = n", "token: \":a\""),
            ("SET status = :a", "reserved keyword: status"),
            ("SET n = :1", "not defined; attribute value: :1"),
            ("SET #n = :9", "not defined; attribute name: #n"),
            ("SET n = id", "an operand that is no value"),
            (
                "SET n = if_not_exists(n, :9)",
                "an operand that is no value",
            ),
            ("SET n = :9 + :10", "arithmetic is not supported"),
            ("SET m.x = :9", "below the top level is not supported"),
            ("SET l[0] = :9", "below the top level is not supported"),
            ("SET n = :9 REMOVE m.x", "below the top level"),
            ("SET n = :9 REMOVE z :9", "token: \":9\""),
        ] {
            let refusal = update(text).expect_err(text);
            assert!(refusal.contains(message), "{text}: {refusal}");
        }
    }

    #[test]
    fn the_ledgers_words_are_reserved_or_free() {
        for (word, free) in [
            ("status", false),
            ("data", false),
            ("owner", false),
            ("started", true),
            ("writes", true),
            ("id", true),
            ("expiration", true),
            ("in_progress_expiration", true),
            ("generation", true),
        ] {
            let text = format!("attribute_exists({word})");
            assert_eq!(condition(&text).is_ok(), free, "{word}");
        }
        assert_eq!(RESERVED_WORDS.len(), 573);
    }

    /// A condition's text, and whether the item meets it.
    fn any_condition() -> impl Strategy<Value = (String, bool)> {
        let leaf = prop::sample::select(vec![
            ("id = :a", true),
            ("n <= :10", true),
            ("n <= :a", false),
            ("attribute_exists(#s)", true),
            ("attribute_exists(z)", false),
        ]);
        let leaf = leaf.prop_map(|(text, holds)| (text.to_owned(), holds));
        leaf.prop_recursive(4, 12, 2, |inner| {
            let pair = (inner.clone(), inner.clone());
            prop_oneof![
                inner.prop_map(|(text, holds)| (format!("NOT ({text})"), !holds)),
                pair.clone().prop_map(|((one, a), (other, b))| {
                    (format!("NOT ({one}) OR NOT ({other})"), !a || !b)
                }),
                pair.prop_map(|((one, a), (other, b))| {
                    (format!("NOT ({one}) AND NOT ({other})"), !a && !b)
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn logic_is_that_of_booleans((text, holds) in any_condition()) {
            match condition(&text) {
                Ok(condition) => prop_assert_eq!(condition.holds(&item()), holds, "{}", text),
                Err(refusal) => prop_assert!(refusal.contains("maximum allowed size"), "{}", refusal),
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[a-z#:_.,()<>=+\\[\\] -]{0,24}|.{0,24}") {
            let mut placeholders = placeholders();
            if let Ok(reader) = Reader::new("UpdateExpression", &text, &mut placeholders) {
                let expected: String = text.split_whitespace().collect();
                prop_assert_eq!(reader.tokens.concat(), expected);
            }
        }
    }
}
