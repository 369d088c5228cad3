//! Text within bounds: how long it may become, and where it may be cut.
//!
//! A value of an event is only as long as the event. Filters that replace, join or repeat it could make it any length: ten `replace` in a row
//! make ten thousand million characters out of one.

use unicode_segmentation::UnicodeSegmentation;

/// The bytes of the longest text that is made: more than the largest payload that Lambda takes, so that no text of an event alone comes near.
pub const MAX_TEXT: usize = 8_000_000;

/// More than the bound: "gives more than 8000000 bytes of text".
#[derive(Debug, thiserror::Error)]
#[error("gives more than {MAX_TEXT} bytes of text")]
pub(crate) struct TooLong;

impl TooLong {
    /// The sentence about a filter.
    pub(crate) fn of(&self, filter: &str) -> String {
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

/// The text cut to at most `length` characters, back to a grapheme boundary, with nothing added.
#[must_use]
pub fn truncate(text: &str, length: usize) -> &str {
    let Some((limit, _)) = text.char_indices().nth(length) else {
        return text;
    };
    let end = text
        .grapheme_indices(true)
        .map(|(start, grapheme)| start + grapheme.len())
        .take_while(|end| *end <= limit)
        .last();
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}
