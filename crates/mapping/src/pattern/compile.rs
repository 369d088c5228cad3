//! From a node of the mapping's tree to a [`Pattern`]: fields, `$or`, and the paths they make.
//!
//! Diagnostics do not stop it; all are reported together.

use std::collections::HashSet;

use super::expression::Conditions;
use super::{Field, OR, Pattern, Step};
use crate::diagnostic::Diagnostic;
use crate::tree::{Entry, Key, Kind, Node, Scalar, Span};

/// Names that EventBridge refuses for fields inside `$or`: those of operators that it has, and of some that it may get.
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

/// EventBridge takes no pattern whose `$or` lists make more combinations.
const MAX_BRANCHES: usize = 1000;

/// Event Ruler takes no more fields in one combination.
const MAX_FIELDS: usize = 256;

/// EventBridge takes no pattern of a hundredth of these characters; a long name over many others would multiply without limit.
const MAX_PATHS: usize = 1_000_000;

pub(super) fn compile(node: &Node) -> Result<Pattern, Vec<Diagnostic>> {
    let Kind::Map(entries) = &node.kind else {
        let message = format!(
            "an event pattern is an object of field names, found {}",
            node.describe()
        );
        return Err(vec![Diagnostic::new(node.span, message)]);
    };
    let mut compiler = Compiler::default();
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
        Ok(pattern(compiler.fields, branches))
    } else {
        Err(compiler.diagnostics)
    }
}

/// The fields of one combination.
type Branch = Vec<usize>;

#[derive(Default)]
struct Compiler {
    fields: Vec<Field>,
    diagnostics: Vec<Diagnostic>,
    /// The characters of all paths so far.
    paths: usize,
    /// The first list that made more branches than there may be.
    too_many_branches: Option<Span>,
    /// The first field that is one more than there may be.
    too_many_fields: Option<Span>,
    /// The first name with which the paths are too long.
    too_long: Option<Span>,
}

/// Where an object of fields stands.
#[derive(Clone, Copy, Default)]
struct Scope<'a> {
    /// The names that lead there, joined by dots; none at the top.
    path: Option<&'a str>,
    in_or: bool,
}

impl Scope<'_> {
    /// The path of an object in this one.
    fn object(&self, name: &str) -> String {
        self.path
            .map_or_else(|| name.to_owned(), |path| format!("{path}.{name}"))
    }

    /// The path of a field in this object.
    ///
    /// Right below an empty name there is no dot before it: Event Ruler builds its paths so.
    fn field(&self, name: &str) -> String {
        match self.path {
            None | Some("") => name.to_owned(),
            Some(path) => format!("{path}.{name}"),
        }
    }
}

impl Compiler {
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
                self.member(key, value, scope, branches);
            }
        }
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
        // A pattern that is too large is refused as it is; going on would only cost time.
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

    /// Goes on with each branch once for every object in the list.
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
                // The rest is read for its diagnostics alone.
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

/// The scalar as the list of values that was probably meant.
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

fn pattern(fields: Vec<Field>, mut branches: Vec<Branch>) -> Pattern {
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
    let empty_names = fields.iter().any(|field| has_empty_name(&field.path));
    Pattern {
        steps,
        fields,
        branches,
        empty_names,
    }
}

/// The step of that name below another, made if there is none.
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

/// Whether Event Ruler sees an empty name in the path: one at the end does not count, because Java's split drops it.
fn has_empty_name(path: &str) -> bool {
    let names = path.trim_end_matches('.');
    path.is_empty() || !names.is_empty() && names.split('.').any(str::is_empty)
}
