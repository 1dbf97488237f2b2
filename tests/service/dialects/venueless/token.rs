//! Tokens as an issuer makes them.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

pub(crate) const ISSUERS: &str = r#"[
    {"secret": "first secret", "issuer": "any", "audience": "venueless"},
    {"secret": "second secret", "issuer": "tickets.example", "audience": "fair"}
]"#;

/// Seconds since 1970, so much from now.
pub(super) fn at(from_now: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap() + from_now
}

/// A token of the first issuer with these claims, over those that make it valid; `null` takes one
/// away.
pub(super) fn token(claims: &Value) -> String {
    signed(
        &json!({ "alg": "HS256", "typ": "JWT" }),
        &whole("any", "venueless", claims),
        "first secret",
    )
}

/// Claims that make a token valid, with these over them.
pub(super) fn whole(issuer: &str, audience: &str, claims: &Value) -> Value {
    let mut all = json!({
        "iss": issuer, "aud": audience, "exp": at(3600), "iat": at(0), "uid": "alice", "traits": [],
    });
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    all.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    all
}

pub(super) fn signed(header: &Value, claims: &Value, secret: &str) -> String {
    let message = format!("{}.{}", part(header), part(claims));
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    let signature = mac.chain_update(&message).finalize().into_bytes();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

pub(super) fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}
