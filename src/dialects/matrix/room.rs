//! Rooms as groups, direct rooms as the other user.

use super::{
    arguments::RoomHint,
    error::MatrixStop,
    question::{CallbackVerdict, Question},
};
use crate::{
    dialects::Backend,
    request::{Action, Reason},
};

/// A room, as a user in it sees it.
#[derive(Debug)]
pub(super) enum Room<'r> {
    /// A room that is no group.
    Unknown,
    /// A room of at most two that was made to be direct, and the other one who is in it.
    Direct(Option<String>),
    Group(&'r str),
}

/// The metadata field of a group that says that its room was made to be direct.
const DIRECT_FIELD: &str = "is_direct";

/// The greatest number of members of a direct room; one with more is a group like others.
const DIRECT_MEMBERS: usize = 2;

impl<'r> Room<'r> {
    /// The room of an id, as `user` sees it; what the homeserver says of it comes first.
    ///
    /// # Errors
    /// If records can't be read.
    pub(super) fn find(
        id: &'r str,
        user: &str,
        hint: RoomHint<'_>,
        backend: &dyn Backend,
    ) -> Result<Self, MatrixStop> {
        if hint.is_direct {
            return Ok(Self::Direct(hint.other.map(ToOwned::to_owned)));
        }
        let Some(size) = backend.group_size(id) else { return Ok(Self::Unknown) };
        // The record of a larger group is not read: that costs its members.
        if size > DIRECT_MEMBERS {
            return Ok(Self::Group(id));
        }
        let metadata = backend.group(id)?.map(|group| group.record.metadata);
        let is_direct = metadata.is_some_and(|it| it.get(DIRECT_FIELD) == Some(&true.into()));
        if !is_direct {
            return Ok(Self::Group(id));
        }
        let members = backend.members(id).unwrap_or_default();
        Ok(Self::Direct(members.into_iter().map(|(id, _)| id).find(|id| id != user)))
    }

    /// The question whether a user may invite another one.
    pub(super) fn invitation<'q>(&'q self, sender: &'q str, invitee: &'q str) -> Question<'q> {
        match self {
            Self::Group(id) => Question::in_group(sender, Action::AddMember, id).of_member(invitee),
            Self::Unknown | Self::Direct(_) => Question::about(sender, Action::StartChat, invitee),
        }
    }

    /// The question whether a user may say something, or call.
    pub(super) fn speech<'q>(&'q self, user: &'q str, action: Action) -> Question<'q> {
        match self {
            Self::Group(id) => Question::in_group(user, action, id),
            // What is sent to one user is a message, reactions too.
            Self::Direct(Some(other)) if action == Action::React => {
                Question::about(user, Action::SendMessage, other)
            }
            Self::Direct(Some(other)) => Question::about(user, action, other),
            Self::Direct(None) | Self::Unknown => Question::alone(user, Action::Post),
        }
    }

    /// The question whether a user may change a field of the room.
    pub(super) fn update_metadata<'q>(&'q self, user: &'q str, field: &'q str) -> Question<'q> {
        self.governed(user, Action::UpdateMetadata).of_field(field)
    }

    /// The question about an action on a group; in other rooms, whether the user may act at all.
    pub(super) fn governed<'q>(&'q self, user: &'q str, action: Action) -> Question<'q> {
        match self {
            Self::Group(id) => Question::in_group(user, action, id),
            Self::Direct(_) | Self::Unknown => Question::alone(user, Action::SignIn),
        }
    }

    /// Whether a user may enter.
    pub(super) fn join(
        &self,
        user: &str,
        is_invited: bool,
        backend: &dyn Backend,
    ) -> CallbackVerdict {
        let present = || Question::alone(user, Action::SignIn).decide(backend);
        let Self::Group(id) = self else { return present() };
        if backend.role(id, user).is_some() {
            return present();
        }
        let verdict = Question::in_group(user, Action::Join, id).decide(backend);
        // The invitation was decided as `add_member`.
        let is_answered = is_invited && verdict.decision().reason == Reason::InviteOnly;
        if is_answered { present() } else { verdict }
    }
}
