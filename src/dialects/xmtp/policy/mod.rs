//! Permission policies: XMTP's options and combinations, and the values of a matrix.

mod option;
mod set;
mod told;

pub(super) use option::{is_number, read};
pub(super) use set::{Permissions, read_set};
pub(super) use told::{recognised, write_set};

use super::{arguments::plain, refused::Refused};
use crate::{
    dialects::text::shown,
    facts::{Group, Permission},
    request::GroupPermission,
};

/// The types of policies: the same option has another number in each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Membership,
    Metadata,
    Permissions,
}

/// The fields of the metadata that XMTP knows, and what else than [`plain`] the SDKs call them.
const FIELDS: [(&str, &[&str]); 7] = [
    ("group_name", &["name"]),
    ("description", &["groupdescription"]),
    (
        "group_image_url_square",
        &["imageurl", "imageurlsquare", "groupimageurl", "image", "groupimage"],
    ),
    ("message_disappear_from_ns", &[]),
    ("message_disappear_in_ns", &["messagedisappearing"]),
    ("minimum_supported_protocol_version", &[]),
    ("app_data", &[]),
];

/// How long the name of a field may be, in bytes.
const LONGEST_FIELD: usize = 255;

const VERSION: &str = "minimum_supported_protocol_version";
/// The matrix that a custom set is laid over.
pub(super) const UNDER_CUSTOM: &str = "admins_only";

const APP_DATA: &str = "app_data";

/// The policies of a set that are no map, in the order in which they are looked at.
const BASE: [(&str, GroupPermission, &str); 5] = [
    ("addMemberPolicy", GroupPermission::AddMember, "add member"),
    ("removeMemberPolicy", GroupPermission::RemoveMember, "remove member"),
    ("addAdminPolicy", GroupPermission::AddAdmin, "add admin"),
    ("removeAdminPolicy", GroupPermission::RemoveAdmin, "remove admin"),
    ("updatePermissionsPolicy", GroupPermission::UpdatePermissions, "update permissions"),
];

/// A policy of a set that governs fields of the metadata.
struct FieldPolicy {
    /// What the SDKs call it; answers use the first.
    names: &'static [&'static str],
    fields: &'static [&'static str],
}

/// The policies of a set that govern fields, in the order in which they are answered.
const OF_FIELDS: [FieldPolicy; 5] = [
    FieldPolicy { names: &["updateGroupNamePolicy"], fields: &["group_name"] },
    FieldPolicy { names: &["updateGroupDescriptionPolicy"], fields: &["description"] },
    FieldPolicy {
        names: &[
            "updateGroupImagePolicy",
            "updateGroupImageUrlSquarePolicy",
            "updateGroupImageUrlPolicy",
        ],
        fields: &["group_image_url_square"],
    },
    FieldPolicy { names: &["updateMessageDisappearingPolicy"], fields: &DISAPPEARING },
    FieldPolicy { names: &["updateAppDataPolicy"], fields: &[APP_DATA] },
];

/// Of SDKs before 2025; answers leave it out.
const OF_PINNED_FRAME: FieldPolicy =
    FieldPolicy { names: &["updateGroupPinnedFrameUrlPolicy"], fields: &["pinned_frame_url"] };

/// The two fields that say when messages disappear: one setting, so one policy governs both.
const DISAPPEARING: [&str; 2] = ["message_disappear_from_ns", "message_disappear_in_ns"];

/// Whether a group has all that a custom set gives it.
pub(super) fn is_whole(group: &Group) -> bool {
    let base = BASE.iter().map(|&(_, permission, _)| Permission { permission, field: None });
    base.chain([of_field(VERSION)]).all(|it| group.permissions.contains_key(&it.to_string()))
}

impl Kind {
    pub(super) const fn of(permission: GroupPermission) -> Self {
        match permission {
            GroupPermission::AddMember | GroupPermission::RemoveMember => Self::Membership,
            GroupPermission::UpdateMetadata => Self::Metadata,
            GroupPermission::AddAdmin
            | GroupPermission::RemoveAdmin
            | GroupPermission::UpdatePermissions => Self::Permissions,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Membership => "membership",
            Self::Metadata => "metadata",
            Self::Permissions => "permissions",
        }
    }
}

/// The canonical name of a field of the metadata, whatever an SDK calls it.
fn field(name: &str) -> String {
    let wanted = plain(name);
    // What begins with an underscore is a field of its own: it is for super admins.
    let mut known = FIELDS.iter().filter(|_| !name.starts_with('_'));
    let found = known.find(|(field, others)| plain(field) == wanted || others.contains(&&*wanted));
    found.map_or_else(|| name.to_owned(), |(field, _)| (*field).to_owned())
}

fn of_field(field: &str) -> Permission {
    Permission { permission: GroupPermission::UpdateMetadata, field: Some(field.to_owned()) }
}

/// A permission and those that go with it: who may change one of the fields that say when messages
/// disappear may change the other.
pub(super) fn together(permission: Permission) -> Vec<Permission> {
    match permission.field.as_deref() {
        Some(field) if DISAPPEARING.contains(&field) => DISAPPEARING.map(of_field).into(),
        _ => vec![permission],
    }
}

/// The permission to change a field that was named in a call.
pub(super) fn named_field(name: &str, at: &str) -> Result<Permission, Refused> {
    if is_number(name) {
        let message = format!(
            "`{at}`: `{}` is a number, and no field's name; name the field, as group_name",
            shown(name)
        );
        return Err(Refused::invalid(at, message));
    }
    let is_plain = !name.is_empty() && !name.chars().any(char::is_control);
    if !is_plain || name.len() > LONGEST_FIELD {
        let message = format!(
            "`{at}`: a field's name has 1 to {LONGEST_FIELD} bytes and no control characters"
        );
        return Err(Refused::invalid(at, message));
    }
    Ok(of_field(&field(name)))
}
