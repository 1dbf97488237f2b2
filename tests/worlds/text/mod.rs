//! Worlds as files: the notation and the file of each part are random.

mod between;
mod bulk;
mod dsl;
mod times;
mod values;
mod yaml;

use std::collections::BTreeMap;

use peerage::source::{Notation, Source, Sources};
use serde_json::json;

use super::Chance;
use crate::oracle::{Condition, Group, Outcome, Settings, User, Value, World};

/// Whether the DSL and tables can tell all that is said of two users; else YAML, JSON and NDJSON
/// tell it.
const ALL_NOTATIONS: bool = true;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Dsl,
    Yaml,
    Json,
    Ndjson,
    Csv,
}

/// What may hold all sections, not users alone.
const TEXTS: [Form; 3] = [Form::Dsl, Form::Yaml, Form::Json];
const ALL: [Form; 5] = [Form::Dsl, Form::Yaml, Form::Json, Form::Ndjson, Form::Csv];

/// The world in files of random notations, its parts in random order.
pub(crate) fn scattered(world: &World, seed: u64) -> Sources {
    let chance = &mut Chance(seed);
    let count = 1 + chance.below(3);
    let (texts, all) = forms(world);
    let mut forms: Vec<Form> = (0..count).map(|_| *chance.pick(texts)).collect();
    let texts = forms.len();
    forms.extend((0..chance.below(3)).map(|_| *chance.pick(all)));
    // What stands in one file is a world of its own.
    let mut parts: Vec<World> = forms.iter().map(|_| World::default()).collect();
    let (some_text, everything) = (&mut parts[..texts], &forms);
    scatter_policy(world, some_text, chance);
    for (id, group) in &world.groups {
        let group = shuffled_group(group, chance);
        some_text[chance.place(texts)].groups.insert(id.clone(), group);
    }
    for pair in &world.conversations {
        let mut pair = pair.clone();
        chance.shuffle(&mut pair);
        some_text[chance.place(texts)].conversations.push(pair);
    }
    for (id, user) in &world.users {
        let user = shuffled_user(user, chance);
        let mut place = chance.place(everything.len());
        if everything[place] == Form::Csv && !bulk::fits_a_table(&user) {
            place = chance.place(texts);
        }
        parts[place].users.insert(id.clone(), user);
    }
    let files = parts.into_iter().zip(forms).enumerate().map(|(number, (mut part, form))| {
        if let Some(rules) = &mut part.rules {
            chance.shuffle(rules);
        }
        let name = format!("{:04x}-{number}", chance.below(0x10000));
        file(&name, form, &part, chance)
    });
    Sources::new(files.collect())
}

/// The forms of files with all sections, and of all files, that can tell a world.
fn forms(world: &World) -> (&'static [Form], &'static [Form]) {
    if ALL_NOTATIONS || !world.says_more() {
        (&TEXTS, &ALL)
    } else {
        (&[Form::Yaml, Form::Json], &[Form::Yaml, Form::Json, Form::Ndjson])
    }
}

fn scatter_policy(world: &World, parts: &mut [World], chance: &mut Chance) {
    let files = parts.len();
    for tag in world.declared.iter().flatten() {
        let part = &mut parts[chance.place(files)];
        part.declared.get_or_insert_default().push(tag.clone());
    }
    if let Some(rules) = &world.rules {
        parts[chance.place(files)].rules.get_or_insert_default();
        for rule in rules {
            let mut rule = rule.clone();
            if let Outcome::Tags(tags) = &mut rule.outcome {
                repeat_some(tags, chance);
            }
            parts[chance.place(files)].rules.get_or_insert_default().push(rule);
        }
    }
    between::scatter(&world.between, parts, chance);
    for (name, window) in &world.windows {
        parts[chance.place(files)].windows.insert(name, window.clone());
    }
    let Settings {
        preset,
        unknown_users,
        managers,
        permissions,
        blocks,
        peers,
        modes,
        default_approval,
        limits,
    } = &world.settings;
    let mut settings = |state: &mut dyn FnMut(&mut Settings)| {
        state(&mut parts[chance.place(files)].settings);
    };
    settings(&mut |part| part.preset = *preset);
    settings(&mut |part| part.unknown_users = *unknown_users);
    settings(&mut |part| part.managers.clone_from(managers));
    settings(&mut |part| part.peers = *peers);
    // Their order counts, so they stand in one section.
    settings(&mut |part| part.modes.clone_from(modes));
    settings(&mut |part| part.default_approval = *default_approval);
    for (name, toggle) in permissions {
        settings(&mut |part| {
            part.permissions.insert(name, toggle.clone());
        });
    }
    for (name, mode) in blocks {
        settings(&mut |part| {
            part.blocks.insert(name, mode);
        });
    }
    for (name, limit) in limits {
        settings(&mut |part| {
            part.limits.insert(name, *limit);
        });
    }
    for (name, matrix) in &world.matrices {
        parts[chance.place(files)].matrices.insert(name.clone(), matrix.clone());
    }
}

/// The world in two files, `.peerage` where that can tell it, and always alike, its users in one of
/// them.
pub(crate) fn plain(world: &World) -> Sources {
    in_two(world, plain_form(world))
}

fn plain_form(world: &World) -> Form {
    if forms(world).0.contains(&Form::Dsl) { Form::Dsl } else { Form::Yaml }
}

