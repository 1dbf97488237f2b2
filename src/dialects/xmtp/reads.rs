//! Calls that read a group.

use serde_json::{Map, Value, json};

use super::{
    arguments::{Arguments, missing},
    attempt::{GroupAttempt, result_reply},
    calls::{DESCRIPTION, DISAPPEAR_FROM, DISAPPEAR_IN, GroupRead, IMAGE, NAME},
    error::{XmtpError, XmtpStop},
    inboxes,
    policy::{UNDER_CUSTOM, has_custom_set, named_field, preset_name, render_set},
    steps,
};
use crate::{
    dialects::{Backend, Reply, Step},
    facts::{EffectiveGroup, Id},
    request::{self, Action, Grant, GroupPermission, Request, Role},
};

/// The maximum number of members' records that are read without a blocking step.
const IMMEDIATE_MEMBERS: usize = 20;

/// The prefix of the keys of permissions of metadata fields in a group's record.
const OF_FIELD: &str = "update_metadata.";

pub(super) fn answer(
    read: GroupRead,
    group: &Id,
    mut arguments: Arguments,
    backend: &dyn Backend,
) -> Result<Step<Reply>, XmtpStop> {
    let caller = arguments.id(&["caller"])?;
    let inbox = if matches!(read, GroupRead::Is(_)) {
        Some(arguments.required_id("inboxId")?)
    } else {
        None
    };
    let field = if read == GroupRead::Metadata {
        arguments.text(&["field", "metadataField"])?
    } else {
        None
    };
    let field = match field {
        Some(field) => named_field(&field, "field")?.field,
        None => None,
    };
    arguments.finish()?;
    check(caller.as_ref(), group, backend)?;
    let result = match read {
        GroupRead::Is(role) => {
            let inbox = inbox.ok_or_else(|| missing("inboxId"))?;
            json!(backend.role(group, &inbox) == Some(role))
        }
        GroupRead::List(role) => {
            members(backend, group).filter(|(_, has)| *has == role).map(id).collect()
        }
        GroupRead::MemberInboxIds => members(backend, group).map(id).collect(),
        GroupRead::Members => {
            let is_quick = backend.group_size(group).is_none_or(|size| size <= IMMEDIATE_MEMBERS);
            let group = group.clone();
            let read = move |backend: &dyn Backend| {
                let members: Result<Value, XmtpStop> =
                    members(backend, &group).map(|(id, role)| member(&id, role, backend)).collect();
                Ok(Step::Done(result_reply(200, &members?)))
            };
            return if is_quick { read(backend) } else { Ok(steps::blocking(read)) };
        }
        GroupRead::AddedBy => {
            let caller = caller.ok_or_else(|| missing("caller"))?;
            added_by(&read_group(group, backend)?, &caller)
        }
        GroupRead::Creator => json!(read_group(group, backend)?.creator),
        GroupRead::IsCreator => {
            let caller = caller.ok_or_else(|| missing("caller"))?;
            json!(read_group(group, backend)?.creator.as_deref() == Some(&*caller))
        }
        GroupRead::Permissions => permissions(group, &read_group(group, backend)?, backend),
        GroupRead::PolicySet => policy_set(group, backend),
        GroupRead::Field(name) => text(&read_group(group, backend)?, name),
        GroupRead::Metadata => {
            let effective = read_group(group, backend)?;
            field.map_or_else(|| metadata(&effective), |field| text(&effective, &field))
        }
        GroupRead::Disappearing => {
            let effective = read_group(group, backend)?;
            json!({
                "disappearStartingAtNs": text(&effective, DISAPPEAR_FROM),
                "retentionDurationInNs": text(&effective, DISAPPEAR_IN),
            })
        }
    };
    Ok(Step::Done(result_reply(200, &result)))
}

/// The summary of a group, for a caller who may read it.
pub(super) fn summary(
    group: &Id,
    mut arguments: Arguments,
    backend: &dyn Backend,
) -> Result<Step<Reply>, XmtpStop> {
    let caller = arguments.id(&["caller"])?;
    arguments.finish()?;
    check(caller.as_ref(), group, backend)?;
    Ok(Step::Done(result_reply(200, &group_summary(group, backend)?)))
}

