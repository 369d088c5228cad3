//! From a filter's name and what stands between its parentheses to the filter, or to the sentence that says what it takes.

use time::format_description::OwnedFormatItem;

use super::super::diagnostic::suggest;
use super::{Filter, NAMES, Tables};

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

/// A sentence and the help for it.
pub(super) type Refusal = (String, Option<String>);

impl Filter {
    pub(super) fn named(
        name: &str,
        arguments: Vec<Argument>,
        tables: &Tables,
    ) -> Result<Self, Refusal> {
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

/// What was given between a filter's parentheses.
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
