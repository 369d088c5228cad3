//! Filters of expressions, such as `upper` in `{{ $.detail.order.id | upper }}`.
//!
//! Every filter is typed and total: each value gives a result or an error. The name, the arguments and, if known, the type of the input
//! are checked when the mapping is loaded. The rest is checked for each value.
//! Only `default` accepts a missing value. For every other filter, the value stays missing.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use time::format_description::OwnedFormatItem;

use crate::decimal::{self, Decimal};
use crate::diagnostic::suggest;
use crate::lenient_json;
use crate::reference::{self, Data, Reference};
use crate::text::{BoundedText, truncate};
use crate::timestamp::{self, TimeSpan};
use crate::value::{Value, is_json_number, write_json};
use crate::zone::Zone;

/// The mapping's `tables`, by name.
pub type Tables = BTreeMap<String, Arc<Table>>;

/// One table: from the text of a scalar to another scalar.
pub type Table = HashMap<String, Value<'static>>;

/// The names that an expression can use besides references, and the time zone that it reads and writes times in.
#[derive(Clone, Debug, Default)]
pub struct Definitions {
    /// The mapping's `tables`.
    pub tables: Tables,
    /// The names of the variables, in the order of their places.
    pub variables: Vec<String>,
    /// The case mapping's `time_zone`.
    pub zone: Option<Zone>,
}

/// The names of all filters, in the order of the documentation.
pub const NAMES: [&str; 29] = [
    "default",
    "missing_if",
    "upper",
    "lower",
    "trim",
    "truncate",
    "replace",
    "extract",
    "prepend",
    "append",
    "url_encode",
    "split",
    "join",
    "first",
    "last",
    "count",
    "sum",
    "lookup",
    "number",
    "plus",
    "minus",
    "times",
    "text",
    "boolean",
    "date",
    "iso",
    "add_time",
    "from_json",
    "to_json",
];

/// Names that other languages have for these filters, each with the filter.
const NAMES_ELSEWHERE: [(&str, &str); 29] = [
    ("add", "plus"),
    ("subtract", "minus"),
    ("multiply", "times"),
    ("divided_by", "times"),
    ("divide", "times"),
    ("size", "count"),
    ("length", "count"),
    ("len", "count"),
    ("concat", "append"),
    ("strip", "trim"),
    ("substring", "truncate"),
    ("slice", "truncate"),
    ("match", "extract"),
    ("matches", "extract"),
    ("regex", "extract"),
    ("regex_replace", "extract"),
    ("capture", "extract"),
    ("strftime", "date"),
    ("format_date", "date"),
    ("int", "number"),
    ("float", "number"),
    ("string", "text"),
    ("bool", "boolean"),
    ("json", "from_json"),
    ("parse_json", "from_json"),
    ("stringify", "to_json"),
    ("coalesce", "default"),
    ("map", "lookup"),
    ("encodeURIComponent", "url_encode"),
];

/// The type of a value, as far as it is known at load time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any type. It depends on the event.
    Any,
    /// Text.
    Text,
    /// A number.
    Number,
    /// A boolean.
    Boolean,
    /// A list.
    List,
}

impl Kind {
    fn describe(self) -> &'static str {
        match self {
            Self::Any => "anything",
            Self::Text => "text",
            Self::Number => "a number",
            Self::Boolean => "a boolean",
            Self::List => "a list",
        }
    }
}

/// A filter, ready to apply.
#[derive(Clone, Debug)]
pub enum Filter {
    /// `default(argument)`: replaces a missing value with the argument.
    Default(Argument),
    /// `missing_if('N/A', …)`: text that is equal to an argument is missing. Letter case and outer white space are ignored.
    MissingIf(Vec<Argument>),
    /// `upper`
    Upper,
    /// `lower`
    Lower,
    /// `trim`: removes white space at both ends.
    Trim,
    /// `truncate(n)`: at most n characters, cut at a grapheme boundary.
    Truncate(usize),
    /// `replace(from, to)`
    Replace(String, String),
    /// `extract('regex')`: the first group of the first match, or the whole match if there is no group.
    Extract(Regex),
    /// `prepend(text)`: adds text before a value that is present.
    Prepend(Argument),
    /// `append(text)`: adds text after a value that is present.
    Append(Argument),
    /// `url_encode`: one component of a URL, in the characters that a URL allows everywhere.
    UrlEncode,
    /// `split(separator)`: turns text into a list.
    Split(String),
    /// `join(separator)`: turns a list into text.
    Join(String),
    /// `first`: the first item of a list.
    First,
    /// `last`: the last item of a list.
    Last,
    /// `count`: the number of items in a list.
    Count,
    /// `sum`: the sum of a list of numbers, 0 for an empty list.
    Sum,
    /// `lookup(table)`: the table's entry, missing if there is none. Of a list, each item's entry, or the item if there is none.
    Lookup(Arc<Table>),
    /// `number`, or `number(',')` with the sign between the whole part and the fraction.
    Number(Option<DecimalMark>),
    /// `plus(number)`, `minus(number)` and `times(number)`.
    Arithmetic(Operation, Argument),
    /// `text`
    Text,
    /// `boolean`
    Boolean,
    /// `date(format)`: a time as text in the time zone, with a strftime format.
    Date(OwnedFormatItem, Option<Zone>),
    /// `iso`: a time as RFC 3339 in UTC.
    Iso(Option<Zone>),
    /// `add_time('180d')`: a later time as RFC 3339. Days are calendar days in the time zone.
    AddTime(TimeSpan, Option<Zone>),
    /// `from_json`: reads the JSON in a text.
    FromJson,
    /// `to_json`: writes a value as JSON.
    ToJson,
}

