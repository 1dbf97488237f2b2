use crate::request::{Action, GroupPermission, ResourceKind, Switch};

/// What an action asks of the gates: a row of the table of actions and gates.
#[expect(clippy::struct_excessive_bools, reason = "each is a column of the table")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Requirements {
    pub(super) moderation: ModerationBar,
    /// Whether the subject must be a manager.
    pub(super) requires_manager: bool,
    /// The switches that must be on: the subject's `outgoing`, his own one for the action, and the
    /// `incoming` of the resource or `member`.
    pub(super) requires_outgoing: bool,
    pub(super) subject_switch: Option<Switch>,
    pub(super) requires_incoming: bool,
    /// Whether blocks between the subject and the resource or `member` concern it.
    pub(super) checks_blocks: bool,
    /// Whether their peers modes do.
    pub(super) checks_peers: bool,
    pub(super) rules: RuleScope,
    /// Whether it begins a conversation that is new, so that it must pass what [`Self::BEGINNING_ACTION`]
    /// must pass as well.
    pub(super) begins_conversation: bool,
    pub(super) checks_friendship: bool,
    pub(super) role: RoleRequirement,
}

/// Whom moderation keeps from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ModerationBar {
    Nobody,
    Banned,
    BannedAndSilenced,
}

/// When rules are asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RuleScope {
    Never,
    /// Only when the conversation is new.
    WhenNew,
    Always,
}

/// What the subject must be in the group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RoleRequirement {
    Nothing,
    Member,
    /// A member to whom the group's matrix gives the permission.
    Permission(GroupPermission),
    SuperAdmin,
    /// A member whom the group can spare.
    Leave,
}

/// What is asked about what can't be done: it is refused before.
pub(super) static UNSUPPORTED: Requirements = BASIC;

/// An action that only banned users are kept from, and that asks for nothing else.
const BASIC: Requirements = Requirements {
    moderation: ModerationBar::Banned,
    requires_manager: false,
    requires_outgoing: false,
    subject_switch: None,
    requires_incoming: false,
    checks_blocks: false,
    checks_peers: false,
    rules: RuleScope::Never,
    begins_conversation: false,
    checks_friendship: false,
    role: RoleRequirement::Nothing,
};

/// An action that silenced users are kept from too.
const NOT_SILENCED: Requirements =
    Requirements { moderation: ModerationBar::BannedAndSilenced, ..BASIC };

/// An action that reaches another user.
const CONTACTING: Requirements = Requirements {
    requires_outgoing: true,
    requires_incoming: true,
    checks_blocks: true,
    checks_peers: true,
    ..NOT_SILENCED
};

/// An action that goes on in a conversation, or begins one.
const CONVERSING: Requirements =
    Requirements { rules: RuleScope::WhenNew, begins_conversation: true, ..CONTACTING };

/// The table: for each action, by its place among all, a row for each kind of resource; none for a
/// kind that the action does not take.
#[expect(clippy::indexing_slicing, reason = "worked out when this is compiled")]
static TABLE: [[Option<Requirements>; KINDS]; Action::ALL.len()] = {
    let mut table = [[None; KINDS]; Action::ALL.len()];
    let mut at = 0;
    while at < Action::ALL.len() {
        let action = Action::ALL[at];
        let takes = action.takes();
        let mut turn = 0;
        while turn < takes.len() {
            table[at][takes[turn] as usize] = Some(Requirements::for_action(action, takes[turn]));
            turn += 1;
        }
        at += 1;
    }
    table
};

const KINDS: usize = 3;

impl Requirements {
    /// The action by which a conversation begins, and its switch.
    pub(super) const BEGINNING_ACTION: Action = Action::StartChat;
    pub(super) const BEGINNING_SWITCH: Switch = Switch::StartChat;

    /// What an action on this kind of resource asks; `None` if it can't be done to it.
    #[inline]
    pub(super) fn lookup(action: Action, kind: ResourceKind) -> Option<&'static Self> {
        TABLE.get(action as usize)?.get(kind as usize)?.as_ref()
    }

    const fn for_action(action: Action, kind: ResourceKind) -> Self {
        let is_group = matches!(kind, ResourceKind::Group);
        match action {
            Action::Read if is_group => Self { role: RoleRequirement::Member, ..BASIC },
            Action::SignIn
            | Action::Read
            | Action::ViewProfile
            | Action::Block
            | Action::Unblock => BASIC,
            Action::Post | Action::Comment | Action::React => NOT_SILENCED,
            Action::StartChat => Self {
                subject_switch: Some(Switch::StartChat),
                rules: RuleScope::Always,
                ..CONTACTING
            },
            Action::SendMessage if is_group => Self {
                requires_outgoing: true,
                subject_switch: Some(Switch::SendMessage),
                role: RoleRequirement::Member,
                ..NOT_SILENCED
            },
            Action::SendMessage => Self { subject_switch: Some(Switch::SendMessage), ..CONVERSING },
            Action::VoiceCall => Self::call(Switch::VoiceCall, is_group),
            Action::VideoCall => Self::call(Switch::VideoCall, is_group),
            Action::FriendRequest => Self {
                subject_switch: Some(Switch::FriendRequest),
                checks_peers: false,
                checks_friendship: true,
                ..CONTACTING
            },
            Action::Ban | Action::Silence | Action::Reactivate => {
                Self { requires_manager: true, ..NOT_SILENCED }
            }
            Action::ListUsers => Self { requires_manager: true, ..BASIC },
            Action::CreateGroup => {
                Self { subject_switch: Some(Switch::CreateGroup), ..NOT_SILENCED }
            }
            Action::AddMember => Self {
                rules: RuleScope::Always,
                role: RoleRequirement::Permission(GroupPermission::AddMember),
                ..CONTACTING
            },
            Action::RemoveMember => Self::governed(GroupPermission::RemoveMember),
            Action::UpdateMetadata => Self::governed(GroupPermission::UpdateMetadata),
            Action::AddAdmin => Self::governed(GroupPermission::AddAdmin),
            Action::RemoveAdmin => Self::governed(GroupPermission::RemoveAdmin),
            Action::UpdatePermissions => Self::governed(GroupPermission::UpdatePermissions),
            Action::AddSuperAdmin | Action::RemoveSuperAdmin => {
                Self { role: RoleRequirement::SuperAdmin, ..NOT_SILENCED }
            }
            Action::Leave => {
                Self { moderation: ModerationBar::Nobody, role: RoleRequirement::Leave, ..BASIC }
            }
        }
    }

    const fn call(own: Switch, is_group: bool) -> Self {
        if is_group {
            Self { subject_switch: Some(own), role: RoleRequirement::Member, ..NOT_SILENCED }
        } else {
            Self { subject_switch: Some(own), ..CONVERSING }
        }
    }

    const fn governed(permission: GroupPermission) -> Self {
        Self { role: RoleRequirement::Permission(permission), ..NOT_SILENCED }
    }

    /// Whether anything between the two users is of interest.
    pub(super) const fn depends_on_ties(&self) -> bool {
        self.checks_blocks
            || self.checks_peers
            || self.checks_friendship
            || matches!(self.rules, RuleScope::WhenNew)
    }
}
