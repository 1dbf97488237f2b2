//! Barriers: their sides, actions and exceptions resolved and checked.

use std::collections::HashMap;

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    request::Barrier,
    source::Span,
    syntax::ast,
};

use super::{
    actions::concerned_actions,
    descriptions,
    expression::resolve_expression,
    relation_expression::{RelationNames, RelationPart},
    suggestions::unknown_word,
};

/// The valid barriers, in the order of their names.
pub(super) fn resolve(
    written: &[ast::Barrier<'_>],
    names: &RelationNames<'_>,
    problems: &mut Diagnostics,
) -> Vec<Barrier<String>> {
    let mut places: HashMap<&str, Span> = HashMap::new();
    let mut barriers = Vec::new();
    for written in written {
        let name = descriptions::check_name("a barrier's name", &written.name, problems);
        let description = written.description.as_ref().and_then(|text| {
            descriptions::check_description("a barrier's description", text, problems)
        });
        let from = resolve_expression(&written.from, names.vocabulary, problems);
        let to = resolve_expression(&written.to, names.vocabulary, problems);
        let actions = concerned_actions(written.actions.as_ref(), names.actions, problems);
        let unless = written
            .unless
            .as_ref()
            .map(|unless| names.resolve(unless, RelationPart::Between("unless"), problems));
        let in_groups = written.groups.as_ref().map_or(Some(true), |text| flag(text, problems));
        if let Some(&first) = places.get(&*written.name.value) {
            let message =
                format!("two barriers have the name `{}`", written.name.value.escape_debug());
            problems.push(
                Diagnostic::error(Code::DuplicateBarrier, written.name.span, message)
                    .related(first, "first defined here")
                    .hint("rename one of the two"),
            );
            continue;
        }
        places.insert(&written.name.value, written.name.span);
        let is_unless_right = unless.as_ref().is_none_or(Option::is_some);
        if let (Some(name), Some(from), Some(to), Some(actions), Some(in_groups), true) =
            (name, from, to, actions, in_groups, is_unless_right)
        {
            let is_both_ways = written.direction == ast::BarrierDirection::BothWays;
            let unless = unless.flatten();
            barriers.push(Barrier {
                name,
                description,
                from,
                to,
                is_both_ways,
                actions,
                unless,
                in_groups,
            });
        }
    }
    barriers.sort_by(|one, other| one.name.cmp(&other.name));
    barriers
}

/// `true` or `false`.
pub(super) fn flag(text: &ast::Text<'_>, problems: &mut Diagnostics) -> Option<bool> {
    let value = match &*text.value {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    };
    if value.is_none() {
        let word = text.value.escape_debug().to_string();
        problems.push(unknown_word("value", &word, text.span, ["true", "false"].into_iter()));
    }
    value
}
