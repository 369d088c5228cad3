//! Explains a request in words: the routes, and the value of every expression.

use std::fmt::Write as _;

use casebridge::event::Event;
use casebridge::handler::Casebridge;
use casebridge::request::{CaseRequest, RequestContext, User};
use mapping::customer::{FindCustomer, IfNone, PHONE, ProfileMember, Search};
use mapping::expression::{Expression, Scope, ValueExpr};
use mapping::field::FieldValue;
use mapping::phone::{self, Country};
use mapping::value::Value;
use mapping::{CaseMapping, FieldMapping, LinkContact, Mapping};

use crate::terminal::{FAINT, GOOD, NOTABLE, STRONG, paint};

/// Explains every event, as the mapping sees it.
pub(super) fn text(casebridge: &Casebridge, events: &[Event]) -> String {
    let explained: Vec<String> = events
        .iter()
        .map(|event| explain(event, &casebridge.mapping, &casebridge.context))
        .collect();
    explained.join("\n")
}

fn explain(event: &Event, mapping: &Mapping, context: &RequestContext) -> String {
    let mut text = format!("{}\n", paint(STRONG, "routes"));
    let width = mapping
        .cases
        .iter()
        .map(|case| case.name.chars().count())
        .max()
        .unwrap_or_default();
    let mut taken = None;
    for case in &mapping.cases {
        let verdict = match why_not(case, event) {
            None => {
                taken = Some(case);
                paint(GOOD, "taken")
            }
            Some(reason) => paint(FAINT, format!("not taken: {reason}")),
        };
        let _ = writeln!(text, "  {:width$}  {verdict}", case.name);
        if taken.is_some() {
            break;
        }
    }
    if let Some(case) = taken {
        let scope = Scope {
            event: &event.root,
            mapping: &case.name,
            trigger: event.trigger.name(),
            domain: &context.domain_id,
        };
        let request = CaseRequest::assemble(case, event, context).ok();
        fields(&mut text, case, &scope, request.as_ref());
        if let Some(find) = &case.find_customer {
            customer(&mut text, find, &scope);
        }
        key(&mut text, case, &scope);
        if let Some(request) = &request {
            rest(&mut text, request);
            contact(&mut text, &case.link_contact, request, &scope);
            comment(&mut text, case.comment.as_ref(), request, &scope);
            let _ = writeln!(text, "\n{}", paint(STRONG, "request"));
        }
    }
    text
}

fn why_not(case: &CaseMapping, event: &Event) -> Option<String> {
    if case.trigger != event.trigger {
        return Some(format!("it is for {}", case.trigger.name()));
    }
    let when = case
        .when
        .as_ref()
        .filter(|when| !when.matches(&event.root))?;
    let unmet = when.unmet(&event.root);
    Some(if unmet.is_empty() {
        "no one item of a list meets all of `when`".to_owned()
    } else {
        format!("`when` is not met at {}", unmet.join(", "))
    })
}

fn fields(text: &mut String, case: &CaseMapping, scope: &Scope<'_>, request: Option<&CaseRequest>) {
    let _ = writeln!(text, "\n{}", paint(STRONG, "fields"));
    for mapping in &case.fields {
        let _ = writeln!(
            text,
            "  {}  {}",
            paint(STRONG, &mapping.field.name),
            outcome(mapping, scope, request)
        );
        expressions(text, mapping.value_exprs(), scope);
    }
}

