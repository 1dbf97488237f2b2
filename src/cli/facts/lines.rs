//! The lines of an import: records, or users in bulk.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, BufRead, Read as _},
};

use serde_json::{Map, Value};

use crate::{
    diagnostic::render_text,
    facts::{
        Command, Friend, FriendFields, HistoryRecord, Id, Op, Patch, PendingRequest, Record,
        RecordKey, SwitchKey, SwitchSetting, TagName, UnixMillis, UserFields, UserRecord,
        export_line::{self, ExportHeader, ExportLineError},
    },
    request::{Moment, UserList},
    wire::{
        json::{describe_error, parse_line},
        unix_millis,
    },
};

/// A line that was read.
#[derive(Debug)]
pub(super) enum ImportLine {
    /// The header, with the exported revision, which is not used here.
    Header,
    Record(Box<(RecordKey, Record)>),
    /// An entry of the history.
    History(Box<HistoryRecord>),
    /// A bulk user as in policies: present fields replace those of the record, the others stay.
    User(Id, Box<UserFields>),
}

/// The maximal length of a line in bytes.
const LONGEST: u64 = 64 << 20;

/// Calls `each` with every line that is not empty, and its number, from 1.
///
/// # Errors
/// If they can't be read, or `each` fails.
pub(super) fn for_each<E: From<io::Error>>(
    mut from: impl BufRead,
    mut each: impl FnMut(u64, Result<ImportLine, String>) -> Result<(), E>,
) -> Result<(), E> {
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        let read = from.by_ref().take(LONGEST).read_until(b'\n', &mut bytes)?;
        if read == 0 {
            break;
        }
        let line = if read as u64 == LONGEST && !bytes.ends_with(b"\n") {
            skip_line(&mut from)?;
            Err(format!("the line exceeds {LONGEST} bytes"))
        } else if bytes.trim_ascii().is_empty() {
            continue;
        } else {
            parse(&bytes)
        };
        each(number, line)?;
    }
    Ok(())
}

/// Reads on to the end of the line.
fn skip_line(from: &mut impl BufRead) -> io::Result<()> {
    loop {
        let mut rest = Vec::new();
        let read = from.by_ref().take(1 << 20).read_until(b'\n', &mut rest)?;
        if read == 0 || rest.ends_with(b"\n") {
            return Ok(());
        }
    }
}

fn parse(bytes: &[u8]) -> Result<ImportLine, String> {
    let line: Map<String, Value> = parse_line(bytes).map_err(|error| error.to_string())?;
    if let Some(header) = ExportHeader::decode(&line) {
        return header.map(|_| ImportLine::Header);
    }
    if let Some(entry) = export_line::decode_history(&line) {
        return Ok(ImportLine::History(Box::new(entry.map_err(describe)?)));
    }
    if let Some(record) = export_line::decode(&line) {
        let (key, record) = record.map_err(describe)?;
        if let Record::Rule(rule) = &record {
            crate::policy::parse_condition(&rule.condition)
                .map_err(|why| render_text(&why, false))?;
        }
        return Ok(ImportLine::Record(Box::new((key, record))));
    }
    user(line)
}

fn describe(error: ExportLineError) -> String {
    match error {
        ExportLineError::Record(error) => {
            format!("invalid record: {}", describe_error(error.cause()))
        }
        ExportLineError::Line(message) => message,
    }
}

fn user(mut line: Map<String, Value>) -> Result<ImportLine, String> {
    let Some(id) = line.shift_remove("id") else {
        return Err("expected a record of an export, or a user with `id`".to_owned());
    };
    if let Some(name) = ["op", "user", "as"].into_iter().find(|&name| line.contains_key(name)) {
        return Err(format!("unknown member `{name}`"));
    }
    line.insert("op".to_owned(), "put_user".into());
    line.insert("user".to_owned(), id);
    let commands = Command::decode(&[Value::Object(line)]).map_err(|wrong| {
        let messages = wrong.iter().map(|it| {
            let field = if it.field == "user" { "id" } else { &it.field };
            format!("`{}`: {}", field.escape_debug(), it.message)
        });
        messages.collect::<Vec<_>>().join("; ")
    })?;
    match commands.into_iter().next().map(|command| command.op) {
        Some(Op::PutUser { user, mut fields }) => {
            canonical(&mut fields)?;
            Ok(ImportLine::User(user, fields))
        }
        _ => Err("expected a user".to_owned()),
    }
}

