//! The YAML reader: from YAML text to the tree, with the event parser of `saphyr`. Scalars are not resolved.
//!
//! The composer is ours, because every loader of `saphyr` stores mappings in hash maps. A duplicate key is then lost before it can be
//! reported with its position. The text is one document without tags. Anchors, aliases and merge keys (`<<`) work within limits.

mod fault;

use std::collections::{HashMap, HashSet};
use std::str::Chars;

use saphyr_parser::input::is_breakz;
use saphyr_parser::{Event, Input, Marker, Parser, ScalarStyle, Span as Marks};

use self::fault::Fault;
use crate::diagnostic::Diagnostic;
use crate::tree::{Entry, Key, Kind, Node, Position, Scalar, SizeBudget, Span};

/// The maximum nesting depth, counted after aliases are expanded. No real mapping is as deep.
const MAX_DEPTH: usize = 64;

/// Reads one YAML document. Also returns the diagnostics that leave the rest readable (tags, keys that are not text).
///
/// # Errors
/// The diagnostic that stopped the reader: a syntax error, a size limit or a missing document. It is reported alone.
pub fn parse(text: &str) -> Result<(Node, Vec<Diagnostic>), Vec<Diagnostic>> {
    let lines = Lines::of(text);
    refuse_control_characters(text, &lines)?;
    let mut composer = Composer::default();
    let mut parser = Parser::new(Characters::of(text));
    while let Some(event) = parser.next_event() {
        let (event, marks) = event.map_err(|error| {
            let start = lines.position(*error.marker());
            let fault = match error.info() {
                // The parser's own limit. The parser reaches it when it looks far ahead in flow style.
                "recursion limit exceeded" => Fault {
                    start,
                    message: too_deep(),
                    help: None,
                },
                found => fault::explain(text, start, found),
            };
            let start = fault.start;
            let span = Span { start, end: start }.first_character();
            vec![Diagnostic::new(span, fault.message).maybe_help(fault.help)]
        })?;
        composer
            .take(event, lines.span(marks))
            .map_err(|diagnostic| vec![*diagnostic])?;
    }
    let start = Position { line: 1, column: 1 };
    let empty = || {
        vec![Diagnostic::new(
            Span { start, end: start },
            "the file is empty",
        )]
    };
    Ok((composer.root.ok_or_else(empty)?, composer.diagnostics))
}

fn too_deep() -> String {
    format!("this is nested more than {MAX_DEPTH} levels deep")
}

/// Reports the first control character. The parser would end the text at a NUL and drop the rest without an error.
fn refuse_control_characters(text: &str, lines: &Lines) -> Result<(), Vec<Diagnostic>> {
    // Every control character contains one of these bytes, and few texts contain any.
    // Checking bytes is much faster than checking characters.
    let suspect = |byte: u8| {
        (byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')) || matches!(byte, 0x7f | 0xc2)
    };
    if !text.bytes().fold(false, |seen, byte| seen | suspect(byte)) {
        return Ok(());
    }
    let allowed = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    let Some((index, character)) = text.chars().enumerate().find(|(_, c)| !allowed(*c)) else {
        return Ok(());
    };
    let start = lines.at(index);
    let code = u32::from(character);
    let message = format!("the character U+{code:04X} cannot stand in YAML");
    let diagnostic = Diagnostic::new(Span { start, end: start }.first_character(), message);
    let help = format!("remove it, or write \\x{code:02x} in double quotes");
    Err(vec![diagnostic.help(help)])
}

/// A collection whose end is not read yet.
struct Open {
    start: Position,
    anchor: usize,
    kind: OpenKind,
}

enum OpenKind {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        /// The nodes merged by `<<`. In quotes, `<<` is an ordinary key.
        merges: Vec<Node>,
        /// The key whose value comes next.
        key: Option<PendingKey>,
        /// Set when a key is not text.
        odd: bool,
    },
}

enum PendingKey {
    Own(Key),
    Merge,
}

/// A copy of an anchor's node, for its aliases.
#[derive(Clone)]
struct Anchored {
    node: Node,
    room: SizeBudget,
    /// The depth in levels of objects and lists.
    depth: usize,
}

