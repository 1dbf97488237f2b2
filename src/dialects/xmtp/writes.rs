//! What a caller changes in a group.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    arguments::{Arguments, missing},
    attempt::{Attempt, no_group, result},
    calls::{APP_DATA, By, DESCRIPTION, IMAGE, NAME, Write},
    create, disappearing, inboxes, permission_update,
    policy::{named_field, together},
    reads::{is_dm, whole},
    refused::{Refused, Stop},
    step,
};
use crate::{
    dialects::{House, Reply, Step},
    facts::{Command, Id, Needed, Op},
    request::{Action, Reason, Request},
};

type Answer = Result<Step<Reply>, Stop>;

pub(super) fn answer(
    write: Write,
    group: &Id,
    mut arguments: Arguments,
    house: &dyn House,
) -> Answer {
    let caller = arguments.needed_id("caller")?;
    let attempt = |permission| Attempt::new(caller.clone(), group.clone(), permission);
    match write {
        Write::Role(action) => {
            let inbox = arguments.needed_id("inboxId")?;
            arguments.finish()?;
            known(group, house)?;
            let attempt = Attempt { inboxes: vec![inbox.clone()], ..attempt(action.as_str()) };
            let op = role_change(action, group.clone(), inbox);
            Ok(carry(op.into_iter().collect(), attempt))
        }
        Write::AddMembers(by) => named(by, arguments, house, add_members, attempt("add_member")),
        Write::RemoveMembers(by) => {
            named(by, arguments, house, remove_members, attempt("remove_member"))
        }
        Write::Permission(target) => {
            let (permission, value) = permission_update::read(target, &mut arguments)?;
            arguments.finish()?;
            known(group, house)?;
            let update = |permission| {
                let value = Needed(Some(value.clone()));
                Op::UpdatePermissions { group: group.clone(), permission, value }
            };
            let ops = together(permission).into_iter().map(update).collect();
            Ok(carry(ops, attempt("update_permissions")))
        }
        Write::Field(field) => {
            let names: &[&'static str] = match field {
                NAME => &["groupName", "name", "value"],
                DESCRIPTION => &["groupDescription", "description", "value"],
                IMAGE => &["imageUrl", "imageUrlSquare", "groupImageUrlSquare", "value"],
                _ => &["appData", "value"],
            };
            let value = arguments.text(names)?;
            let value = value.ok_or_else(|| missing(names.first().copied().unwrap_or_default()))?;
            arguments.finish()?;
            known(group, house)?;
            update(vec![(field.to_owned(), value)], attempt("update_metadata"), house)
        }
        Write::Metadata => {
            let field =
                arguments.text(&["field", "metadataField"])?.ok_or_else(|| missing("field"))?;
            let field = named_field(&field, "field")?.field.unwrap_or_default();
            let value = arguments.text(&["value"])?.ok_or_else(|| missing("value"))?;
            arguments.finish()?;
            known(group, house)?;
            update(vec![(field, value)], attempt("update_metadata"), house)
        }
        Write::Disappearing => {
            let fields = disappearing::read(&mut arguments)?;
            arguments.finish()?;
            known(group, house)?;
            update(fields, attempt("update_metadata"), house)
        }
        Write::NotDisappearing => {
            arguments.finish()?;
            known(group, house)?;
            update(disappearing::never(), attempt("update_metadata"), house)
        }
        Write::Leave => {
            arguments.finish()?;
            known(group, house)?;
            leave(attempt("leave"), house)
        }
    }
}

/// # Errors
/// If there is no such group.
fn known(group: &Id, house: &dyn House) -> Result<(), Refused> {
    if house.knows_group(group) { Ok(()) } else { Err(no_group(group)) }
}

/// Does all of it in the caller's name, or nothing.
fn carry(ops: Vec<Op>, attempt: Attempt) -> Step<Reply> {
    let commands: Vec<Command> = ops.into_iter().map(|op| attempt.command(op)).collect();
    step::write(commands, move |wrote, house| {
        attempt.answered(wrote, house, || Ok(result(200, &Value::Null)))
    })
}

fn role_change(action: Action, group: Id, member: Id) -> Option<Op> {
    Some(match action {
        Action::AddAdmin => Op::AddAdmin { group, member },
        Action::RemoveAdmin => Op::RemoveAdmin { group, member },
        Action::AddSuperAdmin => Op::AddSuperAdmin { group, member },
        Action::RemoveSuperAdmin => Op::RemoveSuperAdmin { group, member },
        _ => return None,
    })
}

