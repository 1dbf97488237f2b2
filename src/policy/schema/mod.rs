//! The JSON Schema of the YAML notation, by which editors complete and check while one types.
//!
//! It is in draft 7, which every editor's YAML support has. It refuses nothing that `check` takes but
//! what an author hardly means: a field without a value, a boolean or a number in quotes. What takes
//! more than one look at one value, such as whether a name is bound, is left to `check`. The words
//! in it come from the tables by which policies are read.

mod describe;
mod parts;
mod relations;
mod sections;
mod terms;

use serde_json::{Map, Value, json};

/// The schema of a file of sections.
pub fn schema() -> Value {
    let mut properties = sections::all();
    properties.extend(relations::all());
    let mut schema = json!({
        "$schema": DRAFT,
        "title": "peerage policy",
        "description": "Who may talk to whom. Sections of several files merge.",
        "type": ["object", "null"],
        "properties": properties,
        "additionalProperties": false,
    });
    define(&mut schema);
    schema
}

/// The schema of a line of an `.ndjson` file.
pub fn record_schema() -> Value {
    let mut schema = parts::record();
    define(&mut schema);
    schema
}

const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// Adds what the parts of a schema refer to.
fn define(schema: &mut Value) {
    let mut definitions = parts::definitions();
    definitions.extend(relations::definitions());
    definitions.insert("rule".to_owned(), sections::rule());
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("definitions".to_owned(), Value::Object(definitions));
    }
}

/// An object of some of these fields, and no others.
fn object(about: &str, fields: Map<String, Value>) -> Value {
    json!({
        "description": about,
        "type": "object",
        "properties": Value::Object(fields),
        "additionalProperties": false,
    })
}

/// The same, but it may be left empty.
fn nullable(mut schema: Value) -> Value {
    if let Some(kind) = schema.get_mut("type") {
        *kind = json!([kind.take(), "null"]);
    }
    schema
}

/// The same, with what holds if nothing is said.
fn with_default(mut schema: Value, default: impl Into<Value>) -> Value {
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("default".to_owned(), default.into());
    }
    schema
}

/// One of these words.
fn one_of<W: Copy>(about: &str, words: &[W], text: fn(W) -> &'static str) -> Value {
    let words: Vec<&str> = words.iter().map(|&word| text(word)).collect();
    json!({ "description": about, "enum": words })
}

fn reference(to: &str) -> Value {
    json!({ "$ref": format!("#/definitions/{to}") })
}

/// Fields of one kind by the words of a table, each with what it means.
fn by_word<W: Copy>(
    words: &[W],
    text: fn(W) -> &'static str,
    field: impl Fn(W) -> Value,
) -> Map<String, Value> {
    words.iter().map(|&word| (text(word).to_owned(), field(word))).collect()
}

fn fields<const N: usize>(of: [(&str, Value); N]) -> Map<String, Value> {
    of.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}
