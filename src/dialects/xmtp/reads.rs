//! What is read of a group.

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

/// How many members' records are read at once; more are read on a thread for what takes long.
const IMMEDIATE_MEMBERS: usize = 20;

/// The prefix of the keys under which a group's record has permissions of single fields.
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
    let told = match read {
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
            let told = read_group(group, backend)?;
            field.map_or_else(|| metadata(&told), |field| text(&told, &field))
        }
        GroupRead::Disappearing => {
            let told = read_group(group, backend)?;
            json!({
                "disappearStartingAtNs": text(&told, DISAPPEAR_FROM),
                "retentionDurationInNs": text(&told, DISAPPEAR_IN),
            })
        }
    };
    Ok(Step::Done(result_reply(200, &told)))
}

/// Of a group as a whole.
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

/// A group as a whole.
pub(super) fn group_summary(group: &Id, backend: &dyn Backend) -> Result<Value, XmtpStop> {
    let told = read_group(group, backend)?;
    let having = |wanted: Option<Role>| -> Value {
        let having = told.members.iter().filter(|(_, role)| wanted.is_none_or(|is| is == *role));
        having.map(|(id, _)| Value::from(id.as_str())).collect()
    };
    Ok(json!({
        "groupId": &**group,
        "conversationType": if is_dm(&told) { "dm" } else { "group" },
        "creatorInboxId": told.creator,
        "name": text(&told, NAME),
        "description": text(&told, DESCRIPTION),
        "imageUrl": text(&told, IMAGE),
        "memberInboxIds": having(None),
        "admins": having(Some(Role::Admin)),
        "superAdmins": having(Some(Role::SuperAdmin)),
        "permissions": permissions(group, &told, backend),
    }))
}

/// # Errors
/// If there is no such group, or a caller is named who may not read in it.
fn check(caller: Option<&Id>, group: &Id, backend: &dyn Backend) -> Result<(), XmtpError> {
    if !backend.knows_group(group) {
        return Err(super::attempt::unknown_group(group));
    }
    let Some(caller) = caller else { return Ok(()) };
    let attempt = GroupAttempt::new(caller.clone(), group.clone(), "read");
    attempt.check(&Request::in_group(caller, Action::Read, group), backend)
}

/// # Errors
/// If it is not known.
pub(super) fn read_group(group: &Id, backend: &dyn Backend) -> Result<EffectiveGroup, XmtpStop> {
    backend.group(group)?.ok_or_else(|| super::attempt::unknown_group(group).into())
}

pub(super) fn is_dm(told: &EffectiveGroup) -> bool {
    told.matrix == "dm"
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
/// did.
fn added_by(told: &EffectiveGroup, member: &str) -> Value {
    let by = told.record.members.get(member).and_then(|member| member.by.as_deref());
    let creator = told.creator.as_deref().filter(|&creator| creator == member);
    by.or(creator).into()
}

/// A field of the metadata; empty if nothing was said of it.
fn text(told: &EffectiveGroup, field: &str) -> Value {
    told.record.metadata.get(field).cloned().unwrap_or_else(|| "".into())
}

fn metadata(told: &EffectiveGroup) -> Value {
    let fields = told.record.metadata.iter();
    Value::Object(
        fields.map(|(field, value)| (field.clone(), value.clone())).collect::<Map<_, _>>(),
    )
}

fn permissions(group: &Id, told: &EffectiveGroup, backend: &dyn Backend) -> Value {
    let keys = told.record.permissions.keys();
    let fields: Vec<&str> = keys.filter_map(|key| key.strip_prefix(OF_FIELD)).collect();
    let policy = |permission, field: Option<&str>| value(group, permission, field, backend);
    let is_custom = told.matrix == UNDER_CUSTOM && has_custom_set(&told.record);
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
