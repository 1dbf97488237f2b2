//! Users, groups and rules as JSON.

use serde_json::{Map, Value, json};

use crate::{
    facts::{
        DeclaredBy, EffectiveGroup, EffectiveRule, EffectiveTerms, EffectiveUser, Terms,
        relation_list_name,
    },
    live::ServedPolicy,
    request::{Moment, Role},
};

/// A user on the wire: the effective fields, those that only the record says, and the file that declares the user.
pub(super) fn user_json(id: &str, served: &ServedPolicy, user: &EffectiveUser) -> Value {
    let own = user.own_permissions.iter().map(|(action, to)| (action.to_string(), json!(to)));
    let permissions: Map<String, Value> = user
        .permissions
        .iter()
        .map(|(switch, to)| (switch.to_string(), json!(to)))
        .chain(own)
        .collect();
    let mut into = object(json!({
        "id": id,
        "revision": served.view.revision.facts,
        "tags": user.tags,
        "peers": user.peers,
        "permissions": permissions,
        "moderation": user.moderation,
        "approval": user.approval,
        "accepts": user.accepts,
    }));
    for (relation, ids) in &user.relations {
        into.insert(relation_list_name(*relation).to_owned(), json!(ids));
    }
    let record = &user.record;
    let rest = json!({
        "conversations": user.conversations,
        "groups": user.groups,
        "attributes": record.attributes,
        "friend_details": record.friends,
        "friend_lists": record.friend_lists,
        "requests": record.requests,
    });
    into.extend(object(rest));
    let terms = effective_terms_json(&user.terms);
    if !terms.is_empty() {
        into.insert("terms".to_owned(), Value::Object(terms));
    }
    insert_stated_by(&mut into, user.declared_by.as_ref());
    Value::Object(into)
}

/// The terms of the moderation state under `moderation`, and of elements under the names of their lists.
fn effective_terms_json(terms: &EffectiveTerms) -> Map<String, Value> {
    let mut into = Map::new();
    if !terms.moderation.is_empty() {
        into.insert("moderation".to_owned(), terms_json(&terms.moderation));
    }
    for (list, elements) in &terms.lists {
        let elements = elements.iter().map(|(id, terms)| (id.clone(), terms_json(terms)));
        into.insert(list.to_string(), Value::Object(elements.collect()));
    }
    into
}

fn terms_json(terms: &Terms) -> Value {
    let Terms { until, reason, by } = terms;
    let mut into = Map::new();
    if let Some(until) = until {
        into.insert("until".to_owned(), Moment::from_millis(*until).to_string().into());
    }
    for (name, text) in [("reason", reason), ("by", by)] {
        if let Some(text) = text {
            into.insert(name.to_owned(), text.as_str().into());
        }
    }
    Value::Object(into)
}

/// A group on the wire: each member is in the list of their role only.
pub(super) fn group_json(id: &str, served: &ServedPolicy, group: &EffectiveGroup) -> Value {
    let having = |role: Role| -> Vec<&String> {
        group.members.iter().filter(|(_, has)| *has == role).map(|(id, _)| id).collect()
    };
    let record = &group.record;
    let by = |(id, member): (&String, &crate::facts::Member)| {
        Some((id.clone(), json!(member.by.as_ref()?)))
    };
    let added_by: Map<String, Value> = record.members.iter().filter_map(by).collect();
    let mut into = object(json!({
        "id": id,
        "revision": served.view.revision.facts,
        "matrix": group.matrix,
        "creator": group.creator,
        "super_admins": having(Role::SuperAdmin),
        "admins": having(Role::Admin),
        "members": having(Role::Member),
        "muted": group.muted,
        "banned": group.banned,
        "requires": group.requires,
        "permissions": record.permissions,
        "metadata": record.metadata,
        "added_by": added_by,
    }));
    let kept = record.members.iter().filter(|(_, member)| !member.attributes.is_empty());
    let kept: Map<String, Value> =
        kept.map(|(id, member)| (id.clone(), json!(member.attributes))).collect();
    if !kept.is_empty() {
        into.insert("member_attributes".to_owned(), Value::Object(kept));
    }
    let mut terms = Map::new();
    for (name, list) in [("muted", &record.muted), ("banned", &record.banned)] {
        let list = list.iter().filter(|(_, it)| !it.terms.is_empty());
        let list: Map<String, Value> =
            list.map(|(id, it)| (id.clone(), terms_json(&it.terms))).collect();
        if !list.is_empty() {
            terms.insert(name.to_owned(), Value::Object(list));
        }
    }
    if !terms.is_empty() {
        into.insert("terms".to_owned(), Value::Object(terms));
    }
    insert_stated_by(&mut into, group.declared_by.as_ref());
    Value::Object(into)
}

/// A rule on the wire.
pub(super) fn rule_json(effective: &EffectiveRule) -> Value {
    let rule = &effective.rule;
    let mut into = object(json!({
        "rule_id": effective.id.to_string(),
        "name": rule.name,
        "description": rule.description,
        "condition": rule.condition,
        "outcome": rule.outcome,
    }));
    insert_stated_by(&mut into, effective.declared_by.as_ref());
    Value::Object(into)
}

fn insert_stated_by(into: &mut Map<String, Value>, declared: Option<&DeclaredBy>) {
    let Some(DeclaredBy { place, fields }) = declared else { return };
    let mut site = object(json!({ "file": place.file, "line": place.line }));
    if !fields.is_empty() {
        site.insert("fields".to_owned(), json!(fields));
    }
    into.insert("stated_by".to_owned(), Value::Object(site));
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
