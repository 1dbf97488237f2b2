//! Pages of a search, and the tokens that lead from one to the next.
//!
//! A token holds the end of the page before it, the limit, and a digest that binds both to the search,
//! whatever the order of its fields. So the daemon keeps no state, and any other that serves the same
//! policy can continue.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Value, value::RawValue};
use sha2::{Digest, Sha256};

use super::messages;
use crate::serve::response::HttpError;

/// The requested part of a list.
#[derive(Debug)]
pub(super) struct PageWindow {
    pub limit: Option<u64>,
    /// The last item of the page before; empty for the first page.
    pub after: String,
}

/// The position of a page in its list, as the response has it.
#[derive(Serialize, Debug)]
pub(super) struct PageInfo {
    /// Empty on the last page.
    pub next_token: String,
    pub count: usize,
    pub total: u64,
}

/// The digest of what must be the same for all pages, except the limit.
#[derive(Clone, Debug)]
pub(super) struct TokenBinding(Sha256);

impl TokenBinding {
    /// The binding of a search for `of` with these parts, by their names.
    pub(super) fn new(search: &str, parts: &[(&str, Option<&RawValue>)]) -> Self {
        let mut hasher = Sha256::new_with_prefix(search);
        for (name, part) in parts {
            // A part that is not a value, such as a number out of range, is hashed as its text.
            let mut value = part.map_or(Value::Null, |part| {
                serde_json::from_str(part.get()).unwrap_or_else(|_| part.get().into())
            });
            if let (true, Value::Object(members)) = (*name == search, &mut value) {
                // Whatever it is, it says nothing about what is searched.
                members.shift_remove("id");
            }
            value.sort_all_objects();
            // No name holds a separator, and a value ends by itself.
            hasher.update(format!("\n{name}:{value}"));
        }
        Self(hasher)
    }

    fn seal(&self, limit: u64, after: &str) -> [u8; SEAL] {
        let digest = self.0.clone().chain_update(format!("\n{limit}:{after}")).finalize();
        digest.first_chunk().copied().unwrap_or_default()
    }

    /// The token of the page after an item.
    pub(super) fn token(&self, limit: u64, after: &str) -> String {
        let parts = [&self.seal(limit, after)[..], &limit.to_be_bytes(), after.as_bytes()];
        parts.concat().iter().fold(String::new(), |mut token, byte| {
            // Writing to a string can't fail.
            let _ = write!(token, "{byte:02x}");
            token
        })
    }

    /// The item after which a token continues; `None` if the token belongs to another search or limit.
    fn open(&self, token: &str) -> Option<(u64, String)> {
        let bytes = unhex(token)?;
        let (seal, rest) = bytes.split_first_chunk::<SEAL>()?;
        let (limit, after) = rest.split_first_chunk::<8>()?;
        let (limit, after) = (u64::from_be_bytes(*limit), str::from_utf8(after).ok()?);
        (self.seal(limit, after) == *seal).then(|| (limit, after.to_owned()))
    }

    /// The requested part; the whole list if the request has no page.
    ///
    /// # Errors
    /// If its token is not from this search.
    pub(super) fn window(
        &self,
        page: Option<messages::SearchPage<'_>>,
    ) -> Result<PageWindow, HttpError> {
        let Some(messages::SearchPage { token, limit }) = page else {
            return Ok(PageWindow { limit: None, after: String::new() });
        };
        let Some(token) = token.filter(|token| !token.as_str().is_empty()) else {
            return Ok(PageWindow { limit, after: String::new() });
        };
        let Some((bound, after)) = self.open(token.as_str()) else {
            let message = "the token is not of this search: all parts of a search must stay the same \
                from page to page";
            return Err(HttpError::bad_request("page.token", message));
        };
        if limit.is_some_and(|limit| limit != bound) {
            let message = format!("the token is from pages of {bound}: leave the limit as it is");
            return Err(HttpError::bad_request("page.limit", message));
        }
        Ok(PageWindow { limit: Some(bound), after })
    }
}

/// The number of bytes of the digest in a token.
const SEAL: usize = 16;

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let (pairs, []) = digits.as_deref()?.as_chunks::<2>() else { return None };
    Some(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}
