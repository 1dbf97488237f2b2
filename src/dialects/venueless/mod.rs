//! Venueless: users, moderation and blocking, over a WebSocket.
//!
//! A [`SocketDialect`]: each text frame that arrives is answered by a [`FrameResponse`].

mod error;
mod frame;
mod guest;
mod issuer;
mod login;
mod moderation;
mod profile_update;
mod token;
mod users;
mod welcome;

pub use issuer::{Issuer, IssuersError};

use std::{borrow::Cow, collections::BTreeSet, sync::Arc};

use serde_json::{Map, Value};

use super::{
    Backend, BackendError, CallError, EndpointError, FrameResponse, GuestAccounts, GuestLimit,
    SocketDialect, SocketFrames, SocketSession, Step,
};
use crate::{
    facts::Id,
    request::{Action, Moderation, Request, Resource},
    wire::PercentEncoding,
};
use error::{VenuelessError, VenuelessStop};
use frame::{CommandPayload, Frame, ReplyTo};

/// The dialect of Venueless.
#[derive(Clone, Default, Debug)]
pub struct Venueless {
    /// The worlds; any with a plain name if none is given. All have the same users.
    pub worlds: BTreeSet<String>,
    /// The issuers whose tokens are accepted.
    pub issuers: Vec<Issuer>,
    /// Whether users without a token are refused.
    pub refuses_guests: bool,
    pub shapes: ListShape,
}

/// The shape of lists of users.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum ListShape {
    /// The shape in the document: an object by ids, and an array.
    #[default]
    Documented,
    /// The shape of the public server: an object with `results`, or `users`.
    Upstream,
}

/// The attributes of a user that only Venueless uses: separate ones, so that setting one leaves the
/// others.
const PROFILE: &str = "venueless.profile";
const CLIENT_STATE: &str = "venueless.client_state";

/// The part of a user's record that only Venueless uses.
#[derive(Clone, PartialEq, Default, Debug)]
struct StoredUser {
    profile: Option<Map<String, Value>>,
    client_state: Option<Value>,
}

/// The next step of a frame, or the reason why it ends early.
type VenuelessResult = Result<Step<FrameResponse>, VenuelessStop>;

/// The prefix of the worlds' paths.
const WORLDS: &str = "/ws/world";

impl SocketDialect for Venueless {
    fn name(&self) -> &'static str {
        "venueless"
    }

    fn root(&self) -> &'static str {
        WORLDS
    }

    fn endpoint(&self, path: &str) -> Option<String> {
        let rest = path.strip_prefix(WORLDS)?;
        let rest = if rest.is_empty() { rest } else { rest.strip_prefix('/')? };
        let name = rest.strip_suffix('/').unwrap_or(rest);
        let decoded = PercentEncoding::LenientPath.decode(name.as_bytes());
        // No world has a name that is not UTF-8.
        Some(decoded.map_or_else(|_| name.to_owned(), Cow::into_owned))
    }

    fn open(
        &self,
        endpoint: &str,
        limit: Arc<dyn GuestLimit>,
    ) -> Result<SocketSession, EndpointError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        let exists = if self.worlds.is_empty() {
            !endpoint.is_empty() && endpoint.bytes().all(is_plain)
        } else {
            self.worlds.contains(endpoint)
        };
        if exists {
            return Ok(SocketSession { endpoint: endpoint.to_owned(), user: None, limit });
        }
        let error = VenuelessError::new("world.unknown_world");
        let frame = ReplyTo::default().error(&error).reply;
        Err(EndpointError { frame, reason: "unknown world" })
    }

    fn respond(
        &self,
        session: &SocketSession,
        text: &str,
        backend: &dyn Backend,
    ) -> Result<Step<FrameResponse>, BackendError> {
        let frame = match Frame::parse(text) {
            Ok(frame) => frame,
            Err(problem) => return Ok(Step::Done(ReplyTo::default().error(&problem))),
        };
        frame.back.settle(self.answer(session, &frame, backend))
    }

    fn error_frame(&self, text: &str, error: &CallError) -> String {
        let back = Frame::parse(text).map(|frame| frame.back).unwrap_or_default();
        back.error(&VenuelessError::new("server.unavailable").with_message(error)).reply
    }

    fn frames(&self) -> SocketFrames {
        SocketFrames {
            reload: r#"["connection.reload",{}]"#,
            expired: r#"["error",{"code":"auth.expired_token"}]"#,
            replaced: r#"["error",{"code":"connection.replaced","message":"Connection replaced"}]"#,
        }
    }

    fn guests(&self) -> Option<&dyn GuestAccounts> {
        Some(self)
    }
}

