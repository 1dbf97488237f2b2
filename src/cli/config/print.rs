//! The output of `--print-config`: all settings with their sources.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::{
    option::ValueKind,
    setting::{ConfigSetting, SettingSource},
};
use crate::cli::Output;

/// Prints the settings, as JSON or as a config file.
pub(super) fn print(settings: &[ConfigSetting], output: &Output) -> Result<()> {
    if output.is_json() {
        let all = settings.iter().map(|setting| {
            let source = setting.source.as_str();
            (setting.option.key.clone(), json!({ "value": to_json(setting), "source": source }))
        });
        return output.json(&all.collect::<Map<_, _>>());
    }
    let mut text = String::new();
    for setting in settings {
        let key = &setting.option.key;
        let (value, source) = (to_yaml(setting), setting.source.as_str());
        // Writing to a string can't fail.
        let _ = match value {
            Some(value) => writeln!(text, "{key}: {value} # {source}"),
            None => writeln!(text, "# {key}: # {source}"),
        };
    }
    Output::verbatim(&text)
}

fn to_json(setting: &ConfigSetting) -> Value {
    let kind = setting.option.kind();
    let mut values = setting.shown().map(|value| match kind {
        ValueKind::Boolean => json!(value == "true"),
        ValueKind::Integer | ValueKind::Other if is_number(&value) => {
            value.parse::<u64>().map_or_else(|_| json!(value), |number| json!(number))
        }
        _ => json!(value),
    });
    if setting.option.is_list() { values.collect() } else { values.next().unwrap_or_default() }
}

/// The value in one line of YAML; `None` for an option that is not set.
fn to_yaml(setting: &ConfigSetting) -> Option<String> {
    let kind = setting.option.kind();
    let mut values = setting.shown().map(|value| match kind {
        ValueKind::Boolean => value,
        ValueKind::Text if is_number(&value) => json!(value).to_string(),
        _ => scalar(&value),
    });
    if setting.option.is_list() {
        return Some(format!("[{}]", values.collect::<Vec<_>>().join(", ")));
    }
    let value = values.next();
    debug_assert!(value.is_some() || setting.source == SettingSource::Default);
    value
}

fn is_number(text: &str) -> bool {
    let is_short = !text.is_empty() && text.len() < 19;
    is_short && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A scalar that each version of YAML takes for this text or number.
fn scalar(text: &str) -> String {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
    let is_name = text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '.'))
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b));
    let is_word = ["on", "off", "yes", "no", "y", "n", "true", "false", "null"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word));
    if (is_name && !is_word && !text.starts_with("...")) || is_number(number) {
        text.to_owned()
    } else {
        json!(text).to_string()
    }
}
