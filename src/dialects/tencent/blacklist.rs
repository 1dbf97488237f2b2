//! `black_list_add`, `black_list_delete` and `black_list_get`: the blocklist of a user.

use serde_json::Value;

use super::{
    batch::{BatchItem, CallNames, run_batch, unchanged},
    body,
    codes::{CallFamily, TencentCode},
    envelope::{TencentResult, read_or_defer, reply_fields, success_reply},
    paging::{AccountPage, is_short, reported_sequence, sequence},
};
use crate::{
    dialects::{Backend, Step},
    facts::{CommandError, CommandOutcome, Id, Op},
    request::Relation,
};

const ADD: CallNames =
    CallNames { call: "BlackListAdd", not_friend: (TencentCode::SnsParameter, "Friend_Not_Exist") };
const DELETE: CallNames = CallNames {
    call: "BlackListDelete",
    not_friend: (TencentCode::SnsParameter, "Friend_Not_Exist"),
};

/// The default number of accounts on a page.
const DEFAULT_PAGE: usize = 100;

pub(super) fn add(body: &[u8], backend: &dyn Backend) -> TencentResult {
    change(body, backend, ADD, "Already_Exist", |from, to| Op::Block { from: from.clone(), to })
}

pub(super) fn delete(body: &[u8], backend: &dyn Backend) -> TencentResult {
    change(body, backend, DELETE, "Not_Exist", |from, to| Op::Unblock { from: from.clone(), to })
}

/// Writes one operation for each account; `idle` names the error of an account where it would
/// change nothing.
fn change(
    body: &[u8],
    backend: &dyn Backend,
    names: CallNames,
    idle: &'static str,
    op: impl Fn(&Id, Id) -> Op,
) -> TencentResult {
    let fields = body::parse(body, CallFamily::Sns)?;
    let from = fields.existing_account("From_Account", backend)?;
    let item = |to: String| {
        let op = names.account(&from, &to, backend).map(|to| op(&from, to));
        BatchItem { account: to, op }
    };
    let items = fields.accounts("To_Account")?.into_iter().map(item).collect();
    let judge = move |to: &str,
                      outcome: &Result<CommandOutcome, CommandError>,
                      backend: &dyn Backend| match outcome {
        Ok(CommandOutcome { changed: false, .. }) => {
            Some(names.error(TencentCode::SnsParameter, idle))
        }
        outcome => names.outcome_error((&from, to), outcome, backend),
    };
    Ok(run_batch(items, backend, judge, unchanged)?)
}

pub(super) fn get(body: &[u8], backend: &dyn Backend) -> TencentResult {
    let fields = body::parse(body, CallFamily::Sns)?;
    let from = fields.existing_account("From_Account", backend)?;
    let (start, last) = (fields.number("StartIndex")?, fields.number("LastSequence")?);
    let most = match usize::try_from(fields.number("MaxLimited")?).unwrap_or(usize::MAX) {
        0 => DEFAULT_PAGE,
        most => most.min(body::MAX_ITEMS),
    };
    read_or_defer(is_short(backend, &from), backend, move |backend| {
        render_page(backend, &from, start, most, last)
    })
}

fn render_page(
    backend: &dyn Backend,
    from: &Id,
    start: u64,
    most: usize,
    last: u64,
) -> TencentResult {
    let Some(kept) = backend.user_record(from)? else {
        return Err(body::unknown_account(CallFamily::Sns, "From_Account", from).into());
    };
    let blocked = backend.related_users(from, Relation::Block);
    let now = sequence(&kept, Relation::Block, &blocked);
    let (page, next) = if start == 0 && last == now {
        // The list has not changed since the caller's last request.
        (AccountPage::default(), 0)
    } else {
        let page = AccountPage::slice(&blocked, start, most);
        let next = page.next.unwrap_or(0);
        (page, next)
    };
    let shown = reported_sequence(start, last, now);
    let item = |to: &String| {
        let since = kept.record.blocked.get(to).map_or(0, |since| since / 1000);
        let item =
            reply_fields([("To_Account", to.as_str().into()), ("AddBlackTimeStamp", since.into())]);
        Value::Object(item)
    };
    Ok(Step::Done(success_reply(reply_fields([
        ("BlackListItem", page.items.iter().map(item).collect()),
        ("StartIndex", next.into()),
        // Both the spelling of the documentation's example and the correct one.
        ("CurruentSequence", shown.into()),
        ("CurrentSequence", shown.into()),
    ]))))
}
