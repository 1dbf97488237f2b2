//! The audiences that users' own records name, by the setting that names them.

use super::{UserNumber, UserSet};
use crate::request::AudienceSlot;

/// For each setting and each audience that records name for it, the users whose records do.
///
/// The audiences are names: which conditions they stand for is the policy's to say.
#[derive(Clone, Default, Debug)]
pub struct OwnAudiences {
    /// In the order of settings and names; each user is in at most one set of a setting.
    all: Vec<OwnAudience>,
}

/// The users whose records name one audience for one setting.
#[derive(Clone, Debug)]
pub struct OwnAudience {
    pub slot: AudienceSlot,
    pub name: String,
    pub users: UserSet,
}

impl OwnAudiences {
    /// Builds the sets from the entries of records, each of a user and a setting once.
    pub fn new(entries: impl IntoIterator<Item = (UserNumber, AudienceSlot, String)>) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        entries.sort_unstable_by(|one, other| {
            (&one.1, &one.2, one.0).cmp(&(&other.1, &other.2, other.0))
        });
        let chunks = entries.chunk_by(|one, other| (&one.1, &one.2) == (&other.1, &other.2));
        let all = chunks.filter_map(|entries| {
            let (_, slot, name) = entries.first()?;
            let users = entries.iter().map(|&(user, ..)| user).collect();
            Some(OwnAudience { slot: slot.clone(), name: name.clone(), users })
        });
        Self { all: all.collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The audiences that records name for a setting, with the users whose records do.
    #[inline]
    pub fn of_slot(&self, slot: &AudienceSlot) -> &[OwnAudience] {
        let from = self.all.partition_point(|it| it.slot < *slot);
        let rest = self.all.get(from..).unwrap_or_default();
        let count = rest.partition_point(|it| it.slot == *slot);
        rest.get(..count).unwrap_or_default()
    }

    /// The audience that a user's record names for a setting. Costs a look at each audience that records name
    /// for it.
    #[inline]
    pub fn get(&self, user: UserNumber, slot: &AudienceSlot) -> Option<&str> {
        let mut named = self.of_slot(slot).iter();
        named.find(|it| it.users.contains(user)).map(|it| it.name.as_str())
    }

    /// The entries of a user's record, in the order of settings. Costs a look at each set.
    pub fn of_user(&self, user: UserNumber) -> impl Iterator<Item = (&AudienceSlot, &str)> {
        let named = self.all.iter().filter(move |it| it.users.contains(user));
        named.map(|it| (&it.slot, it.name.as_str()))
    }

    /// All sets, in the order of settings and names.
    pub fn iter(&self) -> impl Iterator<Item = &OwnAudience> {
        self.all.iter()
    }

    /// Replaces the entries of a user's record; `below` is the number of users. Costs a look at each set.
    pub(super) fn set(&mut self, user: UserNumber, entries: &[(AudienceSlot, String)], below: u32) {
        for it in &mut self.all {
            let names =
                |(slot, name): &(AudienceSlot, String)| *slot == it.slot && *name == it.name;
            let is_in = entries.iter().any(names);
            if it.users.contains(user) != is_in {
                it.users.apply_changes(&[(user, is_in)], below);
            }
        }
        for (slot, name) in entries {
            let key = (slot, name.as_str());
            let at = self.all.binary_search_by(|it| (&it.slot, it.name.as_str()).cmp(&key));
            if let Err(at) = at {
                let users = [user].into_iter().collect();
                self.all.insert(at, OwnAudience { slot: slot.clone(), name: name.clone(), users });
            }
        }
        self.all.retain(|it| !it.users.is_empty());
    }

    pub(super) fn memory(&self) -> usize {
        self.all.iter().map(|it| size_of::<OwnAudience>() + it.users.memory()).sum()
    }
}
