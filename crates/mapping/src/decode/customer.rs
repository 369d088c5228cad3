//! `customer`: the system field `customer_id`, as a ready ARN, assembled from a profile's id, or found.

mod find;

use super::Decoder;
use super::constants::Places;
use super::fields::Fields;
use crate::customer::FindCustomer;
use crate::diagnostic::{Code, Diagnostic};
use crate::field::Field;
use crate::schema;
use crate::tree::{Kind, Node};
use crate::{Content, FieldMapping, Source};

/// What `customer` says.
enum Customer {
    /// The field's value comes from the event.
    Field(Source),
    /// The profile is searched for.
    Find(FindCustomer),
}

impl Decoder<'_> {
    /// Sets the field `customer_id`, unless the customer is to be found.
    pub(super) fn customer(&mut self, node: &Node, fields: &mut Fields) -> Option<FindCustomer> {
        let customer = match node.kind {
            Kind::Map(_) => self.long_customer(node),
            Kind::Scalar(_) | Kind::List(_) => {
                let value = self.value(node);
                value.map(|expr| Customer::Field(Source::Value(Content::Value(expr))))
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
                Diagnostic::new(node.span, message)
                    .help("keep one of them")
                    .code(Code::FieldSetTwice),
            );
        }
        let line = node.span.start.line;
        fields.set.insert("customer_id".to_owned(), line);
        match customer? {
            Customer::Find(find) => return Some(find),
            Customer::Field(source) => {
                let mapping = FieldMapping::new(Field::system("customer_id")?, source);
                let places = Places {
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
                .map(|id| Customer::Field(Source::ProfileId(id)));
        }
        // Keys that are unknown have been reported.
        if object.is_empty() && is_empty(node) {
            let message = "`customer` takes a profile ARN, `profile_id` or `find`";
            let help = "such as `customer: $.Parameters.profile_arn`";
            self.keep(Diagnostic::new(node.span.first_character(), message).help(help));
        }
        None
    }
}

/// Whether an object has no keys at all.
fn is_empty(node: &Node) -> bool {
    matches!(&node.kind, Kind::Map(entries) if entries.is_empty())
}
