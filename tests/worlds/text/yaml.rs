//! Worlds written in YAML.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json};

use super::quoted;
use crate::worlds::Chance;

/// Sections as a file. Whether a list or a map stands in brackets, and a word in quotes, is left to
/// chance where it means the same.
pub(super) fn file(sections: &Map<String, Json>, chance: &mut Chance) -> String {
    let mut text = String::from("# A policy.\n");
    for (name, value) in sections {
        write!(text, "{name}:{}", block(value, 0, chance)).unwrap();
    }
    text
}

/// A value after its key, or after the dash of its item, on lines of its own.
fn block(value: &Json, indent: usize, chance: &mut Chance) -> String {
    let pad = " ".repeat(indent + 2);
    let is_flow = chance.percent(40);
    let mut text = String::from("\n");
    match value {
        Json::Object(entries) if !is_flow && !entries.is_empty() => {
            for (key, value) in entries {
                let value = block(value, indent + 2, chance);
                write!(text, "{pad}{}:{value}", word(key, chance)).unwrap();
            }
        }
        Json::Array(items) if !is_flow && !items.is_empty() => {
            for item in items {
                let item = block(item, indent + 2, chance);
                // The first line of what has several stands behind the dash.
                write!(text, "{pad}- {}", item.trim_start()).unwrap();
            }
        }
        _ => text = format!(" {}\n", flow(value, chance)),
    }
    text
}

fn flow(value: &Json, chance: &mut Chance) -> String {
    match value {
        Json::Object(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", word(key, chance), flow(value, chance)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        Json::Array(items) => {
            let items = items.iter().map(|item| flow(item, chance));
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        Json::String(text) => word(text, chance),
        other => other.to_string(),
    }
}

/// A text, in quotes where it must be or by chance.
fn word(text: &str, chance: &mut Chance) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        && !["null", "true", "false"].contains(&text);
    if is_plain && chance.percent(60) { text.to_owned() } else { quoted(text) }
}
