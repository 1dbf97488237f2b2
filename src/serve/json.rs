//! JSON bodies, whose errors are answered with status 400.

use serde::Deserialize;

use super::response::HttpError;
use crate::wire::json;
pub(super) use crate::wire::json::{JsonObject, JsonText, StrictValue, describe_error};

/// Reads a body, as [`json::parse`] does.
pub(super) fn read<'b, T: Deserialize<'b>>(body: &'b [u8], what: &str) -> Result<T, HttpError> {
    json::parse(body, what).map_err(|error| HttpError::bad_request(error.at, error.message))
}
