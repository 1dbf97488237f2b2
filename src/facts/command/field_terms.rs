//! The terms of the fields of a user, apart from the fields.

use crate::facts::{ListTerms, Terms};

/// The terms of the fields of a user.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct FieldTerms {
    /// Of friends there are none: they are among the fields of a friend.
    pub lists: ListTerms,
    pub moderation: Terms,
}
