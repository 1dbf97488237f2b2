//! The table of what each action requires of the gates.

use crate::request::{Action, GroupPermission, ResourceKind, Switch};

/// The requirements of an action on one kind of resource: a row of the table of actions and gates.
#[expect(clippy::struct_excessive_bools, reason = "each is a column of the table")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Requirements {
    /// Whether users may do it to themselves, where the resource is a user.
    pub(super) allows_self: bool,
    /// The moderation states that exclude the subject.
    pub(super) moderation: ModerationBar,
    /// Whether the subject must be a manager.
    pub(super) requires_manager: bool,
    /// Whether the subject's `outgoing` must be on.
    pub(super) requires_outgoing: bool,
    /// The subject's switch for the action, which must be on.
    pub(super) subject_switch: Option<Switch>,
    /// Whether the `incoming` of the resource or `member` must be on.
    pub(super) requires_incoming: bool,
    /// Whether blocks between the subject and the resource or `member` apply.
    pub(super) checks_blocks: bool,
    /// Whether blocks are off unless the policy says otherwise: then it is the view that knows whether ties matter.
    pub(super) blocks_are_optional: bool,
    /// Whether the peers modes of both apply.
    pub(super) checks_peers: bool,
    /// The conversations in which rules apply.
    pub(super) rules: RuleScope,
    /// Whether the action begins a conversation where there is none, so that the requirements of
    /// [`Self::BEGINNING_ACTION`] apply as well.
    pub(super) begins_conversation: bool,
    /// Whether the action is a friend request.
    pub(super) checks_friendship: bool,
    /// The role of the subject in the group.
    pub(super) role: RoleRequirement,
    /// Whether the subject speaks in the group, so that a mute closes it.
    pub(super) is_speech: bool,
    /// Whether the `member` must be one already.
    pub(super) requires_member: bool,
    /// The restriction by the group itself, which no role lifts.
    pub(super) group_guard: GroupGuard,
}

/// The moderation states that exclude a subject from an action.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ModerationBar {
    Nobody,
    Banned,
    /// Banned and silenced; what shadowed users do is hidden.
    BannedAndSilenced,
    /// Every state: shadowed users are refused as silenced ones.
    Everyone,
}

/// The conversations in which rules apply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RuleScope {
    Never,
    /// In new conversations alone.
    WhenNew,
    Always,
}

/// The role that the subject must have in the group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RoleRequirement {
    Nothing,
    Member,
    /// A member to whom the group's matrix grants the permission.
    Permission(GroupPermission),
    SuperAdmin,
    /// No member yet, to whom the group's matrix grants it.
    Join,
    /// A member who may leave: the group's matrix grants it, and they are neither the last one, nor a super
    /// admin.
    Leave,
}

/// A restriction by a group itself, which no role lifts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum GroupGuard {
    Nothing,
    /// The `member` can't be a super admin, nor the last one whom the group requires.
    Removal,
    /// As [`Self::Removal`], and only super admins do it to admins.
    Ban,
    /// The `member` can't be a super admin, and only super admins do it to admins.
    Mute,
    /// The `member` can't be the last super admin.
    LastSuperAdmin,
    /// Who comes can't be banned from the group, must be one whom it requires if there is none, and the group
    /// can't have more members than the policy allows.
    Entry,
}

impl GroupGuard {
    /// Whether super admins are protected.
    pub(super) const fn protects_super_admins(self) -> bool {
        matches!(self, Self::Removal | Self::Ban | Self::Mute)
    }

    /// Whether only super admins do it to admins.
    pub(super) const fn protects_admins(self) -> bool {
        matches!(self, Self::Ban | Self::Mute)
    }

    /// Whether the `member` leaves the group by it.
    pub(super) const fn removes(self) -> bool {
        matches!(self, Self::Removal | Self::Ban)
    }
}

/// The requirements of an action on a resource that it does not take; the gate `known` denies it first.
pub(super) static UNSUPPORTED: Requirements = BASIC;

/// The requirements of an action that excludes banned users and nobody else.
const BASIC: Requirements = Requirements {
    allows_self: false,
    moderation: ModerationBar::Banned,
    requires_manager: false,
    requires_outgoing: false,
    subject_switch: None,
    requires_incoming: false,
    checks_blocks: false,
    blocks_are_optional: false,
    checks_peers: false,
    rules: RuleScope::Never,
    begins_conversation: false,
    checks_friendship: false,
    role: RoleRequirement::Nothing,
    is_speech: false,
    requires_member: false,
    group_guard: GroupGuard::Nothing,
};

/// The requirements of an action that excludes silenced users too.
const NOT_SILENCED: Requirements =
    Requirements { moderation: ModerationBar::BannedAndSilenced, ..BASIC };

/// The requirements of an action that administers users or a group, which is not hidden but refused.
const ADMINISTERING: Requirements = Requirements { moderation: ModerationBar::Everyone, ..BASIC };

/// The requirements of an action that reaches another user.
const CONTACTING: Requirements = Requirements {
    requires_outgoing: true,
    requires_incoming: true,
    checks_blocks: true,
    checks_peers: true,
    ..NOT_SILENCED
};

/// The requirements of an action that continues a conversation, or begins one.
const CONVERSING: Requirements =
    Requirements { rules: RuleScope::WhenNew, begins_conversation: true, ..CONTACTING };

/// The table: by action and by kind of resource; `None` for a kind that the action does not take.
#[expect(clippy::indexing_slicing, reason = "evaluated when this is compiled")]
static TABLE: [[Option<Requirements>; KINDS]; Action::ALL.len()] = {
    let mut table = [[None; KINDS]; Action::ALL.len()];
    let mut at = 0;
    while at < Action::ALL.len() {
        let action = Action::ALL[at];
        let takes = action.takes();
        let mut kind = 0;
        while kind < takes.len() {
            table[at][takes[kind] as usize] = Some(Requirements::for_action(action, takes[kind]));
            kind += 1;
        }
        at += 1;
    }
    table
};

