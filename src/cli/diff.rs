//! The command `diff`.

use std::{fmt::Write as _, path::PathBuf, str::FromStr};

use anyhow::{Result, anyhow};
use clap::Args;
use serde_json::json;

use super::{
    Exit, Format, Output,
    output::{BAD, GOOD, QUIET, STRONG},
    paths::{AtTime, Ignored, InputName},
    policy, progress,
};
use crate::{
    compile,
    inspect::diff::{Diff, DiffDetail, PolicyPart},
    request::Conversation,
    snapshot::View,
    source::{self, LoadedSources, Scope},
};

#[derive(Args, Debug)]
pub(super) struct DiffOptions {
    /// The policy before: a file or folder, or a git revision and a path, as main:policies
    #[arg(value_name = "OLD")]
    old: String,
    /// The policy now
    #[arg(value_name = "NEW")]
    new: String,
    /// Another file or folder of the policy before; may be given several times
    #[arg(long = "old", value_name = "PATH")]
    more_old: Vec<String>,
    /// Another file or folder of the policy now; may be given several times
    #[arg(long = "new", value_name = "PATH")]
    more_new: Vec<String>,
    /// Take users, groups and conversations from here instead of NEW; may be given several times
    #[arg(long, value_name = "PATH")]
    facts: Vec<String>,
    #[command(flatten)]
    input: InputName,
    #[command(flatten)]
    ignored: Ignored,
    #[command(flatten)]
    at: AtTime,
    /// Whether the conversations of users are new or existing
    ///
    /// Without it, as the policy has it for each pair.
    #[arg(long, value_name = "STATE")]
    conversation: Option<Conversation>,
    /// Exit with 1 if more pairs are gained, over all actions between two users
    #[arg(long, value_name = "N")]
    max_gained: Option<u64>,
    /// Exit with 1 if more pairs are lost, over all actions between two users
    #[arg(long, value_name = "N")]
    max_lost: Option<u64>,
    /// Exit with 1 if the decisions of a larger share of pairs change, as 1%
    ///
    /// The share is of all ordered pairs of users, each counted once per action between users.
    #[arg(long, value_name = "SHARE")]
    max_changed: Option<Share>,
}

/// A share from 0 to 1, written as a percentage or as a number with a decimal point.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Share(pub(super) f64);

impl FromStr for Share {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let percent = text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
        // A bare `5` or `1` could be meant either way.
        let is_fraction = text == "0" || text.contains('.');
        let share = match percent {
            Some(percent) => Some(percent / 100.0),
            None if is_fraction => text.parse().ok(),
            None => None,
        };
        let share = share.filter(|share| (0.0..=1.0).contains(share));
        share.map(Self).ok_or_else(|| anyhow!("expected a share from 0 to 100%, as 10% or 0.1"))
    }
}

pub(super) fn run(options: &DiffOptions, output: &Output) -> Result<Exit> {
    // The users of the old side are not compared.
    let old = std::iter::once(&options.old).chain(&options.more_old);
    let old = options.load(old, Scope::load_without_users, Scope::load_revision_without_users)?;
    let new = std::iter::once(&options.new).chain(&options.more_new);
    let new = options.load(new, Scope::load, Scope::load_revision)?;
    let facts = || options.load(options.facts.iter(), Scope::load, Scope::load_revision);
    let facts = (!options.facts.is_empty()).then(facts).transpose()?;
    let versions = progress::during("compiling both policies", || {
        compile::build_versions(&old, &new, facts.as_ref())
    });
    let Some(views) = versions.views else {
        for report in [&versions.old, &versions.new].into_iter().filter(|report| report.errors > 0)
        {
            output.report_in_place(report)?;
        }
        return Ok(policy::exit(&versions.old).max(policy::exit(&versions.new)));
    };
    let mut diff = progress::during("comparing the policies", || {
        Diff::compute(&views.old, &views.new, options.conversation, DiffDetail::default())
    });
    diff.add_restrictions(views.restrictions);
    let exceeded = options.exceeded(&diff);
    match output.format() {
        Format::Json => {
            let mut result = diff.to_json(&views.new);
            if let Some(result) = result.as_object_mut() {
                result.insert("exceeded".to_owned(), json!(exceeded));
            }
            output.json(&result)?;
        }
        Format::Markdown => {
            let mut text = diff.to_markdown();
            for limit in &exceeded {
                // Writing to a string can't fail.
                let _ = writeln!(text, "\n**Too much:** {limit}");
            }
            Output::verbatim(&text)?;
        }
        Format::Github => {
            let level = if exceeded.is_empty() { "notice" } else { "error" };
            let mut text = annotation(level, &diff.summary());
            exceeded.iter().for_each(|limit| text.push_str(&annotation("error", limit)));
            Output::verbatim(&text)?;
        }
        _ => {
            output.result(&human(&diff, &views.new))?;
            for limit in &exceeded {
                output.note(&format!("{BAD}too much{BAD:#}: {limit}\n"));
            }
        }
    }
    Ok(if exceeded.is_empty() { Exit::Success } else { Exit::Unmet })
}

