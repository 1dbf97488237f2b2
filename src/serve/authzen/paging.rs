//! Pages of a search, and the tokens that lead from one to the next.
//!
//! A token holds where the page before it ended and the limit, and a digest that binds both to the
//! search: all that was asked, in whatever order the members stand. So the daemon remembers nothing,
//! and any other that serves the same policy can go on.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Value, value::RawValue};
use sha2::{Digest, Sha256};

use super::messages;
use crate::serve::response::HttpError;

/// Which part of a list is asked for.
#[derive(Debug)]
pub(super) struct PageWindow {
    pub limit: Option<u64>,
    /// What the page before ended with; empty for the first one.
    pub after: String,
}

/// Where a page stands in its list, as it is answered.
#[derive(Serialize, Debug)]
pub(super) struct PageInfo {
    /// Empty on the last page.
    pub next_token: String,
    pub count: usize,
    pub total: u64,
}

/// All that must stay the same from page to page but for the limit.
#[derive(Clone, Debug)]
pub(super) struct TokenBinding(Sha256);

impl TokenBinding {
    /// What is searched, and the parts that are given, by their names.
    pub(super) fn new(search: &str, parts: &[(&str, Option<&RawValue>)]) -> Self {
        let mut hasher = Sha256::new_with_prefix(search);
        for (name, part) in parts {
            // What can't be held as a value, such as a number out of range, is taken as it stands.
            let mut value = part.map_or(Value::Null, |part| {
                serde_json::from_str(part.get()).unwrap_or_else(|_| part.get().into())
            });
            if let (true, Value::Object(members)) = (*name == search, &mut value) {
                // Whatever it is, it says nothing about what is searched.
                members.shift_remove("id");
            }
            value.sort_all_objects();
            // No name holds what separates, and what stands for a value can't but end.
            hasher.update(format!("\n{name}:{value}"));
        }
        Self(hasher)
    }

    fn seal(&self, limit: u64, after: &str) -> [u8; SEAL] {
        let digest = self.0.clone().chain_update(format!("\n{limit}:{after}")).finalize();
        digest.first_chunk().copied().unwrap_or_default()
    }

    /// The token of the page that comes after this.
    pub(super) fn token(&self, limit: u64, after: &str) -> String {
        let parts = [&self.seal(limit, after)[..], &limit.to_be_bytes(), after.as_bytes()];
        parts.concat().iter().fold(String::new(), |mut token, byte| {
            // Writing to a string can't fail.
            let _ = write!(token, "{byte:02x}");
            token
        })
    }

    /// Where a token leads; `None` if it was made for anything else.
    fn open(&self, token: &str) -> Option<(u64, String)> {
        let bytes = unhex(token)?;
        let (seal, rest) = bytes.split_first_chunk::<SEAL>()?;
        let (limit, after) = rest.split_first_chunk::<8>()?;
        let (limit, after) = (u64::from_be_bytes(*limit), str::from_utf8(after).ok()?);
        (self.seal(limit, after) == *seal).then(|| (limit, after.to_owned()))
    }

    /// The part that a request asks for; all, if it says nothing of pages.
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
            let message = "the token is from no search like this: whatever is asked must stay the \
                same from page to page";
            return Err(HttpError::bad_request("page.token", message));
        };
        if limit.is_some_and(|limit| limit != bound) {
            let message = format!("the token is from pages of {bound}: leave the limit as it is");
            return Err(HttpError::bad_request("page.limit", message));
        }
        Ok(PageWindow { limit: Some(bound), after })
    }
}

/// How many bytes of the digest a token carries.
const SEAL: usize = 16;

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let (pairs, []) = digits.as_deref()?.as_chunks::<2>() else { return None };
    Some(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}
