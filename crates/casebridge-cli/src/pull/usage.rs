//! The templates, fields and options that each case mapping uses. A change of the domain that touches one of them may break
//! the mapping.

use mapping::domain::Domain;
use mapping::expression::ValueExpr;
use mapping::field::Field;
use mapping::filter::{Argument, Filter, Table};
use mapping::value::Value;
use mapping::{CaseMapping, FieldMapping, FieldSource, LoadContext, Mapping};

/// The case mappings, with what they use.
#[derive(Debug, Default)]
pub(super) struct Usage {
    case_mappings: Vec<Used>,
}

#[derive(Debug)]
struct Used {
    name: String,
    template: String,
    fields: Vec<UsedField>,
}

#[derive(Debug)]
struct UsedField {
    id: String,
    /// The options that the mapping names, by value: in constants, defaults and tables.
    options: Vec<String>,
}

impl Usage {
    /// Returns the use of the domain by a mapping that was written for it; none when snapshot or mapping has errors.
    pub(super) fn of(file: &str, mapping: &str, snapshot: &str) -> Option<Self> {
        let domain = Domain::from_json(snapshot).ok()?;
        // Whatever prefix the function will have, the same templates, fields and options are used.
        let context = LoadContext {
            domain: Some(&domain),
            entity_prefix: "",
        };
        let mapping = Mapping::load(file, mapping, context).ok()?;
        let case_mappings = mapping.cases.iter().map(Used::of).collect();
        Some(Self { case_mappings })
    }

    /// Names of the case mappings that make cases of the template.
    pub(super) fn of_template(&self, id: &str) -> Vec<String> {
        self.names(|case| case.template == id)
    }

    /// Names of the case mappings that set the field.
    pub(super) fn of_field(&self, id: &str) -> Vec<String> {
        self.names(|case| case.field(id).is_some())
    }

    /// Names of the case mappings that name the option.
    pub(super) fn of_option(&self, field: &str, value: &str) -> Vec<String> {
        let spells = |field: &UsedField| field.options.iter().any(|option| option == value);
        self.names(|case| case.field(field).is_some_and(spells))
    }

    /// Names of the case mappings that make cases of the template and leave the field out.
    pub(super) fn without(&self, template: &str, field: &str) -> Vec<String> {
        self.names(|case| case.template == template && case.field(field).is_none())
    }

    fn names(&self, takes: impl Fn(&Used) -> bool) -> Vec<String> {
        let cases = self.case_mappings.iter().filter(|case| takes(case));
        cases.map(|case| case.name.clone()).collect()
    }
}

impl Used {
    fn of(case: &CaseMapping) -> Self {
        Self {
            name: case.name.clone(),
            template: case.template_id.clone(),
            fields: case.fields.iter().map(UsedField::of).collect(),
        }
    }

    fn field(&self, id: &str) -> Option<&UsedField> {
        self.fields.iter().find(|field| field.id == id)
    }
}

impl UsedField {
    fn of(mapping: &FieldMapping) -> Self {
        let mut texts = Vec::new();
        if let Some(table) = &mapping.lookup {
            texts.extend(entries(table));
        } else {
            let contents = match &mapping.source {
                FieldSource::Value(content) => vec![content],
                FieldSource::Choose(choices) => {
                    choices.iter().map(|choice| &choice.value).collect()
                }
                FieldSource::ProfileId(_) => Vec::new(),
            };
            let templates = contents
                .into_iter()
                .filter_map(|content| content.value_expr());
            texts.extend(templates.flat_map(spelt_out));
        }
        texts.extend(mapping.default.iter().flat_map(spelt_out));
        let field: &Field = &mapping.field;
        let options = texts.iter().filter_map(|text| field.option(text));
        Self {
            id: field.id.clone(),
            options: options.map(|option| option.value.clone()).collect(),
        }
    }
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
