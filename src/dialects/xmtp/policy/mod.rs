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

/// The type of a policy, which determines the numbers of its options.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum PolicyKind {
    Membership,
    Metadata,
    Permissions,
}

/// XMTP's metadata fields, with their other names in the SDKs beside those that [`normalize_name`]
/// unifies.
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

/// The maximum length of a field's name in bytes.
const LONGEST_FIELD: usize = 255;

const VERSION: &str = "minimum_supported_protocol_version";
/// The matrix below a custom set.
pub(super) const UNDER_CUSTOM: &str = "admins_only";

const APP_DATA: &str = "app_data";

/// The policies of a set that are not a map, in the order in which they are checked.
const BASE: [(&str, GroupPermission, &str); 5] = [
    ("addMemberPolicy", GroupPermission::AddMember, "add member"),
    ("removeMemberPolicy", GroupPermission::RemoveMember, "remove member"),
    ("addAdminPolicy", GroupPermission::AddAdmin, "add admin"),
    ("removeAdminPolicy", GroupPermission::RemoveAdmin, "remove admin"),
    ("updatePermissionsPolicy", GroupPermission::UpdatePermissions, "update permissions"),
];

/// A policy of a set that governs metadata fields.
struct FieldPolicy {
    /// The names in the SDKs; answers use the first.
    names: &'static [&'static str],
    fields: &'static [&'static str],
}

/// The policies of a set that govern fields, in the order of answers.
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

/// A policy of SDKs before 2025, which answers leave out.
const PINNED_FRAME_POLICY: FieldPolicy =
    FieldPolicy { names: &["updateGroupPinnedFrameUrlPolicy"], fields: &["pinned_frame_url"] };

/// The two fields of disappearing messages, which are one setting, so that one policy governs both.
const DISAPPEARING: [&str; 2] = ["message_disappear_from_ns", "message_disappear_in_ns"];

/// Whether a group's record has all permissions of a custom set.
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
            | GroupPermission::UpdatePermissions
            // XMTP has no policies for these.
            | GroupPermission::SendMessage
            | GroupPermission::VoiceCall
            | GroupPermission::VideoCall
            | GroupPermission::MuteMember
            | GroupPermission::BanMember
            | GroupPermission::Join
            | GroupPermission::Leave => Self::Permissions,
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

/// The canonical name of a metadata field, from its name in any SDK.
fn field(name: &str) -> String {
    let wanted = normalize_name(name);
    // A name with an underscore at its start is another field, which only super admins may change.
    let mut known = FIELDS.iter().filter(|_| !name.starts_with('_'));
    let found =
        known.find(|(field, others)| normalize_name(field) == wanted || others.contains(&&*wanted));
    found.map_or_else(|| name.to_owned(), |(field, _)| (*field).to_owned())
}

fn metadata_permission(field: &str) -> PermissionKey {
    PermissionKey { permission: GroupPermission::UpdateMetadata, field: Some(field.to_owned()) }
}

/// A permission and those that are changed with it: both fields of disappearing messages have one
/// permission.
pub(super) fn joined_permissions(permission: PermissionKey) -> Vec<PermissionKey> {
    match permission.field.as_deref() {
        Some(field) if DISAPPEARING.contains(&field) => {
            DISAPPEARING.map(metadata_permission).into()
        }
        _ => vec![permission],
    }
}

/// The permission to change the field that a call names.
pub(super) fn named_field(name: &str, at: &str) -> Result<PermissionKey, XmtpError> {
    if is_number(name) {
        let message = format!(
            "`{at}`: `{}` is a number, not the name of a field; give a name, as group_name",
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
