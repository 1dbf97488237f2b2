//! `/v4/im_open_login_svc/`: which accounts there are. As much of it as it takes to make them, so that
//! they can have friends.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    body::{self, Fields},
    codes::{Code, Family},
    envelope::{Answered, Fault, Members, fine, members},
    profile,
};
use crate::{
    dialects::{House, Reply, Step, Wrote},
    facts::{Command, Id, Op, UserFields},
};

/// How many accounts one call names at most, as documented.
const MOST: usize = 100;

pub(super) fn import(body: &[u8], _: &dyn House) -> Answered {
    let fields = body::read(body, Family::Accounts)?;
    let op = put(&fields, user_id(&fields)?)?;
    Ok(Step::op(op, |wrote, _| {
        let reply = match wrote {
            Wrote::Done { .. } => fine(Members::new()),
            Wrote::Refused { refusal, .. } => Fault::refused(Family::Accounts, refusal).reply(),
            Wrote::Failed(why) => Fault::not_written(Family::Accounts, why).reply(),
        };
        Ok(Step::Done(reply))
    }))
}

pub(super) fn import_all(body: &[u8], _: &dyn House) -> Answered {
    let fields = body::read(body, Family::Accounts)?;
    let each: Vec<(String, Result<Op, Fault>)> = if fields.has("AccountList") {
        let read = |(at, value): (usize, &Value)| {
            let item = Fields::of(value, &format!("AccountList[{at}]"), Family::Accounts)?;
            let id = user_id(&item)?;
            Ok((id.to_owned(), put(&item, id)))
        };
        few(&fields, "AccountList")?.iter().enumerate().map(read).collect::<Result<_, Fault>>()?
    } else {
        few(&fields, "Accounts")?;
        let ids = fields.texts("Accounts")?.unwrap_or_default();
        ids.into_iter().map(|id| (id.clone(), put(&fields.none(), &id))).collect()
    };
    Ok(run(each, |results| {
        let failed = results.iter().filter(|(_, fault)| fault.is_some());
        members([("FailAccounts", failed.map(|(id, _)| id.as_str()).collect())])
    }))
}

pub(super) fn delete(body: &[u8], house: &dyn House) -> Answered {
    let fields = body::read(body, Family::Accounts)?;
    let read = |(at, value): (usize, &Value)| {
        let item = Fields::of(value, &format!("DeleteItem[{at}]"), Family::Accounts)?;
        let id = user_id(&item)?;
        let op = match Id::new(id) {
            Ok(user) if house.knows_user(id) => Ok(Op::DeleteUser { user, only_unused: None }),
            _ => Err(Fault::new(Code::AccountUnknown, "Err_Account_Not_Exist")),
        };
        Ok((id.to_owned(), op))
    };
    let each = few(&fields, "DeleteItem")?.iter().enumerate().map(read);
    Ok(run(each.collect::<Result<_, Fault>>()?, |results| {
        let item = |(id, fault): &(String, Option<Fault>)| item(id, fault.as_ref());
        members([("ResultItem", results.iter().map(item).map(Value::Object).collect())])
    }))
}

pub(super) fn check(body: &[u8], house: &dyn House) -> Answered {
    let fields = body::read(body, Family::Accounts)?;
    let read = |(at, value): (usize, &Value)| {
        let id = Fields::of(value, &format!("CheckItem[{at}]"), Family::Accounts)?;
        let id = user_id(&id)?.to_owned();
        let status = if house.knows_user(&id) { "Imported" } else { "NotImported" };
        let mut item = item(&id, None);
        item.insert("AccountStatus".to_owned(), status.into());
        Ok(Value::Object(item))
    };
    let items = few(&fields, "CheckItem")?.iter().enumerate().map(read);
    let items = items.collect::<Result<Vec<_>, Fault>>()?;
    Ok(Step::Done(fine(members([("ResultItem", items.into())]))))
}

fn item(id: &str, fault: Option<&Fault>) -> Members {
    let (code, info) = fault.map_or((0, ""), |fault| (fault.code.number(), fault.info.as_str()));
    members([("UserID", id.into()), ("ResultCode", code.into()), ("ResultInfo", info.into())])
}

/// Carries the operations out, each for itself, and answers what `told` makes of it.
fn run(
    each: Vec<(String, Result<Op, Fault>)>,
    told: impl Fn(&[(String, Option<Fault>)]) -> Members + Send + Sync + 'static,
) -> Step<Reply> {
    let mut commands: Vec<Command> = Vec::new();
    let mut named = Vec::new();
    for (id, op) in each {
        let fault = op.map(|op| commands.push(op.into())).err();
        named.push((id, fault));
    }
    if commands.is_empty() {
        return Step::Done(fine(told(&named)));
    }
    Step::each(commands, move |wrote, _| {
        let outcomes = match wrote {
            Wrote::Done { outcomes, .. } => outcomes,
            Wrote::Refused { refusal, .. } => {
                return Ok(Step::Done(Fault::refused(Family::Accounts, refusal).reply()));
            }
            Wrote::Failed(why) => {
                return Ok(Step::Done(Fault::not_written(Family::Accounts, why).reply()));
            }
        };
        let mut outcomes = outcomes.iter();
        let result = |(id, fault): &(String, Option<Fault>)| {
            let refused = || {
                let refusal = outcomes.next()?.as_ref().err()?;
                Some(Fault::refused(Family::Accounts, refusal))
            };
            (id.clone(), fault.clone().or_else(refused))
        };
        let results: Vec<_> = named.iter().map(result).collect();
        Ok(Step::Done(fine(told(&results))))
    })
}

/// A list of accounts.
fn few<'f>(fields: &'f Fields, name: &str) -> Result<&'f Vec<Value>, Fault> {
    let list = fields.items(name)?;
    if list.len() <= MOST {
        return Ok(list);
    }
    Err(fields.bad(name, &format!("it has at most {MOST} elements, not {}", list.len())))
}

/// The account, by its present or its older name.
fn user_id(fields: &Fields) -> Result<&str, Fault> {
    match fields.text("UserID")? {
        Some(id) => Ok(id),
        None if fields.has("Identifier") => fields.needed("Identifier"),
        None => fields.needed("UserID"),
    }
}

fn put(fields: &Fields, id: &str) -> Result<Op, Fault> {
    let user = Id::new(id).map_err(|why| fields.bad("UserID", &why.to_string()))?;
    let mut kept = Members::new();
    for (name, tag) in [("Nick", profile::NICK), ("FaceUrl", profile::IMAGE)] {
        if let Some(text) = fields.text(name)? {
            if text.len() > profile::LONGEST {
                return Err(fields.bad(name, &format!("it has at most {} bytes", profile::LONGEST)));
            }
            kept.insert(tag.to_owned(), text.into());
        }
    }
    let attributes = BTreeMap::from([(profile::ATTRIBUTE.to_owned(), kept.into())]);
    let fields = UserFields { merge_attributes: Some(attributes), ..UserFields::default() };
    Ok(Op::PutUser { user, fields: Box::new(fields) })
}
