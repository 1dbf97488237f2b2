//! The command `put_user`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::{
    CommandError, CommandOutcome, Declarable, PlanError, RefusalReason, UserField,
    draft::{Draft, escaped},
    friends::{
        apply_friend_fields, apply_patch, check_friend_limit, create_lists, insert_friend,
        remove_unknown_lists,
    },
    planned::PlanResult,
    relations::{check_block_limit, end_friendship, relation, unilateral_edges},
    rules::check_length,
    users::field_label,
};
use crate::{
    facts::{
        ByUser, Friend, FriendFields, Id, Patch, PendingRequest, RequestFields, SwitchKey,
        SwitchSetting, TagName, UnilateralRelation, UnixMillis, UserFields,
    },
    request::{Moderation, PeersSetting, Relation, UserList},
};

/// The limits of attributes: their number, and their lengths in bytes of JSON.
const MOST_ATTRIBUTES: usize = 256;
const LONGEST_NAME: usize = 255;
const LONGEST_ATTRIBUTE: usize = 16_384;

/// The depth to which arrays and objects in a value may be nested. Inside a record, and that inside
/// a line of an export, it must stay below the 128 that can be read again.
const DEEPEST_VALUE: usize = 64;

pub(super) fn put<E>(draft: &mut Draft<'_, E>, id: &Id, fields: &UserFields) -> PlanResult<E> {
    if !draft.knows_user(id)? {
        draft.user(id)?.created = true;
    }
    put_settings(draft, id, fields)?;
    if let Some(switches) = &fields.permissions {
        put_switches(draft, id, switches)?;
    }
    if let Some(attributes) = &fields.attributes {
        put_values(&mut draft.user(id)?.attributes, attributes, check_attribute)?;
    }
    if let Some(attributes) = &fields.merge_attributes {
        merge_values(&mut draft.user(id)?.attributes, attributes, check_attribute)?;
    }
    for &kind in UnilateralRelation::ALL {
        let edges = match kind {
            UnilateralRelation::Contact => &fields.contacts,
            UnilateralRelation::Favorite => &fields.favorites,
            UnilateralRelation::Pair => &fields.paired,
        };
        if let Some(edges) = edges {
            put_edges(draft, id, kind, edges)?;
        }
    }
    if let Some(ByUser(blocked)) = &fields.blocked {
        put_blocked(draft, id, blocked)?;
    }
    if let Some(lists) = &fields.friend_lists {
        let user = draft.user(id)?;
        user.friend_lists.clear();
        create_lists(draft, id, lists.iter().map(String::as_str))?;
        remove_unknown_lists(draft.user(id)?);
    }
    // After the blocks, which may end friendships: friends that are named stay.
    if let Some(ByUser(friends)) = &fields.friends {
        put_friends(draft, id, friends)?;
    }
    if let Some(ByUser(requests)) = &fields.requests {
        put_requests(draft, id, requests)?;
    }
    put_terms(draft, id, fields)?;
    Ok(CommandOutcome::default())
}

/// Sets the terms of the lists that are given; of elements that files state, they are dropped with the command.
fn put_terms<E>(
    draft: &mut Draft<'_, E>,
    id: &Id,
    fields: &UserFields,
) -> Result<(), PlanError<E>> {
    let user = draft.user(id)?;
    let given = [
        (UserList::Tags, fields.tags.replacement().is_some()),
        (UserList::Contacts, fields.contacts.is_some()),
        (UserList::Favorites, fields.favorites.is_some()),
        (UserList::Paired, fields.paired.is_some()),
        (UserList::Blocked, fields.blocked.is_some()),
    ];
    for (list, _) in given.into_iter().filter(|(_, is_given)| *is_given) {
        user.set_list_terms(list, fields.terms.lists.get(&list).cloned().unwrap_or_default());
    }
    Ok(())
}

