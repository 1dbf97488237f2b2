//! The log of reloads: their outcomes, and the diagnostics of the files.

use tracing::{debug, info, warn};

use super::reload_history::{LatestReload, ReloadOutcome, Trigger};
use crate::diagnostic::{LocatedDiagnostic, Report, render_text};

/// How diagnostics are logged.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum LogForm {
    /// As `check` prints them, below one line of the log.
    #[default]
    Text,
    /// Each in a line of its own, with fields.
    Fields,
}

/// The number of diagnostics that are logged of one reload.
const MAX_LOGGED: usize = 20;

impl LogForm {
    /// Logs the diagnostics, if there are any.
    pub fn log(self, report: &Report) {
        if report.is_empty() {
            return;
        }
        let (first, rest) = report.diagnostics.split_at(report.diagnostics.len().min(MAX_LOGGED));
        match self {
            Self::Text => {
                let shown = Report {
                    diagnostics: first.to_vec(),
                    left_out: report.left_out + rest.len(),
                    ..*report
                };
                warn!(
                    "diagnostics of the policy's files:\n{}",
                    render_text(&shown, false).trim_end()
                );
            }
            Self::Fields => {
                first.iter().for_each(log_fields);
                let left_out = report.left_out + rest.len();
                if left_out > 0 {
                    warn!(left_out, "further diagnostics are not logged");
                }
            }
        }
    }

    /// Logs the outcome of a reload. A repetition is logged at debug level, unless the reload was
    /// requested; a start is logged by its caller.
    pub(super) fn log_reload(
        self,
        revision: &str,
        trigger: Trigger,
        earlier: &LatestReload,
        latest: &LatestReload,
    ) {
        if trigger == Trigger::Start {
            return;
        }
        let is_requested = matches!(trigger, Trigger::Requested | Trigger::Forced);
        if !is_requested && latest.repeats(earlier) {
            debug!(%revision, outcome = latest.outcome.as_str(), "same outcome as before");
            return;
        }
        match latest.outcome {
            ReloadOutcome::Swapped => {
                info!(%revision, took = ?latest.took, "serving the new policy");
            }
            ReloadOutcome::Unchanged if !is_requested && earlier.outcome.is_current() => {
                debug!(%revision, "files changed; the policy is unchanged");
                return;
            }
            ReloadOutcome::Unchanged => {
                info!(%revision, "the policy is unchanged");
                return;
            }
            ReloadOutcome::Refused => warn!(
                %revision,
                errors = latest.report.errors,
                "the policy has errors; the last good one stays in force"
            ),
            ReloadOutcome::Held => {
                let held = latest.held.as_ref().map(ToString::to_string).unwrap_or_default();
                warn!(
                    %revision,
                    %held,
                    "the policy is held; the last good one stays in force until `POST \
                     /v1/reload?force=true` takes the new one"
                );
            }
        }
        self.log(&latest.report);
    }
}

fn log_fields(found: &LocatedDiagnostic) {
    let place = found.place.as_ref();
    warn!(
        code = found.code.as_str(),
        severity = found.severity.as_str(),
        file = place.map(|place| place.file.as_str()),
        line = place.map(|place| place.line),
        column = place.map(|place| place.column),
        hint = found.hint.as_deref(),
        "{}",
        found.message
    );
}
