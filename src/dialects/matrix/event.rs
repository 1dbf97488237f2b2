//! Events, and the question that each kind of them puts.

use serde_json::{Map, Value};

use super::{
    arguments::{RoomHint, id, object, text},
    error::{MatrixError, MatrixStop},
    question::{CallbackVerdict, Question},
    room::Room,
};
use crate::{
    dialects::Backend,
    request::{Action, check_id},
};

/// The states of a room that say what its members may do.
const PERMISSION_STATES: [&str; 6] = [
    "m.room.power_levels",
    "m.room.join_rules",
    "m.room.history_visibility",
    "m.room.guest_access",
    "m.room.server_acl",
    "m.room.encryption",
];

/// Whether the sender of an event may send it.
pub(super) fn check(
    event: &Map<String, Value>,
    hint: RoomHint<'_>,
    backend: &dyn Backend,
) -> Result<CallbackVerdict, MatrixStop> {
    let (sender, kind) = (id(event, "sender")?, text(event, "type")?);
    // In the newest rooms, the first event names no room: its own id is the room's.
    if kind == "m.room.create" {
        return Ok(Question::alone(sender, Action::CreateGroup).decide(backend));
    }
    if kind == "m.room.member" && event.contains_key("state_key") {
        return membership(event, hint, backend);
    }
    let room = Room::find(id(event, "room_id")?, sender, hint, backend)?;
    let question = if event.contains_key("state_key") {
        state(&room, sender, kind)?
    } else {
        message(&room, sender, kind, object(event, "content")?)
    };
    Ok(question.decide(backend))
}

/// Whether the sender of an invitation may send it.
pub(super) fn invitation(
    event: &Map<String, Value>,
    hint: RoomHint<'_>,
    backend: &dyn Backend,
) -> Result<CallbackVerdict, MatrixStop> {
    let (sender, invitee) = (id(event, "sender")?, id(event, "state_key")?);
    // The event's own `is_direct` is its sender's, who may invite into a group by it otherwise.
    let room = Room::find(id(event, "room_id")?, sender, hint, backend)?;
    Ok(room.invitation(sender, invitee).decide(backend))
}

fn membership(
    event: &Map<String, Value>,
    hint: RoomHint<'_>,
    backend: &dyn Backend,
) -> Result<CallbackVerdict, MatrixStop> {
    let (sender, user) = (id(event, "sender")?, id(event, "state_key")?);
    let room_id = id(event, "room_id")?;
    let room = Room::find(room_id, sender, hint, backend)?;
    let question = match text(object(event, "content")?, "membership")? {
        "invite" => return invitation(event, hint, backend),
        "join" if sender == user => return Ok(room.join(user, false, backend)),
        // Nobody is kept in a room.
        "leave" if sender == user => return Ok(CallbackVerdict::allowed(Action::Leave)),
        "knock" if sender == user => Question::alone(sender, Action::SignIn),
        "leave" if backend.role(room_id, user).is_some() => {
            room.governed(sender, Action::RemoveMember).of_member(user)
        }
        "leave" => room.governed(sender, Action::UnbanMember).of_member(user),
        "ban" => room.governed(sender, Action::BanMember).of_member(user),
        _ => {
            let message = "expected invite, join, knock, leave or ban, by someone who may";
            return Err(MatrixError::invalid("membership", message).into());
        }
    };
    Ok(question.decide(backend))
}

fn state<'q>(
    room: &'q Room<'_>,
    sender: &'q str,
    kind: &'q str,
) -> Result<Question<'q>, MatrixError> {
    if PERMISSION_STATES.contains(&kind) {
        return Ok(room.governed(sender, Action::UpdatePermissions));
    }
    check_id(kind).map_err(|error| MatrixError::invalid("type", error.to_string()))?;
    Ok(room.update_metadata(sender, kind))
}

/// A message is whatever reaches the others in the room, encrypted or of a kind that is not listed.
fn message<'q>(
    room: &'q Room<'_>,
    sender: &'q str,
    kind: &str,
    content: &Map<String, Value>,
) -> Question<'q> {
    match kind {
        "m.reaction" => room.speech(sender, Action::React),
        "m.call.invite" if has_video(content) => room.speech(sender, Action::VideoCall),
        "m.call.invite" => room.speech(sender, Action::VoiceCall),
        // What takes something back, or ends or goes on with a call that was allowed.
        "m.room.redaction"
        | "m.call.answer"
        | "m.call.candidates"
        | "m.call.hangup"
        | "m.call.reject"
        | "m.call.select_answer" => Question::alone(sender, Action::SignIn),
        _ => room.speech(sender, Action::SendMessage),
    }
}

/// Whether the offer of a call has a picture: a line of the session description begins its part.
fn has_video(content: &Map<String, Value>) -> bool {
    let description = content.get("offer").and_then(|offer| offer.get("sdp"));
    let description = description.and_then(Value::as_str).unwrap_or_default();
    description.lines().any(|line| line.starts_with("m=video"))
}
