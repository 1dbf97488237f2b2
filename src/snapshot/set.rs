//! Sets of users in forms that are fast to combine, to look up, or to change.

use std::{borrow::Cow, sync::Arc};

use roaring::{MultiOps, RoaringBitmap};

use super::{UserNumber, probe_set::ProbeSet};

/// A set of users, by number: the one wrapper of roaring.
///
/// A set is a roaring bitmap while sets are combined; a set for decisions is [packed](Self::packed)
/// into a form in which a lookup is one access to memory. The form does not matter for equality. A
/// clone shares the memory.
#[derive(Clone, Debug)]
pub struct UserSet {
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    Roaring(Arc<RoaringBitmap>),
    /// Few members, or few others: beside the bitmap, a hash set of the members, or of the others
    /// `below` a number.
    Few {
        bitmap: Arc<RoaringBitmap>,
        few: ProbeSet,
        are_members: bool,
        below: u32,
    },
    /// Bit `i % 8` of byte `i / 8` says whether `i` is a member.
    Plain {
        bytes: Arc<[u8]>,
        len: u64,
    },
    /// A packed set with changes, which are stored one by one.
    Changed {
        packed: Arc<UserSet>,
        users: Arc<Changes>,
        len: u64,
    },
}

/// Users in order, and whether each is a member.
type Changes = Vec<(UserNumber, bool)>;

/// The number of members up to which a set is packed at once.
const FEW: u64 = 2048;

/// The number of changes up to which a packed set is not packed again.
const MOST_CHANGES: usize = 256;

impl Default for UserSet {
    fn default() -> Self {
        Self::from(RoaringBitmap::new())
    }
}

impl From<RoaringBitmap> for UserSet {
    fn from(bitmap: RoaringBitmap) -> Self {
        Self { form: Form::Roaring(Arc::new(bitmap)) }
    }
}

impl FromIterator<UserNumber> for UserSet {
    fn from_iter<I: IntoIterator<Item = UserNumber>>(users: I) -> Self {
        users.into_iter().map(|user| user.0).collect::<RoaringBitmap>().into()
    }
}

impl PartialEq for UserSet {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && *self.bitmap() == *other.bitmap()
    }
}

impl Eq for UserSet {}

impl UserSet {
    /// The set of users with these numbers, in order and without repetition.
    pub fn from_sorted(users: impl Iterator<Item = UserNumber> + Clone) -> Self {
        let numbers = users.map(|user| user.0);
        RoaringBitmap::from_sorted_iter(numbers.clone())
            .unwrap_or_else(|_| numbers.collect())
            .into()
    }

    /// The set of all users with numbers below `count`.
    pub fn first(count: u32) -> Self {
        let mut bitmap = RoaringBitmap::new();
        bitmap.insert_range(0..count);
        bitmap.into()
    }

    /// Whether a user is a member. Costs about one access to memory for a packed set, some more for
    /// another.
    #[inline]
    pub fn contains(&self, user: UserNumber) -> bool {
        match &self.form {
            Form::Plain { bytes, .. } => {
                bytes.get(user.index() / 8).is_some_and(|byte| byte >> (user.0 % 8) & 1 == 1)
            }
            Form::Few { few, are_members, below, .. } => {
                few.contains(user.0) == *are_members && user.0 < *below
            }
            Form::Roaring(bitmap) => bitmap.contains(user.0),
            Form::Changed { packed, users, .. } => contains_changed(packed, users, user),
        }
    }

    /// The number of members. Costs at most a look at each container.
    pub fn len(&self) -> u64 {
        match &self.form {
            Form::Plain { len, .. } | Form::Changed { len, .. } => *len,
            Form::Few { bitmap, .. } | Form::Roaring(bitmap) => bitmap.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        match &self.form {
            Form::Plain { len, .. } | Form::Changed { len, .. } => *len == 0,
            Form::Few { bitmap, .. } | Form::Roaring(bitmap) => bitmap.is_empty(),
        }
    }

    /// The members in order, from the first that is not below `from`. Costs nothing for those
    /// before it.
    pub fn iter_from(&self, from: UserNumber) -> impl Iterator<Item = UserNumber> + '_ {
        let bitmap = self.bitmap();
        match bitmap {
            Cow::Borrowed(bitmap) => Members::Borrowed(bitmap.range(from.0..)),
            Cow::Owned(mut bitmap) => {
                bitmap.remove_range(..from.0);
                Members::Owned(bitmap.into_iter())
            }
        }
    }

