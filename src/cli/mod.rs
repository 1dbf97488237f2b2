//! The command line: what was typed, a call of the library, what is printed, an exit code.
//!
//! Invariant: no other room names this one.

mod check;
mod client;
mod client_tls;
mod compile;
mod config;
mod decide;
mod dialects;
mod diff;
mod duration;
mod facts;
mod fmt;
mod health;
mod help;
mod huge_pages;
mod logs;
mod output;
mod paths;
mod policy;
mod progress;
mod reach;
mod reach_table;
mod replay;
mod request_args;
mod schema;
mod secret;
mod serve;
mod store;
mod test;
mod version;

use std::{env, ffi::OsString, process::ExitCode};

use anyhow::{Result, ensure};
use clap::{
    Arg, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
    error::ErrorKind,
};

use self::{config::Configured, huge_pages::HugePages, output::Output};
use crate::diagnostic::Report;

/// Exit codes, the same for all commands; the worst of several is the greatest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Exit {
    /// The command succeeded; for `decide`: allowed.
    Success = 0,
    /// The policy failed; for `decide`: denied.
    Unmet = 1,
    /// The command could not be carried out.
    Failure = 2,
}

/// A policy compiler and decision daemon for chat systems: who may talk to whom?
#[derive(Parser, Debug)]
#[command(name = "peerage", version, long_version = version::LONG, about, max_term_width = 100, after_help = help::ALL)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

#[derive(Args, Debug)]
struct Global {
    /// The format of the result; each command has some of these
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    /// Text for people
    Human,
    /// JSON for programs
    Json,
    /// SARIF for code scanning and editors
    Sarif,
    /// Workflow commands for GitHub's runner
    Github,
    /// JUnit XML for CI servers
    Junit,
    /// Markdown for comments on a change
    Markdown,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Find every mistake in a policy
    #[command(after_help = help::CHECK)]
    Check(check::CheckOptions),
    /// Show what a policy compiles to: rules with their sets, tags with their users
    #[command(after_help = help::COMPILE)]
    Compile(paths::PolicyPaths),
    /// Decide whether a user may do something
    #[command(after_help = help::DECIDE)]
    Decide(decide::DecideOptions),
    /// List whom a user may reach, who may reach them, or where they may do something
    ///
    /// Leave out the subject to list the users who may do it, the resource to list the users or groups
    /// to which it may be done, and the member of an action on a group to list the possible members.
    /// --matrix prints a table of all kinds of users.
    #[command(after_help = help::REACH)]
    Reach(reach::ReachOptions),
    /// Show what a change of policy opens and closes, counted over all pairs of users
    #[command(after_help = help::DIFF)]
    Diff(diff::DiffOptions),
    /// Write policy files in canonical form, or convert one between the notations
    #[command(after_help = help::FMT)]
    Fmt(fmt::FormatOptions),
    /// Print the JSON Schema of policy files, for completion and checks in editors
    #[command(after_help = help::SCHEMA)]
    Schema(schema::SchemaOptions),
    /// Run the `*.test.yaml` files below the paths against the policy of the other files
    ///
    /// All paths together are one policy, and every test below them is run against it.
    #[command(after_help = help::TEST)]
    Test(test::TestOptions),
    /// Replay the decisions of a log against a policy, and report those that differ
    ///
    /// Exits with 1 if a decision differs, or if a line of the log is malformed.
    #[command(after_help = help::REPLAY)]
    Replay(replay::ReplayOptions),
    /// Serve decisions over HTTP, and reload the files when they change
    #[command(after_help = help::SERVE)]
    Serve(Box<serve::ServeArgs>),
    /// Report whether a daemon is ready, for the health checks of containers
    #[command(after_help = help::HEALTH)]
    Health(health::HealthOptions),
    /// Export facts as JSON lines, or import them
    #[command(after_help = help::FACTS)]
    Facts(facts::FactsCommand),
    /// Check, compact, repair or back up the file in which a daemon keeps facts
    #[command(after_help = help::STORE)]
    Store(store::StoreCommand),
}

/// The formats in which a command can print its result.
fn formats(command: &str) -> &'static [Format] {
    match command {
        "check" => &[Format::Human, Format::Json, Format::Sarif, Format::Github],
        "test" => &[Format::Human, Format::Json, Format::Junit],
        "diff" => &[Format::Human, Format::Json, Format::Markdown, Format::Github],
        _ => &[Format::Human, Format::Json],
    }
}

