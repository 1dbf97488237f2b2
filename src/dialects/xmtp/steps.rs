//! Steps that may end in a refusal.

use super::error::{XmtpError, XmtpStop};
use crate::{
    dialects::{Backend, BackendError, Reply, Step},
    facts::{Command, WriteResult},
};

/// The reply of a step, or that of its refusal.
pub(super) fn settle(step: Result<Step<Reply>, XmtpStop>) -> Result<Step<Reply>, BackendError> {
    Step::settle(step, |error| error.reply())
}

pub(super) fn error_step(refused: &XmtpError) -> Step<Reply> {
    Step::Done(refused.reply())
}

/// A blocking step.
pub(super) fn blocking(
    read: impl Fn(&dyn Backend) -> Result<Step<Reply>, XmtpStop> + Send + Sync + 'static,
) -> Step<Reply> {
    Step::blocking(move |backend| settle(read(backend)))
}

/// A step that writes commands, all or none.
pub(super) fn write_all(
    commands: Vec<Command>,
    then: impl Fn(&WriteResult, &dyn Backend) -> Result<Reply, XmtpStop> + Send + Sync + 'static,
) -> Step<Reply> {
    Step::write_all(commands, move |wrote, backend| settle(then(wrote, backend).map(Step::Done)))
}