fn put_settings<E>(
    draft: &mut Draft<'_, E>,
    id: &Id,
    fields: &UserFields,
) -> Result<(), PlanError<E>> {
    if let Patch::Set(tags) = &fields.tags {
        tags.iter().try_for_each(|tag| draft.context.check_tag(tag))?;
    }
    if let Patch::Set(PeersSetting::Audience(name)) = &fields.peers {
        draft.context.check_peers_audience(name)?;
    }
    if let Patch::Set(accepts) = &fields.accepts {
        accepts.values().try_for_each(|name| draft.context.check_audience(name))?;
        for action in accepts.keys().filter(|action| action.built_in().is_none()) {
            draft.context.check_accepted_action(action.as_str())?;
        }
    }
    let tags = match &fields.tags {
        Patch::Set(tags) => Patch::Set(tags.iter().map(TagName::to_string).collect()),
        Patch::Keep => Patch::Keep,
        Patch::Remove => Patch::Remove,
    };
    let tags: Patch<BTreeSet<String>> = undeclared_patch(draft, id, UserField::Tags, tags)?;
    let peers = undeclared_patch(draft, id, UserField::Peers, fields.peers.clone())?;
    let moderation = undeclared_patch(draft, id, UserField::Moderation, fields.moderation.clone())?;
    let approval = undeclared_patch(draft, id, UserField::Approval, fields.approval.clone())?;
    let accepts = undeclared_patch(draft, id, UserField::Accepts, fields.accepts.clone())?;
    if let Some(tags) = tags.replacement() {
        draft.set_tags(id, tags.cloned().unwrap_or_default())?;
    }
    let user = draft.user(id)?;
    apply_patch(&mut user.peers, &peers);
    if let Some(state) = moderation.replacement() {
        user.replaced_moderation.clear();
        let terms = fields.terms.moderation.clone();
        user.moderate(state.copied().unwrap_or(Moderation::None), terms);
        user.moderation = state.copied();
    }
    apply_patch(&mut user.approval, &approval);
    if let Some(accepts) = accepts.replacement() {
        user.accepts = accepts.cloned().unwrap_or_default();
    }
    Ok(())
}

/// The patch without a value that a file states already.
fn undeclared_patch<E, T: Serialize>(
    draft: &Draft<'_, E>,
    id: &str,
    field: UserField,
    patch: Patch<T>,
) -> Result<Patch<T>, CommandError> {
    match &patch {
        Patch::Set(value) => {
            let may =
                draft.may_set(&Declarable::UserField(id, field), &field_label(field, id), value)?;
            Ok(if may { patch } else { Patch::Keep })
        }
        Patch::Keep | Patch::Remove => Ok(patch),
    }
}

fn put_switches<E>(
    draft: &mut Draft<'_, E>,
    id: &Id,
    switches: &BTreeMap<SwitchKey, Option<SwitchSetting>>,
) -> Result<(), PlanError<E>> {
    for (key, setting) in switches {
        let Some(setting) = setting else {
            let user = draft.user(id)?;
            match key {
                SwitchKey::BuiltIn(switch) => user.permissions.remove(switch),
                SwitchKey::Declared(action) => user.own_permissions.remove(action),
            };
            continue;
        };
        if let SwitchKey::Declared(action) = key {
            draft.context.check_declared_action(action)?;
        }
        let setting = match setting {
            SwitchSetting::Always(is) => SwitchSetting::Always(*is),
            SwitchSetting::When(condition) => {
                SwitchSetting::When(draft.context.canonical_condition(condition)?)
            }
        };
        let what = match key {
            SwitchKey::BuiltIn(switch) => Declarable::UserField(id, UserField::Switch(*switch)),
            SwitchKey::Declared(action) => Declarable::OwnSwitch(id, action),
        };
        let label = format!("`permissions.{key}` of `{}`", escaped(id));
        if draft.may_set(&what, &label, &setting)? {
            let user = draft.user(id)?;
            match key {
                SwitchKey::BuiltIn(switch) => user.permissions.insert(*switch, setting),
                SwitchKey::Declared(action) => user.own_permissions.insert(action.clone(), setting),
            };
        }
    }
    Ok(())
}

