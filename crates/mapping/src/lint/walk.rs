//! A walk over the values and event patterns of a mapping's tree, by the schema of its keys.

use crate::schema::{ObjectSchema, Shape};
use crate::tree::{Kind, Node, Scalar, Span};

/// A part of the mapping.
pub(super) enum Visited<'n> {
    /// A scalar that may hold expressions.
    Value(Span, &'n Scalar),
    /// An event pattern.
    Pattern(&'n Node),
}

/// Visits the values and patterns of an object, without one of its keys.
pub(super) fn object<'n>(
    node: &'n Node,
    schema: &ObjectSchema,
    without: &str,
    visit: &mut dyn FnMut(Visited<'n>),
) {
    for key in schema.keys.iter().filter(|key| key.name != without) {
        if let Some(entry) = node.get(key.name) {
            shape(&entry.value, &key.shape, visit);
        }
    }
}

fn shape<'n>(node: &'n Node, allowed: &Shape, visit: &mut dyn FnMut(Visited<'n>)) {
    match (allowed, &node.kind) {
        (Shape::Value, Kind::Scalar(scalar)) => visit(Visited::Value(node.span, scalar)),
        (Shape::Pattern, _) => visit(Visited::Pattern(node)),
        (Shape::List(inner), Kind::List(items)) => {
            for item in items {
                shape(item, inner, visit);
            }
        }
        (Shape::Named(inner), Kind::Map(entries)) => {
            for entry in entries {
                shape(&entry.value, inner, visit);
            }
        }
        (Shape::Object(schema), Kind::Map(_)) => object(node, schema, "", visit),
        (Shape::Either(shapes), _) => {
            for inner in *shapes {
                shape(node, inner, visit);
            }
        }
        _ => {}
    }
}
