//! Explains a request in words: the routes, and the value of every expression.

use std::fmt::Write as _;

use casebridge::event::Event;
use casebridge::handler::Casebridge;
use casebridge::request::{CaseRequest, RequestContext, User};
use mapping::customer::{FindCustomer, IfNone, PHONE, ProfileMember, Search};
use mapping::expression::{Expression, Scope, ValueExpr, Variables};
use mapping::field::FieldValue;
use mapping::phone::{self, Country};
use mapping::value::Value;
use mapping::{CaseMapping, FieldMapping, LinkContact, Mapping};

use crate::terminal::{FAINT, GOOD, NOTABLE, STRONG, paint};

/// Explains every event, as the mapping sees it.
pub(super) fn text(casebridge: &Casebridge, events: &[Event]) -> String {
    let (mapping, context) = (&casebridge.mapping, &casebridge.context);
    let explained = events.iter().map(|event| explain(event, mapping, context));
    explained.collect::<Vec<_>>().join("\n")
}

fn explain(event: &Event, mapping: &Mapping, context: &RequestContext) -> String {
    let mut text = format!("{}\n", paint(STRONG, "routes"));
    let names = mapping.cases.iter().map(|case| case.name.chars().count());
    let width = names.max().unwrap_or_default();
    for case in &mapping.cases {
        let variables = Variables::new(&case.variables);
        let scope = event.scope(case, &context.domain_id, &variables);
        let mismatch = mismatch(case, event, &scope);
        let verdict = match &mismatch {
            None => paint(GOOD, "taken"),
            Some(reason) => paint(FAINT, format!("not taken: {reason}")),
        };
        let _ = writeln!(text, "  {:width$}  {verdict}", case.name);
        if mismatch.is_some() {
            continue;
        }
        let mut explanation = Explanation { text, scope };
        let request = CaseRequest::assemble(case, event, context).ok();
        explanation.case(case, request.as_ref());
        return explanation.text;
    }
    text
}

/// Returns the reason why a case mapping does not take an event.
fn mismatch(case: &CaseMapping, event: &Event, scope: &Scope<'_>) -> Option<String> {
    if case.trigger != event.trigger {
        return Some(format!("it is for {}", case.trigger.name()));
    }
    let when = case.when.as_ref();
    let when = when.filter(|when| !scope.matches(when))?;
    let unmet = when.unmet(|alone| scope.matches(alone));
    Some(if unmet.is_empty() {
        "no one item of a list meets all of `when`".to_owned()
    } else {
        format!("`when` is not met at {}", unmet.join(", "))
    })
}

/// The explanation of one event so far.
struct Explanation<'a> {
    text: String,
    scope: Scope<'a>,
}

impl Explanation<'_> {
    fn heading(&mut self, heading: &str) {
        self.line(0, &format!("\n{}", paint(STRONG, heading)));
    }

    // Writing to a string cannot fail.
    fn line(&mut self, indent: usize, line: &str) {
        let _ = writeln!(self.text, "{:indent$}{line}", "");
    }

    /// Adds the expressions of the values, each with its result.
    fn expressions<'e>(&mut self, values: impl IntoIterator<Item = &'e ValueExpr>) {
        for expression in values.into_iter().flat_map(ValueExpr::expressions) {
            self.line(4, &result(expression, &self.scope));
        }
    }

    fn case(&mut self, case: &CaseMapping, request: Option<&CaseRequest>) {
        if !case.variables.is_empty() {
            self.heading("variables");
        }
        for variable in &case.variables {
            let value = match variable.value.evaluate(&self.scope) {
                Ok(Some(item)) => item_text(&item),
                Ok(None) => paint(NOTABLE, "missing"),
                Err(wrong) => paint(NOTABLE, wrong),
            };
            self.line(2, &format!("{}  {value}", paint(STRONG, &variable.name)));
        }
        self.heading("fields");
        for mapping in &case.fields {
            let name = paint(STRONG, &mapping.field.name);
            let sent = outcome(mapping, &self.scope, request);
            self.line(2, &format!("{name}  {sent}"));
            self.expressions(mapping.value_exprs());
        }
        if let Some(find) = &case.find_customer {
            self.customer(find);
        }
        if !case.key.is_empty() {
            self.heading("key");
            for expression in case.key.iter().flat_map(ValueExpr::expressions) {
                self.line(2, &result(expression, &self.scope));
            }
        }
        let Some(request) = request else { return };
        self.heading("tags");
        for (key, value) in &request.tags {
            self.line(2, &format!("{key} = {value}"));
        }
        let (User::CustomEntity(performer) | User::UserArn(performer)) = &request.performed_by;
        self.heading("performed by");
        self.line(2, performer);
        if let Some(contact) = &request.contact {
            let arn = contact.as_ref();
            let linked = arn.map_or_else(|failure| paint(NOTABLE, failure), Clone::clone);
            self.heading("link_contact");
            self.line(2, &linked);
            if let LinkContact::Named(value) = &case.link_contact {
                self.expressions([value]);
            }
        }
        if !request.comments.is_empty() || case.comment.is_some() {
            self.comments(request, case.comment.as_ref());
        }
        self.heading("request");
    }

    /// Adds the searches, each with its keys, and the profile that may be created.
    fn customer(&mut self, find: &FindCustomer) {
        self.heading("customer");
        for search in &find.searches {
            let names: Vec<&str> = search.iter().map(|(key, _)| key.as_str()).collect();
            let names = paint(STRONG, names.join(" and "));
            let verdict = verdict(search, find.phone_country, &self.scope);
            self.line(2, &format!("{names}  {verdict}"));
            self.expressions(search.iter().map(|(_, value)| value));
        }
        let IfNone::Create(profile) = &find.if_none else {
            return;
        };
        self.line(2, &paint(FAINT, "if none is found, a profile with"));
        let members = profile.members.iter();
        let members = members.map(|(member, value)| (member.name(), value));
        let attributes = profile.attributes.iter();
        let attributes = attributes.map(|(name, value)| (name.as_str(), value));
        for (name, value) in members.chain(attributes) {
            let mut members = ProfileMember::NAMES.into_iter();
            let is_phone = members.any(|(known, member)| known == name && member.is_phone());
            let left_out = if is_phone && is_no_number(value, find.phone_country, &self.scope) {
                paint(FAINT, "  left out: it is no phone number")
            } else {
                String::new()
            };
            self.line(2, &format!("{}{left_out}", paint(STRONG, name)));
            self.expressions([value]);
        }
    }

    /// Adds the comments: those of fields that overflow, then the case mapping's own.
    fn comments(&mut self, request: &CaseRequest, own: Option<&ValueExpr>) {
        self.heading("comment");
        for comment in &request.comments {
            let shown = comment.as_ref().map(|comment| beginning(comment));
            self.line(2, &shown.unwrap_or_else(|failure| paint(NOTABLE, failure)));
        }
        if request.comments.is_empty() {
            self.line(2, &paint(FAINT, "none: it has no value"));
        }
        self.expressions(own);
    }
}

