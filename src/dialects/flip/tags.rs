use serde_json::json;

use super::{
    body,
    fault::{Fault, identified},
};
use crate::{
    dialects::{House, Reply, Step, Wrote},
    facts::{Id, Op, Patch, UserFields},
};

/// `GET /sync/users/{id}/tags`: his tags in order, whoever states them.
pub(super) fn read(id: &Id, house: &dyn House) -> Result<Step<Reply>, Fault> {
    let tags = house.tags(id).ok_or_else(|| Fault::unknown_user(id))?;
    Ok(Step::Done(told(id, &tags)))
}

/// `PUT /sync/users/{id}/tags`: makes the user if he is not known.
pub(super) fn replace(id: Id, body: &[u8]) -> Result<Step<Reply>, Fault> {
    let tags = body::user_tags(body, &id)?;
    let put: Vec<String> = tags.iter().map(ToString::to_string).collect();
    let fields = Box::new(UserFields { tags: Patch::Set(tags), ..UserFields::default() });
    let op = Op::PutUser { user: id.clone(), fields };
    Ok(Step::op(op, move |wrote, _| {
        let refused = match wrote {
            Wrote::Done { outcomes, .. } => outcomes.iter().find_map(|it| it.as_ref().err()),
            Wrote::Refused { refusal, .. } => Some(refusal),
            Wrote::Failed(why) => return Ok(Step::Done(Fault::from(why).reply())),
        };
        Ok(Step::Done(match refused {
            Some(refusal) => Fault::refused(refusal, "tags").reply(),
            None => told(&id, &put),
        }))
    }))
}

fn told(id: &Id, tags: &[String]) -> Reply {
    identified(Reply::json(200, &json!({ "id": &**id, "tags": tags })))
}
