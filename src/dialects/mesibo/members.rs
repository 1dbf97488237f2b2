//! Members of a group: added, changed or removed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{
    batch::{ATTRIBUTE, CommandBatch, stored_fields},
    error::{MesiboError, MesiboErrorCode},
    flags::{FlagChanges, MemberState, is_broadcast, is_muted},
    params::{Params, parse_id, type_error},
};
use crate::{
    dialects::{Backend, BackendError},
    facts::{EffectiveGroup, GroupFields, Id, Op},
    request::Role,
};

/// The maximum number of members that a request may edit.
const MAX_MEMBERS: usize = 1000;

/// The field of a group with its flags.
const FLAGS: &str = "flags";

/// The same edit of several members.
#[derive(Debug)]
pub(super) struct MemberEdit {
    ids: BTreeSet<Id>,
    path: String,
    removes: bool,
    wanted: FlagChanges,
}

/// Reads the edits in `members`: an object, or a list of objects.
pub(super) fn parse(group: &Params<'_>) -> Result<Vec<MemberEdit>, MesiboError> {
    let group_removes = is_removal(group)?;
    let all = match group.get("members") {
        None => Vec::new(),
        Some(Value::Array(all)) => {
            let path = |at| format!("{}[{at}]", group.path("members"));
            let part = |(at, one)| Params::from_value(one, path(at));
            all.iter().enumerate().map(part).collect::<Result<_, _>>()?
        }
        Some(one) => vec![Params::from_value(one, group.path("members"))?],
    };
    let (mut entries, mut named) = (Vec::new(), BTreeSet::new());
    for members in &all {
        let Some(given) = members.get("m") else {
            return Err(MesiboError::missing(&members.path("m"), "addresses separated by commas"));
        };
        let path = members.path("m");
        let ids = parse_addresses(given, &path)?;
        if let Some(again) = ids.intersection(&named).next() {
            let message =
                format!("`{}` is named twice; name each member once", again.escape_debug());
            return Err(MesiboError::at(MesiboErrorCode::BadParam, &path, &message));
        }
        named.extend(ids.iter().cloned());
        if named.len() > MAX_MEMBERS {
            let message = format!("the request names too many members; the limit is {MAX_MEMBERS}");
            return Err(MesiboError::at(MesiboErrorCode::BadParam, &path, &message));
        }
        let removes = group_removes || is_removal(members)?;
        entries.push(MemberEdit { ids, path, removes, wanted: FlagChanges::parse(members)? });
    }
    Ok(entries)
}

fn is_removal(part: &Params<'_>) -> Result<bool, MesiboError> {
    Ok(part.flag("remove")? == Some(true) || part.flag("delete")? == Some(true))
}

fn parse_addresses(given: &Value, path: &str) -> Result<BTreeSet<Id>, MesiboError> {
    match given {
        Value::String(text) => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts.map(|part| parse_id(&part.into(), path)).collect()
        }
        Value::Number(_) => Ok([parse_id(given, path)?].into()),
        // Elements are not split: an address may contain a comma.
        Value::Array(all) => {
            let id = |(at, one)| parse_id(one, &format!("{path}[{at}]"));
            all.iter().enumerate().map(id).collect()
        }
        other => Err(type_error(path, "addresses separated by commas", other)),
    }
}

type MemberAttributes = BTreeMap<Id, BTreeMap<String, Value>>;

fn insert_attributes(into: &mut MemberAttributes, id: &Id, patch: Map<String, Value>) {
    if !patch.is_empty() {
        into.insert(id.clone(), [(ATTRIBUTE.to_owned(), Value::Object(patch))].into());
    }
}

