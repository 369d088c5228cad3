//! What condition and update expressions are made of: tokens, operands and document paths.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html>

use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

use crate::refusal::Refusal;
use crate::table::placeholders::{Placeholders, is_word};
use crate::table::value::{AttributeValue, Attributes};

/// The longest expression, in bytes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const LENGTH: usize = 4096;

/// Words that an expression can only name through a placeholder, in upper case.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html>
static RESERVED_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    include_str!("reserved_words.txt")
        .split_ascii_whitespace()
        .collect()
});

/// A document path: an attribute's name, then the names of map members below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path(pub(crate) Vec<String>);

impl Path {
    /// The attribute's name.
    pub(crate) fn attribute(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// What stands there in the item.
    pub(crate) fn find<'a>(&self, item: &'a Attributes) -> Option<&'a AttributeValue> {
        let (first, rest) = self.0.split_first()?;
        let first = item.get(first)?;
        rest.iter().try_fold(first, |value, name| match value {
            AttributeValue::M(members) => members.get(name),
            _ => None,
        })
    }

    /// Whether one is the other, or stands below it.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(one, other)| one == other)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.0.join(", "))
    }
}

/// The least part of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A keyword, a function or an attribute's name.
    Word(String),
    /// `#name`.
    Name(String),
    /// `:value`.
    Value(String),
    /// The index of a list's element.
    Index(String),
    /// An operator or a bracket.
    Sign(&'static str),
}

impl Token {
    fn text(&self) -> &str {
        match self {
            Self::Word(text) | Self::Name(text) | Self::Value(text) | Self::Index(text) => text,
            Self::Sign(sign) => sign,
        }
    }
}

/// Longer signs first, so that `<=` is not read as `<`.
const SIGNS: [&str; 14] = [
    "<=", ">=", "<>", "=", "<", ">", "(", ")", "[", "]", ",", ".", "+", "-",
];

/// An expression that is being read.
pub(crate) struct Reader<'a> {
    /// The member that holds it, for messages.
    member: &'static str,
    tokens: Vec<Token>,
    position: usize,
    placeholders: &'a mut Placeholders,
}

impl<'a> Reader<'a> {
    /// At the start of the expression in that member.
    pub(crate) fn new(
        member: &'static str,
        text: &str,
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
            let near = reader.tokens.last().map_or("", Token::text);
            return Err(reader.refusal(&format!(
                "Syntax error; token: \"{character}\", near: \"{near}{character}\""
            )));
        }
        if reader.tokens.is_empty() {
            return Err(reader.refusal("The expression can not be empty;"));
        }
        Ok(reader)
    }

    /// The refusal of this expression.
    pub(crate) fn refusal(&self, what: &str) -> Refusal {
        Refusal::Validation(format!("Invalid {}: {what}", self.member))
    }

    /// The refusal of what AWS has and this emulator has not.
    pub(crate) fn unsupported(&self, what: &str) -> Refusal {
        self.refusal(&format!("{what} is not supported by this emulator"))
    }

    /// The refusal of the token here.
    pub(crate) fn syntax_error(&self) -> Refusal {
        let text = |position: usize| self.tokens.get(position).map_or("", Token::text);
        let token = self.tokens.get(self.position).map_or("<EOF>", Token::text);
        let before = self.position.checked_sub(1).map_or("", text);
        let after = text(self.position + 1);
        let near = [before, text(self.position), after].join(" ");
        self.refusal(&format!(
            "Syntax error; token: \"{token}\", near: \"{}\"",
            near.trim()
        ))
    }

    /// The token so many places from here.
    pub(crate) fn peek(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.position + ahead)
    }

    /// Goes on when the token here is the sign.
    pub(crate) fn sign(&mut self, sign: &'static str) -> bool {
        let found = self.peek(0) == Some(&Token::Sign(sign));
        self.position += usize::from(found);
        found
    }

    /// Goes on past one of the signs.
    pub(crate) fn one_of(&mut self, signs: &[&'static str]) -> Option<&'static str> {
        signs.iter().copied().find(|sign| self.sign(sign))
    }

    /// Goes on past the sign, which has to be here.
    pub(crate) fn expect(&mut self, sign: &'static str) -> Result<(), Refusal> {
        if self.sign(sign) {
            return Ok(());
        }
        Err(self.syntax_error())
    }

    /// Goes on when the token here is the keyword, in any letter case.
    pub(crate) fn keyword(&mut self, keyword: &str) -> bool {
        let found =
            matches!(self.peek(0), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword));
        self.position += usize::from(found);
        found
    }

    /// The name of the function whose call begins here, past its bracket.
    pub(crate) fn function(&mut self) -> Option<String> {
        match (self.peek(0), self.peek(1)) {
            (Some(Token::Word(word)), Some(Token::Sign("("))) => {
                let word = word.clone();
                self.position += 2;
                Some(word)
            }
            _ => None,
        }
    }

    /// What the `:value` here stands for, if there is one here.
    pub(crate) fn value(&mut self) -> Result<Option<AttributeValue>, Refusal> {
        let Some(Token::Value(placeholder)) = self.peek(0).cloned() else {
            return Ok(None);
        };
        self.position += 1;
        match self.placeholders.value(&placeholder) {
            Some(value) => Ok(Some(value)),
            None => Err(self.refusal(&format!(
                "An expression attribute value used in expression is not defined; attribute value: \
                 {placeholder}"
            ))),
        }
    }

    /// The document path here.
    pub(crate) fn path(&mut self) -> Result<Path, Refusal> {
        let mut names = vec![self.path_element()?];
        while self.sign(".") {
            names.push(self.path_element()?);
        }
        if self.peek(0) == Some(&Token::Sign("[")) {
            return Err(self.unsupported("a list's element in a document path"));
        }
        Ok(Path(names))
    }

    fn path_element(&mut self) -> Result<String, Refusal> {
        match self.peek(0).cloned() {
            Some(Token::Word(word)) => {
                if RESERVED_WORDS.contains(word.to_ascii_uppercase().as_str()) {
                    return Err(self.refusal(&format!(
                        "Attribute name is a reserved keyword; reserved keyword: {word}"
                    )));
                }
                self.position += 1;
                Ok(word)
            }
            Some(Token::Name(placeholder)) => {
                self.position += 1;
                self.placeholders.name(&placeholder).ok_or_else(|| {
                    self.refusal(&format!(
                        "An expression attribute name used in the document path is not defined; \
                         attribute name: {placeholder}"
                    ))
                })
            }
            _ => Err(self.syntax_error()),
        }
    }

    /// Refuses what is left.
    pub(crate) fn end(self) -> Result<(), Refusal> {
        match self.peek(0) {
            None => Ok(()),
            Some(_) => Err(self.syntax_error()),
        }
    }
}

