//! The sections of a policy: a file for each kind.

mod conversations;
mod groups;
mod invariants;
mod matrices;
mod peers;
mod records;
mod rules;
mod settings;
mod users;

use std::fmt;

use super::{
    cursor::{Cursor, Stop},
    explain,
    read::Expected,
};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
    syntax::{
        ast::{Item, SettingsSection, Text, WordSection},
        idioms,
        known::{self, quoted},
    },
};

/// A section of a policy, and how its value is read.
pub(super) struct Section {
    pub name: &'static str,
    pub read: Reader,
}

/// Reads the value of a section whose key is at the span. After a syntax error it is called again
/// with the rest of the section; so what could be read before the error is handed on too.
type Reader = for<'s> fn(&mut Cursor<'s, '_>, Span, &mut Vec<Item<'s>>) -> Result<(), Stop>;

/// All sections.
pub(super) const SECTIONS: &[Section] = &[
    Section { name: "tags", read: tags },
    Section { name: "protected_tags", read: protected_tags },
    Section { name: "rules", read: rules::read },
    Section {
        name: "preset",
        read: |cursor, key, items| settings::word(cursor, key, items, WordSection::Preset),
    },
    Section {
        name: "unknown_users",
        read: |cursor, key, items| settings::word(cursor, key, items, WordSection::UnknownUsers),
    },
    Section {
        name: "moderation",
        read: |cursor, key, items| settings::read(cursor, key, items, SettingsSection::Moderation),
    },
    Section {
        name: "permissions",
        read: |cursor, key, items| settings::read(cursor, key, items, SettingsSection::Permissions),
    },
    Section {
        name: "blocks",
        read: |cursor, key, items| settings::read(cursor, key, items, SettingsSection::Blocks),
    },
    Section { name: "peers", read: peers::read },
    Section {
        name: "friendship",
        read: |cursor, key, items| settings::read(cursor, key, items, SettingsSection::Friendship),
    },
    Section {
        name: "limits",
        read: |cursor, key, items| settings::read(cursor, key, items, SettingsSection::Limits),
    },
    Section { name: "matrices", read: matrices::read },
    Section { name: "users", read: users::read },
    Section { name: "groups", read: groups::read },
    Section { name: "conversations", read: conversations::read },
    Section { name: "invariants", read: invariants::read },
    Section { name: "lints", read: invariants::lints },
];

/// Reports a section that there is not.
pub(super) fn unknown(cursor: &mut Cursor<'_, '_>, key: &Text<'_>) {
    if rules::FIELDS.contains(&&*key.value) {
        // Told with the rule that lacks it.
        if !rules::is_told(cursor, key.span) {
            let message = format!("{} is a field of a rule, and no section", quoted(&key.value));
            let problem = Diagnostic::error(Code::UnknownSection, key.span, message);
            cursor.problems.push(problem.hint(rules::INDENT));
        }
        return;
    }
    if idioms::foreign_comment(&key.value) {
        cursor.problems.push(explain::foreign_comment(key.span));
        return;
    }
    let names: Vec<&str> = SECTIONS.iter().map(|section| section.name).collect();
    let problem = known::unknown(Code::UnknownSection, "unknown section", key, &names);
    cursor.problems.push(match idioms::section(&key.value) {
        Some(hint) => problem.hint(hint),
        None => problem,
    });
}

const CONDITION: Expected = Expected("a condition as text", "write `hasTag(...)`");
const SWITCH: Expected =
    Expected("`true`, `false` or a condition as text", "write `true`, `false` or `hasTag(...)`");
const TEXT: Expected = Expected("a text", "put it in quotes if it is meant as a text");
const PEERS: Expected =
    Expected("a peers mode", "write `all`, `paired`, `contacts` or `favorites`, or its number");

impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

fn tags<'s>(cursor: &mut Cursor<'s, '_>, _: Span, items: &mut Vec<Item<'s>>) -> Result<(), Stop> {
    items.extend(cursor.tags()?.value().map(Item::Tags));
    Ok(())
}

fn protected_tags<'s>(
    cursor: &mut Cursor<'s, '_>,
    _: Span,
    items: &mut Vec<Item<'s>>,
) -> Result<(), Stop> {
    items.extend(cursor.tags()?.value().map(Item::ProtectedTags));
    Ok(())
}