#[derive(Default)]
struct Composer {
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    root: Option<Node>,
    room: SizeBudget,
    diagnostics: Vec<Diagnostic>,
}

impl Composer {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Box<Diagnostic>> {
        match event {
            Event::DocumentStart(_) if self.root.is_some() => {
                let message = "a second document begins here; a mapping is one document";
                return Err(Box::new(
                    Diagnostic::new(span, message).help("remove the line `---`"),
                ));
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.is_some(), span);
                let plain = style == ScalarStyle::Plain;
                // The parser reports an absent value as a `~` of width zero.
                let absent = plain && span.start == span.end;
                let text = if absent {
                    String::new()
                } else {
                    text.into_owned()
                };
                self.take_room(SizeBudget::of(&text), span)?;
                let kind = Kind::Scalar(Scalar { text, plain });
                self.place(Node { span, kind }, anchor)?;
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag.is_some(), span);
                self.begin(span, anchor, OpenKind::List(Vec::new()))?;
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag.is_some(), span);
                let map = OpenKind::Map {
                    // Most objects are small, and an empty vector would first grow to a capacity of four.
                    entries: Vec::with_capacity(2),
                    merges: Vec::new(),
                    key: None,
                    odd: false,
                };
                self.begin(span, anchor, map)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span)?,
            Event::Alias(anchor) => {
                let Some(Anchored { node, room, depth }) = self.anchors.get(&anchor).cloned()
                else {
                    let message = "this alias stands inside its own anchor";
                    return Err(Box::new(Diagnostic::new(span, message)));
                };
                self.check_depth(depth, span)?;
                self.take_room(room, span)?;
                self.place(node, 0)?;
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn begin(&mut self, span: Span, anchor: usize, kind: OpenKind) -> Result<(), Box<Diagnostic>> {
        self.check_depth(1, span)?;
        self.take_room(SizeBudget { nodes: 1, text: 0 }, span)?;
        let start = span.start;
        self.open.push(Open {
            start,
            anchor,
            kind,
        });
        Ok(())
    }

    /// Checks that `more` levels are allowed here.
    fn check_depth(&self, more: usize, span: Span) -> Result<(), Box<Diagnostic>> {
        if self.open.len() + more <= MAX_DEPTH {
            return Ok(());
        }
        Err(Box::new(Diagnostic::new(span, too_deep())))
    }

    fn take_room(&mut self, more: SizeBudget, span: Span) -> Result<(), Box<Diagnostic>> {
        let taken = self.room.take(more);
        taken.map_err(|excess| {
            let message = format!("the file holds {excess}, its aliases expanded");
            Box::new(Diagnostic::new(span, message))
        })
    }

    fn end(&mut self, span: Span) -> Result<(), Box<Diagnostic>> {
        let Some(Open {
            start,
            anchor,
            kind,
        }) = self.open.pop()
        else {
            return Ok(());
        };
        let kind = match kind {
            OpenKind::List(items) => Kind::List(items),
            OpenKind::Map { odd: true, .. } => self.odd(Span {
                start,
                end: span.end,
            }),
            OpenKind::Map {
                entries, merges, ..
            } => Kind::Map(self.merged(entries, merges)),
        };
        let end = span.end;
        self.place(
            Node {
                span: Span { start, end },
                kind,
            },
            anchor,
        )
    }

    /// Adds a finished node to its parent as an item, a key or a value. Without a parent it becomes the root.
    fn place(&mut self, node: Node, anchor: usize) -> Result<(), Box<Diagnostic>> {
        if anchor != 0 {
            let (room, depth) = measure(&node);
            self.take_room(room, node.span)?;
            let copy = node.clone();
            self.anchors.insert(
                anchor,
                Anchored {
                    node: copy,
                    room,
                    depth,
                },
            );
        }
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.root = Some(node),
            Some(OpenKind::List(items)) => items.push(node),
            Some(OpenKind::Map {
                entries,
                merges,
                key,
                odd,
            }) => match (key.take(), node) {
                (Some(PendingKey::Own(key)), value) => entries.push(Entry { key, value }),
                (Some(PendingKey::Merge), value) => merges.push(value),
                (None, node) => {
                    let text = match node.kind {
                        Kind::Scalar(scalar) if scalar.plain && scalar.text == "<<" => {
                            *key = Some(PendingKey::Merge);
                            return Ok(());
                        }
                        Kind::Scalar(scalar) => scalar.text,
                        Kind::List(_) | Kind::Map(_) => {
                            *odd = true;
                            String::new()
                        }
                    };
                    let span = node.span;
                    *key = Some(PendingKey::Own(Key { span, text }));
                }
            },
        }
        Ok(())
    }

    /// Reports an object with a key that is not text. It is nearly always an interpolation without quotes.
    ///
    /// Returns the scalar that quotes would give, so that reading continues.
    fn odd(&mut self, span: Span) -> Kind {
        let message = "`{{` without quotes is an object to YAML, not text";
        let help = "put the whole value in quotes: \"{{ $.source }}\"";
        self.diagnostics
            .push(Diagnostic::new(span, message).help(help));
        Kind::Scalar(Scalar {
            text: "{{ $.unquoted }}".to_owned(),
            plain: false,
        })
    }

    /// Resolves merge keys. Entries from `<<` follow the object's own entries and never replace one.
    fn merged(&mut self, mut own: Vec<Entry>, merges: Vec<Node>) -> Vec<Entry> {
        if merges.is_empty() {
            return own;
        }
        let mut taken: HashSet<String> = own.iter().map(|entry| entry.key.text.clone()).collect();
        for merge in merges {
            let sources = match merge.kind {
                Kind::List(items) => items,
                _ => vec![merge],
            };
            for source in sources {
                let Kind::Map(entries) = source.kind else {
                    self.diagnostics.push(Diagnostic::new(
                        source.span,
                        format!(
                            "`<<` takes an object or a list of them, found {}",
                            source.describe()
                        ),
                    ));
                    continue;
                };
                own.extend(
                    entries
                        .into_iter()
                        .filter(|entry| taken.insert(entry.key.text.clone())),
                );
            }
        }
        own
    }

    fn refuse_tag(&mut self, tagged: bool, span: Span) {
        if tagged {
            self.diagnostics.push(
                Diagnostic::new(span, "a mapping has no YAML tags")
                    .help("remove the word that begins with `!`; quotes make text of anything"),
            );
        }
    }
}

