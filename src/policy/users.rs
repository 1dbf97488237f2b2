use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use sha2::{Digest, Sha256};
use smallvec::SmallVec;

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    request::check_id,
    source::{Sources, Span},
    syntax::{ast, bulk::Bulk},
};

use super::tags::Vocabulary;

/// What a population was made from, so that it can be told to be unchanged without reading it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Census {
    /// A digest of all that the files say about users.
    pub key: [u8; 32],
    /// The tags that users have, in order.
    pub tags: Vec<String>,
}

/// The users of a policy.
#[derive(Debug)]
pub enum Users {
    /// What the files say of users is what this census counted.
    Unchanged([u8; 32]),
    Read(Roster),
}

/// All users with their tags, in columns: a million of them take some tens of bytes each.
#[derive(Debug, Default)]
pub struct Roster {
    pub key: [u8; 32],
    ids: String,
    /// Where each id ends in `ids`.
    ends: Vec<usize>,
    /// For each user, which of `sets`.
    set_of: Vec<u32>,
    /// The distinct tag sets, one after the other; each is in order and without repetition.
    sets: Vec<u32>,
    set_ends: Vec<usize>,
    /// The names of the tags, by number, in the order in which they were met.
    tags: Vec<String>,
}

impl Roster {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The id of the user of this number; users are numbered as they were met.
    pub fn id(&self, user: usize) -> &str {
        slice(&self.ids, &self.ends, user)
    }

    /// Which distinct tag set each user has.
    pub fn set_of(&self) -> &[u32] {
        &self.set_of
    }

    /// The distinct tag sets, as numbers of `tags`.
    pub fn sets(&self) -> impl ExactSizeIterator<Item = &[u32]> {
        (0..self.set_ends.len()).map(|set| list(&self.sets, &self.set_ends, set))
    }

    /// The names of the tags that users have.
    pub fn tags(&self) -> &[String] {
        &self.tags
    }
}

fn slice<'t>(text: &'t str, ends: &[usize], at: usize) -> &'t str {
    let start = at.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
    ends.get(at).and_then(|&end| text.get(start..end)).unwrap_or_default()
}

fn list<'l>(values: &'l [u32], ends: &[usize], at: usize) -> &'l [u32] {
    let start = at.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
    ends.get(at).and_then(|&end| values.get(start..end)).unwrap_or_default()
}

pub(super) fn resolve(
    stated: &[ast::User<'_>],
    bulk: &[Bulk<'_>],
    sources: &Sources,
    known: Option<Census>,
    vocabulary: &Vocabulary,
    problems: &mut Diagnostics,
) -> Users {
    let key = key(stated, bulk, sources);
    if known.is_some_and(|census| {
        census.key == key && census.tags.iter().all(|tag| vocabulary.knows(tag))
    }) {
        return Users::Unchanged(key);
    }
    let mut builder = Builder::new(vocabulary);
    for user in stated {
        builder.add(user, problems);
    }
    for file in bulk {
        file.users(problems, &mut |user, problems| builder.add(&user, problems));
    }
    Users::Read(Roster { key, ..builder.roster })
}

/// A digest of what the files say about users. It may differ for files that say the same in other
/// words, never agree for files that say something else.
fn key(stated: &[ast::User<'_>], bulk: &[Bulk<'_>], sources: &Sources) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    for user in stated {
        part(user.id.value.as_bytes());
        let tags = user.tags.as_ref().map_or(&[][..], |tags| &tags.value);
        part(&(tags.len() as u64).to_le_bytes());
        tags.iter().for_each(|tag| part(tag.value.as_bytes()));
    }
    part(b"bulk");
    for source in bulk.iter().filter_map(|file| sources.get(file.id)) {
        part(&[source.notation as u8]);
        part(&source.digest());
    }
    hash.finalize().into()
}

/// Gathers users one by one; finds those that are defined twice and gives equal tag sets one number.
struct Builder<'v> {
    roster: Roster,
    vocabulary: &'v Vocabulary,
    places: Vec<Span>,
    hasher: RandomState,
    by_id: HashTable<u32>,
    by_tag: HashTable<u32>,
    by_set: HashTable<u32>,
}

