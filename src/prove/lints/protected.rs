//! Lints about tags that make managers and that callers of a dialect could give.

use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
    syntax::ast::{Expr, ExprKind, Item, PermissionValue, SettingsSection},
};

use super::{Linter, unused::each_word};

/// Checks `moderation.managers` and the values of matrices for unprotected tags, wherever they stand in
/// them, as taking a tag away can matter too. The policy doesn't know which dialects a daemon serves.
pub(super) fn lint(linter: &mut Linter<'_, '_>) {
    for item in linter.items {
        match item {
            Item::Settings(section) if section.section == SettingsSection::Moderation => {
                for entry in &section.entries {
                    check_statement(linter, entry.key.span, "who manages", &entry.value);
                }
            }
            Item::Matrix(matrix) => {
                for permission in &matrix.permissions {
                    let of = "who has this permission";
                    match &permission.value {
                        PermissionValue::One(value) => {
                            check_statement(linter, permission.key.span, of, value);
                        }
                        PermissionValue::ByField(fields) => {
                            for field in fields {
                                check_statement(linter, field.key.span, of, &field.value);
                            }
                        }
                    }
                }
            }
            Item::Tags(_)
            | Item::ProtectedTags(_)
            | Item::Rules(_)
            | Item::Rule(_)
            | Item::RuleSet(_)
            | Item::Barrier(_)
            | Item::Audience(_)
            | Item::Accepts(_)
            | Item::Action(_)
            | Item::Window(_)
            | Item::Word(_)
            | Item::Settings(_)
            | Item::Peers(_)
            | Item::User(_)
            | Item::Group(_)
            | Item::Conversation(_)
            | Item::Invariant(_)
            | Item::Lints(_) => {}
        }
    }
}

fn check_statement(linter: &mut Linter<'_, '_>, key: Span, of: &str, value: &Expr<'_>) {
    let settings = &linter.view.settings;
    let mut tags: Vec<String> = Vec::new();
    each_tag(value, &mut |tag| {
        if !settings.protected_tags.protects(tag) && !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_owned());
        }
    });
    if tags.is_empty() {
        return;
    }
    let names: Vec<String> = tags.iter().map(|tag| format!("`{tag}`")).collect();
    let what = if let [_] = tags.as_slice() { "a tag that is" } else { "tags that are" };
    let message = format!("{of} depends on {what} not protected: {}", names.join(", "));
    let problem = Diagnostic::warning(Code::UnprotectedManagers, value.span, message)
        .label("callers of Flip's API and token issuers of Venueless can give and take it")
        .hint("list it in `protected_tags`: then only policy files and administrators can");
    linter.warn(key, problem);
}

/// Visits the tags that an expression names, without its other words.
fn each_tag(expr: &Expr<'_>, visit: &mut impl FnMut(&str)) {
    if let ExprKind::Call { name, arguments } = &expr.kind {
        if name.value == "hasTag" {
            each_word(expr, visit);
        } else {
            arguments.iter().for_each(|argument| each_tag(argument, visit));
        }
    }
}
