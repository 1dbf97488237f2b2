//! Ties between users: relations and conversations, as an adjacency list.

use std::{collections::HashMap, sync::Arc};

use super::{UserNumber, bit_field::BitField, row_store::RowStore};
use crate::request::{PeersMode, Relation, RelationMap};

/// The tie of two users, seen from one of them: the relations both ways, and whether they have a
/// conversation.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Tie(u16);

const OUTGOING: BitField = BitField::flags(Relation::COUNT);
const INCOMING: BitField = BitField::flags(Relation::COUNT).above(OUTGOING);
const CONVERSATION: BitField = BitField::flags(1).above(INCOMING);
const DECLARED: BitField = BitField::flags(Relation::COUNT).above(CONVERSATION);

impl Tie {
    pub const NONE: Self = Self(0);

    /// A tie with only a conversation.
    pub const CONVERSATION: Self = Self(CONVERSATION.mask());

    /// A tie with only this relation to the other.
    pub const fn from_relation(relation: Relation) -> Self {
        Self(OUTGOING.flag(relation.index()))
    }

    /// A tie with only this relation to the other, declared by a policy file.
    pub const fn from_declared(relation: Relation) -> Self {
        Self(OUTGOING.flag(relation.index()) | DECLARED.flag(relation.index()))
    }

    /// The union of both ties.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The parts of this tie that the other does not have.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The parts that both ties have.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The relations to the other, and which of them files declare.
    #[must_use]
    pub const fn outgoing_part(self) -> Self {
        Self(self.0 & (OUTGOING.mask() | DECLARED.mask()))
    }

    /// The relations to the other that files declare, marked as declared.
    #[must_use]
    pub const fn declared_part(self) -> Self {
        let declared = OUTGOING.set(self.0 & DECLARED.mask(), DECLARED.get(self.0));
        if self.is_declared(Relation::Favorite) {
            // A favorite is a contact.
            Self(declared).union(Self::from_relation(Relation::Contact))
        } else {
            Self(declared)
        }
    }

    /// Whether a file declares this relation to the other; known only in the row of the user who
    /// has it.
    pub const fn is_declared(self, relation: Relation) -> bool {
        self.0 & DECLARED.flag(relation.index()) != 0
    }

    /// Whether the tie is empty.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// The tie seen from the other, without its declared part.
    #[must_use]
    pub const fn reversed(self) -> Self {
        let (outgoing, incoming) = (OUTGOING.get(self.0), INCOMING.get(self.0));
        Self(INCOMING.set(OUTGOING.set(self.0 & !DECLARED.mask(), incoming), outgoing))
    }

    /// Whether this user has the relation to the other.
    #[inline]
    pub const fn outgoing(self, relation: Relation) -> bool {
        self.0 & OUTGOING.flag(relation.index()) != 0
    }

    /// Whether the other has the relation to this user.
    #[inline]
    pub const fn incoming(self, relation: Relation) -> bool {
        self.0 & INCOMING.flag(relation.index()) != 0
    }

    /// The tie as bytes that differ for different ties.
    pub fn to_bytes(self) -> [u8; 2] {
        (self.0 & !DECLARED.mask()).to_le_bytes()
    }

    /// The parts to remove and to add, seen from the tie's owner, so that a declared friendship
    /// counts unless one user blocks the other and blocks end friendships.
    pub(super) fn friendship_adjustment(self, blocks_end: bool) -> Option<(Self, Self)> {
        let friend = Self::from_relation(Relation::Friend);
        let is_ended =
            blocks_end && (self.outgoing(Relation::Block) || self.incoming(Relation::Block));
        match (self.is_declared(Relation::Friend), self.outgoing(Relation::Friend)) {
            (true, true) if is_ended => Some((friend, Self::NONE)),
            (true, false) if !is_ended => Some((Self::NONE, friend)),
            _ => None,
        }
    }

    /// The tie with a declared friendship adjusted to whether blocks end it.
    #[must_use]
    pub fn with_friendships(self, blocks_end: bool) -> Self {
        match self.friendship_adjustment(blocks_end) {
            Some((less, more)) => self.without(less).union(more),
            None => self,
        }
    }

    /// Whether the two users have a conversation.
    #[inline]
    pub const fn is_conversation(self) -> bool {
        self.0 & CONVERSATION.mask() != 0
    }

    /// Whether the peers mode of this user admits the other.
    #[inline]
    pub const fn admits(self, mode: PeersMode) -> bool {
        match mode {
            PeersMode::All => true,
            PeersMode::Paired => self.outgoing(Relation::Pair),
            PeersMode::Contacts => {
                self.outgoing(Relation::Contact) || self.outgoing(Relation::Favorite)
            }
            PeersMode::Favorites => self.outgoing(Relation::Favorite),
            PeersMode::Friends => self.outgoing(Relation::Friend),
            PeersMode::Nobody => false,
        }
    }
}

