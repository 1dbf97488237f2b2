//! The kinds of JSON values, as messages name them.

use serde_json::Value;

/// The kind of a value with its article, as in "expected an array, found a string".
pub const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
