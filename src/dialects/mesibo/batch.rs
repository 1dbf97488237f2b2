//! Batches of commands that a request is translated to.

use serde_json::{Map, Value};

use super::{
    error::{MesiboError, MesiboStop},
    request::MesiboRequest,
};
use crate::{
    dialects::{Backend, BackendError, Reply, Step},
    facts::{Command, Op},
};

/// The attribute and metadata field with the data that has no meaning for decisions.
pub(super) const ATTRIBUTE: &str = "mesibo";

/// The commands of a request, each with the path of the parameter that causes it.
#[derive(Default, Debug)]
pub(super) struct CommandBatch {
    commands: Vec<Command>,
    paths: Vec<String>,
}

impl CommandBatch {
    pub(super) fn push(&mut self, op: Op, path: impl Into<String>) {
        self.commands.push(op.into());
        self.paths.push(path.into());
    }

    /// Appends the commands of another batch.
    pub(super) fn extend(&mut self, other: Self) {
        self.commands.extend(other.commands);
        self.paths.extend(other.paths);
    }

    /// The step that writes all commands or none, and answers with the result; `about` comes first
    /// in the answer.
    pub(super) fn into_step(
        self,
        request: &MesiboRequest,
        about: (&'static str, Value),
    ) -> Step<Reply> {
        let (request, paths) = (request.clone(), self.paths);
        let reply = move |wrote: &_, _: &dyn Backend| {
            Ok(Step::Done(match MesiboError::from_outcome(wrote, &paths) {
                Some(fault) => request.error_reply(fault),
                None => request.success_reply(vec![(about.0, about.1.clone())]),
            }))
        };
        Step::write_all(self.commands, reply)
    }
}

/// The data that has no meaning for decisions, as it is stored.
pub(super) fn stored_fields(
    values: &std::collections::BTreeMap<String, Value>,
) -> Map<String, Value> {
    values.get(ATTRIBUTE).and_then(Value::as_object).cloned().unwrap_or_default()
}

/// The next step of a request; an error of its own becomes an answer.
pub(super) fn settle(
    request: &MesiboRequest,
    result: Result<Step<Reply>, MesiboStop>,
) -> Result<Step<Reply>, BackendError> {
    Step::settle(result, |error| request.error_reply(error))
}
