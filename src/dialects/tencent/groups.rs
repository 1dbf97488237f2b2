//! `group_add`, `group_delete` and `group_get`: the named groups into which users sort their
//! friends.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    batch::{BatchItem, CallNames, run_batch},
    body::{self, RequestFields},
    codes::{CallFamily, TencentCode},
    envelope::{
        ReplyFields, TencentError, TencentResult, TencentStop, read_or_defer, reply_fields,
        success_reply,
    },
    paging::{is_short, sequence},
};
use crate::{
    dialects::{Backend, BackendError, Reply, Step},
    facts::{
        Command, CommandError, CommandOutcome, FriendFields, Id, Op, RefusalReason, WriteOutcome,
        WriteResult,
    },
    request::Relation,
};

const ADD: CallNames = CallNames {
    call: "GroupAdd",
    not_friend: (TencentCode::NotFriendForGroup, "ToTinyId_Not_Friend"),
};

pub(super) fn add(body: &[u8], backend: &dyn Backend) -> TencentResult {
    let fields = body::parse(body, CallFamily::Sns)?;
    let from = fields.existing_account("From_Account", backend)?;
    let names = names(&fields)?;
    let friends =
        if fields.has("To_Account") { Some(fields.accounts("To_Account")?) } else { None };
    let lists = names.iter();
    let op = |list: &String| Op::AddFriendList { user: from.clone(), list: list.clone() };
    let commands: Vec<Command> = lists.map(|list| op(list).into()).collect();
    Ok(Step::write_all(commands, move |wrote, backend| {
        if let Some(fault) = failed("GroupAdd", wrote) {
            return Ok(Step::Done(fault.reply()));
        }
        match &friends {
            None => Ok(Step::Done(success_reply(current_sequence(backend, &from)?))),
            Some(friends) => sort_in(backend, &from, friends, &names),
        }
    }))
}

/// Puts friends into existing groups.
fn sort_in(
    backend: &dyn Backend,
    from: &Id,
    friends: &[String],
    names: &BTreeSet<String>,
) -> Result<Step<Reply>, BackendError> {
    let item = |to: &String| {
        let fields = FriendFields { add_lists: Some(names.clone()), ..FriendFields::default() };
        let op = ADD.account(from, to, backend).map(|to| Op::UpdateFriend {
            from: from.clone(),
            to,
            fields: Box::new(fields),
        });
        BatchItem { account: to.clone(), op }
    };
    let items = friends.iter().map(item).collect();
    let (own, owner) = (from.clone(), from.clone());
    let judge =
        move |to: &str, outcome: &Result<CommandOutcome, CommandError>, backend: &dyn Backend| {
            ADD.outcome_error((&own, to), outcome, backend)
        };
    run_batch(items, backend, judge, move |answer, backend| {
        let mut all = current_sequence(backend, &owner)?;
        all.extend(answer);
        Ok(all)
    })
}

pub(super) fn delete(body: &[u8], backend: &dyn Backend) -> TencentResult {
    let fields = body::parse(body, CallFamily::Sns)?;
    let from = fields.existing_account("From_Account", backend)?;
    let op = |list: String| Op::DeleteFriendList { user: from.clone(), list };
    let commands: Vec<Command> = names(&fields)?.into_iter().map(|list| op(list).into()).collect();
    Ok(Step::write_all(commands, move |wrote, backend| {
        let answer = match failed("GroupDelete", wrote) {
            Some(fault) => fault.reply(),
            None => success_reply(current_sequence(backend, &from)?),
        };
        Ok(Step::Done(answer))
    }))
}

pub(super) fn get(body: &[u8], backend: &dyn Backend) -> TencentResult {
    let fields = body::parse(body, CallFamily::Sns)?;
    let from = fields.existing_account("From_Account", backend)?;
    let last = fields.number("LastSequence")?;
    let words = [("Need_Friend_Type_No", false), ("Need_Friend_Type_Yes", true)];
    let friends = fields.enum_text("NeedFriend", &words)?.unwrap_or(false);
    let names = fields.texts("GroupName")?.filter(|names| !names.is_empty());
    let is_quick = is_short(backend, &from);
    read_or_defer(is_quick, backend, move |backend| {
        render_groups(backend, &from, last, friends, names.as_deref())
    })
}

fn render_groups(
    backend: &dyn Backend,
    from: &Id,
    last: u64,
    friends: bool,
    names: Option<&[String]>,
) -> TencentResult {
    let (user, now) = record_and_sequence(backend, from)?;
    let is_requested = |list: &&String| names.is_none_or(|names| names.contains(list));
    let item = |list: &String| {
        let inside = user.friends.iter().filter(|(_, friend)| friend.lists.contains(list));
        let inside: Vec<&str> = inside.map(|(id, _)| id.as_str()).collect();
        let mut item = reply_fields([
            ("GroupName", list.as_str().into()),
            ("FriendNumber", inside.len().into()),
        ]);
        if friends {
            item.insert("To_Account".to_owned(), inside.into());
        }
        Value::Object(item)
    };
    // The groups have not changed since the caller's last request.
    let items: Vec<Value> = if last == now {
        Vec::new()
    } else {
        user.friend_lists.iter().filter(is_requested).map(item).collect()
    };
    let mut all = reply_fields([("ResultItem", items.into())]);
    all.extend(sequence_fields(now));
    Ok(Step::Done(success_reply(all)))
}

/// The groups that a call names, without repetitions.
fn names(fields: &RequestFields) -> Result<BTreeSet<String>, TencentError> {
    fields.required_list("GroupName")?;
    Ok(fields.texts("GroupName")?.unwrap_or_default().into_iter().collect())
}

/// The error of a call that could not create or delete groups.
fn failed(call: &str, wrote: &WriteResult) -> Option<TencentError> {
    match wrote {
        Ok(WriteOutcome::Applied { .. }) => None,
        Ok(WriteOutcome::Refused { error: refusal, .. })
            if refusal.reason == RefusalReason::FriendListsFull =>
        {
            Some(TencentError::named(
                TencentCode::FriendGroupsFull,
                call,
                "Group_Num_Exceed_Threshold",
            ))
        }
        Ok(WriteOutcome::Refused { error: refusal, .. }) => {
            Some(TencentError::from_refusal(CallFamily::Sns, refusal))
        }
        Err(why) => Some(TencentError::from_write_error(CallFamily::Sns, why)),
    }
}

/// The sequence number after a change.
fn current_sequence(backend: &dyn Backend, from: &Id) -> Result<ReplyFields, BackendError> {
    let now = match record_and_sequence(backend, from) {
        Ok((_, now)) => now,
        Err(TencentStop::Backend(error)) => return Err(error),
        // The user was deleted meanwhile.
        Err(TencentStop::Error(_)) => 0,
    };
    Ok(sequence_fields(now))
}

/// The sequence number under both spellings of the documentation.
fn sequence_fields(now: u64) -> ReplyFields {
    reply_fields([("CurrentSequence", now.into()), ("CurruentSequence", now.into())])
}

/// The user's record, and the sequence number of the user's groups, which only the record holds.
fn record_and_sequence(
    backend: &dyn Backend,
    from: &Id,
) -> Result<(crate::facts::UserRecord, u64), TencentStop> {
    let Some(kept) = backend.user_record(from)? else {
        return Err(body::unknown_account(CallFamily::Sns, "From_Account", from).into());
    };
    let known: Vec<String> = kept.record.edges(Relation::Friend).map(str::to_owned).collect();
    let now = sequence(&kept, Relation::Friend, &known);
    Ok((kept.record, now))
}