/// Returns the size of a node, and its depth in levels of objects and lists.
fn measure(node: &Node) -> (SizeBudget, usize) {
    let add = |(room, depth): (SizeBudget, usize), below: &Node| {
        let (more, levels) = measure(below);
        (room.plus(more), depth.max(levels))
    };
    let empty = (SizeBudget { nodes: 1, text: 0 }, 0);
    let (room, depth) = match &node.kind {
        Kind::Scalar(scalar) => return (SizeBudget::of(&scalar.text), 0),
        Kind::List(items) => items.iter().fold(empty, add),
        Kind::Map(entries) => entries.iter().fold(empty, |so_far, entry| {
            let (room, depth) = add(so_far, &entry.value);
            (room.plus(SizeBudget::of(&entry.key.text)), depth)
        }),
    };
    (room, depth + 1)
}

/// A text, and the parser's position in it.
struct Characters<'t> {
    next: Option<char>,
    rest: Chars<'t>,
    /// The number of characters that the parser asked to look ahead. All of them are available.
    ahead: usize,
}

impl<'t> Characters<'t> {
    fn of(text: &'t str) -> Self {
        let mut rest = text.chars();
        Self {
            next: rest.next(),
            rest,
            ahead: 0,
        }
    }
}

/// Returns true if the character is neither a line end, the end of the text nor a byte order mark.
fn is_of_line(character: char) -> bool {
    !is_breakz(character) && character != '\u{FEFF}'
}

