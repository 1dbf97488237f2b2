//! The layer of the environment: `PEERAGE_` variables.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt as _,
};

use super::{
    Layer,
    option::{ConfigOption, PREFIX},
    setting::{ConfigSetting, SettingSource},
};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};

/// The variable that names the config file.
pub(super) const CONFIG: &str = "PEERAGE_CONFIG";

/// Reads the settings of the variables. Variables that name no option are warnings: other programs, and
/// later versions, may have set them.
pub(super) fn read(
    variables: impl Iterator<Item = (OsString, OsString)>,
    options: &[ConfigOption],
    layer: &mut Layer,
) {
    let names: Vec<String> = options.iter().map(ConfigOption::variable).collect();
    let mut variables: Vec<_> =
        variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value))).collect();
    // The environment has no order of its own.
    variables.sort();
    for (name, value) in variables {
        if !name.starts_with(PREFIX) || name == CONFIG {
            continue;
        }
        match options.iter().zip(&names).find(|(_, known)| **known == name) {
            Some((option, _)) => read_one(option, &name, &value, layer),
            None if is_of_service(&name) => {}
            None => {
                let known = names.iter().map(String::as_str).chain([CONFIG]);
                let hint = did_you_mean(&name, known);
                let hint =
                    hint.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                layer.warnings.push(format!("unknown variable `{name}` in the environment{hint}"));
            }
        }
    }
}

fn read_one(option: &ConfigOption, name: &str, value: &OsStr, layer: &mut Layer) {
    let values: Vec<OsString> = if option.is_list() {
        let parts = value.as_bytes().split(|&byte| byte == b',');
        parts.map(|part| OsStr::from_bytes(part.trim_ascii()).to_owned()).collect()
    } else {
        vec![value.to_owned()]
    };
    let invalid = values.iter().filter_map(|value| Some((value, option.check(value).err()?)));
    let mut is_valid = true;
    for (value, error) in invalid {
        is_valid = false;
        let value = value.to_string_lossy();
        let message = format!("invalid value `{value}` in {name}: {}", error.reason);
        let mut problem = Diagnostic::global(Code::InvalidOption, message);
        problem.hint = error.hint;
        layer.problems.push(problem);
    }
    if is_valid {
        let source = SettingSource::Environment;
        layer.settings.push(ConfigSetting { option: option.clone(), values, source });
    }
}

/// Whether Kubernetes makes such a variable for a Service, whose name is `peerage` or begins with it.
pub(super) fn is_of_service(name: &str) -> bool {
    let words: Vec<&str> = name.split('_').collect();
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
    // `NAME_SERVICE_HOST`, `NAME_SERVICE_PORT` and `NAME_SERVICE_PORT_HTTP`.
    let has_service = words.windows(2).skip(1).enumerate().any(|(at, pair)| match pair {
        ["SERVICE", "HOST"] => at + 3 == words.len(),
        ["SERVICE", "PORT"] => true,
        _ => false,
    });
    // `NAME_PORT`, `NAME_PORT_80_TCP` and `NAME_PORT_80_TCP_ADDR`.
    let has_port = match words.as_slice() {
        [_, .., "PORT"] => true,
        [_, .., "PORT", number, "TCP" | "UDP" | "SCTP"]
        | [_, .., "PORT", number, "TCP" | "UDP" | "SCTP", "PROTO" | "ADDR"] => is_number(number),
        _ => false,
    };
    has_service || has_port
}
