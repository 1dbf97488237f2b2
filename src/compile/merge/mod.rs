//! The merge of what files declare with what records say, field by field, for users and for groups.
//!
//! A field that a file declares is as the file has it; the record's value is shadowed, and returns when
//! the file no longer declares it. Every other field is as the record has it. Each field stands in one
//! list, from which the merge, the comparison of two users and the shadowed fields are derived.

mod group;
mod user;

pub(crate) use group::{
    GroupFieldValues, ShadowedGroupField, declared_group_fields, declared_role, is_in,
};
pub(crate) use user::{
    UserFieldValues, declared_user_fields, switch_setting, user_exists, user_field_name,
};