/// The ties of all users: for each user, a row of related users in order.
///
/// Every relation is in the rows of both users, so that one search in the shorter row finds the
/// whole tie. A row is its neighbors, followed by their ties, two in a word: what is looked up
/// together is contiguous. The place of each user's row is stored beside the id.
#[derive(Clone, Default, Debug)]
pub struct Ties {
    words: RowStore,
    /// The number of words of rows that are too long for a directory record, by their start.
    long: Arc<HashMap<u32, usize>>,
    /// The number of words in rows.
    in_rows: usize,
    edges: RelationMap<u64>,
    /// The number of row entries with a conversation; each conversation has two.
    conversation_entries: u64,
}

/// The place of a user's row, and a signature of its neighbors.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct AdjacencyRow {
    /// One bit for each neighbor; a bit stands for many users.
    pub(super) signature: u64,
    pub(super) start: u32,
    /// The number of words, or [`LONG`] for a longer row.
    pub(super) len: u16,
}

/// The entries of a row that is built or replaced: neighbors and ties.
pub(super) type Neighbors = Vec<(UserNumber, Tie)>;

const LONG: u16 = u16::MAX;

/// The number of neighbors up to which a row is searched linearly.
const SHORT: usize = 48;

impl AdjacencyRow {
    fn of(others: &Neighbors, start: u32, len: usize) -> Self {
        Self {
            signature: others.iter().fold(0, |all, &(other, _)| all | signature(other)),
            start,
            len: u16::try_from(len).unwrap_or(LONG),
        }
    }

    /// Whether a user may be in the row; if not, the two have no tie.
    #[inline]
    fn may_hold(self, other: UserNumber) -> bool {
        self.signature & signature(other) != 0
    }
}

#[inline]
fn signature(user: UserNumber) -> u64 {
    1 << (user.0.wrapping_mul(0x9e37_79b9) >> 26)
}

