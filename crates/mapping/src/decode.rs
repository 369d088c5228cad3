//! The decoder: from the tree of a mapping file to the compiled [`Mapping`].
//!
//! It checks every key, name, expression and pattern, and reports all diagnostics together.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::customer::{
    ATTRIBUTES, FindCustomer, IfMany, IfNone, KEYS_IN_A_SEARCH, NewProfile, ProfileMember, Search,
    is_search_key,
};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, alternatives, listed, nearest, suggest};
use crate::domain::Domain;
use crate::expression::{self, Expression, Operand, Part, SyntaxError, ValueExpr, Variable};
use crate::field::{Field, FieldError, FieldType};
use crate::filter::{Definitions, Table};
use crate::locate::SourceText;
use crate::mapping::{
    CaseMapping, Choice, Content, FieldMapping, FieldSource, IfInvalid, IfMissing,
    LedgerUnavailable, LedgerUse, LinkContact, Mapping, OnExisting, Overflow, PerformedBy,
};
use crate::object::{self, Object};
use crate::pattern::{self, Pattern};
use crate::phone::Country;
use crate::reference::Reference;
use crate::schema::{self, ObjectSchema};
use crate::source::{Format, Source};
use crate::timestamp::TimeSpan;
use crate::tree::{Entry, Key, Kind, Literal, Node, Scalar, Span};
use crate::trigger::Trigger;
use crate::value::Value;
use crate::zone::Zone;
use crate::{known_members, limits};

/// The configuration that a mapping is checked against.
#[derive(Clone, Copy, Debug)]
pub struct LoadContext<'a> {
    /// The domain snapshot. Without one, fields need explicit types, and templates need their ids.
    pub domain: Option<&'a Domain>,
    /// The required prefix of every custom entity.
    pub entity_prefix: &'a str,
}

impl Mapping {
    /// Reads a mapping. A file name that ends in `.json` means JSON; any other name means YAML.
    ///
    /// # Errors
    /// All errors of the file, each at its position. A syntax error that stops the reader is reported alone.
    pub fn load(file: &str, text: &str, context: LoadContext<'_>) -> Result<Self, Diagnostics> {
        let source = Format::of(file).parse(text);
        let loaded =
            source.and_then(|Source { root, errors }| decode(&root, errors, text, context));
        loaded.map_err(|errors| Diagnostics::new(file, text, errors))
    }
}

/// Compiles the mapping of a tree.
///
/// # Errors
/// All errors of the file, those of its syntax included.
pub(crate) fn decode(
    root: &Node,
    syntax_errors: Vec<Diagnostic>,
    text: &str,
    context: LoadContext<'_>,
) -> Result<Mapping, Vec<Diagnostic>> {
    let mut decoder = Decoder {
        text: SourceText::new(text),
        context,
        trigger: None,
        phone_country: None,
        definitions: Definitions::default(),
        variables: Vec::new(),
        inherited: Inherited::default(),
        table_entries: HashMap::new(),
        errors: syntax_errors,
    };
    match decoder.file(root) {
        Some(mapping) if decoder.errors.is_empty() => Ok(mapping),
        _ => Err(decoder.errors),
    }
}

fn pattern_diagnostics(diagnostics: Vec<Diagnostic>) -> impl Iterator<Item = Diagnostic> {
    diagnostics
        .into_iter()
        .map(|diagnostic| diagnostic.code(Code::Pattern))
}

struct Decoder<'a> {
    text: SourceText<'a>,
    context: LoadContext<'a>,
    /// The trigger of the current case mapping. It determines the data that references can read.
    trigger: Option<Trigger>,
    /// The file's `phone_country`.
    phone_country: Option<Country>,
    /// The names that expressions can use at this place of the file.
    definitions: Definitions,
    /// The variables at this place, in the order of their names in `definitions`.
    variables: Vec<Arc<Variable>>,
    /// The actions for fields that do not state their own.
    inherited: Inherited,
    /// The values of each table with their spans, for errors that appear when a field uses the table.
    table_entries: HashMap<String, Vec<(Span, Value<'static>)>>,
    errors: Vec<Diagnostic>,
}

/// The actions of a case mapping for its fields.
#[derive(Default)]
struct Inherited {
    if_missing: IfMissing,
    if_invalid: IfInvalid,
    /// The fields that the template requires. Like the title and the customer, they do not inherit.
    required: Vec<Arc<Field>>,
}

/// The file's defaults for every case mapping.
struct Defaults {
    if_missing: IfMissing,
    if_invalid: IfInvalid,
    performed_by: Option<PerformedBy>,
    tags: Vec<(String, ValueExpr)>,
}

