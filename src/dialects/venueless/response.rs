//! Responses to frames, and notices to other sockets.

use crate::{
    facts::{Id, UnixMillis},
    request::Moderation,
};

/// What comes of a frame.
#[derive(Clone, PartialEq, Debug)]
pub struct FrameResponse {
    /// The frame to send back.
    pub reply: String,
    /// What other sockets are to be told, before that.
    pub notices: Vec<Notice>,
    /// Who the socket's user is from now on, if this is new.
    pub signed_in: Option<SignedIn>,
    /// Whether the socket is to be closed after the reply.
    pub closes: bool,
    /// Whether it is refused what the caller showed to sign in.
    pub refuses_credential: bool,
}

/// Who has authenticated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedIn {
    pub user: Id,
    /// As it was when he was let in; `None` if he is let in though he is not known.
    pub moderation: Option<Moderation>,
    /// When the token ends by which they came in; `None` for a guest.
    pub expires: Option<UnixMillis>,
    /// Whether they may have any number of sockets: who manages others.
    pub is_unlimited: bool,
}

/// What other sockets are told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Notice {
    /// A frame for all other sockets of this user.
    Updated { user: Id, frame: String },
    /// All sockets of this user are to connect anew: they get [`RELOAD`](Self::RELOAD), and are closed.
    Reload { user: Id },
}

impl Notice {
    pub const RELOAD: &str = r#"["connection.reload",{}]"#;

    /// The last frame of a socket whose token has ended.
    pub const EXPIRED: &str = r#"["error",{"code":"auth.expired_token"}]"#;

    /// The last frame of a socket whose user has opened too many others since.
    pub const REPLACED: &str =
        r#"["error",{"code":"connection.replaced","message":"Connection replaced"}]"#;
}

impl FrameResponse {
    pub(super) const fn reply(reply: String) -> Self {
        Self {
            reply,
            notices: Vec::new(),
            signed_in: None,
            closes: false,
            refuses_credential: false,
        }
    }
}
