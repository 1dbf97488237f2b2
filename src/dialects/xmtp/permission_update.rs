//! The update of one permission: which one, and its new value.

use serde_json::Value;

use super::{
    arguments::{Arguments, missing, normalize_name, type_error},
    calls::PermissionTarget,
    error::XmtpError,
    policy::{self, PolicyKind, is_number, named_field},
};
use crate::{facts::PermissionKey, request::GroupPermission, wire::excerpt};

/// The permission to be updated, and its new value.
pub(super) fn parse(
    target: Option<PermissionTarget>,
    arguments: &mut Arguments,
) -> Result<(PermissionKey, String), XmtpError> {
    let permission = match target {
        Some((permission, field)) => PermissionKey { permission, field: field.map(str::to_owned) },
        None => update_type(arguments)?,
    };
    let names = [
        "permissionPolicyOption",
        "newPermissionOption",
        "newPermission",
        "permissionOption",
        "policy",
    ];
    let (at, value) =
        arguments.take_one(&names)?.ok_or_else(|| missing("permissionPolicyOption"))?;
    let value = policy::parse_policy(&value, PolicyKind::of(permission.permission), at)?;
    Ok((permission, value))
}

/// The permission of a `PermissionUpdateType`, with the metadata field if it has one. A number is
/// an error, since the SDKs count from 0 and the wire from 1.
fn update_type(arguments: &mut Arguments) -> Result<PermissionKey, XmtpError> {
    use GroupPermission::{
        AddAdmin, AddMember, RemoveAdmin, RemoveMember, UpdateMetadata, UpdatePermissions,
    };
    let names = ["permissionUpdateType", "permissionType"];
    let (at, kind) = arguments.take_one(&names)?.ok_or_else(|| missing("permissionUpdateType"))?;
    let permission = match &kind {
        Value::Number(number) => return Err(ambiguous(&number.to_string(), at)),
        Value::String(digits) if is_number(digits) => return Err(ambiguous(digits, at)),
        Value::String(name) => match &*normalize_name(name).replace(' ', "") {
            "addmember" => Some(AddMember),
            "removemember" => Some(RemoveMember),
            "addadmin" => Some(AddAdmin),
            "removeadmin" => Some(RemoveAdmin),
            "updatemetadata" => Some(UpdateMetadata),
            // The SDKs have no type for this permission.
            "updatepermissions" => Some(UpdatePermissions),
            _ => None,
        },
        other => return Err(type_error(at, "a permission update type", other)),
    };
    let field = arguments.text(&["metadataField"])?;
    match (permission, field) {
        (None, _) => {
            let found = excerpt(&kind.to_string());
            let known = TYPES.join(", ");
            Err(no_update(
                at,
                format!("unknown permission update type {found}; expected one of {known}"),
            ))
        }
        (Some(UpdateMetadata), None) => {
            let message = "UpdateMetadata needs a `metadataField`: which field it is about";
            Err(no_update("metadataField", message.to_owned()))
        }
        (Some(UpdateMetadata), Some(field)) => named_field(&field, "metadataField"),
        (Some(_), Some(_)) => {
            let message = "only UpdateMetadata takes a `metadataField`";
            Err(no_update("metadataField", message.to_owned()))
        }
        (Some(permission), None) => Ok(PermissionKey { permission, field: None }),
    }
}

/// The names of the types, in the order of their numbers.
const TYPES: [&str; 5] = ["AddMember", "RemoveMember", "AddAdmin", "RemoveAdmin", "UpdateMetadata"];

fn ambiguous(number: &str, at: &str) -> XmtpError {
    let number = excerpt(number);
    let parsed: Option<usize> = number.parse().ok();
    let name = |at: Option<usize>| at.and_then(|at| TYPES.get(at)).unwrap_or(&"no type");
    let (sdk, wire) = (name(parsed), name(parsed.and_then(|number| number.checked_sub(1))));
    let message = format!(
        "`{at}`: the number {number} is {sdk} in SDKs that count from 0, and {wire} on the wire, which counts \
         from 1; give the name, as {}",
        TYPES.join(", ")
    );
    no_update(at, message)
}

fn no_update(at: &str, message: String) -> XmtpError {
    let refused = XmtpError::new(400, "invalid_permission_update", message);
    refused.with("kind", "InvalidPermissionUpdate").with("at", at)
}
