//! The JSON form of users and groups.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{batch::stored_fields, flags, uid::number_json};
use crate::{
    dialects::{Backend, BackendError},
    facts::EffectiveGroup,
    request::{Moderation, PeersMode, PeersSetting, Relation, Switch},
};

/// A user's number and address.
pub(super) fn user_reference(id: &str) -> Map<String, Value> {
    let mut user = Map::with_capacity(8);
    user.insert("uid".to_owned(), number_json(id));
    user.insert("address".to_owned(), id.into());
    user
}

/// The JSON form of a user, with attributes and contacts; `None` if the user is unknown. Costs all
/// relations of the user.
pub(super) fn user(
    id: &str,
    backend: &dyn Backend,
) -> Result<Option<Map<String, Value>>, BackendError> {
    let Some(record) = backend.user_record(id)? else { return Ok(None) };
    let mut keep = stored_fields(&record.record.attributes);
    let mut user = user_reference(id);
    if let Some(name) = keep.shift_remove("name") {
        user.insert("name".to_owned(), name);
    }
    user.insert("active".to_owned(), (backend.moderation(id) != Some(Moderation::Banned)).into());
    let is_on = |switch| backend.is_on(id, switch).unwrap_or(false);
    let mut permissions: Map<String, Value> = Map::with_capacity(3);
    permissions.insert("incoming".to_owned(), is_on(Switch::Incoming).into());
    permissions.insert("outgoing".to_owned(), is_on(Switch::Outgoing).into());
    permissions.insert("peers".to_owned(), peers_number(backend.peers(id)).into());
    for switch in record.record.permissions.keys() {
        permissions.entry(switch.as_str()).or_insert_with(|| is_on(*switch).into());
    }
    if let Some(Value::Object(more)) = keep.shift_remove("permissions") {
        permissions.extend(more.into_iter().filter(|(name, _)| name.parse::<Switch>().is_err()));
    }
    user.insert("permissions".to_owned(), Value::Object(permissions));
    let subscriptions = keep.shift_remove("subscribe");
    user.insert("contacts".to_owned(), contacts(id, subscriptions.as_ref(), backend));
    for (name, value) in keep {
        user.entry(name).or_insert(value);
    }
    Ok(Some(user))
}

const fn peers_number(peers: Option<PeersSetting<()>>) -> u8 {
    match peers {
        None | Some(PeersSetting::Mode(PeersMode::All)) => 0,
        Some(PeersSetting::Mode(PeersMode::Paired)) => 1,
        Some(PeersSetting::Mode(PeersMode::Contacts)) => 2,
        // mesibo has no narrower mode than favorites, and none by an audience.
        Some(
            PeersSetting::Mode(PeersMode::Favorites | PeersMode::Friends | PeersMode::Nobody)
            | PeersSetting::Audience(()),
        ) => 3,
    }
}

/// The contacts of a user: all users to whom a relation exists that mesibo knows.
fn contacts(id: &str, subscriptions: Option<&Value>, backend: &dyn Backend) -> Value {
    let mut all: BTreeMap<String, Vec<Relation>> = BTreeMap::new();
    for relation in [Relation::Contact, Relation::Favorite, Relation::Pair, Relation::Block] {
        for id in backend.related_users(id, relation) {
            all.entry(id).or_default().push(relation);
        }
    }
    let contact = |(id, edges): (String, Vec<Relation>)| {
        let has = |relation| edges.contains(&relation);
        let is_contact = has(Relation::Contact) || has(Relation::Favorite);
        let said = subscriptions.and_then(|all| all.get(&id)).and_then(Value::as_bool);
        json!({
            "uid": number_json(&id),
            "address": id,
            "contact": is_contact,
            "subscribe": said.unwrap_or(is_contact),
            "favorite": has(Relation::Favorite),
            "pair": has(Relation::Pair),
            "block": has(Relation::Block),
        })
    };
    all.into_iter().map(contact).collect()
}

/// The id of a group, as a number if it is one.
pub(super) fn group_number(id: &str) -> Value {
    match id.parse::<u64>() {
        Ok(number) if number.to_string() == id => number.into(),
        _ => id.into(),
    }
}

/// A group without its members.
pub(super) fn group(id: &str, effective: &EffectiveGroup) -> Map<String, Value> {
    let keep = stored_fields(&effective.record.metadata);
    let mut group = Map::new();
    group.insert("gid".to_owned(), group_number(id));
    let name = effective.record.metadata.get("group_name").cloned();
    group.insert("name".to_owned(), name.unwrap_or_else(|| "".into()));
    let or = |name: &str, default: Value| keep.get(name).cloned().unwrap_or(default);
    group.insert("flags".to_owned(), or("flags", 0.into()));
    group.insert("active".to_owned(), or("active", true.into()));
    for (name, value) in keep {
        group.entry(name).or_insert(value);
    }
    group
}

/// The members of a group, `most` of them at most.
pub(super) fn members(effective: &EffectiveGroup, most: usize) -> Value {
    let member = |(id, role): &(String, _)| {
        let record = effective.record.members.get(id);
        let keep = record.map(|member| stored_fields(&member.attributes)).unwrap_or_default();
        let mut member = user_reference(id);
        member.extend(flags::render_flags(*role, &keep));
        Value::Object(member)
    };
    effective.members.iter().take(most).map(member).collect()
}