/// The token the text begins with, and the text after it.
fn next_token(text: &str) -> Option<(Token, &str)> {
    if let Some(sign) = SIGNS.into_iter().find(|sign| text.starts_with(sign)) {
        return Some((Token::Sign(sign), text.strip_prefix(sign)?));
    }
    let first = text.chars().next()?;
    let is_digit = |character: char| character.is_ascii_digit();
    let (kind, least): (fn(String) -> Token, usize) = match first {
        '#' => (Token::Name, 2),
        ':' => (Token::Value, 2),
        '0'..='9' => (Token::Index, 1),
        'a'..='z' | 'A'..='Z' => (Token::Word, 1),
        _ => return None,
    };
    let after = text.strip_prefix(first)?;
    let after = match first {
        '0'..='9' => after.trim_start_matches(is_digit),
        _ => after.trim_start_matches(is_word),
    };
    let token = text.strip_suffix(after)?;
    (token.len() >= least).then(|| (kind(token.to_owned()), after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::members::Member;

    fn placeholders() -> Placeholders {
        let body = json!({
            "ExpressionAttributeNames": { "#a": "status", "#b": "b.c" },
            "ExpressionAttributeValues": { ":v": { "S": "x" } },
        });
        Placeholders::read(&Member::body(&body), true).expect("sound")
    }

    fn path(text: &str) -> Result<Path, String> {
        let mut placeholders = placeholders();
        let mut read = || {
            let mut reader = Reader::new("ConditionExpression", text, &mut placeholders)?;
            let path = reader.path()?;
            reader.end()?;
            Ok(path)
        };
        read().map_err(|refusal: Refusal| refusal.message())
    }

    #[test]
    fn paths() {
        for (text, names) in [
            ("in_progress_expiration", vec!["in_progress_expiration"]),
            ("#a", vec!["status"]),
            ("steps.#a.#b", vec!["steps", "status", "b.c"]),
            (" steps . one ", vec!["steps", "one"]),
        ] {
            let names = names.into_iter().map(str::to_owned).collect();
            assert_eq!(path(text), Ok(Path(names)), "{text}");
        }
        for (text, message) in [
            ("", "can not be empty"),
            ("  ", "can not be empty"),
            ("_a", "token: \"_\""),
            ("1a", "token: \"1\""),
            ("a.", "token: \"<EOF>\""),
            ("a b", "token: \"b\", near: \"a b\""),
            ("a$b", "token: \"$\""),
            ("#", "token: \"#\""),
            ("#c", "not defined; attribute name: #c"),
            (":v", "token: \":v\""),
            ("a[0]", "not supported"),
            ("Status", "reserved keyword: Status"),
            ("a.owner", "reserved keyword: owner"),
        ] {
            let refusal = path(text).expect_err(text);
            assert!(refusal.contains(message), "{text}: {refusal}");
        }
    }

    #[test]
    fn the_ledgers_words_are_reserved_or_free() {
        for word in [
            "status",
            "data",
            "owner",
            "name",
            "value",
            "values",
            "ttl",
            "timestamp",
            "state",
            "window",
            "key",
            "keys",
        ] {
            assert!(path(word).is_err(), "{word}");
        }
        for word in [
            "id",
            "expiration",
            "in_progress_expiration",
            "case_id",
            "generation",
        ] {
            assert!(path(word).is_ok(), "{word}");
        }
        assert_eq!(RESERVED_WORDS.len(), 573);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z#:_.,()<>=+\\[\\] -]{0,24}|.{0,24}") {
            let mut placeholders = placeholders();
            if let Ok(reader) = Reader::new("UpdateExpression", &text, &mut placeholders) {
                let tokens: String = reader.tokens.iter().map(Token::text).collect();
                let expected: String = text.split_whitespace().collect();
                prop_assert_eq!(tokens, expected);
            }
        }
    }
}
