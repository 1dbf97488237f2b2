//! Dialects: the APIs of documented systems, translated to requests and commands and back.
//!
//! A [`Dialect`] handles a [`Call`]. It reads state from the [`Backend`]; what it changes, it
//! returns as commands with a continuation: a [`Step`]. A dialect decides nothing by itself: the
//! gates decide who may do what, and the facts plan what a command does.
//!
//! Invariant: knows of `request`, `facts` and `wire` only. It waits for nothing and holds no
//! connection.

mod backend;
mod call;
pub mod flip;
mod guests;
pub mod matrix;
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

/// An API of another system over HTTP.
pub trait Dialect: Debug + Send + Sync {
    /// The name by which the command line selects the dialect: `flip`.
    fn name(&self) -> &'static str;

    /// Whether a path belongs to this API, even where nothing is at it.
    fn owns_path(&self, path: &str) -> bool;

    /// The reply to a call that is refused whatever its body holds, so that the body need not be
    /// sent; `None` if the body decides.
    fn refuse_early(&self, _call: &Call<'_>, _backend: &dyn Backend) -> Option<Reply> {
        None
    }

    /// The name of the credential that an admitted caller showed, for the audit log.
    fn caller_label(&self, call: &Call<'_>, backend: &dyn Backend) -> String {
        call.caller_label(call.bearer(), backend)
    }

    /// The next step of a call. Called again from the start while the served view is behind the
    /// store.
    ///
    /// # Errors
    /// If facts can't be read.
    fn answer(&self, call: &Call<'_>, backend: &dyn Backend) -> Result<Step<Reply>, BackendError>;

    /// The reply for an error of the transport, in the system's own form.
    fn render_error(&self, failure: &CallError) -> Reply;
}
