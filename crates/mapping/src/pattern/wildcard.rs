//! `wildcard`: `*` stands for any number of characters, `\*` and `\\` for the characters themselves.
//!
//! The text is cut at its wildcards once; matching looks for each piece from the left, so the work grows with the text, not with the wildcards.

/// A compiled wildcard.
#[derive(Clone, Debug)]
pub(super) struct Wildcard {
    /// What the text begins with; all of it when there is no tail.
    head: String,
    /// What comes between wildcards, in this order.
    middle: Vec<String>,
    /// What the text ends with, behind the last wildcard.
    tail: Option<String>,
}

impl Wildcard {
    /// Compiles a wildcard.
    ///
    /// # Errors
    /// The sentence to say about one that is not allowed.
    pub(super) fn new(text: &str) -> Result<Self, &'static str> {
        let mut pieces = Vec::new();
        let mut piece = String::new();
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '*' if characters.peek() == Some(&'*') => {
                    return Err("`wildcard` takes no two `*` in a row");
                }
                '*' => pieces.push(std::mem::take(&mut piece)),
                '\\' => match characters.next_if(|next| matches!(next, '*' | '\\')) {
                    Some(escaped) => piece.push(escaped),
                    None => {
                        return Err(
                            "in `wildcard` a backslash stands only before `*` or another backslash",
                        );
                    }
                },
                _ => piece.push(character),
            }
        }
        let mut pieces = pieces.into_iter();
        Ok(match pieces.next() {
            None => Self {
                head: piece,
                middle: Vec::new(),
                tail: None,
            },
            Some(head) => Self {
                head,
                middle: pieces.collect(),
                tail: Some(piece),
            },
        })
    }

    /// Whether the text matches.
    pub(super) fn accepts(&self, text: &str) -> bool {
        let Some(tail) = &self.tail else {
            return text == self.head;
        };
        let inner = text
            .strip_prefix(self.head.as_str())
            .and_then(|rest| rest.strip_suffix(tail.as_str()));
        let found = inner.and_then(|rest| {
            self.middle.iter().try_fold(rest, |rest, piece| {
                rest.split_once(piece.as_str()).map(|(_, rest)| rest)
            })
        });
        found.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_whole_texts() {
        for (wildcard, text, expected) in [
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("a*", "a", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*ab*ab", "ab", false),
            ("*ab*ab", "abab", true),
            ("*a*b*", "xbxaxbx", true),
            ("*a*b*", "xbxax", false),
            (r"a\*b", "a*b", true),
            (r"a\*b", "axb", false),
            (r"\\*", r"\anything", true),
            ("é*é", "éé", true),
        ] {
            let compiled = Wildcard::new(wildcard).expect("valid");
            assert_eq!(compiled.accepts(text), expected, "{wildcard} {text}");
        }
        for wildcard in ["**", r"a\b", r"a\", r"*\**\*a**"] {
            assert!(Wildcard::new(wildcard).is_err(), "{wildcard}");
        }
    }

    /// What a wildcard means, by definition and in exponential time.
    fn defined(wildcard: &[char], text: &[char]) -> bool {
        match (wildcard, text) {
            ([], text) => text.is_empty(),
            (['*', rest @ ..], text) => {
                (0..=text.len()).any(|skipped| defined(rest, &text[skipped..]))
            }
            ([expected, rest @ ..], [found, text @ ..]) => expected == found && defined(rest, text),
            (_, []) => false,
        }
    }

    proptest::proptest! {
        #[test]
        fn accepts_what_the_definition_accepts(wildcard in "(\\*?[ab]){0,5}\\*?", text in "[ab]{0,9}") {
            let characters = |text: &str| text.chars().collect::<Vec<_>>();
            let accepted = Wildcard::new(&wildcard).expect("valid").accepts(&text);
            proptest::prop_assert_eq!(accepted, defined(&characters(&wildcard), &characters(&text)));
        }
    }
}
