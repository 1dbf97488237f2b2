//! The configuration of `serve`: options from the command line, the environment and a config file.
//!
//! The definition of the command line is the only one: every flag has a `PEERAGE_` variable and a key in the
//! file, whose values are checked by the flag's parser. The settings of all layers then make up one command
//! line, which is parsed as if it had been typed.

mod environment;
mod file;
mod option;
mod print;
mod requirements;
mod schema;
mod setting;

use std::{env, ffi::OsString, path::PathBuf};

use anyhow::Result;
use clap::{ArgAction, ArgMatches, Command, builder::ValueParser, parser};
use serde_json::Value;

use self::{
    option::{ConfigOption, options},
    setting::{ConfigSetting, SettingSource},
};
use super::{Exit, Output, serve::DEFAULT_ADDRESS};
use crate::{
    diagnostic::{Diagnostics, Report},
    source::{Notation, Sources},
};

/// A command line that was completed, or an end without running the command.
pub(super) enum Configured {
    Complete {
        matches: ArgMatches,
        /// Variables that no option has.
        warnings: Vec<String>,
    },
    Exit(Exit),
}

/// The settings and mistakes of a layer.
#[derive(Default)]
struct Layer {
    settings: Vec<ConfigSetting>,
    problems: Diagnostics,
    warnings: Vec<String>,
}

/// Lets flags without a value take one: `--flag=false` overrides the environment and the config file.
pub(super) fn with_values(command: Command) -> Command {
    command.mut_args(|arg| match arg.get_action() {
        ArgAction::SetTrue => arg
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .value_parser(ValueParser::bool())
            .value_name("true|false")
            .default_missing_value("true")
            .default_value("false")
            .hide_default_value(true)
            .hide_possible_values(true),
        _ => arg,
    })
}

/// The JSON Schema of config files, for the command line with the subcommand `serve`.
pub(super) fn schema(mut command: Command) -> Value {
    command.build();
    command.find_subcommand("serve").map(schema::schema).unwrap_or_default()
}

/// Checks the text of a config file, and reports its mistakes.
pub(super) fn check(mut command: Command, text: Vec<u8>) -> Report {
    command.build();
    let options = command.find_subcommand("serve").map(options).unwrap_or_default();
    let sources = Sources::single("config.yaml", Notation::Yaml, text);
    let mut layer = Layer::default();
    file::read(&sources, &options, &mut layer);
    Report::new(layer.problems, &sources)
}

/// Completes the command line of `serve` by the environment and the config file. `typed` is the command
/// line as far as it is given; `rejected` is its error if it lacks options, which other layers may have.
///
/// # Errors
/// If the config file can't be read, or the result can't be printed.
pub(super) fn complete(
    command: &Command,
    typed: &ArgMatches,
    rejected: Option<clap::Error>,
    output: &Output,
) -> Result<Configured> {
    let mut built = command.clone();
    built.build();
    let options = built.find_subcommand("serve").map(options).unwrap_or_default();
    let mut layer = Layer::default();
    environment::read(env::vars_os(), &options, &mut layer);
    let from_environment = std::mem::take(&mut layer.settings);
    let config = typed.get_one::<PathBuf>("config").cloned();
    let config = config.or_else(|| env::var_os(environment::CONFIG).map(PathBuf::from));
    let sources = config.as_deref().map(file::load).transpose()?.unwrap_or_default();
    file::read(&sources, &options, &mut layer);
    let Layer { settings: from_file, problems, warnings } = layer;
    let report = Report::new(problems, &sources);
    if report.errors > 0 {
        output.report_in_place(&report)?;
        return Ok(Configured::Exit(Exit::Failure));
    }
    let layers = [from_environment, from_file];
    let mut settings: Vec<ConfigSetting> =
        options.iter().map(|option| strongest(option, typed, &layers)).collect();
    if typed.get_one::<bool>("print_config") == Some(&true) {
        add_default_listener(&mut settings);
        for warning in &warnings {
            output.warn(warning);
        }
        print::print(&settings, output)?;
        return Ok(Configured::Exit(Exit::Success));
    }
    match command.clone().try_get_matches_from(arguments(&settings)) {
        Ok(matches) => Ok(Configured::Complete { matches, warnings }),
        Err(error) => requirements::report(command, &settings, rejected, &error, &sources, output),
    }
}

/// The setting of an option from the strongest layer that has it.
fn strongest(
    option: &ConfigOption,
    typed: &ArgMatches,
    layers: &[Vec<ConfigSetting>],
) -> ConfigSetting {
    let raw = || typed.get_raw(option.id()).into_iter().flatten().map(OsString::from).collect();
    if typed.value_source(option.id()) == Some(parser::ValueSource::CommandLine) {
        return ConfigSetting {
            option: option.clone(),
            values: raw(),
            source: SettingSource::Flag,
        };
    }
    let layered = layers.iter().flatten().find(|setting| setting.option.key == option.key);
    layered.cloned().unwrap_or_else(|| ConfigSetting {
        option: option.clone(),
        values: option.arg.get_default_values().iter().map(OsString::from).collect(),
        source: SettingSource::Default,
    })
}

/// Adds the address of a daemon that has neither addresses nor sockets.
fn add_default_listener(settings: &mut [ConfigSetting]) {
    let is_listener =
        |setting: &&ConfigSetting| matches!(setting.option.key.as_str(), "listen" | "uds");
    if settings.iter().filter(is_listener).all(|setting| setting.values.is_empty())
        && let Some(listen) = settings.iter_mut().find(|setting| setting.option.key == "listen")
    {
        listen.values = vec![DEFAULT_ADDRESS.into()];
    }
}

/// The command line that settings make up.
fn arguments<'s>(settings: impl IntoIterator<Item = &'s ConfigSetting>) -> Vec<OsString> {
    let mut arguments = vec![OsString::from("peerage"), OsString::from("serve")];
    let mut paths = vec![OsString::from("--")];
    for setting in settings {
        arguments.extend(setting.arguments());
        if setting.option.arg.is_positional() {
            paths.extend(setting.values.iter().cloned());
        }
    }
    arguments.extend(paths);
    arguments
}