impl Venueless {
    fn answer(
        &self,
        session: &SocketSession,
        frame: &Frame,
        backend: &dyn Backend,
    ) -> VenuelessResult {
        match (frame.name.as_str(), &session.user) {
            ("ping", _) => Ok(Step::Done(frame.pong())),
            ("authenticate", None) => self.authenticate(session, frame, backend),
            (_, None) => Err(VenuelessError::new("protocol.unauthenticated").into()),
            ("authenticate", Some(_)) => {
                Err(VenuelessError::new("protocol.unknown_command").into())
            }
            (name, Some(user)) => match name.split_once('.').unwrap_or((name, "")) {
                ("user", action) => {
                    let payload = frame.payload()?;
                    let command = UserCommand {
                        user,
                        payload,
                        back: &frame.back,
                        shapes: self.shapes,
                        backend,
                    };
                    command.answer(action)
                }
                _ => Err(VenuelessError::new("protocol.unknown_command").into()),
            },
        }
    }
}

/// A command about users, from a user who has authenticated.
struct UserCommand<'a> {
    user: &'a Id,
    payload: CommandPayload<'a>,
    back: &'a ReplyTo,
    shapes: ListShape,
    backend: &'a dyn Backend,
}

impl UserCommand<'_> {
    fn answer(&self, action: &str) -> VenuelessResult {
        if !can_sign_in(self.backend, self.user) {
            return Ok(Step::Done(FrameResponse {
                closes: true,
                ..self.back.error(&VenuelessError::new("auth.denied"))
            }));
        }
        match action {
            "update" => self.update(),
            "admin.update" => self.admin_update(),
            "fetch" => self.fetch(),
            "list" => self.list(),
            "list.blocked" => self.list_blocked(),
            "ban" => self.moderate(moderation::ModerationCommand::Ban),
            "silence" => self.moderate(moderation::ModerationCommand::Silence),
            "reactivate" => self.moderate(moderation::ModerationCommand::Reactivate),
            "delete" => self.moderate(moderation::ModerationCommand::Delete),
            "block" => self.block(true),
            "unblock" => self.block(false),
            _ => Err(VenuelessError::new("user.unsupported_command").into()),
        }
    }

    /// # Errors
    /// If the user is not a moderation manager.
    fn require_lister(&self) -> Result<(), VenuelessError> {
        if can_list_users(self.backend, self.user) { Ok(()) } else { Err(VenuelessError::denied()) }
    }

    /// # Errors
    /// If the user is not a moderation manager, or is silenced.
    fn require_manager(&self) -> Result<(), VenuelessError> {
        if can_moderate(self.backend, self.user) { Ok(()) } else { Err(VenuelessError::denied()) }
    }
}

/// Whether a user may sign in.
fn can_sign_in(backend: &dyn Backend, user: &str) -> bool {
    backend.decide(&Request::with_resource(user, Action::SignIn, Resource::None)).allow
}

/// Whether a user may moderate others: managers may, unless they are silenced.
fn can_moderate(backend: &dyn Backend, user: &str) -> bool {
    can_list_users(backend, user)
        && matches!(backend.moderation(user), None | Some(Moderation::None))
}

/// Whether a user may list all users.
fn can_list_users(backend: &dyn Backend, user: &str) -> bool {
    backend.decide(&Request::with_resource(user, Action::ListUsers, Resource::None)).allow
}

fn stored_user(backend: &dyn Backend, user: &str) -> Result<StoredUser, BackendError> {
    let Some(mut kept) = backend.user_record(user)? else { return Ok(StoredUser::default()) };
    let attributes = &mut kept.record.attributes;
    let profile = match attributes.remove(PROFILE) {
        Some(Value::Object(profile)) => Some(profile),
        _ => None,
    };
    Ok(StoredUser { profile, client_state: attributes.remove(CLIENT_STATE) })
}