/// Goes on with the inboxes that a call names.
fn named(
    by: By,
    mut arguments: Arguments,
    house: &dyn House,
    then: impl Fn(Vec<Id>, Attempt, &dyn House) -> Answer + Send + Sync + 'static,
    attempt: Attempt,
) -> Answer {
    match by {
        By::InboxId => {
            let inboxes = arguments.ids(&["inboxIds"])?.ok_or_else(|| missing("inboxIds"))?;
            arguments.finish()?;
            known(&attempt.group, house)?;
            then(inboxes, attempt, house)
        }
        By::Either if arguments.has("inboxIds") => {
            named(By::InboxId, arguments, house, then, attempt)
        }
        By::Address | By::Either => {
            let named = inboxes::named(&mut arguments)?.ok_or_else(|| missing("addresses"))?;
            arguments.finish()?;
            known(&attempt.group, house)?;
            inboxes::resolved(named, house, move |inboxes, house| {
                then(inboxes, attempt.clone(), house)
            })
        }
    }
}

/// Adds those who are no members yet: there is nothing to do about the others, even if the group is full.
fn add_members(mut inboxes: Vec<Id>, attempt: Attempt, house: &dyn House) -> Answer {
    each_once(&mut inboxes);
    inboxes.retain(|inbox| house.role(&attempt.group, inbox).is_none());
    if inboxes.is_empty() {
        return nothing(&attempt, house);
    }
    if let [other] = &*inboxes
        && create::dm_id(&attempt.caller, other) == *attempt.group
        && is_dm(&whole(&attempt.group, house)?)
    {
        return Ok(create::join_dm(other, attempt, false, 200));
    }
    let group = &attempt.group;
    let add = |member: &Id| Op::AddMember { group: group.clone(), member: member.clone() };
    let ops = inboxes.iter().map(add).collect();
    Ok(carry(ops, Attempt { inboxes, ..attempt }))
}

/// Removes all of them, as the caller may before any of them is gone: himself he removes last.
fn remove_members(mut inboxes: Vec<Id>, attempt: Attempt, house: &dyn House) -> Answer {
    if inboxes.is_empty() {
        return nothing(&attempt, house);
    }
    let (caller, group) = (&attempt.caller, &attempt.group);
    inboxes.sort_by_key(|inbox| inbox == caller);
    // Who removes himself by this call does not leave: he needs the permission.
    if inboxes.contains(caller) {
        let request = Request::in_group(caller, Action::RemoveMember, group);
        let request = Request { member: Some((&**caller).into()), ..request };
        Attempt { inboxes: vec![caller.clone()], ..attempt.clone() }.check(&request, house)?;
    }
    let remove = |member: &Id| Op::RemoveMember { group: group.clone(), member: member.clone() };
    let ops = inboxes.iter().map(remove).collect();
    Ok(carry(ops, Attempt { inboxes, ..attempt }))
}

/// Leaves out what a list names again.
pub(super) fn each_once(inboxes: &mut Vec<Id>) {
    let mut seen = BTreeSet::new();
    inboxes.retain(|inbox| seen.insert(inbox.clone()));
}

/// There is nothing to do, for who is a member.
fn nothing(attempt: &Attempt, house: &dyn House) -> Answer {
    let (caller, group) = (&attempt.caller, &attempt.group);
    attempt.check(&Request::in_group(caller, Action::Read, group), house)?;
    Ok(Step::Done(result(200, &Value::Null)))
}

/// Changes fields of the metadata, which is for nobody to do in a conversation of two, but for when
/// messages disappear.
fn update(fields: Vec<(String, String)>, attempt: Attempt, house: &dyn House) -> Answer {
    let field = fields.first().map(|(field, _)| field.clone());
    let attempt = Attempt { field, ..attempt };
    let is_shared = |(field, _): &(String, String)| {
        [NAME, DESCRIPTION, IMAGE, APP_DATA].contains(&field.as_str())
    };
    if fields.iter().any(is_shared) && is_dm(&whole(&attempt.group, house)?) {
        let message = "a conversation of two has no name, description, image or app data";
        let code = "dm_group_metadata_forbidden";
        return Err(attempt.forbidden(code, "DmGroupMetadataForbidden", message).into());
    }
    let group = &attempt.group;
    let op = |(field, value): (String, String)| {
        let value = Value::String(value);
        Op::UpdateMetadata { group: group.clone(), field, value }
    };
    let ops = fields.into_iter().map(op).collect();
    Ok(carry(ops, attempt))
}

/// Leaves, unless it is a conversation of two, which the matrix says of it. That XMTP looks at after
/// whether the caller is a member and not the only one.
fn leave(attempt: Attempt, house: &dyn House) -> Answer {
    let (caller, group) = (&attempt.caller, &attempt.group);
    let decision = house.decide(&Request::in_group(caller, Action::Leave, group));
    if decision.reason == Reason::DeniedByMatrix
        && let told = whole(group, house)?
        && is_dm(&told)
    {
        if told.members.len() == 1 {
            let message = "the caller is the only member";
            let code = Reason::LastMember.as_str();
            return Err(attempt.forbidden(code, "SingleMemberLeaveRejected", message).into());
        }
        let message = "nobody leaves a conversation of two";
        return Err(attempt.forbidden("dm_leave_forbidden", "DmLeaveForbidden", message).into());
    }
    let op = Op::RemoveMember { group: group.clone(), member: caller.clone() };
    Ok(carry(vec![op], attempt))
}
