//! The compiler of event patterns: from a node of the mapping's tree to a [`Pattern`].
//!
//! It builds the fields, their paths and the combinations of `$or`. It continues after an error and reports all diagnostics together.

use std::collections::HashSet;
use std::ops::Bound;
use std::slice;

use super::condition::{
    Address, Condition, Network, Number, TextCondition, Wildcard, comparable, is_inexact_integer,
};
use super::{Field, OR, Pattern, Step};
use crate::diagnostic::{Diagnostic, listed, suggest};
use crate::tree::{Entry, Key, Kind, Literal, Node, Scalar, Span};

/// Names that EventBridge refuses for fields inside `$or`: its operators, and some names that may become operators.
const RESERVED_IN_OR: &[&str] = &[
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
];

/// The maximum number of combinations that EventBridge accepts from the `$or` lists of a pattern.
const MAX_BRANCHES: usize = 1000;

/// The maximum number of fields that Event Ruler accepts in one combination.
const MAX_FIELDS: usize = 256;

/// The maximum number of characters in all paths. EventBridge refuses patterns of a hundredth of this size.
///
/// Without this limit, a long name above many others could multiply the size without bound.
const MAX_PATHS: usize = 1_000_000;

pub(super) fn compile(node: &Node, variables: &[String]) -> Result<Pattern, Vec<Diagnostic>> {
    let Kind::Map(entries) = &node.kind else {
        let message = format!(
            "an event pattern is an object of field names, found {}",
            node.describe()
        );
        return Err(vec![Diagnostic::new(node.span, message)]);
    };
    let mut compiler = Compiler {
        variables,
        ..Compiler::default()
    };
    let mut branches = vec![Branch::new()];
    compiler.object(entries, node.span, Scope::default(), &mut branches);
    if let Some(span) = compiler.too_many_fields {
        let message = format!("an event pattern takes {MAX_FIELDS} fields, found more");
        compiler.diagnostic(span, message);
    }
    if let Some(span) = compiler.too_long {
        let message = format!(
            "the paths of an event pattern have at most {MAX_PATHS} characters together, found more"
        );
        compiler.diagnostic(span, message);
    }
    if let Some(span) = compiler.too_many_branches {
        let message = format!(
            "the `{OR}` lists of an event pattern make at most {MAX_BRANCHES} combinations, found more"
        );
        compiler.diagnostic(span, message);
    }
    if compiler.diagnostics.is_empty() {
        Ok(pattern(compiler.fields, branches, variables))
    } else {
        Err(compiler.diagnostics)
    }
}

/// The fields of one combination.
type Branch = Vec<usize>;

#[derive(Default)]
struct Compiler<'a> {
    /// The variables that the pattern can name.
    variables: &'a [String],
    fields: Vec<Field>,
    diagnostics: Vec<Diagnostic>,
    /// The number of characters in all paths so far.
    paths: usize,
    /// The first list that exceeded the limit of branches.
    too_many_branches: Option<Span>,
    /// The first field that exceeded the limit of fields.
    too_many_fields: Option<Span>,
    /// The first name that exceeded the limit of characters in paths.
    too_long: Option<Span>,
}

/// The position of an object of fields.
#[derive(Clone, Copy, Default)]
struct Scope<'a> {
    /// The names that lead to the object, joined by dots. `None` at the top.
    path: Option<&'a str>,
    in_or: bool,
}

impl Scope<'_> {
    /// Returns the path of an object in this object.
    fn object(&self, name: &str) -> String {
        self.path
            .map_or_else(|| name.to_owned(), |path| format!("{path}.{name}"))
    }

    /// Returns the path of a field in this object.
    ///
    /// Directly below an empty name there is no dot before the field, as in Event Ruler.
    fn field(&self, name: &str) -> String {
        match self.path {
            None | Some("") => name.to_owned(),
            Some(path) => format!("{path}.{name}"),
        }
    }
}

