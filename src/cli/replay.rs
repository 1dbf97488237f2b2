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
use crate::inspect::replay::{self, Replay};

#[derive(Args, Debug)]
pub(super) struct ReplayOptions {
    /// The decision log, a JSON object a line; `-` for standard input
    ///
    /// A line has `subject`, `action`, `resource`, `context`, `decision` and `reason`, such as
    /// `{"subject":"3","action":"start_chat","resource":"2","decision":true,"reason":"allowed"}`;
    /// subject, resource and `member` may be objects with `type`, `id` and `properties`. A malformed line
    /// is reported with its place and skipped.
    #[arg(value_name = "DECISIONS")]
    log: PathBuf,
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
    let reads_log = options.log.as_os_str() == "-";
    ensure!(
        !(reads_log && scope.has_input()),
        "standard input can't be both the log and the policy"
    );
    let Ok(view) = policy::load_view(&scope, output)? else { return Ok(Exit::Failure) };
    let name = options.log.display();
    let replayed = progress::during("replaying the decisions", || {
        if reads_log {
            return replay::replay(&view, io::stdin().lock(), options.examples);
        }
        replay::replay(&view, io::BufReader::new(File::open(&options.log)?), options.examples)
    });
    let replayed = replayed.with_context(|| format!("can't read `{name}`"))?;
    if output.is_json() {
        output.json(&replayed.to_json())?;
    } else {
        for mistake in &replayed.mistakes {
            output.note(&format!(
                "{name}:{}:{}: {BAD}error{BAD:#}: {}\n",
                mistake.line, mistake.column, mistake.message
            ));
        }
        let unlisted = replayed.malformed - replayed.mistakes.len() as u64;
        if unlisted > 0 {
            output.note(&format!("{name}: and {unlisted} more malformed lines\n"));
        }
        output.result(&human(&replayed))?;
    }
    let is_fine = replayed.changed == 0 && replayed.malformed == 0;
    Ok(if is_fine { Exit::Success } else { Exit::Unmet })
}

fn human(replayed: &Replay) -> String {
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
            let _ = writeln!(
                text,
                "  {QUIET}line {}: {}: now {}{QUIET:#}",
                example.line, example.parties, example.why
            );
        }
    }
    text
}
