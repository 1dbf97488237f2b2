//! The overlay of statements over a policy, as tests of policies give them.

use std::collections::HashMap;

use crate::syntax::ast::{
    Group, Item, Matrix, Peers, Rule, Settings, Term, TermOf, Text, User, UserFields,
};

/// Overlays statements with others. A record replaces the fields that it gives, a section of settings
/// the keys, a rule those of the same id or name, and a window the one of its name; everything else is added.
///
/// The overlay comes first. Costs a look at each item, and for rules and settings at each item of the
/// overlay too.
pub(super) fn overlay_items<'s>(
    stated: impl IntoIterator<Item = Item<'s>>,
    given: Vec<Item<'s>>,
) -> Vec<Item<'s>> {
    let mut over = Overlay::new(given);
    let kept: Vec<Item<'s>> =
        stated.into_iter().filter_map(|item| over.remaining_item(item)).collect();
    let mut items = over.items;
    items.extend(kept);
    items
}

/// The overlaying statements, found by what they concern.
struct Overlay<'s> {
    items: Vec<Item<'s>>,
    /// The positions of records, by kind and id.
    records: HashMap<(OverlayKind, String), usize>,
    rules: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum OverlayKind {
    User,
    Group,
    Matrix,
    Window,
}

impl<'s> Overlay<'s> {
    fn new(items: Vec<Item<'s>>) -> Self {
        let mut records = HashMap::new();
        for (at, item) in items.iter().enumerate() {
            let id = match item {
                Item::User(user) => (OverlayKind::User, &user.id),
                Item::Group(group) => (OverlayKind::Group, &group.id),
                Item::Matrix(matrix) => (OverlayKind::Matrix, &matrix.name),
                Item::Window(window) => (OverlayKind::Window, &window.name),
                Item::Tags(_)
                | Item::ProtectedTags(_)
                | Item::Rules(_)
                | Item::Rule(_)
                | Item::RuleSet(_)
                | Item::Barrier(_)
                | Item::Audience(_)
                | Item::Accepts(_)
                | Item::Action(_)
                | Item::Word(_)
                | Item::Settings(_)
                | Item::Peers(_)
                | Item::Conversation(_)
                | Item::Invariant(_)
                | Item::Lints(_) => continue,
            };
            records.entry((id.0, id.1.value.to_string())).or_insert(at);
        }
        let rules = items.iter().any(|item| matches!(item, Item::Rule(_)));
        Self { items, records, rules }
    }