/// Checks the length of an attribute.
///
/// # Errors
/// `too_long` if it is too long.
pub(super) fn check_attribute(_: &str, value: &Value) -> Result<(), CommandError> {
    check_length("an attribute", value.to_string().len(), LONGEST_ATTRIBUTE)
}

/// Merges patches into values, and removes values that become empty.
///
/// # Errors
/// If there are too many, or one gets too long.
pub(super) fn merge_values(
    values: &mut BTreeMap<String, Value>,
    patches: &BTreeMap<String, Value>,
    check: impl Fn(&str, &Value) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    let merged =
        |(name, patch): (&String, &Value)| (name.clone(), merge_patch(values.get(name), patch));
    put_values(values, &patches.iter().map(merged).collect(), check)
}

/// A value after a merge patch (RFC 7396), without objects that become empty.
fn merge_patch(value: Option<&Value>, patch: &Value) -> Option<Value> {
    let Value::Object(patches) = patch else {
        return Some(patch.clone()).filter(|patch| !patch.is_null());
    };
    let mut members = value.and_then(Value::as_object).cloned().unwrap_or_default();
    for (name, patch) in patches {
        match merge_patch(members.get(name), patch) {
            Some(value) => drop(members.insert(name.clone(), value)),
            None => drop(members.shift_remove(name)),
        }
    }
    Some(Value::Object(members))
        .filter(|value| value.as_object().is_some_and(|all| !all.is_empty()))
}

/// Sets values, and removes those that are `null`.
///
/// # Errors
/// If there are too many, or one is too long.
pub(super) fn put_values(
    values: &mut BTreeMap<String, Value>,
    given: &BTreeMap<String, Option<Value>>,
    check: impl Fn(&str, &Value) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    for (name, value) in given {
        check_length("a name", name.len(), LONGEST_NAME)?;
        if name.is_empty() || name.chars().any(char::is_control) {
            let message = "a name can't be empty or hold control characters";
            return Err(CommandError::new(RefusalReason::Invalid, message));
        }
        match value {
            Some(Value::Null) | None => drop(values.remove(name)),
            Some(value) => {
                check_depth(name, value)?;
                check(name, value)?;
                values.insert(name.clone(), value.clone());
            }
        }
    }
    if values.len() <= MOST_ATTRIBUTES {
        return Ok(());
    }
    let message = format!("at most {MOST_ATTRIBUTES} names are allowed; this has {}", values.len());
    Err(CommandError::new(RefusalReason::TooMany, message))
}

/// Checks the depth of a value.
///
/// # Errors
/// If it is nested too deep.
fn check_depth(name: &str, value: &Value) -> Result<(), CommandError> {
    if is_depth_within(value, DEEPEST_VALUE) {
        return Ok(());
    }
    let message = format!("`{}` is nested more than {DEEPEST_VALUE} deep", escaped(name));
    Err(CommandError::new(RefusalReason::Invalid, message))
}

/// Whether arrays and objects are nested at most this deep.
fn is_depth_within(value: &Value, depth: usize) -> bool {
    let mut inner: Box<dyn Iterator<Item = &Value>> = match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(members) => Box::new(members.values()),
        _ => return true,
    };
    depth > 0 && inner.all(|value| is_depth_within(value, depth - 1))
}

/// The ids to which no file states the relation: the API may state it.
fn undeclared_edges<'i, E>(
    draft: &Draft<'_, E>,
    from: &Id,
    relation: Relation,
    ids: impl IntoIterator<Item = &'i Id>,
) -> Vec<&'i Id> {
    let is_ours = |to: &&Id| !draft.is_declared(&Declarable::Edge(from, relation, to));
    ids.into_iter().filter(is_ours).collect()
}

