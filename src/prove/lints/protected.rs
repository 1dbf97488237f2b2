//! Tags that make managers and that callers of a dialect could give.

use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
    syntax::ast::{Expr, ExprKind, Item, PermissionValue, SettingsSection},
};

use super::{Linter, unused::each_word};

/// Looks at `moderation.managers` and at what matrices say of who may do what: wherever a tag stands
/// in it, since taking one counts too. Which dialects a daemon is started with no policy tells.
pub(super) fn lint(lints: &mut Linter<'_, '_>) {
    for item in lints.items {
        match item {
            Item::Settings(section) if section.section == SettingsSection::Moderation => {
                for entry in &section.entries {
                    check_statement(lints, entry.key.span, "who manages", &entry.value);
                }
            }
            Item::Matrix(matrix) => {
                for permission in &matrix.permissions {
                    let of = "who has this permission";
                    match &permission.value {
                        PermissionValue::One(value) => {
                            check_statement(lints, permission.key.span, of, value);
                        }
                        PermissionValue::ByField(fields) => {
                            for field in fields {
                                check_statement(lints, field.key.span, of, &field.value);
                            }
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

fn check_statement(lints: &mut Linter<'_, '_>, key: Span, of: &str, value: &Expr<'_>) {
    let settings = &lints.view.settings;
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
    lints.warn(key, problem);
}

/// Visits the tags that an expression names, but no other words.
fn each_tag(expr: &Expr<'_>, visit: &mut impl FnMut(&str)) {
    if let ExprKind::Call { name, arguments } = &expr.kind {
        if name.value == "hasTag" {
            each_word(expr, visit);
        } else {
            arguments.iter().for_each(|argument| each_tag(argument, visit));
        }
    }
}
