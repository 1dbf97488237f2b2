//! The effective facts, read from the served view and the store as of one revision.

use std::{collections::BTreeSet, sync::Arc};

use uuid::Uuid;

use crate::{
    compile::merge::{
        GroupFieldValues, UserFieldValues, declared_group_fields, declared_user_fields,
        switch_setting,
    },
    facts::{
        DeclaredBy, EffectiveGroup, EffectiveRule, EffectiveRules, EffectiveUser, FileLine,
        GroupRecord, Record, RecordKey, RecordKind, RuleRecord, Version, VersionedUserRecord,
        relation_list_name,
    },
    live::{ServedPolicy, facts::FactsHandle},
    request::{self, DeclaredField, Moderation, Relation, Role, RuleSource},
    snapshot::{self, Directory, GroupRestrictions, GroupView, UserNumber},
    store::{Store, StoreError},
};

/// The number of records that are read at once.
const PAGE: usize = 1000;

/// The reason why facts can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The store is ahead of the served view; retry.
    #[error("the served view is behind the store; try again")]
    ViewBehind,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The records of a store, as of the served revision.
struct ServedRecords<'k> {
    store: Option<&'k dyn Store>,
    served: u64,
}

impl ServedRecords<'_> {
    fn get(&self, key: &RecordKey) -> Result<Option<(Version, Record)>, ReadError> {
        let Some(store) = self.store else { return Ok(None) };
        match store.get(key)? {
            Some(entry) if entry.version > self.served => Err(ReadError::ViewBehind),
            found => Ok(found.map(|entry| (entry.version, entry.record))),
        }
    }

    fn user(&self, id: &str) -> Result<Option<VersionedUserRecord>, ReadError> {
        Ok(match self.get(&RecordKey::User(id.to_owned()))? {
            Some((version, Record::User(user))) => Some(VersionedUserRecord {
                record: *user,
                version: Some(version),
                has_unknown_friends: false,
            }),
            _ => None,
        })
    }
}

impl ServedPolicy {
    /// The record of a user, without friends and requests of unknown users; `None` if there is no user of
    /// this id. Costs the record.
    ///
    /// # Errors
    /// If the record can't be read, or is ahead of the served view.
    pub fn user_record(
        &self,
        facts: Option<&FactsHandle>,
        id: &str,
    ) -> Result<Option<VersionedUserRecord>, ReadError> {
        let kept = self.records(facts).user(id)?;
        let population = &self.view.population;
        let Some(number) = population.directory.number(id) else { return Ok(None) };
        if facts.is_some()
            && kept.is_none()
            && !population.declared_fields(number).contains(DeclaredField::Itself)
        {
            return Err(ReadError::ViewBehind);
        }
        let mut kept = kept.unwrap_or_default();
        kept.record.remove_ended(self.view.at.millis());
        let is_known = |id: &str| population.directory.number(id).is_some();
        kept.has_unknown_friends = !kept.record.friends.keys().all(|id| is_known(id));
        kept.record.friends.retain(|id, _| is_known(id));
        kept.record.requests.retain(|id, _| is_known(id));
        Ok(Some(kept))
    }

    /// The effective user of an id; `None` if there is no such user. Costs the user's ties.
    ///
    /// # Errors
    /// If the record can't be read, or is ahead of the served view.
    pub fn user(
        &self,
        facts: Option<&FactsHandle>,
        id: &str,
    ) -> Result<Option<EffectiveUser>, ReadError> {
        let Some(VersionedUserRecord { record, version, .. }) = self.user_record(facts, id)? else {
            return Ok(None);
        };
        let view = &self.view;
        let population = &view.population;
        let Some(number) = population.directory.number(id) else { return Ok(None) };
        let declared = population.declared_fields(number);
        let fields = UserFieldValues::from_population(population, number);
        let fields = fields.map(&mut |&tag| view.tags.name(tag).to_owned());
        let permissions = fields
            .set_permissions()
            .map(|(switch, toggle)| (switch, switch_setting(toggle)))
            .collect();
        let own_permissions = fields.own_switches.iter();
        let own_permissions = own_permissions
            .map(|(action, it)| (Arc::clone(action), switch_setting(&it.toggle)))
            .collect();
        let mut relations: Vec<(Relation, Vec<String>)> =
            Relation::ALL.iter().map(|&relation| (relation, Vec::new())).collect();
        let mut conversations = Vec::new();
        let mut of_files = BTreeSet::new();
        for (other, tie) in population.ties_of(number) {
            if !population.directory.is_known(other) {
                continue;
            }
            let other = population.directory.id(other);
            for (relation, ids) in &mut relations {
                if tie.outgoing(*relation) {
                    ids.push(other.to_owned());
                }
                if tie.is_declared(*relation) {
                    of_files.insert(*relation as usize);
                }
            }
            if tie.is_conversation() {
                conversations.push(other.to_owned());
            }
        }
        relations.iter_mut().for_each(|(_, ids)| ids.sort_unstable());
        conversations.sort_unstable();
        let groups = view.groups.groups_of(number).into_iter();
        let groups = groups.filter_map(|group| Some(view.groups.get(group)?.id.to_owned()));
        Ok(Some(EffectiveUser {
            permissions,
            tags: fields.tags.unwrap_or_default(),
            peers: fields.peers,
            moderation: fields.moderation.unwrap_or(Moderation::None),
            approval: fields.approval,
            accepts: fields.accepts.unwrap_or_default(),
            own_permissions,
            relations,
            conversations,
            groups: groups.collect(),
            terms: self.terms(number, &record),
            record,
            version,
            declared_by: self.declared_user(declared, &of_files),
        }))
    }