fn put_edges<E>(
    draft: &mut Draft<'_, E>,
    id: &Id,
    kind: UnilateralRelation,
    given: &BTreeSet<Id>,
) -> Result<(), PlanError<E>> {
    draft.check_users_known(Some(id), given)?;
    let edges = undeclared_edges(draft, id, relation(kind), given);
    *unilateral_edges(draft.user(id)?, kind) = edges.into_iter().map(Id::to_string).collect();
    Ok(())
}

/// By how many the number of related users grows; only known users count.
fn growth<E>(
    draft: &Draft<'_, E>,
    id: &str,
    relation: Relation,
    before: &[String],
    after: &[&Id],
) -> usize {
    let counts = |to: &str| {
        draft.context.knows_user(to) && !draft.is_declared(&Declarable::Edge(id, relation, to))
    };
    let before = before.iter().filter(|to| counts(to)).count();
    after.len().saturating_sub(before)
}

fn put_blocked<E>(
    draft: &mut Draft<'_, E>,
    id: &Id,
    given: &BTreeMap<Id, Option<UnixMillis>>,
) -> Result<(), PlanError<E>> {
    draft.check_users_known(Some(id), given.keys())?;
    let now = draft.context.now();
    let edges = undeclared_edges(draft, id, Relation::Block, given.keys());
    let old = draft.user(id)?.blocked.clone();
    let before: Vec<String> = old.keys().cloned().collect();
    let more = growth(draft, id, Relation::Block, &before, &edges);
    if more > 0 {
        check_block_limit(draft, id, more)?;
    }
    let since = |to: &Id| {
        let given = given.get(to).copied().flatten();
        given.or_else(|| old.get(&**to).copied()).unwrap_or(now)
    };
    draft.user(id)?.blocked = edges.iter().map(|to| (to.to_string(), since(to))).collect();
    if draft.context.settings().blocks_end_friendship {
        for to in edges.into_iter().filter(|to| !old.contains_key(&***to)) {
            end_friendship(draft, id, to)?;
        }
    }
    Ok(())
}

fn put_friends<E>(
    draft: &mut Draft<'_, E>,
    id: &Id,
    given: &BTreeMap<Id, FriendFields>,
) -> Result<(), PlanError<E>> {
    draft.check_users_known(Some(id), given.keys())?;
    let new = Friend { since: draft.context.now(), ..Friend::default() };
    let edges: Vec<&Id> = given
        .iter()
        .filter(|(to, fields)| {
            **fields != FriendFields::default()
                || !draft.is_declared(&Declarable::Edge(id, Relation::Friend, to))
        })
        .map(|(to, _)| to)
        .collect();
    let ours = undeclared_edges(draft, id, Relation::Friend, edges.iter().copied());
    let old = std::mem::take(&mut draft.user(id)?.friends);
    let before: Vec<String> = old.keys().cloned().collect();
    let more = growth(draft, id, Relation::Friend, &before, &ours);
    if more > 0 {
        check_friend_limit(draft, id, more)?;
    }
    for to in edges {
        let friend = old.get(&**to).unwrap_or(&new).clone();
        let friend = given
            .get(to)
            .map_or(Ok(friend.clone()), |fields| apply_friend_fields(friend, fields))?;
        insert_friend(draft, id, to, friend)?;
    }
    Ok(())
}

fn put_requests<E>(
    draft: &mut Draft<'_, E>,
    id: &Id,
    given: &BTreeMap<Id, RequestFields>,
) -> Result<(), PlanError<E>> {
    draft.check_users_known(Some(id), given.keys())?;
    let now = draft.context.now();
    let mut requests = BTreeMap::new();
    for (from, fields) in given {
        let friend = apply_friend_fields(Friend::default(), &fields.friend())?;
        let both = fields.both.unwrap_or(true);
        let since = fields.since.unwrap_or(now);
        requests.insert(from.to_string(), PendingRequest { since, both, friend });
    }
    draft.user(id)?.requests = requests;
    Ok(())
}