const KINDS: usize = 3;

impl Requirements {
    /// The action by which a conversation begins.
    pub(super) const BEGINNING_ACTION: Action = Action::StartChat;
    /// The switch of that action.
    pub(super) const BEGINNING_SWITCH: Switch = Switch::StartChat;

    /// The requirements of an action on this kind of resource; `None` if the action does not take it.
    #[inline]
    pub(super) fn lookup(action: Action, kind: ResourceKind) -> Option<&'static Self> {
        TABLE.get(action as usize)?.get(kind as usize)?.as_ref()
    }

    const fn for_action(action: Action, kind: ResourceKind) -> Self {
        let is_group = matches!(kind, ResourceKind::Group);
        match action {
            Action::Read if is_group => Self { role: RoleRequirement::Member, ..BASIC },
            Action::Read => Self { allows_self: true, ..BASIC },
            Action::ViewProfile => {
                Self { allows_self: true, checks_blocks: true, blocks_are_optional: true, ..BASIC }
            }
            Action::SignIn | Action::Block | Action::Unblock => BASIC,
            Action::Post | Action::Comment | Action::React if is_group => {
                Self { role: RoleRequirement::Member, is_speech: true, ..NOT_SILENCED }
            }
            Action::Post | Action::Comment | Action::React => NOT_SILENCED,
            Action::StartChat => Self {
                subject_switch: Some(Switch::StartChat),
                rules: RuleScope::Always,
                ..CONTACTING
            },
            Action::SendMessage if is_group => Self {
                requires_outgoing: true,
                ..Self::speaking(Switch::SendMessage, GroupPermission::SendMessage)
            },
            Action::SendMessage => Self { subject_switch: Some(Switch::SendMessage), ..CONVERSING },
            Action::VoiceCall if is_group => {
                Self::speaking(Switch::VoiceCall, GroupPermission::VoiceCall)
            }
            Action::VoiceCall => Self { subject_switch: Some(Switch::VoiceCall), ..CONVERSING },
            Action::VideoCall if is_group => {
                Self::speaking(Switch::VideoCall, GroupPermission::VideoCall)
            }
            Action::VideoCall => Self { subject_switch: Some(Switch::VideoCall), ..CONVERSING },
            Action::FriendRequest => Self {
                subject_switch: Some(Switch::FriendRequest),
                checks_peers: false,
                checks_friendship: true,
                ..CONTACTING
            },
            Action::Ban | Action::Silence | Action::Shadow | Action::Reactivate => {
                Self { requires_manager: true, ..ADMINISTERING }
            }
            Action::ListUsers => Self { requires_manager: true, ..BASIC },
            Action::CreateGroup => {
                Self { subject_switch: Some(Switch::CreateGroup), ..NOT_SILENCED }
            }
            Action::AddMember => Self {
                moderation: ModerationBar::Everyone,
                rules: RuleScope::Always,
                role: RoleRequirement::Permission(GroupPermission::AddMember),
                group_guard: GroupGuard::Entry,
                ..CONTACTING
            },
            Action::Join => Self {
                requires_outgoing: true,
                role: RoleRequirement::Join,
                group_guard: GroupGuard::Entry,
                ..NOT_SILENCED
            },
            Action::RemoveMember => Self {
                group_guard: GroupGuard::Removal,
                ..Self::about_member(GroupPermission::RemoveMember)
            },
            Action::MuteMember => Self {
                group_guard: GroupGuard::Mute,
                ..Self::about_member(GroupPermission::MuteMember)
            },
            Action::UnmuteMember => Self::about_member(GroupPermission::MuteMember),
            Action::BanMember => {
                Self { group_guard: GroupGuard::Ban, ..Self::governed(GroupPermission::BanMember) }
            }
            Action::UnbanMember => Self::governed(GroupPermission::BanMember),
            Action::UpdateMetadata => Self::governed(GroupPermission::UpdateMetadata),
            Action::AddAdmin => Self::about_member(GroupPermission::AddAdmin),
            Action::RemoveAdmin => Self::about_member(GroupPermission::RemoveAdmin),
            Action::UpdatePermissions => Self::governed(GroupPermission::UpdatePermissions),
            Action::AddSuperAdmin => {
                Self { role: RoleRequirement::SuperAdmin, requires_member: true, ..ADMINISTERING }
            }
            Action::RemoveSuperAdmin => Self {
                role: RoleRequirement::SuperAdmin,
                requires_member: true,
                group_guard: GroupGuard::LastSuperAdmin,
                ..ADMINISTERING
            },
            Action::Leave => {
                Self { moderation: ModerationBar::Nobody, role: RoleRequirement::Leave, ..BASIC }
            }
        }
    }

    const fn speaking(own: Switch, permission: GroupPermission) -> Self {
        Self {
            subject_switch: Some(own),
            role: RoleRequirement::Permission(permission),
            is_speech: true,
            ..NOT_SILENCED
        }
    }

    /// The requirements of an action about somebody who is a member.
    const fn about_member(permission: GroupPermission) -> Self {
        Self { requires_member: true, ..Self::governed(permission) }
    }

    const fn governed(permission: GroupPermission) -> Self {
        Self { role: RoleRequirement::Permission(permission), ..ADMINISTERING }
    }

    /// Whether the tie between the two users can matter, whatever the policy says.
    pub(super) const fn depends_on_ties(&self) -> bool {
        self.checks_blocks && !self.blocks_are_optional
            || self.checks_peers
            || self.checks_friendship
            || matches!(self.rules, RuleScope::WhenNew)
    }
}
