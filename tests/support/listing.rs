//! Listings of parsed files: a line for each item and each problem, with places as `line:column`
//! and, where it matters, `line:column+bytes`.

#![allow(clippy::unwrap_used, reason = "a helper of tests")]

use std::fmt::Write;

use peerage::{
    diagnostic::Diagnostics,
    source::{Notation, Source, Sources, Span},
    syntax::{
        self,
        ast::{
            Accepts, Barrier, Expr, ExprKind, Item, List, Outcome, PermissionValue, Rule, RuleSet,
            Setting, Text, User, Window,
        },
    },
};

/// Parses one file of that name; lists its items, then its problems.
pub(crate) fn list(name: &str, bytes: &[u8]) -> String {
    let notation = Notation::from_file_name(name).unwrap();
    let sources = Sources::single(name, notation, bytes);
    let (_, source) = sources.iter().next().unwrap();
    let mut problems = Diagnostics::default();
    let mut out = String::new();
    let ast = syntax::parse(&sources, &mut problems);
    for item in &ast.items {
        writeln!(out, "{}", show(source, item)).unwrap();
    }
    for bulk in &ast.bulk {
        bulk.users(&mut problems, &mut |user, _| {
            writeln!(out, "{}", show_user(source, &user)).unwrap();
        });
    }
    let (problems, left_out) = problems.into_sorted();
    for problem in problems {
        let place = problem.primary.map_or_else(String::new, |label| wide(source, label.span));
        write!(out, "{} {place} {}", problem.code, problem.message).unwrap();
        for other in problem.others {
            write!(out, " | {} {}", wide(source, other.span), other.text).unwrap();
        }
        writeln!(out, " | {}", problem.hint.unwrap_or_default()).unwrap();
    }
    if left_out > 0 {
        writeln!(out, "and {left_out} more").unwrap();
    }
    out
}

fn show(source: &Source, item: &Item<'_>) -> String {
    match item {
        Item::Tags(tags) => format!("tags {}", show_list(source, tags)),
        Item::ProtectedTags(tags) => format!("protected_tags {}", show_list(source, tags)),
        Item::Rules(span) => format!("rules {}", wide(source, *span)),
        Item::User(user) => show_user(source, user),
        Item::Rule(rule) => show_rule(source, rule),
        Item::Word(word) => format!(
            "{:?}@{} {}",
            word.section,
            source.position(word.span.start()),
            show_text(source, &word.value)
        ),
        Item::Settings(settings) => format!(
            "{:?}@{}{}",
            settings.section,
            source.position(settings.span.start()),
            show_settings(source, &settings.entries)
        ),
        Item::Peers(peers) => {
            let modes = peers.modes.iter().map(|mode| {
                let when = show_placed(source, &mode.when);
                format!(" {when} {}", show_text(source, &mode.mode))
            });
            let default = show_field(source, "default", peers.default.as_ref());
            let at = source.position(peers.span.start());
            format!("Peers@{at}{default}{}", modes.collect::<String>())
        }
        Item::Matrix(matrix) => {
            let permissions = matrix.permissions.iter().map(|permission| {
                let key = show_text(source, &permission.key);
                match &permission.value {
                    PermissionValue::One(value) => format!(" {key}={}", show_placed(source, value)),
                    PermissionValue::ByField(fields) => {
                        format!(" {key}={{{} }}", show_settings(source, fields))
                    }
                }
            });
            let name = show_text(source, &matrix.name);
            format!("matrix {name}{}", permissions.collect::<String>())
        }
        Item::Group(group) => [
            format!("group {}", show_text(source, &group.id)),
            show_field(source, "matrix", group.matrix.as_ref()),
            show_field(source, "creator", group.creator.as_ref()),
            show_users(source, "super_admins", group.super_admins.as_ref()),
            show_users(source, "admins", group.admins.as_ref()),
            show_users(source, "members", group.members.as_ref()),
        ]
        .concat(),
        Item::Conversation(conversation) => {
            let [one, other] = &conversation.users;
            format!("conversation {} {}", show_text(source, one), show_text(source, other))
        }
        Item::Invariant(invariant) => [
            format!("{} {}", invariant.demand.as_str(), show_text(source, &invariant.action)),
            show_field(source, "name", invariant.name.as_ref()),
            format!(" from={}", show_expr(&invariant.from)),
            format!(" to={}", show_expr(&invariant.to)),
            show_field(source, "scope", invariant.scope.as_ref()),
            show_field(source, "conversation", invariant.conversation.as_ref()),
            show_field(source, "description", invariant.description.as_ref()),
        ]
        .concat(),
        Item::Lints(lints) => format!("lints {}", show_list(source, lints)),
        Item::RuleSet(set) => show_set(source, set),
        Item::Barrier(barrier) => show_barrier(source, barrier),
        Item::Audience(audience) => {
            let name = show_text(source, &audience.name);
            format!("audience {name} {}", show_placed(source, &audience.condition))
        }
        Item::Accepts(accepts) => show_accepts(source, accepts),
        Item::Action(action) => format!(
            "action {} {}",
            show_text(source, &action.name),
            show_text(source, &action.like)
        ),
        Item::Window(window) => show_window(source, window),
    }
}

fn show_window(source: &Source, window: &Window<'_>) -> String {
    [
        format!("window {}", show_text(source, &window.name)),
        show_users(source, "days", window.days.as_ref()),
        show_field(source, "from", window.from.as_ref()),
        show_field(source, "to", window.to.as_ref()),
        show_field(source, "zone", window.zone.as_ref()),
        show_users(source, "except", window.except.as_ref()),
        if window.is_whole { "" } else { " in part" }.to_owned(),
    ]
    .concat()
}

