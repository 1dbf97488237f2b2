//! The settings of a policy, which hold for all users.

use super::{
    Action, Approval, BlockMode, Condition, PeersMode, ProtectedTags, Switch, TagForm, Toggle,
    UnknownUsers,
};

/// All settings of a policy. `T` is a tag, as in [`Condition`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings<T> {
    pub unknown_users: UnknownUsers,
    /// The condition of users who may ban, silence, reactivate and list users; `None` for no users.
    pub managers: Option<Condition<T>>,
    /// The value of each switch.
    pub permissions: [Toggle<T>; Switch::COUNT],
    pub blocks: Blocks,
    pub peers: Peers<T>,
    /// The `approval` of users whose records don't set it.
    pub approval: Approval,
    pub limits: Limits,
    /// Whether a block ends a friendship, on both sides.
    pub blocks_end_friendship: bool,
    /// The form of valid tags.
    pub tag_form: TagForm,
    pub protected_tags: ProtectedTags,
}

/// The peers modes of users whose records don't set one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Peers<T> {
    /// The modes by condition; the first condition that a user meets counts.
    pub modes: Vec<(Condition<T>, PeersMode)>,
    /// The mode of users who meet none of the conditions.
    pub default: PeersMode,
}

/// The block mode of each action that blocks apply to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Blocks {
    modes: [BlockMode; Self::ACTIONS.len()],
}

impl Blocks {
    /// The actions that blocks apply to.
    pub const ACTIONS: [Action; 6] = [
        Action::StartChat,
        Action::SendMessage,
        Action::VoiceCall,
        Action::VideoCall,
        Action::AddMember,
        Action::FriendRequest,
    ];

    /// The same mode for every action.
    pub const fn all(mode: BlockMode) -> Self {
        Self { modes: [mode; Self::ACTIONS.len()] }
    }

    /// The block mode of an action; `Off` if blocks don't apply to it.
    #[inline]
    pub fn mode(&self, action: Action) -> BlockMode {
        let place = match action {
            Action::StartChat => 0,
            Action::SendMessage => 1,
            Action::VoiceCall => 2,
            Action::VideoCall => 3,
            Action::AddMember => 4,
            Action::FriendRequest => 5,
            _ => return BlockMode::Off,
        };
        self.modes.get(place).copied().unwrap_or(BlockMode::Off)
    }

    /// The same modes with another one for an action.
    #[must_use]
    pub fn with(mut self, action: Action, mode: BlockMode) -> Self {
        let place = Self::ACTIONS.iter().position(|&known| known == action);
        if let Some(slot) = place.and_then(|place| self.modes.get_mut(place)) {
            *slot = mode;
        }
        self
    }
}

impl Default for Blocks {
    fn default() -> Self {
        Self::all(BlockMode::OneWay)
            .with(Action::StartChat, BlockMode::TwoWay)
            .with(Action::AddMember, BlockMode::TwoWay)
            .with(Action::FriendRequest, BlockMode::TwoWay)
    }
}

/// The limits of counts; `None` for no limit.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Limits {
    /// Friends of a user.
    pub friends: Option<u32>,
    /// Users whom a user blocks.
    pub blocked: Option<u32>,
    /// Named lists into which a user sorts their friends.
    pub friend_lists: Option<u32>,
    pub group_members: Option<u32>,
}

impl<T> Default for Settings<T> {
    fn default() -> Self {
        Self {
            unknown_users: UnknownUsers::Deny,
            managers: None,
            permissions: std::array::from_fn(|_| Toggle::Always(true)),
            blocks: Blocks::default(),
            peers: Peers { modes: Vec::new(), default: PeersMode::All },
            approval: Approval::AllowAny,
            limits: Limits::default(),
            blocks_end_friendship: false,
            tag_form: TagForm::Any,
            protected_tags: ProtectedTags::default(),
        }
    }
}

impl<T> Settings<T> {
    /// The value of a switch.
    pub fn permission(&self, switch: Switch) -> &Toggle<T> {
        self.permissions.get(switch.index()).unwrap_or(&Toggle::Always(false))
    }

    /// The same settings over other names of the tags.
    pub fn map<U>(&self, name: &mut impl FnMut(&T) -> U) -> Settings<U> {
        Settings {
            unknown_users: self.unknown_users,
            managers: self.managers.as_ref().map(|condition| condition.map(name)),
            permissions: self.permissions.each_ref().map(|toggle| toggle.map(name)),
            blocks: self.blocks,
            peers: Peers {
                modes: self
                    .peers
                    .modes
                    .iter()
                    .map(|(when, mode)| (when.map(name), *mode))
                    .collect(),
                default: self.peers.default,
            },
            approval: self.approval,
            limits: self.limits,
            blocks_end_friendship: self.blocks_end_friendship,
            tag_form: self.tag_form,
            protected_tags: self.protected_tags.clone(),
        }
    }

    /// Calls `visit` with each condition of the settings.
    pub fn for_each_condition<'s>(&'s self, visit: &mut impl FnMut(&'s Condition<T>)) {
        self.managers.iter().for_each(&mut *visit);
        for toggle in &self.permissions {
            if let Toggle::When(condition) = toggle {
                visit(condition);
            }
        }
        self.peers.modes.iter().for_each(|(when, _)| visit(when));
    }
}

impl<T> Toggle<T> {
    /// Whether the switch is on for a user; `has` tells whether the user has a tag.
    pub fn is_on(&self, has: &impl Fn(&T) -> bool) -> bool {
        match self {
            Self::Always(on) => *on,
            Self::When(condition) => condition.holds(has),
        }
    }

    /// The same value over other names of the tags.
    pub fn map<U>(&self, name: &mut impl FnMut(&T) -> U) -> Toggle<U> {
        match self {
            Self::Always(on) => Toggle::Always(*on),
            Self::When(condition) => Toggle::When(condition.map(name)),
        }
    }
}

impl<T> Peers<T> {
    /// The mode of a user whose record doesn't set one; `has` tells whether the user has a tag.
    pub fn mode(&self, has: &impl Fn(&T) -> bool) -> PeersMode {
        let met = self.modes.iter().find(|(when, _)| when.holds(has));
        met.map_or(self.default, |(_, mode)| *mode)
    }
}
