//! The parts of records that files shadow: the declaration counts, and the record's value returns when
//! the file no longer declares it.

use uuid::Uuid;

use super::merge::{GroupFieldValues, ShadowedGroupField, UserFieldValues, user_field_name};
use crate::{
    facts::{GroupRecord, UserRecord},
    policy::PolicyGroup,
    request::DeclaredFields,
};

/// A part of a record that a file declares too, so that the record's value does not count.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ShadowedFact {
    /// A field of a user: the user's id and the field's name.
    User(String, String),
    /// A field of a group: the group's id and the field's name.
    Group(String, &'static str),
    /// A member of a group who has another role by the record: the group's id and the user's.
    Member(String, String),
    Rule(Uuid),
}

impl ShadowedFact {
    /// The parts of a user's record that files shadow, which declare these fields of the user.
    pub(super) fn of_user(id: &str, record: &UserRecord, declared: DeclaredFields) -> Vec<Self> {
        let fields = UserFieldValues::from_record(record);
        let shadowed = fields.shadowed_by(declared);
        shadowed.map(|field| Self::User(id.to_owned(), user_field_name(field))).collect()
    }

    /// The parts of a group's record that a file shadows.
    pub(super) fn of_group(
        id: &str,
        record: &GroupRecord,
        declared: &PolicyGroup,
    ) -> impl Iterator<Item = Self> {
        GroupFieldValues::shadowed(declared, record).map(move |field| match field {
            ShadowedGroupField::Field(name) => Self::Group(id.to_owned(), name),
            ShadowedGroupField::Member(user) => Self::Member(id.to_owned(), user.to_owned()),
        })
    }
}
