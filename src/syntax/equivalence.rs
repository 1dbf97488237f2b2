//! Whether two lists of items say the same.
//!
//! Spans and quotes don't matter, nor does the order of sections, nor whether a section is stated in
//! one place or several; the order within a section does.

use super::ast::{
    Accepts, ActionDeclaration, Audience, AudienceMode, Barrier, Conversation, Expr, ExprKind,
    Group, Invariant, Item, List, Matrix, Mode, Outcome, Peers, Permission, PermissionValue, Rule,
    RuleSet, Setting, Settings, SettingsSection, Text, User, UserFields, Window, WordSection,
};
use super::terms::are_equivalent;

/// Whether they say the same.
pub(super) fn equivalent(one: &[Item<'_>], other: &[Item<'_>]) -> bool {
    StatedContent::collect(one).is_equivalent(&StatedContent::collect(other))
}

/// The statements of items, by section.
#[derive(Default)]
struct StatedContent<'a, 's> {
    tags: Option<Vec<&'a Text<'s>>>,
    has_rules: bool,
    rules: Vec<&'a Rule<'s>>,
    words: Vec<(WordSection, &'a Text<'s>)>,
    settings: Vec<(SettingsSection, &'a Setting<'s>)>,
    defaults: Vec<&'a Text<'s>>,
    modes: Vec<&'a Mode<'s>>,
    matrices: Vec<&'a Matrix<'s>>,
    users: Vec<&'a User<'s>>,
    groups: Vec<&'a Group<'s>>,
    conversations: Vec<&'a Conversation<'s>>,
    invariants: Vec<&'a Invariant<'s>>,
    lints: Vec<&'a Text<'s>>,
    protected_tags: Option<Vec<&'a Text<'s>>>,
    rule_sets: Vec<&'a RuleSet<'s>>,
    barriers: Vec<&'a Barrier<'s>>,
    audiences: Vec<&'a Audience<'s>>,
    accepts: Vec<&'a Accepts<'s>>,
    actions: Vec<&'a ActionDeclaration<'s>>,
    windows: Vec<&'a Window<'s>>,
}

impl<'a, 's> StatedContent<'a, 's> {
    fn collect(items: &'a [Item<'s>]) -> Self {
        let mut said = Self::default();
        for item in items {
            match item {
                Item::Tags(tags) => said.tags.get_or_insert_default().extend(&tags.value),
                Item::ProtectedTags(tags) => {
                    said.protected_tags.get_or_insert_default().extend(&tags.value);
                }
                Item::Rules(_) => said.has_rules = true,
                Item::Rule(rule) => {
                    said.has_rules = true;
                    said.rules.push(rule);
                }
                Item::Word(word) => said.words.push((word.section, &word.value)),
                Item::Settings(settings) => {
                    let Settings { section, span: _, entries } = &**settings;
                    said.settings.extend(entries.iter().map(|entry| (*section, entry)));
                }
                Item::Peers(peers) => {
                    let Peers { span: _, default, modes } = &**peers;
                    said.defaults.extend(default);
                    said.modes.extend(modes);
                }
                Item::Matrix(matrix) => said.matrices.push(matrix),
                Item::User(user) => said.users.push(user),
                Item::Group(group) => said.groups.push(group),
                Item::Conversation(conversation) => said.conversations.push(conversation),
                Item::Invariant(invariant) => said.invariants.push(invariant),
                Item::Lints(lints) => said.lints.extend(&lints.value),
                Item::RuleSet(set) => said.rule_sets.push(set),
                Item::Barrier(barrier) => said.barriers.push(barrier),
                Item::Audience(audience) => said.audiences.push(audience),
                Item::Accepts(accepts) => said.accepts.push(accepts),
                Item::Action(action) => said.actions.push(action),
                Item::Window(window) => said.windows.push(window),
            }
        }
        // These may be stated in any order, and each section on its own.
        said.words.sort_by_key(|(section, _)| *section);
        said.settings.sort_by_key(|(section, _)| *section);
        said
    }

    fn is_equivalent(&self, other: &Self) -> bool {
        let Self {
            tags,
            has_rules,
            rules,
            words,
            settings,
            defaults,
            modes,
            matrices,
            users,
            groups,
            conversations,
            invariants,
            lints,
            protected_tags,
            rule_sets,
            barriers,
            audiences,
            accepts,
            actions,
            windows,
        } = self;
        let texts = |one: &Vec<&Text<'_>>, other: &Vec<&Text<'_>>| {
            all(one, other, |one, other| text(one, other))
        };
        optional(tags.as_ref(), other.tags.as_ref(), texts)
            && optional(protected_tags.as_ref(), other.protected_tags.as_ref(), texts)
            && *has_rules == other.has_rules
            && all(rules, &other.rules, |one, other| rule(one, other))
            && all(words, &other.words, |one, other| one.0 == other.0 && text(one.1, other.1))
            && all(settings, &other.settings, |one, other| {
                one.0 == other.0 && setting(one.1, other.1)
            })
            && texts(defaults, &other.defaults)
            && all(modes, &other.modes, |one, other| mode(one, other))
            && all(matrices, &other.matrices, |one, other| matrix(one, other))
            && all(users, &other.users, |one, other| user(one, other))
            && all(groups, &other.groups, |one, other| group(one, other))
            && all(conversations, &other.conversations, |one, other| {
                all(&one.users, &other.users, text)
            })
            && all(invariants, &other.invariants, |one, other| invariant(one, other))
            && texts(lints, &other.lints)
            && all(rule_sets, &other.rule_sets, |one, other| rule_set(one, other))
            && all(barriers, &other.barriers, |one, other| barrier(one, other))
            && all(audiences, &other.audiences, |one, other| {
                text(&one.name, &other.name) && expr(&one.condition, &other.condition)
            })
            && all(accepts, &other.accepts, |one, other| self::accepts(one, other))
            && all(actions, &other.actions, |one, other| {
                text(&one.name, &other.name) && text(&one.like, &other.like)
            })
            && all(windows, &other.windows, |one, other| window(one, other))
    }
}

