//! Text and lists that are made of other values, and how large they may become.
//!
//! A value of an event is only as long as the event. What replaces, joins or repeats it could be any length: ten `replace` in a row make
//! ten thousand million characters out of one.

use std::borrow::Cow;
use std::fmt;

use super::super::expression::Value;

/// The bytes of the longest text that is made: more than the largest payload that Lambda takes, so that no text of an event alone comes near.
pub const MAX_TEXT: usize = 8_000_000;

/// The items of the longest list that is made.
pub const MAX_ITEMS: usize = 1_000_000;

/// More than the bound: "gives more than 8000000 bytes of text".
#[derive(Debug)]
pub(crate) struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gives more than {MAX_TEXT} bytes of text")
    }
}

impl TooLong {
    /// The sentence about a filter.
    pub(super) fn of(&self, filter: &str) -> String {
        format!("`{filter}` {self}")
    }
}

/// Text that grows to [`MAX_TEXT`] and no further.
#[derive(Default)]
pub(crate) struct BoundedText(String);

impl BoundedText {
    /// Adds text at the end.
    ///
    /// # Errors
    /// All of it together is too long.
    pub(crate) fn push(&mut self, text: &str) -> Result<(), TooLong> {
        if self.0.len() + text.len() > MAX_TEXT {
            return Err(TooLong);
        }
        self.0.push_str(text);
        Ok(())
    }

    /// The text.
    pub(crate) fn finish(self) -> String {
        self.0
    }
}

/// Puts one text in the place of another, wherever that stands.
pub(super) fn replace(text: &str, from: &str, to: &str) -> Result<String, String> {
    let mut replaced = BoundedText::default();
    for (index, part) in text.split(from).enumerate() {
        let to = if index > 0 { to } else { "" };
        let pushed = replaced.push(to).and_then(|()| replaced.push(part));
        pushed.map_err(|excess| excess.of("replace"))?;
    }
    Ok(replaced.finish())
}

/// Cuts text at each separator; empty parts stay as [`Value::Null`].
pub(super) fn split<'a>(text: Cow<'a, str>, separator: &str) -> Result<Vec<Value<'a>>, String> {
    let count = text.matches(separator).count() + 1;
    if count > MAX_ITEMS {
        return Err(format!("`split` gives more than {MAX_ITEMS} items"));
    }
    let mut items = Vec::with_capacity(count);
    let item = |part: Cow<'a, str>| Value::text(part).unwrap_or(Value::Null);
    match text {
        Cow::Borrowed(text) => items.extend(text.split(separator).map(|part| item(part.into()))),
        Cow::Owned(text) => {
            let parts = text.split(separator).map(str::to_owned);
            items.extend(parts.map(|part| item(part.into())));
        }
    }
    Ok(items)
}
