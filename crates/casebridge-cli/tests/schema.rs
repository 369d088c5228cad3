//! The JSON Schemas of the mapping and its tests: in step with the tables of keys, and equal to the decoder on structure.
//!
//! A library that is not ours judges: `jsonschema`, over YAML as `serde-saphyr` reads it, which resolves scalars by YAML's
//! rules as editors do.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mapping::diagnostic::{Code, Diagnostic};
use mapping::domain::Domain;
use mapping::{LoadContext, Mapping};
use serde_json::{Value, json};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn validator(file: &str) -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(&read(file)).expect("the schema is JSON");
    jsonschema::meta::validate(&schema).expect("the schema is one of draft 2020-12");
    jsonschema::validator_for(&schema).expect("the schema can be used")
}

/// The text as an editor reads it: of a key given twice the last counts, for the schema cannot see it.
fn editors_view(file: &str, text: &str) -> Option<Value> {
    if file == "mapping.json" {
        return serde_json::from_str(text).ok();
    }
    let options = serde_saphyr::options! {
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
    };
    serde_saphyr::from_str_with_options(text, options).ok()
}

fn diagnostics(file: &str, text: &str, snapshot: &str) -> Vec<Diagnostic> {
    let domain = Domain::from_json(snapshot).expect("the snapshot is valid");
    let context = LoadContext {
        domain: Some(&domain),
        entity_prefix: "casebridge/",
    };
    Mapping::load(file, text, context)
        .err()
        .map(|diagnostics| diagnostics.list)
        .unwrap_or_default()
}

/// Returns whether the diagnostic is one of structure: an unknown or missing key, a value of the wrong kind, an unknown word.
fn is_structural(diagnostic: &Diagnostic) -> bool {
    match diagnostic.code {
        Code::UnknownKey | Code::MissingKey | Code::UnknownWord => true,
        Code::Customer => OF_A_CUSTOMER
            .iter()
            .any(|words| diagnostic.message.contains(words)),
        Code::Shape | Code::Pattern | Code::Name => !BEYOND_A_SCHEMA
            .iter()
            .any(|words| diagnostic.message.contains(words)),
        _ => false,
    }
}

/// Diagnostics of `customer` that are about its structure, each by its own words.
const OF_A_CUSTOMER: [&str; 4] = [
    "takes `profile_id` or `find`, not both",
    "says what holds after a search",
    "needs at least one search",
    "sets no member",
];

/// Diagnostics that have the code of a structural one and that no schema can see, each by its own words.
const BEYOND_A_SCHEMA: [&str; 5] = [
    "a `window` needs the ledger",
    "is given twice",
    "is text in every event, found a number",
    "fixed bits",
    "above the number it begins with",
];