/// An arithmetic operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `plus`
    Plus,
    /// `minus`
    Minus,
    /// `times`
    Times,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Plus => "plus",
            Self::Minus => "minus",
            Self::Times => "times",
        }
    }

    fn filter<'a>(
        self,
        item: Value<'a>,
        argument: &'a Argument,
        data: &dyn Data<'a>,
    ) -> Result<Option<Value<'a>>, String> {
        let name = self.name();
        let left = decimal(item, name)?;
        let Some(right) = argument.value(data)? else {
            return Ok(None);
        };
        let right = decimal(right, name)?;
        let result = match self {
            Self::Plus => left.plus(right),
            Self::Minus => left.minus(right),
            Self::Times => left.times(right),
        };
        let result = result.ok_or_else(|| too_large(name))?;
        Ok(Some(Value::Number(result.to_string().into())))
    }
}

/// The sign between the whole part and the fraction of a number in text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecimalMark {
    /// `1,234.50`
    Point,
    /// `1.234,50`
    Comma,
}

/// A regular expression of `extract`.
#[derive(Clone, Debug)]
pub struct Regex(regex_lite::Regex);

impl Filter {
    /// Creates a filter, and checks its name, its arguments and the type of its input.
    ///
    /// # Errors
    /// A message that states the accepted input or arguments, and help.
    pub fn new(
        name: &str,
        arguments: Vec<Argument>,
        before: Kind,
        definitions: &Definitions,
    ) -> Result<Self, Refusal> {
        let filter = Self::named(name, arguments, definitions)?;
        let takes = filter.takes();
        if before == Kind::Any || takes.is_empty() || takes.contains(&before) {
            return Ok(filter);
        }
        let takes = takes
            .iter()
            .map(|kind| kind.describe())
            .collect::<Vec<_>>()
            .join(" or ");
        let help = match before {
            Kind::List => Some("make text of the list first: `| join(', ')`"),
            Kind::Number | Kind::Boolean => Some("make text of it first: `| text`"),
            Kind::Any | Kind::Text => None,
        };
        Err((
            format!(
                "`{name}` takes {takes}, and before it stands {}",
                before.describe()
            ),
            help.map(str::to_owned),
        ))
    }

