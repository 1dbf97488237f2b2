//! Groups and conversations of two that are made.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use uuid::Uuid;

use super::{
    arguments::{Arguments, expected, missing, plain},
    attempt::{Attempt, result},
    calls::{APP_DATA, DESCRIPTION, IMAGE, NAME},
    disappearing, inboxes,
    policy::{Permissions, UNDER_CUSTOM, read_set},
    reads::{is_dm, summed_up, whole},
    refused::{Refused, Stop},
    step,
    writes::each_once,
};
use crate::{
    dialects::{House, Reply, Step, Wrote, text::shown},
    facts::{Command, GroupFields, Id, Op, Patch, Reason, Two},
    request::{Action, Request},
};

/// The matrix of a conversation of two.
const DM: &str = "dm";

/// A group to be made: everything but its members.
#[derive(Clone, Debug)]
struct Plan {
    matrix: String,
    permissions: Option<Permissions>,
    metadata: BTreeMap<String, Option<Value>>,
}

/// Makes a group in the caller's name: he is its only super admin. Then he adds the others, each as
/// the policies of the group let him.
pub(super) fn group(mut arguments: Arguments, house: &dyn House) -> Result<Step<Reply>, Stop> {
    let caller = arguments.needed_id("caller")?;
    let group = arguments.id(&["groupId"])?;
    let inboxes = arguments.ids(&["inboxIds", "memberInboxIds"])?.unwrap_or_default();
    let addresses = inboxes::named(&mut arguments)?.unwrap_or_default();
    let plan = plan(&mut arguments)?;
    arguments.finish()?;
    let made = Uuid::new_v4().simple().to_string();
    let group = match group {
        Some(group) => group,
        None => Id::new(&made).map_err(|error| Refused::invalid("groupId", error.to_string()))?,
    };
    if house.knows_group(&group) {
        return Err(exists(&group).into());
    }
    let attempt = Attempt::new(caller, group, "create_group");
    inboxes::resolved(addresses, house, move |more, _| {
        let others = inboxes.iter().chain(&more).filter(|&inbox| *inbox != attempt.caller);
        let mut others = others.cloned().collect();
        each_once(&mut others);
        Ok(made_of(&plan, others, &attempt))
    })
}

fn made_of(plan: &Plan, inboxes: Vec<Id>, attempt: &Attempt) -> Step<Reply> {
    let group = &attempt.group;
    let fields = GroupFields {
        new: Some(true),
        matrix: Patch::Set(plan.matrix.clone()),
        permissions: plan.permissions.clone(),
        metadata: Some(plan.metadata.clone()),
        ..GroupFields::default()
    };
    let put = Op::PutGroup { group: group.clone(), fields: Box::new(fields) };
    let add = |member: &Id| Op::AddMember { group: group.clone(), member: member.clone() };
    let ops = [put].into_iter().chain(inboxes.iter().map(add));
    let commands: Vec<Command> = ops.map(|op| attempt.command(op)).collect();
    let attempt = attempt.clone();
    step::write(commands, move |wrote, house| {
        // What is refused after the group itself is to add a member.
        let attempt = match wrote {
            // The group was made meanwhile: it is managers who may change one that is there.
            Wrote::Refused { at: 0, refusal }
                if matches!(refusal.reason, Reason::NotManager | Reason::GroupExists) =>
            {
                return Err(exists(&attempt.group).into());
            }
            Wrote::Refused { at: 1.., .. } => {
                let first = std::slice::from_ref(&attempt.caller);
                let inboxes = [first, &*inboxes].concat();
                Attempt { permission: "add_member", inboxes, ..attempt.clone() }
            }
            _ => attempt.clone(),
        };
        attempt.answered(wrote, house, || Ok(result(201, &summed_up(&attempt.group, house)?)))
    })
}