/// Fills in the members of a group that is created.
pub(super) fn fill_new_group(
    entries: &[MemberEdit],
    group_flags: Option<&Value>,
    fields: &mut GroupFields,
) {
    let (mut roles, mut attributes) = (BTreeMap::new(), MemberAttributes::new());
    let (mut mutes, is_broadcast) = (BTreeMap::new(), is_broadcast(group_flags));
    for entry in entries.iter().filter(|entry| !entry.removes) {
        let (role, patch) = entry.wanted.apply_to(&MemberState::default());
        for id in &entry.ids {
            roles.insert(id.clone(), Some(role.unwrap_or(Role::Member)));
            if is_muted(entry.wanted.sends, role, is_broadcast) {
                mutes.insert(id.clone(), true);
            }
            insert_attributes(&mut attributes, id, patch.clone());
        }
    }
    fields.roles = Some(roles);
    fields.mutes = Some(mutes);
    fields.member_attributes = Some(attributes);
}

/// Who is muted in a group whose flags become others, by what was said of each member.
pub(super) fn mutes_by_flags(group: &EffectiveGroup, flags: &Value) -> BTreeMap<Id, bool> {
    let (was, is) =
        (is_broadcast(stored_fields(&group.record.metadata).get(FLAGS)), is_broadcast(Some(flags)));
    let unsaid = group.members.iter().filter(|(id, _)| member_state(group, id).sends().is_none());
    let each =
        unsaid.filter_map(|(id, role)| Some((Id::new(id).ok()?, is_muted(None, Some(*role), is))));
    if was == is { BTreeMap::new() } else { each.collect() }
}

/// What is stored of a member.
fn member_state(group: &EffectiveGroup, id: &str) -> MemberState {
    let record = group.record.members.get(id);
    let kept = record.map(|member| stored_fields(&member.attributes)).unwrap_or_default();
    let is_member = group.members.iter().any(|(member, _)| member == id);
    MemberState {
        role: record.map(|member| member.role),
        kept,
        is_declared: is_member && record.is_none(),
    }
}

/// Adds the edits of an existing group's members, as one command: so the last owner may be demoted
/// where another one is made.
pub(super) fn push_edits(
    entries: &[MemberEdit],
    group: &Id,
    new_flags: Option<&Value>,
    backend: &dyn Backend,
    edit: &mut CommandBatch,
) -> Result<(), BackendError> {
    let effective = if entries.is_empty() { None } else { backend.group(group)? };
    let stored_flags = effective.as_ref().map(|group| stored_fields(&group.record.metadata));
    let stored_flags = stored_flags.as_ref().and_then(|fields| fields.get(FLAGS));
    let is_broadcast = is_broadcast(new_flags.or(stored_flags));
    let (mut added, mut roles) = (BTreeSet::new(), BTreeMap::new());
    let mut mutes = BTreeMap::new();
    let mut attributes = MemberAttributes::new();
    for MemberEdit { ids, removes, wanted, .. } in entries {
        for id in ids {
            let state = effective.as_ref().map(|group| member_state(group, id)).unwrap_or_default();
            let state = MemberState { role: backend.role(group, id), ..state };
            if *removes {
                roles.insert(id.clone(), None);
                // What is said of a member goes with them.
                if is_muted(state.sends(), state.role, is_broadcast) {
                    mutes.insert(id.clone(), false);
                }
                continue;
            }
            let (role, patch) = wanted.apply_to(&state);
            if wanted.sends.is_some() || is_broadcast {
                let sends = wanted.sends.or(state.sends());
                mutes.insert(id.clone(), is_muted(sends, role.or(state.role), is_broadcast));
            }
            insert_attributes(&mut attributes, id, patch);
            match role {
                Some(role) => drop(roles.insert(id.clone(), Some(role))),
                None => drop(added.insert(id.clone())),
            }
        }
    }
    let path = match entries {
        [] => return Ok(()),
        [one] => one.path.as_str(),
        _ => "group.members",
    };
    let fields = GroupFields {
        add_members: Some(added),
        roles: Some(roles),
        mutes: Some(mutes),
        member_attributes: Some(attributes),
        ..GroupFields::default()
    };
    edit.push(Op::PutGroup { group: group.clone(), fields: Box::new(fields) }, path);
    Ok(())
}
