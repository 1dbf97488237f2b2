//! `friend_get` and `friend_get_list`: the friends of a user, with the data kept of each.

use serde_json::Value;

use super::{
    batch::{CallNames, failed_accounts, result_fields},
    body::{self, MAX_ITEMS},
    codes::{CallFamily, TencentCode},
    envelope::{TencentError, TencentResult, read_or_defer, reply_fields, success_reply},
    friend_fields,
    paging::{AccountPage, are_short, is_short, reported_sequence, sequence},
    profile,
};
use crate::{
    dialects::{Backend, BackendError, Step},
    facts::{Friend, Id, VersionedUserRecord},
    request::Relation,
    wire::excerpt,
};

const GET_LIST: CallNames = CallNames {
    call: "FriendGetList",
    not_friend: (TencentCode::SnsParameter, "Friend_Not_Exist"),
};

/// The number of friends on a page.
const DEFAULT_PAGE: usize = 100;

/// The prefixes of the tags of the relationship chain and of profiles.
const SNS_TAG: &str = "Tag_SNS_";
const PROFILE_TAG: &str = "Tag_Profile_";

pub(super) fn get(body: &[u8], backend: &dyn Backend) -> TencentResult {
    let fields = body::parse(body, CallFamily::Sns)?;
    let from = fields.existing_account("From_Account", backend)?;
    let start = fields.number("StartIndex")?;
    let seen = (fields.number("StandardSequence")?, fields.number("CustomSequence")?);
    read_or_defer(is_short(backend, &from), backend, move |backend| {
        render_page(backend, &from, start, seen)
    })
}

/// A page of a friend list. Data that the caller has seen in its present state, by the sequence
/// numbers of the call, is left out; further pages carry the numbers of the first one.
fn render_page(backend: &dyn Backend, from: &Id, start: u64, seen: (u64, u64)) -> TencentResult {
    let Some(kept) = backend.user_record(from)? else {
        return Err(body::unknown_account(CallFamily::Sns, "From_Account", from).into());
    };
    let friends = backend.related_users(from, Relation::Friend);
    let now = sequence(&kept, Relation::Friend, &friends);
    let (standard, custom) = (start > 0 || seen.0 != now, start > 0 || seen.1 != now);
    let page = if standard || custom {
        AccountPage::slice(&friends, start, DEFAULT_PAGE)
    } else {
        AccountPage::default()
    };
    let item = |to: &String| {
        let friend = kept.record.friends.get(to).cloned().unwrap_or_default();
        let mut values = Vec::new();
        if standard {
            values.extend(friend_fields::standard(&friend));
        }
        if custom {
            values.extend(friend_fields::custom(&friend));
        }
        let item =
            [("To_Account", to.as_str().into()), ("ValueItem", friend_fields::render_tags(values))];
        Value::Object(reply_fields(item))
    };
    Ok(Step::Done(success_reply(reply_fields([
        ("UserDataItem", page.items.iter().map(item).collect()),
        ("StandardSequence", reported_sequence(start, seen.0, now).into()),
        ("CustomSequence", reported_sequence(start, seen.1, now).into()),
        ("FriendNum", friends.len().into()),
        ("CompleteFlag", u8::from(page.next.is_none()).into()),
        ("NextStartIndex", page.next.unwrap_or(0).into()),
    ]))))
}

pub(super) fn get_list(body: &[u8], backend: &dyn Backend) -> TencentResult {
    let fields = body::parse(body, CallFamily::Sns)?;
    let from = fields.existing_account("From_Account", backend)?;
    let accounts = fields.accounts("To_Account")?;
    let tags = match fields.texts("TagList")? {
        Some(tags) if tags.len() > MAX_ITEMS => {
            return Err(fields.length_error("TagList", tags.len(), MAX_ITEMS).into());
        }
        tags => tags.filter(|tags| !tags.is_empty()),
    };
    let is_known = |tag: &&String| tag.starts_with(SNS_TAG) || tag.starts_with(PROFILE_TAG);
    if let Some(tag) = tags.iter().flatten().find(|tag| !is_known(tag)) {
        let shown = excerpt(tag);
        let message =
            format!("takes tags that begin with `{SNS_TAG}` or `{PROFILE_TAG}`, not `{shown}`");
        return Err(fields.value_error("TagList", &message).into());
    }
    let is_quick = is_short(backend, &from) && are_short(backend, &accounts);
    read_or_defer(is_quick, backend, move |backend| {
        render_some(backend, &from, &accounts, tags.as_deref())
    })
}

fn render_some(
    backend: &dyn Backend,
    from: &Id,
    accounts: &[String],
    tags: Option<&[String]>,
) -> TencentResult {
    let Some(kept) = backend.user_record(from)? else {
        return Err(body::unknown_account(CallFamily::Sns, "From_Account", from).into());
    };
    let (mut items, mut failed) = (Vec::with_capacity(accounts.len()), Vec::new());
    for to in accounts {
        let fault = account_error(backend, from, to);
        let values = match fault {
            Some(_) => Vec::new(),
            None => values(backend, &kept, to, tags)?,
        };
        if fault.is_some() {
            failed.push(to.as_str().into());
        }
        let item = [
            ("To_Account", to.as_str().into()),
            ("SnsProfileItem", friend_fields::render_tags(values)),
        ];
        let mut item = reply_fields(item);
        item.extend(result_fields(fault));
        items.push(Value::Object(item));
    }
    let mut all = reply_fields([("InfoItem", items.into())]);
    all.extend(failed_accounts(failed));
    Ok(Step::Done(success_reply(all)))
}

fn account_error(backend: &dyn Backend, from: &Id, to: &str) -> Option<TencentError> {
    match GET_LIST.account(from, to, backend) {
        Err(fault) => Some(fault),
        Ok(_) if backend.has_relation(from, Relation::Friend, to) => None,
        Ok(_) => Some(GET_LIST.error(TencentCode::SnsParameter, "Friend_Not_Exist")),
    }
}

/// The values of the requested tags: all tags of the relationship chain if none is named.
fn values(
    backend: &dyn Backend,
    kept: &VersionedUserRecord,
    to: &str,
    tags: Option<&[String]>,
) -> Result<Vec<(String, Value)>, BackendError> {
    let none = Friend::default();
    let friend = kept.record.friends.get(to).unwrap_or(&none);
    let mut all = friend_fields::standard(friend);
    all.extend(friend_fields::custom(friend));
    let Some(tags) = tags else { return Ok(all) };
    if tags.iter().any(|tag| tag.starts_with(PROFILE_TAG)) {
        all.extend(profile::values(backend, to)?);
    }
    let find = |tag: &String| all.iter().find(|(known, _)| known == tag).cloned();
    Ok(tags.iter().filter_map(find).collect())
}
