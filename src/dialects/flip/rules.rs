use serde::Serialize;
use uuid::Uuid;

use super::{
    body::Rule,
    fault::{Fault, identified},
};
use crate::{
    dialects::{House, Reply, Step, Unread, Wrote},
    facts::{Command, Op, RuleTold, RulesTold},
};

/// How many rules are told at once; more are gathered on a thread of their own.
const FEW: usize = 100;

/// Says of rules that they are kept and mean nothing: the policy has no `rules` section.
const IN_FORCE: &str = "peerage-rules-in-force";

/// `GET /sync/interaction-rules`: all rules, whoever made them, in the order of their ids.
pub(super) fn list(house: &dyn House) -> Result<Step<Reply>, Fault> {
    let told = house.rules(None, FEW + 1)?;
    if told.rules.len() <= FEW {
        return Ok(Step::Done(listed(&told)));
    }
    Ok(Step::gather(|house| Ok(Step::Done(listed(&house.rules(None, usize::MAX)?)))))
}

/// `POST /sync/interaction-rules`, at `path`.
pub(super) fn create(path: &str, body: &[u8]) -> Result<Step<Reply>, Fault> {
    let rule = Rule::read(body, None)?;
    let path = path.to_owned();
    Ok(Step::op(rule.put(None, None), move |wrote, house| {
        let made = after(wrote).and_then(|outcome| outcome.ok_or_else(Fault::nothing_came));
        let reply = match made {
            Ok(id) => {
                let mut reply = told(201, id, &rule, house)?;
                reply.headers.push(("location", format!("{path}/{id}")));
                reply
            }
            Err(fault) => fault.reply(),
        };
        Ok(Step::Done(reply))
    }))
}

/// `PUT /sync/interaction-rules/{rule_id}`: what was there goes, but for the name, of which Flip
/// knows nothing.
pub(super) fn replace(id: Uuid, body: &[u8], house: &dyn House) -> Result<Step<Reply>, Fault> {
    let rule = Rule::read(body, Some(id))?;
    let name = house.rule(id)?.and_then(|told| told.rule.name);
    // Only a rule that is there can be deleted: so none is made.
    let commands: [Command; 2] =
        [Op::DeleteRule { rule_id: id }.into(), rule.put(Some(id), name).into()];
    Ok(Step::write(commands.into(), move |wrote, house| {
        let reply = match after(wrote) {
            Ok(_) => told(200, id, &rule, house)?,
            Err(fault) => fault.reply(),
        };
        Ok(Step::Done(reply))
    }))
}

/// `DELETE /sync/interaction-rules/{rule_id}`
pub(super) fn delete(id: Uuid) -> Step<Reply> {
    Step::op(Op::DeleteRule { rule_id: id }, |wrote, _| {
        let reply = match after(wrote) {
            Ok(_) => identified(Reply::empty(204)),
            Err(fault) => fault.reply(),
        };
        Ok(Step::Done(reply))
    })
}

/// The id of the rule that was put last, if one was.
fn after(wrote: &Wrote) -> Result<Option<Uuid>, Fault> {
    match wrote {
        Wrote::Done { outcomes, .. } => {
            let mut id = None;
            for outcome in outcomes {
                match outcome {
                    Ok(outcome) => id = outcome.rule_id,
                    Err(refusal) => return Err(Fault::refused(refusal, "outcome")),
                }
            }
            Ok(id)
        }
        Wrote::Refused { refusal, .. } => Err(Fault::refused(refusal, "outcome")),
        Wrote::Failed(why) => Err(why.into()),
    }
}

/// A rule as Flip writes it.
#[derive(Serialize)]
struct Written<'r> {
    rule_id: String,
    condition: &'r str,
    outcome: Vec<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'r str>,
}

/// A rule that was put, as it was sent.
fn told(status: u16, id: Uuid, rule: &Rule, house: &dyn House) -> Result<Reply, Unread> {
    let body = Written {
        rule_id: id.to_string(),
        condition: &rule.condition,
        outcome: rule.outcome.iter().map(|tag| &**tag).collect(),
        description: rule.description.as_deref(),
    };
    Ok(written(status, &body, house.rules(None, 0)?.in_force))
}

fn listed(RulesTold { rules, in_force }: &RulesTold) -> Reply {
    #[derive(Serialize)]
    struct All<'r> {
        rules: Vec<Written<'r>>,
    }
    written(200, &All { rules: rules.iter().map(Written::from).collect() }, *in_force)
}

impl<'r> From<&'r RuleTold> for Written<'r> {
    fn from(told: &'r RuleTold) -> Self {
        Self {
            rule_id: told.id.to_string(),
            condition: &told.rule.condition,
            outcome: told.rule.outcome.iter().map(String::as_str).collect(),
            description: told.rule.description.as_deref(),
        }
    }
}

fn written(status: u16, body: &impl Serialize, in_force: bool) -> Reply {
    let mut reply = Reply::empty(status);
    reply.content_type = "application/json";
    // Texts and lists of them: nothing in them can fail.
    reply.body = serde_json::to_vec(body).unwrap_or_default();
    marked(reply, in_force)
}

fn marked(mut reply: Reply, in_force: bool) -> Reply {
    if !in_force {
        reply.headers.push((IN_FORCE, "false".to_owned()));
    }
    identified(reply)
}
