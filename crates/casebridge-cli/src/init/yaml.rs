//! Writes any name or text of a domain as YAML, and as the mapping's language.

use std::fmt::{self, Write as _};

use textwrap::core::display_width;

/// Words that some reader of YAML takes for a boolean or null.
const WORDS: [&str; 10] = [
    "null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan",
];

/// A scalar that every YAML reader takes for this very text: plain where that is safe, else in double quotes.
pub(super) fn scalar(text: &str) -> String {
    let is_plain = text.starts_with(char::is_alphabetic)
        // In a list, ` -` before its end begins something else for some readers.
        && !text.ends_with([' ', '-'])
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || " _-./()'&+%".contains(c))
        && !WORDS.contains(&text.to_lowercase().as_str());
    if is_plain {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// Writes text as a constant of the mapping's language, in which `$` and `{{` begin something else.
pub(super) fn literal(text: &str) -> String {
    if text.starts_with('$') || text.contains("{{") {
        quoted(&format!("{{{{ '{}' }}}}", text.replace('\'', "''")))
    } else {
        scalar(text)
    }
}

/// Text for a comment: on one line, and nothing in it that YAML refuses.
pub(super) fn comment(text: &str) -> String {
    text.replace(is_unsafe, " ")
}

fn quoted(text: &str) -> String {
    // A JSON string is a YAML one but for a few characters that YAML wants escaped.
    let json = serde_json::Value::from(text).to_string();
    json.chars().fold(String::new(), |mut quoted, character| {
        if is_unsafe(character) {
            // Writing to a string cannot fail.
            let _ = write!(quoted, "\\u{:04x}", u32::from(character));
        } else {
            quoted.push(character);
        }
        quoted
    })
}

/// Characters that YAML refuses or takes for the end of a line (YAML 1.2.2, 5.1 and 5.4; 1.1 for its line breaks).
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
}

/// The column of notes, at most: the note of a longer line follows the line.
const MAX_NOTE_COLUMN: usize = 54;

/// The lines of a YAML file for someone to continue: keys with notes, some of them commented out.
#[derive(Default)]
pub(super) struct Lines(Vec<Line>);

struct Line {
    /// The indent of a line that is commented out; the text of another line has its indent.
    off: Option<usize>,
    text: String,
    note: String,
}

impl Lines {
    /// Adds active lines; a tab separates a line from its note.
    pub(super) fn on(&mut self, lines: &str) {
        for line in lines.lines() {
            let (text, note) = line.split_once('\t').unwrap_or((line, ""));
            self.push(None, text, note);
        }
    }

    /// Adds a line that is commented out.
    pub(super) fn off(&mut self, indent: usize, text: &str, note: &str) {
        self.push(Some(indent), text, note);
    }

    fn push(&mut self, off: Option<usize>, text: &str, note: &str) {
        self.0.push(Line {
            off,
            text: text.to_owned(),
            note: note.to_owned(),
        });
    }

    /// The same lines with nothing commented out.
    #[cfg(test)]
    pub(super) fn all_on(mut self) -> Self {
        for line in &mut self.0 {
            if let Some(indent) = line.off.take() {
                line.text.insert_str(0, &" ".repeat(indent));
            }
        }
        self
    }
}

impl Line {
    fn without_note(&self) -> String {
        match self.off {
            Some(indent) => format!("{:indent$}# {}", "", self.text),
            None => self.text.clone(),
        }
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noted = self.0.iter().filter(|line| !line.note.is_empty());
        let column = noted.map(|line| display_width(&line.without_note()) + 2);
        let column = column.max().unwrap_or_default().min(MAX_NOTE_COLUMN);
        for line in &self.0 {
            let (text, note) = (line.without_note(), &line.note);
            if note.is_empty() {
                writeln!(f, "{text}")?;
            } else {
                let space = column.saturating_sub(display_width(&text)).max(2);
                writeln!(f, "{text}{:space$}# {note}", "")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use mapping::expression::parse;
    use mapping::filter::Definitions;
    use mapping::tree::{Kind, Literal, Node};
    use mapping::value::Value;
    use mapping::yaml::parse as yaml;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_where_it_is_safe() {
        for (text, written) in [
            ("Order number", "Order number"),
            ("E-mail (2025)", "E-mail (2025)"),
            ("a -", "\"a -\""),
            ("Übergröße", "Übergröße"),
            ("no", "\"no\""),
            ("12", "\"12\""),
            ("<<", "\"<<\""),
            ("a: b", "\"a: b\""),
            ("{x}", "\"{x}\""),
            ("say \"hi\"", "\"say \\\"hi\\\"\""),
            ("🙂", "\"🙂\""),
            ("a\u{85}b", "\"a\\u0085b\""),
            ("", "\"\""),
        ] {
            assert_eq!(scalar(text), written);
        }
    }

    /// Reads a scalar with the mapping's YAML reader: as key, as value and as item of a list.
    fn read(written: &str) -> [String; 3] {
        let document = format!("{written}: {written} # no part of it\nlist: [{written}]\n");
        let (root, diagnostics) = yaml(&document).expect("YAML");
        assert!(diagnostics.is_empty());
        let Kind::Map(mut entries) = root.kind else {
            unreachable!("it is an object")
        };
        let Kind::List(mut items) = entries.remove(1).value.kind else {
            unreachable!("it is a list")
        };
        let entry = entries.remove(0);
        [entry.key.text, text(&entry.value), text(&items.remove(0))]
    }

    fn text(node: &Node) -> String {
        match &node.kind {
            Kind::Scalar(scalar) => match scalar.literal() {
                Literal::Text(text) => text.to_owned(),
                other => unreachable!("{other:?} is no text"),
            },
            _ => unreachable!("it is a scalar"),
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_it_was(text in "\\PC{0,12}|[\\x00-\\x7f]{0,8}|[$ :#'\"{}\\[\\]&*!|>%@`,?-]{0,6}|[a -]{1,4}|<<") {
            prop_assert_eq!(read(&scalar(&text)), [text.clone(), text.clone(), text]);
        }

        #[test]
        fn any_text_stands_for_itself(text in "[$ {}'\"a|.]{1,10}") {
            let [_, written, _] = read(&literal(&text));
            let template = parse(&written, &Definitions::default()).expect("a text");
            let item = template.evaluate(&nowhere()).expect("a value");
            prop_assert_eq!(item, Value::text(text));
        }

        #[test]
        fn a_comment_keeps_to_its_line(text in any::<String>()) {
            let written = format!("a: b # {}\nc: d\n", comment(&text));
            let (root, diagnostics) = yaml(&written).expect("YAML");
            prop_assert!(diagnostics.is_empty());
            prop_assert!(matches!(root.kind, Kind::Map(entries) if entries.len() == 2));
        }
    }

    fn nowhere() -> mapping::expression::Scope<'static> {
        mapping::expression::Scope {
            event: &serde_json::Value::Null,
            mapping: "",
            trigger: "",
            domain: "",
            variables: Box::leak(Box::default()),
        }
    }
}