    /// The members in order.
    pub fn iter(&self) -> impl Iterator<Item = UserNumber> + '_ {
        self.iter_from(UserNumber(0))
    }

    /// The members as bits of all users below a number, 64 users to a word with the first in the
    /// lowest bit. Costs a copy for a packed set, and otherwise a look at each member.
    pub fn words(&self, users: u32) -> Vec<u64> {
        let mut words = vec![0_u64; (users as usize).div_ceil(64)];
        match &self.form {
            Form::Plain { bytes, .. } => {
                for (word, bytes) in words.iter_mut().zip(bytes.chunks(8)) {
                    let mut eight = [0; 8];
                    eight.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
                    *word = u64::from_le_bytes(eight);
                }
            }
            Form::Few { few, are_members: false, below, .. } => {
                for (at, word) in (0_u32..).step_by(64).zip(&mut words) {
                    *word = first_bits(below.saturating_sub(at));
                }
                few.iter().for_each(|user| flip(&mut words, user));
            }
            Form::Few { few, .. } => few.iter().for_each(|user| flip(&mut words, user)),
            Form::Roaring(bitmap) => bitmap.iter().for_each(|user| flip(&mut words, user)),
            Form::Changed { packed, users: changed, .. } => {
                words = packed.words(users);
                changed.iter().for_each(|&(user, _)| flip(&mut words, user.0));
            }
        }
        words
    }

    /// The union of any number of sets. Costs a pass over each.
    pub fn union<'s>(sets: impl IntoIterator<Item = &'s Self>) -> Self {
        let bitmaps: Vec<_> = sets.into_iter().map(Self::bitmap).collect();
        bitmaps.iter().map(|bitmap| &**bitmap).union().into()
    }

    /// The intersection of any number of sets; empty without sets.
    pub fn intersection<'s>(sets: impl IntoIterator<Item = &'s Self>) -> Self {
        let bitmaps: Vec<_> = sets.into_iter().map(Self::bitmap).collect();
        bitmaps.iter().map(|bitmap| &**bitmap).intersection().into()
    }

    /// The members of `self` that are not members of `other`.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        (&*self.bitmap() - &*other.bitmap()).into()
    }

    /// Adds all members of `other`.
    pub fn insert_all(&mut self, other: &Self) {
        let mut bitmap = std::mem::take(self).into_bitmap();
        bitmap |= &*other.bitmap();
        *self = bitmap.into();
    }

    /// The same set in the form with the fastest lookup; `users` is the number of users, and all
    /// members are below it. Takes at most one bit for each user, and some bytes for each of a few
    /// members or a few others.
    #[must_use]
    pub fn packed(self, users: u32) -> Self {
        let mut bitmap = self.into_bitmap();
        bitmap.optimize();
        let plain_bytes = users as usize / 8 + 1;
        let members = bitmap.len();
        let others = u64::from(users).saturating_sub(members);
        let few = members.min(others);
        if ProbeSet::bytes(few) + bitmap.serialized_size() as u64 <= plain_bytes as u64 {
            let are_members = members <= others;
            let few = if are_members {
                ProbeSet::new(bitmap.iter(), members)
            } else {
                let everyone = Self::first(users).into_bitmap();
                ProbeSet::new((everyone - &bitmap).iter(), others)
            };
            let form = Form::Few { bitmap: Arc::new(bitmap), few, are_members, below: users };
            return Self { form };
        }
        let mut bytes = vec![0_u8; plain_bytes];
        for user in &bitmap {
            if let Some(byte) = bytes.get_mut(user as usize / 8) {
                *byte |= 1 << (user % 8);
            }
        }
        Self { form: Form::Plain { bytes: bytes.into(), len: members } }
    }

    /// The memory that the set takes in bytes, approximately.
    pub fn memory(&self) -> usize {
        size_of::<Self>()
            + match &self.form {
                Form::Plain { bytes, .. } => bytes.len(),
                Form::Few { bitmap, few, .. } => bitmap.serialized_size() + few.memory(),
                Form::Roaring(bitmap) => bitmap.serialized_size(),
                Form::Changed { packed, users, .. } => packed.memory() + size_of_val(&***users),
            }
    }

    /// Adds or removes users, given in order and each once; `below` is the number of users.
    ///
    /// A packed set stays packed: it costs these users and those changed before, until there are so
    /// many that it is packed again. Another costs a pass over it if its memory is shared.
    pub fn apply_changes(&mut self, changes: &[(UserNumber, bool)], below: u32) {
        let changes: Changes =
            changes.iter().copied().filter(|&(user, is_in)| self.contains(user) != is_in).collect();
        if changes.is_empty() {
            return;
        }
        if let Form::Roaring(bitmap) = &mut self.form {
            apply(Arc::make_mut(bitmap), &changes);
            return;
        }
        let joined = changes.iter().filter(|&&(_, is_in)| is_in).count() as u64;
        let len = self.len() + joined - (changes.len() as u64 - joined);
        let (packed, mut users) = match std::mem::take(self).form {
            Form::Changed { packed, users, .. } => (packed, Arc::unwrap_or_clone(users)),
            form => (Arc::new(Self { form }), Changes::new()),
        };
        // Changing a user a second time restores what is packed.
        if changes.len() < MOST_CHANGES {
            for one in changes {
                match users.binary_search_by_key(&one.0, |&(user, _)| user) {
                    Ok(at) => {
                        users.remove(at);
                    }
                    Err(at) => users.insert(at, one),
                }
            }
        } else {
            users = symmetric_difference(&users, &changes);
        }
        *self = match &packed.form {
            _ if users.len() <= MOST_CHANGES => {
                Self { form: Form::Changed { packed, users: Arc::new(users), len } }
            }
            Form::Plain { bytes, .. } => Self::plain(bytes, &users, len),
            Form::Few { .. } | Form::Roaring(_) | Form::Changed { .. } => {
                Self { form: Form::Changed { packed, users: Arc::new(users), len } }.packed(below)
            }
        };
    }

    /// A plain set with some changes applied. Costs a copy of it.
    fn plain(bytes: &[u8], changes: &[(UserNumber, bool)], len: u64) -> Self {
        let mut bytes = bytes.to_vec();
        for &(user, is_in) in changes {
            let at = user.index() / 8;
            if at >= bytes.len() {
                bytes.resize(at + 1, 0);
            }
            if let Some(byte) = bytes.get_mut(at) {
                let bit = 1 << (user.0 % 8);
                *byte = if is_in { *byte | bit } else { *byte & !bit };
            }
        }
        Self { form: Form::Plain { bytes: bytes.into(), len } }
    }

    /// The same set [packed](Self::packed) if that is cheap, as it is for few members. Otherwise
    /// lookups are slower until the set is packed later.
    #[must_use]
    pub fn packed_if_few(self, users: u32) -> Self {
        if self.len() <= FEW { self.packed(users) } else { self }
    }

    /// The same set, [packed](Self::packed) if it is not.
    #[must_use]
    pub fn repacked(self, users: u32) -> Self {
        if matches!(self.form, Form::Roaring(_)) { self.packed(users) } else { self }
    }

    /// The same set in the form with the fastest [iteration](Self::iter_from).
    #[must_use]
    pub fn unpacked(self) -> Self {
        match self.form {
            Form::Few { .. } | Form::Roaring(_) => self,
            Form::Plain { .. } | Form::Changed { .. } => self.into_bitmap().into(),
        }
    }

    fn bitmap(&self) -> Cow<'_, RoaringBitmap> {
        match &self.form {
            Form::Few { bitmap, .. } | Form::Roaring(bitmap) => Cow::Borrowed(bitmap),
            Form::Plain { bytes, .. } => Cow::Owned(RoaringBitmap::from_lsb0_bytes(0, bytes)),
            Form::Changed { packed, users, .. } => {
                let mut bitmap = packed.bitmap().into_owned();
                apply(&mut bitmap, users);
                Cow::Owned(bitmap)
            }
        }
    }

    fn into_bitmap(self) -> RoaringBitmap {
        match self.form {
            Form::Few { bitmap, .. } | Form::Roaring(bitmap) => Arc::unwrap_or_clone(bitmap),
            Form::Plain { bytes, .. } => RoaringBitmap::from_lsb0_bytes(0, &bytes),
            Form::Changed { packed, users, .. } => {
                let mut bitmap = Arc::unwrap_or_clone(packed).into_bitmap();
                apply(&mut bitmap, &users);
                bitmap
            }
        }
    }
}

