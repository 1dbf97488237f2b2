//! The trait of APIs over WebSockets: sessions, the response to a frame, and notices to other sockets.

use std::{fmt::Debug, sync::Arc};

use super::{
    backend::{Backend, BackendError},
    call::CallError,
    guests::{GuestAccounts, GuestLimit},
    step::Step,
};
use crate::{
    facts::{Id, UnixMillis},
    request::Moderation,
};

/// The API of one system, over WebSockets.
///
/// A socket has a [`SocketSession`], and each text frame that arrives is answered by a
/// [`FrameResponse`], as a [`Call`](super::Call) is by a reply.
pub trait SocketDialect: Debug + Send + Sync {
    /// The name by which the command line selects the dialect: `venueless`.
    fn name(&self) -> &'static str;

    /// The path below which the dialect's sockets are.
    fn root(&self) -> &'static str;

    /// The endpoint that a path names; `None` if the path is not this system's.
    fn endpoint(&self, path: &str) -> Option<String>;

    /// Begins a session at an endpoint, on which guests are made as the limit admits them.
    ///
    /// # Errors
    /// If there is no such endpoint.
    fn open(
        &self,
        endpoint: &str,
        limit: Arc<dyn GuestLimit>,
    ) -> Result<SocketSession, EndpointError>;

    /// Responds to a text frame, or says what to do first. Called again from the start while the view
    /// lags behind the store.
    ///
    /// # Errors
    /// If something can't be read.
    fn respond(
        &self,
        session: &SocketSession,
        text: &str,
        backend: &dyn Backend,
    ) -> Result<Step<FrameResponse>, BackendError>;

    /// The frame to send where there is no response.
    fn error_frame(&self, text: &str, error: &CallError) -> String;

    /// The frames that the daemon sends by itself.
    fn frames(&self) -> SocketFrames;

    /// The guest accounts that the dialect makes; `None` if it makes none.
    fn guests(&self) -> Option<&dyn GuestAccounts> {
        None
    }
}

/// The state of one socket.
#[derive(Clone, Debug)]
pub struct SocketSession {
    pub endpoint: String,
    /// The user who has authenticated.
    pub user: Option<Id>,
    /// The limit of guests that may be made on the socket.
    pub limit: Arc<dyn GuestLimit>,
}

/// The refusal of a session.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{reason}")]
pub struct EndpointError {
    /// The last frame to send.
    pub frame: String,
    /// The reason with which the socket is closed.
    pub reason: &'static str,
}

/// The frames that a daemon sends by itself, as a system writes them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SocketFrames {
    /// Asks the other end to connect again.
    pub reload: &'static str,
    /// The last frame of a socket whose token has expired.
    pub expired: &'static str,
    /// The last frame of a socket whose user has opened too many others since.
    pub replaced: &'static str,
}

/// The response to a frame.
#[derive(Clone, PartialEq, Debug)]
pub struct FrameResponse {
    /// The frame to send back.
    pub reply: String,
    /// The notices to send to other sockets before the reply.
    pub notices: Vec<Notice>,
    /// The user of the socket from now on, if that is new.
    pub signed_in: Option<SignedIn>,
    /// Whether the socket is closed after the reply.
    pub closes: bool,
    /// Whether the response refuses the credential that the caller showed.
    pub refuses_credential: bool,
}

/// A user who has authenticated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedIn {
    pub user: Id,
    /// The user's moderation state when they were let in; `None` for a user who is not known.
    pub moderation: Option<Moderation>,
    /// The time at which the user's token expires; `None` for a guest.
    pub expires: Option<UnixMillis>,
    /// Whether the user may have any number of sockets, as those who manage others may.
    pub is_unlimited: bool,
}

/// A message to other sockets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Notice {
    /// A frame for all other sockets of this user.
    Updated { user: Id, frame: String },
    /// All sockets of this user get [`reload`](SocketFrames::reload), and are closed.
    Reload { user: Id },
}

impl FrameResponse {
    /// A response that is a frame and nothing more.
    pub const fn reply(reply: String) -> Self {
        Self {
            reply,
            notices: Vec::new(),
            signed_in: None,
            closes: false,
            refuses_credential: false,
        }
    }
}
