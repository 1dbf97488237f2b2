//! Calls on interaction rules: list, create, replace, delete.

use serde::Serialize;
use uuid::Uuid;

use super::{
    body::FlipRule,
    error::{FlipError, FlipStop, with_request_id},
};
use crate::{
    dialects::{Backend, BackendError, Reply, Step},
    facts::{Command, EffectiveRule, EffectiveRules, Op, WriteOutcome, WriteResult},
};

/// How many rules are listed at once; longer lists are read on the blocking pool.
const IMMEDIATE_RULES: usize = 100;

/// The header that says that rules have no effect, since the policy has no `rules` section.
const IN_FORCE_HEADER: &str = "peerage-rules-in-force";

/// `GET /sync/interaction-rules`: all rules, of files and of the API, in the order of their ids.
pub(super) fn list(backend: &dyn Backend) -> Result<Step<Reply>, FlipStop> {
    let page = backend.rule_page(None, IMMEDIATE_RULES + 1)?;
    if page.rules.len() <= IMMEDIATE_RULES {
        return Ok(Step::Done(list_reply(&page)));
    }
    Ok(Step::blocking(|backend| Ok(Step::Done(list_reply(&backend.rule_page(None, usize::MAX)?)))))
}

/// `POST /sync/interaction-rules`, at `path`.
pub(super) fn create(path: &str, body: &[u8]) -> Result<Step<Reply>, FlipError> {
    let rule = FlipRule::parse(body, None)?;
    let path = path.to_owned();
    Ok(Step::write_op(rule.put_op(None, None), move |wrote, backend| {
        let made =
            put_rule_id(wrote).and_then(|outcome| outcome.ok_or_else(FlipError::missing_outcome));
        let reply = match made {
            Ok(id) => {
                let mut reply = rule_reply(201, id, &rule, backend)?;
                reply.headers.push(("location", format!("{path}/{id}")));
                reply
            }
            Err(fault) => fault.reply(),
        };
        Ok(Step::Done(reply))
    }))
}

/// `PUT /sync/interaction-rules/{rule_id}`: replaces a rule but for its name, which Flip does not
/// have.
pub(super) fn replace(
    id: Uuid,
    body: &[u8],
    backend: &dyn Backend,
) -> Result<Step<Reply>, FlipStop> {
    let rule = FlipRule::parse(body, Some(id))?;
    let name = backend.rule(id)?.and_then(|effective| effective.rule.name);
    // Deleting an unknown rule is refused, so that a replacement creates none.
    let commands: [Command; 2] =
        [Op::DeleteRule { rule_id: id }.into(), rule.put_op(Some(id), name).into()];
    Ok(Step::write_all(commands.into(), move |wrote, backend| {
        let reply = match put_rule_id(wrote) {
            Ok(_) => rule_reply(200, id, &rule, backend)?,
            Err(fault) => fault.reply(),
        };
        Ok(Step::Done(reply))
    }))
}

/// `DELETE /sync/interaction-rules/{rule_id}`
pub(super) fn delete(id: Uuid) -> Step<Reply> {
    Step::write_op(Op::DeleteRule { rule_id: id }, |wrote, _| {
        let reply = match put_rule_id(wrote) {
            Ok(_) => with_request_id(Reply::empty(204)),
            Err(fault) => fault.reply(),
        };
        Ok(Step::Done(reply))
    })
}

/// The id of the last rule that was put, if one was.
fn put_rule_id(wrote: &WriteResult) -> Result<Option<Uuid>, FlipError> {
    match wrote {
        Ok(WriteOutcome::Applied { outcomes, .. }) => {
            let mut id = None;
            for outcome in outcomes {
                match outcome {
                    Ok(outcome) => id = outcome.rule_id,
                    Err(refusal) => return Err(FlipError::refused(refusal, "outcome")),
                }
            }
            Ok(id)
        }
        Ok(WriteOutcome::Refused { error: refusal, .. }) => {
            Err(FlipError::refused(refusal, "outcome"))
        }
        Err(why) => Err(why.into()),
    }
}

/// The JSON form of a rule.
#[derive(Serialize)]
struct RuleBody<'r> {
    rule_id: String,
    condition: &'r str,
    outcome: Vec<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'r str>,
}

/// The reply with a rule that was put.
fn rule_reply(
    status: u16,
    id: Uuid,
    rule: &FlipRule,
    backend: &dyn Backend,
) -> Result<Reply, BackendError> {
    let body = RuleBody {
        rule_id: id.to_string(),
        condition: &rule.condition,
        outcome: rule.outcome.iter().map(|tag| &**tag).collect(),
        description: rule.description.as_deref(),
    };
    Ok(json_reply(status, &body, backend.rule_page(None, 0)?.in_force))
}

fn list_reply(EffectiveRules { rules, in_force }: &EffectiveRules) -> Reply {
    #[derive(Serialize)]
    struct All<'r> {
        rules: Vec<RuleBody<'r>>,
    }
    json_reply(200, &All { rules: rules.iter().map(RuleBody::from).collect() }, *in_force)
}

impl<'r> From<&'r EffectiveRule> for RuleBody<'r> {
    fn from(effective: &'r EffectiveRule) -> Self {
        Self {
            rule_id: effective.id.to_string(),
            condition: &effective.rule.condition,
            outcome: effective.rule.outcome.iter().map(String::as_str).collect(),
            description: effective.rule.description.as_deref(),
        }
    }
}

fn json_reply(status: u16, body: &impl Serialize, in_force: bool) -> Reply {
    let mut reply = Reply::empty(status);
    reply.content_type = "application/json";
    // Serializing strings and lists into memory can't fail.
    reply.body = serde_json::to_vec(body).unwrap_or_default();
    with_in_force(reply, in_force)
}

fn with_in_force(mut reply: Reply, in_force: bool) -> Reply {
    if !in_force {
        reply.headers.push((IN_FORCE_HEADER, "false".to_owned()));
    }
    with_request_id(reply)
}
