//! Operations on groups.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    batch::{ATTRIBUTE, CommandBatch, settle},
    error::{MesiboError, MesiboErrorCode, MesiboStop},
    members,
    params::{Params, parse_id},
    render,
    request::MesiboRequest,
    users,
};
use crate::{
    dialects::{Backend, Reply, Step},
    facts::{GroupFields, Id, Op, Patch},
};

type GroupResult = Result<Step<Reply>, MesiboStop>;

/// The matrix of groups that are created here: only admins manage a group, and it needs no owner,
/// since the backend manages it from outside.
const MATRIX: &str = "admins_only";

/// The metadata field with a group's name.
const NAME: &str = "group_name";

/// The fields of a group that are not stored as they are, since they are facts or name the group.
const STRUCTURED_FIELDS: [&str; 7] = ["gid", "name", "members", "m", "delete", "remove", "count"];

const INTEGER_FIELDS: [&str; 6] = ["flags", "flag", "expiry", "expiryext", "duration", "start"];

/// The maximum size of a group that is read without a blocking step.
const IMMEDIATE_MEMBERS: usize = 200;

/// The maximum number of attempts to find an unused number for a new group.
const MAX_ID_ATTEMPTS: usize = 64;

/// `groupadd`: creates a group.
pub(super) fn add(request: &MesiboRequest, backend: &dyn Backend) -> GroupResult {
    let nothing = Map::new();
    let group = match request.body.get("group") {
        None | Some(Value::Null) => Params { path: "group".to_owned(), fields: &nothing },
        Some(_) => Params::from_body(&request.body, "group")?,
    };
    let id = match group.get("gid").filter(|gid| **gid != 0 && **gid != "0") {
        Some(gid) => parse_id(gid, &group.path("gid"))?,
        None => unused_id(backend)?,
    };
    let mut fields = parse_fields(&group)?;
    fields.new = Some(true);
    fields.matrix = Patch::Set(MATRIX.to_owned());
    members::fill_new_group(&members::parse(&group)?, given_flags(&group), &mut fields);
    let mut edit = CommandBatch::default();
    let answer = json!({ "gid": render::group_number(&id) });
    edit.push(Op::PutGroup { group: id, fields: Box::new(fields) }, "group.members.m");
    Ok(edit.into_step(request, ("group", answer)))
}

/// An unused number for a new group.
fn unused_id(backend: &dyn Backend) -> Result<Id, MesiboError> {
    let number = || (Uuid::new_v4().as_u128() & 0x7fff_ffff) as u64;
    let ids = (0..MAX_ID_ATTEMPTS).filter_map(|_| Id::new(&number().max(1).to_string()).ok());
    let mut free = ids.filter(|id| !backend.knows_group(id));
    free.next().ok_or_else(|| {
        MesiboError::new(MesiboErrorCode::Unavailable, "no number for a group is free")
    })
}

/// Reads the fields of a group except its members.
fn parse_fields(group: &Params<'_>) -> Result<GroupFields, MesiboError> {
    let mut keep = Map::new();
    for name in INTEGER_FIELDS {
        group.integer(name)?;
    }
    group.one_of(&["flags", "flag"])?;
    for (name, value) in
        group.fields.iter().filter(|(name, _)| !STRUCTURED_FIELDS.contains(&name.as_str()))
    {
        let name = if name == "flag" { "flags" } else { name };
        keep.insert(name.to_owned(), value.clone());
    }
    if let Some(active) = group.flag("active")? {
        // A group is active by default.
        let value = if active { Value::Null } else { active.into() };
        keep.insert("active".to_owned(), value);
    }
    let mut merge = std::collections::BTreeMap::new();
    if group.fields.contains_key("name") {
        merge.insert(NAME.to_owned(), group.text("name")?.into());
    }
    if !keep.is_empty() {
        merge.insert(ATTRIBUTE.to_owned(), Value::Object(keep));
    }
    Ok(GroupFields { merge_metadata: Some(merge), ..GroupFields::default() })
}

/// The flags that a request gives a group.
fn given_flags<'p>(group: &Params<'p>) -> Option<&'p Value> {
    group.get("flags").or_else(|| group.get("flag"))
}

