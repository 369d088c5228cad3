//! `customer`: the system field `customer_id`, as a ready ARN or assembled from a profile's id.

use super::super::fault::{Code, Fault};
use super::super::keys;
use super::super::tree::{Kind, Node};
use super::super::{Content, FieldMapping, Source};
use super::Decoder;
use super::constants::Places;
use super::fields::Fields;
use crate::field::Field;

impl Decoder<'_> {
    pub(super) fn customer(&mut self, node: &Node, fields: &mut Fields) {
        let source = match node.kind {
            Kind::Map(_) => self.group(node, &keys::CUSTOMER).and_then(|group| {
                match group.get("profile_id") {
                    Some(node) => self.value(node).map(Source::ProfileId),
                    // Its keys are unknown, or of a later release, and have been reported.
                    None if !group.is_empty() || !is_empty(node) => None,
                    None => {
                        let message = "`customer` takes a profile ARN, or `profile_id`";
                        let help = "such as `customer: $.Parameters.profile_arn`";
                        self.refuse(Fault::new(node.span.first_character(), message).help(help))
                    }
                }
            }),
            Kind::Scalar(_) | Kind::List(_) => {
                let value = self.value(node);
                value.map(|template| Source::Value(Content::Template(template)))
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
                Fault::new(node.span, message)
                    .help("keep one of them")
                    .code(Code::FieldSetTwice),
            );
        }
        if let (Some(field), Some(source)) = (Field::system("customer_id"), source) {
            let mapping = FieldMapping::new(field, source);
            let places = Places {
                field: node.span,
                values: vec![node.span],
                default: None,
            };
            let checked = self.checked(mapping, None, &places);
            fields
                .sound
                .extend(checked.map(|mapping| (mapping, node.span)));
            let line = node.span.start.line;
            fields.set.insert("customer_id".to_owned(), line);
        }
    }
}

/// Whether a group has no keys at all.
fn is_empty(node: &Node) -> bool {
    matches!(&node.kind, Kind::Map(entries) if entries.is_empty())
}
