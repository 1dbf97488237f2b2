use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{
    edit::{Edit, KEPT, kept},
    fault::{Error, Fault},
    flags::{Now, Wanted},
    part::{Part, as_id, expected},
};
use crate::{
    dialects::{House, Unread},
    facts::{GroupFields, Id, Op},
    request::Role,
};

/// How many members a request may edit.
const MOST: usize = 1000;

/// Members of whom the same is said.
#[derive(Debug)]
pub(super) struct Entry {
    ids: Vec<Id>,
    path: String,
    goes: bool,
    wanted: Wanted,
}

/// What is said of members in `members`: an object, or a list of them.
pub(super) fn read(group: &Part<'_>) -> Result<Vec<Entry>, Fault> {
    let goes = goes(group)?;
    let all = match group.get("members") {
        None => Vec::new(),
        Some(Value::Array(all)) => {
            let path = |at| format!("{}[{at}]", group.path("members"));
            let part = |(at, one)| Part::of(one, path(at));
            all.iter().enumerate().map(part).collect::<Result<_, _>>()?
        }
        Some(one) => vec![Part::of(one, group.path("members"))?],
    };
    let mut entries = Vec::new();
    let mut most = MOST;
    for members in &all {
        let Some(given) = members.get("m") else {
            return Err(Fault::missing(&members.path("m"), "addresses, parted by commas"));
        };
        let path = members.path("m");
        let ids = addresses(given, &path)?;
        most = most.checked_sub(ids.len()).ok_or_else(|| {
            Fault::at(Error::BadParam, &path, &format!("a request names {MOST} members at most"))
        })?;
        let goes = goes || self::goes(members)?;
        entries.push(Entry { ids, path, goes, wanted: Wanted::read(members)? });
    }
    Ok(entries)
}

fn goes(part: &Part<'_>) -> Result<bool, Fault> {
    Ok(part.flag("remove")? == Some(true) || part.flag("delete")? == Some(true))
}

fn addresses(given: &Value, path: &str) -> Result<Vec<Id>, Fault> {
    let several = |text: &str| -> Result<Vec<Id>, Fault> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(|part| as_id(&part.into(), path)).collect()
    };
    match given {
        Value::String(text) => several(text),
        Value::Number(_) => Ok(vec![as_id(given, path)?]),
        Value::Array(all) => {
            let mut ids = Vec::new();
            for (at, one) in all.iter().enumerate() {
                match one {
                    Value::String(text) => ids.extend(several(text)?),
                    other => ids.push(as_id(other, &format!("{path}[{at}]"))?),
                }
            }
            Ok(ids)
        }
        other => Err(expected(path, "addresses, parted by commas", other)),
    }
}

type Keep = BTreeMap<Id, BTreeMap<String, Value>>;

fn keep(into: &mut Keep, id: &Id, patch: Map<String, Value>) {
    if !patch.is_empty() {
        into.insert(id.clone(), [(KEPT.to_owned(), Value::Object(patch))].into());
    }
}

/// Adds the members of a group that is made.
pub(super) fn make(entries: &[Entry], fields: &mut GroupFields) {
    let mut attributes = Keep::new();
    let mut roles: BTreeMap<&Id, Role> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| !entry.goes) {
        let (role, patch) = entry.wanted.of(&Now::default());
        for id in &entry.ids {
            let has = roles.entry(id).or_insert(Role::Member);
            *has = role.unwrap_or(*has);
            keep(&mut attributes, id, patch.clone());
        }
    }
    let having = |role: Role| {
        Some(roles.iter().filter(|(_, has)| **has == role).map(|(id, _)| (*id).clone()).collect())
    };
    fields.super_admins = having(Role::SuperAdmin);
    fields.admins = having(Role::Admin);
    fields.members = having(Role::Member);
    fields.member_attributes = Some(attributes);
}

/// Adds what is to be done to the members of a group that is there.
pub(super) fn edit(
    entries: &[Entry],
    group: &Id,
    house: &dyn House,
    edit: &mut Edit,
) -> Result<(), Unread> {
    let asks = entries.iter().any(|entry| !entry.goes && entry.wanted.is_of_roles());
    let told = if asks { house.group(group)? } else { None };
    let (mut added, mut attributes) = (BTreeSet::new(), Keep::new());
    let (mut promoted, mut others) = (Edit::default(), Edit::default());
    for Entry { ids, path, goes, wanted } in entries {
        for id in ids {
            let (member, group) = (id.clone(), group.clone());
            let is_no_owner = Op::RemoveSuperAdmin { group: group.clone(), member: member.clone() };
            if *goes {
                others.push(is_no_owner, path);
                others.push(Op::RemoveMember { group, member }, path);
                continue;
            }
            let record = told.as_ref().and_then(|told| told.record.members.get(&**id));
            let kept = record.map(|member| kept(&member.attributes)).unwrap_or_default();
            let (role, patch) = wanted.of(&Now { role: house.role(&group, id), kept });
            keep(&mut attributes, id, patch);
            added.insert(id.clone());
            match role {
                None => {}
                Some(Role::SuperAdmin) => promoted.push(Op::AddSuperAdmin { group, member }, path),
                Some(Role::Admin) => {
                    others.push(is_no_owner, path);
                    others.push(Op::AddAdmin { group, member }, path);
                }
                Some(Role::Member) => {
                    others.push(is_no_owner, path);
                    others.push(Op::RemoveAdmin { group, member }, path);
                }
            }
        }
    }
    if !added.is_empty() {
        let fields = GroupFields {
            add_members: Some(added),
            member_attributes: Some(attributes),
            ..GroupFields::default()
        };
        let put = Op::PutGroup { group: group.clone(), fields: Box::new(fields) };
        edit.push(put, "group.members.m");
    }
    // Who is demoted may be the last owner that there is until others are promoted.
    edit.extend(promoted);
    edit.extend(others);
    Ok(())
}
