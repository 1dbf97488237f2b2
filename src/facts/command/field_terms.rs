//! The terms of the fields of a user, apart from the fields.

use std::collections::BTreeMap;

use crate::facts::{ListTerms, Terms};

/// The terms of the fields of a user.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct FieldTerms {
    /// Of friends there are none: they are among the fields of a friend.
    pub lists: ListTerms,
    pub moderation: Terms,
}

/// The terms of the fields of a group: of mutes and bans.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct GroupFieldTerms {
    pub muted: BTreeMap<String, Terms>,
    pub banned: BTreeMap<String, Terms>,
}

/// The terms that were taken out of the fields of a command.
#[derive(Clone, Default, Debug)]
pub(super) struct TakenTerms {
    pub(super) user: FieldTerms,
    pub(super) group: GroupFieldTerms,
}
