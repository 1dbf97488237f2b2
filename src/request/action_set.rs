//! Sets of actions.

use super::{Action, ActionKey, DeclaredAction};

/// A set of actions of one policy: built-in ones in the low half of the bits, declared ones in the high half.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct ActionSet(u128);

/// The first bit of declared actions.
const DECLARED: u32 = u128::BITS / 2;

const _: () = assert!(Action::COUNT <= DECLARED as usize, "`ActionSet` has no bit left");
const _: () = assert!(DeclaredAction::MOST <= DECLARED as usize, "`ActionSet` has no bit left");

/// The actions by which one user reaches another.
const REACHING: [Action; 6] = [
    Action::StartChat,
    Action::SendMessage,
    Action::VoiceCall,
    Action::VideoCall,
    Action::FriendRequest,
    Action::AddMember,
];

impl ActionSet {
    /// The actions by which one user reaches another: what statements between two users concern where they
    /// name no actions.
    pub const REACHING: Self = Self::of(&REACHING);

    /// The actions that statements between two users may name.
    pub const BETWEEN_USERS: Self = Self::REACHING.with(Action::ViewProfile);

    /// The set of some actions.
    pub const fn of(actions: &[Action]) -> Self {
        let mut set = Self(0);
        let mut at = 0;
        while at < actions.len() {
            #[expect(clippy::indexing_slicing, reason = "the index is below the length")]
            let action = actions[at];
            set = set.with(action);
            at += 1;
        }
        set
    }

    /// The set with one more action.
    #[must_use]
    pub const fn with(self, action: Action) -> Self {
        Self(self.0 | 1 << action as u64)
    }

    #[inline]
    pub const fn contains(self, action: Action) -> bool {
        self.0 & (1 << action as u64) != 0
    }

    /// The set with one more action of either kind.
    #[must_use]
    pub const fn with_key(self, key: ActionKey) -> Self {
        match key {
            ActionKey::BuiltIn(action) => self.with(action),
            ActionKey::Declared(own) => Self(self.0 | 1 << (DECLARED as usize + own.index())),
        }
    }

    #[inline]
    pub const fn contains_declared(self, own: DeclaredAction) -> bool {
        self.0 & (1 << (DECLARED as usize + own.index())) != 0
    }

    /// Whether an action is in both sets.
    #[inline]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The union of both sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The built-in actions of the set, in the order of the reference.
    pub fn built_in(self) -> impl Iterator<Item = Action> {
        Action::ALL.iter().copied().filter(move |&action| self.contains(action))
    }

    /// The actions of the set: built-in ones in the order of the reference, then declared ones by number.
    pub fn iter(self) -> impl Iterator<Item = ActionKey> {
        let declared = (0..DeclaredAction::MOST).filter_map(DeclaredAction::from_index);
        let declared = declared.filter(move |&own| self.contains_declared(own));
        self.built_in().map(ActionKey::BuiltIn).chain(declared.map(ActionKey::Declared))
    }
}

impl FromIterator<ActionKey> for ActionSet {
    fn from_iter<I: IntoIterator<Item = ActionKey>>(actions: I) -> Self {
        actions.into_iter().fold(Self::default(), Self::with_key)
    }
}
