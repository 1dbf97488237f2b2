//! What is read of a group.

use serde_json::{Map, Value, json};

use super::{
    arguments::{Arguments, missing},
    attempt::{Attempt, result},
    calls::{DESCRIPTION, DISAPPEAR_FROM, DISAPPEAR_IN, IMAGE, NAME, Read},
    inboxes,
    policy::{UNDER_CUSTOM, is_whole, named_field, recognised, write_set},
    refused::{Refused, Stop},
    step,
};
use crate::{
    dialects::{House, Reply, Step},
    facts::{GroupTold, Id},
    request::{self, Action, Grant, GroupPermission, Request, Role},
};

/// How many members' records are read at once; more are read on a thread for what takes long.
const FEW: usize = 20;

/// The prefix of the keys under which a group's record has permissions of single fields.
const OF_FIELD: &str = "update_metadata.";

pub(super) fn answer(
    read: Read,
    group: &Id,
    mut arguments: Arguments,
    house: &dyn House,
) -> Result<Step<Reply>, Stop> {
    let caller = arguments.id(&["caller"])?;
    let inbox = match read {
        Read::Is(_) => Some(arguments.needed_id("inboxId")?),
        _ => None,
    };
    let field = match read {
        Read::Metadata => match arguments.text(&["field", "metadataField"])? {
            Some(field) => named_field(&field, "field")?.field,
            None => None,
        },
        _ => None,
    };
    arguments.finish()?;
    check(caller.as_ref(), group, house)?;
    let told = match read {
        Read::Is(role) => {
            let inbox = inbox.ok_or_else(|| missing("inboxId"))?;
            json!(house.role(group, &inbox) == Some(role))
        }
        Read::List(role) => members(house, group).filter(|(_, has)| *has == role).map(id).collect(),
        Read::MemberInboxIds => members(house, group).map(id).collect(),
        Read::Members => {
            let is_quick = house.size(group).is_none_or(|size| size <= FEW);
            let group = group.clone();
            let read = move |house: &dyn House| {
                let members: Result<Value, Stop> =
                    members(house, &group).map(|(id, role)| member(&id, role, house)).collect();
                Ok(Step::Done(result(200, &members?)))
            };
            return if is_quick { read(house) } else { Ok(step::gather(read)) };
        }
        Read::AddedBy => {
            let caller = caller.ok_or_else(|| missing("caller"))?;
            added_by(&whole(group, house)?, &caller)
        }
        Read::Creator => json!(whole(group, house)?.creator),
        Read::IsCreator => {
            let caller = caller.ok_or_else(|| missing("caller"))?;
            json!(whole(group, house)?.creator.as_deref() == Some(&*caller))
        }
        Read::Permissions => permissions(group, &whole(group, house)?, house),
        Read::PolicySet => policy_set(group, house),
        Read::Field(name) => text(&whole(group, house)?, name),
        Read::Metadata => {
            let told = whole(group, house)?;
            field.map_or_else(|| metadata(&told), |field| text(&told, &field))
        }
        Read::Disappearing => {
            let told = whole(group, house)?;
            json!({
                "disappearStartingAtNs": text(&told, DISAPPEAR_FROM),
                "retentionDurationInNs": text(&told, DISAPPEAR_IN),
            })
        }
    };
    Ok(Step::Done(result(200, &told)))
}

/// Of a group as a whole.
pub(super) fn summary(
    group: &Id,
    mut arguments: Arguments,
    house: &dyn House,
) -> Result<Step<Reply>, Stop> {
    let caller = arguments.id(&["caller"])?;
    arguments.finish()?;
    check(caller.as_ref(), group, house)?;
    Ok(Step::Done(result(200, &summed_up(group, house)?)))
}

/// A group as a whole.
pub(super) fn summed_up(group: &Id, house: &dyn House) -> Result<Value, Stop> {
    let told = whole(group, house)?;
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
        "permissions": permissions(group, &told, house),
    }))
}

/// # Errors
/// If there is no such group, or a caller is named who may not read in it.
fn check(caller: Option<&Id>, group: &Id, house: &dyn House) -> Result<(), Refused> {
    if !house.knows_group(group) {
        return Err(super::attempt::no_group(group));
    }
    let Some(caller) = caller else { return Ok(()) };
    let attempt = Attempt::new(caller.clone(), group.clone(), "read");
    attempt.check(&Request::in_group(caller, Action::Read, group), house)
}

/// # Errors
/// If it is not known.
pub(super) fn whole(group: &Id, house: &dyn House) -> Result<GroupTold, Stop> {
    house.group(group)?.ok_or_else(|| super::attempt::no_group(group).into())
}

pub(super) fn is_dm(told: &GroupTold) -> bool {
    told.matrix == "dm"
}

fn members(house: &dyn House, group: &str) -> impl Iterator<Item = (String, Role)> + use<> {
    house.members(group).unwrap_or_default().into_iter()
}

fn id((id, _): (String, Role)) -> Value {
    id.into()
}

fn member(id: &str, role: Role, house: &dyn House) -> Result<Value, Stop> {
    let kept = house.kept(id)?.unwrap_or_default();
    let addresses = inboxes::addresses(&kept.user, id);
    Ok(json!({ "inboxId": id, "addresses": addresses, "permissionLevel": role.as_str() }))
}

/// Who added a member; the creator added himself. `null` if an administrator did, or a file says he
/// is one.
fn added_by(told: &GroupTold, member: &str) -> Value {
    let by = told.record.members.get(member).and_then(|member| member.by.as_deref());
    let creator = told.creator.as_deref().filter(|&creator| creator == member);
    by.or(creator).into()
}

/// A field of the metadata; empty if nothing was said of it.
fn text(told: &GroupTold, field: &str) -> Value {
    told.record.metadata.get(field).cloned().unwrap_or_else(|| "".into())
}

fn metadata(told: &GroupTold) -> Value {
    let fields = told.record.metadata.iter();
    Value::Object(
        fields.map(|(field, value)| (field.clone(), value.clone())).collect::<Map<_, _>>(),
    )
}

fn permissions(group: &Id, told: &GroupTold, house: &dyn House) -> Value {
    let keys = told.record.permissions.keys();
    let fields: Vec<&str> = keys.filter_map(|key| key.strip_prefix(OF_FIELD)).collect();
    let policy = |permission, field: Option<&str>| value(group, permission, field, house);
    let is_custom = told.matrix == UNDER_CUSTOM && is_whole(&told.record);
    json!({ "policyType": recognised(&policy, &fields, is_custom), "policySet": write_set(&policy) })
}

fn policy_set(group: &Id, house: &dyn House) -> Value {
    write_set(&|permission, field| value(group, permission, field, house))
}

fn value(
    group: &Id,
    permission: GroupPermission,
    field: Option<&str>,
    house: &dyn House,
) -> request::Value<String> {
    let nobody = request::Value::Grant(Grant::Unspecified);
    house.permission(group, permission, field).unwrap_or(nobody)
}
