use serde_json::{Map, Value};

use super::Kind;
use crate::{
    dialects::{
        text::shown,
        xmtp::{
            arguments::{expected, plain},
            refused::Refused,
        },
    },
    request::Grant,
};

/// How deep combinations may be nested, and how many policies one may hold in all.
const DEEPEST: usize = 16;
const MOST: usize = 128;

impl Kind {
    /// The option that has a number on the wire, where each type counts on its own.
    fn numbered(self, number: u64) -> Option<Grant> {
        // There is no `Allow` for who administers: all others are one less.
        option(if self == Self::Permissions && number > 0 {
            number.checked_add(1)?
        } else {
            number
        })
    }
}

/// The option that has a number where all types count alike, from 1.
const fn option(number: u64) -> Option<Grant> {
    match number {
        1 => Some(Grant::Allow),
        2 => Some(Grant::Deny),
        3 => Some(Grant::AllowIfAdmin),
        4 => Some(Grant::AllowIfSuperAdmin),
        _ => None,
    }
}

/// The option that has a name: in an SDK, on the wire, in words or in a matrix.
fn named(name: &str) -> Option<Grant> {
    let name: String = plain(name).chars().filter(|c| *c != ' ').collect();
    let prefixes = ["metadatabasepolicy", "permissionsbasepolicy", "basepolicy"];
    let prefix = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix));
    match prefix.unwrap_or(&name) {
        "allow" => Some(Grant::Allow),
        "deny" => Some(Grant::Deny),
        "admin" | "adminonly" | "allowifadmin" | "allowifadminorsuperadmin" => {
            Some(Grant::AllowIfAdmin)
        }
        "superadmin" | "superadminonly" | "allowifsuperadmin" => Some(Grant::AllowIfSuperAdmin),
        _ => None,
    }
}

/// A policy as the value of a matrix; `at` is where it stands.
pub(in crate::dialects::xmtp) fn read(
    value: &Value,
    kind: Kind,
    at: &str,
) -> Result<String, Refused> {
    let mut left = MOST;
    part(value, kind, at, DEEPEST, &mut left)
}

fn part(
    value: &Value,
    kind: Kind,
    at: &str,
    depth: usize,
    left: &mut usize,
) -> Result<String, Refused> {
    if depth == 0 || *left == 0 {
        let message = format!("a policy is nested {DEEPEST} deep and holds {MOST} others at most");
        return Err(invalid(kind, at, &message));
    }
    *left -= 1;
    let grant = match value {
        Value::String(digits) if is_number(digits) => return Err(ambiguous(digits, kind, at)),
        Value::Number(number) => return Err(ambiguous(&number.to_string(), kind, at)),
        Value::String(name) => named(name),
        Value::Object(object) => return combined(object, kind, at, depth, left),
        other => return Err(expected(at, "an option or a combination of policies", other)),
    };
    granted(grant, value, kind, at)
}

/// Whether a text is a number and no word.
pub(in crate::dialects::xmtp) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Why a bare number is no option: the SDKs count from 0, the wire from 1, so that one's `Deny` is the
/// other's `Allow`.
fn ambiguous(number: &str, kind: Kind, at: &str) -> Refused {
    let number = shown(number);
    let parsed: Option<u64> = number.parse().ok();
    let name = |grant: Option<Grant>| match grant {
        Some(Grant::Allow) => "Allow",
        Some(Grant::Deny) => "Deny",
        Some(Grant::AllowIfAdmin) => "Admin",
        Some(Grant::AllowIfSuperAdmin) => "SuperAdmin",
        Some(Grant::Unspecified) | None => "no option",
    };
    let sdk = parsed.and_then(|number| number.checked_add(1)).and_then(option);
    let wire = parsed.and_then(|number| kind.numbered(number));
    let message = format!(
        "the number {number} is {} in SDKs that count from 0, and {} on the wire, which counts from 1; \
         give the word, or {{\"base\": {number}}} for what the wire means",
        name(sdk),
        name(wire)
    );
    invalid(kind, at, &message)
}

fn granted(grant: Option<Grant>, value: &Value, kind: Kind, at: &str) -> Result<String, Refused> {
    match grant {
        Some(Grant::Allow) if kind == Kind::Permissions => {
            let message = format!(
                "`{at}`: invalid permissions policy: `Allow` does not exist for who may add admins, remove \
                 them or update permissions; take `Deny`, `Admin` or `SuperAdmin`"
            );
            let refused = Refused::new(400, "invalid_permission_policy_option", message);
            Err(refused.with("kind", "InvalidPermissionPolicyOption").with("at", at))
        }
        Some(grant) => Ok(grant.to_string()),
        None => {
            let found = shown(&value.to_string());
            let message =
                format!("{found} is no option; the options are Allow, Deny, Admin, SuperAdmin");
            Err(invalid(kind, at, &message))
        }
    }
}

/// A combination, or a base policy by its number or name on the wire.
fn combined(
    object: &Map<String, Value>,
    kind: Kind,
    at: &str,
    depth: usize,
    left: &mut usize,
) -> Result<String, Refused> {
    let mut entries = object.iter();
    let (Some((name, inner)), None) = (entries.next(), entries.next()) else {
        let message = "it is {\"base\": ...}, {\"and\": [...]} or {\"any\": [...]}";
        return Err(invalid(kind, at, message));
    };
    let inside = format!("{at}.{}", shown(name));
    let call = match &*plain(name) {
        "base" => {
            let grant = match inner {
                Value::String(name) => named(name),
                Value::Number(number) => number.as_u64().and_then(|number| kind.numbered(number)),
                other => return Err(expected(&inside, "an option", other)),
            };
            return granted(grant, inner, kind, &inside);
        }
        "and" | "andcondition" => "all",
        "any" | "anycondition" => "any",
        _ => {
            let message = format!("`{}` is none of base, and, any", shown(name));
            return Err(invalid(kind, at, &message));
        }
    };
    // On the wire the policies of a combination stand in an object.
    let list = match inner {
        Value::Object(object) if object.len() == 1 => object.get("policies").unwrap_or(inner),
        _ => inner,
    };
    let Value::Array(policies) = list else {
        return Err(expected(&inside, "a list of policies", list));
    };
    if policies.is_empty() {
        return Err(invalid(kind, &inside, "a combination holds at least one policy"));
    }
    let policies = policies.iter().enumerate();
    let parts: Vec<String> = policies
        .map(|(index, policy)| part(policy, kind, &format!("{inside}[{index}]"), depth - 1, left))
        .collect::<Result<_, _>>()?;
    Ok(format!("{call}({})", parts.join(", ")))
}

fn invalid(kind: Kind, at: &str, message: &str) -> Refused {
    let message = format!("`{at}`: invalid {} policy: {message}", kind.as_str());
    Refused::new(400, "invalid_policy", message).with("kind", "InvalidPolicy").with("at", at)
}
