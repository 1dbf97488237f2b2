//! An index of the effective states of users by value, for listings.

use super::{Selection, UserNumber, UserSet, UserState};
use crate::request::{Approval, Moderation, PeersMode, Switch};

/// The effective states of users as sets by value, for listings; the state of one user stands in
/// the [`Directory`](super::Directory).
#[derive(Clone, Debug)]
pub struct StateIndex {
    /// The state of an unknown user.
    stranger: UserState,
    /// The state of most users.
    common: UserState,
    /// The number of users with another state.
    uncommon_count: u64,
    /// The users of each predicate, in the order of `ASPECTS`.
    sets: [Selection<'static>; SETS],
}

impl StateIndex {
    /// Builds the index from the states of all users, by number; an empty slice means that all
    /// users have the `common` state, which should be that of most users. Costs a pass over them
    /// for each set.
    pub fn new(stranger: UserState, common: UserState, each: &[UserState]) -> Self {
        let selection = |is: &dyn Fn(UserState) -> bool| -> Selection<'static> {
            // Sets name the users who differ from the common state.
            let differ =
                each.iter().zip((0..).map(UserNumber)).filter(|&(&one, _)| is(one) != is(common));
            let differ = UserSet::from_sorted(differ.map(|(_, user)| user));
            let differ = Selection::from(differ);
            if is(common) { differ.complement() } else { differ }
        };
        Self {
            stranger,
            common,
            uncommon_count: each.iter().filter(|&&one| one != common).count() as u64,
            sets: std::array::from_fn(|at| {
                selection(&|one| ASPECTS.get(at).is_some_and(|it| it.holds(one)))
            }),
        }
    }

    /// Whether no state denies anything.
    pub fn is_unrestricted(&self) -> bool {
        self.uncommon_count == 0
            && self.common == UserState::UNRESTRICTED
            && self.stranger == self.common
    }

    /// The state of most users.
    pub fn common(&self) -> UserState {
        self.common
    }

    /// Applies changes of states; `below` is the number of assigned numbers.
    pub(super) fn apply_changes(&mut self, moves: &[StateChange], below: u32) {
        for one in moves {
            self.uncommon_count += u64::from(one.to != self.common);
            self.uncommon_count -= u64::from(one.from != self.common);
        }
        for (aspect, set) in ASPECTS.iter().zip(&mut self.sets) {
            let changed = moves.iter().filter(|one| aspect.holds(one.from) != aspect.holds(one.to));
            let changed: Vec<(UserNumber, bool)> =
                changed.map(|one| (one.user, aspect.holds(one.to))).collect();
            if !changed.is_empty() {
                set.apply_changes(&changed, below);
            }
        }
    }

    /// The state of an unknown user.
    #[inline]
    pub fn unknown_user(&self) -> UserState {
        self.stranger
    }

    /// The users whose switch is on.
    pub fn with_switch_on(&self, switch: Switch) -> Selection<'_> {
        self.users_where(StatePredicate::On(switch))
    }

    /// The users with this peers mode.
    pub fn in_peers_mode(&self, mode: PeersMode) -> Selection<'_> {
        self.users_where(StatePredicate::In(mode))
    }

    /// The users whose peers mode is an audience.
    pub fn in_peers_audience(&self) -> Selection<'_> {
        self.users_where(StatePredicate::InAudience)
    }

    /// Whether the peers mode of some user may be an audience. Costs a look at a set.
    pub(super) fn may_have_peers_audiences(&self) -> bool {
        let set = self.sets.get(AUDIENCE_SET);
        set.is_some_and(|set| !matches!(set, Selection::Only(users) if users.is_empty()))
    }

    pub fn banned(&self) -> Selection<'_> {
        self.users_where(StatePredicate::Banned)
    }

    /// The silenced users, without the banned and the shadowed ones.
    pub fn silenced(&self) -> Selection<'_> {
        self.users_where(StatePredicate::Silenced)
    }

    pub fn shadowed(&self) -> Selection<'_> {
        self.users_where(StatePredicate::Shadowed)
    }

    /// The users who accept no friend requests.
    pub fn refusing_requests(&self) -> Selection<'_> {
        self.users_where(StatePredicate::Refusing)
    }

    /// The users whose friend list is full.
    pub fn with_full_friend_list(&self) -> Selection<'_> {
        self.users_where(StatePredicate::Full)
    }

    fn users_where(&self, aspect: StatePredicate) -> Selection<'_> {
        let at = ASPECTS.iter().position(|&known| known == aspect);
        let set = at.and_then(|at| self.sets.get(at));
        set.map_or_else(Selection::nobody, Selection::borrowed)
    }

    pub(super) fn memory(&self) -> usize {
        self.sets.iter().map(Selection::memory).sum()
    }
}

/// A change of a user's state; changes are in the order of numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct StateChange {
    pub(super) user: UserNumber,
    pub(super) from: UserState,
    pub(super) to: UserState,
}

/// A predicate on states whose users are indexed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum StatePredicate {
    On(Switch),
    In(PeersMode),
    InAudience,
    Banned,
    Silenced,
    Shadowed,
    Refusing,
    Full,
}

const SETS: usize = AUDIENCE_SET + 6;

/// The place of the set of users whose peers mode is an audience.
const AUDIENCE_SET: usize = Switch::COUNT + PeersMode::ALL.len();

#[expect(clippy::indexing_slicing, reason = "worked out when this is compiled")]
static ASPECTS: [StatePredicate; SETS] = {
    let mut all = [StatePredicate::Full; SETS];
    let mut at = 0;
    while at < Switch::COUNT {
        all[at] = StatePredicate::On(Switch::ALL[at]);
        at += 1;
    }
    let mut mode = 0;
    while mode < PeersMode::ALL.len() {
        all[at + mode] = StatePredicate::In(PeersMode::ALL[mode]);
        mode += 1;
    }
    at += mode;
    all[at] = StatePredicate::InAudience;
    all[at + 1] = StatePredicate::Banned;
    all[at + 2] = StatePredicate::Silenced;
    all[at + 3] = StatePredicate::Shadowed;
    all[at + 4] = StatePredicate::Refusing;
    all
};

impl StatePredicate {
    fn holds(self, state: UserState) -> bool {
        match self {
            Self::On(switch) => state.is_on(switch),
            Self::In(mode) => state.peers() == Some(mode),
            Self::InAudience => state.peers().is_none(),
            Self::Banned => state.moderation() == Moderation::Banned,
            Self::Silenced => state.moderation() == Moderation::Silenced,
            Self::Shadowed => state.moderation() == Moderation::Shadowed,
            Self::Refusing => state.approval() == Approval::DenyAny,
            Self::Full => state.is_friend_list_full(),
        }
    }
}