impl Decoder<'_> {
    fn file(&mut self, root: &Node) -> Option<Mapping> {
        let object = self.object(root, &schema::FILE)?;
        if let Some(node) = object.get("version") {
            self.version(node);
        }
        if let Some(node) = object.get("tables") {
            self.tables(node);
        }
        self.phone_country = object
            .get("phone_country")
            .and_then(|node| self.country(node));
        self.definitions.zone = object
            .get("time_zone")
            .and_then(|node| self.time_zone(node));
        if let Some(node) = object.get("variables") {
            self.variables(node);
        }
        let defaults = Defaults {
            if_missing: self.if_missing(&object).unwrap_or_default(),
            if_invalid: self.if_invalid(&object).unwrap_or_default(),
            performed_by: object
                .get("performed_by")
                .and_then(|node| self.performed_by(node)),
            tags: object
                .get("tags")
                .map(|node| self.tags(node))
                .unwrap_or_default(),
        };
        let node = object.get("cases")?;
        let items = self.list(node, "`cases` is a list of case mappings")?;
        if items.is_empty() {
            self.keep(Diagnostic::new(
                node.span,
                "`cases` is empty: no event would become a case",
            ));
        }
        let mut names: BTreeMap<String, Span> = BTreeMap::new();
        let mut cases = Vec::with_capacity(items.len());
        for item in items {
            let Some((case, span)) = self.case(item, &defaults) else {
                continue;
            };
            if let Some(first) = names.insert(case.name.clone(), span) {
                let message = format!(
                    "the name `{}` is given twice; the first is on line {}",
                    case.name, first.start.line
                );
                self.keep(
                    Diagnostic::error(span, Code::Name, message)
                        .help("a name is part of every key: each case mapping needs its own"),
                );
            }
            cases.push((case, span));
        }
        self.refuse_loops(&cases);
        let cases = cases.into_iter().map(|(case, _)| case).collect();
        Some(Mapping { cases })
    }

    /// Reports cases that a user performs in a mapping that accepts events of Cases.
    ///
    /// Such cases look the same as the user's own cases, so their events would create new cases.
    fn refuse_loops(&mut self, cases: &[(CaseMapping, Span)]) {
        if !cases.iter().any(|(case, _)| case.on_case_events) {
            return;
        }
        for (case, span) in cases {
            if let PerformedBy::UserArn(_) = case.performed_by {
                let message = "this case mapping's cases are performed by a user, and another takes events of Cases: the events of its own cases would come back to it";
                let help = "let a custom entity perform it, or leave `on_case_events` out";
                self.keep(Diagnostic::error(*span, Code::PerformedBy, message).help(help));
            }
        }
    }

    fn version(&mut self, node: &Node) {
        let found = match &node.kind {
            Kind::Scalar(scalar) if scalar.literal() == Literal::Number("1") => return,
            Kind::Scalar(scalar) if scalar.plain => format!("`{}`", scalar.text),
            _ => node.describe().to_owned(),
        };
        let message =
            format!("this release reads version 1 of the mapping language, found {found}");
        let help = "write `version: 1`, or use the release that the mapping was written for";
        self.keep(Diagnostic::new(node.span, message).help(help));
    }

    fn tables(&mut self, node: &Node) {
        for Entry { key, value } in self.named(node, "`tables` holds tables by name") {
            let mut rows = Table::new();
            let mut places = Vec::new();
            for row in self.named(value, "a table gives a scalar for each text") {
                let Some(item) = self.constant(&row.value) else {
                    continue;
                };
                places.push((row.value.span, item.clone()));
                rows.insert(row.key.text.clone(), item);
            }
            self.table_entries.insert(key.text.clone(), places);
            self.definitions
                .tables
                .insert(key.text.clone(), Arc::new(rows));
        }
    }

    fn time_zone(&mut self, node: &Node) -> Option<Zone> {
        let Kind::Scalar(Scalar { text, .. }) = &node.kind else {
            let found = node.describe();
            let message = format!("`time_zone` takes the name of a time zone, found {found}");
            return self.refuse(Diagnostic::new(node.span, message));
        };
        let zone = Zone::named(text);
        zone.or_else(|| {
            // The names are many: a file of wrong ones gets no more help after the first few.
            let near = (self.errors.len() < 10).then(|| Zone::nearest(text));
            let help = match near.flatten() {
                Some(near) => format!("did you mean `{near}`?"),
                None => "such as America/New_York or Europe/Berlin".to_owned(),
            };
            let message = format!("there is no time zone `{text}`");
            let diagnostic = Diagnostic::error(node.span, Code::UnknownWord, message);
            self.refuse(diagnostic.help(help))
        })
    }

    /// Decodes `variables`. Each can read those before it.
    fn variables(&mut self, node: &Node) {
        let entries = self.named(node, "`variables` gives a value for each name");
        let before = self.variables.len();
        for Entry { key, value } in entries.iter().copied().take(limits::VARIABLES + 1) {
            let name = &key.text;
            if let Some((message, help)) = self.wrong_variable_name(name) {
                self.keep(Diagnostic::error(key.span, Code::Name, message).help(help));
                continue;
            }
            // A variable with an error keeps its name, so that its uses are not reported too.
            let value = self.value(value).unwrap_or(ValueExpr::Boolean(false));
            let mut members = Vec::new();
            for reference in value.expressions().flat_map(Expression::references) {
                match reference {
                    Reference::Event(_) => {
                        members.push(reference.first_member().unwrap_or("").to_owned());
                    }
                    Reference::Variable(other, _) => {
                        let other = self.variables.get(other.index);
                        members.extend(other.iter().flat_map(|other| other.members.clone()));
                    }
                    Reference::Mapping | Reference::Trigger | Reference::Domain => {}
                }
            }
            members.sort_unstable();
            members.dedup();
            self.definitions.variables.push(name.clone());
            self.variables.push(Arc::new(Variable {
                name: name.clone(),
                value,
                members,
            }));
        }
        if self.variables.len() > limits::VARIABLES {
            let limit = limits::VARIABLES;
            let found = before + entries.len();
            let message = format!("a case mapping has at most {limit} variables, found {found}");
            self.keep(Diagnostic::new(node.span.first_character(), message));
        }
    }

    fn wrong_variable_name(&self, name: &str) -> Option<(String, &'static str)> {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.is_empty()
            || name.starts_with(|c: char| c.is_ascii_digit())
            || !name.chars().all(legal)
        {
            let message = format!("`{name}` is no name of a variable");
            let help = "a name has small letters, digits and `_`, such as `order_total`, and begins with no digit";
            return Some((message, help));
        }
        if name == "item" {
            let message = "the name `item` is kept for a later release".to_owned();
            return Some((message, "choose another name"));
        }
        self.definitions.variables.iter().any(|known| known == name).then(|| {
            let message = format!("there is a variable `{name}` already");
            (message, "a name stands for one value in the file and its case mapping: choose another name")
        })
    }

    fn if_missing(&mut self, object: &Object<'_>) -> Option<IfMissing> {
        let node = object.get("if_missing")?;
        self.word(node, &IF_MISSING)
    }

    fn if_invalid(&mut self, object: &Object<'_>) -> Option<IfInvalid> {
        let node = object.get("if_invalid")?;
        self.word(node, &IF_INVALID)
    }

    fn pattern(&mut self, node: &Node) -> Option<Pattern> {
        self.refuse_never_sent_in(node);
        self.errors
            .extend(pattern_diagnostics(pattern::unquoted_ids(node)));
        Pattern::compile_with(node, &self.definitions.variables)
            .map_err(|diagnostics| self.errors.extend(pattern_diagnostics(diagnostics)))
            .ok()
    }

    fn list<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        match &node.kind {
            Kind::List(items) => Some(items),
            _ => self.refuse(Diagnostic::new(
                node.span,
                format!("{what}, found {}", node.describe()),
            )),
        }
    }

    /// Returns the entries of an object whose keys the author chooses. A duplicate key is a diagnostic.
    fn named<'n>(&mut self, node: &'n Node, what: &str) -> Vec<&'n Entry> {
        let Kind::Map(entries) = &node.kind else {
            self.keep(Diagnostic::new(
                node.span,
                format!("{what}, found {}", node.describe()),
            ));
            return Vec::new();
        };
        let (once, diagnostics) = object::once(entries);
        self.errors.extend(diagnostics);
        once
    }

    fn object<'n>(&mut self, node: &'n Node, schema: &ObjectSchema) -> Option<Object<'n>> {
        let (object, diagnostics) = Object::new(node, schema);
        self.errors.extend(diagnostics);
        object
    }

    fn keep(&mut self, diagnostic: Diagnostic) {
        self.errors.push(diagnostic);
    }

    /// Keeps a diagnostic and returns `None`, so that callers can write `return self.refuse(…)`.
    fn refuse<T>(&mut self, diagnostic: Diagnostic) -> Option<T> {
        self.keep(diagnostic);
        None
    }
}

const TRIGGERS: [(&str, Trigger); 2] = [
    ("contact-flow", Trigger::ContactFlow),
    ("eventbridge", Trigger::EventBridge),
];

