//! The users of a policy: their statements collected and checked.

mod collector;
mod contradictions;
mod key;
mod record;
mod roster;
mod roster_builder;

pub use roster::{Roster, RosterEnd, RosterEndOf, UserOverrides};
pub use roster_builder::RosterBuilder;

use crate::{
    diagnostic::Diagnostics,
    request::{Audiences, DeclaredActions, Moment, Settings},
    source::Sources,
    syntax::{ast, bulk::BulkFile},
};

use super::{Sites, tags::Vocabulary};
use collector::UserCollector;
pub(super) use collector::unknown_user;

/// The inputs of a population, by which it is recognized as unchanged without being read.
#[derive(Clone)]
pub struct PreviousUsers<'k> {
    /// A digest of all that the files say about users.
    pub key: [u8; 32],
    /// The tags that users have, or that their records name, in order.
    pub tags: Vec<String>,
    /// Whether there is a user of this id.
    pub knows: &'k dyn Fn(&str) -> bool,
    /// The user who was most likely meant by an id that is nobody's.
    pub nearest: &'k dyn Fn(&str) -> Option<String>,
}

impl std::fmt::Debug for PreviousUsers<'_> {
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

/// The users that text files declare, and the checks that they must pass.
pub(super) struct UserStatements<'a, 's> {
    pub(super) users: &'a [ast::User<'s>],
    pub(super) conversations: &'a [ast::Conversation<'s>],
    pub(super) checks: UserChecks,
    /// The audiences that records may name.
    pub(super) audiences: &'a Audiences<String>,
    /// The actions whose switches records may set.
    pub(super) actions: &'a DeclaredActions<String>,
    pub(super) sites: Sites,
    /// The moment by which ends are judged.
    pub(super) at: Moment,
}

/// The demands of a policy on users' records.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct UserChecks {
    /// How many friends a user may have.
    pub(super) friends: Option<u32>,
    /// How many users a user may block.
    pub(super) blocked: Option<u32>,
    /// Whether a block ends a friendship.
    pub(super) blocks_end_friendship: bool,
}

impl UserChecks {
    /// The demands of a policy's settings.
    pub(super) fn of<T>(settings: &Settings<T>) -> Self {
        Self {
            friends: settings.limits.friends,
            blocked: settings.limits.blocked,
            blocks_end_friendship: settings.blocks_end_friendship,
        }
    }
}

/// The users as far as they were read.
pub(super) enum ResolvedUsers<'v, 'k> {
    Unchanged(PreviousUsers<'k>),
    Read(Box<UserCollector<'v>>),
}

/// Reads all records, unless `known` was made from the same.
pub(super) fn resolve<'v, 'k>(
    stated: &UserStatements<'v, '_>,
    bulk: &[BulkFile<'_>],
    sources: &Sources,
    known: Option<PreviousUsers<'k>>,
    vocabulary: &'v Vocabulary,
    problems: &mut Diagnostics,
) -> ResolvedUsers<'v, 'k> {
    let key = key::digest_statements(stated, bulk, sources);
    let is_same = |census: &PreviousUsers<'_>| {
        census.key == key && census.tags.iter().all(|tag| vocabulary.knows(tag))
    };
    if let Some(census) = known.filter(is_same) {
        return ResolvedUsers::Unchanged(census);
    }
    let reported_before = problems.total();
    let mut builder = UserCollector::new(key, vocabulary, stated);
    for user in stated.users {
        builder.add(user, problems);
    }
    for file in bulk {
        file.users(problems, &mut |user, problems| builder.add(&user, problems));
    }
    for conversation in stated.conversations {
        builder.add_conversation(conversation, problems);
    }
    builder.report_unknown_users(problems);
    if stated.sites == Sites::Keep {
        builder.locate(sources);
    }
    if stated.checks.blocks_end_friendship {
        contradictions::find(&builder.roster, stated, bulk, problems);
    }
    // Records that were warned about are read each time, so that each report has the warnings.
    if problems.total() > reported_before {
        builder.forget_key();
    }
    ResolvedUsers::Read(Box::new(builder))
}

impl ResolvedUsers<'_, '_> {
    /// Whether there is a user of this id.
    pub(super) fn knows(&self, id: &str) -> bool {
        match self {
            Self::Unchanged(census) => (census.knows)(id),
            Self::Read(builder) => builder.knows(id),
        }
    }

    /// The user who was most likely meant by an id that is nobody's.
    pub(super) fn nearest(&self, id: &str) -> Option<String> {
        match self {
            Self::Unchanged(census) => (census.nearest)(id),
            Self::Read(builder) => builder.nearest(id).map(str::to_owned),
        }
    }

    pub(super) fn into_users(self) -> Users {
        match self {
            Self::Unchanged(census) => Users::Unchanged(census.key),
            Self::Read(builder) => Users::Read(Box::new(builder.into_roster())),
        }
    }
}
