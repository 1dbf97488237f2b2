use super::{Selection, Standing, UserSet};
use crate::request::{Approval, Moderation, PeersMode, Switch};

/// Where every user stands: one by one for decisions, and as sets for lists.
#[derive(Clone, Debug)]
pub struct Standings {
    /// Where a user stands of whom nothing is known.
    stranger: Standing,
    /// Where most users stand.
    common: Standing,
    /// By user; empty if all stand alike.
    each: Box<[Standing]>,
    switches: [Selection<'static>; Switch::COUNT],
    modes: [Selection<'static>; PeersMode::ALL.len()],
    banned: Selection<'static>,
    silenced: Selection<'static>,
    refusing: Selection<'static>,
    full: Selection<'static>,
}

impl Standings {
    /// The standings of all users, by number; none, if all stand where `common` says, which is best
    /// where most of them do. Costs a pass over them for each set.
    pub fn new(stranger: Standing, common: Standing, each: Vec<Standing>) -> Self {
        let each: Box<[Standing]> =
            if each.iter().all(|&one| one == common) { Box::default() } else { each.into() };
        let selection = |is: &dyn Fn(Standing) -> bool| -> Selection<'static> {
            // Told by those who differ from the most.
            let differ = each.iter().zip(0_u32..).filter(|&(&one, _)| is(one) != is(common));
            let differ = UserSet::from_sorted(&differ.map(|(_, user)| user).collect::<Vec<_>>());
            let differ = Selection::from(differ);
            if is(common) { differ.complement() } else { differ }
        };
        let switches = std::array::from_fn(|at| {
            selection(&|one| Switch::ALL.get(at).is_some_and(|&switch| one.is_on(switch)))
        });
        let modes = std::array::from_fn(|at| {
            selection(&|one| PeersMode::ALL.get(at).is_some_and(|&mode| one.peers() == mode))
        });
        Self {
            banned: selection(&|one| one.moderation() == Moderation::Banned),
            silenced: selection(&|one| one.moderation() == Moderation::Silenced),
            refusing: selection(&|one| one.approval() == Approval::DenyAny),
            full: selection(&Standing::is_full),
            stranger,
            common,
            switches,
            modes,
            each,
        }
    }

    /// Whether nobody is refused anything for where he stands.
    pub fn are_open(&self) -> bool {
        self.each.is_empty() && self.common == Standing::open() && self.stranger == self.common
    }

    /// Whether all users stand alike in both.
    pub fn are_the_same(&self, other: &Self) -> bool {
        self.common == other.common && self.each == other.each
    }

    /// Where a user stands. Decisions read it from the [`Directory`](super::Directory).
    pub fn of(&self, user: u32) -> Standing {
        self.each.get(user as usize).copied().unwrap_or(self.common)
    }

    /// Where a user stands of whom nothing is known.
    #[inline]
    pub fn stranger(&self) -> Standing {
        self.stranger
    }

    /// Whose switch is on.
    pub fn on(&self, switch: Switch) -> Selection<'_> {
        self.switches.get(switch.index()).map_or_else(Selection::nobody, Selection::borrowed)
    }

    /// Who communicates in this mode.
    pub fn in_mode(&self, mode: PeersMode) -> Selection<'_> {
        self.modes.get(mode as usize).map_or_else(Selection::nobody, Selection::borrowed)
    }

    pub fn banned(&self) -> Selection<'_> {
        self.banned.borrowed()
    }

    /// Who is silenced, the banned not among them.
    pub fn silenced(&self) -> Selection<'_> {
        self.silenced.borrowed()
    }

    /// Who takes no friend requests.
    pub fn refusing(&self) -> Selection<'_> {
        self.refusing.borrowed()
    }

    /// Whose friend list is full.
    pub fn full(&self) -> Selection<'_> {
        self.full.borrowed()
    }

    pub(super) fn memory(&self) -> usize {
        let sets = self.switches.iter().chain(&self.modes);
        let sets = sets.chain([&self.banned, &self.silenced, &self.refusing, &self.full]);
        size_of_val(&*self.each) + sets.map(Selection::memory).sum::<usize>()
    }
}
