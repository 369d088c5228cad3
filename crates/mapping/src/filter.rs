//! Filters of expressions, such as `upper` in `{{ $.detail.order.id | upper }}`.
//!
//! Every filter is typed and total: each value gives a result or an error. The name, the arguments and, if known, the type of the input
//! are checked when the mapping is loaded. The rest is checked for each value.
//! Only `default` accepts a missing value. For every other filter, the value stays missing.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use time::format_description::OwnedFormatItem;

use crate::diagnostic::suggest;
use crate::text::{BoundedText, truncate};
use crate::timestamp;
use crate::value::{Value, is_json_number};

/// The mapping's `tables`, by name.
pub type Tables = BTreeMap<String, Arc<Table>>;

/// One table: from the text of a scalar to another scalar.
pub type Table = HashMap<String, Value<'static>>;

/// The names of all filters, in the order of the documentation.
pub const NAMES: [&str; 17] = [
    "default", "upper", "lower", "trim", "truncate", "replace", "split", "join", "first", "last",
    "count", "lookup", "number", "text", "boolean", "date", "iso",
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
    /// `default(literal)`: replaces a missing value with the literal.
    Default(Argument),
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
    /// `lookup(table)`: the table's entry, missing if there is none.
    Lookup(Arc<Table>),
    /// `number`
    Number,
    /// `text`
    Text,
    /// `boolean`
    Boolean,
    /// `date(format)`: a time as text in UTC, with a strftime format.
    Date(OwnedFormatItem),
    /// `iso`: a time as RFC 3339 in UTC.
    Iso,
}

impl Filter {
    /// Creates a filter, and checks its name, its arguments and the type of its input.
    ///
    /// # Errors
    /// A message that states the accepted input or arguments, and help.
    pub fn new(
        name: &str,
        arguments: Vec<Argument>,
        before: Kind,
        tables: &Tables,
    ) -> Result<Self, Refusal> {
        let filter = Self::named(name, arguments, tables)?;
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
            Self::Default(_) => &[],
            Self::Upper
            | Self::Lower
            | Self::Trim
            | Self::Truncate(_)
            | Self::Replace(..)
            | Self::Split(_) => &[Kind::Text],
            Self::Join(_) | Self::First | Self::Last | Self::Count => &[Kind::List],
            Self::Lookup(_) | Self::Number | Self::Text | Self::Boolean => {
                &[Kind::Text, Kind::Number, Kind::Boolean]
            }
            Self::Date(_) | Self::Iso => &[Kind::Text, Kind::Number],
        }
    }

    /// Returns the type of the filter's result for an input of this type.
    #[must_use]
    pub fn gives(&self, before: Kind) -> Kind {
        match self {
            Self::Default(Argument::Text(_)) if before == Kind::Text => Kind::Text,
            Self::Default(Argument::Number(_)) if before == Kind::Number => Kind::Number,
            Self::Default(Argument::Boolean(_)) if before == Kind::Boolean => Kind::Boolean,
            Self::Default(_) | Self::First | Self::Last | Self::Lookup(_) => Kind::Any,
            Self::Upper
            | Self::Lower
            | Self::Trim
            | Self::Truncate(_)
            | Self::Replace(..)
            | Self::Join(_)
            | Self::Text
            | Self::Date(_)
            | Self::Iso => Kind::Text,
            Self::Split(_) => Kind::List,
            Self::Count | Self::Number => Kind::Number,
            Self::Boolean => Kind::Boolean,
        }
    }

    /// Applies the filter; `None` is a missing value.
    ///
    /// # Errors
    /// The filter does not accept the type of the value: "`upper` takes text, found a number".
    /// The result is too long.
    pub fn apply<'a>(&'a self, value: Option<Value<'a>>) -> Result<Option<Value<'a>>, String> {
        let Some(item) = value else {
            return Ok(match self {
                Self::Default(Argument::Text(text)) => Value::text(text.as_str()),
                Self::Default(Argument::Number(text)) => Some(Value::Number(text.into())),
                Self::Default(Argument::Boolean(boolean)) => Some(Value::Boolean(*boolean)),
                _ => None,
            });
        };
        match self {
            Self::Default(_) => Ok(Some(item)),
            Self::Upper => text(item, "upper").map(|text| Value::text(text.to_uppercase())),
            Self::Lower => text(item, "lower").map(|text| Value::text(text.to_lowercase())),
            Self::Trim => text(item, "trim").map(|text| Value::text(text.trim().to_owned())),
            Self::Truncate(length) => {
                text(item, "truncate").map(|text| Value::text(truncate(&text, *length).to_owned()))
            }
            Self::Replace(from, to) => replace(&text(item, "replace")?, from, to).map(Value::text),
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
            Self::Lookup(table) => Ok(table.get(&*scalar(item, "lookup")?).cloned()),
            Self::Number => match scalar(item, "number")? {
                text if is_json_number(&text) => Ok(Some(Value::Number(text))),
                _ => Err(
                    "`number` takes a number or text that is exactly one, found other text"
                        .to_owned(),
                ),
            },
            Self::Text => Ok(Value::text(scalar(item, "text")?)),
            Self::Boolean => item
                .as_boolean()
                .map(|boolean| Some(Value::Boolean(boolean)))
                .ok_or_else(|| {
                    format!(
                        "`boolean` takes a boolean or the text `true` or `false`, found {}",
                        if matches!(item, Value::Text(_)) {
                            "other text"
                        } else {
                            item.describe()
                        }
                    )
                }),
            Self::Date(format) => moment(&item, "date")?
                .format(format)
                .map(Value::text)
                .map_err(|_| "`date` cannot write this time in its format".to_owned()),
            Self::Iso => Ok(timestamp::rfc3339(moment(&item, "iso")?).and_then(Value::text)),
        }
    }
}

fn text<'a>(item: Value<'a>, filter: &str) -> Result<Cow<'a, str>, String> {
    let help = match &item {
        Value::List(_) => ": join it first",
        Value::Number(_) | Value::Boolean(_) => ": make text of it first with `text`",
        Value::Text(_) | Value::Object | Value::Null => "",
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

fn moment(item: &Value<'_>, filter: &str) -> Result<time::OffsetDateTime, String> {
    timestamp::read(item).map_err(|found| {
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
}

impl Argument {
    fn describe(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Number(_) => "a number",
            Self::Boolean(_) => "a boolean",
        }
    }
}

/// A message and its help.
type Refusal = (String, Option<String>);

impl Filter {
    fn named(name: &str, arguments: Vec<Argument>, tables: &Tables) -> Result<Self, Refusal> {
        let mut given = Arguments {
            filter: name,
            count: arguments.len(),
            rest: arguments.into_iter(),
        };
        match name {
            "default" => given
                .one("'text', a number, true or false")
                .map(Self::Default),
            "upper" => given.none(Self::Upper),
            "lower" => given.none(Self::Lower),
            "trim" => given.none(Self::Trim),
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
            "first" => given.none(Self::First),
            "last" => given.none(Self::Last),
            "count" => given.none(Self::Count),
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
            "number" => given.none(Self::Number),
            "text" => given.none(Self::Text),
            "boolean" => given.none(Self::Boolean),
            "date" => {
                let [format] = given.texts("('%Y-%m-%d')")?;
                date_format(&format).map(Self::Date)
            }
            "iso" => given.none(Self::Iso),
            _ => Err((format!("there is no filter `{name}`"), suggest(name, NAMES))),
        }
    }
}

fn date_format(format: &str) -> Result<OwnedFormatItem, Refusal> {
    let help = || Some("such as '%Y-%m-%d %H:%M'; times are UTC".to_owned());
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
