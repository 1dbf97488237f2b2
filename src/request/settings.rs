//! The settings of a policy, which hold for all users.

use super::{
    Accepts, Action, ActionKey, Approval, AudienceNumber, Audiences, Barrier, BlockMode,
    BlockableAction, BlockableActionMap, Condition, DeclaredActions, LimitKind, PeersMode,
    PeersSetting, ProtectedTags, RelationCondition, Switch, SwitchMap, TagForm, Toggle,
    UnknownUsers,
    during::{During, NamesWindows},
};

/// All settings of a policy. `T` is a tag, as in [`Condition`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings<T> {
    pub unknown_users: UnknownUsers,
    /// The condition of users who may ban, silence, reactivate and list users; `None` for no users.
    pub managers: Option<Condition<T>>,
    /// The value of each switch.
    pub permissions: SwitchMap<Toggle<T>>,
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
    pub audiences: Audiences<T>,
    /// From whom users accept what: an entry for each action that the policy names, in order.
    pub accepts: Vec<Accepts<T>>,
    /// The barriers, in the order of their names.
    pub barriers: Vec<Barrier<T>>,
    /// The actions that the policy declares.
    pub actions: DeclaredActions<T>,
}

/// The peers modes of users whose records don't set one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Peers<T> {
    /// The modes by condition; the first condition that a user meets counts.
    pub modes: Vec<(Condition<T>, PeersSetting<AudienceNumber>)>,
    /// The mode of users who meet none of the conditions.
    pub default: PeersSetting<AudienceNumber>,
}

/// The block mode of each action that blocks apply to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Blocks {
    modes: BlockableActionMap<BlockMode>,
}

impl Blocks {
    /// The same mode for every action by which one user reaches another; blocks hide no profile.
    pub fn all(mode: BlockMode) -> Self {
        Self { modes: BlockableActionMap::splat(mode) }
            .with(BlockableAction::ViewProfile, BlockMode::Off)
    }

    /// The block mode of an action; `Off` if blocks don't apply to it.
    #[inline]
    pub fn mode(&self, action: Action) -> BlockMode {
        action.blockable().map_or(BlockMode::Off, |action| self.modes[action])
    }

    /// The modes of all actions that blocks apply to.
    pub fn iter(&self) -> impl Iterator<Item = (BlockableAction, BlockMode)> {
        self.modes.iter().map(|(action, &mode)| (action, mode))
    }

    /// The same modes with another one for an action.
    #[must_use]
    pub fn with(mut self, action: BlockableAction, mode: BlockMode) -> Self {
        self.modes[action] = mode;
        self
    }
}

impl Default for Blocks {
    fn default() -> Self {
        Self::all(BlockMode::OneWay)
            .with(BlockableAction::StartChat, BlockMode::TwoWay)
            .with(BlockableAction::AddMember, BlockMode::TwoWay)
            .with(BlockableAction::FriendRequest, BlockMode::TwoWay)
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
            permissions: SwitchMap::from_fn(|_| Toggle::Always(true)),
            blocks: Blocks::default(),
            peers: Peers { modes: Vec::new(), default: PeersSetting::Mode(PeersMode::All) },
            approval: Approval::AllowAny,
            limits: Limits::default(),
            blocks_end_friendship: false,
            tag_form: TagForm::Any,
            protected_tags: ProtectedTags::default(),
            audiences: Audiences::default(),
            accepts: Vec::new(),
            barriers: Vec::new(),
            actions: DeclaredActions::default(),
        }
    }
}

impl<T> NamesWindows for Settings<T> {
    fn for_each_window_mut(&mut self, visit: &mut dyn FnMut(&mut During)) {
        let Self {
            managers,
            permissions,
            peers: Peers { modes, default: _ },
            unknown_users: _,
            blocks: _,
            approval: _,
            limits: _,
            blocks_end_friendship: _,
            tag_form: _,
            protected_tags: _,
            audiences,
            accepts,
            barriers,
            actions,
        } = self;
        managers.for_each_window_mut(visit);
        for &switch in Switch::ALL {
            permissions[switch].for_each_window_mut(visit);
        }
        modes.iter_mut().for_each(|(when, _)| when.for_each_window_mut(visit));
        audiences.for_each_window_mut(visit);
        accepts.for_each_window_mut(visit);
        barriers.for_each_window_mut(visit);
        actions.for_each_window_mut(visit);
    }
}

impl<T> NamesWindows for Toggle<T> {
    fn for_each_window_mut(&mut self, visit: &mut dyn FnMut(&mut During)) {
        if let Self::When(condition) = self {
            condition.for_each_window_mut(visit);
        }
    }
}

