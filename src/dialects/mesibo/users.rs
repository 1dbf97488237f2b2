//! Operations on users.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    batch::{ATTRIBUTE, CommandBatch},
    contacts,
    error::{MesiboError, MesiboErrorCode, MesiboStop},
    params::{Params, type_error},
    render,
    request::MesiboRequest,
    uid::ResolvedNumbers,
};
use crate::{
    dialects::{Backend, Reply, Step},
    facts::{Id, Op, Patch, SwitchKey, SwitchSetting, UserFields},
    request::{Moderation, PeersMode, PeersSetting, Switch},
};

type UserResult = Result<Step<Reply>, MesiboStop>;

/// The fields of a user that are not kept as attributes, since they are facts or name the user.
const STRUCTURED_FIELDS: [&str; 9] =
    ["address", "addr", "uid", "active", "permissions", "contact", "contacts", "token", "count"];

/// The switches that mesibo documents; the others have peerage's own names.
const DOCUMENTED: [Switch; 2] = [Switch::Incoming, Switch::Outgoing];

/// The permission that is not a switch.
const PEERS: &str = "peers";

/// `useradd`: creates the user, or changes an existing one.
pub(super) fn add(
    request: &MesiboRequest,
    found: &ResolvedNumbers,
    backend: &dyn Backend,
) -> UserResult {
    let user = Params::from_body(&request.body, "user")?;
    let id = found.resolve_user(&user, backend)?;
    put_user(request, &user, &id, (found, backend), CommandBatch::default())
}

/// `userset`: changes an existing user.
pub(super) fn set(
    request: &MesiboRequest,
    found: &ResolvedNumbers,
    backend: &dyn Backend,
) -> UserResult {
    let user = Params::from_body(&request.body, "user")?;
    let id = found.resolve_user(&user, backend)?;
    let mut edit = CommandBatch::default();
    edit.push(require_user(&id), user.path("address"));
    put_user(request, &user, &id, (found, backend), edit)
}

/// A command that changes nothing and is refused if the user is unknown.
fn require_user(id: &Id) -> Op {
    Op::AddTags { user: id.clone(), tags: BTreeSet::new() }
}

fn put_user(
    request: &MesiboRequest,
    user: &Params<'_>,
    id: &Id,
    (found, backend): (&ResolvedNumbers, &dyn Backend),
    mut edit: CommandBatch,
) -> UserResult {
    let mut keep = opaque_fields(user)?;
    let mut fields = UserFields::default();
    if let Some(permissions) = user.object("permissions")? {
        parse_permissions(&permissions, &mut fields, &mut keep)?;
    }
    let mut edges = CommandBatch::default();
    contacts::push_edits(user, id, (found, backend), &mut edges, &mut keep)?;
    let moderation = moderation_op(user, id, backend)?;
    if !keep.is_empty() {
        fields.merge_attributes = Some([(ATTRIBUTE.to_owned(), Value::Object(keep))].into());
    }
    edit.push(Op::PutUser { user: id.clone(), fields: Box::new(fields) }, user.path("address"));
    edit.extend(edges);
    if let Some(op) = moderation {
        edit.push(op, user.path("active"));
    }
    let answer = user_json(id, issue_token(user)?);
    Ok(edit.into_step(request, ("user", answer)))
}

/// The command that bans or reactivates the user, if `active` is given and changes anything.
fn moderation_op(
    user: &Params<'_>,
    id: &Id,
    backend: &dyn Backend,
) -> Result<Option<Op>, MesiboError> {
    let is_banned = backend.moderation(id) == Some(Moderation::Banned);
    let id = id.clone();
    Ok(match user.flag("active")? {
        Some(false) => Some(Op::Ban { user: id }),
        // A silenced user is active, and stays silenced.
        Some(true) if is_banned => Some(Op::Reactivate { user: id }),
        _ => None,
    })
}

/// The fields of a user that facts have no place for.
fn opaque_fields(user: &Params<'_>) -> Result<Map<String, Value>, MesiboError> {
    user.text("name")?;
    let mut keep = Map::new();
    for (name, value) in
        user.fields.iter().filter(|(name, _)| !STRUCTURED_FIELDS.contains(&name.as_str()))
    {
        keep.insert(if name == "flag" { "flags" } else { name }.to_owned(), value.clone());
    }
    user.one_of(&["flags", "flag"])?;
    user.integer("flags")?;
    user.integer("flag")?;
    Ok(keep)
}