impl Compiler<'_> {
    fn object(
        &mut self,
        entries: &[Entry],
        span: Span,
        scope: Scope<'_>,
        branches: &mut Vec<Branch>,
    ) {
        if entries.is_empty() {
            self.diagnostic(
                span,
                "an event pattern names at least one field in every object, found none",
            );
        }
        let mut names = HashSet::new();
        for Entry { key, value } in entries {
            let name = key.text.as_str();
            if !names.insert(name) {
                let message = format!("`{name}` stands twice in one object of the event pattern");
                self.diagnostics
                    .push(Diagnostic::new(key.span, message).help("put all of it under one"));
            } else if name == OR {
                self.alternatives(value, scope, branches);
            } else if scope.in_or && RESERVED_IN_OR.contains(&name) {
                let message =
                    format!("`{name}` is an operator and cannot be a field inside `{OR}`");
                let help = format!(
                    "`{OR}` takes groups of fields: an operator stands in the list of a field"
                );
                self.diagnostics
                    .push(Diagnostic::new(key.span, message).help(help));
            } else {
                self.check_variable(key, scope);
                self.member(key, value, scope, branches);
            }
        }
    }

    /// Reports a name with `$` that is no variable, and a variable that is not at the top.
    fn check_variable(&mut self, key: &Key, scope: Scope<'_>) {
        let Some(name) = variable(&key.text) else {
            return;
        };
        let is_known = self.variables.iter().any(|known| known == name);
        let diagnostic = if scope.path.is_some() {
            // Other systems have such names: `{ "_id": { "$oid": … } }`.
            if !is_known {
                return;
            }
            let message = format!(
                "a variable stands at the top of an event pattern, and `${name}` is below a member"
            );
            Diagnostic::new(key.span, message)
                .help("put it beside the top-level members, or in a `$or` there")
        } else if is_known {
            return;
        } else {
            let message = format!("there is no variable `{name}` here");
            let names = self.variables.iter().map(String::as_str);
            let help = suggest(name, names)
                .or_else(|| Some("members of the event stand without `$`".to_owned()));
            Diagnostic::new(key.span, message).maybe_help(help)
        };
        self.diagnostics.push(diagnostic);
    }

    fn member(&mut self, key: &Key, value: &Node, scope: Scope<'_>, branches: &mut Vec<Branch>) {
        let name = key.text.as_str();
        match &value.kind {
            Kind::Map(entries) => {
                let path = scope.object(name);
                if self.is_too_long(&path, key.span) {
                    return;
                }
                let path = Some(path.as_str());
                self.object(entries, value.span, Scope { path, ..scope }, branches);
            }
            Kind::List(items) => {
                let conditions = Conditions::read(name, items, value.span);
                self.field(scope.field(name), key.span, conditions, branches);
            }
            Kind::Scalar(scalar) => {
                let (message, help) = if scope.path.is_some() && RESERVED_IN_OR.contains(&name) {
                    let message =
                        format!("`{name}` is an operator, which stands in the list of a field");
                    (
                        message,
                        Some(format!("write [{{ {name}: {} }}]", scalar.text)),
                    )
                } else {
                    let found = value.describe();
                    let message = format!("`{name}` takes a list of values, found {found}");
                    (
                        message,
                        in_a_list(name, scalar).map(|list| format!("write {list}")),
                    )
                };
                self.diagnostics
                    .push(Diagnostic::new(value.span, message).maybe_help(help));
            }
        }
    }

    fn field(&mut self, path: String, span: Span, conditions: Conditions, branches: &mut [Branch]) {
        let Conditions {
            list,
            absent,
            diagnostics,
        } = conditions;
        self.diagnostics.extend(diagnostics);
        // A pattern that is too large is refused anyway. Continuing would only cost time.
        if self.too_many_fields.is_some() || self.is_too_long(&path, span) {
            return;
        }
        let mut others = branches
            .iter()
            .flatten()
            .filter_map(|field| self.fields.get(*field));
        if others.any(|other| other.path == path) {
            let message = format!("the event pattern names `{path}` twice");
            self.diagnostics
                .push(Diagnostic::new(span, message).help("put all its values in one list"));
            return;
        }
        for branch in branches {
            branch.push(self.fields.len());
            if branch.len() > MAX_FIELDS {
                self.too_many_fields.get_or_insert(span);
            }
        }
        self.fields.push(Field {
            path,
            conditions: list,
            absent,
        });
    }

    /// Continues each branch once for every object in the list.
    fn alternatives(&mut self, node: &Node, scope: Scope<'_>, branches: &mut Vec<Branch>) {
        let Kind::List(items) = &node.kind else {
            let found = node.describe();
            return self.diagnostic(
                node.span,
                format!("`{OR}` takes a list of groups of fields, found {found}"),
            );
        };
        if let count @ 0..2 = items.len() {
            self.diagnostic(
                node.span,
                format!("`{OR}` takes at least two groups of fields, found {count}"),
            );
        }
        let mut before = std::mem::take(branches);
        for item in items {
            let Kind::Map(entries) = &item.kind else {
                let found = item.describe();
                self.diagnostic(
                    item.span,
                    format!("`{OR}` takes groups of fields, found {found}"),
                );
                continue;
            };
            let mut alternative = before.clone();
            self.object(
                entries,
                item.span,
                Scope {
                    in_or: true,
                    ..scope
                },
                &mut alternative,
            );
            branches.append(&mut alternative);
            if branches.len() > MAX_BRANCHES {
                self.too_many_branches.get_or_insert(node.span);
                // The rest is read only for its diagnostics.
                *branches = vec![Branch::new()];
                before.clone_from(branches);
            }
        }
    }

    fn is_too_long(&mut self, path: &str, span: Span) -> bool {
        self.paths += path.len() + 1;
        if self.paths > MAX_PATHS {
            self.too_long.get_or_insert(span);
        }
        self.too_long.is_some()
    }

    fn diagnostic(&mut self, span: Span, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::new(span, message));
    }
}

