//! The JSON Schema of config files.

use clap::Command;
use serde_json::{Map, Value, json};

use super::option::{ConfigOption, ValueKind, options};

/// The schema of the config file of this command.
pub(super) fn schema(command: &Command) -> Value {
    let properties: Map<String, Value> =
        options(command).iter().map(|option| (option.key.clone(), property(option))).collect();
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Config of the daemon",
        "description": "The options of `peerage serve`, for --config.",
        "type": ["object", "null"],
        "properties": properties,
        "additionalProperties": false,
    })
}

fn property(option: &ConfigOption) -> Value {
    let item = value(option);
    let mut schema = if option.is_list() {
        json!({ "anyOf": [item, { "type": "array", "items": item }] })
    } else {
        item
    };
    let help = option.arg.get_long_help().or_else(|| option.arg.get_help());
    let default = option.arg.get_default_values().first();
    if let Some(fields) = schema.as_object_mut() {
        fields.extend(help.map(|help| ("description".to_owned(), json!(help.to_string()))));
        let default = default.map(|default| match (option.kind(), default.to_string_lossy()) {
            (ValueKind::Boolean, text) => json!(text == "true"),
            (ValueKind::Integer, text) => text.parse::<u64>().map_or(json!(text), Value::from),
            (_, text) => json!(text),
        });
        fields.extend(default.map(|default| ("default".to_owned(), default)));
    }
    schema
}

fn value(option: &ConfigOption) -> Value {
    match option.kind() {
        ValueKind::Boolean => json!({ "type": "boolean" }),
        ValueKind::Integer => {
            let is_zero_valid = option.check("0".as_ref()).is_ok();
            json!({ "type": "integer", "minimum": u8::from(!is_zero_valid) })
        }
        // Numbers are texts where a text is expected, as the id of a user.
        ValueKind::Text => json!({ "type": ["string", "number"], "minLength": 1 }),
        ValueKind::Word(words) => json!({ "enum": words }),
        ValueKind::Duration => json!({
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)?$" },
            ],
        }),
        ValueKind::Share => json!({
            "anyOf": [
                { "type": "number", "minimum": 0, "exclusiveMaximum": 1 },
                { "type": "string", "pattern": "^[0-9]+([.][0-9]+)? *%$" },
            ],
        }),
        ValueKind::Other => json!({ "type": ["string", "number"] }),
    }
}