fn plan(arguments: &mut Arguments) -> Result<Plan, Refused> {
    let preset = arguments.text(&["permissions", "permissionLevel"])?;
    let set = match arguments.take_one(&["permissionPolicySet", "customPermissionPolicySet"])? {
        Some((_, set)) => Some(read_set(&set)?),
        None => None,
    };
    let mut metadata = BTreeMap::new();
    let texts: [(&str, &[&'static str]); 4] = [
        (NAME, &["name", "groupName"]),
        (DESCRIPTION, &["description", "groupDescription"]),
        (IMAGE, &["imageUrl", "imageUrlSquare", "groupImageUrlSquare"]),
        (APP_DATA, &["appData"]),
    ];
    for (field, names) in texts {
        if let Some(text) = arguments.text(names)? {
            metadata.insert(field.to_owned(), Some(Value::String(text)));
        }
    }
    let disappearing = disappearing::settings(arguments)?.unwrap_or_default();
    metadata.extend(disappearing.into_iter().map(|(field, value)| (field, Some(value.into()))));
    let matrix = matrix(preset.as_deref(), set.is_some())?;
    Ok(Plan { matrix, permissions: set, metadata })
}

/// The matrix of a preset, or one that a policy file has.
fn matrix(preset: Option<&str>, has_set: bool) -> Result<String, Refused> {
    let at = "permissions";
    let name = preset.map(plain);
    let is_custom = |name: &str| {
        matches!(name, "custom" | "custompermissions" | "custompolicy" | "custompermission")
    };
    let matrix = match (name.as_deref(), preset) {
        (None, _) if has_set => UNDER_CUSTOM,
        (Some(name), _) if is_custom(name) && has_set => UNDER_CUSTOM,
        (Some(name), _) if is_custom(name) => {
            let message = "custom permissions need a `permissionPolicySet`";
            return Err(Refused::invalid("permissionPolicySet", message));
        }
        (Some(_), _) if has_set => {
            let message =
                "a `permissionPolicySet` goes with `custom_permissions` and no other preset";
            return Err(Refused::invalid(at, message));
        }
        (None | Some("allmembers" | "default"), _) => "all_members",
        (Some("adminonly" | "adminsonly"), _) => "admins_only",
        (Some("creatoronly"), _) => "creator_only",
        (Some(DM), _) => {
            return Err(Refused::invalid(at, "a conversation of two is made with POST /xmtp/dms"));
        }
        (_, Some(written)) => written,
        (_, None) => "all_members",
    };
    Ok(matrix.to_owned())
}

fn exists(group: &str) -> Refused {
    let message = format!("there is a group `{}` already; choose another id", shown(group));
    Refused::new(409, "group_exists", message).with("at", "groupId")
}

/// Finds the conversation of the caller and another, or makes it.
pub(super) fn dm(mut arguments: Arguments, house: &dyn House) -> Result<Step<Reply>, Stop> {
    let caller = arguments.needed_id("caller")?;
    let names = ["inboxId", "peerInboxId"];
    let other = arguments.id(&names)?;
    let address = arguments.take_one(&["address", "peerAddress"])?;
    arguments.finish()?;
    let address = match address {
        None => None,
        Some((_, Value::String(text))) => {
            let address = Id::new(&text);
            Some(address.map_err(|error| Refused::invalid("address", error.to_string()))?)
        }
        Some((name, other)) => return Err(expected(name, "a text", &other).into()),
    };
    match (other, address) {
        (Some(other), None) => with(&caller, &other, house),
        (None, Some(address)) => {
            inboxes::resolved(vec![address], house, move |inboxes, house| match &*inboxes {
                [other, ..] => with(&caller, other, house),
                [] => Err(missing("inboxId").into()),
            })
        }
        (Some(_), Some(_)) => {
            let message = "give either `inboxId` or `address`";
            Err(Refused::invalid("address", message).into())
        }
        (None, None) => Err(missing("inboxId").into()),
    }
}

fn with(caller: &Id, other: &Id, house: &dyn House) -> Result<Step<Reply>, Stop> {
    let id = dm_id(caller, other);
    let group = Id::new(&id).map_err(|error| Refused::invalid("inboxId", error.to_string()))?;
    let attempt = Attempt::new(caller.clone(), group.clone(), "start_chat");
    if !house.knows_group(&group) {
        return Ok(join_dm(other, attempt, true, 201));
    }
    let told = whole(&group, house)?;
    let is_in = |wanted: &Id| told.members.iter().any(|(id, _)| **id == **wanted);
    if !is_dm(&told) {
        return Err(exists(&group).into());
    }
    if is_in(caller) && is_in(other) {
        let attempt = Attempt { permission: "read", ..attempt };
        attempt.check(&Request::in_group(caller, Action::Read, &group), house)?;
        return Ok(Step::Done(result(200, &summed_up(&group, house)?)));
    }
    Ok(join_dm(other, attempt, false, 200))
}

/// Makes two the members of their conversation, if the one may start it; an administrator's matter
/// otherwise, since its matrix lets nobody add anyone.
pub(super) fn join_dm(other: &Id, attempt: Attempt, is_new: bool, status: u16) -> Step<Reply> {
    let (caller, group) = (attempt.caller.clone(), attempt.group.clone());
    let users = Two(caller.clone(), other.clone());
    let open = attempt.command(Op::OpenConversation { users, since: None });
    let fields = GroupFields {
        matrix: Patch::Set(DM.to_owned()),
        creator: if is_new { Patch::Set(caller.clone()) } else { Patch::Keep },
        super_admins: Some(BTreeSet::new()),
        admins: Some(BTreeSet::new()),
        members: Some([caller.clone(), other.clone()].into()),
        added_by: is_new.then(|| BTreeMap::from([(other.clone(), caller)])),
        ..GroupFields::default()
    };
    let put = Op::PutGroup { group, fields: Box::new(fields) }.into();
    let is_call = attempt.permission == "add_member";
    let attempt = Attempt { inboxes: vec![other.clone()], ..attempt };
    step::write(vec![open, put], move |wrote, house| {
        attempt.answered(wrote, house, || {
            let told = if is_call { Value::Null } else { summed_up(&attempt.group, house)? };
            Ok(result(status, &told))
        })
    })
}

/// What all ids of conversations are made from.
const NAMESPACE: Uuid = Uuid::from_u128(0x51d4_4f6b_0c5f_4c7e_9a55_2f6e_0d8b_71c3);

/// The id of the conversation of two: the same for both, and of no other two.
pub(super) fn dm_id(one: &str, other: &str) -> String {
    let (one, other) = if one <= other { (one, other) } else { (other, one) };
    // No id holds this character.
    Uuid::new_v5(&NAMESPACE, format!("{one}\n{other}").as_bytes()).simple().to_string()
}