/// Returns the scalar as the list of values that the author probably meant.
fn in_a_list(name: &str, scalar: &Scalar) -> Option<String> {
    if scalar.text.is_empty() || scalar.text.contains('\n') {
        return None;
    }
    let is_id = matches!(name, "account" | "id");
    Some(if scalar.plain && !is_id {
        format!("[{}]", scalar.text)
    } else {
        format!("[\"{}\"]", scalar.text.escape_debug())
    })
}

/// Returns the name of the variable that a path begins with.
fn variable(path: &str) -> Option<&str> {
    path.split('.').next()?.strip_prefix('$')
}

fn pattern(fields: Vec<Field>, mut branches: Vec<Branch>, names: &[String]) -> Pattern {
    let path = |field: &usize| fields.get(*field).map(|field| field.path.as_str());
    for branch in &mut branches {
        branch.sort_by(|a, b| path(a).cmp(&path(b)));
    }
    let mut steps = vec![Step::default()];
    for (number, field) in fields.iter().enumerate() {
        let end = field
            .path
            .split('.')
            .fold(0, |step, name| step_below(&mut steps, step, name));
        if let Some(step) = steps.get_mut(end) {
            step.fields.push(number);
        }
    }
    let mut variables = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let step = steps
            .first()
            .and_then(|root| root.below(&format!("${name}")));
        variables.extend(step.map(|step| (step, index)));
    }
    let empty_names = fields.iter().any(|field| has_empty_name(&field.path));
    Pattern {
        steps,
        fields,
        branches,
        empty_names,
        variables,
    }
}

/// Returns the step with this name below another. Adds it if it does not exist.
fn step_below(steps: &mut Vec<Step>, step: usize, name: &str) -> usize {
    let new = steps.len();
    let Some(step) = steps.get_mut(step) else {
        return 0;
    };
    if let Some(below) = step.below(name) {
        return below;
    }
    step.add_below(name, new);
    steps.push(Step::default());
    new
}

/// Returns true if Event Ruler sees an empty name in the path. An empty name at the end does not count: Java's split drops it.
fn has_empty_name(path: &str) -> bool {
    let names = path.trim_end_matches('.');
    path.is_empty() || !names.is_empty() && names.split('.').any(str::is_empty)
}

const OPERATORS: [&str; 9] = [
    "anything-but",
    "cidr",
    "equals-ignore-case",
    "exactly",
    "exists",
    "numeric",
    "prefix",
    "suffix",
    "wildcard",
];

