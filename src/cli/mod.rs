//! The command line: what was typed, a call of the library, what is printed, an exit code.
//!
//! Invariant: nobody knows of this room.

mod check;
mod compile;
mod decide;
mod diff;
mod fmt;
mod matrix;
mod output;
mod parties;
mod policy;
mod progress;
mod reach;
mod replace;
mod replay;
mod schema;
mod serve;
mod store;
mod test;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Result, ensure};
use clap::{Args, Parser, Subcommand, ValueEnum};

use output::Output;

/// Exit codes, the same for all commands; the worst of several is the greatest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Exit {
    /// All is well; for `decide`: allowed.
    Fine = 0,
    /// The policy fell short; for `decide`: denied.
    Short = 1,
    /// The command could not be carried out.
    Failed = 2,
}

/// Who may talk to whom, as code: compiles policies and answers from them.
#[derive(Parser, Debug)]
#[command(name = "peerage", version, about, max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

const EXIT_CODES: &str = "\
Exit codes: 0 all is well (decide: allowed), 1 the policy fell short (decide: denied), \
2 the command could not be carried out.

Example: peerage check policies/stores";

const DECIDE_EXAMPLES: &str = "\
Examples:
  peerage decide --subject 3 --action start_chat --resource 2 policies/stores
  peerage decide --subject 3 --action add_member --resource g1 --member 4 policies/stores
  peerage decide --subject 3 --action send_message --resource 2 --conversation existing policies/stores
  peerage decide --subject 3 --action create_group --explain policies/stores";

const REACH_EXAMPLES: &str = "\
Examples:
  peerage reach --subject 5 policies/stores                         whom may 5 reach?
  peerage reach --resource 2 policies/stores                        who may reach 2?
  peerage reach --subject 5 --action leave policies/stores          which groups may 5 leave?
  peerage reach --action create_group policies/stores               who may create groups?
  peerage reach -s 5 -a add_member --resource g1 policies/stores    whom may 5 add to g1?
  peerage reach --matrix policies/stores                            who reaches whom, as a table";

const TEST_EXAMPLES: &str = "\
Examples:
  peerage test policies/stores
  peerage test policies/stores --filter headquarters
  peerage test policies/stores --min-coverage 80
  peerage test policies/stores --format junit > report.xml

Exit codes: 0 all tests pass and the coverage is reached, 1 they don't or it is not, or the policy \
or a test has mistakes, 2 there are no tests to run, or they can't be read.";

const DIFF_EXAMPLES: &str = "\
Examples:
  peerage diff main:policies/stores policies/stores         what does this branch open and close?
  peerage diff --max-lost 0 main:policies policies          exit code 1 if anyone loses anything
  peerage diff --facts users.ndjson old.yaml new.yaml       over the users of another file
  peerage diff --format markdown main:policies policies     a comment for a pull request";

#[derive(Args, Debug)]
struct Global {
    /// How to print the result: every command has `human` and `json`, `check` also `sarif` and
    /// `github`
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// For programs
    Json,
    /// For code scanning and editors
    Sarif,
    /// Commands to GitHub's runner
    Github,
    /// For CI servers
    Junit,
    /// For comments on a change
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
    #[command(after_help = "Examples:\n  \
        peerage check policies/stores\n  \
        peerage check --deny-warnings policies/stores    fail over lints too")]
    Check(check::Options),
    /// Show what a policy compiles to: rules with their sets, tags with their users
    #[command(after_help = "Example: peerage compile policies/stores")]
    Compile(Paths),
    /// Decide whether a user may do something
    #[command(after_help = DECIDE_EXAMPLES)]
    Decide(decide::Question),
    /// List whom a user may reach, who may reach him, or where he may do something
    ///
    /// Leave out the subject to list who may, the resource to list to whom or in which groups, and the
    /// member of an action on a group to list who may be that. With --matrix, all kinds of users at
    /// once, as a table.
    #[command(after_help = REACH_EXAMPLES)]
    Reach(reach::Question),
    /// Show what a change of policy opens and closes, counted over all pairs of users
    #[command(after_help = DIFF_EXAMPLES)]
    Diff(diff::Options),
    /// Write policy files in canonical form, or convert one between the notations
    #[command(after_help = "Examples:\n  \
        peerage fmt policies                                  rewrite what is not in canonical form\n  \
        peerage fmt --check policies                          say what would change\n  \
        peerage fmt --to dsl policies/stores/policy.yaml      print it in the other notation")]
    Fmt(fmt::Options),
    /// Print the JSON Schema of policy files, by which editors complete and check them
    #[command(after_help = "Example: peerage schema > peerage.schema.json")]
    Schema(schema::Options),
    /// Run the `*.test.yaml` below the paths against the policy that the other files make up
    #[command(after_help = TEST_EXAMPLES)]
    Test(test::Options),
    /// Ask the decisions of a log again: which would turn out otherwise?
    ///
    /// Exits with 1 if any does, or if a line of the log is no decision.
    #[command(after_help = "Example: peerage replay decisions.ndjson --policy policies/stores")]
    Replay(replay::Options),
    /// Answer over HTTP, and follow the files as they change
    #[command(after_help = "Example: peerage serve policies/stores --listen 127.0.0.1:7411")]
    Serve(serve::Options),
    /// Check, compact or back up the file in which a daemon keeps facts
    #[command(after_help = "Example: peerage store check facts.redb")]
    Store(store::Options),
}

#[derive(Args, Debug)]
struct Paths {
    /// Policy files, or folders of them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

impl Command {
    /// The formats in which it can print its result.
    fn formats(&self) -> &'static [Format] {
        match self {
            Self::Check(_) => &[Format::Human, Format::Json, Format::Sarif, Format::Github],
            Self::Test(_) => &[Format::Human, Format::Json, Format::Junit],
            Self::Diff(_) => &[Format::Human, Format::Json, Format::Markdown, Format::Github],
            _ => &[Format::Human, Format::Json],
        }
    }

    fn run(&self, output: &Output) -> Result<Exit> {
        match self {
            Self::Check(options) => check::run(options, output),
            Self::Compile(paths) => compile::run(&paths.paths, output),
            Self::Decide(question) => decide::run(question, output),
            Self::Reach(question) => reach::run(question, output),
            Self::Fmt(options) => fmt::run(options, output),
            Self::Schema(options) => schema::run(options, output),
            Self::Test(options) => test::run(options, output),
            Self::Diff(options) => diff::run(options, output),
            Self::Replay(options) => replay::run(options, output),
            Self::Serve(options) => serve::run(options, output),
            Self::Store(options) => store::run(options, output),
        }
    }
}

/// Refuses a format in which a command has no result.
fn check_format(format: Format, has: &[Format]) -> Result<()> {
    let names = has.iter().map(|format| format!("`{}`", format.name()));
    ensure!(
        has.contains(&format),
        "this command has no format `{}`; it has {}",
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

/// Carries out the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.global.format, cli.global.color);
    let done = check_format(cli.global.format, cli.command.formats())
        .and_then(|()| cli.command.run(&output));
    let exit = done.unwrap_or_else(|error| output.failed(&error));
    ExitCode::from(exit as u8)
}
