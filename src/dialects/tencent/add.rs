//! `friend_add` and `friend_import`: putting users into friend lists.

use serde_json::Value;

use super::{
    body::{self, Fields},
    codes::{Code, Family},
    envelope::{Answered, Fault},
    fields,
    items::{Names, as_it_is, carry_out, items},
    profile,
};
use crate::{
    dialects::House,
    facts::{Id, Op, Outcome, Refusal},
};

const ADD: Names =
    Names { call: "FriendAdd", not_friend: (Code::SnsParameter, "Friend_Not_Exist") };
const IMPORT: Names =
    Names { call: "FriendImport", not_friend: (Code::SnsParameter, "Friend_Not_Exist") };

/// How all of a call's items are to become friends.
struct Way {
    names: Names,
    both: bool,
    /// Whether the other's `AllowType` is passed over; blocklists and limits never are.
    approved: bool,
    imports: bool,
}

pub(super) fn add(body: &[u8], house: &dyn House) -> Answered {
    let fields = body::read(body, Family::Sns)?;
    let from = fields.known("From_Account", house)?;
    let types = [("Add_Type_Both", true), ("Add_Type_Single", false)];
    let both = fields.word("AddType", &types)?.unwrap_or(true);
    let approved = match fields.number("ForceAddFlags")? {
        0 => false,
        1 => true,
        _ => return Err(fields.bad("ForceAddFlags", "it is 0 or 1").into()),
    };
    let way = Way { names: ADD, both, approved, imports: false };
    let forbidden = profile::forbids_requests(house, &from)?;
    run(&from, fields.items("AddFriendItem")?, ADD, house, |item, to| {
        let op = way.op(&from, to, item, house)?;
        if forbidden { Err(ADD.fault(Code::AdminForbids, "Forbid_By_Admin")) } else { Ok(op) }
    })
}

pub(super) fn import(body: &[u8], house: &dyn House) -> Answered {
    let fields = body::read(body, Family::Sns)?;
    let from = fields.known("From_Account", house)?;
    let way = Way { names: IMPORT, both: false, approved: true, imports: true };
    let list = fields.items("AddFriendItem")?;
    run(&from, list, IMPORT, house, |item, to| way.op(&from, to, item, house))
}

fn run(
    from: &Id,
    list: &[Value],
    names: Names,
    house: &dyn House,
    todo: impl Fn(&Fields, &str) -> Result<Op, Fault>,
) -> Answered {
    let items = items("AddFriendItem", list, todo)?;
    let from = from.clone();
    let judge = move |to: &str, outcome: &Result<Outcome, Refusal>, house: &dyn House| {
        names.judged((&from, to), outcome, house)
    };
    Ok(carry_out(items, house, judge, as_it_is)?)
}

impl Way {
    fn op(&self, from: &Id, to: &str, item: &Fields, house: &dyn House) -> Result<Op, Fault> {
        let fields = fields::added(item, self.names, self.imports)?;
        let to = self.names.account(from, to, house)?;
        Ok(Op::AddFriend {
            from: from.clone(),
            to,
            both: Some(self.both),
            approved: Some(self.approved),
            force: None,
            fields: Box::new(fields),
        })
    }
}
