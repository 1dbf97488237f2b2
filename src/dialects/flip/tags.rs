//! Calls on the tags of a user: read, replace.

use serde_json::json;

use super::{
    body,
    error::{FlipError, with_request_id},
};
use crate::{
    dialects::{Backend, Reply, Step},
    facts::{Id, Op, Patch, UserFields, WriteOutcome},
};

/// `GET /sync/users/{id}/tags`: the user's tags in order, from files and records.
pub(super) fn read(id: &Id, backend: &dyn Backend) -> Result<Step<Reply>, FlipError> {
    let tags = backend.tags(id).ok_or_else(|| FlipError::unknown_user(id))?;
    Ok(Step::Done(tags_reply(id, &tags)))
}

/// `PUT /sync/users/{id}/tags`: replaces the tags, and creates an unknown user.
pub(super) fn replace(id: Id, body: &[u8]) -> Result<Step<Reply>, FlipError> {
    let tags = body::parse_user_tags(body, &id)?;
    let put: Vec<String> = tags.iter().map(ToString::to_string).collect();
    let fields = Box::new(UserFields { tags: Patch::Set(tags), ..UserFields::default() });
    let op = Op::PutUser { user: id.clone(), fields };
    Ok(Step::write_op(op, move |wrote, _| {
        let refused = match wrote {
            Ok(WriteOutcome::Applied { outcomes, .. }) => {
                outcomes.iter().find_map(|it| it.as_ref().err())
            }
            Ok(WriteOutcome::Refused { error: refusal, .. }) => Some(refusal),
            Err(why) => return Ok(Step::Done(FlipError::from(why).reply())),
        };
        Ok(Step::Done(match refused {
            Some(refusal) => FlipError::refused(refusal, "tags").reply(),
            None => tags_reply(&id, &put),
        }))
    }))
}

fn tags_reply(id: &Id, tags: &[String]) -> Reply {
    with_request_id(Reply::json(200, &json!({ "id": &**id, "tags": tags })))
}
