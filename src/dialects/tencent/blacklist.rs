//! `black_list_add`, `black_list_delete` and `black_list_get`: whom a user blocks.

use serde_json::Value;

use super::{
    body,
    codes::{Code, Family},
    envelope::{Answered, fine, look, members},
    items::{Item, Names, as_it_is, carry_out},
    paging::{Page, is_short, sequence, told},
};
use crate::{
    dialects::{House, Step},
    facts::{Id, Op, Outcome, Refusal},
    request::Relation,
};

const ADD: Names =
    Names { call: "BlackListAdd", not_friend: (Code::SnsParameter, "Friend_Not_Exist") };
const DELETE: Names =
    Names { call: "BlackListDelete", not_friend: (Code::SnsParameter, "Friend_Not_Exist") };

/// How many are answered if it is not said how many.
const PAGE: usize = 100;

pub(super) fn add(body: &[u8], house: &dyn House) -> Answered {
    change(body, house, ADD, "Already_Exist", |from, to| Op::Block { from: from.clone(), to })
}

pub(super) fn delete(body: &[u8], house: &dyn House) -> Answered {
    change(body, house, DELETE, "Not_Exist", |from, to| Op::Unblock { from: from.clone(), to })
}

/// `idle` names the error of an account where nothing is to be changed.
fn change(
    body: &[u8],
    house: &dyn House,
    names: Names,
    idle: &'static str,
    op: impl Fn(&Id, Id) -> Op,
) -> Answered {
    let fields = body::read(body, Family::Sns)?;
    let from = fields.known("From_Account", house)?;
    let item = |to: String| {
        let todo = names.account(&from, &to, house).map(|to| op(&from, to));
        Item { to, todo }
    };
    let items = fields.accounts("To_Account")?.into_iter().map(item).collect();
    let judge = move |to: &str, outcome: &Result<Outcome, Refusal>, house: &dyn House| match outcome
    {
        Ok(Outcome { changed: false, .. }) => Some(names.fault(Code::SnsParameter, idle)),
        outcome => names.judged((&from, to), outcome, house),
    };
    Ok(carry_out(items, house, judge, as_it_is)?)
}

pub(super) fn get(body: &[u8], house: &dyn House) -> Answered {
    let fields = body::read(body, Family::Sns)?;
    let from = fields.known("From_Account", house)?;
    let (start, last) = (fields.number("StartIndex")?, fields.number("LastSequence")?);
    let most = match usize::try_from(fields.number("MaxLimited")?).unwrap_or(usize::MAX) {
        0 => PAGE,
        most => most.min(body::MOST_ITEMS),
    };
    look(is_short(house, &from), house, move |house| listed(house, &from, start, most, last))
}

fn listed(house: &dyn House, from: &Id, start: u64, most: usize, last: u64) -> Answered {
    let Some(kept) = house.kept(from)? else {
        return Err(body::unknown(Family::Sns, "From_Account", from).into());
    };
    let blocked = house.related(from, Relation::Block);
    let now = sequence(&kept, Relation::Block, &blocked);
    let (page, next) = if start == 0 && last == now {
        // Nothing changed since it was asked last.
        (Page::default(), 0)
    } else {
        let page = Page::of(&blocked, start, most);
        let next = page.next.unwrap_or(0);
        (page, next)
    };
    let shown = told(start, last, now);
    let item = |to: &String| {
        let since = kept.user.blocked.get(to).map_or(0, |since| since / 1000);
        let item =
            members([("To_Account", to.as_str().into()), ("AddBlackTimeStamp", since.into())]);
        Value::Object(item)
    };
    Ok(Step::Done(fine(members([
        ("BlackListItem", page.items.iter().map(item).collect()),
        ("StartIndex", next.into()),
        // As it is spelled in the documentation's example, and as it is meant.
        ("CurruentSequence", shown.into()),
        ("CurrentSequence", shown.into()),
    ]))))
}