    /// The effective group of an id; `None` if there is no such group. Costs its members.
    ///
    /// # Errors
    /// If its record can't be read, or is ahead of the served view.
    pub fn group(
        &self,
        facts: Option<&FactsHandle>,
        id: &str,
    ) -> Result<Option<EffectiveGroup>, ReadError> {
        let (version, mut record) =
            match self.records(facts).get(&RecordKey::Group(id.to_owned()))? {
                Some((version, Record::Group(group))) => (Some(version), *group),
                _ => (None, GroupRecord::default()),
            };
        let view = &self.view;
        let directory = &view.population.directory;
        let number = view.groups.number(id);
        let Some(group) = number.and_then(|number| view.groups.get(number)) else {
            return Ok(None);
        };
        let of_files = self.declarations.as_ref().and_then(|declarations| declarations.group(id));
        if facts.is_some() && of_files.is_none() && !record.created {
            return Err(ReadError::ViewBehind);
        }
        // Without facts, the view alone knows the matrix.
        let fields = self.declarations.as_ref().and_then(|_| {
            GroupFieldValues::merge(of_files.map(|(group, _)| group), Some(&record), self.view.at)
        });
        let matrix = if let Some(fields) = fields {
            fields.matrix().to_owned()
        } else {
            let matrix = group.matrix.and_then(|number| view.matrix(number));
            matrix.map(|matrix| matrix.name.clone()).unwrap_or_default()
        };
        let member = |user| Some((directory.id(user).to_owned(), group.role(user)?));
        let mut members: Vec<(String, Role)> =
            group.members().filter(|&user| directory.is_known(user)).filter_map(member).collect();
        members.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let creator = group.creator.filter(|&user| directory.is_known(user));
        let creator = creator.map(|user| directory.id(user).to_owned());
        let is_known = |id: &str| directory.number(id).is_some();
        record.members.retain(|id, _| is_known(id));
        record.remove_ended(view.at.millis());
        record.muted.retain(|id, _| is_known(id));
        record.banned.retain(|id, _| is_known(id));
        let requires = group.restrictions.and_then(GroupRestrictions::requires);
        let requires = requires.map(|it| it.condition.map(&mut |&tag| view.tags.name(tag)));
        let (muted, banned) = restricted_users(&group, directory);
        for member in record.members.values_mut() {
            member.by = member.by.take().filter(|by| is_known(by));
        }
        let declared_by = of_files.map(|(group, place)| {
            let fields = declared_group_fields(group).map(str::to_owned).collect();
            DeclaredBy { place: self.place(place), fields }
        });
        Ok(Some(EffectiveGroup {
            matrix,
            creator,
            members,
            muted,
            banned,
            requires: requires.map(|it| it.to_string()),
            record,
            version,
            declared_by,
        }))
    }