    /// Returns the types that the filter accepts. An empty list means all types.
    fn takes(&self) -> &'static [Kind] {
        match self {
            Self::Default(_) | Self::ToJson | Self::Lookup(_) => &[],
            Self::Upper
            | Self::Lower
            | Self::Trim
            | Self::Truncate(_)
            | Self::Replace(..)
            | Self::Extract(_)
            | Self::FromJson
            | Self::Split(_) => &[Kind::Text],
            Self::Join(_) | Self::First | Self::Last | Self::Count | Self::Sum => &[Kind::List],
            Self::MissingIf(_)
            | Self::Prepend(_)
            | Self::Append(_)
            | Self::UrlEncode
            | Self::Text
            | Self::Boolean => &[Kind::Text, Kind::Number, Kind::Boolean],
            Self::Number(_)
            | Self::Arithmetic(..)
            | Self::Date(..)
            | Self::Iso(_)
            | Self::AddTime(..) => &[Kind::Text, Kind::Number],
        }
    }

    /// Returns the type of the filter's result for an input of this type.
    #[must_use]
    pub fn gives(&self, before: Kind) -> Kind {
        match self {
            Self::Default(Argument::Text(_)) if before == Kind::Text => Kind::Text,
            Self::Default(Argument::Number(_)) if before == Kind::Number => Kind::Number,
            Self::Default(Argument::Boolean(_)) if before == Kind::Boolean => Kind::Boolean,
            Self::MissingIf(_) => before,
            Self::Lookup(_) if before == Kind::List => Kind::List,
            Self::Default(_) | Self::First | Self::Last | Self::Lookup(_) | Self::FromJson => {
                Kind::Any
            }
            Self::Upper
            | Self::Lower
            | Self::Trim
            | Self::Truncate(_)
            | Self::Replace(..)
            | Self::Extract(_)
            | Self::Prepend(_)
            | Self::Append(_)
            | Self::UrlEncode
            | Self::Join(_)
            | Self::Text
            | Self::Date(..)
            | Self::Iso(_)
            | Self::AddTime(..)
            | Self::ToJson => Kind::Text,
            Self::Split(_) => Kind::List,
            Self::Count | Self::Sum | Self::Number(_) | Self::Arithmetic(..) => Kind::Number,
            Self::Boolean => Kind::Boolean,
        }
    }

    /// Applies the filter; `None` is a missing value.
    ///
    /// # Errors
    /// The filter does not accept the type of the value: "`upper` takes text, found a number".
    /// The result is too long.
    /// An argument, a variable, cannot be computed.
    pub fn apply<'a>(
        &'a self,
        value: Option<Value<'a>>,
        data: &dyn Data<'a>,
    ) -> Result<Option<Value<'a>>, String> {
        let Some(item) = value else {
            return match self {
                Self::Default(argument) => argument.value(data),
                _ => Ok(None),
            };
        };
        match self {
            // White space alone is no value of a field, so `default` replaces it here already.
            Self::Default(argument) if is_blank(&item) => argument.value(data),
            Self::FromJson if is_blank(&item) => Ok(None),
            Self::Default(_) => Ok(Some(item)),
            Self::Upper => text(item, "upper").map(|text| Value::text(text.to_uppercase())),
            Self::Lower => text(item, "lower").map(|text| Value::text(text.to_lowercase())),
            Self::Trim => text(item, "trim").map(|text| Value::text(text.trim().to_owned())),
            Self::Truncate(length) => {
                text(item, "truncate").map(|text| Value::text(truncate(&text, *length).to_owned()))
            }
            Self::Replace(from, to) => replace(&text(item, "replace")?, from, to).map(Value::text),
            Self::MissingIf(arguments) => missing_if(item, arguments, data),
            Self::Extract(regex) => {
                let text = text(item, "extract")?;
                // Every character counts, as a value that a selector visits.
                data.visit(text.len())?;
                regex.extract(&text)
            }
            Self::Prepend(argument) => {
                let text = scalar(item, "prepend")?;
                let before = argument.text(data, "prepend")?;
                before.map_or(Ok(None), |before| concat("prepend", &before, &text))
            }
            Self::Append(argument) => {
                let text = scalar(item, "append")?;
                let after = argument.text(data, "append")?;
                after.map_or(Ok(None), |after| concat("append", &text, &after))
            }
            Self::UrlEncode => url_encode(&scalar(item, "url_encode")?),
            Self::Split(separator) => {
                let items = split(text(item, "split")?, separator)?;
                Ok(Some(Value::List(items)))
            }
            Self::Join(separator) => join(list(item, "join")?, separator),
            Self::First => Ok(list(item, "first")?
                .into_iter()
                .next()
                .filter(|item| *item != Value::Null)),
            Self::Last => Ok(list(item, "last")?
                .pop()
                .filter(|item| *item != Value::Null)),
            Self::Count => Ok(Some(Value::Number(
                list(item, "count")?.len().to_string().into(),
            ))),
            Self::Sum => sum(list(item, "sum")?),
            Self::Lookup(table) => look_up(table, item),
            Self::Number(mark) => number(item, *mark),
            Self::Arithmetic(operation, argument) => operation.filter(item, argument, data),
            Self::Text => Ok(Value::text(scalar(item, "text")?)),
            Self::Boolean => boolean(&item),
            Self::Date(format, zone) => date(&item, format, zone.as_ref()),
            Self::Iso(zone) => {
                let moment = moment(&item, "iso", zone.as_ref())?;
                Ok(timestamp::rfc3339(moment).and_then(Value::text))
            }
            Self::AddTime(span, zone) => {
                let moment = moment(&item, "add_time", zone.as_ref())?;
                let later = span
                    .after(moment, zone.as_ref())
                    .and_then(timestamp::rfc3339);
                later
                    .map(Value::text)
                    .ok_or_else(|| "`add_time` gives a time outside the years 0 to 9999".to_owned())
            }
            Self::FromJson => from_json(&text(item, "from_json")?),
            Self::ToJson => to_json(&item.into_json()).map(Some),
        }
    }
}