/// The group that a request names.
fn named_group(request: &MesiboRequest) -> Result<(Params<'_>, Id), MesiboError> {
    let group = Params::from_body(&request.body, "group")?;
    let Some(gid) = group.get("gid") else {
        return Err(MesiboError::missing(&group.path("gid"), "the number of a group"));
    };
    let id = parse_id(gid, &group.path("gid"))?;
    Ok((group, id))
}

/// A command that changes nothing and is refused if the group is unknown.
fn require_group(id: &Id) -> Op {
    Op::UpdateMetadata { group: id.clone(), field: format!("{ATTRIBUTE}-none"), value: Value::Null }
}

/// `groupset`: changes a group, and the members that it names.
pub(super) fn set(request: &MesiboRequest, backend: &dyn Backend) -> GroupResult {
    let (group, id) = named_group(request)?;
    let mut edit = CommandBatch::default();
    edit.push(require_group(&id), "group.gid");
    let mut fields = parse_fields(&group)?;
    let flags = given_flags(&group);
    if let Some(flags) = flags
        && let Some(effective) = backend.group(&id)?
    {
        fields.mutes = Some(members::mutes_by_flags(&effective, flags));
    }
    edit.push(Op::PutGroup { group: id.clone(), fields: Box::new(fields) }, "group");
    members::push_edits(&members::parse(&group)?, &id, flags, backend, &mut edit)?;
    Ok(edit.into_step(request, ("group", json!({ "gid": render::group_number(&id) }))))
}

/// `groupeditmembers`: adds members, changes or removes them.
pub(super) fn edit_members(request: &MesiboRequest, backend: &dyn Backend) -> GroupResult {
    let (group, id) = named_group(request)?;
    if group.get("members").is_none() {
        return Err(MesiboError::missing("group.members.m", "addresses separated by commas").into());
    }
    let mut edit = CommandBatch::default();
    edit.push(require_group(&id), "group.gid");
    members::push_edits(&members::parse(&group)?, &id, None, backend, &mut edit)?;
    Ok(edit.into_step(request, ("group", json!({ "gid": render::group_number(&id) }))))
}

/// `groupdel`: deletes a group.
pub(super) fn delete(request: &MesiboRequest) -> GroupResult {
    let (_, id) = named_group(request)?;
    let mut edit = CommandBatch::default();
    let answer = json!({ "gid": render::group_number(&id) });
    edit.push(Op::DeleteGroup { group: id }, "group.gid");
    Ok(edit.into_step(request, ("group", answer)))
}

/// `groupget`: a group; `groupgetmembers` and `getmembers`: its members.
pub(super) fn get(
    request: &MesiboRequest,
    only_members: bool,
    backend: &dyn Backend,
) -> GroupResult {
    let (group, id) = named_group(request)?;
    let most = users::requested_count(request, &group)?.unwrap_or(usize::MAX);
    if backend.group_size(&id).is_none_or(|size| size <= IMMEDIATE_MEMBERS) {
        return render_reply(request, &id, most, only_members, backend);
    }
    let request = request.clone();
    Ok(Step::blocking(move |backend| {
        settle(&request, render_reply(&request, &id, most, only_members, backend))
    }))
}

fn render_reply(
    request: &MesiboRequest,
    id: &Id,
    most: usize,
    only_members: bool,
    backend: &dyn Backend,
) -> GroupResult {
    let Some(effective) = backend.group(id)? else {
        let message =
            format!("no group `{}` is known; create the group with groupadd", id.escape_debug());
        return Err(MesiboError::at(MesiboErrorCode::NoGroup, "group.gid", &message).into());
    };
    let members = render::members(&effective, most);
    let gid = render::group_number(id);
    let about = if only_members {
        let count = members.as_array().map_or(0, Vec::len).into();
        let group = json!({ "gid": gid });
        vec![("group", group), ("gid", gid), ("count", count), ("members", members)]
    } else {
        let mut group = render::group(id, &effective);
        group.insert("members".to_owned(), members);
        vec![("group", Value::Object(group))]
    };
    Ok(Step::Done(request.success_reply(about)))
}
