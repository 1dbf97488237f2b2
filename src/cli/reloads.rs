//! What a reload and a start may do by themselves: the options of it.

use std::{fmt::Write as _, path::PathBuf};

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::{Exit, Output, diff::Share, output::BAD};
use crate::{
    live::{HeldPolicy, ReloadGuard, StartMode, StateOptions},
    serve::held_json,
};

#[derive(Args, Debug)]
#[group(skip)]
pub(super) struct ReloadOptions {
    /// Hold a policy that lacks a section that refused something, or many of the users
    ///
    /// Of `rules`, `peers`, `permissions`, `blocks`, `moderation`, `matrices`, `unknown_users` and
    /// `protected_tags`, what the policy no longer has, where that changes what is refused; and more than
    /// ten users and a tenth of all. The last good policy goes on being served. `POST /v1/reload?force=true` with the admin
    /// token takes the new one all the same.
    #[arg(long, value_enum, value_name = "WHETHER", default_value_t = HoldMode::On)]
    hold: HoldMode,
    /// Hold a policy that changes the outcome for more than this share of pairs, as 5%
    ///
    /// Of all ordered pairs of two users who are served, each counted once for each action between
    /// users. What rules and settings change is counted exactly; where users' records, relations or
    /// users themselves change too, up to 360 of them are, and of more a sample of pairs. Who would be
    /// gone counts, who is new does not.
    #[arg(long, value_name = "SHARE")]
    max_changed: Option<Share>,
    /// Keep the last good files in this folder, so that a restart holds what a reload would
    ///
    /// It is made if it is not there, for its owner alone.
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// What to do at the start with a policy that has errors, or that a reload would hold
    #[arg(long, value_enum, value_name = "HOW", default_value_t = StartChoice::Refuse, requires = "state_dir")]
    start: StartChoice,
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
    /// Take it if it has no errors, whatever was there before
    Fresh,
    /// Serve the last good files until better ones come
    LastGood,
}

impl ReloadOptions {
    pub(super) fn guard(&self) -> ReloadGuard {
        ReloadGuard {
            hold: self.hold == HoldMode::On,
            max_changed: self.max_changed.map(|Share(max_changed)| max_changed),
        }
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

/// Says what a policy would open that is not taken at the start, and how to go on.
pub(super) fn refuse(held: &HeldPolicy, output: &Output) -> Result<Exit> {
    if output.is_json() {
        output.json(&json!({ "held": held_json(held) }))?;
    }
    let reasons: String = held.reasons.iter().fold(String::new(), |mut text, reason| {
        // Writing to a string can't fail.
        let _ = writeln!(text, "  {reason}");
        text
    });
    let summary = &held.summary;
    output.note(&format!(
        "{BAD}error{BAD:#}: the policy is held, since it may open what the last good one refused\n{reasons}  {summary}\n\
         help: mend the files; take them as they are with --start fresh; or serve the last good ones \
         with --start last-good\n"
    ));
    Ok(Exit::Unmet)
}
