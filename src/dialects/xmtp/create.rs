//! Creation of groups and of conversations of two.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use uuid::Uuid;

use super::{
    arguments::{Arguments, missing, normalize_name, type_error},
    attempt::{GroupAttempt, result_reply},
    calls::{APP_DATA, DESCRIPTION, IMAGE, NAME},
    disappearing,
    error::{XmtpError, XmtpStop},
    inboxes,
    policy::{PermissionValues, UNDER_CUSTOM, parse_set},
    reads::{group_summary, is_dm, read_group},
    steps,
};
use crate::{
    dialects::{Backend, Reply, Step},
    facts::{Command, GroupFields, Id, Op, Patch, RefusalReason, UserPair, WriteOutcome},
    request::{Action, Reason, Request},
    wire::excerpt,
};

/// The matrix of a conversation of two.
const DM: &str = "dm";

/// A group to be created, without its members.
#[derive(Clone, Debug)]
struct NewGroup {
    matrix: String,
    permissions: Option<PermissionValues>,
    metadata: BTreeMap<String, Option<Value>>,
}

/// Creates a group in the caller's name, with the caller as its only super admin, and adds the
/// others as the group's policies allow the caller.
pub(super) fn group(
    mut arguments: Arguments,
    backend: &dyn Backend,
) -> Result<Step<Reply>, XmtpStop> {
    let caller = arguments.required_id("caller")?;
    let group = arguments.id(&["groupId"])?;
    let inboxes = arguments.ids(&["inboxIds", "memberInboxIds"])?.unwrap_or_default();
    let addresses = inboxes::named_addresses(&mut arguments)?.unwrap_or_default();
    let plan = parse_new_group(&mut arguments)?;
    arguments.finish()?;
    let made = Uuid::new_v4().simple().to_string();
    let group = match group {
        Some(group) => group,
        None => Id::new(&made).map_err(|error| XmtpError::invalid("groupId", error.to_string()))?,
    };
    if backend.knows_group(&group) {
        return Err(group_exists(&group).into());
    }
    let attempt = GroupAttempt::new(caller, group, "create_group");
    inboxes::resolve_addresses(addresses, backend, move |more, _| {
        let others = inboxes.iter().chain(&more).filter(|&inbox| *inbox != attempt.caller);
        let mut others = others.cloned().collect();
        inboxes::deduplicate(&mut others);
        Ok(create_group(&plan, others, &attempt))
    })
}

fn create_group(plan: &NewGroup, inboxes: Vec<Id>, attempt: &GroupAttempt) -> Step<Reply> {
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
    steps::write_all(commands, move |wrote, backend| {
        // All commands after the first add a member.
        let attempt = match wrote {
            // A concurrent call created the group, which only managers may change now.
            Ok(WriteOutcome::Refused { index: 0, error: refusal, .. })
                if matches!(
                    refusal.reason,
                    RefusalReason::Denied(Reason::NotManager) | RefusalReason::GroupExists
                ) =>
            {
                return Err(group_exists(&attempt.group).into());
            }
            Ok(WriteOutcome::Refused { index: 1.., .. }) => {
                let first = std::slice::from_ref(&attempt.caller);
                let inboxes = [first, &*inboxes].concat();
                GroupAttempt { permission: "add_member", inboxes, ..attempt.clone() }
            }
            Ok(WriteOutcome::Applied { .. } | WriteOutcome::Refused { .. }) | Err(_) => {
                attempt.clone()
            }
        };
        attempt.outcome_reply(wrote, backend, || {
            Ok(result_reply(201, &group_summary(&attempt.group, backend)?))
        })
    })
}

