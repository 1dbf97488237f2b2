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
    ids: BTreeSet<Id>,
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
    let (mut entries, mut named) = (Vec::new(), BTreeSet::new());
    for members in &all {
        let Some(given) = members.get("m") else {
            return Err(Fault::missing(&members.path("m"), "addresses, parted by commas"));
        };
        let path = members.path("m");
        let ids = addresses(given, &path)?;
        if let Some(again) = ids.intersection(&named).next() {
            let message = format!("`{}` is named twice; name him once", again.escape_debug());
            return Err(Fault::at(Error::BadParam, &path, &message));
        }
        named.extend(ids.iter().cloned());
        if named.len() > MOST {
            let message = format!("a request names {MOST} members at most");
            return Err(Fault::at(Error::BadParam, &path, &message));
        }
        let goes = goes || self::goes(members)?;
        entries.push(Entry { ids, path, goes, wanted: Wanted::read(members)? });
    }
    Ok(entries)
}

fn goes(part: &Part<'_>) -> Result<bool, Fault> {
    Ok(part.flag("remove")? == Some(true) || part.flag("delete")? == Some(true))
}

fn addresses(given: &Value, path: &str) -> Result<BTreeSet<Id>, Fault> {
    match given {
        Value::String(text) => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts.map(|part| as_id(&part.into(), path)).collect()
        }
        Value::Number(_) => Ok([as_id(given, path)?].into()),
        // Each as it is: an address may hold a comma.
        Value::Array(all) => {
            let id = |(at, one)| as_id(one, &format!("{path}[{at}]"));
            all.iter().enumerate().map(id).collect()
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
    let (mut roles, mut attributes) = (BTreeMap::new(), Keep::new());
    for entry in entries.iter().filter(|entry| !entry.goes) {
        let (role, patch) = entry.wanted.of(&Now::default());
        for id in &entry.ids {
            roles.insert(id.clone(), Some(role.unwrap_or(Role::Member)));
            keep(&mut attributes, id, patch.clone());
        }
    }
    fields.roles = Some(roles);
    fields.member_attributes = Some(attributes);
}

/// Adds what is to be done to the members of a group that is there, in one command: who is no owner
/// any more may be the last one until others are.
pub(super) fn edit(
    entries: &[Entry],
    group: &Id,
    house: &dyn House,
    edit: &mut Edit,
) -> Result<(), Unread> {
    let asks = entries.iter().any(|entry| !entry.goes && entry.wanted.is_of_roles());
    let told = if asks { house.group(group)? } else { None };
    let (mut added, mut roles) = (BTreeSet::new(), BTreeMap::new());
    let mut attributes = Keep::new();
    for Entry { ids, goes, wanted, .. } in entries {
        for id in ids {
            if *goes {
                roles.insert(id.clone(), None);
                continue;
            }
            let record = told.as_ref().and_then(|told| told.record.members.get(&**id));
            let kept = record.map(|member| kept(&member.attributes)).unwrap_or_default();
            let (role, patch) = wanted.of(&Now { role: house.role(group, id), kept });
            keep(&mut attributes, id, patch);
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
        member_attributes: Some(attributes),
        ..GroupFields::default()
    };
    edit.push(Op::PutGroup { group: group.clone(), fields: Box::new(fields) }, path);
    Ok(())
}