fn text<'a>(item: Value<'a>, filter: &str) -> Result<Cow<'a, str>, String> {
    let help = match &item {
        Value::List(_) => ": join it first",
        Value::Number(_) | Value::Boolean(_) => ": make text of it first with `text`",
        Value::Text(_) | Value::Object(_) | Value::Null => "",
    };
    match item {
        Value::Text(text) => Ok(text),
        other => Err(format!(
            "`{filter}` takes text, found {}{help}",
            other.describe()
        )),
    }
}

fn scalar<'a>(item: Value<'a>, filter: &str) -> Result<Cow<'a, str>, String> {
    item.into_text().map_err(|item| {
        format!(
            "`{filter}` takes text, a number or a boolean, found {}",
            item.describe()
        )
    })
}

fn list<'a>(item: Value<'a>, filter: &str) -> Result<Vec<Value<'a>>, String> {
    match item {
        Value::List(items) => Ok(items),
        other => Err(format!(
            "`{filter}` takes a list, found {}",
            other.describe()
        )),
    }
}

fn join<'a>(items: Vec<Value<'a>>, separator: &str) -> Result<Option<Value<'a>>, String> {
    let mut joined = BoundedText::default();
    let items = items.into_iter().filter(|item| *item != Value::Null);
    for (index, item) in items.enumerate() {
        let text = item.into_text().map_err(|item| {
            let flatten = if matches!(item, Value::List(_)) {
                ": flatten it with `[*]`"
            } else {
                ""
            };
            let found = item.describe();
            format!(
                "`join` takes a list of text, numbers or booleans, found {found} in it{flatten}"
            )
        })?;
        let separator = if index > 0 { separator } else { "" };
        let pushed = joined.push(separator).and_then(|()| joined.push(&text));
        pushed.map_err(|excess| excess.of("join"))?;
    }
    Ok(Value::text(joined.finish()))
}

/// Every character that a URL does not allow in all its parts.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

fn is_blank(item: &Value<'_>) -> bool {
    matches!(item, Value::Text(text) if text.trim().is_empty())
}

fn concat<'a>(filter: &str, first: &str, second: &str) -> Result<Option<Value<'a>>, String> {
    let mut text = BoundedText::default();
    let pushed = text.push(first).and_then(|()| text.push(second));
    pushed.map_err(|excess| excess.of(filter))?;
    Ok(Value::text(text.finish()))
}

fn missing_if<'a>(
    item: Value<'a>,
    arguments: &'a [Argument],
    data: &dyn Data<'a>,
) -> Result<Option<Value<'a>>, String> {
    let fold = |text: &str| text.trim().to_lowercase();
    let text = fold(&scalar(item.clone(), "missing_if")?);
    for argument in arguments {
        let other = argument.text(data, "missing_if")?;
        if other.is_some_and(|other| fold(&other) == text) {
            return Ok(None);
        }
    }
    Ok(Some(item))
}

fn url_encode<'a>(text: &str) -> Result<Option<Value<'a>>, String> {
    let mut encoded = BoundedText::default();
    for part in percent_encoding::utf8_percent_encode(text, RESERVED) {
        let pushed = encoded.push(part);
        pushed.map_err(|excess| excess.of("url_encode"))?;
    }
    Ok(Value::text(encoded.finish()))
}

/// Returns the table's entry. In a list, an item without an entry stays as it is.
fn look_up<'a>(table: &Table, item: Value<'a>) -> Result<Option<Value<'a>>, String> {
    let Value::List(items) = item else {
        return Ok(table.get(&*scalar(item, "lookup")?).cloned());
    };
    let look_up = |item: Value<'a>| {
        let text = item.clone().into_text();
        let entry = text.ok().and_then(|text| table.get(&*text).cloned());
        entry.unwrap_or(item)
    };
    Ok(Some(Value::List(items.into_iter().map(look_up).collect())))
}