/// Rewrites the conditions of switches in canonical form.
fn canonical(fields: &mut UserFields) -> Result<(), String> {
    for setting in fields.permissions.iter_mut().flat_map(|all| all.values_mut()) {
        if let Some(SwitchSetting::When(text)) = setting {
            let condition =
                crate::policy::parse_condition(text).map_err(|why| render_text(&why, false))?;
            *text = condition.to_string();
        }
    }
    Ok(())
}

/// Applies the present fields of a user to their record.
pub(super) fn apply_fields(user: &mut UserRecord, fields: &UserFields) {
    user.created = true;
    let tags = |tags: &BTreeSet<TagName>| tags.iter().map(ToString::to_string).collect();
    if let Some(given) = fields.tags.replacement() {
        user.tags = given.map(tags);
    }
    patch(&mut user.peers, &fields.peers);
    if let Some(state) = fields.moderation.replacement() {
        user.replaced_moderation.clear();
        let terms = &fields.terms.moderation;
        user.moderation_terms = (!terms.is_empty()).then(|| Box::new(terms.clone()));
        user.moderation = state.copied();
    }
    patch(&mut user.approval, &fields.approval);
    if let Some(given) = fields.accepts.replacement() {
        user.accepts = given.cloned().unwrap_or_default();
    }
    let mut own = BTreeMap::new();
    let mut built_in = BTreeMap::new();
    for (key, setting) in fields.permissions.iter().flatten() {
        match key {
            SwitchKey::BuiltIn(switch) => drop(built_in.insert(*switch, setting.clone())),
            SwitchKey::Declared(action) => drop(own.insert(action.clone(), setting.clone())),
        }
    }
    merge(&mut user.permissions, Some(&built_in));
    merge(&mut user.own_permissions, Some(&own));
    merge(&mut user.attributes, fields.attributes.as_ref());
    let ids = |ids: &BTreeSet<Id>| ids.iter().map(ToString::to_string).collect();
    for (mine, given) in [
        (&mut user.contacts, &fields.contacts),
        (&mut user.favorites, &fields.favorites),
        (&mut user.paired, &fields.paired),
    ] {
        if let Some(given) = given {
            *mine = ids(given);
        }
    }
    let now = unix_millis();
    if let Some(given) = &fields.blocked {
        let each = given.0.iter();
        user.blocked = each.map(|(id, since)| (id.to_string(), since.unwrap_or(now))).collect();
    }
    if let Some(given) = &fields.friends {
        let each = given.0.iter();
        user.friends = each.map(|(id, fields)| (id.to_string(), friend(fields, now))).collect();
    }
    if let Some(given) = &fields.requests {
        let request = |fields: &crate::facts::RequestFields| PendingRequest {
            since: fields.since.unwrap_or(now),
            both: fields.both.unwrap_or(true),
            friend: Friend {
                since: 0,
                until: value(&fields.until).map(Moment::millis),
                remark: value(&fields.remark),
                lists: value(&fields.lists).unwrap_or_default(),
                source: value(&fields.source),
                wording: value(&fields.wording),
                custom: custom(&fields.custom),
            },
        };
        let each = given.0.iter();
        user.requests = each.map(|(id, fields)| (id.to_string(), request(fields))).collect();
    }
    if let Some(given) = &fields.friend_lists {
        user.friend_lists.clone_from(given);
    }
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
    user.remove_dangling_terms();
}

fn friend(fields: &FriendFields, now: UnixMillis) -> Friend {
    Friend {
        since: fields.since.unwrap_or(now),
        until: value(&fields.until).map(Moment::millis),
        remark: value(&fields.remark),
        lists: value(&fields.lists).into_iter().chain(fields.add_lists.clone()).flatten().collect(),
        source: value(&fields.source),
        wording: value(&fields.wording),
        custom: custom(&fields.custom),
    }
}

fn custom(given: &Patch<BTreeMap<String, Option<Value>>>) -> BTreeMap<String, Value> {
    let given = value(given).unwrap_or_default();
    given.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn value<T: Clone>(given: &Patch<T>) -> Option<T> {
    given.replacement().flatten().cloned()
}

fn patch<T: Clone>(mine: &mut Option<T>, given: &Patch<T>) {
    if let Some(given) = given.replacement() {
        *mine = given.cloned();
    }
}

fn merge<K: Ord + Clone, V: Clone>(
    mine: &mut BTreeMap<K, V>,
    given: Option<&BTreeMap<K, Option<V>>>,
) {
    for (key, value) in given.into_iter().flatten() {
        match value {
            Some(value) => mine.insert(key.clone(), value.clone()),
            None => mine.remove(key),
        };
    }
}
