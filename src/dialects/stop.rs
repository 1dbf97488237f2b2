//! The early end of a call: an error that its dialect renders, or facts that can't be read.

use super::{BackendError, Step};

/// The reason why a call is not handled to its end; `E` is the dialect's own error.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Stop<E> {
    /// An error that is answered in the dialect's own form.
    Error(Box<E>),
    /// Facts that can't be read now: the call is handled again from the start, or fails.
    Backend(BackendError),
}

/// An error that a dialect answers in its own form.
pub(super) trait DialectError {}

impl<E: DialectError> From<E> for Stop<E> {
    fn from(error: E) -> Self {
        Self::Error(Box::new(error))
    }
}

impl<E> From<BackendError> for Stop<E> {
    fn from(error: BackendError) -> Self {
        Self::Backend(error)
    }
}

impl<R> Step<R> {
    /// The next step of a call: where it stopped at the dialect's own error, the answer that `render`
    /// makes of it.
    ///
    /// # Errors
    /// If it stopped at facts that can't be read.
    pub(super) fn settle<E>(
        result: Result<Self, Stop<E>>,
        render: impl FnOnce(E) -> R,
    ) -> Result<Self, BackendError> {
        match result {
            Ok(step) => Ok(step),
            Err(Stop::Error(error)) => Ok(Self::Done(render(*error))),
            Err(Stop::Backend(error)) => Err(error),
        }
    }
}
