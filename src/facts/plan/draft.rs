//! The draft of one command: the records that it changes, and the checks that commands share.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{
    Authority, ChangeBuffer, CommandError, CommandSender, Declarable, Hint, PlanContext, PlanError,
    RecordChange, RecordSource, RefusalReason,
};
use crate::{
    facts::{
        ConversationRecord, GroupRecord, Id, Record, RecordKey, RuleRecord, Terms, UserRecord,
    },
    request::{Reason, Relation, Role},
};

/// The records that a command changes, while it is planned.
pub(super) struct Draft<'a, E> {
    pub(super) context: &'a dyn PlanContext,
    /// The acting user; `None` for an administrator's command.
    pub(super) on_behalf: Option<&'a Id>,
    pub(super) sender: &'a CommandSender,
    /// The terms of what the command states.
    pub(super) terms: Terms,
    batch: &'a mut ChangeBuffer,
    records: &'a dyn RecordSource<Error = E>,
    users: BTreeMap<String, UserRecord>,
    /// The records of which something has ended, without it: unless a command changes them, they stay as they are.
    ended: BTreeMap<String, UserRecord>,
    ended_groups: BTreeMap<String, GroupRecord>,
    groups: BTreeMap<String, GroupRecord>,
    others: BTreeMap<RecordKey, Option<Record>>,
}

impl<'a, E> Draft<'a, E> {
    pub(super) fn new(
        batch: &'a mut ChangeBuffer,
        world: &'a dyn PlanContext,
        records: &'a dyn RecordSource<Error = E>,
        sender: &'a CommandSender,
        on_behalf: Option<&'a Id>,
    ) -> Self {
        let (users, groups, others) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self {
            context: world,
            on_behalf,
            sender,
            terms: Terms::default(),
            batch,
            records,
            users,
            ended: BTreeMap::new(),
            ended_groups: BTreeMap::new(),
            groups,
            others,
        }
    }

    fn read(&mut self, key: &RecordKey) -> Result<Option<Record>, PlanError<E>> {
        let read = self
            .batch
            .get(key, |key| self.records.get(key))
            .map_err(PlanError::RecordUnreadable)?;
        Ok(read.map(|record| (*record).clone()))
    }

    /// The user's record, or an empty one.
    pub(super) fn user(&mut self, id: &str) -> Result<&mut UserRecord, PlanError<E>> {
        if !self.users.contains_key(id) {
            let user = match self.read(&RecordKey::User(id.to_owned()))? {
                Some(Record::User(user)) => *user,
                Some(
                    Record::Group(_)
                    | Record::Conversation(_)
                    | Record::Rule(_)
                    | Record::Idempotency(_),
                )
                | None => UserRecord::default(),
            };
            let user = match user.at(self.context.now()) {
                Cow::Borrowed(_) => user,
                Cow::Owned(current) => {
                    self.ended.insert(id.to_owned(), current.clone());
                    current
                }
            };
            self.users.insert(id.to_owned(), user);
        }
        Ok(self.users.entry(id.to_owned()).or_default())
    }

    /// The group's record, or an empty one.
    pub(super) fn group(&mut self, id: &str) -> Result<&mut GroupRecord, PlanError<E>> {
        if !self.groups.contains_key(id) {
            let group = match self.read(&RecordKey::Group(id.to_owned()))? {
                Some(Record::Group(group)) => *group,
                Some(
                    Record::User(_)
                    | Record::Conversation(_)
                    | Record::Rule(_)
                    | Record::Idempotency(_),
                )
                | None => GroupRecord::default(),
            };
            let group = match group.at(self.context.now()) {
                Cow::Borrowed(_) => group,
                Cow::Owned(current) => {
                    self.ended_groups.insert(id.to_owned(), current.clone());
                    current
                }
            };
            self.groups.insert(id.to_owned(), group);
        }
        Ok(self.groups.entry(id.to_owned()).or_default())
    }

    /// Whether there is a record of the conversation.
    pub(super) fn has_conversation(&mut self, key: &RecordKey) -> Result<bool, PlanError<E>> {
        Ok(self.read(key)?.is_some())
    }

    /// Puts or removes the record of the conversation.
    pub(super) fn set_conversation(
        &mut self,
        key: RecordKey,
        conversation: Option<ConversationRecord>,
    ) -> Result<(), PlanError<E>> {
        self.read(&key)?;
        self.others.insert(key, conversation.map(Record::Conversation));
        Ok(())
    }