impl Input for Characters<'_> {
    fn lookahead(&mut self, count: usize) {
        self.ahead = self.ahead.max(count);
    }

    fn buflen(&self) -> usize {
        self.ahead
    }

    /// Returns the capacity that the parser reserves for every word.
    fn bufmaxlen(&self) -> usize {
        16
    }

    fn raw_read_ch(&mut self) -> char {
        let character = self.peek();
        self.skip();
        character
    }

    fn raw_read_non_breakz_ch(&mut self) -> Option<char> {
        let character = self.next.filter(|c| is_of_line(*c))?;
        self.skip();
        Some(character)
    }

    #[inline]
    fn skip(&mut self) {
        self.next = self.rest.next();
    }

    /// Skips a comment for the parser, and returns its length in characters.
    fn skip_while_non_breakz(&mut self) -> usize {
        let mut skipped = 0;
        while self.next.is_some_and(is_of_line) {
            self.skip();
            skipped += 1;
        }
        skipped
    }

    fn skip_n(&mut self, count: usize) {
        (0..count).for_each(|_| self.skip());
    }

    #[inline]
    fn peek(&self) -> char {
        self.next.unwrap_or('\0')
    }

    #[inline]
    fn peek_nth(&self, n: usize) -> char {
        let character = match n.checked_sub(1) {
            Some(skipped) => self.rest.clone().nth(skipped),
            None => self.next,
        };
        character.unwrap_or('\0')
    }

    #[inline]
    fn peek_opt(&self) -> Option<char> {
        self.next
    }
}

/// The start of each line of a text, in characters.
///
/// The parser counts an extra line after the last one, and one at each carriage return. Readers and editors do not.
struct Lines {
    starts: Vec<usize>,
    length: usize,
}

impl Lines {
    fn of(text: &str) -> Self {
        let mut starts = vec![0];
        let mut length = 0;
        for byte in text.bytes() {
            // Count every byte except UTF-8 continuation bytes.
            length += usize::from(byte & 0xc0 != 0x80);
            if byte == b'\n' {
                starts.push(length);
            }
        }
        Self { starts, length }
    }

    /// Returns the position of the character with this index.
    fn at(&self, index: usize) -> Position {
        let index = index.min(self.length);
        self.on(self.starts.partition_point(|start| *start <= index), index)
    }

    /// Returns the position of a mark. It uses the parser's line if that line is correct.
    fn position(&self, mark: Marker) -> Position {
        let (index, line) = (mark.index(), mark.line());
        let begun = |line: usize| self.starts.get(line).is_some_and(|start| *start <= index);
        let counted_right = line.checked_sub(1).is_some_and(begun) && !begun(line);
        if counted_right && index <= self.length {
            self.on(line, index)
        } else {
            self.at(index)
        }
    }

    /// Returns the position of a character on a line. Lines are counted from 1.
    fn on(&self, line: usize, index: usize) -> Position {
        let start = line.checked_sub(1).and_then(|line| self.starts.get(line));
        let column = index - start.unwrap_or(&0) + 1;
        Position { line, column }
    }

    fn span(&self, marks: Marks) -> Span {
        Span {
            start: self.position(marks.start),
            end: self.position(marks.end),
        }
    }
}

#[cfg(test)]
mod characters_tests {
    use saphyr_parser::{Event, Parser, ScanError, Span};

    use super::*;

    /// Returns all events of a parser up to the first error, and that error.
    fn events<I: Input>(mut parser: Parser<'_, I>) -> (Vec<(Event<'_>, Span)>, Option<ScanError>) {
        let mut events = Vec::new();
        while let Some(event) = parser.next_event() {
            match event {
                Ok(event) => events.push(event),
                Err(error) => return (events, Some(error)),
            }
        }
        (events, None)
    }

    proptest::proptest! {
        #[test]
        fn the_parser_reads_it_as_it_reads_its_own_input(text in "([-a:?é\u{FEFF}#'\"\\\\|>&*<!%\\[\\]{},.\0\t\r\n]| |\n {0,20}|: |- |\\\\u00e9){0,40}") {
            let own = events(Parser::new_from_iter(text.chars()));
            proptest::prop_assert_eq!(events(Parser::new(Characters::of(&text))), own);
        }
    }
}
