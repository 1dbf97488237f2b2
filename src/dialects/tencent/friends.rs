//! `friend_update`, `friend_delete` and `friend_delete_all`: changes and deletions of friends.

use super::{
    batch::{BatchItem, CallNames, parse_items, run_batch, unchanged},
    body::{self, RequestFields},
    codes::{CallFamily, TencentCode},
    envelope::{ReplyFields, TencentError, TencentResult, refusal_message, success_reply},
    friend_fields,
};
use crate::{
    dialects::{Backend, Step},
    facts::{Command, CommandError, CommandOutcome, Id, Op, RefusalReason, WriteOutcome},
    request::Relation,
};

const UPDATE: CallNames =
    CallNames { call: "FriendUpdate", not_friend: (TencentCode::SnsParameter, "Friend_Not_Exist") };
const DELETE: CallNames =
    CallNames { call: "FriendDelete", not_friend: (TencentCode::SnsParameter, "Not_Friend") };

pub(super) fn update(body: &[u8], backend: &dyn Backend) -> TencentResult {
    let fields = body::parse(body, CallFamily::Sns)?;
    let from = fields.existing_account("From_Account", backend)?;
    let read_op = |item: &RequestFields, to: &str| {
        let list = item.list("SnsItem")?.filter(|list| !list.is_empty());
        let list = list.ok_or_else(|| item.value_error("SnsItem", "is missing or empty"))?;
        let fields =
            friend_fields::parse_updated(list, &format!("{}SnsItem", item.path()), UPDATE)?;
        let to = UPDATE.account(&from, to, backend)?;
        Ok(Op::UpdateFriend { from: from.clone(), to, fields: Box::new(fields) })
    };
    let items = parse_items("UpdateItem", fields.required_list("UpdateItem")?, read_op)?;
    Ok(run_batch(items, backend, judge(UPDATE, from), unchanged)?)
}

pub(super) fn delete(body: &[u8], backend: &dyn Backend) -> TencentResult {
    let fields = body::parse(body, CallFamily::Sns)?;
    let from = fields.existing_account("From_Account", backend)?;
    let both = both_sides(&fields)?;
    let item = |to: String| {
        let op = DELETE.account(&from, &to, backend).map(|to| delete_friend(&from, to, both));
        BatchItem { account: to, op }
    };
    let items = fields.accounts("To_Account")?.into_iter().map(item).collect();
    Ok(run_batch(items, backend, judge(DELETE, from.clone()), unchanged)?)
}

pub(super) fn delete_all(body: &[u8], backend: &dyn Backend) -> TencentResult {
    let fields = body::parse(body, CallFamily::Sns)?;
    let from = fields.existing_account("From_Account", backend)?;
    let both = both_sides(&fields)?;
    let friends = backend.related_users(&from, Relation::Friend);
    let friends = friends.iter().filter_map(|to| Id::new(to).ok());
    let commands: Vec<Command> = friends.map(|to| delete_friend(&from, to, both).into()).collect();
    if commands.is_empty() {
        return Ok(Step::Done(success_reply(ReplyFields::new())));
    }
    Ok(Step::write_each(commands, |wrote, _| {
        let fault = match wrote {
            // A friend whom a concurrent call deleted is gone as well.
            Ok(WriteOutcome::Applied { outcomes, .. }) => outcomes
                .iter()
                .filter_map(|outcome| outcome.as_ref().err())
                .find(|refusal| refusal.reason != RefusalReason::NotFriends)
                .map(|refusal| TencentError {
                    info: format!(
                        "some friends could not be deleted: {}",
                        refusal_message(refusal)
                    ),
                    ..TencentError::from_refusal(CallFamily::Sns, refusal)
                }),
            Ok(WriteOutcome::Refused { error: refusal, .. }) => {
                Some(TencentError::from_refusal(CallFamily::Sns, refusal))
            }
            Err(why) => Some(TencentError::from_write_error(CallFamily::Sns, why)),
        };
        Ok(Step::Done(
            fault.map_or_else(|| success_reply(ReplyFields::new()), |fault| fault.reply()),
        ))
    }))
}

/// Whether friends are deleted from both lists: only from the user's own by default.
fn both_sides(fields: &RequestFields) -> Result<bool, TencentError> {
    let types = [("Delete_Type_Single", false), ("Delete_Type_Both", true)];
    Ok(fields.enum_text("DeleteType", &types)?.unwrap_or(false))
}

fn delete_friend(from: &Id, to: Id, both: bool) -> Op {
    Op::DeleteFriend { from: from.clone(), to, both: Some(both) }
}

fn judge(
    names: CallNames,
    from: Id,
) -> impl Fn(&str, &Result<CommandOutcome, CommandError>, &dyn Backend) -> Option<TencentError> {
    move |to, outcome, backend| names.outcome_error((&from, to), outcome, backend)
}