    /// The rules that list tags whose id comes after one, `limit` at most. Costs those that it returns, and those
    /// that do more than list tags.
    ///
    /// # Errors
    /// If records can't be read. That happens only where no rule counts: the others are in memory.
    pub fn rules(
        &self,
        facts: Option<&FactsHandle>,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<EffectiveRules, ReadError> {
        if let Some(book) = &self.view.rules {
            let first = after.map_or(0, |after| book.rules.partition_point(|it| it.id <= after));
            // A rule that does more than list tags has no form here: without the rest it would say too much.
            let later = book.rules.iter().skip(first).filter(|rule| rule.is_plain()).take(limit);
            let rules = later.map(|rule| self.effective_rule(rule)).collect();
            return Ok(EffectiveRules { rules, in_force: true });
        }
        let mut rules = Vec::new();
        let mut from = after.map(RecordKey::Rule);
        while let Some(FactsHandle { store, .. }) = facts
            && rules.len() < limit
        {
            let most = PAGE.min(limit - rules.len());
            let page = store.list(RecordKind::Rule, from.as_ref(), most)?;
            from = page.last().map(|entry| entry.key.clone());
            let is_last = page.len() < most;
            for entry in page {
                if entry.version > self.view.revision.facts {
                    return Err(ReadError::ViewBehind);
                }
                if let (RecordKey::Rule(id), Record::Rule(rule)) = (entry.key, entry.record) {
                    rules.push(EffectiveRule { id, rule, declared_by: None });
                }
            }
            if is_last {
                break;
            }
        }
        Ok(EffectiveRules { rules, in_force: false })
    }

    /// The rule of an id; `None` if there is no such rule, or it does more than list tags.
    ///
    /// # Errors
    /// If its record can't be read, or is ahead of the served view.
    pub fn rule(
        &self,
        facts: Option<&FactsHandle>,
        id: Uuid,
    ) -> Result<Option<EffectiveRule>, ReadError> {
        if let Some(book) = &self.view.rules
            && let Ok(at) = book.rules.binary_search_by_key(&id, |rule| rule.id)
        {
            let rule = book.rules.get(at).filter(|rule| rule.is_plain());
            return Ok(rule.map(|rule| self.effective_rule(rule)));
        }
        Ok(match self.records(facts).get(&RecordKey::Rule(id))? {
            Some((_, Record::Rule(rule))) => Some(EffectiveRule { id, rule, declared_by: None }),
            _ => None,
        })
    }

    /// The two users of each conversation, in order, after the pair `after`, `limit` at
    /// most. Costs a pass over the ties of the users that it returns.
    pub fn conversations(&self, after: Option<(&str, &str)>, limit: usize) -> Vec<(&str, &str)> {
        let population = &self.view.population;
        let directory = &population.directory;
        let first = after.and_then(|(one, _)| directory.number(one));
        let later = directory.iter_by_id(&population.everyone, after.map(|(one, _)| one));
        let mut found = Vec::new();
        for user in first.into_iter().chain(later) {
            let one = directory.id(user);
            let others = population.ties_of(user);
            let others =
                others.filter(|&(other, tie)| tie.is_conversation() && directory.is_known(other));
            let mut others: Vec<&str> = others.map(|(other, _)| directory.id(other)).collect();
            others.retain(|&other| one < other && after.is_none_or(|after| (one, other) > after));
            others.sort_unstable();
            found.extend(others.into_iter().map(|other| (one, other)));
            if found.len() >= limit {
                found.truncate(limit);
                break;
            }
        }
        found
    }

    /// The number of conversations of two known users. Costs a pass over the ties of unknown users.
    pub fn conversation_count(&self) -> u64 {
        let population = &self.view.population;
        let is_known = |user| population.directory.is_known(user);
        let asleep = population.tombstones.iter().map(|user| {
            let others = population.ties_of(user).filter(|(_, tie)| tie.is_conversation());
            // A conversation of two unknown users is counted once.
            others.filter(|&(other, _)| is_known(other) || user < other).count() as u64
        });
        self.view.counts().conversations - asleep.sum::<u64>()
    }

    fn records<'k>(&self, facts: Option<&'k FactsHandle>) -> ServedRecords<'k> {
        let store = facts.map(|facts| &*facts.store);
        ServedRecords { store, served: self.view.revision.facts }
    }

    /// A rule that counts: as it was sent, or if a file states it, in canonical text.
    fn effective_rule(&self, rule: &snapshot::CompiledRule) -> EffectiveRule {
        let name = |tag| self.view.tags.name(tag).to_owned();
        let (condition, outcome) = match rule.source.clone() {
            Some(RuleSource { condition, outcome }) => (condition, outcome),
            None => (
                rule.condition.map(&mut |&tag| name(tag)).to_string(),
                rule.outcome.tags().iter().map(|&tag| name(tag)).collect(),
            ),
        };
        let (name, description) = (rule.name.clone(), rule.description.clone());
        let place =
            self.declarations.as_ref().and_then(|declarations| declarations.rule_place(rule.id));
        let declared_by =
            place.map(|place| DeclaredBy { place: self.place(place), fields: Vec::new() });
        let record = RuleRecord { name, description, condition, outcome };
        EffectiveRule { id: rule.id, rule: record, declared_by }
    }

    fn place(&self, place: request::DeclarationSite) -> FileLine {
        let file = self
            .declarations
            .as_ref()
            .map_or("", |declarations| declarations.file_name(place))
            .to_owned();
        FileLine { file, line: place.line as usize }
    }

    fn declared_user(
        &self,
        declared: request::DeclaredFields,
        relations: &BTreeSet<usize>,
    ) -> Option<DeclaredBy> {
        // Without facts, no client needs the places of declarations.
        self.declarations.as_ref()?;
        let lists = Relation::ALL.iter().filter(|&&it| relations.contains(&(it as usize)));
        let fields = declared_user_fields(declared)
            .chain(lists.map(|relation| relation_list_name(*relation).to_owned()))
            .collect();
        declared
            .contains(DeclaredField::Itself)
            .then(|| DeclaredBy { place: self.place(declared.site()), fields })
    }
}

/// The known users whom a group mutes, and those whom it bans, in the order of ids.
fn restricted_users(group: &GroupView<'_>, directory: &Directory) -> (Vec<String>, Vec<String>) {
    let ids = |users: &mut dyn Iterator<Item = UserNumber>| -> Vec<String> {
        let known = users.filter(|&user| directory.is_known(user));
        let mut ids: Vec<String> = known.map(|user| directory.id(user).to_owned()).collect();
        ids.sort_unstable();
        ids
    };
    let Some(restrictions) = group.restrictions else { return Default::default() };
    (ids(&mut restrictions.muted()), ids(&mut restrictions.banned()))
}
