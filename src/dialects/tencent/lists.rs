//! `friend_get` and `friend_get_list`: who is in a friend list, and what is kept of him.

use serde_json::Value;

use super::{
    body::{self, MOST_ITEMS},
    codes::{Code, Family},
    envelope::{Answered, Fault, fine, look, members},
    fields,
    items::{Names, failures, result},
    paging::{Page, are_short, is_short, sequence, told},
    profile,
};
use crate::{
    dialects::{House, Step, Unread, text},
    facts::{Friend, Id, Kept},
    request::Relation,
};

const GET_LIST: Names =
    Names { call: "FriendGetList", not_friend: (Code::SnsParameter, "Friend_Not_Exist") };

/// How many friends a page has.
const PAGE: usize = 100;

/// What the tags of the relationship chain and of profiles begin with.
const SNS_TAG: &str = "Tag_SNS_";
const PROFILE_TAG: &str = "Tag_Profile_";

pub(super) fn get(body: &[u8], house: &dyn House) -> Answered {
    let fields = body::read(body, Family::Sns)?;
    let from = fields.known("From_Account", house)?;
    let start = fields.number("StartIndex")?;
    let seen = (fields.number("StandardSequence")?, fields.number("CustomSequence")?);
    look(is_short(house, &from), house, move |house| page(house, &from, start, seen))
}

/// A part of a friend list. Of what the caller has seen in its present state, as his sequence numbers
/// say, nothing is told again; on further pages they are those of the page before.
fn page(house: &dyn House, from: &Id, start: u64, seen: (u64, u64)) -> Answered {
    let Some(kept) = house.kept(from)? else {
        return Err(body::unknown(Family::Sns, "From_Account", from).into());
    };
    let friends = house.related(from, Relation::Friend);
    let now = sequence(&kept, Relation::Friend, &friends);
    let (standard, custom) = (start > 0 || seen.0 != now, start > 0 || seen.1 != now);
    let page = if standard || custom { Page::of(&friends, start, PAGE) } else { Page::default() };
    let item = |to: &String| {
        let friend = kept.user.friends.get(to).cloned().unwrap_or_default();
        let mut values = Vec::new();
        if standard {
            values.extend(fields::standard(&friend));
        }
        if custom {
            values.extend(fields::custom(&friend));
        }
        let item = [("To_Account", to.as_str().into()), ("ValueItem", fields::shown(values))];
        Value::Object(members(item))
    };
    Ok(Step::Done(fine(members([
        ("UserDataItem", page.items.iter().map(item).collect()),
        ("StandardSequence", told(start, seen.0, now).into()),
        ("CustomSequence", told(start, seen.1, now).into()),
        ("FriendNum", friends.len().into()),
        ("CompleteFlag", u8::from(page.next.is_none()).into()),
        ("NextStartIndex", page.next.unwrap_or(0).into()),
    ]))))
}

pub(super) fn get_list(body: &[u8], house: &dyn House) -> Answered {
    let fields = body::read(body, Family::Sns)?;
    let from = fields.known("From_Account", house)?;
    let accounts = fields.accounts("To_Account")?;
    let tags = match fields.texts("TagList")? {
        Some(tags) if tags.len() > MOST_ITEMS => {
            let message = format!("it has at most {MOST_ITEMS} elements, not {}", tags.len());
            return Err(fields.bad("TagList", &message).into());
        }
        tags => tags.filter(|tags| !tags.is_empty()),
    };
    let is_known = |tag: &&String| tag.starts_with(SNS_TAG) || tag.starts_with(PROFILE_TAG);
    if let Some(tag) = tags.iter().flatten().find(|tag| !is_known(tag)) {
        let shown = text::shown(tag);
        let message = format!("tags begin with `{SNS_TAG}` or `{PROFILE_TAG}`, not `{shown}`");
        return Err(fields.bad("TagList", &message).into());
    }
    let is_quick = is_short(house, &from) && are_short(house, &accounts);
    look(is_quick, house, move |house| some(house, &from, &accounts, tags.as_deref()))
}

fn some(house: &dyn House, from: &Id, accounts: &[String], tags: Option<&[String]>) -> Answered {
    let Some(kept) = house.kept(from)? else {
        return Err(body::unknown(Family::Sns, "From_Account", from).into());
    };
    let (mut items, mut failed) = (Vec::with_capacity(accounts.len()), Vec::new());
    for to in accounts {
        let fault = wrong(house, from, to);
        let values = match fault {
            Some(_) => Vec::new(),
            None => values(house, &kept, to, tags)?,
        };
        if fault.is_some() {
            failed.push(to.as_str().into());
        }
        let item = [("To_Account", to.as_str().into()), ("SnsProfileItem", fields::shown(values))];
        let mut item = members(item);
        item.extend(result(fault));
        items.push(Value::Object(item));
    }
    let mut all = members([("InfoItem", items.into())]);
    all.extend(failures(failed));
    Ok(Step::Done(fine(all)))
}

fn wrong(house: &dyn House, from: &Id, to: &str) -> Option<Fault> {
    match GET_LIST.account(from, to, house) {
        Err(fault) => Some(fault),
        Ok(_) if house.has(from, Relation::Friend, to) => None,
        Ok(_) => Some(GET_LIST.fault(Code::SnsParameter, "Friend_Not_Exist")),
    }
}

/// What there is of the tags that are asked for: all of the relationship chain if none is named.
fn values(
    house: &dyn House,
    kept: &Kept,
    to: &str,
    tags: Option<&[String]>,
) -> Result<Vec<(String, Value)>, Unread> {
    let none = Friend::default();
    let friend = kept.user.friends.get(to).unwrap_or(&none);
    let mut all = fields::standard(friend);
    all.extend(fields::custom(friend));
    let Some(tags) = tags else { return Ok(all) };
    if tags.iter().any(|tag| tag.starts_with(PROFILE_TAG)) {
        all.extend(profile::values(house, to)?);
    }
    let find = |tag: &String| all.iter().find(|(known, _)| known == tag).cloned();
    Ok(tags.iter().filter_map(find).collect())
}
