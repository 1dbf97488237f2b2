//! Permission policies: XMTP's options and combinations, and the values of a matrix.

mod option;
mod render;
mod set;

pub(super) use option::{is_number, parse_policy};
pub(super) use render::{preset_name, render_set};
pub(super) use set::{PermissionValues, parse_set};

use super::{arguments::normalize_name, error::XmtpError};
use crate::{
    facts::{GroupRecord, PermissionKey},
    request::GroupPermission,
    wire::excerpt,
};

/// The types of policies: the same option has another number in each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum PolicyKind {
    Membership,
    Metadata,
    Permissions,
}

/// The fields of the metadata that XMTP knows, and what else than [`normalize_name`] the SDKs call them.
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
const FIELD_POLICIES: [FieldPolicy; 5] = [
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
const PINNED_FRAME_POLICY: FieldPolicy =
    FieldPolicy { names: &["updateGroupPinnedFrameUrlPolicy"], fields: &["pinned_frame_url"] };

/// The two fields that say when messages disappear: one setting, so one policy governs both.
const DISAPPEARING: [&str; 2] = ["message_disappear_from_ns", "message_disappear_in_ns"];

/// Whether a group has all that a custom set gives it.
pub(super) fn has_custom_set(group: &GroupRecord) -> bool {
    let base = BASE.iter().map(|&(_, permission, _)| PermissionKey { permission, field: None });
    base.chain([metadata_permission(VERSION)])
        .all(|it| group.permissions.contains_key(&it.to_string()))
}

impl PolicyKind {
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
    let wanted = normalize_name(name);
    // What begins with an underscore is a field of its own: it is for super admins.
    let mut known = FIELDS.iter().filter(|_| !name.starts_with('_'));
    let found =
        known.find(|(field, others)| normalize_name(field) == wanted || others.contains(&&*wanted));
    found.map_or_else(|| name.to_owned(), |(field, _)| (*field).to_owned())
}

fn metadata_permission(field: &str) -> PermissionKey {
    PermissionKey { permission: GroupPermission::UpdateMetadata, field: Some(field.to_owned()) }
}

/// A permission and those that go with it: who may change one of the fields that say when messages
/// disappear may change the other.
pub(super) fn joined_permissions(permission: PermissionKey) -> Vec<PermissionKey> {
    match permission.field.as_deref() {
        Some(field) if DISAPPEARING.contains(&field) => {
            DISAPPEARING.map(metadata_permission).into()
        }
        _ => vec![permission],
    }
}

/// The permission to change a field that was named in a call.
pub(super) fn named_field(name: &str, at: &str) -> Result<PermissionKey, XmtpError> {
    if is_number(name) {
        let message = format!(
            "`{at}`: `{}` is a number, and no field's name; name the field, as group_name",
            excerpt(name)
        );
        return Err(XmtpError::invalid(at, message));
    }
    let is_plain = !name.is_empty() && !name.chars().any(char::is_control);
    if !is_plain || name.len() > LONGEST_FIELD {
        let message = format!(
            "`{at}`: a field's name has 1 to {LONGEST_FIELD} bytes and no control characters"
        );
        return Err(XmtpError::invalid(at, message));
    }
    Ok(metadata_permission(&field(name)))
}
