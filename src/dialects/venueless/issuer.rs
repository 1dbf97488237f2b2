//! Issuers of tokens, and their secrets.

use std::fmt;

use serde_json::Value;

use crate::{
    request::suggest,
    wire::json::{self, StrictValue},
};

/// An issuer of tokens that are accepted.
#[derive(Clone, PartialEq, Eq)]
pub struct Issuer {
    /// The secret that signs them.
    pub(super) secret: Vec<u8>,
    /// The value of their `iss` claim.
    pub(super) name: String,
    /// The value of their `aud` claim.
    pub(super) audience: String,
}

/// The error of a text that does not list issuers. It contains none of their secrets.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct IssuersError(String);

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer")
            .field("issuer", &self.name)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

impl Issuer {
    /// Reads issuers: a JSON array of `{"secret", "issuer", "audience"}`.
    ///
    /// # Errors
    /// If it is not such an array, it is empty, or an issuer lacks a field.
    pub fn parse_all(text: &[u8]) -> Result<Vec<Self>, IssuersError> {
        let invalid = |message: String| Err(IssuersError(message));
        let StrictValue(value) =
            json::parse(text, "issuers").map_err(|error| IssuersError(error.to_string()))?;
        let Value::Array(entries) = value else {
            let found = json::kind(&value);
            return invalid(format!(
                "expected an array of objects with `secret`, `issuer` and `audience`, found {found}"
            ));
        };
        if entries.is_empty() {
            return invalid(
                "no issuer is listed; leave the option out to take no tokens".to_owned(),
            );
        }
        entries.iter().enumerate().map(|(at, entry)| Self::read(at, entry)).collect()
    }

    fn read(at: usize, entry: &Value) -> Result<Self, IssuersError> {
        let invalid = |message: String| IssuersError(format!("issuer {}: {message}", at + 1));
        let Value::Object(fields) = entry else {
            return Err(invalid(format!("expected an object, found {}", json::kind(entry))));
        };
        let known = ["secret", "issuer", "audience"];
        if let Some(other) = fields.keys().find(|name| !known.contains(&name.as_str())) {
            let known = suggest(other, known.iter().copied());
            return Err(invalid(format!("unknown field `{}`; {known}", other.escape_debug())));
        }
        let text = |name: &str| match fields.get(name) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
            Some(Value::String(_)) => Err(invalid(format!("`{name}` is empty"))),
            Some(other) => {
                Err(invalid(format!("`{name}` must be a string, not {}", json::kind(other))))
            }
            None => Err(invalid(format!("`{name}` is missing"))),
        };
        let (secret, name, audience) = (text("secret")?, text("issuer")?, text("audience")?);
        Ok(Self { secret: secret.into_bytes(), name, audience })
    }
}
