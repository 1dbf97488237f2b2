//! Reasons why a command is refused.

use std::fmt;

use crate::request::Reason;

/// The reason why a command is refused: that of a denied decision, or one that only commands have.
/// The codes are stable, and no two reasons share one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RefusalReason {
    /// A reason that decisions have too, under the same code.
    Denied(Reason),
    /// A policy file states what the command would change.
    StatedByFile,
    UnknownTag,
    /// Only policy files and administrators give the tag or take it away.
    ProtectedTag,
    UnknownMatrix,
    /// The policy has no audience of the name.
    UnknownAudience,
    UnknownRule,
    BlockListFull,
    /// The user has as many friend lists as the policy allows.
    FriendListsFull,
    NotFriends,
    /// There is no pending friend request to accept or refuse.
    NoRequest,
    /// A group would have members, but no super admin.
    NoSuperAdmin,
    /// The group to be created exists.
    GroupExists,
    /// Another rule has the name.
    NameTaken,
    InvalidCondition,
    InvalidValue,
    TooLong,
    TooMany,
    /// A text does not have the form that it must have.
    Invalid,
    /// The user to be deleted only if unused is in use.
    InUse,
    /// Another command of the batch was refused.
    NotApplied,
}

impl RefusalReason {
    /// The stable code, as on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Denied(reason) => reason.as_str(),
            Self::StatedByFile => "stated_by_file",
            Self::UnknownTag => "unknown_tag",
            Self::ProtectedTag => "protected_tag",
            Self::UnknownMatrix => "unknown_matrix",
            Self::UnknownAudience => "unknown_audience",
            Self::UnknownRule => "unknown_rule",
            Self::BlockListFull => "block_list_full",
            Self::FriendListsFull => "friend_lists_full",
            Self::NotFriends => "not_friends",
            Self::NoRequest => "no_request",
            Self::NoSuperAdmin => "no_super_admin",
            Self::GroupExists => "group_exists",
            Self::NameTaken => "name_taken",
            Self::InvalidCondition => "invalid_condition",
            Self::InvalidValue => "invalid_value",
            Self::TooLong => "too_long",
            Self::TooMany => "too_many",
            Self::Invalid => "invalid",
            Self::InUse => "in_use",
            Self::NotApplied => "not_applied",
        }
    }
}

impl From<Reason> for RefusalReason {
    fn from(reason: Reason) -> Self {
        Self::Denied(reason)
    }
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
