//! Lints about unused tags and matrices.

use std::collections::HashSet;

use crate::{
    diagnostic::{Code, Diagnostic},
    request::{MetadataGrants, RelationCondition},
    snapshot::{GroupRestrictions, TagId, UserSet, View},
    syntax::ast::{self, Expr, ExprKind, Item},
};

use super::Linter;

pub(super) fn lint(linter: &mut Linter<'_, '_>) {
    check_tags(linter);
    check_matrices(linter);
}

/// Reports windows that no condition names. Records of the API may name them too, but what only they name is as good
/// as unused to authors.
pub(super) fn check_windows(linter: &mut Linter<'_, '_>) {
    let view = linter.view;
    if view.windows.is_empty() {
        return;
    }
    let mut named = view.named_windows();
    for item in linter.items {
        if let Item::Invariant(invariant) = item {
            each_word(&invariant.from, &mut |word| {
                named.insert(word.into());
            });
            each_word(&invariant.to, &mut |word| {
                named.insert(word.into());
            });
        }
    }
    for item in linter.items {
        let Item::Window(window) = item else { continue };
        let name = &window.name;
        if !named.contains(&*name.value) {
            let message = format!("no condition names the window `{}`", name.value);
            let problem = Diagnostic::warning(Code::UnusedWindow, name.span, message)
                .label("defined but not used")
                .hint(format!("write `during({})` in a condition, or remove it", name.value));
            linter.warn(name.span, problem);
        }
    }
}

fn check_tags(linter: &mut Linter<'_, '_>) {
    let named = referenced_tags(linter.view, linter.items);
    let view = linter.view;
    for item in linter.items {
        let Item::Tags(declared) = item else { continue };
        for tag in &declared.value {
            let Some(number) = view.tags.get(&tag.value) else { continue };
            let members = view.population.members(number);
            if !named.contains(&number) && members.is_none_or(UserSet::is_empty) {
                let message = format!("the tag `{}` is declared but not used", tag.value);
                let problem = Diagnostic::warning(Code::UnusedTag, tag.span, message)
                    .label("no user has it, and no statement names it");
                linter.warn(tag.span, problem);
            }
        }
    }
}

/// The tags that are named elsewhere than in their declaration and in users' tags.
fn referenced_tags(view: &View, items: &[Item<'_>]) -> HashSet<TagId> {
    let mut named = HashSet::new();
    let mut add = |tag: &TagId| {
        named.insert(*tag);
    };
    for rule in view.rule_books().flat_map(|book| book.rules.iter()) {
        rule.condition.for_each_tag(&mut add);
        rule.outcome.for_each_tag(&mut add);
    }
    view.settings.for_each_tag(&mut add);
    let mut patterns = Vec::new();
    for_each_relation(view, &mut |relation| {
        relation.for_each_atom(&mut |atom| {
            if let RelationCondition::SharesTag(pattern) = atom {
                patterns.push(pattern);
            }
        });
    });
    for (tag, name) in view.tags.iter() {
        if patterns.iter().any(|pattern| pattern.matches(name)) {
            add(&tag);
        }
    }
    for (_, _, condition) in view.population.switch_conditions() {
        condition.for_each_tag(&mut add);
    }
    for condition in view.population.own_switches.conditions() {
        condition.for_each_tag(&mut add);
    }
    for (_, group) in view.groups.iter() {
        if let Some(requirement) = group.restrictions.and_then(GroupRestrictions::requires) {
            requirement.condition.for_each_tag(&mut add);
        }
    }
    for matrix in &*view.matrices {
        matrix.permissions.values().for_each(|value| value.for_each_tag(&mut add));
        matrix.declared.iter().for_each(|(_, value)| value.for_each_tag(&mut add));
        if let Some(MetadataGrants { named, rest }) = &matrix.metadata {
            named.iter().for_each(|(_, value)| value.for_each_tag(&mut add));
            rest.for_each_tag(&mut add);
        }
    }
    for item in items {
        if let Item::Invariant(invariant) = item {
            each_word(&invariant.from, &mut |word| named.extend(view.tags.get(word)));
            each_word(&invariant.to, &mut |word| named.extend(view.tags.get(word)));
        }
    }
    named
}

/// Calls `visit` with each relation condition of the policy.
pub(super) fn for_each_relation<'v>(
    view: &'v View,
    visit: &mut impl FnMut(&'v RelationCondition<TagId>),
) {
    let rules = view.rule_books().flat_map(|book| book.rules.iter());
    rules.filter_map(|rule| rule.between.as_ref()).for_each(&mut *visit);
    let settings = &view.settings;
    settings.barriers.iter().filter_map(|it| it.unless.as_ref()).for_each(&mut *visit);
    settings.audiences.own().iter().for_each(|audience| visit(&audience.condition));
}

pub(super) fn each_word(expr: &Expr<'_>, visit: &mut impl FnMut(&str)) {
    match &expr.kind {
        ExprKind::Word(word) => visit(word),
        ExprKind::Call { arguments, .. } => {
            arguments.iter().for_each(|argument| each_word(argument, visit));
        }
    }
}

fn check_matrices(linter: &mut Linter<'_, '_>) {
    let view = linter.view;
    let used: HashSet<_> = view.groups.iter().map(|(_, group)| group.matrix).collect();
    for item in linter.items {
        let Item::Matrix(matrix) = item else { continue };
        let ast::Matrix { name, .. } = &**matrix;
        if view.matrix_number(&name.value).is_some_and(|number| !used.contains(&Some(number))) {
            let message = format!("no group uses the matrix `{}`", name.value.escape_debug());
            let problem = Diagnostic::warning(Code::UnusedMatrix, name.span, message)
                .label("defined but not used");
            linter.warn(name.span, problem);
        }
    }
}
