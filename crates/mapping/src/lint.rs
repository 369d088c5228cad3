//! Warnings for authors about a mapping that loads but probably does not do what the author meant.
//!
//! The tools show them; the function never computes them. A mapping with errors gets no warnings, because it has no compiled form yet.

mod allow;
mod pattern;
mod samples;
mod text;
mod walk;

use std::iter;
use std::sync::Arc;

pub use self::allow::without_allowed;
pub use self::samples::{Places, Sample};
use self::walk::Visited;
use crate::customer::{FindCustomer, IfMany, IfNone, NewProfile, PHONE, SEARCH_KEYS, Search};
use crate::decode::{self, LoadContext};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, nearest};
use crate::expression::{self, Expression, Operand, Part, ValueExpr, Variable};
use crate::field::FieldType;
use crate::filter::{Definitions, Filter, Table};
use crate::known_members;
use crate::locate::SourceText;
use crate::mapping::{
    CaseMapping, Content, FieldMapping, FieldSource, IfInvalid, IfMissing, Mapping, Overflow,
};
use crate::pattern::{Pattern, first_members};
use crate::reference::{Reference, Step};
use crate::schema::{self, ObjectSchema};
use crate::source::{Format, Source};
use crate::tree::{Entry, Kind, Literal, Node, Scalar, Span};
use crate::trigger::Trigger;

/// The result of a check: the mapping and the diagnostics of its file.
#[derive(Clone, Debug)]
pub struct CheckReport {
    /// The mapping, if it has no errors.
    pub mapping: Option<Mapping>,
    /// The errors, or the warnings if there are no errors.
    pub diagnostics: Diagnostics,
}

/// Reads a mapping as [`Mapping::load`] does, and adds the warnings.
#[must_use]
pub fn check(file: &str, text: &str, context: LoadContext<'_>) -> CheckReport {
    let checked = Format::of(file).parse(text).and_then(|source| {
        let Source { root, errors } = source;
        let mapping = decode::decode(&root, errors, text, context)?;
        let mut warnings = without_allowed(text, lint(&root, text, &mapping, context));
        warnings.extend(allow::check(text));
        Ok((mapping, warnings))
    });
    let (mapping, list) = match checked {
        Ok((mapping, warnings)) => (Some(mapping), warnings),
        Err(errors) => (None, errors),
    };
    CheckReport {
        mapping,
        diagnostics: Diagnostics::new(file, text, list),
    }
}

fn lint(root: &Node, text: &str, mapping: &Mapping, context: LoadContext<'_>) -> Vec<Diagnostic> {
    let mut linter = Linter {
        text: SourceText::new(text),
        context,
        definitions: definitions(root, names_of_variables(root)),
        chosen: Vec::new(),
        used_tables: Vec::new(),
        trigger: None,
        enriched: false,
        warnings: Vec::new(),
    };
    // The case mappings are checked one by one, because each has its own trigger.
    linter.object_without("cases", root, &schema::FILE);
    linter.chosen_tags(root);
    let cases: Vec<(&CaseMapping, &Node)> = mapping.cases.iter().zip(root.items("cases")).collect();
    for (case, node) in &cases {
        linter.case(case, node);
    }
    linter.unreachable(&cases);
    linter.unused_tables(root);
    linter.unused_variables(root, &mapping.cases);
    linter.warnings
}

/// Returns definitions in which every name of the file is known. The tables are empty.
fn definitions(root: &Node, variables: Vec<String>) -> Definitions {
    let tables = root.entries("tables").iter();
    Definitions {
        tables: tables
            .map(|entry| (entry.key.text.clone(), Arc::new(Table::new())))
            .collect(),
        variables,
        zone: None,
    }
}

fn names_of_variables(node: &Node) -> Vec<String> {
    let entries = node.entries("variables").iter();
    entries.map(|entry| entry.key.text.clone()).collect()
}

