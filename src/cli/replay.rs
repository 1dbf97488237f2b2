//! The command `replay`.

use std::{fmt::Write as _, fs::File, io, path::PathBuf};

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use super::{
    Exit, Output,
    output::{BAD, GOOD, QUIET, STRONG},
    paths::{Ignored, InputName},
    policy, progress,
};
use crate::inspect::replay::{Replay, ReplayExample, Replayer};

#[derive(Args, Debug)]
pub(super) struct ReplayOptions {
    /// Decision logs, a JSON object a line; `-` for standard input
    ///
    /// They are read in this order; rotated ones may be compressed by gzip. A last line that is not whole is
    /// skipped with a note.
    ///
    /// A line has `subject`, `action`, `resource`, `context`, `decision` and `reason`, such as
    /// `{"subject":"3","action":"start_chat","resource":"2","decision":true,"reason":"allowed"}`;
    /// subject, resource and `member` may be objects with `type`, `id` and `properties`. A malformed line
    /// is reported with its place and skipped.
    #[arg(required = true, value_name = "DECISIONS")]
    logs: Vec<PathBuf>,
    /// The policy to decide by: files, or folders of them
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    policy: Vec<PathBuf>,
    #[command(flatten)]
    input: InputName,
    #[command(flatten)]
    ignored: Ignored,
    /// The number of examples for each kind of change
    #[arg(long, value_name = "N", default_value_t = 3)]
    examples: usize,
}

pub(super) fn run(options: &ReplayOptions, output: &Output) -> Result<Exit> {
    let scope = options.ignored.scope(&options.policy)?.with_input_name(options.input.name());
    let is_input = |log: &&PathBuf| log.as_os_str() == "-";
    let reads_log = options.logs.iter().any(|log| is_input(&log));
    ensure!(
        !(reads_log && scope.has_input()),
        "standard input can't be both the log and the policy"
    );
    ensure!(
        options.logs.iter().filter(is_input).count() <= 1,
        "standard input can't be given twice"
    );
    let Ok(view) = policy::load_view(&scope, output)? else { return Ok(Exit::Failure) };
    let replayed = progress::during("replaying the decisions", || {
        let mut replayer = Replayer::new(&view, options.examples);
        for log in &options.logs {
            let name = log.display().to_string();
            let read = if is_input(&log) {
                replayer.read(&name, io::stdin().lock())
            } else {
                File::open(log).and_then(|file| replayer.read(&name, io::BufReader::new(file)))
            };
            read.with_context(|| format!("can't read `{name}`"))?;
        }
        Ok::<_, anyhow::Error>(replayer.finish())
    })?;
    if output.is_json() {
        output.json(&replayed.to_json())?;
    } else {
        for mistake in &replayed.mistakes {
            output.note(&format!(
                "{}:{}:{}: {BAD}error{BAD:#}: {}\n",
                mistake.log, mistake.line, mistake.column, mistake.message
            ));
        }
        let unlisted = replayed.malformed - replayed.mistakes.len() as u64;
        if unlisted > 0 {
            output.note(&format!("and {unlisted} more malformed lines\n"));
        }
        skipped_notes(&replayed, output);
        output.result(&human(&replayed, options.logs.len() > 1))?;
    }
    let is_fine = replayed.changed == 0 && replayed.malformed == 0 && replayed.hashed == 0;
    Ok(if is_fine { Exit::Success } else { Exit::Unmet })
}

/// Notes on the lines that were not decided, though they are no mistakes.
fn skipped_notes(replayed: &Replay, output: &Output) {
    let lines =
        |count: u64| if count == 1 { "1 line".to_owned() } else { format!("{count} lines") };
    let Replay { torn, hashed, unresolved, stale, .. } = *replayed;
    if torn > 0 {
        let end = "ended before its end, as where the log is still written, and was skipped";
        output.note(&format!("note: {} {end}\n", lines(torn)));
    }
    if unresolved > 0 {
        let why = "of a type or an id that nobody can have, which any policy denies";
        output.note(&format!("note: skipped {} {why}\n", lines(unresolved)));
    }
    if stale > 0 {
        let why = "denied because the policy or the facts were too old";
        output.note(&format!("note: skipped {} {why}\n", lines(stale)));
    }
    if hashed > 0 {
        output.note(&format!(
            "{BAD}error{BAD:#}: {} with hashed ids can't be decided again, since a policy knows users by their ids\n\
             help: log with --decision-log-ids plain\n",
            lines(hashed)
        ));
    }
}

fn human(replayed: &Replay, names_logs: bool) -> String {
    let mut text = format!(
        "{STRONG}{} of {} decisions differ{STRONG:#}",
        replayed.changed, replayed.decisions
    );
    // Writing to a string can't fail.
    let _ = write!(text, ": {} would be allowed, {} denied", replayed.opened, replayed.closed);
    let _ = writeln!(text, "; {} unchanged with another reason", replayed.other_reasons);
    if replayed.malformed > 0 {
        let lines = match replayed.malformed {
            1 => "1 line is malformed".to_owned(),
            count => format!("{count} lines are malformed"),
        };
        let _ = writeln!(text, "{BAD}{lines}{BAD:#}");
    }
    for group in &replayed.groups {
        let style = if group.allowed_now { GOOD } else { BAD };
        let _ = writeln!(
            text,
            "{style}{}{style:#} {}: {} -> {}",
            group.decisions, group.action, group.before, group.now
        );
        for example in &group.examples {
            let ReplayExample { log, line, parties, why } = example;
            let log = if names_logs { format!("{log} ") } else { String::new() };
            let _ = writeln!(text, "  {QUIET}{log}line {line}: {parties}: now {why}{QUIET:#}");
        }
    }
    text
}