impl Decoder<'_> {
    /// Decodes a case mapping and returns it with the span of its name.
    ///
    /// All parts are decoded before a missing part returns `None`. So no diagnostic hides another.
    fn case(&mut self, node: &Node, defaults: &Defaults) -> Option<(CaseMapping, Span)> {
        let object = self.object(node, &schema::CASE)?;
        let name = object.get("name").and_then(|node| self.name(node));
        let trigger = object
            .get("trigger")
            .and_then(|node| self.word(node, &TRIGGERS));
        self.trigger = trigger;
        let (file_zone, file_variables) = (self.definitions.zone.clone(), self.variables.len());
        if let Some(node) = object.get("time_zone") {
            self.definitions.zone = self.time_zone(node);
        }
        if let Some(node) = object.get("variables") {
            self.variables(node);
        }
        let when = object.get("when").map(|node| self.pattern(node));
        // `when` matches the event as it arrived. The values below also see the members that `enrich` adds.
        let enrich = self.enrich(&object);
        if let (Some(true), Some(Some(when))) = (enrich, &when) {
            self.refuse_contact_in_when(when, object.span_of("when"));
        }
        let template = object.get("template").and_then(|node| self.template(node));
        let if_tag_invalid = self.if_invalid(&object).unwrap_or(defaults.if_invalid);
        self.inherited = Inherited {
            if_missing: self.if_missing(&object).unwrap_or(defaults.if_missing),
            if_invalid: if_tag_invalid,
            required: template
                .as_ref()
                .map(|template| template.required_fields.clone())
                .unwrap_or_default(),
        };
        let key = object
            .get("key")
            .map(|node| self.key(node))
            .unwrap_or_default();
        let performed_by = match object.get("performed_by") {
            Some(node) => self.performed_by(node),
            None => Some(
                defaults
                    .performed_by
                    .clone()
                    .unwrap_or_else(|| self.default_entity()),
            ),
        };
        let tags = self.merged_tags(defaults, object.get("tags"), object.span_of("tags"));
        let mut fields = object
            .get("fields")
            .map(|node| self.fields(node))
            .unwrap_or_default();
        let find_customer = object
            .get("customer")
            .and_then(|node| self.customer(node, &mut fields));
        let link_contact = self.link_contact(&object);
        let comment = object.get("comment").map(|node| self.value(node));
        let return_reference = self.switch(&object, "return_reference");
        let ledger = self.ledger(&object);
        let on_case_events = self.on_case_events(&object);
        self.trigger = None;
        let zone = std::mem::replace(&mut self.definitions.zone, file_zone);
        let variables = self.variables.clone();
        self.variables.truncate(file_variables);
        self.definitions.variables.truncate(file_variables);
        let template = template?;
        if let Some(Node {
            kind: Kind::Map(_), ..
        }) = object.get("fields")
        {
            self.missing_required(&template, &fields, object.span_of("fields"));
        }
        let case = CaseMapping {
            name: name?,
            trigger: trigger?,
            when: match when {
                Some(pattern) => Some(pattern?),
                None => None,
            },
            variables,
            zone,
            if_tag_invalid,
            template_id: template.id,
            required_fields: template.required_fields,
            key,
            performed_by: performed_by?,
            tags,
            fields: fields.sound.into_iter().map(|(field, _)| field).collect(),
            find_customer,
            enrich: enrich?,
            link_contact: link_contact?,
            comment: match comment {
                Some(comment) => Some(comment?),
                None => None,
            },
            return_reference: return_reference?,
            ledger: ledger?,
            on_case_events: on_case_events?,
        };
        Some((case, object.get("name")?.span))
    }

    /// Reports a variable of `when` that reads what `enrich` adds later.
    fn refuse_contact_in_when(&mut self, when: &Pattern, span: Span) {
        let mut named = when
            .variables()
            .filter_map(|index| self.variables.get(index));
        if let Some(variable) = named.find(|variable| variable.reads_contact()) {
            let message = format!(
                "`when` reads `${}`, and what `enrich` adds is not there yet when an event is matched",
                variable.name
            );
            let help =
                "test members of the event itself; `choose` and a field's `when` see the contact";
            self.keep(Diagnostic::error(span, Code::Pattern, message).help(help));
        }
    }

    fn name(&mut self, node: &Node) -> Option<String> {
        match &node.kind {
            Kind::Scalar(scalar) if scalar.literal() == Literal::Null => {
                let message = "`null` is no name: put it in quotes if it is meant as one";
                self.refuse(Diagnostic::error(node.span, Code::Name, message))
            }
            Kind::Scalar(Scalar { text, .. })
                if (1..=limits::NAME).contains(&text.chars().count())
                    && !text.chars().any(char::is_control) =>
            {
                Some(text.clone())
            }
            _ => {
                let limit = limits::NAME;
                let message = format!("a case mapping's name is text of 1 to {limit} characters");
                self.refuse(Diagnostic::error(node.span, Code::Name, message))
            }
        }
    }

    fn key(&mut self, node: &Node) -> Vec<ValueExpr> {
        let items = match &node.kind {
            Kind::List(items) => items.as_slice(),
            Kind::Scalar(_) | Kind::Map(_) => std::slice::from_ref(node),
        };
        let parts: Vec<ValueExpr> = items.iter().filter_map(|item| self.value(item)).collect();
        let constant = parts.iter().all(|part| part.expressions().next().is_none());
        if parts.len() == items.len() && constant {
            let message = "this key is the same for every event: there would be one case for ever";
            let help = "name what tells one case from another, such as $.detail.order.id, or leave `key` out for one case per contact or event";
            self.keep(Diagnostic::error(node.span, Code::Key, message).help(help));
        }
        parts
    }

    fn performed_by(&mut self, node: &Node) -> Option<PerformedBy> {
        if let Kind::Map(_) = node.kind {
            let object = self.object(node, &schema::PERFORMED_BY)?;
            return self
                .value(object.get("user_arn")?)
                .map(PerformedBy::UserArn);
        }
        let expr = self.value(node)?;
        let prefix = self.context.entity_prefix;
        if !expr.literal_start().starts_with(prefix) {
            let message = format!(
                "`performed_by` has to begin with `{prefix}`: that is how events of our own cases are told apart"
            );
            let help =
                format!("write \"{prefix}{{{{ $$.mapping }}}}\", or set CASEBRIDGE_ENTITY_PREFIX");
            return self
                .refuse(Diagnostic::error(node.span, Code::PerformedBy, message).help(help));
        }
        let illegal = literals(&expr).find(|c| !limits::is_entity_character(*c));
        if let Some(illegal) = illegal {
            let message = format!("`performed_by` cannot hold `{illegal}`");
            let help = "it takes letters without accents, digits, spaces and `_-.@:/`; what comes from the event is cleaned";
            return self
                .refuse(Diagnostic::error(node.span, Code::PerformedBy, message).help(help));
        }
        Some(PerformedBy::CustomEntity(expr))
    }

    /// Returns the default entity `casebridge/{{ $$.mapping }}`, with the configured prefix.
    fn default_entity(&self) -> PerformedBy {
        let mapping = expression::Expression {
            operand: Operand::Reference(Reference::Mapping),
            filters: Vec::new(),
            text: "$$.mapping".to_owned(),
            kind: expression::Kind::Text,
        };
        let prefix = Part::Literal(self.context.entity_prefix.to_owned());
        PerformedBy::CustomEntity(ValueExpr::Interpolated(vec![
            prefix,
            Part::Interpolation(mapping),
        ]))
    }

    fn tags(&mut self, node: &Node) -> Vec<(String, ValueExpr)> {
        let mut tags = Vec::new();
        for Entry { key, value } in self.named(node, "`tags` gives a value for each tag key") {
            let name = &key.text;
            if let Err(rule) = limits::tag_key(name) {
                let message = format!("the tag key `{name}` {rule}");
                self.keep(Diagnostic::error(key.span, Code::Tag, message));
            }
            let Some(expr) = self.value(value) else {
                continue;
            };
            let constant = expr.constant().and_then(|item| item.into_text().ok());
            if let Some(Err(rule)) = constant.map(|text| limits::tag_value(&text)) {
                let message = format!("the value of tag `{name}` {rule}");
                self.keep(Diagnostic::error(value.span, Code::Tag, message));
            }
            tags.push((name.clone(), expr));
        }
        tags
    }

    /// Returns the file's tags and the case mapping's own. An own tag replaces the file's tag with the same key.
    fn merged_tags(
        &mut self,
        defaults: &Defaults,
        node: Option<&Node>,
        span: Span,
    ) -> Vec<(String, ValueExpr)> {
        let own = node.map(|node| self.tags(node)).unwrap_or_default();
        let replaced = |key: &String| own.iter().any(|(mine, _)| mine == key);
        let inherited = defaults.tags.iter().filter(|(key, _)| !replaced(key));
        let mut tags: Vec<_> = inherited.cloned().collect();
        tags.extend(own);
        if tags.len() >= limits::TAGS {
            let (limit, found) = (limits::TAGS, tags.len());
            let message =
                format!("a case takes {limit} tags, and one of them is ours; found {found}");
            self.keep(Diagnostic::error(span, Code::Tag, message));
        }
        tags
    }
}

/// Returns the characters of a text that do not depend on the event.
fn literals(expr: &ValueExpr) -> impl Iterator<Item = char> {
    let parts = match expr {
        ValueExpr::Interpolated(parts) => parts.as_slice(),
        _ => &[],
    };
    parts.iter().flat_map(|part| match part {
        Part::Literal(text) => text.chars(),
        Part::Interpolation(_) => "".chars(),
    })
}

/// A template with the fields that it requires.
struct ResolvedTemplate {
    id: String,
    name: String,
    required_fields: Vec<Arc<Field>>,
}