#[test]
fn the_committed_schemas_are_what_the_command_prints() {
    for (argument, file) in [
        ("mapping", "mapping.schema.json"),
        ("test", "mapping.test.schema.json"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_casebridge-cli"))
            .args(["schema", argument])
            .output()
            .expect("the tool runs");
        let printed = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(
            printed == fs::read_to_string(root().join(file)).unwrap_or_default(),
            "{file} is not what the keys say; write it anew: cargo casebridge schema {argument} > {file}"
        );
    }
}

#[test]
fn the_shipped_files_are_valid() {
    for (file, schema) in [
        ("mapping.yaml", "mapping.schema.json"),
        ("mapping.test.yaml", "mapping.test.schema.json"),
    ] {
        let text = read(file);
        let modeline = format!("# yaml-language-server: $schema=./{schema}\n");
        assert!(text.starts_with(&modeline), "{file} begins with {modeline}");
        let instance = editors_view(file, &text).expect("YAML");
        let errors: Vec<String> = validator(schema)
            .iter_errors(&instance)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{file}\n{}", errors.join("\n"));
    }
}

#[test]
fn tests_of_another_structure_are_refused() {
    let validator = validator("mapping.test.schema.json");
    let file = |test: &str| format!("version: 1\ntests:\n  - {test}\n");
    let taken = [
        "{ name: a, event: e.json, expect: { case: c, fields: { Order total: 1, Owner: null } } }",
        "{ name: 7, event: { source: a, detail: {} }, with: { id: null }, expect: { skipped: NoCaseMapping } }",
        "{ name: a, event: e.json, expect: { case: c, refused: { code: FieldMissing, field: x } } }",
        "{ name: a, event: e.json, expect: { case: c, customer: [{ _phone: 1 }], contact: c-1, comments: [Called twice] } }",
        "{ name: a, event: e.json, expect: { case: c, customer: p-1, contact: false, comments: true } }",
    ];
    let refused = [
        "{ event: e.json, expect: { case: c } }",
        "{ name: a, expect: { case: c } }",
        "{ name: a, event: e.json }",
        "{ name: a, event: [e.json], expect: { case: c } }",
        "{ name: a, event: e.json, expect: {} }",
        "{ name: a, event: e.json, expect: { fields: { Order total: 1 } } }",
        "{ name: a, event: e.json, expect: { case: c, skipped: NoCaseMapping } }",
        "{ name: a, event: e.json, expect: { skipped: NoReason } }",
        "{ name: a, event: e.json, expect: { refused: { code: FieldMissing }, tags: { a: b } } }",
        "{ name: a, event: e.json, expect: { case: c, fields: { Order total: [1] } } }",
        "{ name: a, event: e.json, expect: { case: c, customer: [] } }",
        "{ name: a, event: e.json, expect: { case: c, customer: { _phone: 1 } } }",
        "{ name: a, event: e.json, expect: { case: c, contact: [c-1] } }",
        "{ name: a, event: e.json, expect: { case: c, comments: Called twice } }",
        "{ name: a, event: e.json, expect: { skipped: NoCaseMapping, contact: false } }",
        "{ name: a, event: e.json, with: x, expect: { case: c } }",
        "{ name: a, event: e.json, expects: { case: c } }",
        "a test",
    ];
    for (tests, expected) in [(taken.as_slice(), true), (refused.as_slice(), false)] {
        for test in tests {
            let instance = editors_view("mapping.test.yaml", &file(test)).expect("YAML");
            assert_eq!(validator.is_valid(&instance), expected, "{test}");
        }
    }
}

#[test]
fn every_example_fits_its_key() {
    for (file, least) in [
        ("mapping.schema.json", 30),
        ("mapping.test.schema.json", 15),
    ] {
        let count = fitting_examples(&serde_json::from_str(&read(file)).expect("JSON"));
        assert!(count >= least, "{file} has {count} examples");
    }
}

/// Tries the examples of every property against the property itself, and counts them.
fn fitting_examples(schema: &Value) -> usize {
    let objects = schema["$defs"].as_object().expect("definitions").values();
    let mut count = 0;
    for object in std::iter::once(schema).chain(objects) {
        for (name, property) in object["properties"].as_object().into_iter().flatten() {
            let mut alone = property.clone();
            alone["$defs"] = schema["$defs"].clone();
            let validator = jsonschema::validator_for(&alone).expect("a schema");
            for example in property["examples"].as_array().into_iter().flatten() {
                let verdict = validator.validate(example);
                assert!(verdict.is_ok(), "{name}: {verdict:?}");
                count += 1;
            }
        }
    }
    count
}

#[test]
fn schema_and_decoder_agree_on_the_structure_of_every_case() {
    let validator = validator("mapping.schema.json");
    let mut directories: Vec<PathBuf> = fs::read_dir(root().join("tests/cases"))
        .expect("tests/cases")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    directories.sort();
    let mut tally = Tally::default();
    for directory in &directories {
        let file = ["mapping.yaml", "mapping.json"]
            .into_iter()
            .find(|file| directory.join(file).exists())
            .expect("a mapping");
        let text = read(directory.join(file));
        let snapshot = fs::read_to_string(directory.join("domain.json"))
            .unwrap_or_else(|_| read("domain.json"));
        let diagnostics = diagnostics(file, &text, &snapshot);
        assert_eq!(
            directory.join("diagnostics.txt").exists(),
            !diagnostics.is_empty(),
            "{}",
            directory.display()
        );
        // A text that is no YAML is no matter for a schema.
        if diagnostics
            .iter()
            .any(|diagnostic| diagnostic.code == Code::Syntax)
        {
            continue;
        }
        let instance = editors_view(file, &text).expect("YAML");
        let name = directory.display().to_string();
        tally.add(&name, &diagnostics, validator.validate(&instance));
    }
    tally.expect(70, 10);
}

/// The mappings on which schema and decoder agree, and the others.
#[derive(Default)]
struct Tally {
    taken: usize,
    refused: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn add(
        &mut self,
        name: &str,
        diagnostics: &[Diagnostic],
        verdict: Result<(), jsonschema::ValidationError<'_>>,
    ) {
        let mut diagnostics = diagnostics.iter();
        let structural = diagnostics.find(|diagnostic| is_structural(diagnostic));
        match (structural, verdict) {
            (None, Ok(())) => self.taken += 1,
            (Some(_), Err(_)) => self.refused += 1,
            (structural, verdict) => {
                let decoder = structural.map(|diagnostic| &diagnostic.message);
                let schema = verdict.err();
                let schema = schema.map(|error| format!("{}: {error}", error.instance_path()));
                self.wrong.push(format!(
                    "{name}\n  decoder: {decoder:?}\n  schema: {schema:?}"
                ));
            }
        }
    }

    fn expect(&self, taken: usize, refused: usize) {
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
        assert!(
            self.taken >= taken && self.refused >= refused,
            "{} taken, {} refused",
            self.taken,
            self.refused
        );
    }
}

/// Puts every kind of value in the place of every node, one at a time, and takes away every key.
#[test]
fn schema_and_decoder_agree_on_a_mapping_with_anything_in_the_wrong_place() {
    let shipped = editors_view("mapping.yaml", &read("mapping.yaml")).expect("YAML");
    let mut mapping = shipped.clone();
    let mut cases = shipped["cases"].as_array().expect("cases").iter();
    let case = cases.find(|case| case["name"] == "order-failed");
    mapping["cases"] = json!([case]);
    mapping["cases"][0]["when"] = every_operator();
    let (validator, snapshot) = (validator("mapping.schema.json"), read("domain.json"));
    let mut pointers = Vec::new();
    pointers_of(&mapping, String::new(), &mut pointers);
    let mut tally = Tally::default();
    for pointer in &pointers {
        for mutant in mutants(&mapping, pointer) {
            let diagnostics = diagnostics("mapping.json", &mutant.to_string(), &snapshot);
            let verdict = validator.validate(&mutant);
            let is_structural = diagnostics.iter().any(is_structural);
            // To the decoder nothing may be as wrong as another unknown name.
            let is_other = !diagnostics.is_empty() && is_nothing(&mutant, pointer);
            if is_structural || verdict.is_ok() || !is_other {
                let name = format!("{pointer}: {:?}", mutant.pointer(pointer));
                tally.add(&name, &diagnostics, verdict);
            }
        }
    }
    tally.expect(201, 201);
}

fn every_operator() -> Value {
    json!({
        "source": ["shop", { "prefix": "com." }, { "suffix": { "equals-ignore-case": ".orders" } }],
        "detail": {
            "amount": [{ "numeric": [">=", 100] }, { "numeric": [">", 1, "<=", 5] }, 7, null],
            "country": [{ "anything-but": ["DE", "CH"] }, { "anything-but": "AT" }],
            "attempts": [{ "anything-but": [1, 2] }, { "anything-but": 3 }],
            "order": [{ "anything-but": { "wildcard": ["*-test", "x*"] } }, { "exactly": "B-1" }],
            "page": [{ "wildcard": "/help/*" }, { "equals-ignore-case": "/HOME" }],
            "address": [{ "cidr": "10.0.0.0/24" }],
            "$or": [{ "vip": [true] }, { "phone": [{ "exists": false }] }],
        },
    })
}

fn is_nothing(mapping: &Value, pointer: &str) -> bool {
    let nothing = [json!(null), json!(""), json!([])];
    mapping
        .pointer(pointer)
        .is_some_and(|value| nothing.contains(value))
}

fn pointers_of(value: &Value, pointer: String, pointers: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointers_of(item, format!("{pointer}/{index}"), pointers);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                pointers_of(member, format!("{pointer}/{name}"), pointers);
            }
        }
        _ => {}
    }
    pointers.push(pointer);
}

/// The mapping with other things at the pointer: values of every kind, the same without a key, the same with one more.
fn mutants(mapping: &Value, pointer: &str) -> Vec<Value> {
    let here = mapping.pointer(pointer).expect("the pointer leads there");
    let mut values = vec![
        Value::Null,
        json!(true),
        json!(7),
        json!("word"),
        json!(""),
        json!([]),
        json!(["word"]),
        json!([{ "prefix": "word" }]),
        json!({}),
        json!({ "value": "word" }),
        json!({ "word": ["word"] }),
    ];
    if let Value::Object(members) = here {
        for name in members.keys() {
            let mut without = members.clone();
            without.remove(name);
            values.push(without.into());
        }
        let mut more = members.clone();
        more.insert("valeu".to_owned(), json!(["word"]));
        values.push(more.into());
    }
    let mutant = |value| {
        let mut mutant = mapping.clone();
        *mutant.pointer_mut(pointer).expect("as above") = value;
        mutant
    };
    values.into_iter().map(mutant).collect()
}
