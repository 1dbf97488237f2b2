//! The sections of a policy: a file for each kind.

mod audiences;
mod barriers;
mod conversations;
mod groups;
mod invariants;
mod matrices;
mod peers;
mod rule_sets;
mod rules;
mod settings;
mod unique_entries;
mod users;
mod windows;

use std::fmt;

use super::{
    cursor::{YamlCursor, YamlError},
    syntax_errors,
    values::ExpectedValue,
};
use crate::{
    diagnostic::{Code, Diagnostic, did_you_mean},
    source::Span,
    syntax::{
        ast::{Item, SettingsSection, Text, WordSection},
        idioms,
        keys::{self, quoted},
    },
};

/// A section of a policy, and how its value is read.
pub(super) struct YamlSection {
    pub name: &'static str,
    pub read: Reader,
}

/// Reads the value of a section whose key is at the span. After a syntax error it is called again
/// with the rest of the section; so what could be read before the error is handed on too.
type Reader =
    for<'s> fn(&mut YamlCursor<'s, '_>, Span, &mut Vec<Item<'s>>) -> Result<(), YamlError>;

/// All sections.
pub(super) const SECTIONS: &[YamlSection] = &[
    YamlSection { name: "tags", read: tags },
    YamlSection { name: "protected_tags", read: protected_tags },
    YamlSection { name: "rules", read: rules::read },
    YamlSection {
        name: WordSection::Preset.as_str(),
        read: |cursor, key, items| settings::word(cursor, key, items, WordSection::Preset),
    },
    YamlSection {
        name: WordSection::UnknownUsers.as_str(),
        read: |cursor, key, items| settings::word(cursor, key, items, WordSection::UnknownUsers),
    },
    YamlSection {
        name: SettingsSection::Moderation.as_str(),
        read: |cursor, key, items| settings::read(cursor, key, items, SettingsSection::Moderation),
    },
    YamlSection {
        name: SettingsSection::Permissions.as_str(),
        read: |cursor, key, items| settings::read(cursor, key, items, SettingsSection::Permissions),
    },
    YamlSection {
        name: SettingsSection::Blocks.as_str(),
        read: |cursor, key, items| settings::read(cursor, key, items, SettingsSection::Blocks),
    },
    YamlSection { name: "peers", read: peers::read },
    YamlSection {
        name: SettingsSection::Friendship.as_str(),
        read: |cursor, key, items| settings::read(cursor, key, items, SettingsSection::Friendship),
    },
    YamlSection {
        name: SettingsSection::Limits.as_str(),
        read: |cursor, key, items| settings::read(cursor, key, items, SettingsSection::Limits),
    },
    YamlSection { name: "matrices", read: matrices::read },
    YamlSection { name: "users", read: users::read },
    YamlSection { name: "groups", read: groups::read },
    YamlSection { name: "conversations", read: conversations::read },
    YamlSection { name: "invariants", read: invariants::read },
    YamlSection { name: "lints", read: invariants::lints },
    YamlSection { name: "rule_sets", read: rule_sets::read },
    YamlSection { name: "barriers", read: barriers::read },
    YamlSection { name: "audiences", read: audiences::audiences },
    YamlSection { name: "accepts", read: audiences::accepts },
    YamlSection { name: "actions", read: audiences::actions },
    YamlSection { name: "windows", read: windows::read },
];

/// Reports a section that there is not.
pub(super) fn unknown(cursor: &mut YamlCursor<'_, '_>, key: &Text<'_>) {
    if cursor.has_rules && rules::FIELDS.contains(&&*key.value) {
        // Told with the rule that lacks it.
        if !rules::is_reported(cursor, key.span) {
            let message = format!("{} is a field of a rule, not a section", quoted(&key.value));
            let problem = Diagnostic::error(Code::UnknownSection, key.span, message);
            cursor.problems.push(problem.hint(rules::INDENT));
        }
        return;
    }
    if idioms::foreign_comment(&key.value) {
        cursor.problems.push(syntax_errors::foreign_comment(key.span));
        return;
    }
    let names: Vec<&str> = SECTIONS.iter().map(|section| section.name).collect();
    let problem = keys::unknown_name(Code::UnknownSection, "unknown section", key, &names);
    let is_near = did_you_mean(&key.value, names.iter().copied()).is_some();
    cursor.problems.push(match (idioms::section_hint(&key.value), &problem.hint) {
        (Some(hint), _) => problem.hint(hint),
        (None, Some(hint)) if !is_near && !cursor.has_section => {
            let hint = format!("{hint}; {NOT_A_POLICY}");
            problem.hint(hint)
        }
        (None, _) => problem,
    });
}

/// Advice for a file that has no section of a policy so far.
const NOT_A_POLICY: &str =
    "if the file is not a policy, exclude it with `--ignore` or in `.peerageignore`";

const CONDITION: ExpectedValue = ExpectedValue("a condition as text", "write `hasTag(...)`");
const SWITCH: ExpectedValue = ExpectedValue(
    "`true`, `false` or a condition as text",
    "write `true`, `false` or `hasTag(...)`",
);
const TEXT: ExpectedValue = ExpectedValue("a text", "put a text in quotes");
const PEERS: ExpectedValue = ExpectedValue(
    "a peers mode",
    "write `all`, `paired`, `contacts` or `favorites`, or its number",
);
const ASKED: ExpectedValue = ExpectedValue("`always` or `new`", "write `always` or `new`");
const AUDIENCE: ExpectedValue = ExpectedValue(
    "the name of an audience",
    "write `everyone`, `contacts`, `nobody` or the name of another",
);

impl fmt::Debug for YamlSection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

fn tags<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    _: Span,
    items: &mut Vec<Item<'s>>,
) -> Result<(), YamlError> {
    items.extend(cursor.tags()?.value().map(Item::Tags));
    Ok(())
}

fn protected_tags<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    _: Span,
    items: &mut Vec<Item<'s>>,
) -> Result<(), YamlError> {
    items.extend(cursor.tags()?.value().map(Item::ProtectedTags));
    Ok(())
}
