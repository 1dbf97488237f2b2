//! Sets of permission policies in the arguments of a call.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    BASE, FIELD_POLICIES, FIELDS, PINNED_FRAME_POLICY, PolicyKind, VERSION, joined_permissions,
    metadata_permission, named_field, parse_policy,
};
use crate::{
    dialects::xmtp::{
        arguments::{Arguments, normalize_name, type_error},
        error::XmtpError,
    },
    facts::PermissionKey,
    request::{Grant, GroupPermission},
    wire::excerpt,
};

/// Permissions with their values.
pub(in crate::dialects::xmtp) type PermissionValues = BTreeMap<PermissionKey, Option<String>>;

/// The permissions of a custom policy set. Metadata fields that it does not name are for admins.
pub(in crate::dialects::xmtp) fn parse_set(value: &Value) -> Result<PermissionValues, XmtpError> {
    let at = "permissionPolicySet";
    let Value::Object(object) = value else { return Err(type_error(at, "an object", value)) };
    let mut policies = Arguments::from_object(object)?;
    let mut all = PermissionValues::new();
    for (name, permission, words) in BASE {
        let at = format!("{at}.{name}");
        let value = match policies.take(name) {
            Some(value) => parse_policy(&value, PolicyKind::of(permission), &at)?,
            // The SDKs have no policy for this field, which only super admins may change.
            None if permission == GroupPermission::UpdatePermissions => {
                Grant::AllowIfSuperAdmin.to_string()
            }
            None => {
                let message = format!("from proto {words} invalid policy: `{at}` is missing");
                let refused = XmtpError::new(400, "invalid_policy", message);
                return Err(refused.with("kind", "InvalidPolicy").with("at", at));
            }
        };
        all.insert(PermissionKey { permission, field: None }, Some(value));
    }
    let version = metadata_permission(VERSION);
    all.insert(version, Some(Grant::AllowIfAdmin.to_string()));
    if let Some(value) = policies.take("updateMetadataPolicy") {
        parse_metadata(&value, &format!("{at}.updateMetadataPolicy"), &mut all)?;
    }
    for policy in FIELD_POLICIES.iter().chain([&PINNED_FRAME_POLICY]) {
        if let Some((name, value)) = policies.take_one(policy.names)? {
            let value = parse_policy(&value, PolicyKind::Metadata, &format!("{at}.{name}"))?;
            let fields = policy.fields.iter().copied().map(metadata_permission);
            all.extend(fields.map(|field| (field, Some(value.clone()))));
        }
    }
    policies.finish()?;
    Ok(all)
}

/// One policy for all fields, or one for each named field.
fn parse_metadata(value: &Value, at: &str, all: &mut PermissionValues) -> Result<(), XmtpError> {
    let is_policy = |object: &Map<String, Value>| {
        let names = ["base", "and", "andcondition", "any", "anycondition"];
        object.len() == 1 && object.keys().all(|name| names.contains(&&*normalize_name(name)))
    };
    match value {
        Value::Object(object) if !is_policy(object) => {
            let mut given = PermissionValues::new();
            for (name, policy) in object {
                let at = format!("{at}.{}", excerpt(name));
                let value = Some(parse_policy(policy, PolicyKind::Metadata, &at)?);
                for field in joined_permissions(named_field(name, &at)?) {
                    if given.insert(field, value.clone()).is_some_and(|other| other != value) {
                        let message = format!(
                            "`{at}`: another name gives the same policy another value; give it once"
                        );
                        return Err(XmtpError::invalid(&at, message));
                    }
                }
            }
            all.extend(given);
        }
        policy => {
            let value = parse_policy(policy, PolicyKind::Metadata, at)?;
            let fields = FIELDS.iter().map(|(field, _)| *field).chain(["*"]);
            all.extend(fields.map(|field| (metadata_permission(field), Some(value.clone()))));
        }
    }
    Ok(())
}
