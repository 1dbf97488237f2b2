//! Steps of a call: a reply, a long read, or commands to be written first.

use super::{Backend, BackendError};
use crate::facts::{BatchMode, Command, Op, WriteResult};

/// The next step of a call; `R` is the type of its reply.
pub enum Step<R> {
    Done(R),
    /// A read that takes long, for the blocking pool.
    Blocking(Box<BlockingRead<R>>),
    Write(WriteStep<R>),
}

/// Commands to be written, and how the call goes on with their result.
pub struct WriteStep<R> {
    pub commands: Vec<Command>,
    pub mode: BatchMode,
    pub then: Box<WriteContinuation<R>>,
}

/// A long read and its next step. Run again from the start while the served view is behind the
/// store.
pub type BlockingRead<R> = dyn Fn(&dyn Backend) -> Result<Step<R>, BackendError> + Send + Sync;

/// The continuation of a call with the result of its commands. Run again from the start while the
/// served view is behind the store.
pub type WriteContinuation<R> =
    dyn Fn(&WriteResult, &dyn Backend) -> Result<Step<R>, BackendError> + Send + Sync;

impl<R> Step<R> {
    /// A step that writes commands, all or none.
    pub fn write_all(
        commands: Vec<Command>,
        then: impl Fn(&WriteResult, &dyn Backend) -> Result<Self, BackendError> + Send + Sync + 'static,
    ) -> Self {
        Self::Write(WriteStep { commands, mode: BatchMode::Atomic, then: Box::new(then) })
    }

    /// A step that writes one operation of an administrator.
    pub fn write_op(
        op: Op,
        then: impl Fn(&WriteResult, &dyn Backend) -> Result<Self, BackendError> + Send + Sync + 'static,
    ) -> Self {
        Self::write_all(vec![op.into()], then)
    }

    /// A step that writes commands independently of each other.
    pub fn write_each(
        commands: Vec<Command>,
        then: impl Fn(&WriteResult, &dyn Backend) -> Result<Self, BackendError> + Send + Sync + 'static,
    ) -> Self {
        Self::Write(WriteStep { commands, mode: BatchMode::Independent, then: Box::new(then) })
    }

    pub fn blocking(
        read: impl Fn(&dyn Backend) -> Result<Self, BackendError> + Send + Sync + 'static,
    ) -> Self {
        Self::Blocking(Box::new(read))
    }
}

impl<R: std::fmt::Debug> std::fmt::Debug for Step<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Done(answer) => f.debug_tuple("Done").field(answer).finish(),
            Self::Blocking(_) => f.write_str("Blocking"),
            Self::Write(write) => write.fmt(f),
        }
    }
}

impl<R> std::fmt::Debug for WriteStep<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Write")
            .field("commands", &self.commands)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}