impl Decoder<'_> {
    fn template(&mut self, node: &Node) -> Option<ResolvedTemplate> {
        let Kind::Scalar(Scalar { text, .. }) = &node.kind else {
            let message = format!(
                "a template is given by its name or id, found {}",
                node.describe()
            );
            return self.refuse(Diagnostic::new(node.span, message));
        };
        let Some(domain) = self.context.domain else {
            return self.template_id(text, node.span);
        };
        let Some(template) = domain.template(text) else {
            let active = domain.templates.iter().filter(|template| template.active);
            let help = suggest(text, active.map(|template| template.name.as_str()));
            let diagnostic =
                Diagnostic::new(node.span, format!("the domain has no template `{text}`"));
            return self.refuse(diagnostic.maybe_help(help).code(Code::UnknownTemplate));
        };
        if !template.active {
            let message =
                format!("the template `{text}` is inactive: no case can be created from it");
            let help = "activate it in Amazon Connect, or take another one";
            return self
                .refuse(Diagnostic::error(node.span, Code::InactiveTemplate, message).help(help));
        }
        let mut ids: Vec<&str> = template
            .required_fields
            .iter()
            .map(String::as_str)
            .collect();
        if !ids.contains(&"title") {
            ids.insert(0, "title");
        }
        let later = ids.iter().find_map(|id| domain.later_type(id));
        if let Some(kind) = later {
            let message = format!(
                "the template `{text}` requires a field of type `{kind}`, which this release of Casebridge does not know"
            );
            let help = "take a newer release, or a template that does not require it";
            return self
                .refuse(Diagnostic::error(node.span, Code::RequiredField, message).help(help));
        }
        let field = |id: &str| {
            domain
                .field(id)
                .cloned()
                .or_else(|| Field::system(id).map(Arc::new))
        };
        Some(ResolvedTemplate {
            id: template.id.clone(),
            name: template.name.clone(),
            required_fields: ids.into_iter().filter_map(field).collect(),
        })
    }

    /// Resolves a template without a snapshot. The author must state its id.
    fn template_id(&mut self, id: &str, span: Span) -> Option<ResolvedTemplate> {
        if !is_uuid(id) {
            let message = format!("there is no domain snapshot to find a template `{id}` in");
            let help = "write the template's id, or put domain.json beside the mapping";
            return self.refuse(Diagnostic::error(span, Code::UnknownTemplate, message).help(help));
        }
        let required_fields = Field::system("title").map(Arc::new).into_iter().collect();
        Some(ResolvedTemplate {
            id: id.to_owned(),
            name: id.to_owned(),
            required_fields,
        })
    }

    /// Reports required fields of the template that nothing sets, and those that are always sent empty.
    fn missing_required(&mut self, template: &ResolvedTemplate, fields: &Fields, span: Span) {
        for required in &template.required_fields {
            if fields.set.contains_key(&required.id) {
                let sound = fields
                    .sound
                    .iter()
                    .find(|(mapping, _)| mapping.field.id == required.id);
                if let Some((mapping, span)) = sound {
                    self.required(template, mapping, *span);
                }
                continue;
            }
            let message = format!(
                "the template `{}` requires the field `{}`, and nothing sets it",
                template.name, required.name
            );
            let help = match required.id.as_str() {
                "customer_id" => "add `customer:` to the case mapping".to_owned(),
                "title" => "add `title:` to the fields".to_owned(),
                _ => format!("add `{}:` to the fields", required.name),
            };
            self.keep(Diagnostic::error(span, Code::RequiredField, message).help(help));
        }
    }
}

impl Decoder<'_> {
    /// Reports a required field that is always sent empty.
    fn required(&mut self, template: &ResolvedTemplate, mapping: &FieldMapping, span: Span) {
        if !mapping.is_always_empty() {
            return;
        }
        let (template, field) = (&template.name, &mapping.field.name);
        let message = format!(
            "the template `{template}` requires the field `{field}`, and this sends it empty"
        );
        let diagnostic = Diagnostic::new(span, message).help("give it a value");
        self.keep(diagnostic.code(Code::RequiredField));
    }
}

/// Returns true if the text has the shape of the ids that Cases assigns.
fn is_uuid(text: &str) -> bool {
    let legal = |(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => u8::is_ascii_hexdigit(&byte),
    };
    text.len() == 36 && text.bytes().enumerate().all(legal)
}

const IF_INVALID: [(&str, IfInvalid); 3] = [
    ("fail", IfInvalid::Fail),
    ("missing", IfInvalid::Missing),
    ("comment", IfInvalid::Comment),
];

const IF_MISSING: [(&str, IfMissing); 3] = [
    ("fail", IfMissing::Fail),
    ("skip", IfMissing::Skip),
    ("empty", IfMissing::Empty),
];

/// The fields that `fields` and `customer` set.
#[derive(Default)]
struct Fields {
    /// The valid field mappings, each with its span.
    sound: Vec<(FieldMapping, Span)>,
    /// The line of each field that is set, by id. Invalid field mappings are included, so that they are not reported as missing too.
    set: HashMap<String, usize>,
}

