//! Callbacks of the module, and the question that each of them puts.

use serde_json::json;

use super::{
    arguments::{self, CallbackArguments},
    error::{MatrixError, MatrixStop},
    event,
    question::Question,
    room::Room,
};
use crate::{
    dialects::{Backend, Reply},
    request::{Action, check_id},
};

/// A callback of Synapse's spam checker, as the module passes it on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Callback {
    Ping,
    UserMayInvite,
    FederatedUserMayInvite,
    UserMaySend3pidInvite,
    UserMayCreateRoom,
    UserMayCreateRoomAlias,
    UserMayPublishRoom,
    UserMayJoinRoom,
    AcceptMakeJoin,
    CheckEventForSpam,
    CheckUsernameForSpam,
    CheckLoginForSpam,
}

/// The metadata field of a room in the public directory.
const DIRECTORY_FIELD: &str = "directory";

impl Callback {
    /// The callback of a name as it stands in the path.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "ping" => Self::Ping,
            "user_may_invite" => Self::UserMayInvite,
            "federated_user_may_invite" => Self::FederatedUserMayInvite,
            "user_may_send_3pid_invite" => Self::UserMaySend3pidInvite,
            "user_may_create_room" => Self::UserMayCreateRoom,
            "user_may_create_room_alias" => Self::UserMayCreateRoomAlias,
            "user_may_publish_room" => Self::UserMayPublishRoom,
            "user_may_join_room" => Self::UserMayJoinRoom,
            "accept_make_join" => Self::AcceptMakeJoin,
            "check_event_for_spam" => Self::CheckEventForSpam,
            "check_username_for_spam" => Self::CheckUsernameForSpam,
            "check_login_for_spam" => Self::CheckLoginForSpam,
            _ => return None,
        })
    }

    /// The reply to a call with these arguments.
    pub(super) fn answer(
        self,
        arguments: &CallbackArguments,
        backend: &dyn Backend,
    ) -> Result<Reply, MatrixStop> {
        let hint = arguments.hint()?;
        let verdict = match self {
            Self::Ping => {
                let id = arguments.text("id")?;
                return Ok(Reply::json(200, &json!({ "id": id, "status": "ok" })));
            }
            Self::CheckEventForSpam => event::check(arguments.object("event")?, hint, backend)?,
            Self::FederatedUserMayInvite => {
                event::invitation(arguments.object("event")?, hint, backend)?
            }
            Self::UserMayInvite => {
                let inviter = arguments.id("inviter")?;
                let room = Room::find(arguments.id("room_id")?, inviter, hint, backend)?;
                room.invitation(inviter, arguments.id("invitee")?).decide(backend)
            }
            Self::UserMaySend3pidInvite => {
                let inviter = arguments.id("inviter")?;
                let address = third_party_id(arguments)?;
                let room = Room::find(arguments.id("room_id")?, inviter, hint, backend)?;
                room.invitation(inviter, &address).decide(backend)
            }
            Self::UserMayCreateRoom | Self::UserMayCreateRoomAlias => {
                Question::alone(arguments.id("user_id")?, Action::CreateGroup).decide(backend)
            }
            Self::UserMayPublishRoom => {
                let user = arguments.id("user_id")?;
                let room = Room::find(arguments.id("room_id")?, user, hint, backend)?;
                room.update_metadata(user, DIRECTORY_FIELD).decide(backend)
            }
            Self::UserMayJoinRoom => {
                let is_invited = arguments.flag("is_invited")?;
                let user = arguments.id("user")?;
                let room = Room::find(arguments.id("room")?, user, hint, backend)?;
                room.join(user, is_invited, backend)
            }
            Self::AcceptMakeJoin => {
                let user = arguments.id("user")?;
                let room = Room::find(arguments.id("room")?, user, hint, backend)?;
                room.join(user, false, backend)
            }
            Self::CheckUsernameForSpam => {
                let user = arguments::id(arguments.object("user_profile")?, "user_id")?;
                Question::about(arguments.id("requester_id")?, Action::ViewProfile, user)
                    .decide(backend)
            }
            Self::CheckLoginForSpam => {
                Question::alone(arguments.id("user_id")?, Action::SignIn).decide(backend)
            }
        };
        Ok(verdict.reply())
    }
}

/// The id of someone who is invited by another system's address, as `email:bob@example.org`.
fn third_party_id(arguments: &CallbackArguments) -> Result<String, MatrixError> {
    let id = format!("{}:{}", arguments.text("medium")?, arguments.text("address")?);
    check_id(&id).map_err(|error| MatrixError::invalid("address", error.to_string()))?;
    Ok(id)
}
