//! The shape of an AST for snapshots: a line for each statement, by its parts and not by its
//! notation.

use peerage::syntax::ast::{
    Accepts, AudienceMode, Barrier, Expr, ExprKind, Group, Item, List, Outcome, PermissionValue,
    Rule, RuleSet, Setting, Term, Text, User, UserFields, Window,
};

/// A statement.
pub(crate) fn of(item: &Item<'_>) -> String {
    let line = match item {
        Item::Tags(tags) => format!("tags {}", list(tags)),
        Item::ProtectedTags(tags) => format!("protected_tags {}", list(tags)),
        Item::Rules(_) => "rules".to_owned(),
        Item::Rule(of) => rule(of),
        Item::RuleSet(of) => rule_set(of),
        Item::Barrier(of) => barrier(of),
        Item::Audience(of) => format!("Audience {} = {}", text(&of.name), expr(&of.condition)),
        Item::Accepts(of) => accepts(of),
        Item::Action(of) => format!("Action {} like {}", text(&of.name), text(&of.like)),
        Item::Window(of) => window(of),
        Item::Word(word) => format!("{:?} {}", word.section, text(&word.value)),
        Item::Settings(of) => format!("{:?} {}", of.section, settings(&of.entries)),
        Item::Peers(peers) => {
            let modes = peers.modes.iter();
            let modes = modes.map(|mode| format!(" {} = {}", expr(&mode.when), text(&mode.mode)));
            let modes = modes.collect::<Vec<_>>().concat();
            format!("Peers{}{modes}", maybe("default", peers.default.as_ref().map(text)))
        }
        Item::Matrix(matrix) => {
            let permissions: String = (matrix.permissions.iter())
                .map(|permission| match &permission.value {
                    PermissionValue::One(value) => {
                        format!(" {} = {}", text(&permission.key), expr(value))
                    }
                    PermissionValue::ByField(fields) => {
                        format!(" {} by field {}", text(&permission.key), settings(fields))
                    }
                })
                .collect();
            format!("Matrix {}{permissions}", text(&matrix.name))
        }
        Item::User(of) => user(of),
        Item::Group(of) => group(of),
        Item::Conversation(of) => {
            let [one, other] = &of.users;
            format!("Conversation {} and {}", text(one), text(other))
        }
        Item::Invariant(of) => [
            format!("Invariant {:?} {}", of.demand, text(&of.action)),
            format!(" from {} to {}", expr(&of.from), expr(&of.to)),
            maybe("name", of.name.as_ref().map(text)),
            maybe("scope", of.scope.as_ref().map(text)),
            maybe("conversation", of.conversation.as_ref().map(text)),
            maybe("description", of.description.as_ref().map(text)),
        ]
        .concat(),
        Item::Lints(of) => format!("Lints {}", list(of)),
    };
    line + "\n"
}

fn rule(rule: &Rule<'_>) -> String {
    let Rule { span: _, name, rule_id, condition, outcome, between, description } = rule;
    let name = maybe("name", name.as_ref().map(text));
    let id = maybe("id", rule_id.as_ref().map(text));
    let description = maybe("description", description.as_ref().map(text));
    let outcome = outcome.as_ref().map(|outcome| match outcome {
        Outcome::Tags(tags) => format!(" {}", list(tags)),
        Outcome::Condition(condition) => format!(" to {}", expr(condition)),
    });
    let between = maybe("between", between.as_ref().map(expr));
    let condition = expr(condition);
    format!("rule {condition}{name}{id}{description}{}{between}", outcome.unwrap_or_default())
}

fn rule_set(set: &RuleSet<'_>) -> String {
    let RuleSet { name, asked, actions, rules, description, is_whole } = set;
    let rules = rules.iter().map(|it| format!("\n  {}", rule(it)));
    [
        format!("RuleSet {}", text(name)),
        maybe("asked", asked.as_ref().map(text)),
        maybe("actions", actions.as_ref().map(list)),
        maybe("description", description.as_ref().map(text)),
        if *is_whole { "" } else { " in part" }.to_owned(),
    ]
    .into_iter()
    .chain(rules)
    .collect()
}

fn barrier(barrier: &Barrier<'_>) -> String {
    let Barrier { name, direction, from, to, actions, unless, groups, description } = barrier;
    [
        format!("Barrier {} {direction:?} {} to {}", text(name), expr(from), expr(to)),
        maybe("actions", actions.as_ref().map(list)),
        maybe("unless", unless.as_ref().map(expr)),
        maybe("groups", groups.as_ref().map(text)),
        maybe("description", description.as_ref().map(text)),
    ]
    .concat()
}