impl Decoder<'_> {
    fn fields(&mut self, node: &Node) -> Fields {
        let entries = self.named(node, "`fields` gives a value for each field");
        let mut fields = Fields {
            sound: Vec::with_capacity(entries.len()),
            set: HashMap::with_capacity(entries.len()),
        };
        for entry in entries {
            let Some(mapping) = self.field_mapping(entry, &mut fields.set) else {
                continue;
            };
            fields.sound.push((mapping, entry.key.span));
        }
        if fields.set.len() > limits::FIELDS {
            let (limit, found) = (limits::FIELDS, fields.set.len());
            let message = format!("a case is created with at most {limit} fields, found {found}");
            self.keep(Diagnostic::new(node.span.first_character(), message));
        }
        fields
    }

    fn field_mapping(
        &mut self,
        Entry { key, value }: &Entry,
        set: &mut HashMap<String, usize>,
    ) -> Option<FieldMapping> {
        let Kind::Map(_) = value.kind else {
            let field = self.field(key, None);
            self.set_once(field.as_deref(), key, set);
            let content = self.content(value);
            let mapping = self.new_field(field?, FieldSource::Value(content?));
            let places = FieldSpans {
                field: key.span,
                values: vec![value.span],
                default: None,
            };
            return self.checked(mapping, None, &places);
        };
        let object = self.object(value, &schema::FIELD)?;
        let explicit = object
            .get("type")
            .map(|node| self.word(node, &FieldType::NAMES));
        let field = match explicit {
            Some(None) => None,
            explicit => self.field(key, explicit.flatten()),
        };
        self.set_once(field.as_deref(), key, set);
        let source = self.source(&object);
        let when = object.get("when").map(|node| self.pattern(node));
        let lookup = object.get("lookup").map(|node| self.table(node));
        let default = object.get("default").map(|node| self.value(node));
        let if_missing = object
            .get("if_missing")
            .map(|node| self.word(node, &IF_MISSING));
        let if_invalid = object
            .get("if_invalid")
            .map(|node| self.word(node, &IF_INVALID));
        let overflow = object.get("overflow").map(|node| self.overflow(node));
        let (source, values) = source?;
        let mut mapping = self.new_field(field?, source);
        let mut table = None;
        if let Some(when) = when {
            mapping.when = Some(when?);
        }
        if let Some(lookup) = lookup {
            let name = lookup?;
            mapping.lookup = self.definitions.tables.get(&name).cloned();
            table = Some(name);
        }
        if let Some(default) = default {
            mapping.default = Some(default?);
        }
        mapping.if_missing = if_missing.unwrap_or(Some(mapping.if_missing))?;
        mapping.if_invalid = if_invalid.unwrap_or(Some(mapping.if_invalid))?;
        mapping.overflow = overflow.unwrap_or(Some(Overflow::Fail))?;
        if mapping.overflow != Overflow::Fail && mapping.field.kind != FieldType::Text {
            let (name, kind) = (&mapping.field.name, mapping.field.kind.name());
            let message = format!(
                "`overflow` is for Text, and the field `{name}` is of type {kind}: cut short, its value would be another"
            );
            let diagnostic = Diagnostic::new(object.span_of("overflow"), message);
            return self.refuse(diagnostic.help("leave it out").code(Code::Overflow));
        }
        let default = object.get("default").map(|node| node.span);
        let places = FieldSpans {
            field: key.span,
            values,
            default,
        };
        self.checked(mapping, table.as_deref(), &places)
    }

    /// Creates a field mapping with the actions that the field inherits.
    fn new_field(&self, field: Arc<Field>, source: FieldSource) -> FieldMapping {
        let mut mapping = FieldMapping::new(field, source);
        let id = &mapping.field.id;
        let is_required = |id: &str| self.inherited.required.iter().any(|field| field.id == id);
        if !["title", "customer_id"].contains(&id.as_str()) && !is_required(id) {
            mapping.if_missing = self.inherited.if_missing;
            mapping.if_invalid = self.inherited.if_invalid;
        }
        mapping
    }

    /// Reports a field that is set twice, by name and by id.
    fn set_once(&mut self, field: Option<&Field>, key: &Key, set: &mut HashMap<String, usize>) {
        let Some(field) = field else { return };
        if let Some(line) = set.get(&field.id) {
            let name = &field.name;
            let message = format!(
                "the field `{name}` is set twice, by name and by id; the first is on line {line}"
            );
            let diagnostic = Diagnostic::new(key.span, message).help("keep one of them");
            self.keep(diagnostic.code(Code::FieldSetTwice));
        } else {
            set.insert(field.id.clone(), key.span.start.line);
        }
    }

    /// Returns the field with this name or id. An explicit type must be the type of the field.
    fn field(&mut self, key: &Key, explicit: Option<FieldType>) -> Option<Arc<Field>> {
        let field = match self.context.domain {
            Some(domain) => self.known_field(key, domain),
            None => Field::system(&key.text)
                .map(Arc::new)
                .or_else(|| self.unknown_field(key, explicit)),
        }?;
        if !field.is_writable() {
            let message = format!("the field `{}` is written by Cases itself", field.name);
            let diagnostic = Diagnostic::new(key.span, message).help("remove it");
            return self.refuse(diagnostic.code(Code::ReadOnlyField));
        }
        let wanted = explicit.filter(|kind| *kind != field.kind);
        if let Some(wanted) = wanted {
            let (name, found) = (&field.name, field.kind.name());
            let message = format!(
                "the field `{name}` is of type {found}, not {}",
                wanted.name()
            );
            let help = "leave `type` out: the domain has the type";
            return self.refuse(Diagnostic::error(key.span, Code::FieldType, message).help(help));
        }
        Some(field)
    }

    /// Returns a field of the snapshot by name or id.
    fn known_field(&mut self, key: &Key, domain: &Domain) -> Option<Arc<Field>> {
        let name = &key.text;
        if let Some(field) = domain.field(name) {
            return Some(Arc::clone(field));
        }
        if let Some(kind) = domain.later_type(name) {
            let message = format!(
                "the field `{name}` is of type `{kind}`, which this release of Casebridge does not know"
            );
            let help = "take a newer release, or leave the field out";
            return self.refuse(Diagnostic::error(key.span, Code::FieldType, message).help(help));
        }
        Field::system(name).map(Arc::new).or_else(|| {
            let writable = domain.fields.iter().filter(|field| field.is_writable());
            let help = match nearest(name, writable.map(|field| field.name.as_str())) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "names and ids are those of domain.json".to_owned(),
            };
            let message = format!("the domain has no field `{name}`");
            self.refuse(Diagnostic::error(key.span, Code::UnknownField, message).help(help))
        })
    }

    /// Returns a custom field without a snapshot. The author must state its id and its type.
    fn unknown_field(&mut self, key: &Key, explicit: Option<FieldType>) -> Option<Arc<Field>> {
        let name = &key.text;
        let (message, help) = match explicit {
            Some(kind) if is_uuid(name) => return Some(Field::explicit(name, kind).into()),
            Some(_) => (
                format!("there is no domain snapshot to find a field `{name}` in"),
                "write the field's id, or put domain.json beside the mapping",
            ),
            None => (
                format!("the type of field `{name}` is not known: there is no domain snapshot"),
                "write the id with a `type`, such as `{ type: Number, value: $.detail.n }`, or put domain.json beside the mapping",
            ),
        };
        self.refuse(Diagnostic::error(key.span, Code::UnknownField, message).help(help))
    }

    /// Decodes `value` or `choose`, and returns the source with the span of each of its values.
    fn source(&mut self, object: &Object<'_>) -> Option<(FieldSource, Vec<Span>)> {
        match (object.get("value"), object.get("choose")) {
            (Some(node), None) => Some((FieldSource::Value(self.content(node)?), vec![node.span])),
            (None, Some(node)) => self.choices(node),
            (None, None) => {
                let message = "a field needs `value` or `choose`";
                self.refuse(Diagnostic::new(object.span_of(""), message))
            }
            (Some(_), Some(_)) => {
                let message = "a field has `value` or `choose`, not both";
                let diagnostic = Diagnostic::new(object.span_of("choose"), message);
                self.refuse(diagnostic.help("keep one of them"))
            }
        }
    }

    fn choices(&mut self, node: &Node) -> Option<(FieldSource, Vec<Span>)> {
        let items = self.list(node, "`choose` is a list of choices")?;
        if items.is_empty() {
            return self.refuse(Diagnostic::new(
                node.span,
                "`choose` needs at least one choice",
            ));
        }
        let mut choices = Vec::with_capacity(items.len());
        let mut places = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let Some(object) = self.object(item, &schema::CHOICE) else {
                continue;
            };
            let when = object.get("when").map(|node| self.pattern(node));
            let value = object.get("value").and_then(|node| self.content(node));
            if when.is_none() && index + 1 < items.len() {
                let message = "this choice has no `when`, so those after it are never taken";
                let span = item.span.first_character();
                self.keep(
                    Diagnostic::error(span, Code::Unreachable, message).help("make it the last"),
                );
            }
            if let (None | Some(Some(_)), Some(value)) = (&when, value) {
                choices.push(Choice {
                    when: when.flatten(),
                    value,
                });
                places.extend(object.get("value").map(|node| node.span));
            }
        }
        (choices.len() == items.len()).then_some((FieldSource::Choose(choices), places))
    }

    fn table(&mut self, node: &Node) -> Option<String> {
        match &node.kind {
            Kind::Scalar(scalar) if self.definitions.tables.contains_key(&scalar.text) => {
                Some(scalar.text.clone())
            }
            Kind::Scalar(scalar) => {
                let help = suggest(
                    &scalar.text,
                    self.definitions.tables.keys().map(String::as_str),
                );
                let message = format!("there is no table `{}`", scalar.text);
                let diagnostic = Diagnostic::new(node.span, message).maybe_help(help);
                self.refuse(diagnostic.code(Code::UnknownTable))
            }
            Kind::List(_) | Kind::Map(_) => {
                let message = format!("`lookup` takes a table's name, found {}", node.describe());
                self.refuse(Diagnostic::new(node.span, message))
            }
        }
    }

    fn overflow(&mut self, node: &Node) -> Option<Overflow> {
        let words = [
            ("fail", Overflow::Fail),
            ("truncate", Overflow::Truncate),
            ("comment", Overflow::Comment),
        ];
        self.word(node, &words)
    }
}

impl FieldMapping {
    fn new(field: impl Into<Arc<Field>>, source: FieldSource) -> Self {
        Self {
            field: field.into(),
            when: None,
            source,
            lookup: None,
            default: None,
            if_missing: IfMissing::default(),
            if_invalid: IfInvalid::default(),
            overflow: Overflow::default(),
        }
    }
}

