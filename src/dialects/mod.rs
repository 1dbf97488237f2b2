//! The APIs of documented systems: their bytes to requests and commands, and back.
//!
//! A [`Dialect`] is asked for an answer to a [`Call`]. It reads what is so from the [`Backend`], and
//! where something is to be changed it says by which commands, and what to make of what came of
//! them: a [`Step`]. It has no meaning of its own: who may do what is decided by the gates, and what a
//! command does is planned with the facts.
//!
//! Invariant: knows of `request` and `facts` only. It waits for nothing and holds no connection.

mod backend;
mod call;
pub mod flip;
mod guests;
pub mod mesibo;
mod socket;
mod step;
mod stop;
pub mod tencent;
pub mod venueless;
pub mod xmtp;

pub use backend::{Admission, Backend, BackendError};
pub use call::{Call, CallError, Reply};
pub use guests::{Guest, GuestAccounts, GuestLimit, GuestLimitError, NoGuestLimit};
pub use socket::{
    EndpointError, FrameResponse, Notice, SignedIn, SocketDialect, SocketFrames, SocketSession,
};
pub use step::{BlockingRead, Step, WriteContinuation, WriteStep};
use stop::{DialectError, Stop};

use std::fmt::Debug;

/// The API of one system, over HTTP.
pub trait Dialect: Debug + Send + Sync {
    /// By which it is asked for: `flip`.
    fn name(&self) -> &'static str;

    /// Whether what is at a path is this system's, whatever comes of it.
    fn owns_path(&self, path: &str) -> bool;

    /// What to answer a call whose body is not read yet, if it is refused whatever that holds: so that
    /// nobody sends a body who may not call.
    fn refuse_early(&self, _call: &Call<'_>, _backend: &dyn Backend) -> Option<Reply> {
        None
    }

    /// What a caller who is let in showed, in a word.
    fn caller_label(&self, call: &Call<'_>, _backend: &dyn Backend) -> String {
        if call.trusted { "socket" } else { "admin-token" }.to_owned()
    }

    /// What to answer, or what to do first. Called again from the start if what is served has not
    /// followed what is kept yet.
    ///
    /// # Errors
    /// If something can't be read.
    fn answer(&self, call: &Call<'_>, backend: &dyn Backend) -> Result<Step<Reply>, BackendError>;

    /// What to answer if there is no answer: in the system's own form.
    fn render_error(&self, failure: &CallError) -> Reply;
}
