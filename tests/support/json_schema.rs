//! The verdict of an independent JSON Schema validator.

use jsonschema::{Draft, Validator};
use serde_json::Value;

pub(crate) fn validator(schema: &Value) -> Validator {
    let options = jsonschema::options().with_draft(Draft::Draft7).should_validate_formats(true);
    options.build(schema).unwrap_or_else(|error| panic!("no schema: {error}"))
}

/// What is wrong with a value: each mistake with the path of the value that has it.
pub(crate) fn violations(validator: &Validator, value: &Value) -> Vec<String> {
    let found = validator.iter_errors(value);
    found.map(|error| format!("{}: {error}", error.instance_path())).collect()
}