/// The spans of the parts of a field mapping.
struct FieldSpans {
    /// The field's name.
    field: Span,
    /// Its value, or the value of each choice.
    values: Vec<Span>,
    /// Its `default`.
    default: Option<Span>,
}

impl Decoder<'_> {
    /// Returns the mapping, unless a constant in it is certain to fail.
    fn checked(
        &mut self,
        mapping: FieldMapping,
        table: Option<&str>,
        places: &FieldSpans,
    ) -> Option<FieldMapping> {
        let before = self.errors.len();
        let constants: Vec<(Span, Value<'static>)> = if let Some(name) = table {
            self.table_entries.get(name).cloned().unwrap_or_default()
        } else {
            let values = places.values.iter().zip(mapping.source.contents());
            let constant = |content: &Content| content.value_expr().and_then(constant);
            values
                .filter_map(|(span, content)| Some((*span, constant(content)?)))
                .collect()
        };
        let default = places
            .default
            .zip(mapping.default.as_ref().and_then(constant));
        for (span, item) in constants.into_iter().chain(default) {
            self.fits(&mapping, item, span);
        }
        let empties = mapping
            .source
            .contents()
            .any(|content| matches!(content, Content::Empty));
        let title = mapping.field.id == "title";
        let left_out =
            mapping.if_missing != IfMissing::Fail || mapping.if_invalid == IfInvalid::Comment;
        if title && (empties || left_out) {
            let message = "a case needs a title: it cannot be skipped or sent empty";
            self.keep(
                Diagnostic::error(places.field, Code::RequiredField, message)
                    .help("give it a `default`"),
            );
        }
        (self.errors.len() == before).then_some(mapping)
    }

    fn fits(&mut self, mapping: &FieldMapping, item: Value<'_>, span: Span) {
        let field = &mapping.field;
        let field_error = match field.coerce(item.clone(), self.definitions.zone.as_ref()) {
            Ok(_) => return,
            Err(FieldError::TooLong { .. }) if mapping.overflow != Overflow::Fail => return,
            Err(field_error) => field_error,
        };
        let (name, kind) = (&field.name, field.kind.name());
        let diagnostic = match (item.into_text(), &field.options) {
            // The message may quote the author's text, but never a value of an event.
            (Ok(text), Some(options)) if field.option(&text).is_none() => {
                let active = options.iter().filter(|option| option.active);
                let help = suggest(&text, active.map(|option| option.name.as_str()));
                let message = format!("the field `{name}` has no option `{text}`");
                Diagnostic::error(span, Code::UnknownOption, message).maybe_help(help)
            }
            (text, options) => {
                let message = format!("the field `{name}` ({kind}) {field_error}");
                let diagnostic = Diagnostic::error(span, Code::FieldValue, message);
                // An option that is known and refused is inactive.
                let active = options.iter().flatten().filter(|option| option.active);
                let active: Vec<&str> = active.map(|option| option.name.as_str()).collect();
                let is_inactive = text.is_ok() && !active.is_empty();
                let help =
                    is_inactive.then(|| format!("the active options are {}", listed(active)));
                diagnostic.maybe_help(help)
            }
        };
        self.keep(diagnostic);
    }
}

fn constant(expr: &ValueExpr) -> Option<Value<'static>> {
    expr.constant().map(Value::into_owned)
}

/// The content of `customer`.
enum Customer {
    /// The value of the field comes from the event.
    Field(FieldSource),
    /// A search finds the profile.
    Find(FindCustomer),
}

impl Decoder<'_> {
    /// Sets the field `customer_id`, or returns the search for the customer.
    fn customer(&mut self, node: &Node, fields: &mut Fields) -> Option<FindCustomer> {
        let customer = match node.kind {
            Kind::Map(_) => self.long_customer(node),
            Kind::Scalar(_) | Kind::List(_) => {
                let value = self.value(node);
                value.map(|expr| Customer::Field(FieldSource::Value(Content::Value(expr))))
            }
        };
        let set = fields
            .sound
            .iter()
            .find(|(mapping, _)| mapping.field.id == "customer_id");
        if let Some((_, first)) = set {
            let line = first.start.line;
            let message = format!(
                "the customer is set twice, by `customer` and by the field `customer_id` on line {line}"
            );
            self.keep(
                Diagnostic::error(node.span, Code::FieldSetTwice, message).help("keep one of them"),
            );
        }
        let line = node.span.start.line;
        fields.set.insert("customer_id".to_owned(), line);
        match customer? {
            Customer::Find(find) => return Some(find),
            Customer::Field(source) => {
                let mapping = FieldMapping::new(Field::system("customer_id")?, source);
                let places = FieldSpans {
                    field: node.span,
                    values: vec![node.span],
                    default: None,
                };
                let checked = self.checked(mapping, None, &places);
                fields
                    .sound
                    .extend(checked.map(|mapping| (mapping, node.span)));
            }
        }
        None
    }

    fn long_customer(&mut self, node: &Node) -> Option<Customer> {
        let object = self.object(node, &schema::CUSTOMER)?;
        let (profile_id, find) = (object.get("profile_id"), object.get("find"));
        let found = find.and_then(|find| self.find_customer(find, &object));
        if let (Some(_), Some(_)) = (profile_id, find) {
            let message = "`customer` takes `profile_id` or `find`, not both";
            let diagnostic =
                Diagnostic::new(object.span_of("find"), message).help("keep one of them");
            return self.refuse(diagnostic.code(Code::Customer));
        }
        if find.is_some() {
            return found.map(Customer::Find);
        }
        for key in ["if_none", "if_many"] {
            if object.get(key).is_some() {
                let message =
                    format!("`{key}` says what holds after a search, and there is no `find`");
                let diagnostic = Diagnostic::new(object.span_of(key), message);
                let help = "add `find:`, such as `find: [{ _phone: $.CustomerEndpoint.Address }]`, or leave it out";
                self.keep(diagnostic.help(help).code(Code::Customer));
            }
        }
        if let Some(node) = profile_id {
            return self
                .value(node)
                .map(|id| Customer::Field(FieldSource::ProfileId(id)));
        }
        // Unknown keys are already reported.
        if object.is_empty() && is_empty(node) {
            let message = "`customer` takes a profile ARN, `profile_id` or `find`";
            let help = "such as `customer: $.Parameters.profile_arn`";
            self.keep(Diagnostic::new(node.span.first_character(), message).help(help));
        }
        None
    }
}

/// Returns true if the node is an object without keys.
fn is_empty(node: &Node) -> bool {
    matches!(&node.kind, Kind::Map(entries) if entries.is_empty())
}

