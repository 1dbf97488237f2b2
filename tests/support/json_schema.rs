//! JSON Schema (draft 7) as far as the tests need it. A keyword that is not known here is refused, so
//! that no part of a schema goes unheeded.

use std::{cell::RefCell, collections::HashMap};

use regex::Regex;
use serde_json::{Map, Value};

/// What says nothing of which values are valid.
const ANNOTATIONS: [&str; 8] = [
    "$schema",
    "$id",
    "title",
    "description",
    "default",
    "examples",
    "definitions",
    "patternErrorMessage",
];

/// What is wrong with a value by a schema: each mistake with the path of the value that has it.
pub(crate) fn violations(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    Validator { root: schema, patterns: RefCell::default() }.check(schema, value, "", &mut found);
    found
}

struct Validator<'s> {
    root: &'s Value,
    /// Those that were met: each takes long to compile.
    patterns: RefCell<HashMap<&'s str, Regex>>,
}

impl<'s> Validator<'s> {
    fn check(&self, schema: &'s Value, value: &Value, at: &str, found: &mut Vec<String>) {
        let keywords = match schema {
            Value::Bool(true) => return,
            Value::Bool(false) => return found.push(format!("{at}: nothing may stand here")),
            schema => schema.as_object().unwrap_or_else(|| panic!("no schema: {schema}")),
        };
        if let Some(target) = keywords.get("$ref") {
            // In draft 7 what stands beside a reference is not heeded.
            let pointer = target.as_str().unwrap().strip_prefix('#').unwrap();
            let target = self.root.pointer(pointer);
            return self.check(target.unwrap_or_else(|| panic!("no {pointer}")), value, at, found);
        }
        for (keyword, with) in keywords {
            self.keyword(keywords, keyword, with, value, at, found);
        }
    }

    fn keyword(
        &self,
        beside: &'s Map<String, Value>,
        keyword: &str,
        with: &'s Value,
        value: &Value,
        at: &str,
        found: &mut Vec<String>,
    ) {
        let mut holds = |holds: bool| {
            if !holds {
                found.push(format!("{at}: {value} against {keyword} {with}"));
            }
        };
        let number = || with.as_u64().unwrap();
        let fits = |schema: &'s Value| self.is_valid(schema, value, at);
        let length = |text: &String| text.chars().count() as u64;
        match (keyword, value) {
            ("type", _) => {
                let types = with.as_array().map_or(std::slice::from_ref(with), Vec::as_slice);
                holds(types.iter().any(|kind| is_a(kind.as_str().unwrap(), value)));
            }
            ("enum", _) => holds(with.as_array().unwrap().contains(value)),
            ("const", _) => holds(with == value),
            ("allOf", _) => holds(with.as_array().unwrap().iter().all(fits)),
            ("anyOf", _) => holds(with.as_array().unwrap().iter().any(fits)),
            ("oneOf", _) => {
                holds(with.as_array().unwrap().iter().filter(|it| fits(it)).count() == 1);
            }
            ("not", _) => holds(!fits(with)),
            ("pattern", Value::String(text)) => {
                let pattern = with.as_str().unwrap();
                let mut patterns = self.patterns.borrow_mut();
                let known = patterns.entry(pattern).or_insert_with(|| Regex::new(pattern).unwrap());
                holds(known.is_match(text));
            }
            ("minLength", Value::String(text)) => holds(length(text) >= number()),
            ("maxLength", Value::String(text)) => holds(length(text) <= number()),
            ("minimum", Value::Number(it)) => holds(it.as_f64() >= with.as_f64()),
            ("maximum", Value::Number(it)) => holds(it.as_f64() <= with.as_f64()),
            ("minItems", Value::Array(items)) => holds(items.len() as u64 >= number()),
            ("maxItems", Value::Array(items)) => holds(items.len() as u64 <= number()),
            ("minProperties", Value::Object(fields)) => holds(fields.len() as u64 >= number()),
            ("required", Value::Object(fields)) => {
                let names = with.as_array().unwrap().iter();
                holds(names.map(|name| name.as_str().unwrap()).all(|it| fields.contains_key(it)));
            }
            ("items", Value::Array(items)) => {
                for (place, item) in items.iter().enumerate() {
                    self.check(with, item, &format!("{at}/{place}"), found);
                }
            }
            ("properties", Value::Object(fields)) => {
                let schemas = with.as_object().unwrap();
                for (name, field) in fields {
                    let Some(schema) = schemas.get(name) else { continue };
                    self.check(schema, field, &format!("{at}/{name}"), found);
                }
            }
            ("additionalProperties", Value::Object(fields)) => {
                let known = beside.get("properties").and_then(Value::as_object);
                for (name, field) in fields {
                    if known.is_none_or(|known| !known.contains_key(name)) {
                        self.check(with, field, &format!("{at}/{name}"), found);
                    }
                }
            }
            ("propertyNames", Value::Object(fields)) => {
                for name in fields.keys() {
                    self.check(with, &Value::from(name.as_str()), &format!("{at}/{name}"), found);
                }
            }
            ("dependencies", Value::Object(fields)) => {
                for (name, schema) in with.as_object().unwrap() {
                    if fields.contains_key(name) {
                        self.check(schema, value, at, found);
                    }
                }
            }
            (
                "pattern"
                | "minLength"
                | "maxLength"
                | "minimum"
                | "maximum"
                | "minItems"
                | "maxItems"
                | "minProperties"
                | "required"
                | "items"
                | "properties"
                | "additionalProperties"
                | "propertyNames"
                | "dependencies",
                _,
            ) => {}
            (other, _) => assert!(ANNOTATIONS.contains(&other), "unknown keyword {other}"),
        }
    }

    fn is_valid(&self, schema: &'s Value, value: &Value, at: &str) -> bool {
        let mut found = Vec::new();
        self.check(schema, value, at, &mut found);
        found.is_empty()
    }
}

fn is_a(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("there is no type {other}"),
    }
}