    /// The rest of a policy's item that the overlay leaves; the fields that an overlaying record leaves
    /// out go to that record.
    fn remaining_item(&mut self, item: Item<'s>) -> Option<Item<'s>> {
        match item {
            Item::Rule(rule) => {
                let is_same = |it: &Item<'_>| matches!(it, Item::Rule(it) if same_rule(it, &rule));
                let is_replaced = self.rules && self.items.iter().any(is_same);
                (!is_replaced).then_some(Item::Rule(rule))
            }
            Item::Word(word) => {
                let is_same =
                    |it: &Item<'_>| matches!(it, Item::Word(it) if it.section == word.section);
                (!self.items.iter().any(is_same)).then_some(Item::Word(word))
            }
            Item::Settings(stated) => {
                Some(Item::Settings(Box::new(self.remaining_settings(*stated))))
            }
            Item::Peers(stated) => Some(Item::Peers(Box::new(self.remaining_peers(*stated)))),
            Item::User(stated) => match self.record(OverlayKind::User, &stated.id) {
                Some(Item::User(given)) => {
                    complete_user(given, stated);
                    None
                }
                _ => Some(Item::User(stated)),
            },
            Item::Group(stated) => match self.record(OverlayKind::Group, &stated.id) {
                Some(Item::Group(given)) => {
                    complete_group(given, *stated);
                    None
                }
                _ => Some(Item::Group(stated)),
            },
            Item::Matrix(stated) => match self.record(OverlayKind::Matrix, &stated.name) {
                Some(Item::Matrix(given)) => {
                    complete_matrix(given, *stated);
                    None
                }
                _ => Some(Item::Matrix(stated)),
            },
            Item::Window(stated) => match self.record(OverlayKind::Window, &stated.name) {
                Some(_) => None,
                None => Some(Item::Window(stated)),
            },
            Item::Tags(_)
            | Item::ProtectedTags(_)
            | Item::Rules(_)
            | Item::RuleSet(_)
            | Item::Barrier(_)
            | Item::Audience(_)
            | Item::Accepts(_)
            | Item::Action(_)
            | Item::Conversation(_)
            | Item::Invariant(_)
            | Item::Lints(_) => Some(item),
        }
    }

    fn record(&mut self, kind: OverlayKind, id: &Text<'_>) -> Option<&mut Item<'s>> {
        if self.records.is_empty() {
            return None;
        }
        let at = *self.records.get(&(kind, id.value.to_string()))?;
        self.items.get_mut(at)
    }

    fn remaining_settings(&self, mut stated: Settings<'s>) -> Settings<'s> {
        for item in &self.items {
            let Item::Settings(given) = item else { continue };
            if given.section == stated.section {
                let is_given =
                    |key: &Text<'_>| given.entries.iter().any(|it| it.key.value == key.value);
                stated.entries.retain(|entry| !is_given(&entry.key));
            }
        }
        stated
    }

    fn remaining_peers(&self, mut stated: Peers<'s>) -> Peers<'s> {
        for item in &self.items {
            let Item::Peers(given) = item else { continue };
            if given.default.is_some() {
                stated.default = None;
            }
            if !given.modes.is_empty() {
                stated.modes.clear();
            }
        }
        stated
    }
}

fn same_rule(given: &Rule<'_>, stated: &Rule<'_>) -> bool {
    let same = |one: &Option<Text<'_>>, other: &Option<Text<'_>>| match (one, other) {
        (Some(one), Some(other)) => one.value.eq_ignore_ascii_case(&other.value),
        _ => false,
    };
    let same_name = given.name.as_ref().map(|name| &name.value)
        == stated.name.as_ref().map(|name| &name.value)
        && given.name.is_some();
    same(&given.rule_id, &stated.rule_id) || same_name
}

/// Completes an overlaying user with the fields that it leaves out.
fn complete_user<'s>(given: &mut User<'s>, stated: User<'s>) {
    let User { id: _, tags, more } = stated;
    let Some(stated) = more else {
        given.tags = given.tags.take().or(tags);
        return;
    };
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
    } = *stated;
    let has_tags = given.tags.is_some();
    given.tags = given.tags.take().or(tags);
    let given = given.more.get_or_insert_default();
    let is_left_out = |term: &Term<'_>| match term.of {
        TermOf::Tags => !has_tags,
        TermOf::Contacts => given.contacts.is_none(),
        TermOf::Favorites => given.favorites.is_none(),
        TermOf::Paired => given.paired.is_none(),
        TermOf::Blocked => given.blocked.is_none(),
        TermOf::Friends => given.friends.is_none(),
        TermOf::Moderation => given.moderation.is_none(),
        TermOf::Muted | TermOf::Banned => false,
    };
    let terms: Vec<Term<'s>> = terms.into_iter().filter(is_left_out).collect();
    given.terms.extend(terms);
    if given.permissions.is_empty() {
        given.permissions = permissions;
    }
    if given.accepts.is_empty() {
        given.accepts = accepts;
    }
    given.peers = given.peers.take().or(peers);
    given.moderation = given.moderation.take().or(moderation);
    given.approval = given.approval.take().or(approval);
    given.contacts = given.contacts.take().or(contacts);
    given.favorites = given.favorites.take().or(favorites);
    given.paired = given.paired.take().or(paired);
    given.blocked = given.blocked.take().or(blocked);
    given.friends = given.friends.take().or(friends);
}

/// Completes an overlaying group with the fields that it leaves out.
fn complete_group<'s>(given: &mut Group<'s>, stated: Group<'s>) {
    let Group {
        id: _,
        matrix,
        creator,
        super_admins,
        admins,
        members,
        muted,
        banned,
        requires,
        terms,
    } = stated;
    let is_left_out = |term: &Term<'_>| match term.of {
        TermOf::Muted => given.muted.is_none(),
        TermOf::Banned => given.banned.is_none(),
        TermOf::Tags
        | TermOf::Contacts
        | TermOf::Favorites
        | TermOf::Paired
        | TermOf::Blocked
        | TermOf::Friends
        | TermOf::Moderation => false,
    };
    let terms: Vec<Term<'s>> = terms.into_iter().filter(is_left_out).collect();
    given.terms.extend(terms);
    given.matrix = given.matrix.take().or(matrix);
    given.creator = given.creator.take().or(creator);
    given.super_admins = given.super_admins.take().or(super_admins);
    given.admins = given.admins.take().or(admins);
    given.members = given.members.take().or(members);
    given.muted = given.muted.take().or(muted);
    given.banned = given.banned.take().or(banned);
    given.requires = given.requires.take().or(requires);
}

fn complete_matrix<'s>(given: &mut Matrix<'s>, stated: Matrix<'s>) {
    for permission in stated.permissions {
        if given.permissions.iter().all(|it| it.key.value != permission.key.value) {
            given.permissions.push(permission);
        }
    }
}
