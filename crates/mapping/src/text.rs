//! Text of bounded size: the maximum length of a text that filters make, and cuts at grapheme boundaries.
//!
//! A value of an event is never longer than the event. Filters that replace, join or repeat text could make it any length:
//! ten `replace` in a row turn one character into ten thousand million.

use unicode_segmentation::UnicodeSegmentation;

/// The maximum length of a text, in bytes. Lambda's largest payload is smaller, so no text of an event reaches this limit.
pub const MAX_TEXT: usize = 8_000_000;

/// An error for text above the limit: "gives more than 8000000 bytes of text".
#[derive(Debug, thiserror::Error)]
#[error("gives more than {MAX_TEXT} bytes of text")]
pub(crate) struct TooLong;

impl TooLong {
    /// Returns the message about a filter.
    pub(crate) fn of(&self, filter: &str) -> String {
        format!("`{filter}` {self}")
    }
}

/// Text that can grow up to [`MAX_TEXT`].
#[derive(Default)]
pub(crate) struct BoundedText(String);

impl BoundedText {
    /// Appends text.
    ///
    /// # Errors
    /// The result would be too long.
    pub(crate) fn push(&mut self, text: &str) -> Result<(), TooLong> {
        if self.0.len() + text.len() > MAX_TEXT {
            return Err(TooLong);
        }
        self.0.push_str(text);
        Ok(())
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }
}

/// Returns the text, cut to at most `length` characters at a grapheme boundary, with nothing added.
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
