//! Batches of commands that a request comes to.

use serde_json::{Map, Value};

use super::{
    error::{MesiboError, MesiboStop},
    request::MesiboRequest,
};
use crate::{
    dialects::{Backend, BackendError, Reply, Step},
    facts::{Command, Op},
};

/// The name under which facts keep what means nothing to decisions.
pub(super) const ATTRIBUTE: &str = "mesibo";

/// The commands that a request comes to, and of each which parameter it is about.
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

    /// Adds those of another after them.
    pub(super) fn extend(&mut self, other: Self) {
        self.commands.extend(other.commands);
        self.paths.extend(other.paths);
    }

    /// Carries all out or none, and answers that it was done; `about` comes first in the answer.
    pub(super) fn into_step(
        self,
        asked: &MesiboRequest,
        about: (&'static str, Value),
    ) -> Step<Reply> {
        let (asked, paths) = (asked.clone(), self.paths);
        let reply = move |wrote: &_, _: &dyn Backend| {
            Ok(Step::Done(match MesiboError::from_outcome(wrote, &paths) {
                Some(fault) => asked.error_reply(fault),
                None => asked.success_reply(vec![(about.0, about.1.clone())]),
            }))
        };
        Step::write_all(self.commands, reply)
    }
}

/// What is kept of something as an object of its own.
pub(super) fn stored_fields(
    values: &std::collections::BTreeMap<String, Value>,
) -> Map<String, Value> {
    values.get(ATTRIBUTE).and_then(Value::as_object).cloned().unwrap_or_default()
}

/// Answers a fault as what it is.
pub(super) fn settle(
    asked: &MesiboRequest,
    result: Result<Step<Reply>, MesiboStop>,
) -> Result<Step<Reply>, BackendError> {
    Step::settle(result, |error| asked.error_reply(error))
}
