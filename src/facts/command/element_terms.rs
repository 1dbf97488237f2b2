//! Terms of a user's moderation state and of elements of their lists, as the command `put_user` gives them.
//!
//! In its fields, an element is a name, or an object with the name and its terms; before the fields are read, the
//! terms are taken out of them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::codec::{CommandFields, FieldCodec, SyntaxErrors, ValueCodec, type_error};
use super::field_terms::{FieldTerms, GroupFieldTerms};
use crate::{
    facts::Terms,
    request::{Moment, UserList, suggest},
};

/// The member of an element that has its name.
const fn name_member(list: UserList) -> &'static str {
    match list {
        UserList::Tags => "tag",
        _ => "user",
    }
}

/// Whether the elements of a list have a reason and an author.
const fn has_reason(list: UserList) -> bool {
    matches!(list, UserList::Blocked)
}

/// Takes the terms out of the fields of a user; what is left are the fields as they are without terms.
pub(super) fn take_terms(fields: &mut Map<String, Value>, errors: &mut SyntaxErrors) -> FieldTerms {
    let mut all = FieldTerms::default();
    if let Some(moderation) = fields.get_mut("moderation")
        && let Some((state, terms)) = split(moderation, "state", true, "moderation", errors)
    {
        (*moderation, all.moderation) = (state, terms);
    }
    for &list in UserList::ALL {
        let Some(value) = fields.get_mut(list.as_str()) else { continue };
        let mut terms = BTreeMap::new();
        match value {
            Value::Array(elements) => {
                let mut since = Map::new();
                for (at, element) in elements.iter_mut().enumerate() {
                    let field = format!("{list}[{at}]");
                    let name = name_member(list);
                    let Some((id, of)) = split(element, name, has_reason(list), &field, errors)
                    else {
                        continue;
                    };
                    if let (Value::String(id), false) = (&id, of.is_empty()) {
                        if list == UserList::Friends {
                            since.insert(id.clone(), json!({ "until": text(&of) }));
                        } else {
                            terms.insert(id.clone(), of);
                        }
                    }
                    *element = id;
                }
                // Friends with an end are given by id.
                if !since.is_empty() {
                    let ids = elements.iter().filter_map(Value::as_str);
                    let each = ids.map(|id| {
                        (id.to_owned(), since.get(id).cloned().unwrap_or_else(|| json!({})))
                    });
                    *value = Value::Object(each.collect());
                }
            }
            Value::Object(by_user) if list == UserList::Blocked => {
                take_by_user(by_user, list.as_str(), &mut terms, errors);
            }
            _ => {}
        }
        if !terms.is_empty() {
            all.lists.insert(list, terms);
        }
    }
    all
}

/// The end of terms as a text.
fn text(terms: &Terms) -> Value {
    terms.until.map_or(Value::Null, |until| Moment::from_millis(until).to_string().into())
}

/// Splits an object into the value of a member and terms; `None` for what is no object, or has errors.
fn split(
    value: &Value,
    member: &str,
    has_reason: bool,
    field: &str,
    errors: &mut SyntaxErrors,
) -> Option<(Value, Terms)> {
    let Value::Object(members) = value else { return None };
    let mut terms = Terms::default();
    let mut is_whole = true;
    for (name, value) in members {
        let place = format!("{field}.{name}");
        let read = |into: &mut Option<String>, errors: &mut SyntaxErrors| {
            *into = String::from_json(value, &place, errors);
            into.is_some()
        };
        is_whole &= match name.as_str() {
            name if name == member => true,
            "until" => {
                let until = Moment::from_json(value, &place, errors);
                terms.until = until.map(Moment::millis);
                until.is_some()
            }
            "reason" if has_reason => read(&mut terms.reason, errors),
            "by" if has_reason => read(&mut terms.by, errors),
            "for" => {
                errors.report::<()>(&place, "an end is a time here: give it as `until`").is_some()
            }
            other => {
                let known = [member, "until", "reason", "by"];
                let known = known.iter().take(if has_reason { 4 } else { 2 }).copied();
                let message = format!("unknown field; {}", suggest(other, known));
                errors.report::<()>(&place, message).is_some()
            }
        };
    }
    match members.get(member) {
        Some(value) if is_whole => Some((value.clone(), terms)),
        Some(_) => None,
        None => type_error(&format!("`{member}` in it"), value, field, errors),
    }
}

