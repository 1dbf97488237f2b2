use std::{collections::HashMap, sync::Arc};

use super::row_store::RowStore;
use crate::request::{PeersMode, Relation};

/// What is between two users, seen from one of them: the relations both ways, and whether they have
/// a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Tie(u16);

const OUT: u16 = (1 << Relation::COUNT) - 1;
const BACK: usize = Relation::COUNT;
const TALK: u16 = 1 << (2 * Relation::COUNT);
const STATED: usize = 2 * Relation::COUNT + 1;
/// What decisions ask of it.
const EFFECTIVE: u16 = (1 << STATED) - 1;

impl Tie {
    pub const NONE: Self = Self(0);

    /// A conversation.
    pub const CONVERSATION: Self = Self(TALK);

    /// A relation to the other.
    pub const fn from_relation(relation: Relation) -> Self {
        Self(1 << relation as u32)
    }

    /// A relation to the other that a policy file states.
    pub const fn from_declared(relation: Relation) -> Self {
        Self((1 | 1 << STATED) << relation as u32)
    }

    /// Both at once.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// All of it but what the other has.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// What of it both have.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The relations to the other alone, and which of them files state.
    #[must_use]
    pub const fn outgoing_part(self) -> Self {
        Self(self.0 & (OUT | OUT << STATED))
    }

    /// The relations to the other that files state, noted as stated.
    #[must_use]
    pub const fn declared_part(self) -> Self {
        let stated = self.0 >> STATED;
        let favorite = 1 << Relation::Favorite as u32;
        // A favorite is a contact.
        let contact = (stated & favorite) >> (Relation::Favorite as u32 - Relation::Contact as u32);
        Self(stated | contact | stated << STATED)
    }

    /// Whether a file states this relation to the other; only where a row is its owner's.
    pub const fn is_declared(self, relation: Relation) -> bool {
        self.0 >> STATED & Self::from_relation(relation).0 != 0
    }

    /// Whether there is nothing between the two.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// The same seen from the other, but for what files state.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self(self.0 >> BACK & OUT | (self.0 & OUT) << BACK | self.0 & TALK)
    }

    /// Whether the one has this relation to the other.
    #[inline]
    pub const fn outgoing(self, relation: Relation) -> bool {
        self.0 & Self::from_relation(relation).0 != 0
    }

    /// Whether the other has this relation to the one.
    #[inline]
    pub const fn incoming(self, relation: Relation) -> bool {
        self.0 >> BACK & Self::from_relation(relation).0 != 0
    }

    /// What it is, in bytes that tell any two apart.
    pub fn to_bytes(self) -> [u8; 2] {
        (self.0 & EFFECTIVE).to_le_bytes()
    }

    /// What is to be taken from it and added to it, seen from its owner, so that a friendship that a
    /// file states counts: not while one blocks the other, where blocks end friendships.
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

    /// The same where blocks end friendships that files state, or where they don't.
    #[must_use]
    pub fn with_friendships(self, blocks_end: bool) -> Self {
        match self.friendship_adjustment(blocks_end) {
            Some((less, more)) => self.without(less).union(more),
            None => self,
        }
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
            PeersMode::Paired => self.outgoing(Relation::Pair),
            PeersMode::Contacts => {
                self.outgoing(Relation::Contact) || self.outgoing(Relation::Favorite)
            }
            PeersMode::Favorites => self.outgoing(Relation::Favorite),
        }
    }
}

/// What is between users: for each, all others he has to do with, in order.
///
/// Every relation stands in the rows of both users, so one search in the shorter row tells
/// everything that is between them. A row is its others, and after them their ties, two in a word:
/// what is looked up together stands together. Where each user's row stands is kept beside his id.
#[derive(Clone, Default, Debug)]
pub struct Ties {
    words: RowStore,
    /// How many words a row has that is longer than can be told beside an id, by where it starts.
    long: Arc<HashMap<u32, usize>>,
    /// How many words there are in rows.
    in_rows: usize,
    edges: [u64; Relation::COUNT],
    /// How often a conversation stands in a row: each stands in two.
    conversation_entries: u64,
}

/// Where a user's row stands, and who may be in it.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct AdjacencyRow {
    /// A bit for each of the others; one bit stands for many users.
    pub(super) signature: u64,
    pub(super) start: u32,
    /// How many words it has; of a longer one, [`LONG`].
    pub(super) len: u16,
}

/// One of a user's rows to be changed: who is in it, and what is between them.
pub(super) type Neighbors = Vec<(u32, Tie)>;

const LONG: u16 = u16::MAX;

