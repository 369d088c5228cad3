//! Additions: turns an event and its case mapping into the contact and the comments for a case that exists.
//!
//! An addition never prevents the case. A value that cannot be computed is kept as the failure to report.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;

use crate::error::{ErrorCode, Failure};
use crate::event::Event;
use mapping::LinkContact;
use mapping::Trigger;
use mapping::arn;
use mapping::expression::{Scope, ValueExpr};
use mapping::limits;

/// Returns the ARN of the contact to link, `arn:P:connect:R:A:instance/I/contact/ID`, if the mapping asks for a link.
pub(super) fn contact(
    link: &LinkContact,
    event: &Event,
    scope: &Scope<'_>,
) -> Option<Result<String, Failure>> {
    let named = match link {
        LinkContact::Never => return None,
        LinkContact::Current => None,
        LinkContact::Named(expr) => Some(expr),
    };
    Some(contact_arn(named, event, scope))
}

fn contact_arn(
    named: Option<&ValueExpr>,
    event: &Event,
    scope: &Scope<'_>,
) -> Result<String, Failure> {
    let missed =
        |reason: String| Failure::new(ErrorCode::ContactNotLinked, reason).of("link_contact");
    let contact = match named.map(|expr| expr.evaluate_text(scope)) {
        None => event.contact_id().map(Cow::Borrowed).ok_or_else(|| {
            let reason = "the event is about no contact: leave `link_contact` out, or say where the contact's ARN stands";
            missed(reason.to_owned())
        }),
        Some(Ok(Some(contact))) => Ok(contact),
        Some(Ok(None)) => Err(missed("the contact to link is missing from the event".to_owned())),
        Some(Err(wrong)) => Err(missed(format!("the contact to link cannot be computed: {wrong}"))),
    }?;
    if arn::is_connect(&contact, &["contact"]) {
        return Ok(contact.into_owned());
    }
    let instance = match event.trigger {
        Trigger::ContactFlow => event.text(&["InstanceARN"]),
        Trigger::EventBridge => event.text(&["detail", "instanceArn"]),
    };
    let assembled = format!("{}/contact/{contact}", instance.unwrap_or_default());
    if arn::is_connect(&assembled, &["contact"]) {
        Ok(assembled)
    } else {
        let reason =
            "its ARN cannot be assembled: the event gives no sound instance ARN and contact id";
        Err(missed(reason.to_owned()))
    }
}

/// Returns the comments of a case mapping, or none if the value is missing.
pub(super) fn comments(
    comment: Option<&ValueExpr>,
    scope: &Scope<'_>,
) -> Vec<Result<String, Failure>> {
    let Some(expr) = comment else {
        return Vec::new();
    };
    match expr.evaluate_text(scope) {
        Ok(text) => text
            .iter()
            .flat_map(|text| parts(text, limits::COMMENT))
            .map(|part| Ok(part.to_owned()))
            .collect(),
        Err(wrong) => {
            let message = format!("the comment cannot be computed: {wrong}");
            vec![Err(
                Failure::new(ErrorCode::CommentNotAdded, message).of("comment")
            )]
        }
    }
}

/// Returns the whole text of a field that cannot hold it, as comments.
///
/// Each comment has a heading, `Summary` or `Summary (2 of 3)`, and the text below.
pub(super) fn overflow(field: &str, text: &str) -> Vec<String> {
    // A field's name has at most 100 characters. The rest is for the count and the empty line.
    const HEADING: usize = 150;
    let parts = parts(text, limits::COMMENT - HEADING);
    let count = parts.len();
    let heading = |number: usize| match count {
        1 => field.to_owned(),
        _ => format!("{field} ({number} of {count})"),
    };
    (1..)
        .zip(parts)
        .map(|(number, part)| format!("{}\n\n{part}", heading(number)))
        .collect()
}

/// Splits the text into parts of at most `limit` characters, between graphemes.
pub(super) fn parts(text: &str, limit: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut begin, mut length) = (0, 0);
    for (at, grapheme) in text.grapheme_indices(true) {
        let more = grapheme.chars().count();
        if length + more > limit && length > 0 {
            parts.extend(text.get(begin..at));
            (begin, length) = (at, 0);
        }
        length += more;
    }
    parts.extend(text.get(begin..).filter(|rest| !rest.is_empty()));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_into_parts_that_make_it_again() {
        let text = "aé\u{1f469}\u{200d}\u{1f33e}".repeat(40);
        for limit in [4, 5, 7, 100, 1000] {
            let parts = parts(&text, limit);
            assert_eq!(parts.concat(), text);
            assert!(parts.iter().all(|part| part.chars().count() <= limit));
        }
        assert_eq!(overflow("Notes", "abc"), ["Notes\n\nabc"]);
        let parts = overflow("Notes", &"x".repeat(2 * limits::COMMENT));
        assert!(
            parts
                .iter()
                .all(|part| part.chars().count() <= limits::COMMENT)
        );
        assert!(
            parts
                .iter()
                .any(|part| part.starts_with("Notes (2 of 3)\n\n"))
        );
    }
}
