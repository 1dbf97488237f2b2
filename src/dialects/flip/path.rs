//! Paths of Flip's API, with their methods and scopes.

use std::borrow::Cow;

use uuid::Uuid;

use super::{
    body::parse_uuid,
    error::{FlipError, FlipStop},
    rules, tags,
    tokens::TokenScope,
};
use crate::{
    dialects::{Backend, Call, Reply, Step},
    facts::Id,
    wire::{PercentEncoding, excerpt},
};

/// An endpoint of the API, with the part of the path that it holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum FlipEndpoint<'p> {
    Rules,
    /// The id of a rule, as it was sent.
    Rule(&'p str),
    /// The id of a user, as it was sent.
    Tags(&'p str),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FlipMethod {
    Get,
    Post,
    Put,
    Delete,
}

/// The prefix of Flip's public URLs.
const BASE: &str = "/api/external/v1";

/// Whether a path belongs to the Sync API, with its public prefix or without.
pub(super) fn is_sync_path(path: &str) -> bool {
    [BASE, "/sync"].iter().any(|base| {
        path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

impl<'p> FlipEndpoint<'p> {
    pub(super) fn parse(path: &'p str) -> Result<Self, FlipError> {
        let below = path.strip_prefix(BASE).unwrap_or(path).strip_prefix("/sync/");
        let mut parts = below.unwrap_or_default().splitn(4, '/');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some("interaction-rules"), None, ..) => Ok(Self::Rules),
            (Some("interaction-rules"), Some(id), None, _) if !id.is_empty() => Ok(Self::Rule(id)),
            (Some("users"), Some(id), Some("tags"), None) if !id.is_empty() => Ok(Self::Tags(id)),
            _ => Err(FlipError::no_endpoint()),
        }
    }

    /// The method of a call, and the scope that it requires.
    pub(super) fn method_and_scope(
        &self,
        sent: &str,
    ) -> Result<(FlipMethod, TokenScope), FlipError> {
        let method = match (self, sent) {
            (Self::Rules | Self::Tags(_), "GET" | "HEAD") => FlipMethod::Get,
            (Self::Rules, "POST") => FlipMethod::Post,
            (Self::Rule(_) | Self::Tags(_), "PUT") => FlipMethod::Put,
            (Self::Rule(_), "DELETE") => FlipMethod::Delete,
            (Self::Rules, _) => return Err(FlipError::wrong_method("GET, HEAD, POST")),
            (Self::Rule(_), _) => return Err(FlipError::wrong_method("PUT, DELETE")),
            (Self::Tags(_), _) => return Err(FlipError::wrong_method("GET, HEAD, PUT")),
        };
        let scope = if method == FlipMethod::Get { TokenScope::Read } else { TokenScope::Write };
        Ok((method, scope))
    }

    pub(super) fn answer(
        &self,
        method: FlipMethod,
        call: &Call<'_>,
        backend: &dyn Backend,
    ) -> Result<Step<Reply>, FlipStop> {
        match (self, method) {
            (Self::Rule(id), FlipMethod::Delete) => Ok(rules::delete(rule_id(id)?)),
            (Self::Rule(id), _) => rules::replace(rule_id(id)?, call.body, backend),
            (Self::Tags(id), FlipMethod::Get) => Ok(tags::read(&user_id(id)?, backend)?),
            (Self::Tags(id), _) => Ok(tags::replace(user_id(id)?, call.body)?),
            (Self::Rules, FlipMethod::Get) => rules::list(backend),
            (Self::Rules, _) => Ok(rules::create(call.path, call.body)?),
        }
    }
}

fn rule_id(part: &str) -> Result<Uuid, FlipError> {
    let text = decode_segment(part, "rule_id")?;
    parse_uuid(&text).ok_or_else(|| {
        let message = format!("`{}` is not the id of a rule; expected a UUID", excerpt(&text));
        FlipError::malformed("rule_id", message)
    })
}

fn user_id(part: &str) -> Result<Id, FlipError> {
    let text = decode_segment(part, "id")?;
    Id::new(&text).map_err(|error| FlipError::malformed("id", error.to_string()))
}

/// Percent-decodes a segment of a path.
fn decode_segment<'p>(part: &'p str, at: &str) -> Result<Cow<'p, str>, FlipError> {
    let decoded = PercentEncoding::Path.decode(part.as_bytes());
    decoded.map_err(|error| FlipError::malformed(at, error.to_string()))
}