impl FieldCodec for FieldTerms {
    fn decode(from: &mut CommandFields<'_>, _: &str) -> Option<Self> {
        Some(std::mem::take(&mut from.terms.user))
    }

    fn encode(&self, _: &str, into: &mut Map<String, Value>) {
        if let Some(state) = into.get_mut("moderation")
            && !self.moderation.is_empty()
        {
            *state = with_terms("state", state, &self.moderation);
        }
        for (&list, terms) in &self.lists {
            put_terms(into, list.as_str(), name_member(list), terms);
        }
    }
}

/// Takes the terms of mutes and bans out of the fields of a group.
pub(super) fn take_group_terms(
    fields: &mut Map<String, Value>,
    errors: &mut SyntaxErrors,
) -> GroupFieldTerms {
    let mut take = |list: &str| {
        let mut terms = BTreeMap::new();
        match fields.get_mut(list) {
            Some(Value::Array(elements)) => {
                for (at, element) in elements.iter_mut().enumerate() {
                    let field = format!("{list}[{at}]");
                    let Some((id, of)) = split(element, "user", true, &field, errors) else {
                        continue;
                    };
                    if let (Value::String(id), false) = (&id, of.is_empty()) {
                        terms.insert(id.clone(), of);
                    }
                    *element = id;
                }
            }
            Some(Value::Object(by_user)) => take_by_user(by_user, list, &mut terms, errors),
            _ => {}
        }
        terms
    };
    GroupFieldTerms { muted: take("muted"), banned: take("banned") }
}

/// Takes the terms out of an object of users, each with a time or with that and terms.
fn take_by_user(
    by_user: &mut Map<String, Value>,
    list: &str,
    terms: &mut BTreeMap<String, Terms>,
    errors: &mut SyntaxErrors,
) {
    for (id, since) in by_user.iter_mut() {
        let field = format!("{list}.{id}");
        let Some((at, of)) = split(since, "since", true, &field, errors) else { continue };
        *since = at;
        if !of.is_empty() {
            terms.insert(id.clone(), of);
        }
    }
}

/// An object with a member and terms.
fn with_terms(name: &str, value: &Value, terms: &Terms) -> Value {
    let mut object = Map::from_iter([(name.to_owned(), value.clone())]);
    if terms.until.is_some() {
        object.insert("until".to_owned(), text(terms));
    }
    for (name, text) in [("reason", &terms.reason), ("by", &terms.by)] {
        if let Some(text) = text {
            object.insert(name.to_owned(), text.as_str().into());
        }
    }
    Value::Object(object)
}

/// Puts terms into a list of elements, or an object of users.
fn put_terms(
    fields: &mut Map<String, Value>,
    list: &str,
    name: &str,
    terms: &BTreeMap<String, Terms>,
) {
    match fields.get_mut(list) {
        Some(Value::Array(elements)) => {
            for element in elements {
                if let Some(terms) = element.as_str().and_then(|id| terms.get(id)) {
                    *element = with_terms(name, element, terms);
                }
            }
        }
        Some(Value::Object(by_user)) => {
            for (id, value) in by_user {
                if let Some(terms) = terms.get(id) {
                    *value = with_terms("since", value, terms);
                }
            }
        }
        _ => {}
    }
}

impl FieldCodec for GroupFieldTerms {
    fn decode(from: &mut CommandFields<'_>, _: &str) -> Option<Self> {
        Some(std::mem::take(&mut from.terms.group))
    }

    fn encode(&self, _: &str, into: &mut Map<String, Value>) {
        put_terms(into, "muted", "user", &self.muted);
        put_terms(into, "banned", "user", &self.banned);
    }
}