fn accepts(accepts: &Accepts<'_>) -> String {
    let Accepts { action, modes, default, asked, otherwise, is_whole } = accepts;
    let mode = |AudienceMode { when, audience, locked }: &AudienceMode<'_>| {
        let locked = maybe("locked", locked.as_ref().map(text));
        format!(" {} = {}{locked}", expr(when), text(audience))
    };
    [
        format!("Accepts {}", text(action)),
        maybe("default", default.as_ref().map(text)),
        maybe("asked", asked.as_ref().map(text)),
        maybe("otherwise", otherwise.as_ref().map(text)),
        if *is_whole { "" } else { " in part" }.to_owned(),
    ]
    .into_iter()
    .chain(modes.iter().map(mode))
    .collect()
}

fn window(window: &Window<'_>) -> String {
    let Window { name, days, from, to, zone, except, is_whole } = window;
    [
        format!("Window {}", text(name)),
        maybe("days", days.as_ref().map(list)),
        maybe("from", from.as_ref().map(text)),
        maybe("to", to.as_ref().map(text)),
        maybe("zone", zone.as_ref().map(text)),
        maybe("except", except.as_ref().map(list)),
        if *is_whole { "" } else { " in part" }.to_owned(),
    ]
    .concat()
}

fn user(user: &User<'_>) -> String {
    let UserFields {
        peers,
        permissions,
        moderation,
        approval,
        contacts,
        favorites,
        paired,
        blocked,
        friends,
        accepts,
        terms,
    } = &user.more.as_deref().cloned().unwrap_or_default();
    let accepts = (!accepts.is_empty()).then(|| settings(accepts));
    let permissions = (!permissions.is_empty()).then(|| settings(permissions));
    [
        format!("User {}", text(&user.id)),
        maybe("tags", user.tags.as_ref().map(list)),
        if user.more.is_some() { " more" } else { "" }.to_owned(),
        maybe("peers", peers.as_ref().map(text)),
        maybe("permissions", permissions),
        maybe("moderation", moderation.as_ref().map(text)),
        maybe("approval", approval.as_ref().map(text)),
        maybe("contacts", contacts.as_ref().map(list)),
        maybe("favorites", favorites.as_ref().map(list)),
        maybe("paired", paired.as_ref().map(list)),
        maybe("blocked", blocked.as_ref().map(list)),
        maybe("friends", friends.as_ref().map(list)),
        maybe("accepts", accepts),
        self::terms(terms),
    ]
    .concat()
}

fn terms(terms: &[Term<'_>]) -> String {
    let said = |value: &Option<Text<'_>>| value.as_ref().map(text).unwrap_or_default();
    let mut all: Vec<String> = terms
        .iter()
        .map(|it| {
            let Term { of, position, span: _, until, reason, by } = it;
            format!(" {of:?}[{position}]({} {} {})", said(until), said(reason), said(by))
        })
        .collect();
    all.sort();
    all.concat()
}

fn group(group: &Group<'_>) -> String {
    let Group {
        id,
        matrix,
        creator,
        super_admins,
        admins,
        members,
        muted,
        banned,
        requires,
        terms,
    } = group;
    [
        format!("Group {}", text(id)),
        maybe("matrix", matrix.as_ref().map(text)),
        maybe("creator", creator.as_ref().map(text)),
        maybe("super_admins", super_admins.as_ref().map(list)),
        maybe("admins", admins.as_ref().map(list)),
        maybe("members", members.as_ref().map(list)),
        maybe("muted", muted.as_ref().map(list)),
        maybe("banned", banned.as_ref().map(list)),
        maybe("requires", requires.as_ref().map(expr)),
        self::terms(terms),
    ]
    .concat()
}

fn maybe(name: &str, value: Option<String>) -> String {
    value.map(|value| format!(" {name}={value}")).unwrap_or_default()
}

fn settings(entries: &[Setting<'_>]) -> String {
    let entries =
        entries.iter().map(|entry| format!("{} = {}", text(&entry.key), expr(&entry.value)));
    format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
}

fn expr(of: &Expr<'_>) -> String {
    match &of.kind {
        ExprKind::Word(word) => word.to_string(),
        ExprKind::Call { name, arguments } => {
            let arguments: Vec<String> = arguments.iter().map(expr).collect();
            format!("{}({})", name.value, arguments.join(", "))
        }
    }
}

fn list(of: &List<'_>) -> String {
    format!("[{}]", of.value.iter().map(text).collect::<Vec<_>>().join(", "))
}

fn text(of: &Text<'_>) -> String {
    let plain = |c: char| c.is_alphanumeric() || c == '-' || c == '_' || c == '*';
    if of.value.chars().all(plain) { of.value.to_string() } else { format!("{:?}", of.value) }
}
