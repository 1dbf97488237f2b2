//! The layer of the config file.

use std::{ffi::OsStr, fs::File, io::Read as _, path::Path};

use anyhow::{Context as _, Result, ensure};

use super::{
    Layer,
    option::ConfigOption,
    setting::{ConfigSetting, SettingSource},
};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::{Notation, Sources, Span},
    syntax::{
        self,
        ast::{Spanned, Text},
        yaml::FlatEntry,
    },
};

/// The maximal size of a config file in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Loads the config file.
///
/// # Errors
/// If it can't be read, or is too large.
pub(super) fn load(path: &Path) -> Result<Sources> {
    let unreadable = || format!("can't read the config file `{}`", path.display());
    let mut bytes = Vec::new();
    let mut file = File::open(path).with_context(unreadable)?.take(MAX_BYTES + 1);
    file.read_to_end(&mut bytes).with_context(unreadable)?;
    ensure!(
        bytes.len() as u64 <= MAX_BYTES,
        "the config file `{}` is larger than {MAX_BYTES} bytes",
        path.display()
    );
    Ok(Sources::single(&path.to_string_lossy(), Notation::Yaml, bytes))
}

/// Reads the settings of the config file.
pub(super) fn read(sources: &Sources, options: &[ConfigOption], layer: &mut Layer) {
    let keys: Vec<&str> = options.iter().map(|option| option.key.as_str()).collect();
    for file in sources.iter() {
        for entry in syntax::parse_flat(file, "the config", &keys, &mut layer.problems) {
            if let Some(option) = options.iter().find(|option| option.key == entry.key.value) {
                read_entry(option, &entry, layer);
            }
        }
    }
}

fn read_entry(option: &ConfigOption, entry: &FlatEntry<'_>, layer: &mut Layer) {
    if let (Some(span), false) = (entry.list, option.is_list()) {
        let message = format!("`{}` takes one value, not a list", option.key);
        let problem = Diagnostic::error(Code::WrongType, span, message);
        layer.problems.push(problem.hint(format!("write `{}: VALUE`", option.key)));
        return;
    }
    let mut is_valid = true;
    for value in &entry.values {
        if let Err(problem) = check(option, value) {
            is_valid = false;
            layer.problems.push(problem);
        }
    }
    if is_valid {
        layer.settings.push(ConfigSetting {
            option: option.clone(),
            values: entry.values.iter().map(|value| (&*value.value).into()).collect(),
            source: SettingSource::File(entry.key.span.to(end(entry))),
        });
    }
}

/// The place of the last value of an entry.
fn end(entry: &FlatEntry<'_>) -> Span {
    let value = entry.values.last().map(|value| value.span);
    entry.list.or(value).unwrap_or(entry.key.span)
}

fn check(option: &ConfigOption, value: &Text<'_>) -> Result<(), Diagnostic> {
    let Spanned { value, span } = value;
    option.check(OsStr::new(&**value)).map_err(|error| {
        let message = format!("invalid value `{value}` of `{}`: {}", option.key, error.reason);
        let mut problem = Diagnostic::error(Code::InvalidOption, *span, message);
        problem.hint = error.hint;
        problem
    })
}
