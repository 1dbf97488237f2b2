use crate::request::{PeersMode, Relation};

/// What is between two users, seen from one of them: the relations both ways, and whether they have
/// a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Tie(u16);

const OUT: u16 = (1 << Relation::COUNT) - 1;
const BACK: usize = Relation::COUNT;
const TALK: u16 = 1 << (2 * Relation::COUNT);

impl Tie {
    pub const NONE: Self = Self(0);

    /// A conversation.
    pub const CONVERSATION: Self = Self(TALK);

    /// A relation to the other.
    pub const fn to_other(relation: Relation) -> Self {
        Self(1 << relation as u32)
    }

    /// Both at once.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The same seen from the other.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self(self.0 >> BACK & OUT | (self.0 & OUT) << BACK | self.0 & TALK)
    }

    /// Whether the one has this relation to the other.
    #[inline]
    pub const fn to(self, relation: Relation) -> bool {
        self.0 & Self::to_other(relation).0 != 0
    }

    /// Whether the other has this relation to the one.
    #[inline]
    pub const fn back(self, relation: Relation) -> bool {
        self.0 >> BACK & Self::to_other(relation).0 != 0
    }

    /// What it is, in bytes that tell any two apart.
    pub fn to_bytes(self) -> [u8; 2] {
        self.0.to_le_bytes()
    }

    /// Whether they have a conversation.
    #[inline]
    pub const fn is_conversation(self) -> bool {
        self.0 & TALK != 0
    }

    /// Whether the other is one of those with whom the one communicates in this mode.
    #[inline]
    pub const fn admits(self, mode: PeersMode) -> bool {
        match mode {
            PeersMode::All => true,
            PeersMode::Paired => self.to(Relation::Pair),
            PeersMode::Contacts => self.to(Relation::Contact) || self.to(Relation::Favorite),
            PeersMode::Favorites => self.to(Relation::Favorite),
        }
    }
}

/// What is between users: for each, all others he has to do with, in order.
///
/// Every relation stands in the rows of both users, so one search in the shorter row tells
/// everything that is between them.
#[derive(Clone, Default, Debug)]
pub struct Ties {
    /// Where each user's row starts, and where the last one ends; empty if there are no ties.
    starts: Box<[u32]>,
    others: Box<[u32]>,
    between: Box<[Tie]>,
    edges: [u64; Relation::COUNT],
    conversations: u64,
}

impl Ties {
    /// Ties of users below `users`, from what each is to another; in any order, and more than one
    /// between the same two is all of them. At most 2^31 of them.
    ///
    /// Costs a sort of each row.
    pub fn new(users: u32, ties: impl Iterator<Item = (u32, u32, Tie)> + Clone) -> Self {
        let mut starts = vec![0_u32; users as usize + 1];
        for (one, other, _) in ties.clone() {
            for user in [one, other] {
                if let Some(count) = starts.get_mut(user as usize + 1) {
                    *count += 1;
                }
            }
        }
        let mut total = 0;
        for start in &mut starts {
            total += *start;
            *start = total;
        }
        if total == 0 {
            return Self::default();
        }
        let mut rows = vec![(0_u32, Tie::NONE); total as usize];
        let mut free = starts.clone();
        for (one, other, tie) in ties {
            for (user, other, tie) in [(one, other, tie), (other, one, tie.reversed())] {
                if let Some(at) = free.get_mut(user as usize)
                    && let Some(place) = rows.get_mut(*at as usize)
                {
                    *place = (other, tie);
                    *at += 1;
                }
            }
        }
        drop(free);
        Self::merged(starts, rows)
    }

    /// Sorts each row and joins what is between the same two.
    fn merged(mut starts: Vec<u32>, mut rows: Vec<(u32, Tie)>) -> Self {
        let mut kept = 0_usize;
        let mut from = 0_usize;
        for at in 1..starts.len() {
            let to = starts.get(at).map_or(from, |&to| to as usize);
            if let Some(row) = rows.get_mut(from..to) {
                row.sort_unstable_by_key(|&(other, _)| other);
            }
            let begin = kept;
            for place in from..to {
                let Some(&(other, tie)) = rows.get(place) else { continue };
                let last = kept.checked_sub(1).filter(|&last| last >= begin);
                match last.and_then(|last| rows.get_mut(last)) {
                    Some(last) if last.0 == other => last.1 = last.1.and(tie),
                    _ => {
                        if let Some(slot) = rows.get_mut(kept) {
                            *slot = (other, tie);
                        }
                        kept += 1;
                    }
                }
            }
            from = to;
            if let Some(start) = starts.get_mut(at) {
                *start = u32::try_from(kept).unwrap_or(u32::MAX);
            }
        }
        rows.truncate(kept);
        let mut edges = [0; Relation::COUNT];
        for (count, &relation) in edges.iter_mut().zip(Relation::ALL) {
            *count = rows.iter().filter(|(_, tie)| tie.to(relation)).count() as u64;
        }
        let conversations = rows.iter().filter(|(_, tie)| tie.is_conversation()).count() as u64 / 2;
        Self {
            starts: starts.into(),
            others: rows.iter().map(|&(other, _)| other).collect(),
            between: rows.iter().map(|&(_, tie)| tie).collect(),
            edges,
            conversations,
        }
    }

    /// What is between two users, seen from the first. Costs a search in the shorter of their rows.
    #[inline]
    pub fn between(&self, one: u32, other: u32) -> Tie {
        let (mine, theirs) = (self.row(one), self.row(other));
        if mine.len() <= theirs.len() {
            self.find(mine, other)
        } else {
            self.find(theirs, one).reversed()
        }
    }

    /// All others with whom a user has to do, in order, and what is between them, seen from him.
    pub fn of(&self, user: u32) -> impl Iterator<Item = (u32, Tie)> + '_ {
        let row = self.row(user);
        let others = self.others.get(row.clone()).unwrap_or_default();
        let ties = self.between.get(row).unwrap_or_default();
        others.iter().copied().zip(ties.iter().copied())
    }

    pub fn is_empty(&self) -> bool {
        self.others.is_empty()
    }

    /// How many edges of a relation there are.
    pub fn edges(&self, relation: Relation) -> u64 {
        self.edges.get(relation as usize).copied().unwrap_or(0)
    }

    /// How many conversations there are.
    pub fn conversations(&self) -> u64 {
        self.conversations
    }

    /// The memory that they take, about, in bytes.
    pub fn memory(&self) -> usize {
        size_of_val(&*self.starts) + size_of_val(&*self.others) + size_of_val(&*self.between)
    }

    #[inline]
    fn row(&self, user: u32) -> std::ops::Range<usize> {
        let at = user as usize;
        match self.starts.get(at..at.saturating_add(2)) {
            Some(&[start, end]) => start as usize..end as usize,
            _ => 0..0,
        }
    }

    #[inline]
    fn find(&self, row: std::ops::Range<usize>, other: u32) -> Tie {
        let start = row.start;
        let others = self.others.get(row).unwrap_or_default();
        match others.binary_search(&other) {
            Ok(at) => self.between.get(start + at).copied().unwrap_or_default(),
            Err(_) => Tie::NONE,
        }
    }
}
