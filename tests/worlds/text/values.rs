//! Sections as JSON values, which YAML and records in bulk are made from. What stands first in an
//! object is left to chance.

use serde_json::{Map, Value as Json, json};

use super::{between, condition, lists, member_lists, mode_number, times, value};
use crate::{
    oracle::{Fields, Group, Matrix, Outcome, Rule, Settings, Toggle, User, World},
    worlds::Chance,
};

pub(super) type Entries = Vec<(String, Json)>;

pub(super) fn sections(part: &World, chance: &mut Chance) -> Map<String, Json> {
    let mut sections = settings(&part.settings, chance);
    if let Some(tags) = &part.declared {
        sections.push(("tags".into(), json!(tags)));
    }
    if let Some(rules) = &part.rules {
        let rules: Vec<Json> = rules.iter().map(|it| rule(it, chance)).collect();
        sections.push(("rules".into(), json!(rules)));
    }
    if !part.conversations.is_empty() {
        sections.push(("conversations".into(), json!(part.conversations)));
    }
    let matrices = part.matrices.iter().map(|(id, it)| (id.clone(), matrix(it, chance))).collect();
    let users = part.users.iter().map(|(id, it)| (id.clone(), user(it, chance))).collect();
    let groups = part.groups.iter().map(|(id, it)| (id.clone(), group(it, chance))).collect();
    for (name, entries) in [("matrices", matrices), ("users", users), ("groups", groups)] {
        section(&mut sections, name, entries, chance);
    }
    between::sections(&part.between, &mut sections, chance);
    let windows = part.windows.iter().map(|(name, it)| ((*name).to_owned(), times::window(it)));
    let windows = windows.collect();
    section(&mut sections, "windows", windows, chance);
    mixed(sections, chance)
}

fn settings(settings: &Settings, chance: &mut Chance) -> Entries {
    let mut sections = Entries::new();
    let word = |name: &str, word: &str| (name.to_owned(), json!(word));
    sections.extend(settings.preset.map(|name| word("preset", name)));
    sections.extend(settings.unknown_users.map(|name| word("unknown_users", name)));
    let managers = settings.managers.iter().map(|it| condition(it, chance));
    let managers = managers.map(|text| word("managers", &text)).collect();
    section(&mut sections, "moderation", managers, chance);
    let permissions =
        settings.permissions.iter().map(|(name, it)| ((*name).to_owned(), toggle(it, chance)));
    let permissions = permissions.collect();
    section(&mut sections, "permissions", permissions, chance);
    let blocks = settings.blocks.iter().map(|(name, mode)| word(name, mode)).collect();
    section(&mut sections, "blocks", blocks, chance);

    let mut peers: Entries =
        settings.peers.iter().map(|it| ("default".to_owned(), mode(it, chance))).collect();
    if !settings.modes.is_empty() {
        let modes = settings.modes.iter().map(|(when, it)| {
            let entries =
                vec![word("when", &condition(when, chance)), ("mode".into(), mode(it, chance))];
            json!(mixed(entries, chance))
        });
        peers.push(("modes".into(), Json::Array(modes.collect())));
    }
    section(&mut sections, "peers", peers, chance);
    let approval =
        settings.default_approval.iter().map(|it| word("default_approval", it)).collect();
    section(&mut sections, "friendship", approval, chance);
    let limits = settings.limits.iter().map(|(name, it)| ((*name).to_owned(), json!(it))).collect();
    section(&mut sections, "limits", limits, chance);
    sections
}

/// The section, if it has something to say.
pub(super) fn section(sections: &mut Entries, name: &str, entries: Entries, chance: &mut Chance) {
    if !entries.is_empty() {
        sections.push((name.to_owned(), json!(mixed(entries, chance))));
    }
}

pub(super) fn mixed(mut entries: Entries, chance: &mut Chance) -> Map<String, Json> {
    chance.shuffle(&mut entries);
    entries.into_iter().collect()
}

