//! The tokens of callers: which are known, and what each permits.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::file_reading::FileReading;
use crate::{
    dialects::Admission,
    live::Swap,
    wire::{AccessScope, AccessScopes, Secret, TokenDigest},
};

/// The name of the admin token in the audit trail.
pub(super) const ADMIN_TOKEN: &str = "admin-token";

/// A token of a file: its name, its digest and its scopes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessToken {
    pub name: Arc<str>,
    pub digest: TokenDigest,
    pub scopes: AccessScopes,
}

/// The known tokens. Those of a file are replaced when it changes.
#[derive(Debug)]
pub struct TokenRegistry {
    admin: Option<TokenDigest>,
    /// `None` without a file.
    listed: Option<ListedTokens>,
}

#[derive(Debug)]
struct ListedTokens {
    current: Swap<Vec<AccessToken>>,
    /// Whether decisions take a token. A change of the file does not open what took one before.
    guards_decisions: Swap<bool>,
    reading: Mutex<FileReading>,
}

/// A token that was recognized.
#[derive(Clone, Debug)]
struct KnownToken {
    name: Arc<str>,
    scopes: AccessScopes,
}

/// The result of the check of a caller.
#[derive(Clone, Debug)]
pub(super) struct TokenCheck {
    pub(super) admission: Admission,
    /// The name of the token that was shown, if it is known.
    pub(super) name: Option<Arc<str>>,
}

impl TokenRegistry {
    /// The admin token, which has all scopes, and those of a file; `None` without a file.
    pub fn new(admin: Option<&Secret>, listed: Option<Vec<AccessToken>>) -> Self {
        let listed = listed.map(|tokens| ListedTokens {
            guards_decisions: Swap::new(has_decide(&tokens)),
            current: Swap::new(tokens),
            reading: Mutex::default(),
        });
        Self { admin: admin.map(|token| TokenDigest::new(token.as_bytes())), listed }
    }

    /// Replaces the tokens of the file. Returns whether that changes anything.
    pub fn replace(&self, tokens: Vec<AccessToken>) -> bool {
        let Some(listed) = &self.listed else { return false };
        let is_changed = *listed.current.load() != tokens;
        if has_decide(&tokens) {
            listed.guards_decisions.store(true);
        }
        listed.current.store(tokens);
        *listed.reading.lock().unwrap_or_else(PoisonError::into_inner) = FileReading::default();
        is_changed
    }

    /// Keeps the tokens of the file, and says in the status why a later reading failed. Returns whether that is
    /// another reason than before.
    pub fn keep(&self, error: &str) -> bool {
        let Some(listed) = &self.listed else { return false };
        listed.reading.lock().unwrap_or_else(PoisonError::into_inner).fail(error)
    }

    /// Whether decisions over TCP take a token.
    pub fn guards_decisions(&self) -> bool {
        self.listed.as_ref().is_some_and(|listed| *listed.guards_decisions.load())
    }

    /// Whether the status takes a token over TCP.
    pub(super) fn guards_status(&self) -> bool {
        self.listed.is_some()
    }

    /// The check of a token that was shown for a scope. Every known token is compared, by its digest, so that
    /// the time tells nothing of them.
    pub(super) fn check(&self, shown: Option<&[u8]>, scope: AccessScope) -> TokenCheck {
        let known = shown.and_then(|shown| self.find(shown));
        let admission = match &known {
            Some(known) if known.scopes.contains(scope) => Admission::Admitted,
            Some(_) => Admission::MissingScope(scope),
            None if self.admin.is_none() && self.listed.is_none() => Admission::Disabled,
            None if shown.is_some() => Admission::Wrong,
            None => Admission::Missing,
        };
        TokenCheck { admission, name: known.map(|known| known.name) }
    }

    /// The name of a known token.
    pub(super) fn name(&self, shown: &[u8]) -> Option<Arc<str>> {
        self.find(shown).map(|known| known.name)
    }

    fn find(&self, shown: &[u8]) -> Option<KnownToken> {
        let shown = TokenDigest::new(shown);
        let listed = self.listed.as_ref().map(|listed| listed.current.load());
        let mut found = None;
        for token in listed.iter().flat_map(|listed| listed.iter()) {
            if token.digest.matches(&shown) {
                found = Some(KnownToken { name: Arc::clone(&token.name), scopes: token.scopes });
            }
        }
        if self.admin.as_ref().is_some_and(|admin| admin.matches(&shown)) {
            found = Some(KnownToken { name: ADMIN_TOKEN.into(), scopes: AccessScopes::ALL });
        }
        found
    }

    /// The state of the file, for the status; null without one.
    pub(super) fn to_json(&self) -> Value {
        let Some(listed) = &self.listed else { return Value::Null };
        let reading = listed.reading.lock().unwrap_or_else(PoisonError::into_inner).to_json();
        let (count, guards_decisions) = (listed.current.load().len(), self.guards_decisions());
        json!({ "count": count, "guards_decisions": guards_decisions, "file": reading })
    }
}

fn has_decide(tokens: &[AccessToken]) -> bool {
    tokens.iter().any(|token| token.scopes.contains(AccessScope::Decide))
}
