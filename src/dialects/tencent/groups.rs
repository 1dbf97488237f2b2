//! `group_add`, `group_delete` and `group_get`: the named groups into which a user sorts his friends.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    body::{self, Fields},
    codes::{Code, Family},
    envelope::{Answered, Fault, Members, Stop, fine, look, members},
    items::{Item, Names, carry_out},
    paging::{is_short, sequence},
};
use crate::{
    dialects::{House, Reply, Step, Unread, Wrote},
    facts::{Command, FriendFields, Id, Op, Outcome, Reason, Refusal},
    request::Relation,
};

const ADD: Names =
    Names { call: "GroupAdd", not_friend: (Code::NotFriendForGroup, "ToTinyId_Not_Friend") };

pub(super) fn add(body: &[u8], house: &dyn House) -> Answered {
    let fields = body::read(body, Family::Sns)?;
    let from = fields.known("From_Account", house)?;
    let names = names(&fields)?;
    let friends =
        if fields.has("To_Account") { Some(fields.accounts("To_Account")?) } else { None };
    let lists = names.iter();
    let op = |list: &String| Op::AddFriendList { user: from.clone(), list: list.clone() };
    let commands: Vec<Command> = lists.map(|list| op(list).into()).collect();
    Ok(Step::write(commands, move |wrote, house| {
        if let Some(fault) = failed("GroupAdd", wrote) {
            return Ok(Step::Done(fault.reply()));
        }
        match &friends {
            None => Ok(Step::Done(fine(current(house, &from)?))),
            Some(friends) => sort_in(house, &from, friends, &names),
        }
    }))
}

/// Puts friends into groups that there are.
fn sort_in(
    house: &dyn House,
    from: &Id,
    friends: &[String],
    names: &BTreeSet<String>,
) -> Result<Step<Reply>, Unread> {
    let item = |to: &String| {
        let fields = FriendFields { add_lists: Some(names.clone()), ..FriendFields::default() };
        let todo = ADD.account(from, to, house).map(|to| Op::UpdateFriend {
            from: from.clone(),
            to,
            fields: Box::new(fields),
        });
        Item { to: to.clone(), todo }
    };
    let items = friends.iter().map(item).collect();
    let (own, owner) = (from.clone(), from.clone());
    let judge = move |to: &str, outcome: &Result<Outcome, Refusal>, house: &dyn House| {
        ADD.judged((&own, to), outcome, house)
    };
    carry_out(items, house, judge, move |answer, house| {
        let mut all = current(house, &owner)?;
        all.extend(answer);
        Ok(all)
    })
}

pub(super) fn delete(body: &[u8], house: &dyn House) -> Answered {
    let fields = body::read(body, Family::Sns)?;
    let from = fields.known("From_Account", house)?;
    let op = |list: String| Op::DeleteFriendList { user: from.clone(), list };
    let commands: Vec<Command> = names(&fields)?.into_iter().map(|list| op(list).into()).collect();
    Ok(Step::write(commands, move |wrote, house| {
        let answer = match failed("GroupDelete", wrote) {
            Some(fault) => fault.reply(),
            None => fine(current(house, &from)?),
        };
        Ok(Step::Done(answer))
    }))
}

pub(super) fn get(body: &[u8], house: &dyn House) -> Answered {
    let fields = body::read(body, Family::Sns)?;
    let from = fields.known("From_Account", house)?;
    let last = fields.number("LastSequence")?;
    let words = [("Need_Friend_Type_No", false), ("Need_Friend_Type_Yes", true)];
    let friends = fields.word("NeedFriend", &words)?.unwrap_or(false);
    let names = fields.texts("GroupName")?.filter(|names| !names.is_empty());
    let is_quick = is_short(house, &from);
    look(is_quick, house, move |house| told(house, &from, last, friends, names.as_deref()))
}

fn told(
    house: &dyn House,
    from: &Id,
    last: u64,
    friends: bool,
    names: Option<&[String]>,
) -> Answered {
    let (user, now) = state(house, from)?;
    let is_asked = |list: &&String| names.is_none_or(|names| names.contains(list));
    let item = |list: &String| {
        let inside = user.friends.iter().filter(|(_, friend)| friend.lists.contains(list));
        let inside: Vec<&str> = inside.map(|(id, _)| id.as_str()).collect();
        let mut item =
            members([("GroupName", list.as_str().into()), ("FriendNumber", inside.len().into())]);
        if friends {
            item.insert("To_Account".to_owned(), inside.into());
        }
        Value::Object(item)
    };
    // Nothing changed since it was asked last.
    let items: Vec<Value> = if last == now {
        Vec::new()
    } else {
        user.friend_lists.iter().filter(is_asked).map(item).collect()
    };
    let mut all = members([("ResultItem", items.into())]);
    all.extend(shown(now));
    Ok(Step::Done(fine(all)))
}

/// The names that a call is about, each once.
fn names(fields: &Fields) -> Result<BTreeSet<String>, Fault> {
    fields.items("GroupName")?;
    Ok(fields.texts("GroupName")?.unwrap_or_default().into_iter().collect())
}

/// Why groups could not be made or deleted.
fn failed(call: &str, wrote: &Wrote) -> Option<Fault> {
    match wrote {
        Wrote::Done { .. } => None,
        Wrote::Refused { refusal, .. } if refusal.reason == Reason::FriendListsFull => {
            Some(Fault::named(Code::FriendGroupsFull, call, "Group_Num_Exceed_Threshold"))
        }
        Wrote::Refused { refusal, .. } => Some(Fault::refused(Family::Sns, refusal)),
        Wrote::Failed(why) => Some(Fault::not_written(Family::Sns, why)),
    }
}

/// The sequence number as it is after a change.
fn current(house: &dyn House, from: &Id) -> Result<Members, Unread> {
    let now = match state(house, from) {
        Ok((_, now)) => now,
        Err(Stop::Unread(unread)) => return Err(unread),
        // He was deleted since.
        Err(Stop::Fault(_)) => 0,
    };
    Ok(shown(now))
}

/// In both spellings that the documentation has.
fn shown(now: u64) -> Members {
    members([("CurrentSequence", now.into()), ("CurruentSequence", now.into())])
}

/// What a user keeps, and the sequence number of his groups: they stand in his record alone.
fn state(house: &dyn House, from: &Id) -> Result<(crate::facts::User, u64), Stop> {
    let Some(kept) = house.kept(from)? else {
        return Err(body::unknown(Family::Sns, "From_Account", from).into());
    };
    let known: Vec<String> = kept.user.edges(Relation::Friend).map(str::to_owned).collect();
    let now = sequence(&kept, Relation::Friend, &known);
    Ok((kept.user, now))
}