/// The state of a walk over the tree of a mapping without errors.
struct Linter<'a> {
    text: SourceText<'a>,
    context: LoadContext<'a>,
    /// The file's tables by name, without their rows, and the names of the variables of the current case mapping.
    definitions: Definitions,
    /// For each variable of the current case mapping, true if callers choose a part of it.
    chosen: Vec<bool>,
    /// A clone of a table for each of its uses. The reference count shows the unused tables.
    used_tables: Vec<Arc<Table>>,
    /// The trigger of the current case mapping. Without one, references are not checked.
    trigger: Option<Trigger>,
    /// Set when the current references can read the members that `enrich` adds.
    enriched: bool,
    warnings: Vec<Diagnostic>,
}

impl Linter<'_> {
    /// Adds a warning without help.
    fn warn(&mut self, span: Span, code: Code, message: impl Into<String>) {
        self.warnings.push(Diagnostic::warning(span, code, message));
    }

    /// Adds a warning with help.
    fn advise(&mut self, span: Span, code: Code, message: impl Into<String>, help: &str) {
        let warning = Diagnostic::warning(span, code, message);
        self.warnings.push(warning.help(help));
    }

    /// Checks the values of an object by its schema, without one of its keys.
    fn object_without(&mut self, without: &str, node: &Node, schema: &ObjectSchema) {
        walk::object(node, schema, without, &mut |visited| match visited {
            Visited::Value(span, scalar) => self.value(span, scalar),
            Visited::Pattern(node) => self.pattern(node),
        });
    }

    fn value(&mut self, span: Span, scalar: &Scalar) {
        let Some(expr) = self.parse(scalar) else {
            return;
        };
        for text::Mistake { at, message, help } in text::mistakes(&scalar.text, &expr) {
            let span = self.text.locate(span, &scalar.text, &at);
            self.advise(span, Code::Expression, message, &help);
        }
        for Expression { filters, .. } in expr.expressions() {
            self.used_tables
                .extend(filters.iter().filter_map(|filter| match filter {
                    Filter::Lookup(table) => Some(Arc::clone(table)),
                    _ => None,
                }));
        }
        for expression in expr.expressions() {
            let references = expression.references().into_iter();
            if references.map(Reference::steps).any(takes_from_each_item) {
                let at = expression.range_in(&scalar.text);
                let span = self.text.locate(span, &scalar.text, &at);
                let message = "an index behind `[*]` or `[?…]` takes an item of each item, not one of the list";
                self.advise(
                    span,
                    Code::Expression,
                    message,
                    "write `| first` or `| last`",
                );
            }
        }
        let Some(trigger) = self.trigger else { return };
        for (name, at) in expr.first_members(&scalar.text) {
            let warning = known_members::improbable(trigger, self.enriched, name, span);
            self.warnings.extend(warning.map(|warning| Diagnostic {
                span: self.text.locate(span, &scalar.text, &at),
                ..warning
            }));
        }
    }

    fn pattern(&mut self, node: &Node) {
        let Some(trigger) = self.trigger else { return };
        for never in pattern::never_met(node, trigger) {
            self.advise(never.span, Code::Pattern, never.message, &never.help);
        }
        for (name, span) in first_members(node) {
            let warning = known_members::improbable(trigger, self.enriched, name, span);
            self.warnings.extend(warning);
        }
    }

    fn parse(&self, scalar: &Scalar) -> Option<ValueExpr> {
        match scalar.literal() {
            Literal::Text(text) => expression::parse(text, &self.definitions).ok(),
            _ => None,
        }
    }

    fn case(&mut self, case: &CaseMapping, node: &Node) {
        self.trigger = Some(case.trigger);
        self.chosen = chosen_by_caller(&case.variables);
        self.definitions.variables = case.variable_names();
        // `when` matches the event as it arrived, before `enrich` reads the contact.
        if let Some(when) = node.get("when") {
            self.pattern(&when.value);
        }
        self.enriched = case.enrich;
        self.object_without("when", node, &schema::CASE);
        (self.trigger, self.enriched) = (None, false);
        self.chosen_key(case, node);
        self.placeholders(case, node);
        self.chosen_tags(node);
        for (entry, field) in iter::zip(node.entries("fields"), &case.fields) {
            self.idle(field, &entry.value);
            self.unfit(field, &entry.value);
            self.may_be_left_out(case, field, node, entry.key.span);
        }
        if let (Some(find), Some(customer)) = (&case.find_customer, node.get("customer")) {
            self.customer(case, find, node, customer);
        }
        self.unused_variables(node, std::slice::from_ref(case));
    }

    /// Warns about case mappings after one that accepts every event of their trigger.
    fn unreachable(&mut self, cases: &[(&CaseMapping, &Node)]) {
        let name = |node: &Node| node.get("name").map_or(node.span, |name| name.value.span);
        for trigger in [Trigger::ContactFlow, Trigger::EventBridge] {
            let mut of_trigger = cases.iter().filter(|(case, _)| case.trigger == trigger);
            let Some((all, first)) = of_trigger.find(|(case, _)| case.when.is_none()) else {
                continue;
            };
            for (_, node) in of_trigger {
                let line = name(first).start.line;
                let message = format!(
                    "no event gets here: `{}` on line {line} takes every {} event",
                    all.name,
                    trigger.name()
                );
                let help = "put it before that one, or give that one a `when`";
                self.advise(name(node), Code::Unreachable, message, help);
            }
        }
    }

    fn unused_tables(&mut self, root: &Node) {
        for Entry { key, .. } in root.entries("tables") {
            let table = self.definitions.tables.get(&key.text);
            if table.is_some_and(|table| Arc::strong_count(table) == 1) {
                let message = format!("the table `{}` is not used", key.text);
                self.warn(key.span, Code::Unused, message);
            }
        }
    }

    /// Warns about variables of the file or of a case mapping that these case mappings do not use.
    fn unused_variables(&mut self, node: &Node, cases: &[CaseMapping]) {
        let used: Vec<&str> = cases.iter().flat_map(used_variables).collect();
        for Entry { key, .. } in node.entries("variables") {
            if !used.contains(&key.text.as_str()) {
                let message = format!("the variable `{}` is not used", key.text);
                self.warn(key.span, Code::Unused, message);
            }
        }
    }

    /// Warns about keys of a field that never have an effect.
    fn idle(&mut self, field: &FieldMapping, node: &Node) {
        if let Some(lookup) = node.get("lookup")
            && let Kind::Scalar(name) = &lookup.value.kind
        {
            self.used_tables
                .extend(self.definitions.tables.get(&name.text).cloned());
        }
        let default = field.default.as_ref().and_then(ValueExpr::constant);
        if let (Some(entry), true) = (node.get("if_missing"), default.is_some()) {
            let message =
                "`if_missing` never comes into play: `default` stands in for a missing value";
            self.warn(entry.value.span, Code::Unused, message);
        }
        let limit = field.field.limit();
        let fits = field.overflow != Overflow::Fail && is_within(&field.source, limit);
        if let (Some(entry), true) = (node.get("overflow"), fits) {
            let message = format!(
                "`overflow` never comes into play: the value has at most the field's {limit} characters"
            );
            self.warn(entry.value.span, Code::Unused, message);
        }
    }

    /// Warns about values whose type the field never accepts.
    fn unfit<'n>(&mut self, mapping: &FieldMapping, node: &'n Node) {
        if mapping.lookup.is_some() {
            return;
        }
        let value = |node: &'n Node| node.get("value").map_or(node, |entry| &entry.value);
        let nodes: Vec<&Node> = match node.items("choose") {
            [] => vec![value(node)],
            choices => choices.iter().map(value).collect(),
        };
        for (content, node) in iter::zip(mapping.source.contents(), nodes) {
            let Some(expr) = content.value_expr() else {
                continue;
            };
            let (name, kind) = (&mapping.field.name, mapping.field.kind);
            match expr {
                ValueExpr::Expression(expression) if expression.kind == expression::Kind::List => {
                    let message =
                        format!("the field `{name}` takes no list, and this is always one");
                    let help = "make text of it: `| join(', ')`, or take one item: `| first`";
                    self.advise(node.span, Code::FieldValue, message, help);
                }
                ValueExpr::Interpolated(parts)
                    if kind == FieldType::Number && parts.iter().any(has_letters) =>
                {
                    let message = format!(
                        "the field `{name}` is of type Number, and this is text with words in it"
                    );
                    let help = "send the number alone: an expression without text around it";
                    self.advise(node.span, Code::FieldValue, message, help);
                }
                _ => {}
            }
        }
    }

    /// Warns about a field that the template requires but an event may leave out.
    fn may_be_left_out(
        &mut self,
        case: &CaseMapping,
        mapping: &FieldMapping,
        node: &Node,
        span: Span,
    ) {
        let FieldMapping { field, when, .. } = mapping;
        let is_required = case.required_fields.iter().any(|it| it.id == field.id);
        let left_out_if_invalid = match mapping.if_invalid {
            IfInvalid::Fail => false,
            IfInvalid::Missing => mapping.default.is_none(),
            IfInvalid::Comment => true,
        };
        let left_out = mapping.if_missing != IfMissing::Fail || when.is_some();
        if is_required && (left_out || left_out_if_invalid) {
            let template = self.template(node);
            let message = format!(
                "the template `{template}` requires the field `{}`: an event that gives it no value makes no case",
                field.name
            );
            let help = "give it a `default`, and no `when`";
            self.advise(span, Code::RequiredField, message, help);
        }
    }

    /// Returns the name of a case mapping's template.
    fn template(&self, node: &Node) -> String {
        let Some(Kind::Scalar(scalar)) = node.get("template").map(|entry| &entry.value.kind) else {
            return String::new();
        };
        let domain = self.context.domain;
        let template = domain.and_then(|domain| domain.template(&scalar.text));
        template
            .map_or(&scalar.text, |template| &template.name)
            .clone()
    }

    /// Warns about a key that callers choose entirely.
    fn chosen_key(&mut self, case: &CaseMapping, node: &Node) {
        let mut computed = case.key.iter().flat_map(ValueExpr::expressions).peekable();
        if computed.peek().is_some()
            && computed.all(|expression| is_chosen_by_caller(expression, &self.chosen))
            && let Some(key) = node.get("key")
        {
            let message =
                "callers choose this whole key: one who says another's is given that one's case";
            let help = "add something that they cannot choose, such as $.InitialContactId";
            self.advise(key.value.span, Code::Key, message, help);
        }
    }

    /// Warns about a key or a search for a customer that a placeholder such as `N/A` could fill.
    ///
    /// All callers with the placeholder would share one case or one profile. `_phone` accepts phone numbers only.
    fn placeholders(&mut self, case: &CaseMapping, node: &Node) {
        let may_be_placeholder = |expr: &ValueExpr| {
            let mut expressions = expr.expressions();
            expressions.any(|expression| is_open_to_placeholders(expression, &case.variables))
        };
        let help = "let placeholders count as missing: `| missing_if('N/A', 'none', 'unknown')`";
        // Another part, such as the contact's id, still distinguishes the callers.
        let mut computed = case.key.iter().flat_map(ValueExpr::expressions).peekable();
        let chosen = |expression: &Expression| is_chosen_by_caller(expression, &self.chosen);
        let all_chosen = case.key.iter().flat_map(ValueExpr::expressions).all(chosen);
        if computed.peek().is_some()
            && !all_chosen
            && computed.all(|expression| is_open_to_placeholders(expression, &case.variables))
            && let Some(key) = node.get("key")
        {
            let message = "a placeholder such as `N/A` would be a key: all contacts that have it share one case";
            self.advise(key.value.span, Code::Key, message, help);
        }
        let find = case.find_customer.iter();
        for (name, expr) in find.flat_map(|find| find.searches.iter().flatten()) {
            if name == PHONE || !may_be_placeholder(expr) {
                continue;
            }
            let nodes = node
                .get("customer")
                .map(|customer| customer.value.items("find"));
            let entries = nodes.unwrap_or_default().iter();
            for entry in entries.filter_map(|search| search.get(name)) {
                let message = format!(
                    "a placeholder such as `N/A` would be searched for as `{name}`: it may find another customer"
                );
                self.advise(entry.value.span, Code::Customer, message, help);
            }
        }
    }

    /// Warns about tags with values that callers choose.
    fn chosen_tags(&mut self, node: &Node) {
        for Entry { key, value } in node.entries("tags") {
            let Kind::Scalar(scalar) = &value.kind else {
                continue;
            };
            let expr = self.parse(scalar);
            if expr.is_some_and(|expr| {
                expr.expressions()
                    .any(|expression| is_chosen_by_caller(expression, &self.chosen))
            }) {
                let message = format!(
                    "callers choose the value of the tag `{}`: where access is granted by tags, they choose who sees the case",
                    key.text
                );
                let help = "let it pass a table of the values that may be: `| lookup('table')`";
                self.advise(value.span, Code::Tag, message, help);
            }
        }
    }

    fn customer(&mut self, case: &CaseMapping, find: &FindCustomer, node: &Node, customer: &Entry) {
        let key = |name| {
            let entry = customer.value.get(name);
            entry.map_or(customer.key.span, |entry: &Entry| entry.key.span)
        };
        self.unknown_search_keys(&customer.value);
        if find.if_many == IfMany::First {
            let message = "`if_many: first` may put one customer's case under another: people share phone numbers and e-mail addresses";
            let help = "search by a key of one person alone, or write `if_many: fail`";
            self.advise(key("if_many"), Code::Customer, message, help);
        }
        if let IfNone::Create(profile) = &find.if_none {
            self.created_twice(&find.searches, profile, key("if_none"));
        }
        let mut required = case.required_fields.iter();
        let required = required.find(|field| field.id == "customer_id");
        if let (IfNone::Skip, Some(field)) = (&find.if_none, required) {
            let template = self.template(node);
            let message = format!(
                "the template `{template}` requires the field `{}`: with `if_none: skip`, an event without a profile makes no case",
                field.name
            );
            let help = "write `if_none: fail`, which says so at once, or `create`";
            self.advise(customer.key.span, Code::RequiredField, message, help);
        }
    }

    fn unknown_search_keys(&mut self, customer: &Node) {
        let searches = customer.items("find").iter().map(|search| &search.kind);
        let entries = searches.flat_map(|search| match search {
            Kind::Map(entries) => entries.as_slice(),
            Kind::List(_) | Kind::Scalar(_) => &[],
        });
        for Entry { key, .. } in entries {
            let name = key.text.as_str();
            if name.starts_with('_') && !SEARCH_KEYS.contains(&name) {
                let message = format!("Customer Profiles has no search key `{name}` of its own");
                let warning = Diagnostic::warning(key.span, Code::Customer, message);
                let near = nearest(name, SEARCH_KEYS);
                let help = near.map(|near| format!("did you mean `{near}`?"));
                self.warnings.push(warning.maybe_help(help));
            }
        }
    }

    /// Warns about profiles that may be created more than once.
    fn created_twice(&mut self, searches: &[Search], profile: &NewProfile, span: Span) {
        let message = "two deliveries at once may create the profile twice: `CreateProfile` takes no token, and search shows a new profile late";
        let help = "merge such profiles with Identity Resolution, or write `if_none: skip`";
        self.advise(span, Code::Customer, message, help);
        let found_again = |(key, _): &(String, ValueExpr)| {
            let mut members = profile.members.iter();
            members.any(|(member, _)| member.search_key() == Some(key.as_str()))
        };
        if !searches.iter().any(|search| search.iter().all(found_again)) {
            let message = "no search of `find` finds the profile that this creates, so every case gets a profile of its own";
            let help = "set a member that `find` searches by: `_phone` finds PhoneNumber, `_email` finds EmailAddress, `_account` finds AccountNumber";
            self.advise(span, Code::Customer, message, help);
        }
    }
}