impl Decoder<'_> {
    fn find_customer(&mut self, node: &Node, object: &Object<'_>) -> Option<FindCustomer> {
        let searches = self.searches(node);
        let if_none = object.get("if_none").map(|node| self.if_none(node));
        let if_many = object
            .get("if_many")
            .map(|node| self.word(node, &[("fail", IfMany::Fail), ("first", IfMany::First)]));
        let find = FindCustomer {
            searches: searches?,
            if_none: if_none.unwrap_or_else(|| Some(IfNone::default()))?,
            if_many: if_many.unwrap_or_else(|| Some(IfMany::default()))?,
            phone_country: self.phone_country,
        };
        Some(find)
    }

    fn searches(&mut self, node: &Node) -> Option<Vec<Search>> {
        let items = self.list(node, "`find` is a list of searches")?;
        if items.is_empty() {
            let message = "`find` needs at least one search";
            let help = "such as `- _phone: $.CustomerEndpoint.Address`";
            let diagnostic = Diagnostic::new(node.span, message).help(help);
            return self.refuse(diagnostic.code(Code::Customer));
        }
        let searches: Vec<Search> = items.iter().filter_map(|item| self.search(item)).collect();
        (searches.len() == items.len()).then_some(searches)
    }

    fn search(&mut self, node: &Node) -> Option<Search> {
        let entries = self.named(node, "a search gives a value for each search key");
        let Kind::Map(_) = node.kind else { return None };
        if !(1..=KEYS_IN_A_SEARCH).contains(&entries.len()) {
            let found = entries.len();
            let message = format!("a search has 1 to {KEYS_IN_A_SEARCH} keys, found {found}");
            self.keep(Diagnostic::error(
                node.span.first_character(),
                Code::Customer,
                message,
            ));
        }
        let mut search = Search::new();
        for Entry { key, value } in entries {
            let (name, span) = (&key.text, key.span);
            if !is_search_key(name) {
                let message = format!(
                    "`{name}` is no search key: it has 1 to 64 letters, digits, `_` and `-`"
                );
                self.keep(Diagnostic::error(span, Code::Customer, message));
            }
            let value_span = value.span;
            let Some(value) = self.value(value) else {
                continue;
            };
            if value.constant().is_some() {
                let message = "this search finds the same profiles for every event";
                let help = "search by something of the event, such as $.CustomerEndpoint.Address";
                let diagnostic = Diagnostic::new(value_span, message).help(help);
                self.keep(diagnostic.code(Code::Customer));
            }
            search.push((name.clone(), value));
        }
        Some(search)
    }

    /// Decodes `phone_country`.
    fn country(&mut self, node: &Node) -> Option<Country> {
        let code = match &node.kind {
            Kind::Scalar(scalar) => Country::from_code(&scalar.text),
            Kind::List(_) | Kind::Map(_) => None,
        };
        code.or_else(|| {
            let message =
                "`phone_country` takes a country's code: two capital letters of ISO 3166-1";
            let diagnostic = Diagnostic::new(node.span, message).help("such as `US`, `GB` or `DE`");
            self.refuse(diagnostic.code(Code::Customer))
        })
    }

    fn if_none(&mut self, node: &Node) -> Option<IfNone> {
        let Kind::Map(_) = node.kind else {
            return match &node.kind {
                Kind::Scalar(scalar) if scalar.text == "fail" => Some(IfNone::Fail),
                Kind::Scalar(scalar) if scalar.text == "skip" => Some(IfNone::Skip),
                _ => {
                    let message =
                        "`if_none` takes `fail`, `skip` or `create` with the profile's members";
                    let help = "such as `if_none: { create: { PhoneNumber: $.CustomerEndpoint.Address } }`";
                    self.refuse(Diagnostic::error(node.span, Code::UnknownWord, message).help(help))
                }
            };
        };
        let object = self.object(node, &schema::IF_NONE)?;
        self.new_profile(object.get("create")?).map(IfNone::Create)
    }

    fn new_profile(&mut self, node: &Node) -> Option<NewProfile> {
        let object = self.object(node, &schema::PROFILE)?;
        let mut profile = NewProfile {
            members: Vec::new(),
            attributes: Vec::new(),
        };
        for (name, member) in ProfileMember::NAMES {
            let Some(node) = object.get(name) else {
                continue;
            };
            if let Some(value) = self.bounded_value(node, name, member.limit()) {
                profile.members.push((member, value));
            }
        }
        if let Some(node) = object.get(ATTRIBUTES) {
            for Entry { key, value } in self.named(node, "`Attributes` gives a value for each name")
            {
                let (name, length) = (&key.text, key.text.chars().count());
                if !(1..=limits::PROFILE_ATTRIBUTE).contains(&length) {
                    let limit = limits::PROFILE_ATTRIBUTE;
                    let message =
                        format!("an attribute's name has 1 to {limit} characters, found {length}");
                    self.keep(Diagnostic::error(key.span, Code::Customer, message));
                }
                if let Some(value) = self.bounded_value(value, name, limits::PROFILE_ATTRIBUTE) {
                    profile.attributes.push((name.clone(), value));
                }
            }
        }
        if profile.members.is_empty() && profile.attributes.is_empty() && !object.is_empty() {
            return None;
        }
        if object.is_empty() {
            let message = "`create` sets no member: the profile would be empty";
            let help = "such as `PhoneNumber: $.CustomerEndpoint.Address`";
            let diagnostic = Diagnostic::new(node.span.first_character(), message).help(help);
            return self.refuse(diagnostic.code(Code::Customer));
        }
        Some(profile)
    }

    /// Decodes a value. A constant that is longer than the limit is a diagnostic.
    fn bounded_value(&mut self, node: &Node, name: &str, limit: usize) -> Option<ValueExpr> {
        let value = self.value(node)?;
        let constant = value.constant().and_then(|item| item.into_text().ok());
        let length = constant.map_or(0, |text| text.chars().count());
        if length > limit {
            let message = format!("`{name}` has at most {limit} characters, found {length}");
            self.keep(Diagnostic::error(node.span, Code::Customer, message));
        }
        Some(value)
    }
}

impl Decoder<'_> {
    /// Decodes `link_contact`. The default is the event's own contact for a flow, and no contact for EventBridge.
    fn link_contact(&mut self, object: &Object<'_>) -> Option<LinkContact> {
        let Some(node) = object.get("link_contact") else {
            return Some(match self.trigger {
                Some(Trigger::ContactFlow) => LinkContact::Current,
                Some(Trigger::EventBridge) | None => LinkContact::Never,
            });
        };
        if let Kind::Scalar(scalar) = &node.kind
            && let Literal::Boolean(link) = scalar.literal()
        {
            return Some(if link {
                LinkContact::Current
            } else {
                LinkContact::Never
            });
        }
        let named = self.value(node)?;
        if named.constant().is_some() {
            let message = "`link_contact` takes `true`, `false`, or where the contact's id or ARN stands in the event";
            let help = "such as $.InitialContactId";
            return self.refuse(Diagnostic::error(node.span, Code::Contact, message).help(help));
        }
        Some(LinkContact::Named(named))
    }

    /// Decodes `enrich`. It is an error for a flow, because a flow already sends everything that could be read.
    fn enrich(&mut self, object: &Object<'_>) -> Option<bool> {
        let enrich = self.switch(object, "enrich")?;
        if enrich && self.trigger == Some(Trigger::ContactFlow) {
            let message = "`enrich` is for `trigger: eventbridge`: a flow sends the contact and its attributes itself";
            let diagnostic = Diagnostic::new(object.span_of("enrich"), message);
            return self.refuse(diagnostic.help("leave it out").code(Code::Contact));
        }
        Some(enrich)
    }

    /// Decodes `on_case_events`. It is an error for a flow, because a flow sends no events of Cases.
    fn on_case_events(&mut self, object: &Object<'_>) -> Option<bool> {
        let on = self.switch(object, "on_case_events")?;
        if on && self.trigger == Some(Trigger::ContactFlow) {
            let message =
                "`on_case_events` is for `trigger: eventbridge`: a flow sends no events of Cases";
            let diagnostic = Diagnostic::new(object.span_of("on_case_events"), message);
            return self.refuse(diagnostic.help("leave it out").code(Code::Contact));
        }
        Some(on)
    }

    /// Decodes `true` or `false`. An absent key means `false`.
    fn switch(&mut self, object: &Object<'_>, key: &str) -> Option<bool> {
        let Some(node) = object.get(key) else {
            return Some(false);
        };
        match &node.kind {
            Kind::Scalar(scalar) => match scalar.literal() {
                Literal::Boolean(on) => Some(on),
                _ => self.refuse(not_a_switch(key, node)),
            },
            Kind::List(_) | Kind::Map(_) => self.refuse(not_a_switch(key, node)),
        }
    }
}

fn not_a_switch(key: &str, node: &Node) -> Diagnostic {
    let message = format!("`{key}` takes `true` or `false`, found {}", node.describe());
    Diagnostic::new(node.span, message)
}

const ON_EXISTING: [(&str, OnExisting); 2] = [
    ("return", OnExisting::Return),
    ("attach", OnExisting::Attach),
];

