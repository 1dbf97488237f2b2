use std::borrow::Cow;

use uuid::Uuid;

use super::{fault::Fault, rules, tags, tokens::Scope};
use crate::{
    dialects::{
        Call, House, Reply, Step,
        text::{Encoding, shown},
    },
    facts::Id,
};

/// What is at a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Endpoint<'p> {
    Rules,
    /// What stands for the id of a rule.
    Rule(&'p str),
    /// What stands for the id of a user.
    Tags(&'p str),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Method {
    Get,
    Post,
    Put,
    Delete,
}

/// Where Flip has all of its API.
const BASE: &str = "/api/external/v1";

/// Whether a path is of the Sync API, with its base or without.
pub(super) fn is_below(path: &str) -> bool {
    [BASE, "/sync"].iter().any(|base| {
        path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

impl<'p> Endpoint<'p> {
    pub(super) fn at(path: &'p str) -> Result<Self, Fault> {
        let below = path.strip_prefix(BASE).unwrap_or(path).strip_prefix("/sync/");
        let mut parts = below.unwrap_or_default().splitn(4, '/');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some("interaction-rules"), None, ..) => Ok(Self::Rules),
            (Some("interaction-rules"), Some(id), None, _) if !id.is_empty() => Ok(Self::Rule(id)),
            (Some("users"), Some(id), Some("tags"), None) if !id.is_empty() => Ok(Self::Tags(id)),
            _ => Err(Fault::no_endpoint()),
        }
    }

    /// The method by which it is asked, and the scope that this takes.
    pub(super) fn method(&self, sent: &str) -> Result<(Method, Scope), Fault> {
        let method = match (self, sent) {
            (Self::Rules | Self::Tags(_), "GET" | "HEAD") => Method::Get,
            (Self::Rules, "POST") => Method::Post,
            (Self::Rule(_) | Self::Tags(_), "PUT") => Method::Put,
            (Self::Rule(_), "DELETE") => Method::Delete,
            (Self::Rules, _) => return Err(Fault::wrong_method("GET, HEAD, POST")),
            (Self::Rule(_), _) => return Err(Fault::wrong_method("PUT, DELETE")),
            (Self::Tags(_), _) => return Err(Fault::wrong_method("GET, HEAD, PUT")),
        };
        let scope = if method == Method::Get { Scope::Read } else { Scope::Write };
        Ok((method, scope))
    }

    pub(super) fn answer(
        &self,
        method: Method,
        call: &Call<'_>,
        house: &dyn House,
    ) -> Result<Step<Reply>, Fault> {
        match (self, method) {
            (Self::Rule(id), Method::Delete) => Ok(rules::delete(rule_id(id)?)),
            (Self::Rule(id), _) => rules::replace(rule_id(id)?, call.body, house),
            (Self::Tags(id), Method::Get) => tags::read(&user_id(id)?, house),
            (Self::Tags(id), _) => tags::replace(user_id(id)?, call.body),
            (Self::Rules, Method::Get) => rules::list(house),
            (Self::Rules, _) => rules::create(call.path, call.body),
        }
    }
}

/// A UUID as it is usually written: 36 characters.
pub(super) fn uuid(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| text.parse().ok())?
}

fn rule_id(part: &str) -> Result<Uuid, Fault> {
    let text = decoded(part, "rule_id")?;
    uuid(&text).ok_or_else(|| {
        let message = format!("`{}` is no id of a rule: that is a UUID", shown(&text));
        Fault::malformed("rule_id", message)
    })
}

fn user_id(part: &str) -> Result<Id, Fault> {
    let text = decoded(part, "id")?;
    Id::new(&text).map_err(|error| Fault::malformed("id", error.to_string()))
}

/// A part of a path without its percent-encoding.
fn decoded<'p>(part: &'p str, at: &str) -> Result<Cow<'p, str>, Fault> {
    let decoded = Encoding::PATH.decode(part.as_bytes());
    decoded.map_err(|error| Fault::malformed(at, error.to_string()))
}