fn parse_new_group(arguments: &mut Arguments) -> Result<NewGroup, XmtpError> {
    let preset = arguments.text(&["permissions", "permissionLevel"])?;
    let set = match arguments.take_one(&["permissionPolicySet", "customPermissionPolicySet"])? {
        Some((_, set)) => Some(parse_set(&set)?),
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
    let disappearing = disappearing::parse_optional(arguments)?.unwrap_or_default();
    metadata.extend(disappearing.into_iter().map(|(field, value)| (field, Some(value.into()))));
    let matrix = choose_matrix(preset.as_deref(), set.is_some())?;
    Ok(NewGroup { matrix, permissions: set, metadata })
}

/// The matrix of a preset, or a policy file's matrix of that name.
fn choose_matrix(preset: Option<&str>, has_set: bool) -> Result<String, XmtpError> {
    let at = "permissions";
    let name = preset.map(normalize_name);
    let is_custom = |name: &str| {
        matches!(name, "custom" | "custompermissions" | "custompolicy" | "custompermission")
    };
    let matrix = match (name.as_deref(), preset) {
        (None, _) if has_set => UNDER_CUSTOM,
        (Some(name), _) if is_custom(name) && has_set => UNDER_CUSTOM,
        (Some(name), _) if is_custom(name) => {
            let message = "custom permissions need a `permissionPolicySet`";
            return Err(XmtpError::invalid("permissionPolicySet", message));
        }
        (Some(_), _) if has_set => {
            let message =
                "a `permissionPolicySet` goes with `custom_permissions` and no other preset";
            return Err(XmtpError::invalid(at, message));
        }
        (None | Some("allmembers" | "default"), _) => "all_members",
        (Some("adminonly" | "adminsonly"), _) => "admins_only",
        (Some("creatoronly"), _) => "creator_only",
        (Some(DM), _) => {
            return Err(XmtpError::invalid(
                at,
                "a conversation of two is made with POST /xmtp/dms",
            ));
        }
        (_, Some(written)) => written,
        (_, None) => "all_members",
    };
    Ok(matrix.to_owned())
}

fn group_exists(group: &str) -> XmtpError {
    let message = format!("the group `{}` exists; choose another id", excerpt(group));
    XmtpError::new(409, "group_exists", message).with("at", "groupId")
}

/// Finds or creates the conversation of the caller and another user.
pub(super) fn dm(mut arguments: Arguments, backend: &dyn Backend) -> Result<Step<Reply>, XmtpStop> {
    let caller = arguments.required_id("caller")?;
    let names = ["inboxId", "peerInboxId"];
    let other = arguments.id(&names)?;
    let address = arguments.take_one(&["address", "peerAddress"])?;
    arguments.finish()?;
    let address = match address {
        None => None,
        Some((_, Value::String(text))) => {
            let address = Id::new(&text);
            Some(address.map_err(|error| XmtpError::invalid("address", error.to_string()))?)
        }
        Some((name, other)) => return Err(type_error(name, "a string", &other).into()),
    };
    match (other, address) {
        (Some(other), None) => open_dm(&caller, &other, backend),
        (None, Some(address)) => {
            inboxes::resolve_addresses(vec![address], backend, move |inboxes, backend| {
                match &*inboxes {
                    [other, ..] => open_dm(&caller, other, backend),
                    [] => Err(missing("inboxId").into()),
                }
            })
        }
        (Some(_), Some(_)) => {
            let message = "give either `inboxId` or `address`";
            Err(XmtpError::invalid("address", message).into())
        }
        (None, None) => Err(missing("inboxId").into()),
    }
}

fn open_dm(caller: &Id, other: &Id, backend: &dyn Backend) -> Result<Step<Reply>, XmtpStop> {
    let id = dm_id(caller, other);
    let group = Id::new(&id).map_err(|error| XmtpError::invalid("inboxId", error.to_string()))?;
    let attempt = GroupAttempt::new(caller.clone(), group.clone(), "start_chat");
    if !backend.knows_group(&group) {
        return Ok(join_dm(other, attempt, true, 201));
    }
    let effective = read_group(&group, backend)?;
    let is_in = |wanted: &Id| effective.members.iter().any(|(id, _)| **id == **wanted);
    if !is_dm(&effective) {
        return Err(group_exists(&group).into());
    }
    if is_in(caller) && is_in(other) {
        let attempt = GroupAttempt { permission: "read", ..attempt };
        attempt.check(&Request::in_group(caller, Action::Read, &group), backend)?;
        return Ok(Step::Done(result_reply(200, &group_summary(&group, backend)?)));
    }
    Ok(join_dm(other, attempt, false, 200))
}

/// Makes two users the members of their conversation, if the caller may start it. The membership is
/// an administrator's command, since the matrix lets nobody add members.
pub(super) fn join_dm(other: &Id, attempt: GroupAttempt, is_new: bool, status: u16) -> Step<Reply> {
    let (caller, group) = (attempt.caller.clone(), attempt.group.clone());
    let users = UserPair(caller.clone(), other.clone());
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
    let attempt = GroupAttempt { inboxes: vec![other.clone()], ..attempt };
    steps::write_all(vec![open, put], move |wrote, backend| {
        attempt.outcome_reply(wrote, backend, || {
            let result =
                if is_call { Value::Null } else { group_summary(&attempt.group, backend)? };
            Ok(result_reply(status, &result))
        })
    })
}

/// The namespace of the ids of conversations.
const NAMESPACE: Uuid = Uuid::from_u128(0x51d4_4f6b_0c5f_4c7e_9a55_2f6e_0d8b_71c3);

/// The id of the conversation of two users, independent of their order.
pub(super) fn dm_id(one: &str, other: &str) -> String {
    let (one, other) = if one <= other { (one, other) } else { (other, one) };
    // No id contains this character.
    Uuid::new_v5(&NAMESPACE, format!("{one}\n{other}").as_bytes()).simple().to_string()
}