fn parse_permissions(
    permissions: &Params<'_>,
    fields: &mut UserFields,
    keep: &mut Map<String, Value>,
) -> Result<(), MesiboError> {
    let mut switches = BTreeMap::new();
    let mut others = Map::new();
    for (name, value) in permissions.fields.iter().filter(|(name, _)| *name != PEERS) {
        let value = match name.parse::<Switch>() {
            Ok(switch) => {
                switches.insert(
                    SwitchKey::BuiltIn(switch),
                    permissions.flag(name)?.map(SwitchSetting::Always),
                );
                // The permission may be stored as an unknown one, from before it became a switch.
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
            let mode = mode.ok_or_else(|| type_error(&permissions.path(PEERS), what, value))?;
            fields.peers = Patch::Set(PeersSetting::Mode(mode));
        }
    }
    if !others.is_empty() {
        keep.insert("permissions".to_owned(), Value::Object(others));
    }
    Ok(())
}

/// The access token that `token` requests. It is never verified here: it only has the form that
/// backends expect.
fn issue_token(user: &Params<'_>) -> Result<Option<String>, MesiboError> {
    let Some(token) = user.object("token")? else { return Ok(None) };
    token.integer("expiry")?;
    Ok((token.flag("remove")? != Some(true)).then(new_token))
}

fn new_token() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

fn user_json(id: &Id, token: Option<String>) -> Value {
    let mut user = render::user_reference(id);
    if let Some(token) = token {
        user.insert("token".to_owned(), token.into());
    }
    Value::Object(user)
}

/// The id of the user that a request names, which must be known.
fn known_user(
    request: &MesiboRequest,
    found: &ResolvedNumbers,
    backend: &dyn Backend,
) -> Result<Id, MesiboError> {
    let user = Params::from_body(&request.body, "user")?;
    let id = found.resolve_user(&user, backend)?;
    if backend.knows_user(&id) {
        return Ok(id);
    }
    let shown = id.escape_debug();
    let message = format!("no user `{shown}` is known; create the user with useradd");
    Err(MesiboError::at(MesiboErrorCode::NoUser, &user.path("address"), &message))
}

/// `userdel`, `deluser`: deletes the user with all relations.
pub(super) fn delete(
    request: &MesiboRequest,
    found: &ResolvedNumbers,
    backend: &dyn Backend,
) -> UserResult {
    let user = Params::from_body(&request.body, "user")?;
    let id = found.resolve_user(&user, backend)?;
    let mut edit = CommandBatch::default();
    let answer = user_json(&id, None);
    edit.push(Op::DeleteUser { user: id, only_unused: None }, user.path("address"));
    Ok(edit.into_step(request, ("user", answer)))
}

/// `usertoken`: issues another access token.
pub(super) fn token(
    request: &MesiboRequest,
    found: &ResolvedNumbers,
    backend: &dyn Backend,
) -> UserResult {
    let id = known_user(request, found, backend)?;
    Ok(Step::Done(request.success_reply(vec![("user", user_json(&id, Some(new_token())))])))
}

/// `deltoken`: succeeds without effect, since no token is stored.
pub(super) fn delete_token(
    request: &MesiboRequest,
    found: &ResolvedNumbers,
    backend: &dyn Backend,
) -> UserResult {
    let id = known_user(request, found, backend)?;
    Ok(Step::Done(request.success_reply(vec![("user", user_json(&id, None))])))
}

/// `userget`: the whole user.
pub(super) fn get(
    request: &MesiboRequest,
    found: &ResolvedNumbers,
    backend: &dyn Backend,
) -> UserResult {
    let id = known_user(request, found, backend)?;
    let user = render::user(&id, backend)?.unwrap_or_default();
    Ok(Step::Done(request.success_reply(vec![("user", Value::Object(user))])))
}

/// The default and the maximum number of users in an answer.
const DEFAULT_COUNT: usize = 20;
const MAX_COUNT: usize = 1000;

/// `usersget`: users whose address matches `address`, in which `*` matches anything.
pub(super) fn list(
    request: &MesiboRequest,
    found: &ResolvedNumbers,
    backend: &dyn Backend,
) -> UserResult {
    let nobody = Map::new();
    let user = match request.body.get("user") {
        None | Some(Value::Null) => Params { path: "user".to_owned(), fields: &nobody },
        Some(_) => Params::from_body(&request.body, "user")?,
    };
    let like = match user.one_of(&["address", "addr"])? {
        None if user.get("uid").is_some() => Some(found.resolve_user(&user, backend)?.to_string()),
        None => None,
        Some((_, Value::String(like))) => Some(like.clone()),
        Some((_, Value::Number(number))) if number.is_u64() => Some(number.to_string()),
        Some((name, other)) => return Err(type_error(&user.path(name), "a string", other).into()),
    };
    let most = requested_count(request, &user)?.unwrap_or(DEFAULT_COUNT).min(MAX_COUNT);
    let request = request.clone();
    Ok(Step::blocking(move |backend| {
        let mut users = Vec::new();
        let mut after: Option<String> = None;
        'all: loop {
            let page = backend.user_page(after.as_deref(), 10_000);
            for id in &page {
                if users.len() >= most {
                    break 'all;
                }
                if like.as_deref().is_none_or(|like| matches_pattern(id, like)) {
                    users.extend(render::user(id, backend)?.map(Value::Object));
                }
            }
            match page.last() {
                Some(last) => after = Some(last.clone()),
                None => break,
            }
        }
        let count = users.len();
        Ok(Step::Done(
            request.success_reply(vec![("users", users.into()), ("count", json!(count))]),
        ))
    }))
}

/// The requested number of elements: `count` of the request, or of the object that it is about.
pub(super) fn requested_count(
    request: &MesiboRequest,
    about: &Params<'_>,
) -> Result<Option<usize>, MesiboError> {
    let most = match request.body.get("count").filter(|count| !count.is_null()) {
        Some(count) => {
            let wrong = || type_error("count", "a whole number, 0 or more", count);
            Some(count.as_u64().ok_or_else(wrong)?)
        }
        None => about.integer("count")?,
    };
    Ok(most.map(|most| usize::try_from(most).unwrap_or(usize::MAX)))
}

/// Whether a text matches a pattern, in which `*` matches anything.
fn matches_pattern(text: &str, like: &str) -> bool {
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
