//! The record that the fields of a block make up. A field that is given again is reported, and the first one
//! counts.

use std::collections::{HashMap, hash_map::Entry};

use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
    syntax::{
        ast::{
            AudienceMode, Conversation, Expr, Group, Item, List, Peers, Permission, Setting,
            Spanned, Term, Text, TimedList, User, UserFields,
        },
        dsl::{
            context::Context,
            sections::{Keyword, ListField, ValueField},
        },
        keys,
    },
};

/// A field of a block.
#[derive(Debug)]
pub(super) enum Field<'s> {
    List(ListField, List<'s>),
    // A list of a user or group some of whose elements have terms.
    TimedList(ListField, Box<TimedList<'s>>),
    Value(ValueField, Text<'s>),
    TimedValue(ValueField, Box<(Text<'s>, Term<'s>)>),
    Permissions(Vec<Setting<'s>>),
    Accepts(Vec<Setting<'s>>),
    // Boxed, as it would be the largest of those that users have.
    Unless(Box<Expr<'s>>),
    Requires(Box<Expr<'s>>),
    Default(Text<'s>),
    AudienceMode(Box<AudienceMode<'s>>),
}

/// A field and the place of its name; `None` if it is broken.
pub(super) type Given<'s> = Option<Spanned<Field<'s>>>;

/// A keyed item.
pub(super) trait Keyed {
    fn key(&self) -> &Text<'_>;
}

impl Keyed for Setting<'_> {
    fn key(&self) -> &Text<'_> {
        &self.key
    }
}

impl Keyed for Permission<'_> {
    fn key(&self) -> &Text<'_> {
        &self.key
    }
}

impl Context<'_> {
    pub(super) fn user<'s>(&self, id: Text<'s>) -> User<'s> {
        self.given.borrow_mut().clear();
        User { id, tags: None, more: None }
    }

    pub(super) fn user_field<'s>(&self, user: &mut User<'s>, given: Given<'s>) {
        let Some(Spanned { value, span }) = given else { return };
        if !self.is_first(value.keyword(), span) {
            return;
        }
        match value {
            Field::List(ListField::Tags, list) => user.tags = Some(list),
            Field::TimedList(ListField::Tags, timed) => {
                let (list, terms) = *timed;
                user.tags = Some(list);
                user.add_terms(terms);
            }
            other => other.add_to_user(user.more.get_or_insert_default()),
        }
    }

    pub(super) fn group<'s>(&self, id: Text<'s>) -> Group<'s> {
        self.given.borrow_mut().clear();
        Group {
            id,
            matrix: None,
            creator: None,
            super_admins: None,
            admins: None,
            members: None,
            muted: None,
            banned: None,
            requires: None,
            terms: Vec::new(),
        }
    }

    pub(super) fn group_field<'s>(&self, group: &mut Group<'s>, given: Given<'s>) {
        let Some(Spanned { value, span }) = given else { return };
        if self.is_first(value.keyword(), span) {
            value.add_to_group(group);
        }
    }

    /// Peers modes up to now: none. The place is that of the section's name once it is known.
    pub(super) fn peers<'s>(&self, at: usize) -> Peers<'s> {
        self.given.borrow_mut().clear();
        Peers { span: self.span(at, at), default: None, modes: Vec::new() }
    }

    pub(super) fn default_mode<'s>(&self, peers: &mut Peers<'s>, name: Span, mode: Text<'s>) {
        if self.is_first(Keyword::Default, name) {
            peers.default = Some(mode);
        }
    }

    /// A section of lints: what it lists under `allow`.
    pub(super) fn lints<'s>(&self, name: Span, fields: Vec<Given<'s>>) -> Item<'s> {
        self.given.borrow_mut().clear();
        let mut allowed = Spanned::new(Vec::new(), name);
        for Spanned { value, span } in fields.into_iter().flatten() {
            if self.is_first(value.keyword(), span)
                && let Field::List(ListField::Allow, list) = value
            {
                allowed = list;
            }
        }
        Item::Lints(allowed)
    }

    /// Whether the record in hand has no such field yet. If it has, that is a mistake.
    pub(super) fn is_first(&self, keyword: Keyword, span: Span) -> bool {
        let mut given = self.given.borrow_mut();
        let first = given.iter().find(|(known, _)| *known == keyword).map(|&(_, first)| first);
        let Some(first) = first else {
            given.push((keyword, span));
            return true;
        };
        let name = self.text.get(span.start()..span.end()).unwrap_or_default();
        let again = Spanned::new(name.into(), span);
        self.report(keys::duplicate_key(Code::DuplicateKey, "field", &again, first));
        false
    }

    /// The entries of a block, each key once.
    pub(super) fn distinct<T: Keyed>(&self, mut entries: Vec<T>) -> Vec<T> {
        if entries.len() < 2 {
            return entries;
        }
        let mut firsts = HashMap::with_capacity(entries.len());
        let again: Vec<bool> = entries
            .iter()
            .map(|entry| {
                let key = entry.key();
                match firsts.entry(&*key.value) {
                    Entry::Vacant(place) => {
                        place.insert(key.span);
                        false
                    }
                    Entry::Occupied(first) => {
                        let first = *first.get();
                        self.report(keys::duplicate_key(Code::DuplicateKey, "key", key, first));
                        true
                    }
                }
            })
            .collect();
        let mut again = again.into_iter();
        entries.retain(|_| again.next() != Some(true));
        entries
    }

    /// The conversation of these users, who must be two.
    pub(super) fn conversation<'s>(
        &self,
        name: Span,
        users: Vec<Text<'s>>,
    ) -> Option<Box<Item<'s>>> {
        let span = users.iter().fold(name, |span, user| span.to(user.span));
        match <[Text<'s>; 2]>::try_from(users) {
            Ok(users) => Some(Box::new(Item::Conversation(Box::new(Conversation { users })))),
            Err(users) => {
                let message = format!("a conversation is between two users, found {}", users.len());
                self.report(
                    Diagnostic::error(Code::WrongType, span, message)
                        .hint("write a statement for each pair: `conversation alice, bob;`"),
                );
                None
            }
        }
    }
}

