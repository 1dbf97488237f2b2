//! The sections of a policy that refuse something, as files and presets have them.

use super::presets::Preset;
use crate::{
    request::{Section, SectionSet, Settings},
    syntax::ast::{Item, SettingsSection, WordSection},
};

/// The section that a statement belongs to, if it is one that refuses something.
pub(super) fn item_section(item: &Item<'_>) -> Option<Section> {
    Some(match item {
        Item::Rules(_) | Item::Rule(_) => Section::Rules,
        Item::RuleSet(_) => Section::RuleSets,
        Item::Barrier(_) => Section::Barriers,
        Item::Accepts(_) => Section::Accepts,
        Item::Word(word) => match word.section {
            WordSection::UnknownUsers => Section::UnknownUsers,
            WordSection::Preset => return None,
        },
        Item::Settings(settings) => match settings.section {
            SettingsSection::Moderation => Section::Moderation,
            SettingsSection::Permissions => Section::Permissions,
            SettingsSection::Blocks => Section::Blocks,
            SettingsSection::Friendship | SettingsSection::Limits => return None,
        },
        Item::Peers(_) => Section::Peers,
        Item::ProtectedTags(_) => Section::ProtectedTags,
        Item::Matrix(_) => Section::Matrices,
        // Of users and groups, it matters whether they are there.
        Item::Tags(_)
        | Item::Audience(_)
        | Item::Action(_)
        | Item::Window(_)
        | Item::User(_)
        | Item::Group(_)
        | Item::Conversation(_)
        | Item::Invariant(_)
        | Item::Lints(_) => return None,
    })
}

/// The sections that a preset sets.
pub(super) fn preset_sections(preset: Preset) -> SectionSet {
    let mut sections = preset.settings().differing_sections(&Settings::default());
    if preset.has_rules() {
        sections.insert(Section::Rules);
    }
    sections
}
