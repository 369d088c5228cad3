//! Event patterns as JSON Schema: groups of field names, lists of values, match expressions.

use serde_json::{Value, json};

/// The definition that a `when` refers to.
pub(super) const ROOT: &str = "event-pattern";

/// The definitions, by name.
pub(super) fn definitions() -> [(&'static str, Value); 4] {
    [
        (ROOT, group()),
        ("pattern-values", values()),
        ("match-expression", match_expression()),
        ("pattern-text", json!({ "type": "string" })),
    ]
}

fn group() -> Value {
    json!({
        "description": "An EventBridge event pattern: for each field, the list of what it may be.",
        "type": "object",
        "minProperties": 1,
        "properties": {
            "$or": {
                "description": "Groups of fields, of which one has to match.",
                "type": "array",
                "minItems": 2,
                "items": { "$ref": "#/$defs/event-pattern" },
            },
        },
        "additionalProperties": {
            "if": { "type": "array" },
            "then": { "$ref": "#/$defs/pattern-values" },
            "else": { "$ref": "#/$defs/event-pattern" },
        },
    })
}

fn values() -> Value {
    json!({
        "description": "What a field may be: values, and match expressions such as { prefix: order- }.",
        "type": "array",
        "minItems": 1,
        "items": {
            "if": { "type": "object" },
            "then": { "$ref": "#/$defs/match-expression" },
            "else": { "type": ["string", "number", "boolean", "null"] },
        },
    })
}

fn match_expression() -> Value {
    let text = json!({ "$ref": "#/$defs/pattern-text" });
    let affix = |doc: &str| {
        json!({
            "description": doc,
            "if": { "type": "object" },
            "then": {
                "additionalProperties": false,
                "required": ["equals-ignore-case"],
                "properties": { "equals-ignore-case": text },
            },
            "else": text,
        })
    };
    let on_text = |doc: &str| json!({ "description": doc, "$ref": "#/$defs/pattern-text" });
    json!({
        "description": "One operator and what it compares with.",
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": false,
        "properties": {
            "prefix": affix("Text that begins so: { prefix: order- }"),
            "suffix": affix("Text that ends so: { suffix: Contact Event }"),
            "anything-but": anything_but(&text),
            "numeric": numeric(),
            "exists": {
                "description": "Whether the field is there: { exists: false }",
                "type": "boolean",
            },
            "equals-ignore-case": on_text("The same text in any letter case: { equals-ignore-case: voice }"),
            "cidr": on_text("An IP address in this network: { cidr: 10.0.0.0/24 }"),
            "wildcard": on_text("Text in which `*` stands for any characters: { wildcard: \"dir/*.png\" }"),
            "exactly": on_text("This text: { exactly: VOICE }"),
        },
    })
}

fn anything_but(text: &Value) -> Value {
    let texts = json!({
        "if": { "type": "array" },
        "then": { "minItems": 1, "items": text },
        "else": text,
    });
    json!({
        "description": "A value that is not so: { anything-but: [DE, CH] }, { anything-but: { prefix: test- } }",
        "if": { "type": "object" },
        "then": {
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": false,
            "properties": {
                "prefix": texts,
                "suffix": texts,
                "equals-ignore-case": texts,
                "wildcard": texts,
            },
        },
        "else": {
            "anyOf": [
                { "type": ["string", "number"] },
                { "type": "array", "minItems": 1, "items": { "type": "string" } },
                { "type": "array", "minItems": 1, "items": { "type": "number" } },
            ],
        },
    })
}

fn numeric() -> Value {
    let range = [">", ">="];
    json!({
        "description": "A number in this range: { numeric: [\">\", 0, \"<=\", 5] }",
        "type": "array",
        "minItems": 2,
        "prefixItems": [
            { "enum": ["=", "<", "<=", ">", ">="] },
            { "type": "number" },
            { "enum": ["<", "<="] },
            { "type": "number" },
        ],
        "items": false,
        "if": { "minItems": 3 },
        "then": { "minItems": 4, "prefixItems": [{ "enum": range }] },
    })
}
