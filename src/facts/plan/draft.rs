use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{Authority, Batch, Change, Failure, Reason, Records, Refusal, Stated, World};
use crate::{
    facts::{Conversation, Group, Id, Key, Record, Rule, User},
    request::{Relation, Role},
};

/// The records that a command changes, as it changes them.
pub(super) struct Draft<'a, E> {
    pub(super) world: &'a dyn World,
    /// On whose behalf it is.
    pub(super) on_behalf: Option<&'a Id>,
    authority: Authority,
    batch: &'a mut Batch,
    records: &'a dyn Records<Error = E>,
    users: BTreeMap<String, User>,
    groups: BTreeMap<String, Group>,
    others: BTreeMap<Key, Option<Record>>,
}

impl<'a, E> Draft<'a, E> {
    pub(super) fn new(
        batch: &'a mut Batch,
        world: &'a dyn World,
        records: &'a dyn Records<Error = E>,
        (authority, on_behalf): (Authority, Option<&'a Id>),
    ) -> Self {
        let (users, groups, others) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { world, on_behalf, authority, batch, records, users, groups, others }
    }

    fn read(&mut self, key: &Key) -> Result<Option<Record>, Failure<E>> {
        let read = self.batch.get(key, |key| self.records.get(key)).map_err(Failure::Unread)?;
        Ok(read.map(|record| (*record).clone()))
    }

    /// The user's record; an empty one if there is none.
    pub(super) fn user(&mut self, id: &str) -> Result<&mut User, Failure<E>> {
        if !self.users.contains_key(id) {
            let user = match self.read(&Key::User(id.to_owned()))? {
                Some(Record::User(user)) => *user,
                _ => User::default(),
            };
            self.users.insert(id.to_owned(), user);
        }
        Ok(self.users.entry(id.to_owned()).or_default())
    }

    /// The group's record; an empty one if there is none.
    pub(super) fn group(&mut self, id: &str) -> Result<&mut Group, Failure<E>> {
        if !self.groups.contains_key(id) {
            let group = match self.read(&Key::Group(id.to_owned()))? {
                Some(Record::Group(group)) => *group,
                _ => Group::default(),
            };
            self.groups.insert(id.to_owned(), group);
        }
        Ok(self.groups.entry(id.to_owned()).or_default())
    }

    /// Whether there is a record of the conversation.
    pub(super) fn has_conversation(&mut self, key: &Key) -> Result<bool, Failure<E>> {
        Ok(self.read(key)?.is_some())
    }

    /// Puts or removes the record of the conversation.
    pub(super) fn set_conversation(
        &mut self,
        key: Key,
        conversation: Option<Conversation>,
    ) -> Result<(), Failure<E>> {
        self.read(&key)?;
        self.others.insert(key, conversation.map(Record::Conversation));
        Ok(())
    }

    /// Whether there is a record of the rule.
    pub(super) fn has_rule(&mut self, id: Uuid) -> Result<bool, Failure<E>> {
        Ok(self.read(&Key::Rule(id))?.is_some())
    }

    /// Puts or removes the record of the rule.
    pub(super) fn set_rule(&mut self, id: Uuid, rule: Option<Rule>) -> Result<(), Failure<E>> {
        self.read(&Key::Rule(id))?;
        self.others.insert(Key::Rule(id), rule.map(Record::Rule));
        Ok(())
    }

    /// Leaves the records to the batch, those that say nothing removed; what that changes.
    pub(super) fn finish(self) -> Vec<Change> {
        let Self { batch, users, groups, others, .. } = self;
        let users = users.into_iter().map(|(id, user)| {
            let record = (!user.is_empty()).then(|| Record::User(Box::new(user)));
            (Key::User(id), record)
        });
        let groups = groups.into_iter().map(|(id, group)| {
            let record = (group != Group::default()).then(|| Record::Group(Box::new(group)));
            (Key::Group(id), record)
        });
        let all = users.chain(groups).chain(others);
        all.filter_map(|(key, record)| batch.put(key, record)).collect()
    }
}

/// What is known, and what files state.
impl<E> Draft<'_, E> {
    /// Whether the user is known; that he stays so is made sure of.
    pub(super) fn knows_user(&mut self, id: &str) -> Result<bool, Failure<E>> {
        self.user(id)?;
        Ok(self.world.knows_user(id))
    }

    /// # Errors
    /// `unknown_subject` if the one who acts is not known.
    pub(super) fn subject(&mut self, id: &str) -> Result<(), Failure<E>> {
        let is_known = self.knows_user(id)?;
        is_known.then_some(()).ok_or_else(|| unknown_user(Reason::UnknownSubject, id).into())
    }

    /// # Errors
    /// `unknown_resource` if the other is not known.
    pub(super) fn other(&mut self, id: &str) -> Result<(), Failure<E>> {
        let is_known = self.knows_user(id)?;
        is_known.then_some(()).ok_or_else(|| unknown_user(Reason::UnknownResource, id).into())
    }

    /// # Errors
    /// If one of the two is not known, or they are the same.
    pub(super) fn pair(&mut self, from: &str, to: &str) -> Result<(), Failure<E>> {
        self.subject(from)?;
        self.other(to)?;
        not_oneself(from, to)?;
        Ok(())
    }

