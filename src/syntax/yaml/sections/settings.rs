use super::{CONDITION, SWITCH};
use crate::{
    source::Span,
    syntax::{
        ast::{Item, Settings, SettingsSection, Word, WordSection},
        yaml::{
            cursor::{Cursor, Stop},
            read::{Expected, Given},
        },
    },
};

const PRESET: Expected = Expected("the name of a preset", "write `preset: flip`");
const UNKNOWN_USERS: Expected =
    Expected("`deny` or `allow_defaults`", "write `unknown_users: deny`");
const MODERATION: Expected =
    Expected("a mapping of moderation settings", "write `{ managers: hasTag(...) }`");
const PERMISSIONS: Expected =
    Expected("a mapping of permissions", "write `{ video_call: hasTag(...) }`");
const BLOCKS: Expected =
    Expected("a mapping of actions", "write `{ send_message: one_way }` for each action");
const BLOCK: Expected =
    Expected("`off`, `one_way` or `two_way`", "write `off`, `one_way` or `two_way`");
const FRIENDSHIP: Expected =
    Expected("a mapping of friendship settings", "write `{ default_approval: need_confirm }`");
const APPROVAL: Expected = Expected("a word", "write `allow_any`, `need_confirm` or `deny_any`");
const LIMITS: Expected = Expected("a mapping of limits", "write `{ friends: 3000 }`");
const LIMIT: Expected = Expected("a number", "write `3000`");

/// A section that is a single word.
pub(super) fn word<'s>(
    cursor: &mut Cursor<'s, '_>,
    span: Span,
    items: &mut Vec<Item<'s>>,
    section: WordSection,
) -> Result<(), Stop> {
    let (name, expected) = match section {
        WordSection::Preset => ("preset", PRESET),
        WordSection::UnknownUsers => ("unknown_users", UNKNOWN_USERS),
    };
    match cursor.string(expected)? {
        Given::Value(value) => items.push(Item::Word(Box::new(Word { section, span, value }))),
        Given::Refused => {}
        Given::Nothing => cursor.no_value("section", name, span, expected),
    }
    Ok(())
}

/// A section of keys and values.
pub(super) fn read<'s>(
    cursor: &mut Cursor<'s, '_>,
    span: Span,
    items: &mut Vec<Item<'s>>,
    section: SettingsSection,
) -> Result<(), Stop> {
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