/// The world with its users in bulk.
pub(crate) fn bulk(world: &World) -> Sources {
    in_two(world, Form::Ndjson)
}

fn in_two(world: &World, users: Form) -> Sources {
    let chance = &mut Chance(0);
    let said = World { users: BTreeMap::new(), ..world.clone() };
    let people = World { users: world.users.clone(), ..World::default() };
    Sources::new(vec![
        file("policy", plain_form(world), &said, chance),
        file("users", users, &people, chance),
    ])
}

fn shuffled_user(user: &User, chance: &mut Chance) -> User {
    let mut user = user.clone();
    for list in
        user.tags.iter_mut().chain([&mut user.contacts, &mut user.favorites, &mut user.paired])
    {
        repeat_some(list, chance);
    }
    chance.shuffle(&mut user.blocked);
    chance.shuffle(&mut user.friends);
    user
}

fn shuffled_group(group: &Group, chance: &mut Chance) -> Group {
    let mut group = group.clone();
    for list in group.super_admins.iter_mut().chain([&mut group.admins, &mut group.members]) {
        repeat_some(list, chance);
    }
    chance.shuffle(&mut group.muted);
    chance.shuffle(&mut group.banned);
    group
}

/// The same set of names in another order, some of them twice.
fn repeat_some(names: &mut Vec<String>, chance: &mut Chance) {
    if !names.is_empty() && chance.percent(30) {
        let again = chance.pick(names).clone();
        names.push(again);
    }
    chance.shuffle(names);
}

fn file(name: &str, form: Form, part: &World, chance: &mut Chance) -> Source {
    let (ending, notation, text) = match form {
        Form::Dsl => ("peerage", Notation::Dsl, dsl::file(part, chance)),
        Form::Yaml => ("yaml", Notation::Yaml, yaml::file(&values::sections(part, chance), chance)),
        Form::Json => ("json", Notation::Json, json!(values::sections(part, chance)).to_string()),
        Form::Ndjson => ("ndjson", Notation::Ndjson, bulk::ndjson(part, chance)),
        Form::Csv => ("csv", Notation::Csv, bulk::csv(part, chance)),
    };
    // A file of 0 bytes is an error, one of a blank line is not.
    let text = if text.is_empty() { "\n".to_owned() } else { text };
    Source::new(format!("{name}.{ending}"), notation, text)
}

/// A text in double quotes, as YAML, JSON and the DSL have it.
fn quoted(text: &str) -> String {
    json!(text).to_string()
}

/// A condition with white space left to chance.
pub(crate) fn condition(condition: &Condition, chance: &mut Chance) -> String {
    match condition {
        Condition::Everyone => "everyone".to_owned(),
        Condition::Nobody => "nobody".to_owned(),
        Condition::HasTag(tag) => format!("hasTag({}{tag})", space(chance)),
        Condition::During(window) => format!("during({}{window})", space(chance)),
        Condition::Not(inner) => format!("not({})", self::condition(inner, chance)),
        Condition::All(parts) => call("all", parts, self::condition, chance),
        Condition::Any(parts) => call("any", parts, self::condition, chance),
    }
}

/// A value of a matrix, likewise.
fn value(value: &Value, chance: &mut Chance) -> String {
    match value {
        Value::Grant(word) => (*word).to_owned(),
        Value::HasTag(tag) => format!("hasTag({}{tag})", space(chance)),
        Value::During(window) => format!("during({}{window})", space(chance)),
        Value::Not(inner) => format!("not({})", self::value(inner, chance)),
        Value::All(parts) => call("all", parts, self::value, chance),
        Value::Any(parts) => call("any", parts, self::value, chance),
    }
}

fn call<T>(
    name: &str,
    parts: &[T],
    part: fn(&T, &mut Chance) -> String,
    chance: &mut Chance,
) -> String {
    let parts: Vec<String> = parts.iter().map(|inner| part(inner, chance)).collect();
    let (before, after) = (space(chance), space(chance));
    format!("{name}{before}({})", parts.join(&format!(",{after}")))
}

fn space(chance: &mut Chance) -> &'static str {
    chance.pick::<&str>(&["", "", " ", "\n  ", "\t"])
}

/// Where the mode stands among those with a number, which is another spelling of it.
fn mode_number(mode: &str) -> Option<usize> {
    super::MODES.iter().position(|word| *word == mode)
}

/// The user's lists of others by their names. Those in which nobody is are left out at times.
fn lists<'u>(user: &'u User, chance: &mut Chance) -> Vec<(&'static str, &'u Vec<String>)> {
    let mut lists = vec![
        ("contacts", &user.contacts),
        ("favorites", &user.favorites),
        ("paired", &user.paired),
        ("blocked", &user.blocked),
        ("friends", &user.friends),
    ];
    lists.retain(|(_, list)| !list.is_empty() || chance.percent(20));
    lists
}

/// The lists of a group's members, likewise.
fn member_lists<'g>(group: &'g Group, chance: &mut Chance) -> Vec<(&'static str, &'g Vec<String>)> {
    let mut lists = vec![("admins", &group.admins), ("members", &group.members)];
    lists.retain(|(_, list)| !list.is_empty() || chance.percent(20));
    lists.extend(group.super_admins.iter().map(|list| ("super_admins", list)));
    let named = [("muted", &group.muted), ("banned", &group.banned)];
    lists.extend(named.into_iter().filter(|(_, list)| !list.is_empty()));
    lists
}