const UNAVAILABLE: [(&str, LedgerUnavailable); 2] = [
    ("fail", LedgerUnavailable::Fail),
    ("proceed", LedgerUnavailable::Proceed),
];

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

/// The shortest and the longest window, in seconds.
///
/// A window must be longer than any retry of an event. It must also fit the ledger's time stamps.
const SHORTEST: u64 = 10 * MINUTE;
const LONGEST: u64 = 3650 * DAY;

impl Decoder<'_> {
    fn ledger(&mut self, object: &Object<'_>) -> Option<LedgerUse> {
        let window = object.get("window").map(|node| self.window(node));
        let on_existing = object
            .get("on_existing")
            .map(|node| self.word(node, &ON_EXISTING));
        let unavailable = object
            .get("ledger_unavailable")
            .map(|node| self.word(node, &UNAVAILABLE));
        let window = match window {
            Some(window) => Some(window?),
            None => None,
        };
        if let (Some(_), Some(Some(LedgerUnavailable::Proceed)), Some(node)) =
            (window, unavailable, object.get("ledger_unavailable"))
        {
            let message =
                "a `window` needs the ledger, so the case mapping cannot go on without it";
            let help = "leave `ledger_unavailable` out: with a `window` it is `fail`. each use of the key has a token of its own, which only the ledger knows";
            return self.refuse(Diagnostic::new(node.span, message).help(help));
        }
        // With a window, each use of the key has its own token, and only the ledger stores it.
        let default = match window {
            Some(_) => LedgerUnavailable::Fail,
            None => LedgerUnavailable::Proceed,
        };
        Some(LedgerUse {
            window,
            on_existing: on_existing.unwrap_or(Some(OnExisting::Return))?,
            unavailable: unavailable.unwrap_or(Some(default))?,
            repeats_unseen: self.trigger == Some(Trigger::EventBridge),
        })
    }

    fn window(&mut self, node: &Node) -> Option<Duration> {
        let seconds = match &node.kind {
            Kind::Scalar(scalar) => TimeSpan::parse(&scalar.text),
            Kind::List(_) | Kind::Map(_) => None,
        };
        let seconds = seconds.and_then(|span| u64::try_from(span.seconds()).ok());
        match seconds {
            Some(seconds @ SHORTEST..=LONGEST) => Some(Duration::from_secs(seconds)),
            Some(_) => {
                let message = "a window is ten minutes at least, and ten years at most";
                let help = "retries of an event may come a day later; `30d` leaves room";
                self.refuse(Diagnostic::new(node.span, message).help(help))
            }
            None => {
                let message = "`window` takes a number of days, hours or minutes";
                self.refuse(
                    Diagnostic::new(node.span, message).help("such as `30d`, `12h` or `45m`"),
                )
            }
        }
    }
}

impl Decoder<'_> {
    /// Decodes a scalar that may contain expressions.
    fn value(&mut self, node: &Node) -> Option<ValueExpr> {
        let Kind::Scalar(scalar) = &node.kind else {
            let interpolations =
                "a text with interpolations makes one value of several: \"{{ $.a }} {{ $.b }}\"";
            let help = matches!(node.kind, Kind::List(_)).then(|| interpolations.to_owned());
            let message = format!("expected a value, found {}", node.describe());
            return self.refuse(Diagnostic::new(node.span, message).maybe_help(help));
        };
        match scalar.literal() {
            Literal::Empty => self.refuse(Diagnostic::new(node.span, "a value is missing here")),
            Literal::Null => {
                let message = "`null` stands only for a whole field, and sends it empty";
                self.refuse(Diagnostic::new(node.span, message))
            }
            Literal::Boolean(boolean) => Some(ValueExpr::Boolean(boolean)),
            Literal::Number(text) => Some(ValueExpr::Number(text.to_owned())),
            Literal::Text("") => {
                let diagnostic = Diagnostic::new(node.span, "empty text is the same as no value");
                self.refuse(diagnostic.help("`null` sends a field empty"))
            }
            Literal::Text(text) => match expression::parse(text, &self.definitions) {
                _ if scalar.plain && self.is_cut_short(node) => {
                    let message = "this text ends at ` #`, where YAML begins a comment";
                    let diagnostic = Diagnostic::new(node.span, message);
                    self.refuse(
                        diagnostic
                            .help("put all of it in quotes")
                            .code(Code::Expression),
                    )
                }
                Ok(expr) => {
                    self.refuse_never_sent(&expr, node.span, scalar);
                    Some(expr)
                }
                Err(SyntaxError { at, message, help }) => {
                    let span = self.text.locate(node.span, &scalar.text, &at);
                    let diagnostic = Diagnostic::new(span, message).maybe_help(help);
                    self.refuse(diagnostic.code(Code::Expression))
                }
            },
        }
    }

    /// Reports references to members that Connect never sends.
    fn refuse_never_sent(&mut self, expr: &ValueExpr, span: Span, scalar: &Scalar) {
        // Every member may be in an EventBridge event, so there is nothing to look for.
        if self.trigger != Some(Trigger::ContactFlow) {
            return;
        }
        for (name, at) in expr.first_members(&scalar.text) {
            let error = known_members::never_sent(self.trigger, name, span);
            let located = error.map(|error| Diagnostic {
                span: self.text.locate(span, &scalar.text, &at),
                ..error
            });
            self.errors.extend(located);
        }
    }

    /// Reports members of a pattern that Connect never sends.
    fn refuse_never_sent_in(&mut self, pattern: &Node) {
        for (name, span) in pattern::first_members(pattern) {
            self.errors
                .extend(known_members::never_sent(self.trigger, name, span));
        }
    }

    /// Returns true if YAML probably reads a part of the text as a comment: `Order #{{ $.id }}`, `default('Order #1')`.
    fn is_cut_short(&self, node: &Node) -> bool {
        let behind = self.text.behind(node.span.end);
        let mut behind = behind.skip_while(|c| c.is_whitespace());
        if behind.next() != Some('#') {
            return false;
        }
        let comment: String = behind.collect();
        !comment.starts_with([' ', '#'])
            && ["{{", "')", "}}"].iter().any(|sign| comment.contains(sign))
    }

    /// Decodes the content of a field: a value, or plain `null` for an empty field.
    fn content(&mut self, node: &Node) -> Option<Content> {
        match &node.kind {
            Kind::Scalar(scalar) if scalar.literal() == Literal::Null => Some(Content::Empty),
            _ => self.value(node).map(Content::Value),
        }
    }

    /// Decodes a scalar of a table. Its text is literal.
    fn constant(&mut self, node: &Node) -> Option<Value<'static>> {
        node.constant().or_else(|| {
            let message = match &node.kind {
                Kind::Scalar(scalar) if scalar.literal() == Literal::Text("") => {
                    "empty text is the same as no value".to_owned()
                }
                _ => {
                    let found = node.describe();
                    format!("expected text, a number or a boolean, found {found}")
                }
            };
            self.refuse(Diagnostic::new(node.span, message))
        })
    }

    /// Decodes one of the given words.
    fn word<T: Copy>(&mut self, node: &Node, words: &[(&str, T)]) -> Option<T> {
        let names = || words.iter().map(|(name, _)| *name);
        let Kind::Scalar(Scalar { text, .. }) = &node.kind else {
            let (expected, found) = (alternatives(names()), node.describe());
            let message = format!("expected {expected}, found {found}");
            return self.refuse(Diagnostic::new(node.span, message));
        };
        let found = words.iter().find(|(name, _)| name == text);
        found.map(|(_, value)| *value).or_else(|| {
            let message = format!("expected {}, found `{text}`", alternatives(names()));
            let diagnostic = Diagnostic::new(node.span, message).maybe_help(suggest(text, names()));
            self.refuse(diagnostic.code(Code::UnknownWord))
        })
    }
}
