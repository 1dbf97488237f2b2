//! The fields of a user's record.

use super::ast::{Term, User, UserFields};

/// The fields of a user's record.
pub(super) const FIELDS: &[&str] = &[
    "tags",
    "peers",
    "permissions",
    "moderation",
    "approval",
    "contacts",
    "favorites",
    "paired",
    "blocked",
    "friends",
    "accepts",
];

impl<'s> User<'s> {
    /// Sets a field that few users have, if there is a value for it.
    pub(super) fn set_field<T>(
        &mut self,
        field: impl for<'m> FnOnce(&'m mut UserFields<'s>) -> &'m mut Option<T>,
        value: Option<T>,
    ) {
        if value.is_some() {
            *field(self.more.get_or_insert_default()) = value;
        }
    }

    /// Adds terms of elements, if there are any.
    pub(super) fn add_terms(&mut self, terms: Vec<Term<'s>>) {
        if !terms.is_empty() {
            self.more.get_or_insert_default().terms.extend(terms);
        }
    }
}
