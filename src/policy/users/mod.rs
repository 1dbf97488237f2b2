mod builder;
mod contradictions;
mod key;
mod merge;
mod record;
mod roster;

pub use merge::Merging;
pub use roster::{Own, Roster};

use crate::{
    diagnostic::Diagnostics,
    source::Sources,
    syntax::{ast, bulk::Bulk},
};

use super::tags::Vocabulary;
use builder::Builder;
pub(super) use builder::unknown_user;

/// What a population was made from, so that it can be told to be unchanged without reading it.
#[derive(Clone)]
pub struct Census<'k> {
    /// A digest of all that the files say about users.
    pub key: [u8; 32],
    /// The tags that users have, or that their records name, in order.
    pub tags: Vec<String>,
    /// Whether there is a user of this id.
    pub knows: &'k dyn Fn(&str) -> bool,
    /// The user who was most likely meant by an id that is nobody's.
    pub near: &'k dyn Fn(&str) -> Option<String>,
}

impl std::fmt::Debug for Census<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Census").field("key", &self.key).finish_non_exhaustive()
    }
}

/// The users of a policy.
#[derive(Debug)]
pub enum Users {
    /// What the files say of users is what this census counted.
    Unchanged([u8; 32]),
    Read(Box<Roster>),
}

/// What text files state about users, and what is to be checked of it.
pub(super) struct Stated<'a, 's> {
    pub(super) users: &'a [ast::User<'s>],
    pub(super) conversations: &'a [ast::Conversation<'s>],
    pub(super) checks: Checks,
    /// Whether it matters where they stand.
    pub(super) places: bool,
}

/// What a policy demands of users' records.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Checks {
    /// How many friends a user may have.
    pub(super) friends: Option<u32>,
    /// How many users he may block.
    pub(super) blocked: Option<u32>,
    /// Whether a user can't be a friend of one whom he blocks.
    pub(super) blocks_end_friendship: bool,
}

/// The users as far as they were read.
pub(super) enum Gathered<'v, 'k> {
    Unchanged(Census<'k>),
    Read(Box<Builder<'v>>),
}

/// Reads all records, unless `known` was made from the same.
pub(super) fn gather<'v, 'k>(
    stated: &Stated<'_, '_>,
    bulk: &[Bulk<'_>],
    sources: &Sources,
    known: Option<Census<'k>>,
    vocabulary: &'v Vocabulary,
    problems: &mut Diagnostics,
) -> Gathered<'v, 'k> {
    let key = key::key(stated, bulk, sources);
    let is_same = |census: &Census<'_>| {
        census.key == key && census.tags.iter().all(|tag| vocabulary.knows(tag))
    };
    if let Some(census) = known.filter(is_same) {
        return Gathered::Unchanged(census);
    }
    let told = problems.told();
    let mut builder = Builder::new(key, vocabulary, stated.checks);
    for user in stated.users {
        builder.add(user, problems);
    }
    for file in bulk {
        file.users(problems, &mut |user, problems| builder.add(&user, problems));
    }
    for conversation in stated.conversations {
        builder.converse(conversation, problems);
    }
    builder.finish(problems);
    if stated.places {
        builder.locate(sources);
    }
    if stated.checks.blocks_end_friendship {
        contradictions::find(&builder.roster, stated, bulk, problems);
    }
    // Records that were warned about are read each time, so that each report has the warnings.
    if problems.told() > told {
        builder.forget_key();
    }
    Gathered::Read(Box::new(builder))
}

impl Gathered<'_, '_> {
    /// Whether there is a user of this id.
    pub(super) fn knows(&self, id: &str) -> bool {
        match self {
            Self::Unchanged(census) => (census.knows)(id),
            Self::Read(builder) => builder.knows(id),
        }
    }

    /// The user who was most likely meant by an id that is nobody's.
    pub(super) fn near(&self, id: &str) -> Option<String> {
        match self {
            Self::Unchanged(census) => (census.near)(id),
            Self::Read(builder) => builder.near(id).map(str::to_owned),
        }
    }

    pub(super) fn into_users(self) -> Users {
        match self {
            Self::Unchanged(census) => Users::Unchanged(census.key),
            Self::Read(builder) => Users::Read(Box::new(builder.into_roster())),
        }
    }
}