/// The operators that `anything-but` can be combined with.
const NEGATED: [&str; 4] = ["prefix", "suffix", "equals-ignore-case", "wildcard"];

/// The result of reading a field's list.
#[derive(Default)]
struct Conditions {
    /// The conditions. A value must meet one of them.
    list: Vec<Condition>,
    /// Set when `exists: false` is among the items.
    absent: bool,
    /// The errors in the list.
    diagnostics: Vec<Diagnostic>,
}

impl Conditions {
    /// Reads the list of the field with this name.
    fn read(name: &str, items: &[Node], span: Span) -> Self {
        let mut conditions = Self::default();
        if items.is_empty() {
            let message = format!("`{name}` takes at least one value, found an empty list");
            conditions.diagnostics.push(Diagnostic::new(span, message));
        }
        for item in items {
            let read = match &item.kind {
                Kind::Scalar(scalar) => value(item, scalar).map(Some),
                Kind::Map(entries) => conditions.expression(item, entries),
                Kind::List(_) => Err(found(
                    item,
                    &format!("`{name}` takes values and match expressions"),
                )),
            };
            match read {
                Ok(condition) => conditions.list.extend(condition),
                Err(diagnostic) => conditions.diagnostics.push(diagnostic),
            }
        }
        conditions
    }

    /// Reads a match expression. For `exists: false` it returns no condition.
    fn expression(
        &mut self,
        item: &Node,
        entries: &[Entry],
    ) -> Result<Option<Condition>, Diagnostic> {
        let Entry { key, value } = only(item, entries, "a match expression")?;
        Ok(Some(match key.text.as_str() {
            "exists" => match literal(value) {
                Some(Literal::Boolean(true)) => Condition::Exists,
                Some(Literal::Boolean(false)) => {
                    self.absent = true;
                    return Ok(None);
                }
                _ => return Err(found(value, "`exists` takes `true` or `false`")),
            },
            "numeric" => Condition::Numeric(numeric(value)?),
            "cidr" => {
                Condition::Address(Network::parse(text(value, "cidr")?).map_err(|message| {
                    Diagnostic::new(value.span, message)
                        .help("one address alone is a value: [\"10.0.0.33\"]")
                })?)
            }
            "anything-but" => self.anything_but(value)?,
            operator @ ("prefix" | "suffix") => Condition::Text(affix(operator, value)?),
            operator @ ("exactly" | "equals-ignore-case" | "wildcard") => {
                Condition::Text(on_text(operator, value)?)
            }
            other => {
                let diagnostic = Diagnostic::new(
                    key.span,
                    format!("`{other}` is no operator of event patterns"),
                );
                return Err(Diagnostic {
                    help: suggest(other, OPERATORS),
                    ..diagnostic
                });
            }
        }))
    }

    fn anything_but(&mut self, node: &Node) -> Result<Condition, Diagnostic> {
        let Kind::Map(entries) = &node.kind else {
            let (first, values) = one_or_many(node, "anything-but")?;
            return match literal(first) {
                Some(Literal::Number(_)) => {
                    let numbers = values.iter().map(|item| {
                        operand(item, "`anything-but` with a number takes only numbers")
                    });
                    Ok(Condition::AnythingButNumbers(
                        self.all(numbers.map(|number| Ok(Number::new(number?.0)))),
                    ))
                }
                Some(Literal::Text(_)) => {
                    let texts = values.iter().map(|item| match literal(item) {
                        Some(Literal::Text(text)) => Ok(TextCondition::Exactly(text.to_owned())),
                        _ => Err(found(item, "`anything-but` with text takes only text")),
                    });
                    Ok(Condition::AnythingBut(self.all(texts)))
                }
                _ => Err(found(
                    first,
                    &format!(
                        "`anything-but` takes text, numbers or one of {}",
                        listed(NEGATED)
                    ),
                )),
            };
        };
        let Entry { key, value } = only(node, entries, "`anything-but`")?;
        let operator = key.text.as_str();
        if !NEGATED.contains(&operator) {
            let diagnostic = Diagnostic::new(
                key.span,
                format!("`anything-but` does not take `{operator}`"),
            );
            return Err(diagnostic.help(format!("it takes {}", listed(NEGATED))));
        }
        let (_, texts) = one_or_many(value, operator)?;
        let conditions = texts.iter().map(|item| match literal(item) {
            Some(Literal::Text("")) if matches!(operator, "prefix" | "suffix") => {
                Err(Diagnostic::new(
                    item.span,
                    format!("`{operator}` inside `anything-but` takes text that is not empty"),
                ))
            }
            _ => on_text(operator, item),
        });
        Ok(Condition::AnythingBut(self.all(conditions)))
    }