impl<'v> Builder<'v> {
    fn new(vocabulary: &'v Vocabulary) -> Self {
        Self {
            roster: Roster::default(),
            vocabulary,
            places: Vec::new(),
            hasher: RandomState::default(),
            by_id: HashTable::new(),
            by_tag: HashTable::new(),
            by_set: HashTable::new(),
        }
    }

    fn add(&mut self, user: &ast::User<'_>, problems: &mut Diagnostics) {
        let mut tags: SmallVec<[u32; 16]> = SmallVec::new();
        for tag in user.tags.iter().flat_map(|tags| &tags.value) {
            match self.tag(tag) {
                Ok(tag) => tags.push(tag),
                Err(problem) => problems.push(problem),
            }
        }
        tags.sort_unstable();
        tags.dedup();
        let id = &*user.id.value;
        if let Err(error) = check_id(id) {
            problems.push(Diagnostic::error(Code::InvalidId, user.id.span, error.to_string()));
            return;
        }
        let Ok(number) = u32::try_from(self.roster.len()) else {
            problems.push(Diagnostic::error(
                Code::TooLarge,
                user.id.span,
                "more than 4,294,967,295 users",
            ));
            return;
        };
        let (roster, hasher) = (&self.roster, &self.hasher);
        let hash = hasher.hash_one(id);
        if let Some(&first) = self.by_id.find(hash, |&other| roster.id(other as usize) == id) {
            let problem = Diagnostic::error(
                Code::DuplicateUser,
                user.id.span,
                format!("the user `{id}` is defined twice"),
            );
            problems.push(match self.places.get(first as usize) {
                Some(&first) => problem.also(first, "first defined here"),
                None => problem,
            });
            return;
        }
        self.roster.ids.push_str(id);
        self.roster.ends.push(self.roster.ids.len());
        self.places.push(user.id.span);
        let set = self.set(&tags);
        self.roster.set_of.push(set);
        let (roster, hasher) = (&self.roster, &self.hasher);
        self.by_id.insert_unique(hash, number, |&user| hasher.hash_one(roster.id(user as usize)));
    }

    fn tag(&mut self, tag: &ast::Text<'_>) -> Result<u32, Diagnostic> {
        let (roster, hasher) = (&self.roster, &self.hasher);
        let name = |number: u32| roster.tags.get(number as usize).map_or("", String::as_str);
        let hash = hasher.hash_one(&*tag.value);
        if let Some(&known) = self.by_tag.find(hash, |&other| name(other) == tag.value) {
            return Ok(known);
        }
        let bound = self.vocabulary.bind(tag)?;
        let number = u32::try_from(roster.tags.len()).unwrap_or(u32::MAX);
        self.by_tag.insert_unique(hash, number, |&other| hasher.hash_one(name(other)));
        self.roster.tags.push(bound);
        Ok(number)
    }

    /// The number of a tag set: users with the same tags are of one class.
    fn set(&mut self, tags: &[u32]) -> u32 {
        let (roster, hasher) = (&self.roster, &self.hasher);
        let members = |set: u32| list(&roster.sets, &roster.set_ends, set as usize);
        let hash = hasher.hash_one(tags);
        if let Some(&known) = self.by_set.find(hash, |&other| members(other) == tags) {
            return known;
        }
        let number = u32::try_from(roster.set_ends.len()).unwrap_or(u32::MAX);
        self.by_set.insert_unique(hash, number, |&other| hasher.hash_one(members(other)));
        self.roster.sets.extend_from_slice(tags);
        self.roster.set_ends.push(self.roster.sets.len());
        number
    }
}
