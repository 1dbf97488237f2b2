//! Worlds written as NDJSON and CSV.

use std::{collections::BTreeSet, fmt::Write as _};

use serde_json::json;

use super::{condition, mode_number, values};
use crate::{
    oracle::{Toggle, User, World},
    worlds::{Chance, SWITCHES},
};

pub(super) fn ndjson(part: &World, chance: &mut Chance) -> String {
    let mut text = String::new();
    for (id, user) in &part.users {
        let mut record = json!({ "id": id });
        let fields = values::user(user, chance);
        record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        writeln!(text, "{record}").unwrap();
    }
    text
}

/// Whether a table can tell all of it: blanks separate what stands in a list.
pub(super) fn fits_a_table(user: &User) -> bool {
    if !user.ends.0.is_empty() {
        return false;
    }
    let mut ids = [&user.contacts, &user.favorites, &user.paired, &user.blocked, &user.friends]
        .into_iter()
        .flatten();
    ids.all(|id| !id.contains(char::is_whitespace))
}

/// A table in which columns that nobody fills are left out at times.
pub(super) fn csv(part: &World, chance: &mut Chance) -> String {
    let mut columns: Vec<String> = [
        "peers",
        "moderation",
        "approval",
        "contacts",
        "favorites",
        "paired",
        "blocked",
        "friends",
    ]
    .map(String::from)
    .into();
    let own = part.users.values().flat_map(|user| user.permissions.keys().copied());
    let switches: BTreeSet<&str> = SWITCHES.into_iter().chain(own).collect();
    columns.extend(switches.iter().map(|name| format!("permissions.{name}")));
    let accepts: BTreeSet<&str> =
        part.users.values().flat_map(|user| user.accepts.keys().copied()).collect();
    columns.extend(accepts.iter().map(|name| format!("accepts.{name}")));
    columns.retain(|column| {
        chance.percent(30) || part.users.values().any(|user| is_filled(user, column))
    });
    columns.extend(["id".into(), "tags".into()]);
    chance.shuffle(&mut columns);

    let mut text = format!("{}\n", columns.join(","));
    for (id, user) in &part.users {
        let cells = columns.iter().map(|column| {
            let cell = if column == "id" { id.clone() } else { cell(user, column, chance) };
            if cell.contains([',', '"', '\n']) || column == "id" {
                format!("\"{}\"", cell.replace('"', "\"\""))
            } else {
                cell
            }
        });
        writeln!(text, "{}", cells.collect::<Vec<_>>().join(",")).unwrap();
    }
    text
}

fn is_filled(user: &User, column: &str) -> bool {
    !cell(user, column, &mut Chance(0)).is_empty()
}

fn cell(user: &User, column: &str, chance: &mut Chance) -> String {
    match column {
        "tags" => user.tags.as_deref().unwrap_or_default().join(" "),
        "peers" => match user.peers {
            Some(mode) if chance.percent(50) => {
                mode_number(mode).map_or_else(|| mode.to_owned(), |number| number.to_string())
            }
            mode => mode.unwrap_or_default().to_owned(),
        },
        "moderation" => user.moderation.unwrap_or_default().to_owned(),
        "approval" => user.approval.unwrap_or_default().to_owned(),
        "contacts" => user.contacts.join(" "),
        "favorites" => user.favorites.join(" "),
        "paired" => user.paired.join(" "),
        "blocked" => user.blocked.join(" "),
        "friends" => user.friends.join(" "),
        accepts if accepts.starts_with("accepts.") => {
            let action = accepts.strip_prefix("accepts.").unwrap();
            user.accepts.get(action).copied().unwrap_or_default().to_owned()
        }
        switch => {
            let switch = switch.strip_prefix("permissions.").unwrap();
            match user.permissions.get(switch) {
                None => String::new(),
                Some(Toggle::Always(on)) => on.to_string(),
                // A record is a line.
                Some(Toggle::When(when)) => condition(when, chance).replace('\n', " "),
            }
        }
    }
}