/// Returns the names of the variables that a case mapping reads.
fn used_variables(case: &CaseMapping) -> Vec<&str> {
    let references = case
        .value_exprs()
        .flat_map(ValueExpr::expressions)
        .flat_map(Expression::references);
    let mut used: Vec<&str> = references
        .filter_map(|reference| match reference {
            Reference::Variable(variable, _) => Some(variable.name.as_str()),
            _ => None,
        })
        .collect();
    let choices = case.fields.iter().flat_map(|field| match &field.source {
        FieldSource::Choose(choices) => choices.as_slice(),
        FieldSource::Value(_) | FieldSource::ProfileId(_) => &[],
    });
    let patterns = case.fields.iter().filter_map(|field| field.when.as_ref());
    let patterns = patterns
        .chain(choices.filter_map(|choice| choice.when.as_ref()))
        .chain(&case.when);
    let indexes = patterns.flat_map(Pattern::variables);
    used.extend(indexes.filter_map(|index| Some(case.variables.get(index)?.name.as_str())));
    used
}

/// Returns true for an expression that copies a contact's attributes or address without a table lookup.
///
/// `chosen` tells the same of each variable that the expression can read.
fn is_chosen_by_caller(expression: &Expression, chosen: &[bool]) -> bool {
    let mut filters = expression.filters.iter();
    if filters.any(|filter| matches!(filter, Filter::Lookup(_))) {
        return false;
    }
    let mut references = expression.references().into_iter();
    references.any(|reference| match reference {
        Reference::Event(_) => {
            let member = reference.first_member();
            member.is_some_and(|name| ["Attributes", "CustomerEndpoint"].contains(&name))
        }
        Reference::Variable(variable, _) => chosen.get(variable.index) == Some(&true),
        Reference::Mapping | Reference::Trigger | Reference::Domain => false,
    })
}