fn all<T>(one: &[T], other: &[T], same: impl Fn(&T, &T) -> bool) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
}

fn optional<T>(one: Option<&T>, other: Option<&T>, same: impl Fn(&T, &T) -> bool) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => same(one, other),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn text(one: &Text<'_>, other: &Text<'_>) -> bool {
    one.value == other.value
}

fn list(one: &List<'_>, other: &List<'_>) -> bool {
    all(&one.value, &other.value, text)
}

fn expr(one: &Expr<'_>, other: &Expr<'_>) -> bool {
    match (&one.kind, &other.kind) {
        (ExprKind::Word(one), ExprKind::Word(other)) => one == other,
        (
            ExprKind::Call { name, arguments },
            ExprKind::Call { name: other_name, arguments: others },
        ) => text(name, other_name) && all(arguments, others, expr),
        (ExprKind::Word(_), ExprKind::Call { .. }) | (ExprKind::Call { .. }, ExprKind::Word(_)) => {
            false
        }
    }
}

fn setting(one: &Setting<'_>, other: &Setting<'_>) -> bool {
    let Setting { key, value } = one;
    text(key, &other.key) && expr(value, &other.value)
}

fn rule(one: &Rule<'_>, other: &Rule<'_>) -> bool {
    let Rule { span: _, name, rule_id, condition, outcome, between, description } = one;
    optional(name.as_ref(), other.name.as_ref(), text)
        && optional(rule_id.as_ref(), other.rule_id.as_ref(), text)
        && expr(condition, &other.condition)
        && optional(outcome.as_ref(), other.outcome.as_ref(), self::outcome)
        && optional(between.as_ref(), other.between.as_ref(), expr)
        && optional(description.as_ref(), other.description.as_ref(), text)
}

fn outcome(one: &Outcome<'_>, other: &Outcome<'_>) -> bool {
    match (one, other) {
        (Outcome::Tags(one), Outcome::Tags(other)) => list(one, other),
        (Outcome::Condition(one), Outcome::Condition(other)) => expr(one, other),
        (Outcome::Tags(_), Outcome::Condition(_)) | (Outcome::Condition(_), Outcome::Tags(_)) => {
            false
        }
    }
}

fn rule_set(one: &RuleSet<'_>, other: &RuleSet<'_>) -> bool {
    let RuleSet { name, asked, actions, rules, description, is_whole: _ } = one;
    text(name, &other.name)
        && optional(asked.as_ref(), other.asked.as_ref(), text)
        && optional(actions.as_ref(), other.actions.as_ref(), list)
        && all(rules, &other.rules, rule)
        && optional(description.as_ref(), other.description.as_ref(), text)
}

fn barrier(one: &Barrier<'_>, other: &Barrier<'_>) -> bool {
    let Barrier { name, direction, from, to, actions, unless, groups, description } = one;
    text(name, &other.name)
        && *direction == other.direction
        && expr(from, &other.from)
        && expr(to, &other.to)
        && optional(actions.as_ref(), other.actions.as_ref(), list)
        && optional(unless.as_ref(), other.unless.as_ref(), expr)
        && optional(groups.as_ref(), other.groups.as_ref(), text)
        && optional(description.as_ref(), other.description.as_ref(), text)
}