fn number(item: Value<'_>, mark: Option<DecimalMark>) -> Result<Option<Value<'_>>, String> {
    let found = item.describe_refused();
    let number = match item {
        // The mark is that of a text: a number is a number already.
        Value::Number(_) => return Ok(Some(item)),
        Value::Text(text) if is_json_number(&text) && mark.is_none() => {
            return Ok(Some(Value::Number(text)));
        }
        Value::Text(text) => read_number(&text, mark),
        _ => None,
    };
    match number {
        Some(number) => Ok(Some(Value::Number(number.into()))),
        None => Err(format!(
            "`number` takes a number or text that is one, found {found}"
        )),
    }
}

fn boolean<'a>(item: &Value<'_>) -> Result<Option<Value<'a>>, String> {
    item.as_boolean()
        .map(|boolean| Some(Value::Boolean(boolean)))
        .ok_or_else(|| {
            let found = item.describe_refused();
            format!("`boolean` takes a boolean or the text `true` or `false`, found {found}")
        })
}

fn date<'a>(
    item: &Value<'_>,
    format: &OwnedFormatItem,
    zone: Option<&Zone>,
) -> Result<Option<Value<'a>>, String> {
    let moment = moment(item, "date", zone)?;
    let local = zone.map_or(Some(moment), |zone| zone.local(moment));
    let text = local.and_then(|local| local.format(format).ok());
    text.map(Value::text)
        .ok_or_else(|| "`date` cannot write this time in its format".to_owned())
}

fn decimal(item: Value<'_>, filter: &str) -> Result<Decimal, String> {
    let found = item.describe_refused();
    let text = match item {
        Value::Number(text) | Value::Text(text) if text.len() > decimal::MAX_LENGTH => {
            return Err(format!(
                "`{filter}` takes numbers of at most {} characters, found more",
                decimal::MAX_LENGTH
            ));
        }
        Value::Number(text) => Some(text.into_owned()),
        Value::Text(text) => read_number(&text, None),
        _ => None,
    };
    let Some(text) = text else {
        return Err(format!(
            "`{filter}` takes numbers or text that is one, found {found}"
        ));
    };
    Decimal::parse(&text).ok_or_else(|| {
        format!(
            "`{filter}` takes numbers of at most {} digits and with an exponent up to {}, found one with more",
            decimal::MAX_DIGITS,
            decimal::MAX_EXPONENT
        )
    })
}

fn too_large(filter: &str) -> String {
    format!(
        "`{filter}` gives a number of more than {} digits, or with an exponent above {}",
        decimal::MAX_DIGITS,
        decimal::MAX_EXPONENT
    )
}