/// Returns true for an expression that copies what a flow sets, without `missing_if`, a table or a bounded form.
fn is_open_to_placeholders(expression: &Expression, variables: &[Arc<Variable>]) -> bool {
    let bounds = |filter: &Filter| {
        matches!(
            filter,
            Filter::MissingIf(_) | Filter::Lookup(_) | Filter::Extract(_) | Filter::Number(_)
        )
    };
    if expression.filters.iter().any(bounds) {
        return false;
    }
    let Operand::Reference(reference) = &expression.operand else {
        return false;
    };
    match reference {
        Reference::Event(_) => {
            let member = reference.first_member();
            member.is_some_and(|name| ["Attributes", "Parameters"].contains(&name))
        }
        // One level is enough: a variable of a variable is rare, and this must not multiply.
        Reference::Variable(variable, _) => variables.get(variable.index).is_some_and(|variable| {
            let mut expressions = variable.value.expressions();
            expressions.any(|expression| is_open_to_placeholders(expression, &[]))
        }),
        Reference::Mapping | Reference::Trigger | Reference::Domain => false,
    }
}

/// Returns for each variable whether callers choose a part of it.
fn chosen_by_caller(variables: &[Arc<Variable>]) -> Vec<bool> {
    let mut chosen = Vec::with_capacity(variables.len());
    for variable in variables {
        let mut expressions = variable.value.expressions();
        let is_chosen = expressions.any(|expression| is_chosen_by_caller(expression, &chosen));
        chosen.push(is_chosen);
    }
    chosen
}

/// Returns true for `[*][0]` and `[?…][0]`.
fn takes_from_each_item(steps: &[Step]) -> bool {
    steps
        .windows(2)
        .any(|pair| matches!(pair, [list, Step::Index(_) | Step::FromEnd(_)] if list.is_list()))
}

/// Returns true for literal text that no number contains.
fn has_letters(part: &Part) -> bool {
    matches!(part, Part::Literal(text) if text.chars().any(|c| c.is_alphabetic() && !"eE".contains(c)))
}

/// Returns true if the field never gets more characters than the limit, for any event.
fn is_within(source: &FieldSource, limit: usize) -> bool {
    let within = |content: &Content| match content {
        Content::Empty => true,
        Content::Value(ValueExpr::Expression(expression)) => {
            matches!(expression.filters.last(), Some(Filter::Truncate(length)) if *length <= limit)
        }
        Content::Value(expr) => expr
            .constant()
            .and_then(|value| value.into_text().ok())
            .is_some_and(|text| text.chars().count() <= limit),
    };
    !matches!(source, FieldSource::ProfileId(_)) && source.contents().all(within)
}