/// How many others a row has at most that is looked through from end to end.
const SHORT: usize = 48;

impl AdjacencyRow {
    fn of(others: &Neighbors, start: u32, len: usize) -> Self {
        Self {
            signature: others.iter().fold(0, |all, &(other, _)| all | signature(other)),
            start,
            len: u16::try_from(len).unwrap_or(LONG),
        }
    }

    /// Whether a user may be in it: if not, nothing is between the two.
    #[inline]
    fn may_hold(self, other: u32) -> bool {
        self.signature & signature(other) != 0
    }
}

#[inline]
fn signature(user: u32) -> u64 {
    1 << (user.wrapping_mul(0x9e37_79b9) >> 26)
}

impl Ties {
    /// Ties of users below `users`, from what each is to another; in any order, and more than one
    /// between the same two is all of them. At most 2^30 of them. With them, the row of each user.
    ///
    /// Costs a sort of each row.
    pub(super) fn new(
        users: u32,
        ties: impl Iterator<Item = (u32, u32, Tie)> + Clone,
    ) -> (Self, Vec<AdjacencyRow>) {
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
            return (Self::default(), vec![AdjacencyRow::default(); users as usize]);
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
        Self::pack_rows(&starts, rows)
    }

    /// Sorts each row, joins what is between the same two, and packs the rows.
    fn pack_rows(starts: &[u32], mut rows: Vec<(u32, Tie)>) -> (Self, Vec<AdjacencyRow>) {
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

    /// Counts what is between two in, or out, seen from one of them.
    fn count(&mut self, tie: Tie, is_there: bool) {
        let step = |count: &mut u64, has: bool| {
            let one = u64::from(has);
            *count = if is_there { *count + one } else { count.saturating_sub(one) };
        };
        for (count, &relation) in self.edges.iter_mut().zip(Relation::ALL) {
            step(count, tie.outgoing(relation));
        }
        // A conversation stands in both rows.
        step(&mut self.conversation_entries, tie.is_conversation());
    }

    /// Puts another row in the place of one; where it stands.
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

    /// What is between two users, seen from the first, of whom these are the rows. Costs nothing if
    /// their signatures tell that there is nothing, and else a search in the shorter row.
    #[inline]
    pub(super) fn between(
        &self,
        (one, mine): (u32, AdjacencyRow),
        (other, theirs): (u32, AdjacencyRow),
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
    pub(super) fn find(&self, row: AdjacencyRow, other: u32) -> Tie {
        let (others, ties) = parts(self.words.row(row.start, self.len(row)));
        // Leaves nothing out: it has the ties fetched while the others are looked through.
        if others.len() <= SHORT && ties.iter().fold(0, |all, &word| all | word) == 0 {
            return Tie::NONE;
        }
        place(others, other).map_or(Tie::NONE, |at| tie(ties, at))
    }

    /// All others in a row, in order, and what is between them and its owner, seen from him.
    pub(super) fn entries(
        &self,
        row: AdjacencyRow,
    ) -> impl ExactSizeIterator<Item = (u32, Tie)> + '_ {
        let (others, ties) = parts(self.words.row(row.start, self.len(row)));
        others.iter().enumerate().map(|(at, &other)| (other, tie(ties, at)))
    }

    pub fn is_empty(&self) -> bool {
        self.in_rows == 0
    }

    /// How many edges of a relation there are.
    pub fn edges(&self, relation: Relation) -> u64 {
        self.edges.get(relation as usize).copied().unwrap_or(0)
    }

    /// How many conversations there are.
    pub fn conversations(&self) -> u64 {
        self.conversation_entries / 2
    }

    /// The memory that they take, about, in bytes.
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

/// Where a user stands in a row of others, if he does.
#[inline]
fn place(others: &[u32], other: u32) -> Option<usize> {
    // A short row is fetched at once, which takes less than to wait for each step of a search.
    let at = if others.len() <= SHORT {
        others.iter().map(|&known| usize::from(known < other)).sum()
    } else {
        others.partition_point(|&known| known < other)
    };
    (others.get(at) == Some(&other)).then_some(at)
}

/// The others of a row, and the words of their ties: two to each word, so a row of n others has half
/// as many words more.
#[inline]
fn parts(row: &[u32]) -> (&[u32], &[u32]) {
    row.split_at_checked(row.len() * 2 / 3).unwrap_or_default()
}

/// The others, and after them their ties, two in a word.
fn pack(others: &Neighbors, words: &mut Vec<u32>) {
    words.extend(others.iter().map(|&(other, _)| other));
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
