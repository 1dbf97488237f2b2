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

/// The same, with lints.
pub(super) fn examine(scope: &Scope) -> BuildOutput {
    progress::during("examining the policy", || compile::build_with_lints(&scope.load()))
}

/// The exit code that a report of mistakes deserves: paths that lead to nothing that can be read as
/// a policy keep a command from being carried out, all other mistakes are the policy's.
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

/// The compiled policy; without one, says why and gives the exit code.
pub(super) fn load_view(scope: &Scope, output: &Output) -> Result<Result<View, Exit>> {
    let outcome = load(scope);
    let Some(view) = outcome.view else {
        output.report_in_place(&outcome.report)?;
        return Ok(Err(exit(&outcome.report)));
    };
    output.note_report(&outcome.report);
    Ok(Ok(view))
}