    /// Those whom a list names, for whom it matters little if they are gone a moment later.
    ///
    /// # Errors
    /// If one of them is not known, or is the one whose list it is.
    pub(super) fn all_known<'i>(
        &self,
        whose: Option<&str>,
        ids: impl IntoIterator<Item = &'i Id>,
    ) -> Result<(), Refusal> {
        for id in ids {
            if !self.world.knows_user(id) {
                return Err(unknown_user(Reason::UnknownResource, id));
            }
            whose.map_or(Ok(()), |whose| not_oneself(whose, id))?;
        }
        Ok(())
    }

    /// # Errors
    /// `unknown_resource` if there is no such group.
    pub(super) fn known_group(&mut self, id: &str) -> Result<(), Failure<E>> {
        self.group(id)?;
        if self.world.knows_group(id) {
            return Ok(());
        }
        let message = format!("no group `{}` is known; make it with put_group", shown(id));
        Err(Refusal::new(Reason::UnknownResource, message).into())
    }

    pub(super) fn is_stated(&self, what: &Stated<'_>) -> bool {
        self.world.stated(what).is_some()
    }

    /// # Errors
    /// `stated_by_file` if a file states it. `called` is what the message calls it.
    pub(super) fn not_stated(&self, what: &Stated<'_>, called: &str) -> Result<(), Refusal> {
        match self.world.stated(what) {
            Some(statement) => Err(Refusal::stated(called, statement.place)),
            None => Ok(()),
        }
    }

    /// Whether a field is left to records to set; not, if a file sets it to the same.
    ///
    /// # Errors
    /// `stated_by_file` if a file sets it to something else.
    pub(super) fn may_set(
        &self,
        what: &Stated<'_>,
        called: &str,
        value: &(impl Serialize + ?Sized),
    ) -> Result<bool, Refusal> {
        match self.world.stated(what) {
            None => Ok(true),
            Some(statement) if statement.value == json(value) => Ok(false),
            Some(statement) => Err(Refusal::stated(called, statement.place)),
        }
    }

    /// Sets the tags of a user's record.
    ///
    /// # Errors
    /// `protected_tag` if that gives or takes one that only files and administrators do.
    pub(super) fn set_tags(&mut self, id: &str, tags: BTreeSet<String>) -> Result<(), Failure<E>> {
        let is_administrator =
            self.authority == Authority::Administrator && self.on_behalf.is_none();
        let world = self.world;
        let user = self.user(id)?;
        let before = user.tags.clone().unwrap_or_default();
        if !is_administrator
            && let Some(tag) = before.symmetric_difference(&tags).find(|tag| world.protects(tag))
        {
            let message = format!(
                "the tag `{}` is protected: only policy files and administrators give or take it",
                shown(tag)
            );
            return Err(Refusal::new(Reason::ProtectedTag, message).into());
        }
        user.tags = Some(tags).filter(|tags| !tags.is_empty());
        Ok(())
    }

    /// Whether there is an edge between two users who are known, by files or records.
    pub(super) fn has_edge(
        &mut self,
        from: &str,
        relation: Relation,
        to: &str,
    ) -> Result<bool, Failure<E>> {
        if self.is_stated(&Stated::Edge(from, relation, to)) {
            return Ok(relation != Relation::Friend || self.ended_by(from, to)?.is_none());
        }
        Ok(self.user(from)?.has(relation, to))
    }

    /// Who of the two blocks the other, where that ends friendships.
    pub(super) fn ended_by<'i>(
        &mut self,
        one: &'i str,
        other: &'i str,
    ) -> Result<Option<&'i str>, Failure<E>> {
        if !self.world.settings().blocks_end_friendship {
            return Ok(None);
        }
        for (from, to) in [(one, other), (other, one)] {
            if self.is_stated(&Stated::Edge(from, Relation::Block, to))
                || self.user(from)?.has(Relation::Block, to)
            {
                return Ok(Some(from));
            }
        }
        Ok(None)
    }

    /// What a user is in a group, by files or records.
    pub(super) fn role(&mut self, group: &str, user: &str) -> Result<Option<Role>, Failure<E>> {
        if let Some(stated) = self.world.stated(&Stated::Member(group, user)) {
            let role = stated.value.as_str().and_then(|role| role.parse().ok());
            return Ok(Some(role.unwrap_or(Role::Member)));
        }
        Ok(self.group(group)?.members.get(user).map(|member| member.role))
    }
}

/// As records hold it.
pub(super) fn json(value: &(impl Serialize + ?Sized)) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// An id or another name as messages show it.
pub(super) fn shown(name: &str) -> impl std::fmt::Display {
    name.escape_debug()
}

fn unknown_user(reason: Reason, id: &str) -> Refusal {
    let message = format!("no user `{}` is known; make him with put_user", shown(id));
    Refusal::new(reason, message)
}

/// # Errors
/// `self` if the two are one.
pub(super) fn not_oneself(one: &str, other: &str) -> Result<(), Refusal> {
    if one != other {
        return Ok(());
    }
    let message = format!("`{}` can't do it to himself: name another user", shown(one));
    Err(Refusal::new(Reason::OneSelf, message))
}