/// A workflow command, which is one line.
fn annotation(level: &str, text: &str) -> String {
    let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    format!("::{level} title=peerage diff::{text}\n")
}

impl DiffOptions {
    fn load<'p>(
        &self,
        paths: impl Iterator<Item = &'p String>,
        files: fn(&Scope) -> LoadedSources,
        revision: fn(&Scope, &str) -> LoadedSources,
    ) -> Result<LoadedSources> {
        let (revisions, paths): (Vec<&String>, Vec<&String>) =
            paths.partition(|path| source::is_revision(path));
        let paths: Vec<PathBuf> = paths.into_iter().map(PathBuf::from).collect();
        let scope = self.ignored.scope(&paths)?.with_input_name(self.input.name());
        let scope = self.at.apply(scope);
        let given = (!paths.is_empty()).then(|| files(&scope));
        let all = given.into_iter().chain(revisions.into_iter().map(|spec| revision(&scope, spec)));
        Ok(all.reduce(LoadedSources::merge).unwrap_or_else(|| files(&scope)))
    }

    /// The limits that the difference exceeds, in words.
    fn exceeded(&self, diff: &Diff) -> Vec<String> {
        let [gained, lost] = diff.totals();
        let mut exceeded = Vec::new();
        let counts = [("gained", gained, self.max_gained), ("lost", lost, self.max_lost)];
        for (what, pairs, limit) in counts {
            if let Some(limit) = limit.filter(|&limit| pairs > limit) {
                exceeded.push(format!("{pairs} pairs are {what}; at most {limit} may be"));
            }
        }
        if let Some(Share(limit)) = self.max_changed.filter(|limit| diff.share() > limit.0) {
            exceeded.push(format!(
                "{} of {} pairs are changed, {:.4}%; at most {}% may be",
                diff.changed(),
                diff.compared(),
                diff.share() * 100.0,
                limit * 100.0
            ));
        }
        exceeded
    }
}

fn human(diff: &Diff, view: &View) -> String {
    let mut text = format!("{STRONG}{}{STRONG:#}, {} users\n", diff.summary(), diff.users);
    // Writing to a string can't fail.
    for change in &diff.changes {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        let _ = writeln!(
            text,
            "  {}: was {QUIET}{}{QUIET:#}, is {}",
            change.part.name(),
            value(&change.old),
            value(&change.new)
        );
    }
    for action in diff.actions.iter().filter(|action| action.gained + action.lost > 0) {
        let _ = writeln!(
            text,
            "\n{STRONG}{}{STRONG:#} {}{GOOD}+{}{GOOD:#} {BAD}-{}{BAD:#} {}",
            action.action,
            action.about(),
            action.gained,
            action.lost,
            action.over.as_str()
        );
        if action.is_estimate {
            text.push_str(
                "  estimated from a part: there are too many pairs to judge each of them\n",
            );
        }
        if !action.causes.is_empty() {
            let because: Vec<String> = action.causes.iter().map(PolicyPart::name).collect();
            let _ = writeln!(text, "  because of {}", because.join(", "));
        }
        for kind in &action.kinds {
            let style = if kind.gained { GOOD } else { BAD };
            let _ = writeln!(text, "  {style}{}{style:#}", kind.line(action));
            for witness in &kind.witnesses {
                let _ = writeln!(text, "    {QUIET}{}{QUIET:#}", witness.line());
            }
        }
        if !action.has_all_largest {
            let _ = writeln!(text, "  {QUIET}and others, some of which may be as large{QUIET:#}");
        }
        for (name, users) in
            action.contact.lists().into_iter().filter(|(_, users)| !users.is_empty())
        {
            let directory = &view.population.directory;
            let some: Vec<String> =
                users.iter().take(5).map(|&user| format!("`{}`", directory.id(user))).collect();
            let more = if users.len() > some.len() { ", ..." } else { "" };
            let name = name.replace('_', " ");
            let _ = writeln!(text, "  {name}: {} users: {}{more}", users.len(), some.join(", "));
        }
    }
    for change in &diff.matrices {
        let _ = writeln!(
            text,
            "\n{STRONG}matrix {}{STRONG:#}, {} groups",
            change.matrix, change.groups
        );
        for line in change.lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
    text
}