impl<T> Settings<T> {
    /// The value of a switch.
    pub fn permission(&self, switch: Switch) -> &Toggle<T> {
        &self.permissions[switch]
    }

    /// The same settings over other names of the tags.
    pub fn map<U>(&self, name: &mut impl FnMut(&T) -> U) -> Settings<U> {
        let Self {
            unknown_users,
            managers,
            permissions,
            blocks,
            peers,
            approval,
            limits,
            blocks_end_friendship,
            tag_form,
            protected_tags,
            audiences,
            accepts,
            barriers,
            actions,
        } = self;
        let modes = peers.modes.iter().map(|(when, mode)| (when.map(name), *mode));
        let peers = Peers { modes: modes.collect(), default: peers.default };
        Settings {
            unknown_users: *unknown_users,
            managers: managers.as_ref().map(|condition| condition.map(name)),
            permissions: permissions.map(|toggle| toggle.map(name)),
            blocks: *blocks,
            peers,
            approval: *approval,
            limits: *limits,
            blocks_end_friendship: *blocks_end_friendship,
            tag_form: *tag_form,
            protected_tags: protected_tags.clone(),
            audiences: audiences.map(name),
            accepts: accepts.iter().map(|entry| entry.map(name)).collect(),
            barriers: barriers.iter().map(|barrier| barrier.map(name)).collect(),
            actions: actions.map(name),
        }
    }

    /// Calls `visit` with each condition on one user of the settings.
    pub fn for_each_condition<'s>(&'s self, visit: &mut impl FnMut(&'s Condition<T>)) {
        let Self {
            managers,
            permissions,
            peers: Peers { modes, default: _ },
            unknown_users: _,
            blocks: _,
            approval: _,
            limits: _,
            blocks_end_friendship: _,
            tag_form: _,
            protected_tags: _,
            audiences: _,
            accepts,
            barriers,
            actions,
        } = self;
        managers.iter().for_each(&mut *visit);
        for toggle in permissions.values() {
            if let Toggle::When(condition) = toggle {
                visit(condition);
            }
        }
        modes.iter().for_each(|(when, _)| visit(when));
        accepts.iter().flat_map(|entry| &entry.modes).for_each(|mode| visit(&mode.when));
        barriers.iter().flat_map(|barrier| [&barrier.from, &barrier.to]).for_each(&mut *visit);
        actions.for_each_condition(visit);
    }

    /// Calls `visit` with each tag that the settings name.
    pub fn for_each_tag<'s>(&'s self, visit: &mut impl FnMut(&'s T)) {
        self.for_each_condition(&mut |condition| condition.for_each_tag(visit));
        for (_, audience) in self.audiences.iter() {
            audience.condition.for_each_atom(&mut |atom| {
                if let RelationCondition::HasTag(tag) = atom {
                    visit(tag);
                }
            });
        }
    }

    /// From whom users accept an action, if the policy says it.
    pub fn accepts(&self, action: ActionKey) -> Option<&Accepts<T>> {
        self.accepts.iter().find(|entry| entry.action == action)
    }
}

impl Limits {
    /// The limit of a count; `None` for no limit.
    pub const fn get(&self, kind: LimitKind) -> Option<u32> {
        match kind {
            LimitKind::Friends => self.friends,
            LimitKind::Blocked => self.blocked,
            LimitKind::FriendLists => self.friend_lists,
            LimitKind::GroupMembers => self.group_members,
        }
    }

    /// Sets the limit of a count.
    pub const fn set(&mut self, kind: LimitKind, limit: Option<u32>) {
        let Self { friends, blocked, friend_lists, group_members } = self;
        match kind {
            LimitKind::Friends => *friends = limit,
            LimitKind::Blocked => *blocked = limit,
            LimitKind::FriendLists => *friend_lists = limit,
            LimitKind::GroupMembers => *group_members = limit,
        }
    }

    /// All limits, in the order of the reference.
    pub fn iter(&self) -> impl Iterator<Item = (LimitKind, Option<u32>)> {
        LimitKind::ALL.iter().map(|&kind| (kind, self.get(kind)))
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
    /// The setting of a user whose record doesn't have one; `has` tells whether the user has a tag.
    pub fn setting(&self, has: &impl Fn(&T) -> bool) -> PeersSetting<AudienceNumber> {
        let met = self.modes.iter().find(|(when, _)| when.holds(has));
        met.map_or(self.default, |(_, mode)| *mode)
    }

    /// Whether an audience is a mode.
    pub fn names_audiences(&self) -> bool {
        let mut settings = self.modes.iter().map(|(_, mode)| mode).chain([&self.default]);
        settings.any(|setting| setting.audience().is_some())
    }
}
