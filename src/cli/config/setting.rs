//! Settings: the values of options, each with the layer that it comes from.

use std::ffi::{OsStr, OsString};

use super::option::{ConfigOption, ValueKind};
use crate::source::Span;

/// The layer that a setting comes from, the strongest first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum SettingSource {
    Flag,
    Environment,
    /// The config file, at this place.
    File(Span),
    Default,
}

/// The values of an option; without any, it is not set, or an empty list.
#[derive(Clone, Debug)]
pub(super) struct ConfigSetting {
    pub(super) option: ConfigOption,
    pub(super) values: Vec<OsString>,
    pub(super) source: SettingSource,
}

impl SettingSource {
    /// The word for it in `--print-config`.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::File(_) => "file",
            Self::Default => "default",
        }
    }
}

impl ConfigSetting {
    /// The name of the option in the layer that it comes from.
    pub(super) fn name(&self) -> String {
        match self.source {
            SettingSource::Environment => self.option.variable(),
            SettingSource::File(_) => self.option.key.clone(),
            SettingSource::Flag | SettingSource::Default => format!("--{}", self.option.key),
        }
    }

    /// The arguments that set it on a command line; paths have a place of their own there.
    pub(super) fn arguments(&self) -> Vec<OsString> {
        // A switch that is off is left out: clap takes each that is given for one that is on.
        let is_off = self.option.kind() == ValueKind::Boolean
            && self.values.iter().all(|value| value == "false");
        if self.source == SettingSource::Default || is_off || self.option.arg.is_positional() {
            return Vec::new();
        }
        let flag = |value: &OsString| {
            let mut argument = OsString::from(format!("--{}=", self.option.key));
            argument.push(value);
            argument
        };
        self.values.iter().map(flag).collect()
    }

    /// The values as texts, without what could be a secret.
    pub(super) fn shown(&self) -> impl Iterator<Item = String> {
        self.values.iter().map(|value| without_password(value))
    }
}

/// A URL without the user and password that may be in it.
fn without_password(value: &OsStr) -> String {
    let text = value.to_string_lossy();
    let Some((scheme, rest)) = text.split_once("://") else { return text.into_owned() };
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((_, host)) => {
            let path = rest.strip_prefix(authority).unwrap_or_default();
            format!("{scheme}://...@{host}{path}")
        }
        None => text.into_owned(),
    }
}
