use std::{fmt::Write as _, fs::File, io, path::PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;

use super::{
    Exit, Output,
    output::{BAD, GOOD, QUIET, STRONG},
    policy, progress,
};
use crate::inspect::replay::{self, Replay};

#[derive(Args, Debug)]
pub(super) struct Options {
    /// The decision log, a JSON object a line; `-` for standard input
    #[arg(value_name = "DECISIONS")]
    log: PathBuf,
    /// The policy to ask: files, or folders of them
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    policy: Vec<PathBuf>,
}

pub(super) fn run(options: &Options, output: &Output) -> Result<Exit> {
    let Ok(view) = policy::view(&options.policy, output)? else { return Ok(Exit::Failed) };
    let name = options.log.display();
    let replayed = progress::during("asking the decisions again", || {
        if options.log.as_os_str() == "-" {
            return replay::replay(&view, io::stdin().lock());
        }
        replay::replay(&view, io::BufReader::new(File::open(&options.log)?))
    });
    let replayed = replayed.with_context(|| format!("can't read `{name}`"))?;
    if output.is_json() {
        output.json(&replayed.to_json())?;
    } else {
        for mistake in &replayed.mistakes {
            output.aside(&format!(
                "{name}:{}:{}: {BAD}error{BAD:#}: {}\n",
                mistake.line, mistake.column, mistake.message
            ));
        }
        output.result(&human(&replayed))?;
    }
    let is_fine = replayed.changed == 0 && replayed.malformed == 0;
    Ok(if is_fine { Exit::Fine } else { Exit::Short })
}

fn human(replayed: &Replay) -> String {
    let mut text = format!(
        "{STRONG}{} of {} decisions turn out otherwise{STRONG:#}",
        replayed.changed, replayed.decisions
    );
    // Writing to a string can't fail.
    let _ = writeln!(text, ", {} for another reason only", replayed.other_reasons);
    if replayed.malformed > 0 {
        let lines = match replayed.malformed {
            1 => "1 line is no decision".to_owned(),
            count => format!("{count} lines are no decisions"),
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
