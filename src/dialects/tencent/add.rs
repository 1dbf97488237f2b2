//! `friend_add` and `friend_import`: putting users into friend lists.

use serde_json::Value;

use super::{
    batch::{CallNames, parse_items, run_batch, unchanged},
    body::{self, RequestFields},
    codes::{CallFamily, TencentCode},
    envelope::{TencentError, TencentResult},
    friend_fields, profile,
};
use crate::{
    dialects::Backend,
    facts::{CommandError, CommandOutcome, Id, Op},
};

const ADD: CallNames =
    CallNames { call: "FriendAdd", not_friend: (TencentCode::SnsParameter, "Friend_Not_Exist") };
const IMPORT: CallNames =
    CallNames { call: "FriendImport", not_friend: (TencentCode::SnsParameter, "Friend_Not_Exist") };

/// The options of a call that adds friends, for all its items.
struct AddOptions {
    names: CallNames,
    both: bool,
    /// Whether the other user's `AllowType` is ignored; blocklists and limits never are.
    approved: bool,
    imports: bool,
}

pub(super) fn add(body: &[u8], backend: &dyn Backend) -> TencentResult {
    let fields = body::parse(body, CallFamily::Sns)?;
    let from = fields.existing_account("From_Account", backend)?;
    let types = [("Add_Type_Both", true), ("Add_Type_Single", false)];
    let both = fields.enum_text("AddType", &types)?.unwrap_or(true);
    let approved = match fields.number("ForceAddFlags")? {
        0 => false,
        1 => true,
        _ => return Err(fields.value_error("ForceAddFlags", "must be 0 or 1").into()),
    };
    let options = AddOptions { names: ADD, both, approved, imports: false };
    let forbidden = profile::forbids_requests(backend, &from)?;
    run(&from, fields.required_list("AddFriendItem")?, ADD, backend, |item, to| {
        let op = options.op(&from, to, item, backend)?;
        if forbidden {
            Err(ADD.error(TencentCode::AdminForbids, "Forbid_By_Admin"))
        } else {
            Ok(op)
        }
    })
}

pub(super) fn import(body: &[u8], backend: &dyn Backend) -> TencentResult {
    let fields = body::parse(body, CallFamily::Sns)?;
    let from = fields.existing_account("From_Account", backend)?;
    let options = AddOptions { names: IMPORT, both: false, approved: true, imports: true };
    let list = fields.required_list("AddFriendItem")?;
    run(&from, list, IMPORT, backend, |item, to| options.op(&from, to, item, backend))
}

fn run(
    from: &Id,
    list: &[Value],
    names: CallNames,
    backend: &dyn Backend,
    read_op: impl Fn(&RequestFields, &str) -> Result<Op, TencentError>,
) -> TencentResult {
    let items = parse_items("AddFriendItem", list, read_op)?;
    let from = from.clone();
    let judge =
        move |to: &str, outcome: &Result<CommandOutcome, CommandError>, backend: &dyn Backend| {
            names.outcome_error((&from, to), outcome, backend)
        };
    Ok(run_batch(items, backend, judge, unchanged)?)
}

impl AddOptions {
    fn op(
        &self,
        from: &Id,
        to: &str,
        item: &RequestFields,
        backend: &dyn Backend,
    ) -> Result<Op, TencentError> {
        let fields = friend_fields::parse_added(item, self.names, self.imports)?;
        let to = self.names.account(from, to, backend)?;
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
