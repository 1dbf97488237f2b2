use crate::request::{Action, GroupPermission, ResourceKind, Switch};

/// What an action asks of the gates: a row of the table of actions and gates.
#[expect(clippy::struct_excessive_bools, reason = "each is a column of the table")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Demands {
    pub(super) refuses: Refuses,
    /// Whether the subject must be a manager.
    pub(super) managers: bool,
    /// The switches that must be on: the subject's `outgoing`, his own one for the action, and the
    /// `incoming` of the resource or `member`.
    pub(super) outgoing: bool,
    pub(super) own: Option<Switch>,
    pub(super) incoming: bool,
    /// Whether blocks between the subject and the resource or `member` concern it.
    pub(super) blocks: bool,
    /// Whether their peers modes do.
    pub(super) peers: bool,
    pub(super) rules: Asks,
    /// Whether it begins a conversation that is new, so that it must pass what [`Self::BEGINNING`]
    /// must pass as well.
    pub(super) begins: bool,
    pub(super) friendship: bool,
    pub(super) role: Needs,
}

/// Whom moderation keeps from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refuses {
    Nobody,
    Banned,
    BannedAndSilenced,
}

/// When rules are asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Asks {
    Never,
    /// Only when the conversation is new.
    WhenNew,
    Always,
}

/// What the subject must be in the group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Needs {
    Nothing,
    Member,
    /// A member to whom the group's matrix gives the permission.
    Permission(GroupPermission),
    SuperAdmin,
    /// A member whom the group can spare.
    Leave,
}

/// What is asked about what can't be done: it is refused before.
pub(super) static UNFIT: Demands = PLAIN;

/// An action that only banned users are kept from, and that asks for nothing else.
const PLAIN: Demands = Demands {
    refuses: Refuses::Banned,
    managers: false,
    outgoing: false,
    own: None,
    incoming: false,
    blocks: false,
    peers: false,
    rules: Asks::Never,
    begins: false,
    friendship: false,
    role: Needs::Nothing,
};

/// An action that silenced users are kept from too.
const SPEAKING: Demands = Demands { refuses: Refuses::BannedAndSilenced, ..PLAIN };

/// An action that reaches another user.
const REACHING: Demands =
    Demands { outgoing: true, incoming: true, blocks: true, peers: true, ..SPEAKING };

/// An action that goes on in a conversation, or begins one.
const TALKING: Demands = Demands { rules: Asks::WhenNew, begins: true, ..REACHING };

/// The table: for each action, by its place among all, a row for each kind of resource; none for a
/// kind that the action does not take.
#[expect(clippy::indexing_slicing, reason = "worked out when this is compiled")]
static TABLE: [[Option<Demands>; KINDS]; Action::ALL.len()] = {
    let mut table = [[None; KINDS]; Action::ALL.len()];
    let mut at = 0;
    while at < Action::ALL.len() {
        let action = Action::ALL[at];
        let takes = action.takes();
        let mut turn = 0;
        while turn < takes.len() {
            table[at][takes[turn] as usize] = Some(Demands::row(action, takes[turn]));
            turn += 1;
        }
        at += 1;
    }
    table
};

const KINDS: usize = 3;

impl Demands {
    /// The action by which a conversation begins, and its switch.
    pub(super) const BEGINNING: Action = Action::StartChat;
    pub(super) const BEGINNING_SWITCH: Switch = Switch::StartChat;

    /// What an action on this kind of resource asks; `None` if it can't be done to it.
    #[inline]
    pub(super) fn of(action: Action, kind: ResourceKind) -> Option<&'static Self> {
        TABLE.get(action as usize)?.get(kind as usize)?.as_ref()
    }

    const fn row(action: Action, kind: ResourceKind) -> Self {
        let is_group = matches!(kind, ResourceKind::Group);
        match action {
            Action::Read if is_group => Self { role: Needs::Member, ..PLAIN },
            Action::SignIn
            | Action::Read
            | Action::ViewProfile
            | Action::Block
            | Action::Unblock => PLAIN,
            Action::Post | Action::Comment | Action::React => SPEAKING,
            Action::StartChat => {
                Self { own: Some(Switch::StartChat), rules: Asks::Always, ..REACHING }
            }
            Action::SendMessage if is_group => Self {
                outgoing: true,
                own: Some(Switch::SendMessage),
                role: Needs::Member,
                ..SPEAKING
            },
            Action::SendMessage => Self { own: Some(Switch::SendMessage), ..TALKING },
            Action::VoiceCall => Self::call(Switch::VoiceCall, is_group),
            Action::VideoCall => Self::call(Switch::VideoCall, is_group),
            Action::FriendRequest => Self {
                own: Some(Switch::FriendRequest),
                peers: false,
                friendship: true,
                ..REACHING
            },
            Action::Ban | Action::Silence | Action::Reactivate => {
                Self { managers: true, ..SPEAKING }
            }
            Action::ListUsers => Self { managers: true, ..PLAIN },
            Action::CreateGroup => Self { own: Some(Switch::CreateGroup), ..SPEAKING },
            Action::AddMember => Self {
                rules: Asks::Always,
                role: Needs::Permission(GroupPermission::AddMember),
                ..REACHING
            },
            Action::RemoveMember => Self::governed(GroupPermission::RemoveMember),
            Action::UpdateMetadata => Self::governed(GroupPermission::UpdateMetadata),
            Action::AddAdmin => Self::governed(GroupPermission::AddAdmin),
            Action::RemoveAdmin => Self::governed(GroupPermission::RemoveAdmin),
            Action::UpdatePermissions => Self::governed(GroupPermission::UpdatePermissions),
            Action::AddSuperAdmin | Action::RemoveSuperAdmin => {
                Self { role: Needs::SuperAdmin, ..SPEAKING }
            }
            Action::Leave => Self { refuses: Refuses::Nobody, role: Needs::Leave, ..PLAIN },
        }
    }

    const fn call(own: Switch, is_group: bool) -> Self {
        if is_group {
            Self { own: Some(own), role: Needs::Member, ..SPEAKING }
        } else {
            Self { own: Some(own), ..TALKING }
        }
    }

    const fn governed(permission: GroupPermission) -> Self {
        Self { role: Needs::Permission(permission), ..SPEAKING }
    }

    /// Whether anything between the two users is of interest.
    pub(super) const fn look_at_ties(&self) -> bool {
        self.blocks || self.peers || self.friendship || matches!(self.rules, Asks::WhenNew)
    }
}
