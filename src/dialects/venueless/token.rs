//! JSON Web Tokens (RFC 7519) signed with HMAC-SHA256, the only algorithm that is taken.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::Sha256;

use super::{error::VenuelessError, frame::text_or_number, issuer::Issuer};
use crate::{
    facts::UnixMillis,
    wire::json::{self, StrictValue},
};

/// The claims of a verified token.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Claims {
    pub(super) uid: String,
    pub(super) traits: Vec<String>,
    pub(super) profile: Option<Map<String, Value>>,
    /// The time at which the token expires.
    pub(super) expires: UnixMillis,
}

/// The maximum length of a `uid` in characters.
const LONGEST_UID: usize = 200;

/// Verifies a token against each issuer in turn; `now` is in milliseconds.
///
/// # Errors
/// `auth.expired_token` if an issuer signed it and it has expired, else `auth.invalid_token`: with
/// a message only if an issuer signed it.
pub(super) fn verify(
    token: &str,
    issuers: &[Issuer],
    now: UnixMillis,
) -> Result<Claims, VenuelessError> {
    let invalid = || VenuelessError::new("auth.invalid_token");
    let claims = verified_claims(token, issuers).ok_or_else(invalid)?;
    let until = match time_claim(&claims, "exp")? {
        Some(end) if in_seconds(now) >= end => return Err(expired()),
        Some(end) => in_milliseconds(end),
        None => {
            return Err(invalid().with_message(&"the token has no `exp`"));
        }
    };
    if time_claim(&claims, "nbf")?.is_some_and(|begin| in_seconds(now) < begin) {
        return Err(invalid().with_message(&"the token is not valid yet, as its `nbf` says"));
    }
    time_claim(&claims, "iat")?;
    parse_claims(&claims, until)
}

/// The error of an expired token.
pub(super) fn expired() -> VenuelessError {
    VenuelessError::new("auth.expired_token")
}

/// The claims of a token that one of the issuers signed for this audience.
fn verified_claims(token: &str, issuers: &[Issuer]) -> Option<Map<String, Value>> {
    let (message, signature) = token.rsplit_once('.')?;
    let (header, claims) = message.split_once('.').filter(|(_, rest)| !rest.contains('.'))?;
    let header = decode_part(header)?;
    // No critical extensions are supported.
    let is_ours =
        header.get("alg").is_some_and(|alg| alg == "HS256") && !header.contains_key("crit");
    let signature = URL_SAFE_NO_PAD.decode(signature).ok().filter(|_| is_ours)?;
    issuers.iter().filter(|issuer| issuer.verifies(message, &signature)).find_map(|issuer| {
        let claims = decode_part(claims)?;
        let is_for = |audience: &Value| match audience {
            Value::Array(all) => all.iter().any(|one| *one == *issuer.audience),
            one => *one == *issuer.audience,
        };
        let is_by = claims.get("iss").is_some_and(|iss| *iss == *issuer.name);
        (is_by && claims.get("aud").is_some_and(is_for)).then_some(claims)
    })
}

impl Issuer {
    /// Takes as long for a wrong signature as for a right one.
    fn verifies(&self, message: &str, signature: &[u8]) -> bool {
        Hmac::<Sha256>::new_from_slice(&self.secret)
            .is_ok_and(|mac| mac.chain_update(message).verify_slice(signature).is_ok())
    }
}

/// The JSON object in a part of a token.
fn decode_part(text: &str) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    match json::parse(&bytes, "a part of a token") {
        Ok(StrictValue(Value::Object(fields))) => Some(fields),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds are far fewer")]
fn in_seconds(now: UnixMillis) -> f64 {
    now as f64 / 1000.0
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it ends in time, or never as far as a clock goes"
)]
fn in_milliseconds(seconds: f64) -> UnixMillis {
    (seconds * 1000.0).floor() as UnixMillis
}

fn time_claim(claims: &Map<String, Value>, name: &str) -> Result<Option<f64>, VenuelessError> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::Number(time)) => Ok(time.as_f64()),
        Some(other) => Err(claim_error(name, "a time in seconds", other)),
    }
}

fn claim_error(name: &str, expected: &str, found: &Value) -> VenuelessError {
    let message = format!("the token's `{name}` must be {expected}, not {}", json::kind(found));
    VenuelessError::new("auth.invalid_token").with_message(&message)
}

fn parse_claims(claims: &Map<String, Value>, until: UnixMillis) -> Result<Claims, VenuelessError> {
    let missing = |name: &str| {
        let message = format!("the token has no `{name}`");
        VenuelessError::new("auth.invalid_token").with_message(&message)
    };
    let uid = claims.get("uid").ok_or_else(|| missing("uid"))?;
    let uid = text_or_number(uid).ok_or_else(|| claim_error("uid", "a string or a number", uid))?;
    if uid.is_empty() || uid.chars().count() > LONGEST_UID {
        let message = format!("the token's `uid` must have 1 to {LONGEST_UID} characters");
        return Err(VenuelessError::new("auth.invalid_token").with_message(&message));
    }
    let traits = match claims.get("traits").ok_or_else(|| missing("traits"))? {
        Value::Array(traits) => traits,
        other => return Err(claim_error("traits", "an array of strings", other)),
    };
    let text = |value: &Value| {
        let text =
            value.as_str().ok_or_else(|| claim_error("traits", "an array of strings", value))?;
        Ok(text.to_owned())
    };
    let traits = traits.iter().map(text).collect::<Result<_, VenuelessError>>()?;
    let profile = match claims.get("profile") {
        None | Some(Value::Null) => None,
        Some(Value::Object(profile)) => Some(profile.clone()),
        Some(other) => return Err(claim_error("profile", "an object", other)),
    };
    Ok(Claims { uid, traits, profile, expires: until })
}