/// The searches, each with what its keys are in this event, and the profile that may be created.
fn customer(text: &mut String, find: &FindCustomer, scope: &Scope<'_>) {
    let _ = writeln!(text, "\n{}", paint(STRONG, "customer"));
    for search in &find.searches {
        let names: Vec<&str> = search.iter().map(|(key, _)| key.as_str()).collect();
        let names = paint(STRONG, names.join(" and "));
        let _ = writeln!(
            text,
            "  {names}  {}",
            verdict(search, find.phone_country, scope)
        );
        expressions(text, search.iter().map(|(_, value)| value), scope);
    }
    if let IfNone::Create(profile) = &find.if_none {
        let _ = writeln!(
            text,
            "  {}",
            paint(FAINT, "if none is found, a profile with")
        );
        let members = profile
            .members
            .iter()
            .map(|(member, value)| (member.name(), value));
        let attributes = profile
            .attributes
            .iter()
            .map(|(name, value)| (name.as_str(), value));
        for (name, value) in members.chain(attributes) {
            let mut members = ProfileMember::NAMES.into_iter();
            let is_phone = members.any(|(known, member)| known == name && member.is_phone());
            let left_out = if is_phone && is_no_number(value, find.phone_country, scope) {
                paint(FAINT, "  left out: it is no phone number")
            } else {
                String::new()
            };
            let _ = writeln!(text, "  {}{left_out}", paint(STRONG, name));
            expressions(text, [value], scope);
        }
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

fn key(text: &mut String, case: &CaseMapping, scope: &Scope<'_>) {
    if !case.key.is_empty() {
        let _ = writeln!(text, "\n{}", paint(STRONG, "key"));
        for expression in case.key.iter().flat_map(ValueExpr::expressions) {
            let _ = writeln!(text, "  {}", given(expression, scope));
        }
    }
}

/// The tags and the performer.
fn rest(text: &mut String, request: &CaseRequest) {
    let _ = writeln!(text, "\n{}", paint(STRONG, "tags"));
    for (key, value) in &request.tags {
        let _ = writeln!(text, "  {key} = {value}");
    }
    let (User::CustomEntity(performer) | User::UserArn(performer)) = &request.performed_by;
    let _ = writeln!(text, "\n{}\n  {performer}", paint(STRONG, "performed by"));
}

/// The contact that is linked to the case.
fn contact(text: &mut String, link: &LinkContact, request: &CaseRequest, scope: &Scope<'_>) {
    let linked = match &request.contact {
        None => return,
        Some(Ok(arn)) => arn.clone(),
        Some(Err(failure)) => paint(NOTABLE, failure),
    };
    let _ = writeln!(text, "\n{}\n  {linked}", paint(STRONG, "link_contact"));
    if let LinkContact::Named(template) = link {
        expressions(text, [template], scope);
    }
}

/// The comments on the case: those of fields that overflow, and its own.
fn comment(text: &mut String, own: Option<&ValueExpr>, request: &CaseRequest, scope: &Scope<'_>) {
    if request.comments.is_empty() && own.is_none() {
        return;
    }
    let _ = writeln!(text, "\n{}", paint(STRONG, "comment"));
    for comment in &request.comments {
        let shown = match comment {
            Ok(comment) => beginning(comment),
            Err(failure) => paint(NOTABLE, failure),
        };
        let _ = writeln!(text, "  {shown}");
    }
    if request.comments.is_empty() {
        let _ = writeln!(text, "  {}", paint(FAINT, "none: it has no value"));
    }
    expressions(text, own, scope);
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

/// Adds the expressions of the values, each with its result.
fn expressions<'a>(
    text: &mut String,
    templates: impl IntoIterator<Item = &'a ValueExpr>,
    scope: &Scope<'_>,
) {
    for expression in templates.into_iter().flat_map(ValueExpr::expressions) {
        let _ = writeln!(text, "    {}", given(expression, scope));
    }
}

/// Describes the value that is sent for a field.
fn outcome(mapping: &FieldMapping, scope: &Scope<'_>, request: Option<&CaseRequest>) -> String {
    if mapping
        .when
        .as_ref()
        .is_some_and(|when| !when.matches(scope.event))
    {
        return paint(FAINT, "not sent: its `when` is not met");
    }
    let Some(request) = request else {
        return paint(NOTABLE, "no request: see the reason below");
    };
    match request
        .fields
        .iter()
        .find(|(id, _)| *id == mapping.field.id)
    {
        None => paint(FAINT, "not sent: it has no value"),
        Some((_, FieldValue::String(value) | FieldValue::UserArn(value))) => format!("{value:?}"),
        Some((_, FieldValue::Double(value))) => value.to_string(),
        Some((_, FieldValue::Boolean(value))) => value.to_string(),
        Some((_, FieldValue::Empty)) => "empty".to_owned(),
    }
}

/// An expression and what it gives for this event.
fn given(expression: &Expression, scope: &Scope<'_>) -> String {
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
        Value::Object => "an object".to_owned(),
        Value::Null => "null".to_owned(),
    }
}
