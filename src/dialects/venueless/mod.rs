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

/// How Venueless is spoken.
#[derive(Clone, Default, Debug)]
pub struct Venueless {
    /// The worlds that there are; any of a plain name if none is named. All have the same users.
    pub worlds: BTreeSet<String>,
    /// Whose tokens are taken; nobody's if there are none.
    pub issuers: Vec<Issuer>,
    /// Whether those who have no token are kept out.
    pub refuses_guests: bool,
    pub shapes: ListShape,
}

/// How lists of users are answered.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum ListShape {
    /// As the document prints them: an object by ids, and an array.
    #[default]
    Documented,
    /// As the public server answers: in an object with `results`, or `users`.
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

/// What comes of a frame, if it is not an error.
type VenuelessResult = Result<Step<FrameResponse>, VenuelessStop>;

/// The path below which the worlds are.
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
        // A name that is not UTF-8 is that of no world, as it stands.
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
                    let asked = UserCommand {
                        user,
                        payload,
                        back: &frame.back,
                        shapes: self.shapes,
                        backend,
                    };
                    asked.answer(action)
                }
                _ => Err(VenuelessError::new("protocol.unknown_command").into()),
            },
        }
    }
}

/// A command about users, of one who has authenticated.
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
    /// If the user is no moderation manager.
    fn require_lister(&self) -> Result<(), VenuelessError> {
        if can_list_users(self.backend, self.user) { Ok(()) } else { Err(VenuelessError::denied()) }
    }

    /// # Errors
    /// If the user is no moderation manager, or is silenced.
    fn require_manager(&self) -> Result<(), VenuelessError> {
        if can_moderate(self.backend, self.user) { Ok(()) } else { Err(VenuelessError::denied()) }
    }
}

/// Whether someone may be here at all.
fn can_sign_in(backend: &dyn Backend, user: &str) -> bool {
    backend.decide(&Request::with_resource(user, Action::SignIn, Resource::None)).allow
}

/// Whether someone may do to others what managers may: not while they are silenced.
fn can_moderate(backend: &dyn Backend, user: &str) -> bool {
    can_list_users(backend, user)
        && matches!(backend.moderation(user), None | Some(Moderation::None))
}

/// Whether someone may see all users.
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
