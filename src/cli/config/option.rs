//! The options of `serve` as the command line defines them: names in each layer, and kinds of values.

use std::{any::TypeId, error::Error as _, ffi::OsStr, num::NonZeroUsize, path::PathBuf};

use clap::{
    Arg, ArgAction, Command,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::{
    cli::{
        diff::Share,
        duration::{DurationArg, MillisecondsArg},
    },
    diagnostic::did_you_mean,
};

/// The key of the policy's paths, which have no flag.
const PATHS_KEY: &str = "policy";

/// The flags that direct the layers, and are no settings themselves.
const DIRECTIVES: &[&str] = &["config", "print-config", "help", "version"];

/// The prefix of variables.
pub(super) const PREFIX: &str = "PEERAGE_";

/// An option of `serve`.
#[derive(Clone, Debug)]
pub(super) struct ConfigOption {
    pub(super) arg: Arg,
    /// The key in the config file: the flag without its hyphens in front.
    pub(super) key: String,
}

/// The kind of an option's values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum ValueKind {
    Boolean,
    Integer,
    Text,
    Word(Vec<String>),
    /// A duration, whose bare numbers are seconds or milliseconds.
    Duration,
    Share,
    /// A text or number with a syntax of its own.
    Other,
}

/// The error for a value that an option does not take.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct InvalidValue {
    pub(super) reason: String,
    pub(super) hint: Option<String>,
}

/// The options of the command, in the order of its help.
pub(super) fn options(command: &Command) -> Vec<ConfigOption> {
    let all = command.get_arguments().filter_map(|arg| {
        let key = if arg.is_positional() { PATHS_KEY } else { arg.get_long()? };
        let is_setting = !DIRECTIVES.contains(&key);
        is_setting.then(|| ConfigOption { arg: arg.clone(), key: key.to_owned() })
    });
    all.collect()
}

impl ConfigOption {
    /// The variable in the environment.
    pub(super) fn variable(&self) -> String {
        format!("{PREFIX}{}", self.key.to_ascii_uppercase().replace('-', "_"))
    }

    pub(super) fn id(&self) -> &str {
        self.arg.get_id().as_str()
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self.arg.get_action(), ArgAction::Append)
    }

    pub(super) fn kind(&self) -> ValueKind {
        let parsed = self.arg.get_value_parser().type_id();
        let is_any = |types: &[TypeId]| types.iter().any(|one| parsed == *one);
        if is_any(&[TypeId::of::<bool>()]) {
            ValueKind::Boolean
        } else if is_any(&[
            TypeId::of::<u16>(),
            TypeId::of::<u32>(),
            TypeId::of::<u64>(),
            TypeId::of::<usize>(),
            TypeId::of::<NonZeroUsize>(),
        ]) {
            ValueKind::Integer
        } else if is_any(&[TypeId::of::<String>(), TypeId::of::<PathBuf>()]) {
            ValueKind::Text
        } else if is_any(&[TypeId::of::<DurationArg>(), TypeId::of::<MillisecondsArg>()]) {
            ValueKind::Duration
        } else if is_any(&[TypeId::of::<Share>()]) {
            ValueKind::Share
        } else {
            let words = self.arg.get_possible_values();
            let words: Vec<_> = words.iter().map(|word| word.get_name().to_owned()).collect();
            if words.is_empty() { ValueKind::Other } else { ValueKind::Word(words) }
        }
    }

    /// Checks a value as the flag would.
    pub(super) fn check(&self, value: &OsStr) -> Result<(), InvalidValue> {
        let parser = self.arg.get_value_parser().clone();
        let probe = Command::new("value").no_binary_name(true).disable_help_flag(true);
        let probe = probe.arg(Arg::new("value").value_parser(parser));
        let Err(error) = probe.try_get_matches_from([OsStr::new("--"), value]) else {
            return Ok(());
        };
        if value.is_empty() {
            let hint = "give a value, or remove the option".to_owned();
            return Err(InvalidValue { reason: "it is empty".to_owned(), hint: Some(hint) });
        }
        if let (ErrorKind::InvalidValue, Some(ContextValue::Strings(words))) =
            (error.kind(), error.get(ContextKind::ValidValue))
        {
            let near = did_you_mean(&value.to_string_lossy(), words.iter().map(String::as_str));
            let hint = near.map(|near| format!("did you mean `{near}`?"));
            let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            let reason = format!("expected {}", words.join(" or "));
            return Err(InvalidValue { reason, hint });
        }
        let reason = match (error.kind(), error.source()) {
            (ErrorKind::InvalidUtf8, _) => "it is not UTF-8".to_owned(),
            (_, Some(source)) if self.kind() == ValueKind::Integer => {
                format!("expected a whole number: {source}")
            }
            (_, Some(source)) => source.to_string(),
            (_, None) => "it is not taken".to_owned(),
        };
        Err(InvalidValue { reason, hint: None })
    }
}
