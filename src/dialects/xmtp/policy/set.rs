use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    BASE, FIELDS, Kind, OF_FIELDS, OF_PINNED_FRAME, VERSION, named_field, of_field, read, together,
};
use crate::{
    dialects::{
        text::shown,
        xmtp::{
            arguments::{Arguments, expected, plain},
            refused::Refused,
        },
    },
    facts::Permission,
    request::{Grant, GroupPermission},
};

/// Single permissions, each with its value.
pub(in crate::dialects::xmtp) type Permissions = BTreeMap<Permission, Option<String>>;

/// The permissions that a custom policy set gives. Fields of the metadata of which it says nothing
/// are for admins.
pub(in crate::dialects::xmtp) fn read_set(value: &Value) -> Result<Permissions, Refused> {
    let at = "permissionPolicySet";
    let Value::Object(object) = value else { return Err(expected(at, "an object", value)) };
    let mut policies = Arguments::within(object)?;
    let mut all = Permissions::new();
    for (name, permission, words) in BASE {
        let at = format!("{at}.{name}");
        let value = match policies.take(name) {
            Some(value) => read(&value, Kind::of(permission), &at)?,
            // The SDKs have no policy for it: it is for super admins.
            None if permission == GroupPermission::UpdatePermissions => {
                Grant::AllowIfSuperAdmin.to_string()
            }
            None => {
                let message = format!("from proto {words} invalid policy: `{at}` is missing");
                let refused = Refused::new(400, "invalid_policy", message);
                return Err(refused.with("kind", "InvalidPolicy").with("at", at));
            }
        };
        all.insert(Permission { permission, field: None }, Some(value));
    }
    let version = of_field(VERSION);
    all.insert(version, Some(Grant::AllowIfAdmin.to_string()));
    if let Some(value) = policies.take("updateMetadataPolicy") {
        of_metadata(&value, &format!("{at}.updateMetadataPolicy"), &mut all)?;
    }
    for policy in OF_FIELDS.iter().chain([&OF_PINNED_FRAME]) {
        if let Some((name, value)) = policies.take_one(policy.names)? {
            let value = read(&value, Kind::Metadata, &format!("{at}.{name}"))?;
            let fields = policy.fields.iter().copied().map(of_field);
            all.extend(fields.map(|field| (field, Some(value.clone()))));
        }
    }
    policies.finish()?;
    Ok(all)
}

/// One policy for all fields, or one for each that is named.
fn of_metadata(value: &Value, at: &str, all: &mut Permissions) -> Result<(), Refused> {
    let is_policy = |object: &Map<String, Value>| {
        let names = ["base", "and", "andcondition", "any", "anycondition"];
        object.len() == 1 && object.keys().all(|name| names.contains(&&*plain(name)))
    };
    match value {
        Value::Object(object) if !is_policy(object) => {
            let mut given = Permissions::new();
            for (name, policy) in object {
                let at = format!("{at}.{}", shown(name));
                let value = Some(read(policy, Kind::Metadata, &at)?);
                for field in together(named_field(name, &at)?) {
                    if given.insert(field, value.clone()).is_some_and(|other| other != value) {
                        let message = format!(
                            "`{at}`: another name gives the same policy another value; give it once"
                        );
                        return Err(Refused::invalid(&at, message));
                    }
                }
            }
            all.extend(given);
        }
        policy => {
            let value = read(policy, Kind::Metadata, at)?;
            let fields = FIELDS.iter().map(|(field, _)| *field).chain(["*"]);
            all.extend(fields.map(|field| (of_field(field), Some(value.clone()))));
        }
    }
    Ok(())
}
