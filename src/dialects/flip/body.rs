//! Bodies of Flip's calls: rules, and the tags of users.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{condition::find_unsupported, error::FlipError};
use crate::{
    facts::{Op, TagName},
    request::TagForm,
    wire::{
        excerpt,
        json::{self, StrictValue},
    },
};

/// An interaction rule in a request.
#[derive(Clone, Debug)]
pub(super) struct FlipRule {
    pub(super) condition: String,
    pub(super) outcome: Vec<TagName>,
    pub(super) description: Option<String>,
}

impl FlipRule {
    /// Reads a rule from a body; `id` is the rule's id in the path, if there is one.
    pub(super) fn parse(body: &[u8], id: Option<Uuid>) -> Result<Self, FlipError> {
        let StrictValue(body) = json::parse(body, "a rule")?;
        let Value::Object(members) = body else {
            return Err(expected("an object with `condition` and `outcome`", &body, "the body"));
        };
        let (mut condition, mut outcome, mut description) = (None, None, None);
        for (name, value) in &members {
            match (name.as_str(), value) {
                ("condition", value) => condition = Some(text(value, "condition")?),
                ("outcome", value) => outcome = Some(tags(value, "outcome")?),
                ("description" | "rule_id", Value::Null) => {}
                ("description", value) => description = Some(text(value, "description")?),
                ("rule_id", value) => check_rule_id(value, id)?,
                (other, _) => return Err(unknown(other, "condition, outcome and description")),
            }
        }
        let outcome = outcome.ok_or_else(|| missing("outcome"))?;
        if outcome.is_empty() {
            return Err(FlipError::malformed("outcome", "an outcome needs at least one tag"));
        }
        let condition = condition.ok_or_else(|| missing("condition"))?;
        if let Some(spot) = find_unsupported(&condition) {
            return Err(FlipError::condition(spot));
        }
        Ok(Self { condition, outcome, description })
    }

    /// The command that creates the rule, or with an id replaces one.
    pub(super) fn put_op(&self, rule_id: Option<Uuid>, name: Option<String>) -> Op {
        Op::PutRule {
            rule_id,
            condition: self.condition.clone(),
            outcome: self.outcome.clone(),
            description: self.description.clone(),
            name,
        }
    }
}

/// Reads the tags of a user: an array, alone or in an object that may repeat the user's id.
pub(super) fn parse_user_tags(body: &[u8], id: &str) -> Result<BTreeSet<TagName>, FlipError> {
    let StrictValue(body) = json::parse(body, "tags")?;
    let members: Map<String, Value> = match body {
        Value::Array(_) => return Ok(tags(&body, "tags")?.into_iter().collect()),
        Value::Object(members) => members,
        other => return Err(expected("an object with `tags`, or an array", &other, "the body")),
    };
    let mut given = None;
    for (name, value) in &members {
        match name.as_str() {
            "tags" => given = Some(tags(value, "tags")?),
            "id" if value.as_str() == Some(id) => {}
            "id" => return Err(FlipError::malformed("id", "this is not the user of the path")),
            other => return Err(unknown(other, "tags")),
        }
    }
    Ok(given.ok_or_else(|| missing("tags"))?.into_iter().collect())
}

// A client may send a rule as it was returned, with its id.
fn check_rule_id(value: &Value, id: Option<Uuid>) -> Result<(), FlipError> {
    let message = match id {
        Some(_) if value.as_str().and_then(parse_uuid) == id => return Ok(()),
        Some(_) => "this is not the rule of the path",
        None => "the id of a new rule is generated; leave it out",
    };
    Err(FlipError::malformed("rule_id", message))
}

fn text(value: &Value, at: &str) -> Result<String, FlipError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Null => Err(missing(at)),
        other => Err(expected("a string", other, at)),
    }
}

fn tags(value: &Value, at: &str) -> Result<Vec<TagName>, FlipError> {
    let items = match value {
        Value::Array(items) => items,
        Value::Null => return Err(missing(at)),
        other => return Err(expected("an array of tags", other, at)),
    };
    let tag = |(number, item): (usize, &Value)| {
        let at = format!("{at}[{number}]");
        let Value::String(tag) = item else { return Err(expected("a tag", item, &at)) };
        let checked = TagForm::Flip.check(tag).and_then(|()| TagName::new(tag));
        checked.map_err(|error| FlipError::malformed(at, error.to_string()))
    };
    items.iter().enumerate().map(tag).collect()
}

fn missing(at: &str) -> FlipError {
    FlipError::malformed(at, format!("`{at}` is missing"))
}

fn unknown(name: &str, known: &str) -> FlipError {
    let name = excerpt(name);
    let message = format!("unknown member `{name}`; expected {known}");
    FlipError::malformed(name, message)
}

fn expected(what: &str, found: &Value, at: &str) -> FlipError {
    FlipError::malformed(at, format!("expected {what}, found {}", json::kind(found)))
}

/// Reads a UUID in its usual form of 36 characters.
pub(super) fn parse_uuid(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| text.parse().ok())?
}
