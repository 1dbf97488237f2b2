use super::{Selection, Standing, UserSet};
use crate::request::{Approval, Moderation, PeersMode, Switch};

/// Where every user stands, as sets for lists; one by one, it stands beside the users' ids.
#[derive(Clone, Debug)]
pub struct Standings {
    /// Where a user stands of whom nothing is known.
    stranger: Standing,
    /// Where most users stand.
    common: Standing,
    /// How many users stand elsewhere.
    elsewhere: u64,
    /// By the place of each aspect.
    sets: [Selection<'static>; SETS],
}

impl Standings {
    /// The standings of all users, by number; none, if all stand where `common` says, which is best
    /// where most of them do. Costs a pass over them for each set.
    pub fn new(stranger: Standing, common: Standing, each: &[Standing]) -> Self {
        let selection = |is: &dyn Fn(Standing) -> bool| -> Selection<'static> {
            // Told by those who differ from the most.
            let differ = each.iter().zip(0_u32..).filter(|&(&one, _)| is(one) != is(common));
            let differ = UserSet::from_sorted(&differ.map(|(_, user)| user).collect::<Vec<_>>());
            let differ = Selection::from(differ);
            if is(common) { differ.complement() } else { differ }
        };
        Self {
            stranger,
            common,
            elsewhere: each.iter().filter(|&&one| one != common).count() as u64,
            sets: std::array::from_fn(|at| {
                selection(&|one| ASPECTS.get(at).is_some_and(|it| it.of(one)))
            }),
        }
    }

    /// Whether nobody is refused anything for where he stands.
    pub fn are_open(&self) -> bool {
        self.elsewhere == 0 && self.common == Standing::open() && self.stranger == self.common
    }

    /// Where most users stand.
    pub fn common(&self) -> Standing {
        self.common
    }

    /// Takes note that a user stands elsewhere than before. `below` is how many numbers there are.
    pub(super) fn moved(&mut self, moves: &[Move], below: u32) {
        for one in moves {
            self.elsewhere += u64::from(one.to != self.common);
            self.elsewhere -= u64::from(one.from != self.common);
        }
        for (aspect, set) in ASPECTS.iter().zip(&mut self.sets) {
            let changed = moves.iter().filter(|one| aspect.of(one.from) != aspect.of(one.to));
            let changed: Vec<(u32, bool)> =
                changed.map(|one| (one.user, aspect.of(one.to))).collect();
            if !changed.is_empty() {
                set.change(&changed, below);
            }
        }
    }

    /// Where a user stands of whom nothing is known.
    #[inline]
    pub fn stranger(&self) -> Standing {
        self.stranger
    }

    /// Whose switch is on.
    pub fn on(&self, switch: Switch) -> Selection<'_> {
        self.having(Aspect::On(switch))
    }

    /// Who communicates in this mode.
    pub fn in_mode(&self, mode: PeersMode) -> Selection<'_> {
        self.having(Aspect::In(mode))
    }

    pub fn banned(&self) -> Selection<'_> {
        self.having(Aspect::Banned)
    }

    /// Who is silenced, the banned not among them.
    pub fn silenced(&self) -> Selection<'_> {
        self.having(Aspect::Silenced)
    }

    /// Who takes no friend requests.
    pub fn refusing(&self) -> Selection<'_> {
        self.having(Aspect::Refusing)
    }

    /// Whose friend list is full.
    pub fn full(&self) -> Selection<'_> {
        self.having(Aspect::Full)
    }

    fn having(&self, aspect: Aspect) -> Selection<'_> {
        let at = ASPECTS.iter().position(|&known| known == aspect);
        let set = at.and_then(|at| self.sets.get(at));
        set.map_or_else(Selection::nobody, Selection::borrowed)
    }

    pub(super) fn memory(&self) -> usize {
        self.sets.iter().map(Selection::memory).sum()
    }
}

/// A user who stands elsewhere than before, in the order of numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Move {
    pub(super) user: u32,
    pub(super) from: Standing,
    pub(super) to: Standing,
}

/// What of where users stand is kept as a set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Aspect {
    On(Switch),
    In(PeersMode),
    Banned,
    Silenced,
    Refusing,
    Full,
}

const SETS: usize = Switch::COUNT + PeersMode::ALL.len() + 4;

#[expect(clippy::indexing_slicing, reason = "worked out when this is compiled")]
static ASPECTS: [Aspect; SETS] = {
    let mut all = [Aspect::Full; SETS];
    let mut at = 0;
    while at < Switch::COUNT {
        all[at] = Aspect::On(Switch::ALL[at]);
        at += 1;
    }
    let mut mode = 0;
    while mode < PeersMode::ALL.len() {
        all[at + mode] = Aspect::In(PeersMode::ALL[mode]);
        mode += 1;
    }
    at += mode;
    all[at] = Aspect::Banned;
    all[at + 1] = Aspect::Silenced;
    all[at + 2] = Aspect::Refusing;
    all
};

impl Aspect {
    fn of(self, standing: Standing) -> bool {
        match self {
            Self::On(switch) => standing.is_on(switch),
            Self::In(mode) => standing.peers() == mode,
            Self::Banned => standing.moderation() == Moderation::Banned,
            Self::Silenced => standing.moderation() == Moderation::Silenced,
            Self::Refusing => standing.approval() == Approval::DenyAny,
            Self::Full => standing.is_full(),
        }
    }
}
