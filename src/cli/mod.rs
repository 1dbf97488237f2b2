//! The command line: what was typed, a call of the library, what is printed, an exit code.
//!
//! Invariant: nobody knows of this room.

mod check;
mod compile;
mod decide;
mod fmt;
mod matrix;
mod output;
mod parties;
mod policy;
mod progress;
mod reach;
mod replace;
mod serve;
mod test;

use std::{path::PathBuf, process::ExitCode};

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
  peerage reach -s 5 -a add_member --resource g1 policies/stores    whom may 5 add to g1?";

const TEST_EXAMPLES: &str = "\
Examples:
  peerage test policies/stores
  peerage test policies/stores --filter headquarters
  peerage test policies/stores --min-coverage 80
  peerage test policies/stores --format junit > report.xml

Exit codes: 0 all tests pass and the coverage is reached, 1 they don't or it is not, or the policy \
or a test has mistakes, 2 there are no tests to run, or they can't be read.";

#[derive(Args, Debug)]
struct Global {
    /// How to print the result
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    Human,
    Json,
    /// JUnit's XML; `test` has it
    Junit,
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
    #[command(after_help = "Example: peerage check policies/stores")]
    Check(Paths),
    /// Show what a policy compiles to: rules with their sets, tags with their users
    #[command(after_help = "Example: peerage compile policies/stores")]
    Compile(Paths),
    /// Decide whether a user may do something
    #[command(after_help = DECIDE_EXAMPLES)]
    Decide(decide::Question),
    /// List whom a user may reach, who may reach him, or the groups in which he may do something
    #[command(after_help = REACH_EXAMPLES)]
    Reach(reach::Question),
    /// Write policy files in canonical form, or convert one between the notations
    #[command(after_help = "Examples:\n  \
        peerage fmt policies                                  rewrite what is not in canonical form\n  \
        peerage fmt --check policies                          say what would change\n  \
        peerage fmt --to dsl policies/stores/policy.yaml      print it in the other notation")]
    Fmt(fmt::Options),
    /// Run the `*.test.yaml` below the paths against the policy that the other files make up
    #[command(after_help = TEST_EXAMPLES)]
    Test(test::Options),
    /// Answer over HTTP, and follow the files as they change
    #[command(after_help = "Example: peerage serve policies/stores --listen 127.0.0.1:7411")]
    Serve(serve::Options),
}

#[derive(Args, Debug)]
struct Paths {
    /// Policy files, or folders of them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

impl Command {
    /// In which forms it prints its result.
    fn formats(&self) -> &'static [Format] {
        match self {
            Self::Test(_) => &[Format::Human, Format::Json, Format::Junit],
            _ => &[Format::Human, Format::Json],
        }
    }

    fn refusal(&self, format: Format) -> anyhow::Error {
        let name = |format: &Format| format.to_possible_value().map(|it| it.get_name().to_owned());
        let known: Vec<String> = self.formats().iter().filter_map(name).collect();
        let format = name(&format).unwrap_or_default();
        anyhow::anyhow!("this command has no format `{format}`; it has {}", known.join(", "))
    }
}

/// Carries out the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.global.format, cli.global.color);
    if !cli.command.formats().contains(&cli.global.format) {
        return ExitCode::from(output.failed(&cli.command.refusal(cli.global.format)) as u8);
    }
    let done = match &cli.command {
        Command::Check(paths) => check::run(&paths.paths, &output),
        Command::Compile(paths) => compile::run(&paths.paths, &output),
        Command::Decide(question) => decide::run(question, &output),
        Command::Reach(question) => reach::run(question, &output),
        Command::Fmt(options) => fmt::run(options, &output),
        Command::Test(options) => test::run(options, &output),
        Command::Serve(options) => serve::run(options, &output),
    };
    let exit = done.unwrap_or_else(|error| output.failed(&error));
    ExitCode::from(exit as u8)
}
