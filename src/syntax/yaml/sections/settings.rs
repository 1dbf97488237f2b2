//! The sections of settings, and those of a single word.

use super::{CONDITION, SWITCH};
use crate::{
    source::Span,
    syntax::{
        ast::{Item, Settings, SettingsSection, Word, WordSection},
        yaml::{
            cursor::{YamlCursor, YamlError},
            values::{ExpectedValue, FieldValue},
        },
    },
};

const PRESET: ExpectedValue = ExpectedValue("the name of a preset", "write `preset: flip`");
const UNKNOWN_USERS: ExpectedValue =
    ExpectedValue("`deny` or `allow_defaults`", "write `unknown_users: deny`");
const MODERATION: ExpectedValue =
    ExpectedValue("a mapping of moderation settings", "write `{ managers: hasTag(...) }`");
const PERMISSIONS: ExpectedValue =
    ExpectedValue("a mapping of permissions", "write `{ video_call: hasTag(...) }`");
const BLOCKS: ExpectedValue =
    ExpectedValue("a mapping of actions", "write `{ send_message: one_way }` for each action");
const BLOCK: ExpectedValue =
    ExpectedValue("`off`, `one_way` or `two_way`", "write `off`, `one_way` or `two_way`");
const FRIENDSHIP: ExpectedValue =
    ExpectedValue("a mapping of friendship settings", "write `{ default_approval: need_confirm }`");
const APPROVAL: ExpectedValue =
    ExpectedValue("a word", "write `allow_any`, `need_confirm` or `deny_any`");
const LIMITS: ExpectedValue = ExpectedValue("a mapping of limits", "write `{ friends: 3000 }`");
const LIMIT: ExpectedValue = ExpectedValue("a number", "write `3000`");

/// A section that is a single word.
pub(super) fn word<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    span: Span,
    items: &mut Vec<Item<'s>>,
    section: WordSection,
) -> Result<(), YamlError> {
    let expected = match section {
        WordSection::Preset => PRESET,
        WordSection::UnknownUsers => UNKNOWN_USERS,
    };
    match cursor.string(expected)? {
        FieldValue::Value(value) => items.push(Item::Word(Box::new(Word { section, span, value }))),
        FieldValue::Invalid => {}
        FieldValue::Absent => cursor.no_value("section", section.as_str(), span, expected),
    }
    Ok(())
}

/// A section of keys and values.
pub(super) fn read<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    span: Span,
    items: &mut Vec<Item<'s>>,
    section: SettingsSection,
) -> Result<(), YamlError> {
    let (whole, value) = match section {
        SettingsSection::Moderation => (MODERATION, CONDITION),
        SettingsSection::Permissions => (PERMISSIONS, SWITCH),
        SettingsSection::Blocks => (BLOCKS, BLOCK),
        SettingsSection::Friendship => (FRIENDSHIP, APPROVAL),
        SettingsSection::Limits => (LIMITS, LIMIT),
    };
    if cursor.mapping(whole)?.value().is_none() {
        return Ok(());
    }
    let mut entries = Vec::new();
    let done = cursor.settings("setting", value, &mut entries);
    items.push(Item::Settings(Box::new(Settings { section, span, entries })));
    done
}
