//! The loading of policies for commands.

use anyhow::Result;

use super::{Exit, Output, progress};
use crate::{
    compile::{self, BuildOutput},
    diagnostic::{Code, Report},
    snapshot::View,
    source::Scope,
};

/// Loads and compiles the policy.
pub(super) fn load(scope: &Scope) -> BuildOutput {
    progress::during("compiling the policy", || compile::build(&scope.load(), None))
}

/// Loads and compiles the policy, with lints.
pub(super) fn examine(scope: &Scope) -> BuildOutput {
    progress::during("checking the policy", || compile::build_with_lints(&scope.load()))
}

/// The exit code for a report: failure if the paths can't be read as a policy, unmet if the policy has
/// other errors.
pub(super) fn exit(report: &Report) -> Exit {
    let is_unread = |code| {
        matches!(
            code,
            Code::NoFiles
                | Code::NoTests
                | Code::Unreadable
                | Code::UnknownEnding
                | Code::StillWritten
        )
    };
    if report.diagnostics.iter().any(|diagnostic| is_unread(diagnostic.code)) {
        Exit::Failure
    } else if report.errors > 0 {
        Exit::Unmet
    } else {
        Exit::Success
    }
}

/// The compiled policy; if it has errors, reports them and returns the exit code.
pub(super) fn load_view(scope: &Scope, output: &Output) -> Result<Result<View, Exit>> {
    let outcome = load(scope);
    let Some(view) = outcome.view else {
        output.report_in_place(&outcome.report)?;
        return Ok(Err(exit(&outcome.report)));
    };
    output.note_report(&outcome.report);
    Ok(Ok(view))
}