/// The command line, with the formats of each command.
fn command_line() -> clap::Command {
    let command = Cli::command();
    let names: Vec<String> =
        command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, name| {
        let values = formats(&name).iter().filter_map(ValueEnum::to_possible_value);
        let values = PossibleValuesParser::new(values)
            .try_map(|name| <Format as ValueEnum>::from_str(&name, false));
        let format = Arg::new("format")
            .long("format")
            .global(true)
            .value_name("FORMAT")
            .default_value("human")
            .value_parser(values)
            .help("The format of the result");
        command.mut_subcommand(name, |command| match command.get_name() {
            "serve" => config::with_values(command.arg(format)),
            _ => command.arg(format),
        })
    })
}

impl Command {
    fn run(&self, output: &Output) -> Result<Exit> {
        match self {
            Self::Check(options) => check::run(options, output),
            Self::Compile(paths) => compile::run(paths, output),
            Self::Decide(question) => decide::run(question, output),
            Self::Reach(question) => reach::run(question, output),
            Self::Fmt(options) => fmt::run(options, output),
            Self::Schema(options) => schema::run(options, output),
            Self::Test(options) => test::run(options, output),
            Self::Diff(options) => diff::run(options, output),
            Self::Replay(options) => replay::run(options, output),
            Self::Serve(options) => serve::run(options, output),
            Self::Health(options) => health::run(options, output),
            Self::Facts(options) => facts::run(options, output),
            Self::Store(options) => store::run(options, output),
        }
    }
}

/// Refuses a format that the command does not have, which clap accepts before the command's name.
fn check_format(format: Format, has: &[Format]) -> Result<()> {
    let names = has.iter().map(|format| format!("`{}`", format.name()));
    ensure!(
        has.contains(&format),
        "this command has no format `{}`; use one of {}",
        format.name(),
        names.collect::<Vec<_>>().join(", ")
    );
    Ok(())
}

impl Format {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// Parses a command line, and completes that of `serve` by the other layers.
fn parse(arguments: &[OsString]) -> Configured {
    let command = command_line();
    let parsed = command.clone().try_get_matches_from(arguments);
    let (matches, rejected) = match parsed {
        Ok(matches) => (matches, None),
        // The other layers may have what is missing.
        Err(error) if error.kind() == ErrorKind::MissingRequiredArgument => {
            match command.clone().ignore_errors(true).try_get_matches_from(arguments) {
                Ok(matches) => (matches, Some(error)),
                Err(_) => error.exit(),
            }
        }
        Err(error) => error.exit(),
    };
    let Some(typed) = matches.subcommand_matches("serve") else {
        return match rejected {
            None => Configured::Complete { matches, warnings: Vec::new() },
            Some(error) => error.exit(),
        };
    };
    let global = Global::from_arg_matches(&matches).ok();
    let (format, colour) =
        global.map_or((Format::Human, Colour::Auto), |global| (global.format, global.color));
    let output = Output::new(format, colour);
    let configured = config::complete(&command, typed, rejected, &output);
    configured.unwrap_or_else(|error| Configured::Exit(output.failed(&error)))
}

/// Checks the text of a config file, and reports its mistakes.
pub fn check_config(text: Vec<u8>) -> Report {
    config::check(command_line(), text)
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    HugePages::begin();
    run(env::args_os())
}

/// Runs a command line, which begins with the program's name. Exits the process if it is wrong.
pub fn run(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    let (matches, warnings) = match parse(&arguments) {
        Configured::Complete { matches, warnings } => (matches, warnings),
        Configured::Exit(exit) => return ExitCode::from(exit as u8),
    };
    let has = formats(matches.subcommand_name().unwrap_or_default());
    let mut cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    if let Command::Serve(options) = &mut cli.command {
        options.config.warnings = warnings;
    } else {
        HugePages::allow();
    }
    let output = Output::new(cli.global.format, cli.global.color);
    let done = check_format(cli.global.format, has).and_then(|()| cli.command.run(&output));
    let exit = done.unwrap_or_else(|error| output.failed(&error));
    ExitCode::from(exit as u8)
}