fn accepts(one: &Accepts<'_>, other: &Accepts<'_>) -> bool {
    let Accepts { action, modes, default, asked, otherwise, is_whole: _ } = one;
    text(action, &other.action)
        && all(modes, &other.modes, audience_mode)
        && optional(default.as_ref(), other.default.as_ref(), text)
        && optional(asked.as_ref(), other.asked.as_ref(), text)
        && optional(otherwise.as_ref(), other.otherwise.as_ref(), text)
}

fn audience_mode(one: &AudienceMode<'_>, other: &AudienceMode<'_>) -> bool {
    let AudienceMode { when, audience, locked } = one;
    expr(when, &other.when)
        && text(audience, &other.audience)
        && optional(locked.as_ref(), other.locked.as_ref(), text)
}

fn window(one: &Window<'_>, other: &Window<'_>) -> bool {
    let Window { name, days, from, to, zone, except, is_whole: _ } = one;
    text(name, &other.name)
        && optional(days.as_ref(), other.days.as_ref(), list)
        && optional(from.as_ref(), other.from.as_ref(), text)
        && optional(to.as_ref(), other.to.as_ref(), text)
        && optional(zone.as_ref(), other.zone.as_ref(), text)
        && optional(except.as_ref(), other.except.as_ref(), list)
}

fn invariant(one: &Invariant<'_>, other: &Invariant<'_>) -> bool {
    let Invariant { span: _, demand, name, action, from, to, scope, conversation, description } =
        one;
    *demand == other.demand
        && optional(name.as_ref(), other.name.as_ref(), text)
        && text(action, &other.action)
        && expr(from, &other.from)
        && expr(to, &other.to)
        && optional(scope.as_ref(), other.scope.as_ref(), text)
        && optional(conversation.as_ref(), other.conversation.as_ref(), text)
        && optional(description.as_ref(), other.description.as_ref(), text)
}

fn mode(one: &Mode<'_>, other: &Mode<'_>) -> bool {
    let Mode { when, mode } = one;
    expr(when, &other.when) && text(mode, &other.mode)
}

fn matrix(one: &Matrix<'_>, other: &Matrix<'_>) -> bool {
    let Matrix { name, permissions, is_whole: _ } = one;
    text(name, &other.name) && all(permissions, &other.permissions, permission)
}

fn permission(one: &Permission<'_>, other: &Permission<'_>) -> bool {
    let Permission { key, value } = one;
    text(key, &other.key)
        && match (value, &other.value) {
            (PermissionValue::One(one), PermissionValue::One(other)) => expr(one, other),
            (PermissionValue::ByField(one), PermissionValue::ByField(other)) => {
                all(one, other, setting)
            }
            (PermissionValue::One(_), PermissionValue::ByField(_))
            | (PermissionValue::ByField(_), PermissionValue::One(_)) => false,
        }
}

fn user(one: &User<'_>, other: &User<'_>) -> bool {
    let User { id, tags, more } = one;
    let nothing = UserFields::default();
    text(id, &other.id)
        && optional(tags.as_ref(), other.tags.as_ref(), list)
        && fields(more.as_deref().unwrap_or(&nothing), other.more.as_deref().unwrap_or(&nothing))
}

fn fields(one: &UserFields<'_>, other: &UserFields<'_>) -> bool {
    let UserFields {
        peers,
        accepts,
        permissions,
        moderation,
        approval,
        contacts,
        favorites,
        paired,
        blocked,
        friends,
        terms,
    } = one;
    optional(peers.as_ref(), other.peers.as_ref(), text)
        && all(permissions, &other.permissions, setting)
        && all(accepts, &other.accepts, setting)
        && optional(moderation.as_ref(), other.moderation.as_ref(), text)
        && optional(approval.as_ref(), other.approval.as_ref(), text)
        && optional(contacts.as_ref(), other.contacts.as_ref(), list)
        && optional(favorites.as_ref(), other.favorites.as_ref(), list)
        && optional(paired.as_ref(), other.paired.as_ref(), list)
        && optional(blocked.as_ref(), other.blocked.as_ref(), list)
        && optional(friends.as_ref(), other.friends.as_ref(), list)
        && are_equivalent(terms, &other.terms)
}

fn group(one: &Group<'_>, other: &Group<'_>) -> bool {
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
    } = one;
    text(id, &other.id)
        && optional(matrix.as_ref(), other.matrix.as_ref(), text)
        && optional(creator.as_ref(), other.creator.as_ref(), text)
        && optional(super_admins.as_ref(), other.super_admins.as_ref(), list)
        && optional(admins.as_ref(), other.admins.as_ref(), list)
        && optional(members.as_ref(), other.members.as_ref(), list)
        && optional(muted.as_ref(), other.muted.as_ref(), list)
        && optional(banned.as_ref(), other.banned.as_ref(), list)
        && optional(requires.as_ref(), other.requires.as_ref(), expr)
        && are_equivalent(terms, &other.terms)
}
