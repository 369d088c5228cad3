//! A walk over the values and event patterns of a mapping's tree, by the schema of its keys.

use crate::pattern::OR;
use crate::schema::{ObjectSchema, Shape};
use crate::tree::{Entry, Key, Kind, Node, Scalar, Span};

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

/// A member of an event pattern with its conditions.
pub(super) struct Leaf<'n, 'p> {
    /// The names from the root of the event, or from a variable. A name with dots is several names.
    pub(super) path: &'p [&'n str],
    /// The last key.
    pub(super) key: &'n Key,
    /// The conditions.
    pub(super) conditions: &'n [Node],
}

/// Visits the members of an event pattern that have conditions, those in `$or` included.
pub(super) fn leaves<'n>(pattern: &'n Node, visit: &mut dyn FnMut(Leaf<'n, '_>)) {
    below(pattern, &mut Vec::new(), visit);
}

fn below<'n>(node: &'n Node, path: &mut Vec<&'n str>, visit: &mut dyn FnMut(Leaf<'n, '_>)) {
    let Kind::Map(entries) = &node.kind else {
        return;
    };
    for Entry { key, value } in entries {
        if let (Kind::List(groups), OR) = (&value.kind, key.text.as_str()) {
            for group in groups {
                below(group, path, visit);
            }
            continue;
        }
        let before = path.len();
        path.extend(key.text.split('.'));
        match &value.kind {
            Kind::List(conditions) => visit(Leaf {
                path,
                key,
                conditions,
            }),
            Kind::Map(_) => below(value, path, visit),
            Kind::Scalar(_) => {}
        }
        path.truncate(before);
    }
}
