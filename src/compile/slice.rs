//! The slice of a policy that decisions about a few users depend on.

use std::collections::HashSet;

use crate::{
    request::{
        AudienceSlot, Condition, DURING, EVERYONE, NOBODY, PeersMode, Relation, SHARES_GROUP,
        Switch, Toggle,
    },
    snapshot::{TagId, Tie, UserNumber, View},
    source::Span,
    syntax::ast::{
        Expr, ExprKind, Group, Item, List, Rule, Setting, SettingsSection, Spanned, Text, User,
        UserFields, WordSection,
    },
};

/// Slices a policy to the statements that can affect decisions about the named users and groups under
/// an overlay. Users to whom these are related, and other members of the groups, are kept by id alone.
///
/// `None` if that takes a look at all users. Costs the ties of the named users, and a look at each
/// item.
pub(super) fn slice_policy<'s>(
    base: &View,
    items: &[Item<'s>],
    given: &[Item<'s>],
    named: &[&str],
) -> Option<Vec<Item<'s>>> {
    if !is_local(given) {
        return None;
    }
    let directory = &base.population.directory;
    let mut users: HashSet<&str> = named.iter().copied().collect();
    let mut groups = users.clone();
    for item in given {
        users.extend(referenced_users(item));
        if let Item::Group(group) = item {
            groups.insert(&group.id.value);
        }
    }
    let is_relevant = |item: &&Item<'s>| match item {
        Item::User(_) => false,
        Item::Group(group) => groups.contains(&*group.id.value),
        Item::Conversation(talk) => talk.users.iter().all(|id| users.contains(&*id.value)),
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
        | Item::Matrix(_)
        | Item::Invariant(_)
        | Item::Lints(_) => true,
    };
    let mut kept: Vec<Item<'s>> = items.iter().filter(is_relevant).cloned().collect();
    if depends_on_other_members(items, &kept, given) {
        return None;
    }
    let place = given.first().map_or(Span::new(crate::source::SourceId(0), 0, 0), Item::span);
    let mut others: HashSet<String> = kept
        .iter()
        .flat_map(referenced_users)
        .filter(|id| !users.contains(id))
        .map(str::to_owned)
        .collect();
    let mut records = Vec::new();
    for &id in &users {
        let Some(user) = directory.number(id) else { continue };
        for (other, _) in base.population.ties_of(user) {
            let other = directory.id(other);
            if !users.contains(other) && !others.contains(other) {
                others.insert(other.to_owned());
            }
        }
        records.push(reconstruct_user(base, user, place));
    }
    let is_unambiguous = |it: &User<'_>| given.iter().all(|given| is_unambiguous_under(it, given));
    if !records.iter().all(is_unambiguous) {
        return None;
    }
    kept.extend(records.into_iter().map(Item::User));
    let others = others.into_iter().filter(|id| directory.number(id).is_some());
    kept.extend(others.map(|id| Item::User(User { id: text(id, place), tags: None, more: None })));
    Some(kept)
}