/// Whether a user is a member of a packed set with changes.
#[cold]
fn contains_changed(packed: &UserSet, changes: &Changes, user: UserNumber) -> bool {
    let at = changes.binary_search_by_key(&user, |&(changed, _)| changed);
    match at.ok().and_then(|at| changes.get(at)) {
        Some(&(_, is_member)) => is_member,
        None => packed.contains(user),
    }
}

/// The changes of users who are in one list only, in order; both lists are in order too.
fn symmetric_difference(a: &[(UserNumber, bool)], b: &[(UserNumber, bool)]) -> Changes {
    let is_in = |list: &[(UserNumber, bool)], user: UserNumber| {
        list.binary_search_by_key(&user, |one| one.0).is_ok()
    };
    let only_a = a.iter().filter(|one| !is_in(b, one.0));
    let only_b = b.iter().filter(|one| !is_in(a, one.0));
    let mut changes: Changes = only_a.chain(only_b).copied().collect();
    changes.sort_unstable_by_key(|one| one.0);
    changes
}

fn apply(bitmap: &mut RoaringBitmap, changes: &[(UserNumber, bool)]) {
    for &(user, is_in) in changes {
        if is_in {
            bitmap.insert(user.0);
        } else {
            bitmap.remove(user.0);
        }
    }
}

fn flip(words: &mut [u64], user: u32) {
    if let Some(word) = words.get_mut(user as usize / 64) {
        *word ^= 1 << (user % 64);
    }
}

/// A word with this many of the lowest bits set, or with all bits.
fn first_bits(count: u32) -> u64 {
    if count < 64 { (1 << count) - 1 } else { u64::MAX }
}

enum Members<'s> {
    Borrowed(roaring::bitmap::Iter<'s>),
    Owned(roaring::bitmap::IntoIter),
}

impl Iterator for Members<'_> {
    type Item = UserNumber;

    fn next(&mut self) -> Option<UserNumber> {
        match self {
            Self::Borrowed(members) => members.next().map(UserNumber),
            Self::Owned(members) => members.next().map(UserNumber),
        }
    }
}
