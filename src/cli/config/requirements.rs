//! Reports of options that need or exclude others, named as the layers have them.

use anyhow::Result;
use clap::{
    Command,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::{
    Configured, arguments,
    setting::{ConfigSetting, SettingSource},
};
use crate::{
    cli::{Exit, Output},
    diagnostic::{Code, Diagnostic, Diagnostics, Report},
    source::Sources,
};

/// Reports that the settings do not make up a command line. If all of them were typed, it is clap's error.
pub(super) fn report(
    command: &Command,
    settings: &[ConfigSetting],
    rejected: Option<clap::Error>,
    error: &clap::Error,
    sources: &Sources,
    output: &Output,
) -> Result<Configured> {
    let layered = || settings.iter().filter(|setting| is_layered(setting));
    if let (Some(rejected), true) = (rejected, layered().next().is_none()) {
        rejected.exit();
    }
    // The setting without which nothing is missing.
    let is_cause = |cause: &ConfigSetting| {
        let others = settings.iter().filter(|setting| setting.option.key != cause.option.key);
        command.clone().try_get_matches_from(arguments(others)).is_ok()
    };
    let cause = layered().find(|setting| is_cause(setting));
    let related = [ContextKind::InvalidArg, ContextKind::PriorArg].map(|kind| names(error, kind));
    let related: Vec<String> = related.into_iter().flatten().collect();
    let problem = if let Some(cause) = cause {
        let others = related.iter().filter(|name| **name != cause.option.key);
        let others: Vec<String> = others.map(|key| format!("`{key}`")).collect();
        let verb = match error.kind() {
            ErrorKind::MissingRequiredArgument => "requires",
            _ => "can't be combined with",
        };
        let message = format!("`{}` {verb} {}", cause.name(), others.join(" and "));
        match cause.source {
            SettingSource::File(span) => Diagnostic::error(Code::MissingField, span, message),
            _ => Diagnostic::global(Code::MissingField, message),
        }
    } else {
        let keys: Vec<String> = related.iter().map(|key| format!("`{key}`")).collect();
        let message = format!("missing option {}", keys.join(", "));
        let hint = "set it on the command line, as a PEERAGE_ variable, or in the config file";
        Diagnostic::global(Code::MissingField, message).hint(hint)
    };
    let mut problems = Diagnostics::default();
    problems.push(problem);
    output.report_in_place(&Report::new(problems, sources))?;
    Ok(Configured::Exit(Exit::Failure))
}

fn is_layered(setting: &ConfigSetting) -> bool {
    matches!(setting.source, SettingSource::Environment | SettingSource::File(_))
}

/// The keys of the options that an error names.
fn names(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    let names = match error.get(kind) {
        Some(ContextValue::String(name)) => std::slice::from_ref(name),
        Some(ContextValue::Strings(names)) => names,
        _ => &[],
    };
    let key = |name: &String| {
        let flag = name.split([' ', '=', '[']).next().unwrap_or_default();
        flag.strip_prefix("--").map_or_else(|| "policy".to_owned(), str::to_owned)
    };
    names.iter().map(key).collect()
}
