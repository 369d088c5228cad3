//! The templates, fields and options that each case mapping uses. A change of the domain that touches one of them may break
//! the mapping.

use mapping::domain::Domain;
use mapping::expression::ValueExpr;
use mapping::filter::{Argument, Filter, Table};
use mapping::value::Value;
use mapping::{CaseMapping, FieldMapping, FieldSource, LoadContext, Mapping};

/// The mapping whose use of the domain is asked for; no use without one.
#[derive(Default)]
pub(super) struct Usage(Option<Mapping>);

impl Usage {
    /// Returns the use of the domain by a mapping that was written for it; none when snapshot or mapping has errors.
    pub(super) fn of(file: &str, mapping: &str, snapshot: &str) -> Option<Self> {
        let domain = Domain::from_json(snapshot).ok()?;
        // The prefix changes no template, field or option.
        let context = LoadContext {
            domain: Some(&domain),
            entity_prefix: "",
        };
        let mapping = Mapping::load(file, mapping, context).ok()?;
        Some(Self(Some(mapping)))
    }

    /// Names of the case mappings that make cases of the template.
    pub(super) fn of_template(&self, id: &str) -> Vec<String> {
        self.names(|case| case.template_id == id)
    }

    /// Names of the case mappings that set the field.
    pub(super) fn of_field(&self, id: &str) -> Vec<String> {
        self.names(|case| field(case, id).is_some())
    }

    /// Names of the case mappings that name the option.
    pub(super) fn of_option(&self, id: &str, value: &str) -> Vec<String> {
        self.names(|case| field(case, id).is_some_and(|field| names_option(field, value)))
    }

    /// Names of the case mappings that make cases of the template and leave the field out.
    pub(super) fn without(&self, template: &str, id: &str) -> Vec<String> {
        self.names(|case| case.template_id == template && field(case, id).is_none())
    }

    fn names(&self, uses: impl Fn(&CaseMapping) -> bool) -> Vec<String> {
        let cases = self.0.iter().flat_map(|mapping| &mapping.cases);
        let cases = cases.filter(|case| uses(case));
        cases.map(|case| case.name.clone()).collect()
    }
}

fn field<'a>(case: &'a CaseMapping, id: &str) -> Option<&'a FieldMapping> {
    case.fields.iter().find(|field| field.field.id == id)
}

/// Returns whether a constant, a default or a table of the field has the option.
fn names_option(mapping: &FieldMapping, value: &str) -> bool {
    let mut texts = Vec::new();
    if let Some(table) = &mapping.lookup {
        texts.extend(entries(table));
    } else {
        let contents = match &mapping.source {
            FieldSource::Value(content) => vec![content],
            FieldSource::Choose(choices) => choices.iter().map(|choice| &choice.value).collect(),
            FieldSource::ProfileId(_) => Vec::new(),
        };
        let values = contents
            .into_iter()
            .filter_map(|content| content.value_expr());
        texts.extend(values.flat_map(spelt_out));
    }
    texts.extend(mapping.default.iter().flat_map(spelt_out));
    let mut options = texts.iter().filter_map(|text| mapping.field.option(text));
    options.any(|option| option.value == value)
}

/// The texts that an expression can give for every event: a constant, and those of its filters.
fn spelt_out(template: &ValueExpr) -> Vec<String> {
    let constant = template.constant().and_then(scalar);
    let filters = template
        .expressions()
        .flat_map(|expression| &expression.filters);
    let brought = filters.flat_map(|filter| match filter {
        Filter::Lookup(table) => entries(table),
        Filter::Default(Argument::Text(text) | Argument::Number(text)) => vec![text.clone()],
        Filter::Default(Argument::Boolean(boolean)) => vec![boolean.to_string()],
        _ => Vec::new(),
    });
    constant.into_iter().chain(brought).collect()
}

fn entries(table: &Table) -> Vec<String> {
    table.values().cloned().filter_map(scalar).collect()
}

fn scalar(item: Value<'_>) -> Option<String> {
    item.into_text().ok().map(std::borrow::Cow::into_owned)
}