fn sum(items: Vec<Value<'_>>) -> Result<Option<Value<'_>>, String> {
    let mut sum = Decimal::default();
    for item in items.into_iter().filter(|item| *item != Value::Null) {
        let more = decimal(item, "sum")?;
        sum = sum.plus(more).ok_or_else(|| too_large("sum"))?;
    }
    Ok(Some(Value::Number(sum.to_string().into())))
}

/// Reads a number as people write it, and returns it as JSON writes it.
///
/// White space around it, a plus sign, leading zeros and a missing zero before the mark are accepted.
/// With an explicit mark, three digits may be separated by the other mark, a blank or an apostrophe.
fn read_number(text: &str, mark: Option<DecimalMark>) -> Option<String> {
    let text = text.trim();
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    if text.starts_with(['+', '-']) {
        return None;
    }
    let point = match mark {
        Some(DecimalMark::Comma) => ',',
        Some(DecimalMark::Point) | None => '.',
    };
    let (text, exponent) = match text.split_once(['e', 'E']) {
        Some((text, exponent)) => (text, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match text.split_once(point) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let whole = match mark {
        Some(_) => ungrouped(whole, if point == ',' { '.' } else { ',' })?,
        None => whole.to_owned(),
    };
    let whole = match whole.trim_start_matches('0') {
        "" if whole.is_empty() && fraction.is_none() => return None,
        "" => "0",
        digits => digits,
    };
    let mut number = format!("{sign}{whole}");
    if let Some(fraction) = fraction {
        number = format!("{number}.{fraction}");
    }
    if let Some(exponent) = exponent {
        number = format!("{number}e{exponent}");
    }
    is_json_number(&number).then_some(number)
}

/// Removes the separators between groups of three digits. Returns `None` for groups of another length.
fn ungrouped(whole: &str, other_mark: char) -> Option<String> {
    const BLANKS: [char; 5] = [' ', '\u{a0}', '\u{202f}', '\'', '\u{2019}'];
    let separator = whole.find(|c| c == other_mark || BLANKS.contains(&c));
    let separator = separator.and_then(|at| whole.get(at..)?.chars().next());
    let Some(separator) = separator else {
        return Some(whole.to_owned());
    };
    let mut groups = whole.split(separator);
    let first = groups.next().unwrap_or_default();
    let fits = (1..=3).contains(&first.len())
        && !first.starts_with('0')
        && groups.all(|group| group.len() == 3);
    fits.then(|| whole.replace(separator, ""))
}

/// The maximum length of a text that `extract` searches, in bytes.
const MAX_SEARCHED: usize = 10_000;

/// The maximum size of a compiled regular expression, in bytes. The time is bounded by the product of both.
const MAX_REGEX: usize = 10_000;

impl Regex {
    fn compile(pattern: &str) -> Result<Self, Refusal> {
        let compiled = regex_lite::RegexBuilder::new(pattern)
            .size_limit(MAX_REGEX)
            .build();
        compiled.map(Self).map_err(|error| {
            let help = "such as '([0-9]+)'; look-around and back-references are not supported";
            (
                format!("this is no regular expression: {error}"),
                Some(help.to_owned()),
            )
        })
    }

    fn extract<'a>(&self, text: &str) -> Result<Option<Value<'a>>, String> {
        if text.len() > MAX_SEARCHED {
            return Err(format!(
                "`extract` takes text of at most {MAX_SEARCHED} bytes, found more"
            ));
        }
        let Some(captures) = self.0.captures(text) else {
            return Ok(None);
        };
        let group = usize::from(self.0.captures_len() > 1);
        let found = captures.get(group);
        Ok(found.and_then(|found| Value::text(found.as_str().to_owned())))
    }
}

/// The maximum length of the text that `from_json` reads, in bytes. A value takes a hundred times the memory of its text.
const MAX_JSON: usize = 500_000;

/// Returns a value as JSON text.
pub(crate) fn to_json<'a>(value: &serde_json::Value) -> Result<Value<'a>, String> {
    let mut text = BoundedText::default();
    let written = write_json(value, &mut text);
    written.map_err(|excess| excess.of("to_json"))?;
    Ok(Value::Text(text.finish().into()))
}

fn from_json<'a>(text: &str) -> Result<Option<Value<'a>>, String> {
    if text.len() > MAX_JSON {
        return Err(format!(
            "`from_json` takes text of at most {MAX_JSON} bytes, found more"
        ));
    }
    let json = lenient_json::parse(text).map_err(|error| {
        format!(
            "`from_json` takes text that is JSON, and {}",
            lenient_json::reason(&error)
        )
    })?;
    Ok(Value::from_json(&json).map(Value::into_owned))
}

fn moment(
    item: &Value<'_>,
    filter: &str,
    zone: Option<&Zone>,
) -> Result<time::OffsetDateTime, String> {
    timestamp::read(item, zone).map_err(|found| {
        format!("`{filter}` takes a time (RFC 3339, RFC 2822, or seconds, milliseconds or microseconds since 1970), {found}")
    })
}

/// An argument of a filter, as written.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    /// Quoted text.
    Text(String),
    /// A number, in its source text.
    Number(String),
    /// `true` or `false`.
    Boolean(bool),
    /// A reference without filters.
    Reference(Reference),
}

impl Argument {
    /// Returns the value of the argument, or `None` if it is missing.
    fn value<'a>(&'a self, data: &dyn Data<'a>) -> Result<Option<Value<'a>>, String> {
        match self {
            Self::Text(text) => Ok(Value::text(text.as_str())),
            Self::Number(text) => Ok(Some(Value::Number(text.into()))),
            Self::Boolean(boolean) => Ok(Some(Value::Boolean(*boolean))),
            Self::Reference(reference) => reference::follow(reference, data),
        }
    }

    /// Returns the argument as text, or `None` if it is missing. Literal empty text is present.
    fn text<'a>(
        &'a self,
        data: &dyn Data<'a>,
        filter: &str,
    ) -> Result<Option<Cow<'a, str>>, String> {
        match self {
            Self::Text(text) => Ok(Some(text.into())),
            argument => match argument.value(data)? {
                Some(value) => scalar(value, filter).map(Some),
                None => Ok(None),
            },
        }
    }

    fn describe(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Number(_) => "a number",
            Self::Boolean(_) => "a boolean",
            Self::Reference(_) => "a reference",
        }
    }
}

/// A message and its help.
type Refusal = (String, Option<String>);

