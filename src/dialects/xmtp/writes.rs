//! Calls that change a group.

use serde_json::Value;

use super::{
    arguments::{Arguments, missing},
    attempt::{GroupAttempt, result_reply, unknown_group},
    calls::{APP_DATA, DESCRIPTION, GroupWrite, IMAGE, MemberNaming, NAME},
    create, disappearing,
    error::{XmtpError, XmtpStop},
    inboxes, permission_update,
    policy::{joined_permissions, named_field},
    reads::{is_dm, read_group},
    steps,
};
use crate::{
    dialects::{Backend, Reply, Step},
    facts::{Command, Id, Nullable, Op},
    request::{Action, Reason, Request},
};

type WriteReply = Result<Step<Reply>, XmtpStop>;

pub(super) fn answer(
    write: GroupWrite,
    group: &Id,
    mut arguments: Arguments,
    backend: &dyn Backend,
) -> WriteReply {
    let caller = arguments.required_id("caller")?;
    let attempt = |permission| GroupAttempt::new(caller.clone(), group.clone(), permission);
    match write {
        GroupWrite::Role(change) => {
            let inbox = arguments.required_id("inboxId")?;
            arguments.finish()?;
            require_group(group, backend)?;
            let inboxes = vec![inbox.clone()];
            let attempt = GroupAttempt { inboxes, ..attempt(change.permission()) };
            if change.is_demotion() && attempt.is_absent(&inbox, backend) {
                attempt.check_no_removal(change.action(), &inbox, backend)?;
                return Ok(Step::Done(result_reply(200, &Value::Null)));
            }
            Ok(run_ops(vec![change.op(group.clone(), inbox)], attempt))
        }
        GroupWrite::AddMembers(by) => {
            resolve_named(by, arguments, backend, add_members, attempt("add_member"))
        }
        GroupWrite::RemoveMembers(by) => {
            resolve_named(by, arguments, backend, remove_members, attempt("remove_member"))
        }
        GroupWrite::Permission(target) => {
            let (permission, value) = permission_update::parse(target, &mut arguments)?;
            arguments.finish()?;
            require_group(group, backend)?;
            let update = |permission| {
                let value = Nullable(Some(value.clone()));
                Op::UpdatePermissions { group: group.clone(), permission, value }
            };
            let ops = joined_permissions(permission).into_iter().map(update).collect();
            Ok(run_ops(ops, attempt("update_permissions")))
        }
        GroupWrite::Field(field) => {
            let names: &[&'static str] = match field {
                NAME => &["groupName", "name", "value"],
                DESCRIPTION => &["groupDescription", "description", "value"],
                IMAGE => &["imageUrl", "imageUrlSquare", "groupImageUrlSquare", "value"],
                _ => &["appData", "value"],
            };
            let value = arguments.text(names)?;
            let value = value.ok_or_else(|| missing(names.first().copied().unwrap_or_default()))?;
            arguments.finish()?;
            require_group(group, backend)?;
            update(vec![(field.to_owned(), value)], attempt("update_metadata"), backend)
        }
        GroupWrite::Metadata => {
            let field =
                arguments.text(&["field", "metadataField"])?.ok_or_else(|| missing("field"))?;
            let field = named_field(&field, "field")?.field.unwrap_or_default();
            let value = arguments.text(&["value"])?.ok_or_else(|| missing("value"))?;
            arguments.finish()?;
            require_group(group, backend)?;
            update(vec![(field, value)], attempt("update_metadata"), backend)
        }
        GroupWrite::Disappearing => {
            let fields = disappearing::parse(&mut arguments)?;
            arguments.finish()?;
            require_group(group, backend)?;
            update(fields, attempt("update_metadata"), backend)
        }
        GroupWrite::NotDisappearing => {
            arguments.finish()?;
            require_group(group, backend)?;
            update(disappearing::never(), attempt("update_metadata"), backend)
        }
        GroupWrite::Leave => {
            arguments.finish()?;
            require_group(group, backend)?;
            leave(attempt("leave"), backend)
        }
    }
}

/// # Errors
/// If the group is unknown.
fn require_group(group: &Id, backend: &dyn Backend) -> Result<(), XmtpError> {
    if backend.knows_group(group) { Ok(()) } else { Err(unknown_group(group)) }
}

/// The step that writes all operations or none, on behalf of the caller.
fn run_ops(ops: Vec<Op>, attempt: GroupAttempt) -> Step<Reply> {
    let commands: Vec<Command> = ops.into_iter().map(|op| attempt.command(op)).collect();
    steps::write_all(commands, move |wrote, backend| {
        attempt.outcome_reply(wrote, backend, || Ok(result_reply(200, &Value::Null)))
    })
}

