use std::ops::Range;

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
/// everything that is between them. A row is its others, and after them their ties, two in a word:
/// what is looked up together stands together.
#[derive(Clone, Default, Debug)]
pub struct Ties {
    /// Where each user's row starts, and where the last one ends; empty if there are no ties.
    starts: Box<[u32]>,
    words: Box<[u32]>,
    edges: [u64; Relation::COUNT],
    conversations: u64,
}

/// Where a user's row stands, and who may be in it.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Row {
    /// A bit for each of the others; one bit stands for many users.
    pub(super) signature: u64,
    pub(super) start: u32,
    /// How many words it has; of a longer one, [`LONG`].
    pub(super) len: u16,
}

const LONG: u16 = u16::MAX;

/// How many others a row has at most that is looked through from end to end.
const SHORT: usize = 48;

impl Row {
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
    /// between the same two is all of them. At most 2^30 of them.
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
        Self::packed(starts, rows)
    }

    /// Sorts each row, joins what is between the same two, and packs the rows.
    fn packed(mut starts: Vec<u32>, mut rows: Vec<(u32, Tie)>) -> Self {
        let mut words: Vec<u32> = Vec::with_capacity(rows.len() / 2 * 3);
        let mut edges = [0; Relation::COUNT];
        let mut conversations = 0;
        let mut from = 0_usize;
        for at in 1..starts.len() {
            let to = starts.get(at).map_or(from, |&to| to as usize);
            let row = rows.get_mut(from..to).unwrap_or_default();
            row.sort_unstable_by_key(|&(other, _)| other);
            let begin = words.len();
            let mut ties: Vec<Tie> = Vec::with_capacity(row.len());
            for &(other, tie) in &*row {
                match ties.last_mut() {
                    Some(last) if words.last() == Some(&other) && words.len() > begin => {
                        *last = last.and(tie);
                    }
                    _ => {
                        words.push(other);
                        ties.push(tie);
                    }
                }
            }
            for &tie in &ties {
                for (count, &relation) in edges.iter_mut().zip(Relation::ALL) {
                    *count += u64::from(tie.to(relation));
                }
                conversations += u64::from(tie.is_conversation());
            }
            words.extend(ties.chunks(2).map(|two| match *two {
                [one, other] => u32::from(one.0) | u32::from(other.0) << 16,
                [one] => u32::from(one.0),
                _ => 0,
            }));
            from = to;
            if let Some(start) = starts.get_mut(at) {
                *start = u32::try_from(words.len()).unwrap_or(u32::MAX);
            }
        }
        words.shrink_to_fit();
        let conversations = conversations / 2;
        Self { starts: starts.into(), words: words.into(), edges, conversations }
    }

    /// Where a user's row stands, to be kept beside his id.
    pub(super) fn row(&self, user: u32) -> Row {
        let range = self.range(user);
        Row {
            signature: self.of(user).fold(0, |all, (other, _)| all | signature(other)),
            start: u32::try_from(range.start).unwrap_or(u32::MAX),
            len: u16::try_from(range.len()).unwrap_or(LONG),
        }
    }

    /// What is between two users, seen from the first, of whom these are the rows. Costs nothing if
    /// their signatures tell that there is nothing, and else a search in the shorter row.
    #[inline]
    pub(super) fn between(&self, (one, mine): (u32, Row), (other, theirs): (u32, Row)) -> Tie {
        if !(mine.may_hold(other) && theirs.may_hold(one)) {
            Tie::NONE
        } else if mine.len <= theirs.len {
            self.find(one, mine, other)
        } else {
            self.find(other, theirs, one).reversed()
        }
    }

    #[inline]
    fn find(&self, user: u32, row: Row, other: u32) -> Tie {
        let start = row.start as usize;
        let range =
            if row.len == LONG { self.range(user) } else { start..start + usize::from(row.len) };
        let (others, ties) = parts(self.words.get(range).unwrap_or_default());
        // Leaves nothing out: it has the ties fetched while the others are looked through.
        if others.len() <= SHORT && ties.iter().fold(0, |all, &word| all | word) == 0 {
            return Tie::NONE;
        }
        place(others, other).map_or(Tie::NONE, |at| tie(ties, at))
    }

    /// All others with whom a user has to do, in order, and what is between them, seen from him.
    pub fn of(&self, user: u32) -> impl ExactSizeIterator<Item = (u32, Tie)> + '_ {
        let (others, ties) = parts(self.words.get(self.range(user)).unwrap_or_default());
        others.iter().enumerate().map(|(at, &other)| (other, tie(ties, at)))
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// How many edges of a relation there are.
    pub fn edges(&self, relation: Relation) -> u64 {
        self.edges.get(relation as usize).copied().unwrap_or(0)
    }

    /// How many conversations there are.
    pub fn conversations(&self) -> u64 {
        self.conversations
    }

    /// The memory of what is between users alone, without where each user's row starts.
    pub fn rows_memory(&self) -> usize {
        size_of_val(&*self.words)
    }

    /// The memory that they take, about, in bytes.
    pub fn memory(&self) -> usize {
        size_of_val(&*self.starts) + size_of_val(&*self.words)
    }

    #[inline]
    fn range(&self, user: u32) -> Range<usize> {
        let at = user as usize;
        match self.starts.get(at..at.saturating_add(2)) {
            Some(&[start, end]) => start as usize..end as usize,
            _ => 0..0,
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

#[inline]
fn tie(words: &[u32], at: usize) -> Tie {
    let word = words.get(at / 2).copied().unwrap_or(0);
    let [a, b, c, d] = word.to_le_bytes();
    Tie(u16::from_le_bytes(if at.is_multiple_of(2) { [a, b] } else { [c, d] }))
}