    /// Whether there is a record of the rule.
    pub(super) fn has_rule(&mut self, id: Uuid) -> Result<bool, PlanError<E>> {
        Ok(self.read(&RecordKey::Rule(id))?.is_some())
    }

    /// Puts or removes the record of the rule.
    pub(super) fn set_rule(
        &mut self,
        id: Uuid,
        rule: Option<RuleRecord>,
    ) -> Result<(), PlanError<E>> {
        self.read(&RecordKey::Rule(id))?;
        self.others.insert(RecordKey::Rule(id), rule.map(Record::Rule));
        Ok(())
    }

    /// Writes the records to the buffer, without the empty ones, and returns the changes.
    pub(super) fn commit_to_buffer(self) -> Vec<RecordChange> {
        let Self { batch, users, ended, groups, ended_groups, others, .. } = self;
        let users = users.into_iter().filter(|(id, user)| ended.get(id) != Some(user));
        let users = users.map(|(id, mut user)| {
            user.remove_dangling_terms();
            let record = (!user.is_empty()).then(|| Record::User(Box::new(user)));
            (RecordKey::User(id), record)
        });
        let groups = groups.into_iter().filter(|(id, it)| ended_groups.get(id) != Some(it));
        let groups = groups.map(|(id, group)| {
            let record = (group != GroupRecord::default()).then(|| Record::Group(Box::new(group)));
            (RecordKey::Group(id), record)
        });
        let all = users.chain(groups).chain(others);
        all.filter_map(|(key, record)| batch.put(key, record)).collect()
    }
}