impl<'s> Field<'s> {
    pub(super) fn keyword(&self) -> Keyword {
        match self {
            Self::List(field, _) | Self::TimedList(field, _) => Keyword::List(*field),
            Self::Value(field, _) | Self::TimedValue(field, _) => Keyword::Value(*field),
            Self::Permissions(_) => Keyword::Permissions,
            Self::Accepts(_) => Keyword::OwnAccepts,
            Self::Unless(_) => Keyword::Unless,
            Self::Requires(_) => Keyword::Requires,
            // Of the modes there may be many, which are not asked.
            Self::Default(_) | Self::AudienceMode(_) => Keyword::Default,
        }
    }

    /// Adds a field to a user's other fields. The layout hands out no field of a group there.
    fn add_to_user(self, user: &mut UserFields<'s>) {
        match self {
            Self::TimedList(field, timed) => {
                let (list, terms) = *timed;
                user.terms.extend(terms);
                Self::List(field, list).add_to_user(user);
            }
            Self::TimedValue(field, timed) => {
                let (text, term) = *timed;
                user.terms.push(term);
                Self::Value(field, text).add_to_user(user);
            }
            Self::List(field, list) => {
                let list = Some(list);
                match field {
                    ListField::Contacts => user.contacts = list,
                    ListField::Favorites => user.favorites = list,
                    ListField::Paired => user.paired = list,
                    ListField::Blocked => user.blocked = list,
                    ListField::Friends => user.friends = list,
                    ListField::Tags
                    | ListField::SuperAdmins
                    | ListField::Admins
                    | ListField::Members
                    | ListField::Muted
                    | ListField::Banned
                    | ListField::Allow
                    | ListField::Actions
                    | ListField::Days
                    | ListField::Except => {}
                }
            }
            Self::Value(field, value) => match field {
                ValueField::Peers => user.peers = Some(value),
                ValueField::Moderation => user.moderation = Some(value),
                ValueField::Approval => user.approval = Some(value),
                ValueField::Matrix
                | ValueField::Creator
                | ValueField::Asked
                | ValueField::Otherwise
                | ValueField::Groups
                | ValueField::Opens
                | ValueField::Closes
                | ValueField::Zone => {}
            },
            Self::Permissions(permissions) => user.permissions = permissions,
            Self::Accepts(accepts) => user.accepts = accepts,
            Self::Unless(_) | Self::Requires(_) | Self::Default(_) | Self::AudienceMode(_) => {}
        }
    }

    /// Adds a field to a group. The layout hands out no field of a user there.
    fn add_to_group(self, group: &mut Group<'s>) {
        match self {
            Self::TimedList(field, timed) => {
                let (list, terms) = *timed;
                group.terms.extend(terms);
                Self::List(field, list).add_to_group(group);
            }
            Self::List(ListField::SuperAdmins, list) => group.super_admins = Some(list),
            Self::List(ListField::Admins, list) => group.admins = Some(list),
            Self::List(ListField::Members, list) => group.members = Some(list),
            Self::List(ListField::Muted, list) => group.muted = Some(list),
            Self::List(ListField::Banned, list) => group.banned = Some(list),
            Self::Requires(condition) => group.requires = Some(*condition),
            Self::Value(ValueField::Matrix, name) => group.matrix = Some(name),
            Self::Value(ValueField::Creator, id) => group.creator = Some(id),
            _ => {}
        }
    }
}