impl Ties {
    /// Builds the ties of users below `users` from at most 2^30 ties in any order; several ties
    /// between the same two users are united. Returns the row of each user as well.
    ///
    /// Costs a sort of each row.
    pub(super) fn new(
        users: u32,
        ties: impl Iterator<Item = (UserNumber, UserNumber, Tie)> + Clone,
    ) -> (Self, Vec<AdjacencyRow>) {
        let mut starts = vec![0_u32; users as usize + 1];
        for (one, other, _) in ties.clone() {
            for user in [one, other] {
                if let Some(count) = starts.get_mut(user.index() + 1) {
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
            return (Self::default(), vec![AdjacencyRow::default(); users as usize]);
        }
        let mut rows = vec![(UserNumber(0), Tie::NONE); total as usize];
        let mut free = starts.clone();
        for (one, other, tie) in ties {
            for (user, other, tie) in [(one, other, tie), (other, one, tie.reversed())] {
                if let Some(at) = free.get_mut(user.index())
                    && let Some(place) = rows.get_mut(*at as usize)
                {
                    *place = (other, tie);
                    *at += 1;
                }
            }
        }
        drop(free);
        Self::pack_rows(&starts, rows)
    }

    /// Sorts each row, unites the ties of the same two users, and packs the rows.
    fn pack_rows(starts: &[u32], mut rows: Vec<(UserNumber, Tie)>) -> (Self, Vec<AdjacencyRow>) {
        let mut ties = Self::default();
        let mut words: Vec<u32> = Vec::with_capacity(rows.len() / 2 * 3);
        let mut places = Vec::with_capacity(starts.len());
        let mut long = HashMap::new();
        let mut row = Neighbors::new();
        for ends in starts.windows(2) {
            let &[from, to] = ends else { continue };
            let sorted = rows.get_mut(from as usize..to as usize).unwrap_or_default();
            sorted.sort_unstable_by_key(|&(other, _)| other);
            row.clear();
            for &(other, tie) in &*sorted {
                match row.last_mut() {
                    Some((last, joined)) if *last == other => *joined = joined.union(tie),
                    _ => row.push((other, tie)),
                }
            }
            let begin = words.len();
            pack(&row, &mut words);
            row.iter().for_each(|&(_, tie)| ties.count(tie, true));
            let start = if row.is_empty() { 0 } else { u32::try_from(begin).unwrap_or(u32::MAX) };
            places.push(AdjacencyRow::of(&row, start, words.len() - begin));
            if words.len() - begin >= usize::from(LONG) {
                long.insert(start, words.len() - begin);
            }
        }
        words.shrink_to_fit();
        ties.in_rows = words.len();
        (Self { words: words.into(), long: Arc::new(long), ..ties }, places)
    }

    /// Adds a tie to the counts or removes it, seen from one of the two users.
    fn count(&mut self, tie: Tie, is_there: bool) {
        let step = |count: &mut u64, has: bool| {
            let one = u64::from(has);
            *count = if is_there { *count + one } else { count.saturating_sub(one) };
        };
        for (relation, count) in self.edges.iter_mut() {
            step(count, tie.outgoing(relation));
        }
        // A conversation is in both rows.
        step(&mut self.conversation_entries, tie.is_conversation());
    }

    /// Replaces a row and returns the place of the new one.
    pub(super) fn replace(&mut self, row: AdjacencyRow, others: &Neighbors) -> AdjacencyRow {
        let before: Neighbors = self.entries(row).collect();
        before.iter().for_each(|&(_, tie)| self.count(tie, false));
        others.iter().for_each(|&(_, tie)| self.count(tie, true));
        let mut words = Vec::with_capacity(others.len() / 2 * 3 + 2);
        pack(others, &mut words);
        let len = words.len();
        self.in_rows += len;
        self.in_rows -= self.words.row(row.start, self.len(row)).len();
        let start = self.words.replace(row.start, words);
        AdjacencyRow::of(others, start, len)
    }

    /// The tie of two users, seen from the first; these are their rows. Costs nothing if the
    /// signatures exclude a tie, and otherwise a search in the shorter row.
    #[inline]
    pub(super) fn between(
        &self,
        (one, mine): (UserNumber, AdjacencyRow),
        (other, theirs): (UserNumber, AdjacencyRow),
    ) -> Tie {
        if !(mine.may_hold(other) && theirs.may_hold(one)) {
            Tie::NONE
        } else if mine.len <= theirs.len {
            self.find(mine, other)
        } else {
            self.find(theirs, one).reversed()
        }
    }

    #[inline]
    pub(super) fn find(&self, row: AdjacencyRow, other: UserNumber) -> Tie {
        let (others, ties) = parts(self.words.row(row.start, self.len(row)));
        // Loads all ties, so that they are fetched while the neighbors are searched.
        if others.len() <= SHORT && ties.iter().fold(0, |all, &word| all | word) == 0 {
            return Tie::NONE;
        }
        place(others, other).map_or(Tie::NONE, |at| tie(ties, at))
    }

    /// All neighbors in a row, in order, with their ties, seen from the row's owner.
    pub(super) fn entries(
        &self,
        row: AdjacencyRow,
    ) -> impl ExactSizeIterator<Item = (UserNumber, Tie)> + '_ {
        let (others, ties) = parts(self.words.row(row.start, self.len(row)));
        others.iter().enumerate().map(|(at, &other)| (UserNumber(other), tie(ties, at)))
    }

    pub fn is_empty(&self) -> bool {
        self.in_rows == 0
    }

    /// The number of edges of a relation.
    pub fn edges(&self, relation: Relation) -> u64 {
        self.edges[relation]
    }

    /// The number of conversations.
    pub fn conversations(&self) -> u64 {
        self.conversation_entries / 2
    }

    /// The memory that the ties take in bytes, approximately.
    pub fn memory(&self) -> usize {
        self.words.memory()
    }

    #[inline]
    fn len(&self, row: AdjacencyRow) -> usize {
        if row.len == LONG {
            self.long.get(&row.start).copied().unwrap_or_default()
        } else {
            usize::from(row.len)
        }
    }
}

/// The index of a user among the neighbors of a row.
#[inline]
fn place(others: &[u32], other: UserNumber) -> Option<usize> {
    // A linear search of a short row takes less time than the dependent steps of a binary search.
    let at = if others.len() <= SHORT {
        others.iter().map(|&known| usize::from(known < other.0)).sum()
    } else {
        others.partition_point(|&known| known < other.0)
    };
    (others.get(at) == Some(&other.0)).then_some(at)
}

/// The neighbors of a row, and the words of their ties: two to each word, so that a row of n
/// neighbors has half as many words more.
#[inline]
fn parts(row: &[u32]) -> (&[u32], &[u32]) {
    row.split_at_checked(row.len() * 2 / 3).unwrap_or_default()
}

/// Appends the neighbors, followed by their ties, two in a word.
fn pack(others: &Neighbors, words: &mut Vec<u32>) {
    words.extend(others.iter().map(|&(other, _)| other.0));
    words.extend(others.chunks(2).map(|two| match *two {
        [(_, one), (_, other)] => u32::from(one.0) | u32::from(other.0) << 16,
        [(_, one)] => u32::from(one.0),
        _ => 0,
    }));
}

#[inline]
fn tie(words: &[u32], at: usize) -> Tie {
    let word = words.get(at / 2).copied().unwrap_or(0);
    let [a, b, c, d] = word.to_le_bytes();
    Tie(u16::from_le_bytes(if at.is_multiple_of(2) { [a, b] } else { [c, d] }))
}