    /// Returns the items that could be read, and keeps every diagnostic.
    fn all<T>(&mut self, read: impl Iterator<Item = Result<T, Diagnostic>>) -> Vec<T> {
        read.filter_map(|read| {
            read.map_err(|diagnostic| self.diagnostics.push(diagnostic))
                .ok()
        })
        .collect()
    }
}

fn value(node: &Node, scalar: &Scalar) -> Result<Condition, Diagnostic> {
    Ok(match scalar.literal() {
        Literal::Empty => {
            return Err(
                found(node, "a list of values takes no empty item").help("write `null` or \"\"")
            );
        }
        Literal::Null => Condition::Null,
        Literal::Boolean(boolean) => Condition::Boolean(boolean),
        Literal::Number(text) => {
            refuse_inexact(node, text)?;
            Condition::Number(Number::new(text))
        }
        Literal::Text(text) => match Address::parse(text) {
            Some(address) => Condition::Address(Network::only(address)),
            None => Condition::Text(TextCondition::Exactly(text.to_owned())),
        },
    })
}

fn on_text(operator: &str, node: &Node) -> Result<TextCondition, Diagnostic> {
    let text = text(node, operator)?.to_owned();
    Ok(match operator {
        "prefix" => TextCondition::Prefix(text),
        "suffix" => TextCondition::Suffix(text),
        "equals-ignore-case" => TextCondition::EqualsIgnoreCase(text),
        "wildcard" => TextCondition::Wildcard(
            Wildcard::new(&text).map_err(|message| Diagnostic::new(node.span, message))?,
        ),
        _ => TextCondition::Exactly(text),
    })
}

/// Reads `prefix` or `suffix`, which accept text or `equals-ignore-case`.
fn affix(operator: &str, node: &Node) -> Result<TextCondition, Diagnostic> {
    let Kind::Map(entries) = &node.kind else {
        return on_text(operator, node).map_err(|diagnostic| match node.kind {
            Kind::List(_) => {
                diagnostic.help(format!("write one match expression for each {operator}"))
            }
            _ => diagnostic,
        });
    };
    let Entry { key, value } = only(node, entries, &format!("`{operator}`"))?;
    if key.text != "equals-ignore-case" {
        let diagnostic = Diagnostic::new(
            key.span,
            format!("`{operator}` does not take `{}`", key.text),
        );
        return Err(diagnostic.help("it takes text or `equals-ignore-case`"));
    }
    let text = text(value, &key.text)?.to_owned();
    Ok(if operator == "prefix" {
        TextCondition::PrefixIgnoreCase(text)
    } else {
        TextCondition::SuffixIgnoreCase(text)
    })
}