/// The JSON form of a group.
pub(super) fn group_summary(group: &Id, backend: &dyn Backend) -> Result<Value, XmtpStop> {
    let effective = read_group(group, backend)?;
    let having = |wanted: Option<Role>| -> Value {
        let having =
            effective.members.iter().filter(|(_, role)| wanted.is_none_or(|is| is == *role));
        having.map(|(id, _)| Value::from(id.as_str())).collect()
    };
    Ok(json!({
        "groupId": &**group,
        "conversationType": if is_dm(&effective) { "dm" } else { "group" },
        "creatorInboxId": effective.creator,
        "name": text(&effective, NAME),
        "description": text(&effective, DESCRIPTION),
        "imageUrl": text(&effective, IMAGE),
        "memberInboxIds": having(None),
        "admins": having(Some(Role::Admin)),
        "superAdmins": having(Some(Role::SuperAdmin)),
        "permissions": permissions(group, &effective, backend),
    }))
}

/// # Errors
/// If the group is unknown, or the caller may not read it.
fn check(caller: Option<&Id>, group: &Id, backend: &dyn Backend) -> Result<(), XmtpError> {
    if !backend.knows_group(group) {
        return Err(super::attempt::unknown_group(group));
    }
    let Some(caller) = caller else { return Ok(()) };
    let attempt = GroupAttempt::new(caller.clone(), group.clone(), "read");
    attempt.check(&Request::in_group(caller, Action::Read, group), backend)
}

/// # Errors
/// If the group is unknown.
pub(super) fn read_group(group: &Id, backend: &dyn Backend) -> Result<EffectiveGroup, XmtpStop> {
    backend.group(group)?.ok_or_else(|| super::attempt::unknown_group(group).into())
}

pub(super) fn is_dm(effective: &EffectiveGroup) -> bool {
    effective.matrix == "dm"
}

fn members(backend: &dyn Backend, group: &str) -> impl Iterator<Item = (String, Role)> + use<> {
    backend.members(group).unwrap_or_default().into_iter()
}

fn id((id, _): (String, Role)) -> Value {
    id.into()
}

fn member(id: &str, role: Role, backend: &dyn Backend) -> Result<Value, XmtpStop> {
    let kept = backend.user_record(id)?.unwrap_or_default();
    let addresses = inboxes::addresses(&kept.record, id);
    Ok(json!({ "inboxId": id, "addresses": addresses, "permissionLevel": role.as_str() }))
}

/// The user who added a member; for the creator, the creator. `null` if an administrator or a file
/// added the member.
fn added_by(effective: &EffectiveGroup, member: &str) -> Value {
    let by = effective.record.members.get(member).and_then(|member| member.by.as_deref());
    let creator = effective.creator.as_deref().filter(|&creator| creator == member);
    by.or(creator).into()
}

/// A metadata field; empty if it is not set.
fn text(effective: &EffectiveGroup, field: &str) -> Value {
    effective.record.metadata.get(field).cloned().unwrap_or_else(|| "".into())
}

fn metadata(effective: &EffectiveGroup) -> Value {
    let fields = effective.record.metadata.iter();
    Value::Object(
        fields.map(|(field, value)| (field.clone(), value.clone())).collect::<Map<_, _>>(),
    )
}

fn permissions(group: &Id, effective: &EffectiveGroup, backend: &dyn Backend) -> Value {
    let keys = effective.record.permissions.keys();
    let fields: Vec<&str> = keys.filter_map(|key| key.strip_prefix(OF_FIELD)).collect();
    let policy = |permission, field: Option<&str>| value(group, permission, field, backend);
    let is_custom = effective.matrix == UNDER_CUSTOM && has_custom_set(&effective.record);
    json!({ "policyType": preset_name(&policy, &fields, is_custom), "policySet": render_set(&policy) })
}

fn policy_set(group: &Id, backend: &dyn Backend) -> Value {
    render_set(&|permission, field| value(group, permission, field, backend))
}

fn value(
    group: &Id,
    permission: GroupPermission,
    field: Option<&str>,
    backend: &dyn Backend,
) -> request::GrantCondition<String> {
    let nobody = request::GrantCondition::Grant(Grant::Unspecified);
    backend.permission(group, permission, field).unwrap_or(nobody)
}
