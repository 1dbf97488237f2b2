use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    asked::Asked,
    contacts,
    edit::{Edit, KEPT},
    fault::{Error, Fault, Stop},
    part::{Part, expected},
    told,
    uid::{self, Found},
};
use crate::{
    dialects::{House, Reply, Step},
    facts::{Id, Op, Patch, Setting, UserFields},
    request::{Moderation, PeersMode, Switch},
};

type Taken = Result<Step<Reply>, Stop>;

/// What of a user is not kept as it is, since facts hold it or it names him.
const HELD: [&str; 9] =
    ["address", "addr", "uid", "active", "permissions", "contact", "contacts", "token", "count"];

/// The switches that mesibo documents; the others have peerage's own names.
const DOCUMENTED: [Switch; 2] = [Switch::Incoming, Switch::Outgoing];

/// The permission that is none of them.
const PEERS: &str = "peers";

/// `useradd`: makes the user, or changes him if he is there.
pub(super) fn add(asked: &Asked, found: &Found, house: &dyn House) -> Taken {
    let user = Part::top(&asked.body, "user")?;
    let id = found.who(&user, house)?;
    put(asked, &user, &id, (found, house), Edit::default())
}

/// `userset`: changes a user who is there.
pub(super) fn set(asked: &Asked, found: &Found, house: &dyn House) -> Taken {
    let user = Part::top(&asked.body, "user")?;
    let id = found.who(&user, house)?;
    let mut edit = Edit::default();
    edit.push(must_be_known(&id), user.path("address"));
    put(asked, &user, &id, (found, house), edit)
}

/// Changes nothing, and is refused if he is not known.
fn must_be_known(id: &Id) -> Op {
    Op::AddTags { user: id.clone(), tags: BTreeSet::new() }
}

fn put(
    asked: &Asked,
    user: &Part<'_>,
    id: &Id,
    (found, house): (&Found, &dyn House),
    mut edit: Edit,
) -> Taken {
    let mut keep = kept_as_it_is(user)?;
    let mut fields = UserFields::default();
    if let Some(permissions) = user.part("permissions")? {
        put_permissions(&permissions, &mut fields, &mut keep)?;
    }
    let mut edges = Edit::default();
    contacts::edit(user, id, (found, house), &mut edges, &mut keep)?;
    let moderation = moderated(user, id, house)?;
    if !keep.is_empty() {
        fields.merge_attributes = Some([(KEPT.to_owned(), Value::Object(keep))].into());
    }
    edit.push(Op::PutUser { user: id.clone(), fields: Box::new(fields) }, user.path("address"));
    edit.extend(edges);
    if let Some(op) = moderation {
        edit.push(op, user.path("active"));
    }
    let answer = json_of(id, issued(user)?);
    Ok(edit.step(asked, ("user", answer)))
}

/// Bans or lets in again, if `active` is given and says something else than is so.
fn moderated(user: &Part<'_>, id: &Id, house: &dyn House) -> Result<Option<Op>, Fault> {
    let is_banned = house.moderation(id) == Some(Moderation::Banned);
    let id = id.clone();
    Ok(match user.flag("active")? {
        Some(false) => Some(Op::Ban { user: id }),
        // Who is silenced is active, and stays silenced.
        Some(true) if is_banned => Some(Op::Reactivate { user: id }),
        _ => None,
    })
}

/// What facts have no field for.
fn kept_as_it_is(user: &Part<'_>) -> Result<Map<String, Value>, Fault> {
    user.text("name")?;
    let mut keep = Map::new();
    for (name, value) in user.fields.iter().filter(|(name, _)| !HELD.contains(&name.as_str())) {
        keep.insert(if name == "flag" { "flags" } else { name }.to_owned(), value.clone());
    }
    user.either(&["flags", "flag"])?;
    user.whole("flags")?;
    user.whole("flag")?;
    Ok(keep)
}

fn put_permissions(
    permissions: &Part<'_>,
    fields: &mut UserFields,
    keep: &mut Map<String, Value>,
) -> Result<(), Fault> {
    let mut switches = BTreeMap::new();
    let mut others = Map::new();
    for (name, value) in permissions.fields.iter().filter(|(name, _)| *name != PEERS) {
        let value = match name.parse::<Switch>() {
            Ok(switch) => {
                switches.insert(switch, permissions.flag(name)?.map(Setting::Always));
                // Before it was a switch here, it may have been kept as what is unknown.
                if DOCUMENTED.contains(&switch) {
                    continue;
                }
                Value::Null
            }
            Err(_) => value.clone(),
        };
        others.insert(name.clone(), value);
    }
    if !switches.is_empty() {
        fields.permissions = Some(switches);
    }
    match permissions.fields.get(PEERS) {
        None => {}
        Some(Value::Null) => fields.peers = Patch::Remove,
        Some(value) => {
            let mode = value.as_u64().and_then(|at| PeersMode::parse(&at.to_string()).ok());
            let what = "0 (all), 1 (paired), 2 (contacts) or 3 (favorites)";
            let mode = mode.ok_or_else(|| expected(&permissions.path(PEERS), what, value))?;
            fields.peers = Patch::Set(mode);
        }
    }
    if !others.is_empty() {
        keep.insert("permissions".to_owned(), Value::Object(others));
    }
    Ok(())
}