pub(super) fn rule(rule: &Rule, chance: &mut Chance) -> Json {
    let mut fields = vec![("condition".to_owned(), json!(condition(&rule.condition, chance)))];
    match &rule.outcome {
        Outcome::Tags(tags) => fields.push(("outcome".into(), json!(tags))),
        Outcome::Condition(it) => fields.push(("outcome".into(), json!(condition(it, chance)))),
        Outcome::LeftOut => {}
    }
    fields.extend(rule.between.iter().map(|it| ("between".to_owned(), json!(it.to_string()))));
    let id = rule.id.map(|id| id.to_string());
    for (key, text) in [("rule_id", &id), ("name", &rule.name), ("description", &rule.description)]
    {
        fields.extend(text.iter().map(|text| (key.to_owned(), json!(text))));
    }
    json!(mixed(fields, chance))
}

fn toggle(toggle: &Toggle, chance: &mut Chance) -> Json {
    match toggle {
        Toggle::Always(on) => json!(on),
        Toggle::When(when) => json!(condition(when, chance)),
    }
}

fn mode(mode: &str, chance: &mut Chance) -> Json {
    match mode_number(mode) {
        Some(number) if chance.percent(50) => json!(number),
        _ => json!(mode),
    }
}

fn matrix(matrix: &Matrix, chance: &mut Chance) -> Json {
    let mut entries: Entries = Vec::new();
    for (name, it) in &matrix.permissions {
        entries.push(((*name).to_owned(), json!(value(it, chance))));
    }
    let metadata = match &matrix.update_metadata {
        None => None,
        Some(Fields::One(it)) => Some(json!(value(it, chance))),
        Some(Fields::Named(fields)) => {
            let fields = fields.iter().map(|(name, it)| (name.clone(), json!(value(it, chance))));
            let fields = fields.collect();
            Some(json!(mixed(fields, chance)))
        }
    };
    entries.extend(metadata.map(|it| ("update_metadata".to_owned(), it)));
    json!(mixed(entries, chance))
}

/// The fields of a user's record.
pub(super) fn user(user: &User, chance: &mut Chance) -> Json {
    let mut fields = Entries::new();
    let tags = user.tags.iter().map(|tags| times::elements("tags", tags, &user.ends, chance));
    fields.extend(tags.map(|tags| ("tags".to_owned(), tags)));
    fields.extend(user.peers.iter().map(|it| ("peers".to_owned(), mode(it, chance))));
    let permissions: Entries = user
        .permissions
        .iter()
        .map(|(name, it)| ((*name).to_owned(), toggle(it, chance)))
        .collect();
    section(&mut fields, "permissions", permissions, chance);
    let accepts = user.accepts.iter().map(|(name, it)| ((*name).to_owned(), json!(it))).collect();
    section(&mut fields, "accepts", accepts, chance);
    let moderation = user.moderation.map(|word| times::moderation(word, &user.ends, chance));
    fields.extend(moderation.map(|it| ("moderation".to_owned(), it)));
    fields.extend(user.approval.map(|word| ("approval".to_owned(), json!(word))));
    for (name, list) in lists(user, chance) {
        fields.push((name.to_owned(), times::elements(name, list, &user.ends, chance)));
    }
    json!(mixed(fields, chance))
}

fn group(group: &Group, chance: &mut Chance) -> Json {
    let mut fields = Entries::new();
    for (name, text) in [("matrix", &group.matrix), ("creator", &group.creator)] {
        fields.extend(text.iter().map(|text| (name.to_owned(), json!(text))));
    }
    for (name, list) in member_lists(group, chance) {
        fields.push((name.to_owned(), times::elements(name, list, &group.ends, chance)));
    }
    let requires = group.requires.iter();
    fields.extend(requires.map(|it| ("requires".to_owned(), json!(condition(it, chance)))));
    json!(mixed(fields, chance))
}