/// Reads `numeric`: `=`, `<`, `<=`, `>` or `>=` with a number, or a lower and an upper bound.
fn numeric(node: &Node) -> Result<(Bound<f64>, Bound<f64>), Diagnostic> {
    const EXPECTED: &str =
        "`numeric` takes a list of operator and number such as [\">\", 0, \"<=\", 5]";
    let Kind::List(items) = &node.kind else {
        return Err(found(node, EXPECTED));
    };
    let (operator, number, upper) = match items.as_slice() {
        [operator, number] => (operator, number, None),
        [operator, number, upper_operator, upper] => {
            (operator, number, Some((upper_operator, upper)))
        }
        _ => {
            return Err(Diagnostic::new(
                node.span,
                format!("{EXPECTED}, found another"),
            ));
        }
    };
    let kind = text(operator, "the operator of `numeric`")?;
    let (_, value) = operand(number, &format!("`{kind}` takes a number"))?;
    let range = match kind {
        "=" => (Bound::Included(value), Bound::Included(value)),
        "<" => (Bound::Unbounded, Bound::Excluded(value)),
        "<=" => (Bound::Unbounded, Bound::Included(value)),
        ">" => (Bound::Excluded(value), Bound::Unbounded),
        ">=" => (Bound::Included(value), Bound::Unbounded),
        other => {
            let diagnostic = Diagnostic::new(
                operator.span,
                format!("`{other}` is no operator of `numeric`"),
            );
            return Err(diagnostic.help("there is `=`, `<`, `<=`, `>` and `>=`"));
        }
    };
    let Some((upper_operator, upper)) = upper else {
        return Ok(range);
    };
    let upper_kind = text(upper_operator, "the operator of `numeric`")?;
    let (_, top) = operand(upper, &format!("`{upper_kind}` takes a number"))?;
    let upper_bound = match (range, upper_kind) {
        ((_, Bound::Unbounded), "<") => Bound::Excluded(top),
        ((_, Bound::Unbounded), "<=") => Bound::Included(top),
        _ => {
            let message = format!(
                "a range of `numeric` goes from `>` or `>=` to `<` or `<=`, found `{kind}` and `{upper_kind}`"
            );
            return Err(Diagnostic::new(upper_operator.span, message));
        }
    };
    if value >= top {
        return Err(Diagnostic::new(
            upper.span,
            "a range of `numeric` ends above the number it begins with",
        ));
    }
    Ok((range.0, upper_bound))
}

/// Reads a number that must be comparable, and returns its text and its value.
fn operand<'a>(node: &'a Node, expected: &str) -> Result<(&'a str, f64), Diagnostic> {
    let Some(Literal::Number(text)) = literal(node) else {
        return Err(found(node, expected));
    };
    refuse_inexact(node, text)?;
    let value = comparable(text);
    let value = value.ok_or_else(|| {
        Diagnostic::new(
            node.span,
            "this number has more digits than a double can hold",
        )
    })?;
    Ok((text, value))
}

fn refuse_inexact(node: &Node, text: &str) -> Result<(), Diagnostic> {
    if is_inexact_integer(text) {
        let diagnostic = Diagnostic::new(
            node.span,
            "a double cannot hold this integer exactly, so no event is sure to match it",
        );
        return Err(diagnostic.help("send such an identifier as text, and write it here in quotes"));
    }
    Ok(())
}

fn text<'a>(node: &'a Node, operator: &str) -> Result<&'a str, Diagnostic> {
    match literal(node) {
        Some(Literal::Text(text)) => Ok(text),
        _ => Err(found(node, &format!("`{operator}` takes text"))),
    }
}

fn literal(node: &Node) -> Option<Literal<'_>> {
    match &node.kind {
        Kind::Scalar(scalar) => Some(scalar.literal()),
        Kind::List(_) | Kind::Map(_) => None,
    }
}

/// Returns the first item and all items of a non-empty list. Any other node counts as the only item.
fn one_or_many<'a>(node: &'a Node, operator: &str) -> Result<(&'a Node, &'a [Node]), Diagnostic> {
    match &node.kind {
        Kind::List(items) => match items.first() {
            Some(first) => Ok((first, items)),
            None => Err(Diagnostic::new(
                node.span,
                format!("`{operator}` takes at least one value, found an empty list"),
            )),
        },
        Kind::Scalar(_) | Kind::Map(_) => Ok((node, slice::from_ref(node))),
    }
}

/// Returns the only entry of an object.
fn only<'a>(node: &Node, entries: &'a [Entry], what: &str) -> Result<&'a Entry, Diagnostic> {
    match entries {
        [entry] => Ok(entry),
        [] => Err(Diagnostic::new(
            node.span,
            format!("{what} takes one operator, found none"),
        )),
        [first, second, ..] => {
            let message = format!(
                "{what} takes one operator, found `{}` and `{}`",
                first.key.text, second.key.text
            );
            Err(Diagnostic::new(second.key.span, message))
        }
    }
}

fn found(node: &Node, expected: &str) -> Diagnostic {
    Diagnostic::new(node.span, format!("{expected}, found {}", node.describe()))
}
