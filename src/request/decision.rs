//! Decisions: allow or deny, the reason, and the obligations that come with an allow.

use std::fmt::{self, Display};

use super::text_enum::text_enum;

/// A decision: allow or deny, and the reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decision {
    pub allow: bool,
    pub reason: Reason,
    /// The obligations that the caller takes on by acting on an allow.
    pub obligations: Obligations,
}

impl Decision {
    pub const ALLOWED: Self =
        Self { allow: true, reason: Reason::Allowed, obligations: Obligations::NONE };

    /// The decision while what is known is too old to decide by.
    pub const STALE: Self = Self::denied(Reason::Stale);

    pub const fn denied(reason: Reason) -> Self {
        Self { allow: false, reason, obligations: Obligations::NONE }
    }
}

/// The obligations that come with an allow: a set, in the order in which they are rendered.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Obligations(u8);

impl Obligations {
    pub const NONE: Self = Self(0);

    /// The set with one more obligation.
    #[must_use]
    #[inline]
    pub const fn with(self, obligation: Obligation) -> Self {
        Self(self.0 | 1 << obligation as u8)
    }

    #[inline]
    pub const fn contains(self, obligation: Obligation) -> bool {
        self.0 & (1 << obligation as u8) != 0
    }

    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The obligations in order.
    pub fn iter(self) -> impl Iterator<Item = Obligation> {
        Obligation::ALL.iter().copied().filter(move |&obligation| self.contains(obligation))
    }
}

impl FromIterator<Obligation> for Obligations {
    fn from_iter<I: IntoIterator<Item = Obligation>>(obligations: I) -> Self {
        obligations.into_iter().fold(Self::NONE, Self::with)
    }
}

impl Display for Obligations {
    /// The obligations in order, separated by commas.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, obligation) in self.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { ", " })?;
            f.write_str(obligation.as_str())?;
        }
        Ok(())
    }
}

text_enum! {
    /// An obligation that comes with an allowed action.
    Obligation: "obligation" {
        /// The resource must confirm the friendship first.
        Confirm = "confirm",
        /// The conversation begins as a request, which the resource may take or leave.
        Request = "request",
        /// Nobody but the subject is shown it: the subject is shadowed.
        Hide = "hide",
    }
}

text_enum! {
    /// The reason of a decision: the first closed gate, that all gates were open, or that none is evaluated.
    /// The codes are stable.
    Reason: "reason" {
        Allowed = "allowed",
        UnknownSubject = "unknown_subject",
        /// The resource is unknown, or the `member` is.
        UnknownResource = "unknown_resource",
        /// The resource is the subject.
        OneSelf = "self",
        /// The subject is banned.
        Banned = "banned",
        /// The subject is silenced.
        Silenced = "silenced",
        /// The subject is not one of the policy's `moderation.managers`.
        NotManager = "not_manager",
        /// The subject's `outgoing` is off.
        OutgoingOff = "outgoing_off",
        /// The `incoming` of the resource, or of the `member`, is off.
        IncomingOff = "incoming_off",
        /// The subject's own switch for the action is off.
        PermissionOff = "permission_off",
        /// The resource, or the `member`, blocks the subject.
        BlockedByResource = "blocked_by_resource",
        /// The subject blocks the resource, or the `member`.
        BlockedBySubject = "blocked_by_subject",
        /// The peers mode of the subject does not admit the resource.
        PeersSubject = "peers_subject",
        /// The peers mode of the resource does not admit the subject.
        PeersResource = "peers_resource",
        /// The audience from whom the resource, or the `member`, accepts the action does not hold the subject.
        NotInAudience = "not_in_audience",
        /// A barrier keeps the two apart, or the `member` from those who are in the group.
        Barrier = "barrier",
        /// A rule set that concerns the action has no rule that opens the pair.
        NoRule = "no_rule",
        AlreadyFriends = "already_friends",
        /// The resource's `approval` is `deny_any`.
        RequestsRefused = "requests_refused",
        /// The friend list of the subject or of the resource is full.
        FriendListFull = "friend_list_full",
        /// The group bans the subject who would join, or the `member` who would be added.
        BannedFromGroup = "banned_from_group",
        /// The subject who would join is a member of the group.
        AlreadyMember = "already_member",
        /// The subject is not a member of the group, or the `member` is not.
        NotMember = "not_member",
        /// The group mutes the subject.
        Muted = "muted",
        /// Nobody joins the group: members are added to it.
        InviteOnly = "invite_only",
        /// The group requires someone in it who meets a condition, and nobody in it does.
        RequiredMemberMissing = "required_member_missing",
        /// The group requires someone in it who meets a condition, and only the subject or the `member` does.
        LastRequiredMember = "last_required_member",
        NeedsAdmin = "needs_admin",
        NeedsSuperAdmin = "needs_super_admin",
        DeniedByMatrix = "denied_by_matrix",
        /// A super admin can't be removed from the group, and can't leave it.
        SuperAdminProtected = "super_admin_protected",
        LastSuperAdmin = "last_super_admin",
        /// The only member can't leave.
        LastMember = "last_member",
        GroupFull = "group_full",
        /// The policy or the facts are too old to decide by: no gate is evaluated.
        Stale = "stale",
    }
}

text_enum! {
    /// The name of a gate, in the order of evaluation.
    GateName: "gate" {
        Known = "known",
        OneSelf = "self",
        Moderation = "moderation",
        Permissions = "permissions",
        Blocks = "blocks",
        Peers = "peers",
        Audience = "audience",
        Barriers = "barriers",
        Rules = "rules",
        Friendship = "friendship",
        Role = "role",
    }
}
