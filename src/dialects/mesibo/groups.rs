use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    asked::Asked,
    edit::{Edit, KEPT, settled},
    fault::{Error, Fault, Stop},
    members,
    part::{Part, as_id},
    told, users,
};
use crate::{
    dialects::{House, Reply, Step},
    facts::{GroupFields, Id, Op, Patch},
};

type Taken = Result<Step<Reply>, Stop>;

/// The matrix of groups that are made here: who is no admin manages nothing, and a group needs no
/// owner, since the backend runs it.
const MATRIX: &str = "admins_only";

/// The field of the metadata that has a group's name.
const NAME: &str = "group_name";

/// What of a group is not kept as it is, since facts hold it or it names what is meant.
const HELD: [&str; 7] = ["gid", "name", "members", "m", "delete", "remove", "count"];

const WHOLE: [&str; 6] = ["flags", "flag", "expiry", "expiryext", "duration", "start"];

/// How many members a group may have to be told at once.
const SMALL: usize = 200;

/// How often another number is tried for a new group.
const MOST_TRIES: usize = 64;

/// `groupadd`: makes a group.
pub(super) fn add(asked: &Asked, house: &dyn House) -> Taken {
    let nothing = Map::new();
    let group = match asked.body.get("group") {
        None | Some(Value::Null) => Part { path: "group".to_owned(), fields: &nothing },
        Some(_) => Part::top(&asked.body, "group")?,
    };
    let id = match group.get("gid").filter(|gid| **gid != 0 && **gid != "0") {
        Some(gid) => as_id(gid, &group.path("gid"))?,
        None => free(house)?,
    };
    let mut fields = fields(&group)?;
    fields.new = Some(true);
    fields.matrix = Patch::Set(MATRIX.to_owned());
    members::make(&members::read(&group)?, &mut fields);
    let mut edit = Edit::default();
    let answer = json!({ "gid": told::gid(&id) });
    edit.push(Op::PutGroup { group: id, fields: Box::new(fields) }, "group.members.m");
    Ok(edit.step(asked, ("group", answer)))
}

/// A number that no group has.
fn free(house: &dyn House) -> Result<Id, Fault> {
    let number = || (Uuid::new_v4().as_u128() & 0x7fff_ffff) as u64;
    let ids = (0..MOST_TRIES).filter_map(|_| Id::new(&number().max(1).to_string()).ok());
    let mut free = ids.filter(|id| !house.knows_group(id));
    free.next().ok_or_else(|| Fault::new(Error::Unavailable, "no number for a group is free"))
}

/// What is said of a group besides its members.
fn fields(group: &Part<'_>) -> Result<GroupFields, Fault> {
    let mut keep = Map::new();
    for name in WHOLE {
        group.whole(name)?;
    }
    group.either(&["flags", "flag"])?;
    for (name, value) in group.fields.iter().filter(|(name, _)| !HELD.contains(&name.as_str())) {
        let name = if name == "flag" { "flags" } else { name };
        keep.insert(name.to_owned(), value.clone());
    }
    if let Some(active) = group.flag("active")? {
        // It is, unless something else is kept.
        let value = if active { Value::Null } else { active.into() };
        keep.insert("active".to_owned(), value);
    }
    let mut merge = std::collections::BTreeMap::new();
    if group.fields.contains_key("name") {
        merge.insert(NAME.to_owned(), group.text("name")?.into());
    }
    if !keep.is_empty() {
        merge.insert(KEPT.to_owned(), Value::Object(keep));
    }
    Ok(GroupFields { merge_metadata: Some(merge), ..GroupFields::default() })
}

/// The group that is meant.
fn meant(asked: &Asked) -> Result<(Part<'_>, Id), Fault> {
    let group = Part::top(&asked.body, "group")?;
    let Some(gid) = group.get("gid") else {
        return Err(Fault::missing(&group.path("gid"), "the number of a group"));
    };
    let id = as_id(gid, &group.path("gid"))?;
    Ok((group, id))
}

/// Changes nothing, and is refused if it is not known.
fn must_be_known(id: &Id) -> Op {
    Op::UpdateMetadata { group: id.clone(), field: format!("{KEPT}-none"), value: Value::Null }
}

/// `groupset`: changes a group, and members if any are named.
pub(super) fn set(asked: &Asked, house: &dyn House) -> Taken {
    let (group, id) = meant(asked)?;
    let mut edit = Edit::default();
    edit.push(must_be_known(&id), "group.gid");
    let fields = Box::new(fields(&group)?);
    edit.push(Op::PutGroup { group: id.clone(), fields }, "group");
    members::edit(&members::read(&group)?, &id, house, &mut edit)?;
    Ok(edit.step(asked, ("group", json!({ "gid": told::gid(&id) }))))
}

/// `groupeditmembers`: adds members, changes or removes them.
pub(super) fn edit_members(asked: &Asked, house: &dyn House) -> Taken {
    let (group, id) = meant(asked)?;
    if group.get("members").is_none() {
        return Err(Fault::missing("group.members.m", "addresses, parted by commas").into());
    }
    let mut edit = Edit::default();
    edit.push(must_be_known(&id), "group.gid");
    members::edit(&members::read(&group)?, &id, house, &mut edit)?;
    Ok(edit.step(asked, ("group", json!({ "gid": told::gid(&id) }))))
}

/// `groupdel`.
pub(super) fn delete(asked: &Asked) -> Taken {
    let (_, id) = meant(asked)?;
    let mut edit = Edit::default();
    let answer = json!({ "gid": told::gid(&id) });
    edit.push(Op::DeleteGroup { group: id }, "group.gid");
    Ok(edit.step(asked, ("group", answer)))
}

/// `groupget`, and `groupgetmembers` or `getmembers`.
pub(super) fn get(asked: &Asked, only_members: bool, house: &dyn House) -> Taken {
    let (group, id) = meant(asked)?;
    let most = users::count(asked, &group)?.unwrap_or(usize::MAX);
    if house.size(&id).is_none_or(|size| size <= SMALL) {
        return told(asked, &id, most, only_members, house);
    }
    let asked = asked.clone();
    Ok(Step::gather(move |house| settled(&asked, told(&asked, &id, most, only_members, house))))
}

fn told(asked: &Asked, id: &Id, most: usize, only_members: bool, house: &dyn House) -> Taken {
    let Some(told) = house.group(id)? else {
        let message = format!("no group `{}` is known; make it with groupadd", id.escape_debug());
        return Err(Fault::at(Error::NoGroup, "group.gid", &message).into());
    };
    let members = told::members(&told, most);
    let gid = told::gid(id);
    let about = if only_members {
        let count = members.as_array().map_or(0, Vec::len).into();
        let group = json!({ "gid": gid });
        vec![("group", group), ("gid", gid), ("count", count), ("members", members)]
    } else {
        let mut group = told::group(id, &told);
        group.insert("members".to_owned(), members);
        vec![("group", Value::Object(group))]
    };
    Ok(Step::Done(asked.done(about)))
}
