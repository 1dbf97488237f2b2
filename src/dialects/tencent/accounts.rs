//! `/v4/im_open_login_svc/`: accounts, as far as needed to create users who can have friends.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    body::{self, RequestFields},
    codes::{CallFamily, TencentCode},
    envelope::{ReplyFields, TencentError, TencentResult, reply_fields, success_reply},
    profile,
};
use crate::{
    dialects::{Backend, Reply, Step},
    facts::{Command, Id, Op, UserFields, WriteOutcome},
};

/// The maximum number of accounts in one call, as documented.
const MOST: usize = 100;

pub(super) fn import(body: &[u8], _: &dyn Backend) -> TencentResult {
    let fields = body::parse(body, CallFamily::Accounts)?;
    let op = put(&fields, user_id(&fields)?)?;
    Ok(Step::write_op(op, |wrote, _| {
        let reply = match wrote {
            Ok(WriteOutcome::Applied { .. }) => success_reply(ReplyFields::new()),
            Ok(WriteOutcome::Refused { error: refusal, .. }) => {
                TencentError::from_refusal(CallFamily::Accounts, refusal).reply()
            }
            Err(why) => TencentError::from_write_error(CallFamily::Accounts, why).reply(),
        };
        Ok(Step::Done(reply))
    }))
}

pub(super) fn import_all(body: &[u8], _: &dyn Backend) -> TencentResult {
    let fields = body::parse(body, CallFamily::Accounts)?;
    let each: Vec<(String, Result<Op, TencentError>)> = if fields.has("AccountList") {
        let read = |(at, value): (usize, &Value)| {
            let item = RequestFields::from_value(
                value,
                &format!("AccountList[{at}]"),
                CallFamily::Accounts,
            )?;
            let id = user_id(&item)?;
            Ok((id.to_owned(), put(&item, id)))
        };
        few(&fields, "AccountList")?
            .iter()
            .enumerate()
            .map(read)
            .collect::<Result<_, TencentError>>()?
    } else {
        few(&fields, "Accounts")?;
        let ids = fields.texts("Accounts")?.unwrap_or_default();
        ids.into_iter().map(|id| (id.clone(), put(&fields.empty(), &id))).collect()
    };
    Ok(run(each, |results| {
        let failed = results.iter().filter(|(_, fault)| fault.is_some());
        reply_fields([("FailAccounts", failed.map(|(id, _)| id.as_str()).collect())])
    }))
}

pub(super) fn delete(body: &[u8], backend: &dyn Backend) -> TencentResult {
    let fields = body::parse(body, CallFamily::Accounts)?;
    let read = |(at, value): (usize, &Value)| {
        let item =
            RequestFields::from_value(value, &format!("DeleteItem[{at}]"), CallFamily::Accounts)?;
        let id = user_id(&item)?;
        let op = match Id::new(id) {
            Ok(user) if backend.knows_user(id) => Ok(Op::DeleteUser { user, only_unused: None }),
            _ => Err(TencentError::new(TencentCode::AccountUnknown, "Err_Account_Not_Exist")),
        };
        Ok((id.to_owned(), op))
    };
    let each = few(&fields, "DeleteItem")?.iter().enumerate().map(read);
    Ok(run(each.collect::<Result<_, TencentError>>()?, |results| {
        let item = |(id, fault): &(String, Option<TencentError>)| item(id, fault.as_ref());
        reply_fields([("ResultItem", results.iter().map(item).map(Value::Object).collect())])
    }))
}