/// Continues with the inboxes that a call names.
fn resolve_named(
    by: MemberNaming,
    mut arguments: Arguments,
    backend: &dyn Backend,
    then: impl Fn(Vec<Id>, GroupAttempt, &dyn Backend) -> WriteReply + Send + Sync + 'static,
    attempt: GroupAttempt,
) -> WriteReply {
    match by {
        MemberNaming::InboxId => {
            let inboxes = arguments.ids(&["inboxIds"])?.ok_or_else(|| missing("inboxIds"))?;
            arguments.finish()?;
            require_group(&attempt.group, backend)?;
            then(inboxes, attempt, backend)
        }
        MemberNaming::Either if arguments.has("inboxIds") => {
            resolve_named(MemberNaming::InboxId, arguments, backend, then, attempt)
        }
        MemberNaming::Address | MemberNaming::Either => {
            let named =
                inboxes::named_addresses(&mut arguments)?.ok_or_else(|| missing("addresses"))?;
            arguments.finish()?;
            require_group(&attempt.group, backend)?;
            inboxes::resolve_addresses(named, backend, move |inboxes, backend| {
                then(inboxes, attempt.clone(), backend)
            })
        }
    }
}

/// Adds the users who are not members yet; the others change nothing, even if the group is full.
fn add_members(mut inboxes: Vec<Id>, attempt: GroupAttempt, backend: &dyn Backend) -> WriteReply {
    inboxes::deduplicate(&mut inboxes);
    inboxes.retain(|inbox| backend.role(&attempt.group, inbox).is_none());
    if inboxes.is_empty() {
        return unchanged_reply(&attempt, backend);
    }
    if let [other] = &*inboxes
        && create::dm_id(&attempt.caller, other) == *attempt.group
        && is_dm(&read_group(&attempt.group, backend)?)
    {
        return Ok(create::join_dm(other, attempt, false, 200));
    }
    let group = &attempt.group;
    let add = |member: &Id| Op::AddMember { group: group.clone(), member: member.clone() };
    let ops = inboxes.iter().map(add).collect();
    Ok(run_ops(ops, GroupAttempt { inboxes, ..attempt }))
}

/// Removes members, the caller last, since the caller's permission is checked for each. Who is not a member
/// stays none.
fn remove_members(
    mut inboxes: Vec<Id>,
    attempt: GroupAttempt,
    backend: &dyn Backend,
) -> WriteReply {
    if inboxes.is_empty() {
        return unchanged_reply(&attempt, backend);
    }
    let (caller, group) = (&attempt.caller, &attempt.group);
    inboxes.sort_by_key(|inbox| inbox == caller);
    // Callers who remove themselves by this call need the permission, unlike those who leave.
    if inboxes.contains(caller) {
        let request = Request::in_group(caller, Action::RemoveMember, group);
        let request = Request { member: Some((&**caller).into()), ..request };
        GroupAttempt { inboxes: vec![caller.clone()], ..attempt.clone() }
            .check(&request, backend)?;
    }
    let (absent, inboxes): (Vec<Id>, Vec<Id>) =
        inboxes.into_iter().partition(|inbox| attempt.is_absent(inbox, backend));
    if let Some(inbox) = absent.first() {
        GroupAttempt { inboxes: vec![inbox.clone()], ..attempt.clone() }.check_no_removal(
            Action::RemoveMember,
            inbox,
            backend,
        )?;
    }
    if inboxes.is_empty() {
        return Ok(Step::Done(result_reply(200, &Value::Null)));
    }
    let remove = |member: &Id| Op::RemoveMember { group: group.clone(), member: member.clone() };
    let ops = inboxes.iter().map(remove).collect();
    Ok(run_ops(ops, GroupAttempt { inboxes, ..attempt }))
}

/// The reply to a call that changes nothing; the caller must be allowed to read the group.
fn unchanged_reply(attempt: &GroupAttempt, backend: &dyn Backend) -> WriteReply {
    let (caller, group) = (&attempt.caller, &attempt.group);
    attempt.check(&Request::in_group(caller, Action::Read, group), backend)?;
    Ok(Step::Done(result_reply(200, &Value::Null)))
}

/// Changes metadata fields. In a conversation of two, only the settings of disappearing messages
/// can be changed.
fn update(
    fields: Vec<(String, String)>,
    attempt: GroupAttempt,
    backend: &dyn Backend,
) -> WriteReply {
    let field = fields.first().map(|(field, _)| field.clone());
    let attempt = GroupAttempt { field, ..attempt };
    let is_shared = |(field, _): &(String, String)| {
        [NAME, DESCRIPTION, IMAGE, APP_DATA].contains(&field.as_str())
    };
    if fields.iter().any(is_shared) && is_dm(&read_group(&attempt.group, backend)?) {
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
    Ok(run_ops(ops, attempt))
}

/// Leaves a group; a conversation of two can't be left, as its matrix says. XMTP checks that only
/// after whether the caller is a member, and not the only one.
fn leave(attempt: GroupAttempt, backend: &dyn Backend) -> WriteReply {
    let (caller, group) = (&attempt.caller, &attempt.group);
    let decision = backend.decide(&Request::in_group(caller, Action::Leave, group));
    if decision.reason == Reason::DeniedByMatrix
        && let effective = read_group(group, backend)?
        && is_dm(&effective)
    {
        if effective.members.len() == 1 {
            let message = "the caller is the only member";
            let code = Reason::LastMember.as_str();
            return Err(attempt.forbidden(code, "SingleMemberLeaveRejected", message).into());
        }
        let message = "nobody leaves a conversation of two";
        return Err(attempt.forbidden("dm_leave_forbidden", "DmLeaveForbidden", message).into());
    }
    let op = Op::RemoveMember { group: group.clone(), member: caller.clone() };
    Ok(run_ops(vec![op], attempt))
}