fn verdict(search: &Search, country: Option<Country>, scope: &Scope<'_>) -> String {
    let mut values = search.iter().map(|(_, value)| value.evaluate_text(scope));
    let missing = values.clone().any(|value| matches!(value, Ok(None)));
    let no_number =
        |(key, value): &(String, ValueExpr)| key == PHONE && is_no_number(value, country, scope);
    if values.any(|value| value.is_err()) {
        paint(NOTABLE, "cannot be searched for")
    } else if missing {
        paint(FAINT, "passed over: a key is missing")
    } else if search.iter().any(no_number) {
        paint(FAINT, "passed over: a key is no phone number")
    } else {
        paint(GOOD, "searched for")
    }
}

/// Returns whether a value is text that is no phone number.
fn is_no_number(value: &ValueExpr, country: Option<Country>, scope: &Scope<'_>) -> bool {
    let text = value.evaluate_text(scope);
    matches!(text, Ok(Some(text)) if phone::read(&text, country).is_none())
}

/// The beginning of a text.
fn beginning(text: &str) -> String {
    const SHOWN: usize = 100;
    match text.chars().count() {
        0..=SHOWN => format!("{text:?}"),
        count => {
            let beginning: String = text.chars().take(SHOWN).collect();
            let rest = paint(FAINT, format!("… {count} characters in all"));
            format!("{beginning:?}{rest}")
        }
    }
}

/// Describes the value that is sent for a field.
fn outcome(mapping: &FieldMapping, scope: &Scope<'_>, request: Option<&CaseRequest>) -> String {
    let when = mapping.when.as_ref();
    if when.is_some_and(|when| !scope.matches(when)) {
        return paint(FAINT, "not sent: its `when` is not met");
    }
    let Some(request) = request else {
        return paint(NOTABLE, "no request: see the reason below");
    };
    let mut fields = request.fields.iter();
    match fields.find(|(id, _)| *id == mapping.field.id) {
        None if request.left_out.contains(&mapping.field.name) => {
            paint(NOTABLE, "left out: its value is invalid")
        }
        None => paint(FAINT, "not sent: it has no value"),
        Some((_, FieldValue::String(value) | FieldValue::UserArn(value))) => format!("{value:?}"),
        Some((_, FieldValue::Double(value))) => value.to_string(),
        Some((_, FieldValue::Boolean(value))) => value.to_string(),
        Some((_, FieldValue::Empty)) => "empty".to_owned(),
    }
}

/// An expression and its result for this event.
fn result(expression: &Expression, scope: &Scope<'_>) -> String {
    let value = match expression.evaluate(scope) {
        Ok(Some(item)) => item_text(&item),
        Ok(None) if expression.may_be_empty() => paint(FAINT, "empty"),
        Ok(None) => paint(NOTABLE, "missing"),
        Err(wrong) => paint(NOTABLE, wrong.message),
    };
    format!("{}  {value}", paint(FAINT, &expression.text))
}

fn item_text(item: &Value<'_>) -> String {
    match item {
        Value::Text(text) => format!("{text:?}"),
        Value::Number(text) => text.to_string(),
        Value::Boolean(boolean) => boolean.to_string(),
        Value::List(items) => format!(
            "[{}]",
            items.iter().map(item_text).collect::<Vec<_>>().join(", ")
        ),
        Value::Object(_) => "an object".to_owned(),
        Value::Null => "null".to_owned(),
    }
}