/// The access token that is asked for with `token`. Nobody here verifies it: it only has the form
/// that a backend hands on.
fn issued(user: &Part<'_>) -> Result<Option<String>, Fault> {
    let Some(token) = user.part("token")? else { return Ok(None) };
    token.whole("expiry")?;
    Ok((token.flag("remove")? != Some(true)).then(new_token))
}

fn new_token() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

fn json_of(id: &Id, token: Option<String>) -> Value {
    let mut user = told::named(id);
    if let Some(token) = token {
        user.insert("token".to_owned(), token.into());
    }
    Value::Object(user)
}

/// Who is meant, if he is known.
fn known(asked: &Asked, found: &Found, house: &dyn House) -> Result<Id, Fault> {
    let user = Part::top(&asked.body, "user")?;
    let id = found.who(&user, house)?;
    if house.knows_user(&id) {
        return Ok(id);
    }
    let shown = id.escape_debug();
    let message = format!("no user `{shown}` is known; make him with useradd");
    Err(Fault::at(Error::NoUser, &user.path("address"), &message))
}

/// `userdel`, `deluser`: takes the user away, and all that names him.
pub(super) fn delete(asked: &Asked, found: &Found, house: &dyn House) -> Taken {
    let user = Part::top(&asked.body, "user")?;
    let id = found.who(&user, house)?;
    let mut edit = Edit::default();
    let answer = json_of(&id, None);
    edit.push(Op::DeleteUser { user: id, only_unused: None }, user.path("address"));
    Ok(edit.step(asked, ("user", answer)))
}

/// `usertoken`: another access token.
pub(super) fn token(asked: &Asked, found: &Found, house: &dyn House) -> Taken {
    let id = known(asked, found, house)?;
    Ok(Step::Done(asked.done(vec![("user", json_of(&id, Some(new_token())))])))
}

/// `deltoken`: there is none to be taken away.
pub(super) fn delete_token(asked: &Asked, found: &Found, house: &dyn House) -> Taken {
    let id = known(asked, found, house)?;
    Ok(Step::Done(asked.done(vec![("user", json_of(&id, None))])))
}

/// `userget`: all that is known of a user.
pub(super) fn get(asked: &Asked, found: &Found, house: &dyn House) -> Taken {
    let id = known(asked, found, house)?;
    let user = told::user(&id, house)?.unwrap_or_default();
    Ok(Step::Done(asked.done(vec![("user", Value::Object(user))])))
}

/// How many users are told if nothing is said of it, and at most.
const TOLD: usize = 20;
const MOST_TOLD: usize = 1000;

/// `usersget`: users whose address is like `address`, in which `*` stands for anything.
pub(super) fn list(asked: &Asked, found: &Found, house: &dyn House) -> Taken {
    let nobody = Map::new();
    let user = match asked.body.get("user") {
        None | Some(Value::Null) => Part { path: "user".to_owned(), fields: &nobody },
        Some(_) => Part::top(&asked.body, "user")?,
    };
    let like = match user.either(&["address", "addr"])? {
        None if user.get("uid").is_some() => Some(found.who(&user, house)?.to_string()),
        None => None,
        Some((_, Value::String(like))) => Some(like.clone()),
        Some((_, Value::Number(number))) if number.is_u64() => Some(number.to_string()),
        Some((name, other)) => return Err(expected(&user.path(name), "a text", other).into()),
    };
    let most = count(asked, &user)?.unwrap_or(TOLD).min(MOST_TOLD);
    let asked = asked.clone();
    Ok(Step::gather(move |house| {
        let mut users = Vec::new();
        let mut after: Option<String> = None;
        'all: loop {
            let page = house.users(after.as_deref(), 10_000);
            for id in &page {
                if users.len() >= most {
                    break 'all;
                }
                if like.as_deref().is_none_or(|like| is_like(id, like)) {
                    users.extend(told::user(id, house)?.map(Value::Object));
                }
            }
            match page.last() {
                Some(last) => after = Some(last.clone()),
                None => break,
            }
        }
        let count = users.len();
        Ok(Step::Done(asked.done(vec![("users", users.into()), ("count", json!(count))])))
    }))
}

/// How many are asked for: with `count`, beside what it is about or in it.
pub(super) fn count(asked: &Asked, about: &Part<'_>) -> Result<Option<usize>, Fault> {
    let most = match asked.body.get("count").filter(|count| !count.is_null()) {
        Some(count) => {
            let wrong = || expected("count", "a whole number, 0 or more", count);
            Some(count.as_u64().ok_or_else(wrong)?)
        }
        None => about.whole("count")?,
    };
    Ok(most.map(|most| usize::try_from(most).unwrap_or(usize::MAX)))
}

/// Whether a text is as another has it, in which `*` stands for anything.
fn is_like(text: &str, like: &str) -> bool {
    let mut parts = like.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// The number of a user, for answers.
pub(super) fn number(id: &str) -> Value {
    uid::of(id).into()
}
