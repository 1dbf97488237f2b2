//! The JSON form of a group's policies, as in the SDKs.

use serde_json::{Map, Value, json};

use super::{BASE, FIELD_POLICIES, FIELDS, VERSION};
use crate::request::{self, Grant, GroupPermission};

/// A look-up of a group's permission, or of that of a metadata field.
type PermissionLookup<'t> =
    dyn Fn(GroupPermission, Option<&str>) -> request::GrantCondition<String> + 't;

/// A value of a matrix as a policy.
pub(in crate::dialects::xmtp) fn render_value(value: &request::GrantCondition<String>) -> Value {
    let all = |parts: &[request::GrantCondition<String>]| {
        parts.iter().map(render_value).collect::<Value>()
    };
    match value {
        request::GrantCondition::Grant(grant) => match grant {
            Grant::Allow => "allow",
            Grant::Deny => "deny",
            Grant::AllowIfAdmin => "admin",
            Grant::AllowIfSuperAdmin => "superAdmin",
            Grant::Unspecified => "unspecified",
        }
        .into(),
        request::GrantCondition::All(parts) => json!({ "and": all(parts) }),
        request::GrantCondition::Any(parts) => json!({ "any": all(parts) }),
        // The SDKs have no such policies, but a policy file may.
        request::GrantCondition::Not(inner) => json!({ "not": render_value(inner) }),
        request::GrantCondition::HasTag(tag) => json!({ "hasTag": tag }),
        request::GrantCondition::During(during) => json!({ "during": &*during.window }),
    }
}

/// The policy set of a group, as in the SDKs.
pub(in crate::dialects::xmtp) fn render_set(lookup: &PermissionLookup<'_>) -> Value {
    let base =
        BASE.iter().map(|&(name, permission, _)| (name, render_value(&lookup(permission, None))));
    let metadata = |field| render_value(&lookup(GroupPermission::UpdateMetadata, Some(field)));
    let of_fields = FIELD_POLICIES.iter().filter_map(|policy| {
        let mut values: Vec<Value> = policy.fields.iter().copied().map(metadata).collect();
        values.dedup();
        // A policy file may give the fields different conditions; to change the setting then
        // requires all of them.
        let value = if values.len() > 1 { json!({ "and": values }) } else { values.pop()? };
        Some((*policy.names.first()?, value))
    });
    let each: Map<String, Value> = FIELDS
        .iter()
        .map(|(field, _)| *field)
        .chain(["*"])
        .map(|field| (field.to_owned(), metadata(field)))
        .collect();
    let all = base.chain(of_fields).map(|(name, value)| (name.to_owned(), value));
    let mut all: Map<String, Value> = all.collect();
    all.insert("updateMetadataPolicy".to_owned(), each.into());
    Value::Object(all)
}

/// The preconfigured set that a group's permissions equal; `fields` are the metadata fields with a
/// value of their own in the group, and `is_custom` is whether a custom set gave them. Fields that
/// a preset does not name are ignored.
pub(in crate::dialects::xmtp) fn preset_name(
    lookup: &PermissionLookup<'_>,
    fields: &[&str],
    is_custom: bool,
) -> &'static str {
    use Grant::{Allow, AllowIfAdmin, AllowIfSuperAdmin};
    let sets = [("Default", Allow), ("AdminsOnly", AllowIfAdmin)];
    let is = |wanted: Grant, permission, field: Option<&str>| {
        lookup(permission, field) == request::GrantCondition::Grant(wanted)
    };
    let fits = |usual: Grant| {
        let expected =
            [usual, AllowIfAdmin, AllowIfSuperAdmin, AllowIfSuperAdmin, AllowIfSuperAdmin];
        let mut base = BASE.iter().zip(expected);
        let metadata =
            |wanted, field: &str| is(wanted, GroupPermission::UpdateMetadata, Some(field));
        let fits_field = |field: &str| match field {
            field if is_custom && !fields.contains(&field) => true,
            // A field that a custom set does not name is for admins.
            VERSION if is_custom && metadata(AllowIfAdmin, field) => true,
            VERSION => metadata(AllowIfSuperAdmin, field),
            "message_disappear_from_ns" | "message_disappear_in_ns" | "*" => {
                metadata(AllowIfAdmin, field)
            }
            field => metadata(usual, field),
        };
        let known = FIELDS.iter().map(|(field, _)| *field).chain(["*"]);
        base.all(|(&(_, permission, _), wanted)| is(wanted, permission, None))
            && known.chain(fields.iter().copied()).all(fits_field)
    };
    sets.iter().find(|(_, usual)| fits(*usual)).map_or("CustomPolicy", |(name, _)| name)
}
