//! The `rule_sets` section.

use super::{ASKED, TEXT, rules};
use crate::{
    source::Span,
    syntax::{
        ast::{Item, RuleSet},
        yaml::{
            cursor::{YamlCursor, YamlError},
            values::{ExpectedValue, MappingFields},
        },
    },
};

const RULE_SETS: ExpectedValue =
    ExpectedValue("a mapping of rule sets", "write `name: { rules: [...] }` for each rule set");
const RULE_SET: ExpectedValue =
    ExpectedValue("a rule set", "write `{ actions: [...], rules: [...] }`");

const FIELDS: &[&str] = &["asked", "actions", "rules", "description"];

pub(super) fn read<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    _: Span,
    items: &mut Vec<Item<'s>>,
) -> Result<(), YamlError> {
    if cursor.mapping(RULE_SETS)?.value().is_none() {
        return Ok(());
    }
    let mut names = MappingFields::new("rule set");
    while let Some(name) = names.next(cursor)? {
        let (asked, actions, description) = (None, None, None);
        let mut set =
            RuleSet { name, asked, actions, rules: Vec::new(), description, is_whole: true };
        let errors = cursor.problems.errors();
        let done = fields(cursor, &mut set);
        set.is_whole = cursor.problems.errors() == errors;
        // Even with mistakes in it there is a set of this name.
        items.push(Item::RuleSet(Box::new(set)));
        done?;
    }
    Ok(())
}

fn fields<'s>(cursor: &mut YamlCursor<'s, '_>, set: &mut RuleSet<'s>) -> Result<(), YamlError> {
    if cursor.mapping(RULE_SET)?.value().is_none() {
        return Ok(());
    }
    let mut fields = MappingFields::new("field");
    while let Some(key) = fields.next(cursor)? {
        match &*key.value {
            "asked" => set.asked = cursor.string(ASKED)?.value(),
            "actions" => set.actions = cursor.actions()?.value(),
            "rules" => rules::rules(cursor, &mut |rule| set.rules.push(rule))?,
            "description" => set.description = cursor.string(TEXT)?.value(),
            _ => cursor.unknown_field(&key, "a rule set", FIELDS)?,
        }
    }
    Ok(())
}
