//! The options of reloads: their pace, and the policies that they hold back.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::json;

use crate::{
    cli::{Exit, Output, diff::Share, duration::MillisecondsArg, output::BAD},
    live::{HeldPolicy, ReloadGuard, StartMode, StateOptions, Trigger},
};

#[derive(Args, Debug)]
#[group(skip)]
pub(super) struct ReloadArgs {
    /// The interval of searches for changes without an event, as 5s
    ///
    /// A bare number is milliseconds.
    #[arg(long, value_name = "DURATION", default_value = "5s")]
    poll: MillisecondsArg,
    /// Hold a policy that drops a restricting section, or many users
    ///
    /// A section is one of `rules`, `peers`, `permissions`, `blocks`, `moderation`, `matrices`,
    /// `unknown_users` and `protected_tags`, where its absence changes what is refused; many users are more
    /// than ten and more than a tenth of all. The last good policy stays in use.
    /// `POST /v1/reload?force=true` with the admin token takes the held one.
    #[arg(long, value_enum, value_name = "WHETHER", default_value_t = HoldMode::On)]
    hold: HoldMode,
    /// Hold a policy that changes the decisions of more than this share of pairs, as 5%
    ///
    /// The share is of all ordered pairs of the served users, each counted once per action between users.
    /// Changes by rules and settings are counted exactly; if entries, relations or users change too, up to
    /// 360 changed users are counted exactly, and more by a sample of pairs. Users who vanish count, new
    /// users do not.
    #[arg(long, value_name = "SHARE")]
    max_changed: Option<Share>,
    /// Keep the last good files in this folder, so that a restart holds what a reload would
    ///
    /// With a store on etcd, a copy of the facts is kept there, too, from which a start goes on while etcd
    /// can't be reached. The folder is created if missing, accessible to its owner alone.
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// The treatment at the start of a policy that has errors, or that a reload would hold
    #[arg(long, value_enum, value_name = "HOW", default_value_t = StartChoice::Refuse, requires = "state_dir")]
    start: StartChoice,
    /// Let SIGHUP take a policy that would be held
    ///
    /// Without it, SIGHUP reloads as `POST /v1/reload` does, and a held policy stays held.
    #[arg(long)]
    sighup_forces: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum HoldMode {
    On,
    Off,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum StartChoice {
    /// Refuse to start, with exit code 1
    Refuse,
    /// Take it if it has no errors, whatever the last good policy was
    Fresh,
    /// Serve the last good files until the policy is good
    LastGood,
}

impl ReloadArgs {
    /// The time between two looks for changes.
    pub(super) fn poll(&self) -> Duration {
        let MillisecondsArg(poll) = self.poll;
        poll.max(Duration::from_millis(1))
    }

    pub(super) fn on_hangup(&self) -> Trigger {
        if self.sighup_forces { Trigger::Forced } else { Trigger::Requested }
    }

    pub(super) fn guard(&self) -> ReloadGuard {
        ReloadGuard {
            hold: self.hold == HoldMode::On,
            max_changed: self.max_changed.map(|Share(max_changed)| max_changed),
        }
    }

    /// The folder of what is kept for a restart.
    pub(super) fn state_dir(&self) -> Option<&Path> {
        self.state_dir.as_deref()
    }

    pub(super) fn state(&self) -> Option<StateOptions> {
        let mode = match self.start {
            StartChoice::Refuse => StartMode::Refuse,
            StartChoice::Fresh => StartMode::Fresh,
            StartChoice::LastGood => StartMode::LastGood,
        };
        self.state_dir.clone().map(|folder| StateOptions { folder, mode })
    }
}

/// Reports a policy that is held at the start: what it would open, and the ways to proceed.
pub(super) fn refuse(held: &HeldPolicy, output: &Output) -> Result<Exit> {
    if output.is_json() {
        output.json(&json!({ "held": held.to_json() }))?;
    }
    let reasons: String = held.reasons.iter().fold(String::new(), |mut text, reason| {
        // Writing to a string can't fail.
        let _ = writeln!(text, "  {reason}");
        text
    });
    let summary = &held.summary;
    output.note(&format!(
        "{BAD}error{BAD:#}: the policy is held, since it may open what the last good one refused\n{reasons}  {summary}\n\
         help: correct the files; or take them as they are with --start fresh; or serve the last good \
         ones with --start last-good\n"
    ));
    Ok(Exit::Unmet)
}