fn show_set(source: &Source, set: &RuleSet<'_>) -> String {
    let rules = set.rules.iter().map(|rule| format!("\n  {}", show_rule(source, rule)));
    [
        format!("rule_set {}", show_text(source, &set.name)),
        show_field(source, "asked", set.asked.as_ref()),
        show_users(source, "actions", set.actions.as_ref()),
        show_field(source, "description", set.description.as_ref()),
        if set.is_whole { "" } else { " in part" }.to_owned(),
    ]
    .into_iter()
    .chain(rules)
    .collect()
}

fn show_barrier(source: &Source, barrier: &Barrier<'_>) -> String {
    [
        format!("barrier {} {:?}", show_text(source, &barrier.name), barrier.direction),
        format!(" {}", show_placed(source, &barrier.from)),
        format!(" {}", show_placed(source, &barrier.to)),
        show_users(source, "actions", barrier.actions.as_ref()),
        show_condition(source, "unless", barrier.unless.as_ref()),
        show_field(source, "groups", barrier.groups.as_ref()),
        show_field(source, "description", barrier.description.as_ref()),
    ]
    .concat()
}

fn show_accepts(source: &Source, accepts: &Accepts<'_>) -> String {
    let modes = accepts.modes.iter().map(|mode| {
        let when = show_placed(source, &mode.when);
        let locked = show_field(source, "locked", mode.locked.as_ref());
        format!(" {when} {}{locked}", show_text(source, &mode.audience))
    });
    [
        format!("accepts {}", show_text(source, &accepts.action)),
        show_field(source, "default", accepts.default.as_ref()),
        show_field(source, "asked", accepts.asked.as_ref()),
        show_field(source, "otherwise", accepts.otherwise.as_ref()),
        if accepts.is_whole { "" } else { " in part" }.to_owned(),
    ]
    .into_iter()
    .chain(modes)
    .collect()
}

fn show_rule(source: &Source, rule: &Rule<'_>) -> String {
    let outcome = rule.outcome.as_ref().map(|outcome| match outcome {
        Outcome::Tags(tags) => format!(" -> {}", show_list(source, tags)),
        Outcome::Condition(condition) => format!(" -> {}", show_placed(source, condition)),
    });
    [
        format!("rule {}", wide(source, rule.span)),
        show_field(source, "name", rule.name.as_ref()),
        show_field(source, "id", rule.rule_id.as_ref()),
        format!(" {}", show_placed(source, &rule.condition)),
        outcome.unwrap_or_default(),
        show_condition(source, "between", rule.between.as_ref()),
        show_field(source, "description", rule.description.as_ref()),
    ]
    .concat()
}

fn show_user(source: &Source, user: &User<'_>) -> String {
    let tags = user.tags.as_ref().map(|tags| show_list(source, tags)).unwrap_or_default();
    let mut shown = format!("user {} {tags}", show_text(source, &user.id)).trim_end().to_owned();
    if let Some(more) = &user.more {
        shown += &show_field(source, "peers", more.peers.as_ref());
        if !more.permissions.is_empty() {
            write!(shown, " permissions={{{} }}", show_settings(source, &more.permissions))
                .unwrap();
        }
        shown += &show_field(source, "moderation", more.moderation.as_ref());
        shown += &show_field(source, "approval", more.approval.as_ref());
        shown += &show_users(source, "contacts", more.contacts.as_ref());
        shown += &show_users(source, "favorites", more.favorites.as_ref());
        shown += &show_users(source, "paired", more.paired.as_ref());
        shown += &show_users(source, "blocked", more.blocked.as_ref());
        shown += &show_users(source, "friends", more.friends.as_ref());
        if !more.accepts.is_empty() {
            write!(shown, " accepts={{{} }}", show_settings(source, &more.accepts)).unwrap();
        }
    }
    shown
}

fn show_condition(source: &Source, name: &str, expr: Option<&Expr<'_>>) -> String {
    expr.map(|expr| format!(" {name}={}", show_placed(source, expr))).unwrap_or_default()
}

fn show_field(source: &Source, name: &str, text: Option<&Text<'_>>) -> String {
    text.map(|text| format!(" {name}={}", show_text(source, text))).unwrap_or_default()
}

fn show_users(source: &Source, name: &str, list: Option<&List<'_>>) -> String {
    list.map(|list| format!(" {name}={}", show_list(source, list))).unwrap_or_default()
}

fn show_settings(source: &Source, settings: &[Setting<'_>]) -> String {
    let show = |setting: &Setting<'_>| {
        let key = show_text(source, &setting.key);
        format!(" {key}={}", show_placed(source, &setting.value))
    };
    settings.iter().map(show).collect()
}

fn show_placed(source: &Source, expr: &Expr<'_>) -> String {
    format!("{}@{}", show_expr(expr), wide(source, expr.span))
}

fn show_list(source: &Source, list: &List<'_>) -> String {
    let texts: Vec<_> = list.value.iter().map(|text| show_text(source, text)).collect();
    format!("[{}]@{}", texts.join(" "), wide(source, list.span))
}

fn show_text(source: &Source, text: &Text<'_>) -> String {
    format!("{:?}@{}", text.value, source.position(text.span.start()))
}

fn show_expr(expr: &Expr<'_>) -> String {
    match &expr.kind {
        ExprKind::Word(word) => word.to_string(),
        ExprKind::Call { name, arguments } => {
            let arguments: Vec<_> = arguments.iter().map(show_expr).collect();
            format!("{}({})", name.value, arguments.join(", "))
        }
    }
}

fn wide(source: &Source, span: Span) -> String {
    format!("{}+{}", source.position(span.start()), span.len)
}