/// Whether errors of the overlay depend on the named users alone: declared tags and limits concern all
/// users.
fn is_local(given: &[Item<'_>]) -> bool {
    given.iter().all(|item| match item {
        Item::Tags(_) => false,
        Item::Settings(section) => section.section != SettingsSection::Limits,
        Item::Word(word) => word.section != WordSection::Preset,
        Item::ProtectedTags(_)
        | Item::Rules(_)
        | Item::Rule(_)
        | Item::RuleSet(_)
        | Item::Barrier(_)
        | Item::Audience(_)
        | Item::Accepts(_)
        | Item::Action(_)
        | Item::Window(_)
        | Item::Peers(_)
        | Item::Matrix(_)
        | Item::User(_)
        | Item::Group(_)
        | Item::Conversation(_)
        | Item::Invariant(_)
        | Item::Lints(_) => true,
    })
}

/// Whether decisions depend on groups that a slice does not keep, or on the tags of members of those that it
/// keeps.
fn depends_on_other_members(items: &[Item<'_>], kept: &[Item<'_>], given: &[Item<'_>]) -> bool {
    let has_group = |items: &[Item<'_>]| items.iter().any(|item| matches!(item, Item::Group(_)));
    let all = || kept.iter().chain(given);
    (has_group(items) || has_group(given)) && all().any(reads_shared_groups)
        || (has_group(kept) || has_group(given)) && all().any(is_barrier_in_groups)
        || all().any(requires_a_member)
}

/// Whether a statement asks for the tags of those who are in a group.
fn requires_a_member(item: &Item<'_>) -> bool {
    matches!(item, Item::Group(group) if group.requires.is_some())
}

/// Whether a statement asks whether two users share a group.
fn reads_shared_groups(item: &Item<'_>) -> bool {
    let in_rule = |rule: &Rule<'_>| rule.between.as_ref().is_some_and(names_shared_groups);
    match item {
        Item::Rule(rule) => in_rule(rule),
        Item::RuleSet(set) => set.rules.iter().any(in_rule),
        Item::Barrier(barrier) => barrier.unless.as_ref().is_some_and(names_shared_groups),
        Item::Audience(audience) => names_shared_groups(&audience.condition),
        _ => false,
    }
}

fn names_shared_groups(expr: &Expr<'_>) -> bool {
    match &expr.kind {
        ExprKind::Word(word) => word == SHARES_GROUP,
        ExprKind::Call { name, arguments } => {
            name.value == SHARES_GROUP || arguments.iter().any(names_shared_groups)
        }
    }
}

fn is_barrier_in_groups(item: &Item<'_>) -> bool {
    let Item::Barrier(barrier) = item else { return false };
    barrier.groups.as_ref().is_none_or(|groups| groups.value != "false")
}

/// Whether the overlay means the same over a reconstructed record. A favorite is a contact: of a user who
/// is both, the view does not know whether both lists named them, which matters where the overlay
/// replaces the favorites alone.
fn is_unambiguous_under(record: &User<'_>, given: &Item<'_>) -> bool {
    let Item::User(given) = given else { return true };
    let has_favorites = record.more.as_ref().is_some_and(|it| it.favorites.is_some());
    let replaces = |it: &UserFields<'_>| it.favorites.is_some() && it.contacts.is_none();
    given.id.value != record.id.value
        || !has_favorites
        || !given.more.as_ref().is_some_and(|it| replaces(it))
}

/// The ids of all users that a record of a user, a group or a conversation names.
fn referenced_users<'i>(item: &'i Item<'_>) -> Vec<&'i str> {
    let mut all = Vec::new();
    let mut add = |lists: &[Option<&'i List<'_>>]| {
        all.extend(lists.iter().flatten().flat_map(|list| &list.value).map(|id| &*id.value));
    };
    match item {
        Item::User(User { id, tags: _, more }) => {
            if let Some(more) = more {
                let UserFields {
                    peers: _,
                    accepts: _,
                    permissions: _,
                    moderation: _,
                    approval: _,
                    contacts,
                    favorites,
                    paired,
                    blocked,
                    friends,
                    terms: _,
                } = &**more;
                add(&[contacts, favorites, paired, blocked, friends].map(Option::as_ref));
            }
            all.push(&id.value);
        }
        Item::Group(group) => {
            let Group {
                id: _,
                matrix: _,
                creator,
                super_admins,
                admins,
                members,
                muted,
                banned,
                requires: _,
                terms: _,
            } = &**group;
            add(&[super_admins, admins, members, muted, banned].map(Option::as_ref));
            all.extend(creator.as_ref().map(|id| &*id.value));
        }
        Item::Conversation(talk) => all.extend(talk.users.iter().map(|id| &*id.value)),
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
        | Item::Matrix(_)
        | Item::Invariant(_)
        | Item::Lints(_) => {}
    }
    all
}

fn text<'s>(value: impl Into<String>, place: Span) -> Text<'s> {
    Spanned::new(value.into().into(), place)
}

/// The record of a user, reconstructed from a view without conversations.
fn reconstruct_user<'s>(view: &View, user: UserNumber, place: Span) -> User<'s> {
    let population = &view.population;
    let list = |ids: Vec<String>| -> Option<List<'s>> {
        let ids: Vec<Text<'s>> = ids.into_iter().map(|id| text(id, place)).collect();
        (!ids.is_empty()).then(|| Spanned::new(ids, place))
    };
    let related = |is: &dyn Fn(Tie) -> bool| {
        let others = population.ties_of(user).filter(|&(_, tie)| is(tie));
        list(others.map(|(other, _)| population.directory.id(other).to_owned()).collect())
    };
    let to = |relation: Relation| related(&|tie| tie.outgoing(relation));
    let tags = population.directory.tags(user).iter();
    let (own, conditions) = population.overrides(user);
    let standing = population.directory.state(user);
    let word = |word: &str| text(word, place);
    let mut permissions: Vec<Setting<'s>> = Vec::new();
    for &switch in Switch::ALL.iter().filter(|&&switch| own.sets_switch(switch)) {
        let value = ExprKind::Word(standing.is_on(switch).to_string().into());
        permissions
            .push(Setting { key: word(switch.as_str()), value: Expr { span: place, kind: value } });
    }
    for (_, switch, condition) in conditions {
        let value = reconstruct_condition(condition, view, place);
        permissions.push(Setting { key: word(switch.as_str()), value });
    }
    for own in population.own_switches.of_user(user) {
        let value = match &own.setting.toggle {
            Toggle::Always(on) => Expr { span: place, kind: ExprKind::Word(on.to_string().into()) },
            Toggle::When(condition) => reconstruct_condition(condition, view, place),
        };
        permissions.push(Setting { key: word(&own.action), value });
    }
    let accepts = population.own_audiences.of_user(user).filter_map(|(slot, name)| {
        let AudienceSlot::Action(action) = slot else { return None };
        let value = Expr { span: place, kind: ExprKind::Word(name.to_owned().into()) };
        Some(Setting { key: word(action.as_str()), value })
    });
    let peers_audience = population.own_audiences.get(user, &AudienceSlot::Peers);
    let more = UserFields {
        peers: own.peers().map(PeersMode::as_str).or(peers_audience).map(word),
        permissions,
        accepts: accepts.collect(),
        moderation: Some(word(standing.moderation().as_str())),
        approval: own.sets_approval().then(|| word(standing.approval().as_str())),
        contacts: to(Relation::Contact),
        favorites: to(Relation::Favorite),
        paired: to(Relation::Pair),
        blocked: to(Relation::Block),
        friends: to(Relation::Friend),
        // The slice is of the moment of the view, at which nothing of it has ended.
        terms: Vec::new(),
    };
    User {
        id: text(population.directory.id(user), place),
        tags: list(tags.map(|tag| view.tags.name(tag).to_owned()).collect()),
        more: Some(Box::new(more)),
    }
}

/// Recursion is as deep as the condition, which the parsers limit.
fn reconstruct_condition<'s>(condition: &Condition<TagId>, view: &View, span: Span) -> Expr<'s> {
    let call =
        |name: &str, arguments: Vec<Expr<'s>>| ExprKind::Call { name: text(name, span), arguments };
    let all = |parts: &[Condition<TagId>]| -> Vec<Expr<'s>> {
        parts.iter().map(|part| reconstruct_condition(part, view, span)).collect()
    };
    let kind = match condition {
        Condition::Everyone => ExprKind::Word(EVERYONE.into()),
        Condition::Nobody => ExprKind::Word(NOBODY.into()),
        Condition::HasTag(tag) => {
            let word = ExprKind::Word(view.tags.name(*tag).to_owned().into());
            call("hasTag", vec![Expr { span, kind: word }])
        }
        Condition::During(during) => {
            let word = ExprKind::Word(during.window.to_string().into());
            call(DURING, vec![Expr { span, kind: word }])
        }
        Condition::Not(inner) => call("not", vec![reconstruct_condition(inner, view, span)]),
        Condition::All(parts) => call("all", all(parts)),
        Condition::Any(parts) => call("any", all(parts)),
    };
    Expr { span, kind }
}
