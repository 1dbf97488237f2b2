//! Options and combinations that make up one permission policy.

use serde_json::{Map, Value};

use super::PolicyKind;
use crate::{
    dialects::xmtp::{
        arguments::{normalize_name, type_error},
        error::XmtpError,
    },
    request::Grant,
    wire::excerpt,
};

/// The maximum nesting of combinations, and the maximum number of policies in one.
const MAX_DEPTH: usize = 16;
const MAX_POLICIES: usize = 128;

impl PolicyKind {
    /// The option of a number on the wire, where each type has its own numbering.
    fn numbered(self, number: u64) -> Option<Grant> {
        // Policies of permissions have no `Allow`, so that their other options are one less.
        option_from_number(if self == Self::Permissions && number > 0 {
            number.checked_add(1)?
        } else {
            number
        })
    }
}

/// The option of a number where all types share one numbering, from 1.
const fn option_from_number(number: u64) -> Option<Grant> {
    match number {
        1 => Some(Grant::Allow),
        2 => Some(Grant::Deny),
        3 => Some(Grant::AllowIfAdmin),
        4 => Some(Grant::AllowIfSuperAdmin),
        _ => None,
    }
}

/// The option of a name: in an SDK, on the wire, in words or in a matrix.
fn option_from_name(name: &str) -> Option<Grant> {
    let name: String = normalize_name(name).chars().filter(|c| *c != ' ').collect();
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

/// A policy as the value of a matrix; `at` is its place.
pub(in crate::dialects::xmtp) fn parse_policy(
    value: &Value,
    kind: PolicyKind,
    at: &str,
) -> Result<String, XmtpError> {
    let mut left = MAX_POLICIES;
    parse_nested(value, kind, at, MAX_DEPTH, &mut left)
}

fn parse_nested(
    value: &Value,
    kind: PolicyKind,
    at: &str,
    depth: usize,
    left: &mut usize,
) -> Result<String, XmtpError> {
    if depth == 0 || *left == 0 {
        let message =
            format!("a policy is nested {MAX_DEPTH} deep and holds {MAX_POLICIES} others at most");
        return Err(invalid(kind, at, &message));
    }
    *left -= 1;
    let grant = match value {
        Value::String(digits) if is_number(digits) => return Err(ambiguous(digits, kind, at)),
        Value::Number(number) => return Err(ambiguous(&number.to_string(), kind, at)),
        Value::String(name) => option_from_name(name),
        Value::Object(object) => return parse_combination(object, kind, at, depth, left),
        other => return Err(type_error(at, "an option or a combination of policies", other)),
    };
    require_option(grant, value, kind, at)
}

/// Whether a text consists of digits.
pub(in crate::dialects::xmtp) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The error of a bare number: the SDKs count from 0, the wire from 1, so that the `Deny` of one is
/// the `Allow` of the other.
fn ambiguous(number: &str, kind: PolicyKind, at: &str) -> XmtpError {
    let number = excerpt(number);
    let parsed: Option<u64> = number.parse().ok();
    let name = |grant: Option<Grant>| match grant {
        Some(Grant::Allow) => "Allow",
        Some(Grant::Deny) => "Deny",
        Some(Grant::AllowIfAdmin) => "Admin",
        Some(Grant::AllowIfSuperAdmin) => "SuperAdmin",
        Some(Grant::Unspecified) | None => "no option",
    };
    let sdk = parsed.and_then(|number| number.checked_add(1)).and_then(option_from_number);
    let wire = parsed.and_then(|number| kind.numbered(number));
    let message = format!(
        "the number {number} is {} in SDKs that count from 0, and {} on the wire, which counts from 1; \
         give the word, or {{\"base\": {number}}} for what the wire means",
        name(sdk),
        name(wire)
    );
    invalid(kind, at, &message)
}

fn require_option(
    grant: Option<Grant>,
    value: &Value,
    kind: PolicyKind,
    at: &str,
) -> Result<String, XmtpError> {
    match grant {
        Some(Grant::Allow) if kind == PolicyKind::Permissions => {
            let message = format!(
                "`{at}`: invalid permissions policy: `Allow` does not exist for who may add admins, remove \
                 them or update permissions; take `Deny`, `Admin` or `SuperAdmin`"
            );
            let refused = XmtpError::new(400, "invalid_permission_policy_option", message);
            Err(refused.with("kind", "InvalidPermissionPolicyOption").with("at", at))
        }
        Some(grant) => Ok(grant.to_string()),
        None => {
            let found = excerpt(&value.to_string());
            let message =
                format!("unknown option {found}; expected Allow, Deny, Admin or SuperAdmin");
            Err(invalid(kind, at, &message))
        }
    }
}

/// A combination, or a base policy by its number or name on the wire.
fn parse_combination(
    object: &Map<String, Value>,
    kind: PolicyKind,
    at: &str,
    depth: usize,
    left: &mut usize,
) -> Result<String, XmtpError> {
    let mut entries = object.iter();
    let (Some((name, inner)), None) = (entries.next(), entries.next()) else {
        let message = "expected {\"base\": ...}, {\"and\": [...]} or {\"any\": [...]}";
        return Err(invalid(kind, at, message));
    };
    let inside = format!("{at}.{}", excerpt(name));
    let call = match &*normalize_name(name) {
        "base" => {
            let grant = match inner {
                Value::String(name) => option_from_name(name),
                Value::Number(number) => number.as_u64().and_then(|number| kind.numbered(number)),
                other => return Err(type_error(&inside, "an option", other)),
            };
            return require_option(grant, inner, kind, &inside);
        }
        "and" | "andcondition" => "all",
        "any" | "anycondition" => "any",
        _ => {
            let message = format!("unknown key `{}`; expected base, and or any", excerpt(name));
            return Err(invalid(kind, at, &message));
        }
    };
    // On the wire, the policies of a combination are in an object.
    let list = match inner {
        Value::Object(object) if object.len() == 1 => object.get("policies").unwrap_or(inner),
        _ => inner,
    };
    let Value::Array(policies) = list else {
        return Err(type_error(&inside, "an array of policies", list));
    };
    if policies.is_empty() {
        return Err(invalid(kind, &inside, "a combination holds at least one policy"));
    }
    let policies = policies.iter().enumerate();
    let parts: Vec<String> = policies
        .map(|(index, policy)| {
            parse_nested(policy, kind, &format!("{inside}[{index}]"), depth - 1, left)
        })
        .collect::<Result<_, _>>()?;
    Ok(format!("{call}({})", parts.join(", ")))
}

fn invalid(kind: PolicyKind, at: &str, message: &str) -> XmtpError {
    let message = format!("`{at}`: invalid {} policy: {message}", kind.as_str());
    XmtpError::new(400, "invalid_policy", message).with("kind", "InvalidPolicy").with("at", at)
}
