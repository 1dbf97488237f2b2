//! The outcomes and triggers of reloads.

use std::time::{Duration, SystemTime};

use super::{guard::HeldPolicy, staleness::Lapse};
use crate::diagnostic::{Code, Report, Severity};

/// The count of each outcome since the start, and the latest reload.
#[derive(Clone, Debug)]
pub struct ReloadHistory {
    pub swapped: u64,
    pub refused: u64,
    /// Reloads whose policy the guard held back.
    pub held: u64,
    pub latest: LatestReload,
    /// The time of the latest reload after which the served policy matched the files.
    pub last_good: SystemTime,
}

/// The latest attempt to read the files.
#[derive(Clone, Debug)]
pub struct LatestReload {
    pub outcome: ReloadOutcome,
    pub at: SystemTime,
    pub took: Duration,
    /// All diagnostics of the files as they are now, warnings included.
    pub report: Report,
    /// The policy that the guard held back, if it did.
    pub held: Option<HeldPolicy>,
}

/// The outcome of a reload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReloadOutcome {
    /// The files hold another policy, and it is served now.
    Swapped,
    /// The files hold the policy that is served already.
    Unchanged,
    /// The files hold errors: the last good policy stays in force.
    Refused,
    /// The guard held the policy back: the last good one stays in force until a forced reload.
    Held,
}

/// The reason to read the files again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trigger {
    /// The files or their folders changed.
    Changed,
    /// A client or a signal requested it.
    Requested,
    /// A client requested it, past the guard.
    Forced,
    /// The files could not be read before, or the last good ones could not be kept.
    Retry,
    /// The daemon began with the last good files.
    Start,
}

// === impl ReloadHistory ===

impl ReloadHistory {
    /// The history of a start: its policy counts as no reload.
    pub(super) fn at_start(latest: LatestReload) -> Self {
        let last_good = latest.at;
        Self { swapped: 0, refused: 0, held: 0, latest, last_good }
    }
}

// === impl LatestReload ===

impl LatestReload {
    /// Whether it failed because files could not be read.
    pub(super) fn is_unreadable(&self) -> bool {
        let mut diagnostics = self.report.diagnostics.iter();
        self.outcome == ReloadOutcome::Refused
            && diagnostics.any(|it| matches!(it.code, Code::Unreadable | Code::StillWritten))
    }

    /// The lapse of the policy that begins with it, if it could not read the files or they hold errors.
    /// A policy that is held was read well: an operator decides on it.
    pub(super) fn lapse(&self) -> Option<Lapse> {
        if self.outcome != ReloadOutcome::Refused {
            return None;
        }
        let mut diagnostics = self.report.diagnostics.iter();
        let first = diagnostics.find(|it| it.severity == Severity::Error);
        let first = first.map(|it| it.message.as_str()).unwrap_or_default();
        let problem = if self.is_unreadable() { "can't be read" } else { "hold errors" };
        Some(Lapse::new(format!("the policy's files {problem}: {first}")))
    }

    /// Whether its diagnostics were reported before.
    pub(super) fn repeats(&self, earlier: &Self) -> bool {
        !self.outcome.is_current()
            && self.outcome == earlier.outcome
            && self.report == earlier.report
            && self.held == earlier.held
    }
}

// === impl ReloadOutcome ===

impl ReloadOutcome {
    /// The stable text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Swapped => "swapped",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
            Self::Held => "held",
        }
    }

    /// Whether the served policy matches the files.
    pub fn is_current(self) -> bool {
        matches!(self, Self::Swapped | Self::Unchanged)
    }
}
