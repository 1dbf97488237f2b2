//! Venueless: users, moderation and blocking, over a WebSocket.
//!
//! Not HTTP, so no [`Dialect`](super::Dialect): a socket has a [`Session`], and each text frame that
//! comes is answered by a [`Turn`], as each call is by a reply.

mod edit;
mod frame;
pub mod guest;
mod issuer;
mod login;
mod moderate;
mod people;
mod problem;
mod token;
mod turn;
mod welcome;

pub use issuer::{InvalidIssuers, Issuer};
pub use turn::{Notice, SignedIn, Turn};

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Map, Value};

use super::{Failure, House, Step, Unread};
use crate::{
    facts::Id,
    request::{Action, Moderation, Request, Resource},
};
use frame::{Back, Frame, Payload};
use guest::GuestLimit;
use problem::{Problem, Stop};

/// How Venueless is spoken.
#[derive(Clone, Default, Debug)]
pub struct Venueless {
    /// The worlds that there are; any of a plain name if none is named. All have the same users.
    pub worlds: BTreeSet<String>,
    /// Whose tokens are taken; nobody's if there are none.
    pub issuers: Vec<Issuer>,
    /// Whether those who have no token are kept out.
    pub refuses_guests: bool,
    pub shapes: Shapes,
}

/// How lists of users are answered.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Shapes {
    /// As the document prints them: an object by ids, and an array.
    #[default]
    Documented,
    /// As the public server answers: in an object with `results`, or `users`.
    Upstream,
}

/// What is known of a socket.
#[derive(Clone, Debug)]
pub struct Session {
    world: String,
    /// Who has authenticated.
    pub user: Option<Id>,
    /// Whether a guest may be made on it.
    limit: Arc<dyn GuestLimit>,
}

impl Session {
    /// The same, on which guests are made only as a limit lets them.
    #[must_use]
    pub fn with_limit(self, limit: Arc<dyn GuestLimit>) -> Self {
        Self { limit, ..self }
    }
}

/// The attributes in which a user's record keeps what only Venueless knows of him: each for itself, so
/// that who sets one leaves the others alone.
const PROFILE: &str = "venueless.profile";
const CLIENT_STATE: &str = "venueless.client_state";

/// What his record keeps of a user for Venueless.
#[derive(Clone, PartialEq, Default, Debug)]
struct Own {
    profile: Option<Map<String, Value>>,
    client_state: Option<Value>,
}

/// What comes of a frame, if it is not an error.
type Done = Result<Step<Turn>, Stop>;

impl Venueless {
    /// Begins a session in a world.
    ///
    /// # Errors
    /// If there is no such world: the frame to send before the socket is closed.
    pub fn open(&self, world: &str) -> Result<Session, String> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        let is_there = if self.worlds.is_empty() {
            !world.is_empty() && world.bytes().all(is_plain)
        } else {
            self.worlds.contains(world)
        };
        if is_there {
            Ok(Session { world: world.to_owned(), user: None, limit: Arc::new(guest::Unlimited) })
        } else {
            Err(Back::default().error(&Problem::of("world.unknown_world")).reply)
        }
    }

    /// What to do about a text frame. Called again from the start if what is served has not followed
    /// what is kept yet.
    ///
    /// # Errors
    /// If something can't be read.
    pub fn turn(
        &self,
        session: &Session,
        text: &str,
        house: &dyn House,
    ) -> Result<Step<Turn>, Unread> {
        let frame = match Frame::read(text) {
            Ok(frame) => frame,
            Err(problem) => return Ok(Step::Done(Back::default().error(&problem))),
        };
        frame.back.finish(self.answer(session, &frame, house))
    }

    /// The frame to send if there is no answer.
    pub fn failed(text: &str, failure: &Failure) -> String {
        let back = Frame::read(text).map(|frame| frame.back).unwrap_or_default();
        back.error(&Problem::of("server.unavailable").because(failure)).reply
    }

    fn answer(&self, session: &Session, frame: &Frame, house: &dyn House) -> Done {
        match (frame.name.as_str(), &session.user) {
            ("ping", _) => Ok(Step::Done(frame.pong())),
            ("authenticate", None) => self.authenticate(session, frame, house),
            (_, None) => Err(Problem::of("protocol.unauthenticated").into()),
            ("authenticate", Some(_)) => Err(Problem::of("protocol.unknown_command").into()),
            (name, Some(user)) => match name.split_once('.').unwrap_or((name, "")) {
                ("user", action) => {
                    let payload = frame.payload()?;
                    let asked =
                        Asked { user, payload, back: &frame.back, shapes: self.shapes, house };
                    asked.answer(action)
                }
                _ => Err(Problem::of("protocol.unknown_command").into()),
            },
        }
    }
}

/// A command about users, of one who has authenticated.
struct Asked<'a> {
    user: &'a Id,
    payload: Payload<'a>,
    back: &'a Back,
    shapes: Shapes,
    house: &'a dyn House,
}

impl Asked<'_> {
    fn answer(&self, action: &str) -> Done {
        if !may_sign_in(self.house, self.user) {
            return Ok(Step::Done(Turn {
                ends: true,
                ..self.back.error(&Problem::of("auth.denied"))
            }));
        }
        match action {
            "update" => self.update(),
            "admin.update" => self.admin_update(),
            "fetch" => self.fetch(),
            "list" => self.list(),
            "list.blocked" => self.list_blocked(),
            "ban" => self.moderate(moderate::Kind::Ban),
            "silence" => self.moderate(moderate::Kind::Silence),
            "reactivate" => self.moderate(moderate::Kind::Reactivate),
            "delete" => self.moderate(moderate::Kind::Delete),
            "block" => self.block(true),
            "unblock" => self.block(false),
            _ => Err(Problem::of("user.unsupported_command").into()),
        }
    }

    /// # Errors
    /// If they are none of the policy's managers.
    fn must_list(&self) -> Result<(), Problem> {
        if manages(self.house, self.user) { Ok(()) } else { Err(Problem::denied()) }
    }

    /// # Errors
    /// If they are none of the policy's managers, or silenced.
    fn must_manage(&self) -> Result<(), Problem> {
        if manages_others(self.house, self.user) { Ok(()) } else { Err(Problem::denied()) }
    }
}

/// Whether someone may be here at all.
fn may_sign_in(house: &dyn House, user: &str) -> bool {
    house.decide(&Request::of(user, Action::SignIn, Resource::None)).allow
}

/// Whether someone may do to others what managers may: not while they are silenced.
fn manages_others(house: &dyn House, user: &str) -> bool {
    manages(house, user) && matches!(house.moderation(user), None | Some(Moderation::None))
}

/// Whether someone may see all users.
fn manages(house: &dyn House, user: &str) -> bool {
    house.decide(&Request::of(user, Action::ListUsers, Resource::None)).allow
}

fn kept(house: &dyn House, user: &str) -> Result<Own, Unread> {
    let Some(mut kept) = house.kept(user)? else { return Ok(Own::default()) };
    let attributes = &mut kept.user.attributes;
    let profile = match attributes.remove(PROFILE) {
        Some(Value::Object(profile)) => Some(profile),
        _ => None,
    };
    Ok(Own { profile, client_state: attributes.remove(CLIENT_STATE) })
}