/// Checks against the known users and groups, and against the declarations of files.
impl<E> Draft<'_, E> {
    /// Whether the user is known. Reads their record, so that the batch is planned again if that changes.
    pub(super) fn knows_user(&mut self, id: &str) -> Result<bool, PlanError<E>> {
        self.user(id)?;
        Ok(self.context.knows_user(id))
    }

    /// Checks that the acting user is known.
    ///
    /// # Errors
    /// `unknown_subject` if not.
    pub(super) fn check_subject(&mut self, id: &str) -> Result<(), PlanError<E>> {
        let is_known = self.knows_user(id)?;
        is_known.then_some(()).ok_or_else(|| unknown_user(Reason::UnknownSubject, id).into())
    }

    /// Checks that the other user is known.
    ///
    /// # Errors
    /// `unknown_resource` if not.
    pub(super) fn check_other(&mut self, id: &str) -> Result<(), PlanError<E>> {
        let is_known = self.knows_user(id)?;
        is_known.then_some(()).ok_or_else(|| unknown_user(Reason::UnknownResource, id).into())
    }

    /// Checks that two different users are known.
    ///
    /// # Errors
    /// If one of the two is not known, or they are the same.
    pub(super) fn check_pair(&mut self, from: &str, to: &str) -> Result<(), PlanError<E>> {
        self.check_subject(from)?;
        self.check_other(to)?;
        check_distinct(from, to)?;
        Ok(())
    }

    /// Checks the users of a list, without reading their records: it does no harm if one of them is
    /// deleted a moment later.
    ///
    /// # Errors
    /// If one of them is not known, or is the owner of the list.
    pub(super) fn check_users_known<'i>(
        &self,
        whose: Option<&str>,
        ids: impl IntoIterator<Item = &'i Id>,
    ) -> Result<(), CommandError> {
        for id in ids {
            if !self.context.knows_user(id) {
                return Err(unknown_user(Reason::UnknownResource, id));
            }
            whose.map_or(Ok(()), |whose| check_distinct(whose, id))?;
        }
        Ok(())
    }

    /// Checks that the group is known.
    ///
    /// # Errors
    /// `unknown_resource` if not.
    pub(super) fn check_group(&mut self, id: &str) -> Result<(), PlanError<E>> {
        self.group(id)?;
        if self.context.knows_group(id) {
            return Ok(());
        }
        let problem = format!("no group `{}` is known", escaped(id));
        let error = CommandError::new(Reason::UnknownResource, problem);
        Err(error.with_hint(Hint::CreateGroup).into())
    }

    pub(super) fn is_declared(&self, what: &Declarable<'_>) -> bool {
        self.context.declaration(what).is_some()
    }

    /// Checks that no file states something; `called` is its name in the message.
    ///
    /// # Errors
    /// `stated_by_file` if one does.
    pub(super) fn check_undeclared(
        &self,
        what: &Declarable<'_>,
        called: &str,
    ) -> Result<(), CommandError> {
        match self.context.declaration(what) {
            Some(statement) => Err(CommandError::declared_in_file(called, statement.place)),
            None => Ok(()),
        }
    }

    /// Whether a record may set a field: not if a file sets it to the same value.
    ///
    /// # Errors
    /// `stated_by_file` if a file sets it to another value.
    pub(super) fn may_set(
        &self,
        what: &Declarable<'_>,
        called: &str,
        value: &(impl Serialize + ?Sized),
    ) -> Result<bool, CommandError> {
        match self.context.declaration(what) {
            None => Ok(true),
            Some(statement) if statement.value == to_json(value) => Ok(false),
            Some(statement) => Err(CommandError::declared_in_file(called, statement.place)),
        }
    }

    /// Sets the tags of a user's record.
    ///
    /// # Errors
    /// `protected_tag` if that gives or takes a tag that only files and administrators may.
    pub(super) fn set_tags(
        &mut self,
        id: &str,
        tags: BTreeSet<String>,
    ) -> Result<(), PlanError<E>> {
        let is_administrator =
            self.sender.authority == Authority::Administrator && self.on_behalf.is_none();
        let world = self.context;
        let user = self.user(id)?;
        let before = user.tags.clone().unwrap_or_default();
        if !is_administrator
            && let Some(tag) =
                before.symmetric_difference(&tags).find(|tag| world.is_protected_tag(tag))
        {
            let problem = format!(
                "tag `{}` is protected: only policy files and administrators give or take it",
                escaped(tag)
            );
            return Err(CommandError::new(RefusalReason::ProtectedTag, problem).into());
        }
        user.tags = Some(tags).filter(|tags| !tags.is_empty());
        Ok(())
    }

    /// Whether a known user has a relation to another, by files or records.
    pub(super) fn has_edge(
        &mut self,
        from: &str,
        relation: Relation,
        to: &str,
    ) -> Result<bool, PlanError<E>> {
        if self.is_declared(&Declarable::Edge(from, relation, to)) {
            return Ok(relation != Relation::Friend || self.ending_blocker(from, to)?.is_none());
        }
        Ok(self.user(from)?.has_edge(relation, to))
    }

    /// The one of the two who blocks the other, if blocks end friendships.
    pub(super) fn ending_blocker<'i>(
        &mut self,
        one: &'i str,
        other: &'i str,
    ) -> Result<Option<&'i str>, PlanError<E>> {
        if !self.context.settings().blocks_end_friendship {
            return Ok(None);
        }
        for (from, to) in [(one, other), (other, one)] {
            if self.is_declared(&Declarable::Edge(from, Relation::Block, to))
                || self.user(from)?.has_edge(Relation::Block, to)
            {
                return Ok(Some(from));
            }
        }
        Ok(None)
    }

    /// The role of a user in a group, by files or records.
    pub(super) fn role(&mut self, group: &str, user: &str) -> Result<Option<Role>, PlanError<E>> {
        if let Some(declared) = self.context.declaration(&Declarable::Member(group, user)) {
            let role = declared.value.as_str().and_then(|role| role.parse().ok());
            return Ok(Some(role.unwrap_or(Role::Member)));
        }
        Ok(self.group(group)?.members.get(user).map(|member| member.role))
    }
}

/// A value as records hold it.
pub(super) fn to_json(value: &(impl Serialize + ?Sized)) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// An id or another name as messages show it, with control characters escaped.
pub(super) fn escaped(name: &str) -> impl std::fmt::Display {
    name.escape_debug()
}

fn unknown_user(reason: Reason, id: &str) -> CommandError {
    let problem = format!("no user `{}` is known", escaped(id));
    CommandError::new(reason, problem).with_hint(Hint::CreateUser)
}

/// Checks that two users are different.
///
/// # Errors
/// `self` if they are the same.
pub(super) fn check_distinct(one: &str, other: &str) -> Result<(), CommandError> {
    if one != other {
        return Ok(());
    }
    let problem = format!("`{}` can't do it to themselves", escaped(one));
    Err(CommandError::new(Reason::OneSelf, problem).with_hint(Hint::NameAnotherUser))
}