impl Filter {
    /// Returns the literal texts among the filter's arguments.
    #[must_use]
    pub fn literal_texts(&self) -> Vec<&str> {
        let arguments = match self {
            Self::Replace(from, to) => return vec![from, to],
            Self::Split(separator) | Self::Join(separator) => return vec![separator],
            Self::Default(argument) | Self::Prepend(argument) | Self::Append(argument) => {
                std::slice::from_ref(argument)
            }
            Self::MissingIf(arguments) => arguments,
            _ => &[],
        };
        let texts = arguments.iter().filter_map(|argument| match argument {
            Argument::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    /// Calls the function with every reference in the filter's arguments.
    pub fn each_reference<'r>(&'r self, call: &mut dyn FnMut(&'r Reference)) {
        let arguments = match self {
            Self::Default(argument)
            | Self::Prepend(argument)
            | Self::Append(argument)
            | Self::Arithmetic(_, argument) => std::slice::from_ref(argument),
            Self::MissingIf(arguments) => arguments,
            _ => &[],
        };
        for argument in arguments {
            if let Argument::Reference(reference) = argument {
                reference.each(call);
            }
        }
    }

    fn without_arguments(name: &str) -> Option<Self> {
        Some(match name {
            "upper" => Self::Upper,
            "lower" => Self::Lower,
            "trim" => Self::Trim,
            "url_encode" => Self::UrlEncode,
            "first" => Self::First,
            "last" => Self::Last,
            "count" => Self::Count,
            "sum" => Self::Sum,
            "text" => Self::Text,
            "boolean" => Self::Boolean,
            "from_json" => Self::FromJson,
            "to_json" => Self::ToJson,
            _ => return None,
        })
    }

    fn named(
        name: &str,
        arguments: Vec<Argument>,
        definitions: &Definitions,
    ) -> Result<Self, Refusal> {
        let Definitions { tables, zone, .. } = definitions;
        let mut given = Arguments {
            filter: name,
            count: arguments.len(),
            rest: arguments.into_iter(),
        };
        if let Some(filter) = Self::without_arguments(name) {
            return given.none(filter);
        }
        match name {
            "default" => given
                .one("'text', a number, true, false or a reference")
                .map(Self::Default),
            "missing_if" if given.count == 0 => Err((
                "`missing_if` takes at least one argument, found 0".to_owned(),
                Some("write missing_if('N/A', 'unknown')".to_owned()),
            )),
            "missing_if" => Ok(Self::MissingIf(given.rest.collect())),
            "extract" => {
                let [pattern] = given.texts("('([0-9]+)')")?;
                Regex::compile(&pattern).map(Self::Extract)
            }
            "prepend" => given.one("'text' or a reference").map(Self::Prepend),
            "append" => given.one("'text' or a reference").map(Self::Append),
            "plus" => given.number(Operation::Plus),
            "minus" => given.number(Operation::Minus),
            "times" => given.number(Operation::Times),
            "add_time" => {
                let [text] = given.texts("('30d')")?;
                let span = TimeSpan::parse(&text).ok_or_else(|| {
                    (
                        format!(
                            "`add_time` takes a number of days, hours or minutes, found `{text}`"
                        ),
                        Some("such as '30d', '12h', '45m' or '-1d'".to_owned()),
                    )
                })?;
                Ok(Self::AddTime(span, zone.clone()))
            }
            "truncate" => given.length().map(Self::Truncate),
            "replace" => {
                let [from, to] = given.texts("('from', 'to')")?;
                if from.is_empty() {
                    Err(("`replace` cannot look for empty text".to_owned(), None))
                } else {
                    Ok(Self::Replace(from, to))
                }
            }
            "split" => {
                let [separator] = given.texts("('separator')")?;
                if separator.is_empty() {
                    Err((
                        "`split` needs a separator that is not empty".to_owned(),
                        None,
                    ))
                } else {
                    Ok(Self::Split(separator))
                }
            }
            "join" => given
                .texts("('separator')")
                .map(|[separator]| Self::Join(separator)),
            "lookup" => {
                let [table] = given.texts("('table')")?;
                let found = tables.get(&table).cloned().map(Self::Lookup);
                found.ok_or_else(|| {
                    (
                        format!("there is no table `{table}`"),
                        suggest(&table, tables.keys().map(String::as_str)),
                    )
                })
            }
            "number" if given.count == 0 => Ok(Self::Number(None)),
            "number" => match given.one("',' or '.'")? {
                Argument::Text(mark) if mark == "," => Ok(Self::Number(Some(DecimalMark::Comma))),
                Argument::Text(mark) if mark == "." => Ok(Self::Number(Some(DecimalMark::Point))),
                _ => Err((
                    "`number` takes the sign before the fraction, which is ',' or '.'".to_owned(),
                    Some("write number(',') for 1.234,50".to_owned()),
                )),
            },
            "date" => {
                let [format] = given.texts("('%Y-%m-%d')")?;
                date_format(&format).map(|format| Self::Date(format, zone.clone()))
            }
            "iso" => given.none(Self::Iso(zone.clone())),
            _ => {
                let mut elsewhere = NAMES_ELSEWHERE.into_iter();
                let here = elsewhere.find(|(other, _)| other.eq_ignore_ascii_case(name));
                let help = match here {
                    Some((_, here)) => Some(format!("did you mean `{here}`?")),
                    None => suggest(name, NAMES),
                };
                Err((format!("there is no filter `{name}`"), help))
            }
        }
    }
}

fn date_format(format: &str) -> Result<OwnedFormatItem, Refusal> {
    let help = || {
        Some("such as '%Y-%m-%d %H:%M'; times are UTC unless `time_zone` says otherwise".to_owned())
    };
    let items = time::format_description::parse_strftime_owned(format)
        .map_err(|error| (format!("this is not a date format: {error}"), help()))?;
    match time::OffsetDateTime::UNIX_EPOCH.format(&items) {
        Ok(_) => Ok(items),
        Err(error) => Err((
            format!("this date format cannot be written: {error}"),
            help(),
        )),
    }
}

/// The arguments of a filter, as written.
struct Arguments<'a> {
    filter: &'a str,
    count: usize,
    rest: std::vec::IntoIter<Argument>,
}

impl Arguments<'_> {
    fn none(&self, filter: Filter) -> Result<Filter, Refusal> {
        if self.count == 0 {
            Ok(filter)
        } else {
            Err((
                format!("`{}` takes no argument, found {}", self.filter, self.count),
                None,
            ))
        }
    }

    fn one(&mut self, usage: &str) -> Result<Argument, Refusal> {
        match (self.rest.next(), self.count) {
            (Some(argument), 1) => Ok(argument),
            _ => Err((
                format!("`{}` takes one argument, found {}", self.filter, self.count),
                Some(format!("write {}({usage})", self.filter)),
            )),
        }
    }

    fn number(&mut self, operation: Operation) -> Result<Filter, Refusal> {
        let name = operation.name();
        match self.one("a number or a reference")? {
            Argument::Number(text) if Decimal::parse(&text).is_none() => Err((
                format!(
                    "`{name}` takes a number of at most {} digits, found one with more",
                    decimal::MAX_DIGITS
                ),
                None,
            )),
            argument @ (Argument::Number(_) | Argument::Reference(_)) => {
                Ok(Filter::Arithmetic(operation, argument))
            }
            other => Err((
                format!("`{name}` takes a number, found {}", other.describe()),
                Some(format!("write {name}(1.5) or {name}($.detail.fee)")),
            )),
        }
    }

    fn texts<const N: usize>(&mut self, usage: &str) -> Result<[String; N], Refusal> {
        let usage = || Some(format!("write {}{usage}", self.filter));
        if self.count != N {
            let plural = if N == 1 {
                "one argument"
            } else {
                "two arguments"
            };
            return Err((
                format!("`{}` takes {plural}, found {}", self.filter, self.count),
                usage(),
            ));
        }
        let mut texts = Vec::with_capacity(N);
        for argument in self.rest.by_ref() {
            match argument {
                Argument::Text(text) => texts.push(text),
                other => {
                    return Err((
                        format!("`{}` takes text, found {}", self.filter, other.describe()),
                        usage(),
                    ));
                }
            }
        }
        texts
            .try_into()
            .map_err(|_| (format!("`{}` takes {N} arguments", self.filter), None))
    }

    fn length(&mut self) -> Result<usize, Refusal> {
        match self.one("60")? {
            Argument::Number(text) => match text.parse() {
                Ok(length) if length > 0 => Ok(length),
                _ => Err((
                    format!(
                        "`{}` takes a whole number of characters above 0, found `{text}`",
                        self.filter
                    ),
                    None,
                )),
            },
            other => Err((
                format!(
                    "`{}` takes a number of characters, found {}",
                    self.filter,
                    other.describe()
                ),
                Some("write truncate(60)".to_owned()),
            )),
        }
    }
}

/// The maximum number of items in a list that a filter makes.
pub const MAX_ITEMS: usize = 1_000_000;

/// Replaces every occurrence of `from` with `to`.
fn replace(text: &str, from: &str, to: &str) -> Result<String, String> {
    let mut replaced = BoundedText::default();
    for (index, part) in text.split(from).enumerate() {
        let to = if index > 0 { to } else { "" };
        let pushed = replaced.push(to).and_then(|()| replaced.push(part));
        pushed.map_err(|excess| excess.of("replace"))?;
    }
    Ok(replaced.finish())
}

/// Splits text at each separator. Empty parts become [`Value::Null`].
fn split<'a>(text: Cow<'a, str>, separator: &str) -> Result<Vec<Value<'a>>, String> {
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