pub(super) fn check(body: &[u8], backend: &dyn Backend) -> TencentResult {
    let fields = body::parse(body, CallFamily::Accounts)?;
    let read = |(at, value): (usize, &Value)| {
        let id =
            RequestFields::from_value(value, &format!("CheckItem[{at}]"), CallFamily::Accounts)?;
        let id = user_id(&id)?.to_owned();
        let status = if backend.knows_user(&id) { "Imported" } else { "NotImported" };
        let mut item = item(&id, None);
        item.insert("AccountStatus".to_owned(), status.into());
        Ok(Value::Object(item))
    };
    let items = few(&fields, "CheckItem")?.iter().enumerate().map(read);
    let items = items.collect::<Result<Vec<_>, TencentError>>()?;
    Ok(Step::Done(success_reply(reply_fields([("ResultItem", items.into())]))))
}

fn item(id: &str, fault: Option<&TencentError>) -> ReplyFields {
    let (code, info) = fault.map_or((0, ""), |fault| (fault.code.number(), fault.info.as_str()));
    reply_fields([("UserID", id.into()), ("ResultCode", code.into()), ("ResultInfo", info.into())])
}

/// Writes the operations independently of each other; `render` makes the answer from their results.
fn run(
    each: Vec<(String, Result<Op, TencentError>)>,
    render: impl Fn(&[(String, Option<TencentError>)]) -> ReplyFields + Send + Sync + 'static,
) -> Step<Reply> {
    let mut commands: Vec<Command> = Vec::new();
    let mut named = Vec::new();
    for (id, op) in each {
        let fault = op.map(|op| commands.push(op.into())).err();
        named.push((id, fault));
    }
    if commands.is_empty() {
        return Step::Done(success_reply(render(&named)));
    }
    Step::write_each(commands, move |wrote, _| {
        let outcomes = match wrote {
            Ok(WriteOutcome::Applied { outcomes, .. }) => outcomes,
            Ok(WriteOutcome::Refused { error: refusal, .. }) => {
                return Ok(Step::Done(
                    TencentError::from_refusal(CallFamily::Accounts, refusal).reply(),
                ));
            }
            Err(why) => {
                return Ok(Step::Done(
                    TencentError::from_write_error(CallFamily::Accounts, why).reply(),
                ));
            }
        };
        let mut outcomes = outcomes.iter();
        let result = |(id, fault): &(String, Option<TencentError>)| {
            let refused = || {
                let refusal = outcomes.next()?.as_ref().err()?;
                Some(TencentError::from_refusal(CallFamily::Accounts, refusal))
            };
            (id.clone(), fault.clone().or_else(refused))
        };
        let results: Vec<_> = named.iter().map(result).collect();
        Ok(Step::Done(success_reply(render(&results))))
    })
}

/// A list of at most [`MOST`] accounts, which must be given.
fn few<'f>(fields: &'f RequestFields, name: &str) -> Result<&'f Vec<Value>, TencentError> {
    let list = fields.required_list(name)?;
    if list.len() <= MOST {
        return Ok(list);
    }
    Err(fields.length_error(name, list.len(), MOST))
}

/// The account, by its present or its former member name.
fn user_id(fields: &RequestFields) -> Result<&str, TencentError> {
    match fields.text("UserID")? {
        Some(id) => Ok(id),
        None if fields.has("Identifier") => fields.required_text("Identifier"),
        None => fields.required_text("UserID"),
    }
}

fn put(fields: &RequestFields, id: &str) -> Result<Op, TencentError> {
    let user = Id::new(id).map_err(|why| fields.id_error("UserID", why))?;
    let mut kept = ReplyFields::new();
    for (name, tag) in [("Nick", profile::NICK), ("FaceUrl", profile::IMAGE)] {
        if let Some(text) = fields.text(name)? {
            if text.len() > profile::LONGEST {
                return Err(
                    fields.value_error(name, &format!("exceeds {} bytes", profile::LONGEST))
                );
            }
            kept.insert(tag.to_owned(), text.into());
        }
    }
    let attributes = BTreeMap::from([(profile::ATTRIBUTE.to_owned(), kept.into())]);
    let fields = UserFields { merge_attributes: Some(attributes), ..UserFields::default() };
    Ok(Op::PutUser { user, fields: Box::new(fields) })
}
