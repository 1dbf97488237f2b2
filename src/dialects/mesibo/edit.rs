use serde_json::{Map, Value};

use super::{
    asked::Asked,
    fault::{Fault, Stop},
};
use crate::{
    dialects::{House, Reply, Step, Unread},
    facts::{Command, Op},
};

/// The name under which facts keep what means nothing to decisions.
pub(super) const KEPT: &str = "mesibo";

/// The commands that a request comes to, and of each which parameter it is about.
#[derive(Default, Debug)]
pub(super) struct Edit {
    commands: Vec<Command>,
    paths: Vec<String>,
}

impl Edit {
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
    pub(super) fn step(self, asked: &Asked, about: (&'static str, Value)) -> Step<Reply> {
        let (asked, paths) = (asked.clone(), self.paths);
        let reply = move |wrote: &_, _: &dyn House| {
            Ok(Step::Done(match Fault::of(wrote, &paths) {
                Some(fault) => asked.refused(fault),
                None => asked.done(vec![(about.0, about.1.clone())]),
            }))
        };
        Step::write(self.commands, reply)
    }
}

/// What is kept of something as an object of its own.
pub(super) fn kept(values: &std::collections::BTreeMap<String, Value>) -> Map<String, Value> {
    values.get(KEPT).and_then(Value::as_object).cloned().unwrap_or_default()
}

/// Answers a fault as what it is.
pub(super) fn settled(
    asked: &Asked,
    result: Result<Step<Reply>, Stop>,
) -> Result<Step<Reply>, Unread> {
    match result {
        Ok(step) => Ok(step),
        Err(Stop::Fault(fault)) => Ok(Step::Done(asked.refused(fault))),
        Err(Stop::Unread(unread)) => Err(unread),
    }
}
