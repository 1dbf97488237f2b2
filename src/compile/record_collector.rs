//! The collector of all records, from which a full build makes a population, groups and rules.

use std::collections::BTreeMap;

use super::{
    merge::{UserFieldValues, user_exists},
    rules,
};
use crate::{
    facts::{GroupRecord, Record, RecordKey, UserRecord},
    policy::{self, Roster, RosterBuilder},
    request::{DeclaredFields, Moment, Relation},
};

/// The records of a store, merged into what files declare.
pub(super) struct RecordCollector {
    pub(super) users: RosterBuilder,
    /// The positions of the overrides that files declare.
    override_rows: Vec<(u32, usize)>,
    pub(super) groups: BTreeMap<String, GroupRecord>,
    /// The moments at which mutes and bans of groups end.
    pub(super) group_ends: Vec<(String, Vec<Moment>)>,
    pub(super) rules: Vec<policy::Rule>,
    /// The moment of the view: what had ended by then is left out.
    at: Moment,
}

impl RecordCollector {
    /// Costs a hash of each id.
    pub(super) fn new(roster: Roster, at: Moment) -> Self {
        let users = RosterBuilder::new(roster);
        let override_rows = users.override_rows();
        Self {
            users,
            override_rows,
            groups: BTreeMap::new(),
            group_ends: Vec::new(),
            rules: Vec::new(),
            at,
        }
    }

    /// The fields that files declare of the user whose key it is; none for other keys.
    pub(super) fn declared(&mut self, key: &RecordKey) -> DeclaredFields {
        match key {
            RecordKey::User(id) => {
                let user = self.users.intern(id);
                self.users.stated(user)
            }
            RecordKey::Group(_)
            | RecordKey::Conversation(..)
            | RecordKey::Rule(_)
            | RecordKey::Idempotency(_) => DeclaredFields::default(),
        }
    }

    /// Adds a record; records of idempotency keys concern no view.
    pub(super) fn add(&mut self, key: RecordKey, record: Record) {
        match (key, record) {
            (RecordKey::User(id), Record::User(record)) => self.user(&id, &record),
            (RecordKey::Group(id), Record::Group(group)) => {
                for member in group.members.keys().chain(&group.creator) {
                    self.users.intern(member);
                }
                let ends: Vec<Moment> = group.ends().map(Moment::from_millis).collect();
                if !ends.is_empty() {
                    self.group_ends.push((id.clone(), ends));
                }
                self.groups.insert(id, group.at(self.at.millis()).into_owned());
            }
            (RecordKey::Conversation(one, other), Record::Conversation(_)) => {
                let (one, other) = (self.users.intern(&one), self.users.intern(&other));
                self.users.add_conversation(one, other);
            }
            (RecordKey::Rule(id), Record::Rule(rule)) => {
                self.rules.extend(rules::rule_from_record(id, &rule));
            }
            // An idempotency key, or a record that is not of the kind of its key.
            (
                RecordKey::User(_)
                | RecordKey::Group(_)
                | RecordKey::Conversation(..)
                | RecordKey::Rule(_)
                | RecordKey::Idempotency(_),
                _,
            ) => {}
        }
    }

    fn user(&mut self, id: &str, record: &UserRecord) {
        let user = self.users.intern(id);
        let at = self.at;
        self.users.add_record_ends(user, record.ends().map(Moment::from_millis), at);
        let record = &*record.at(at.millis());
        for &relation in Relation::ALL {
            for other in record.edges(relation) {
                let other = self.users.intern(other);
                self.users.add_edge(relation, user, other);
            }
        }
        let fields = self.users.stated(user);
        if !user_exists(fields, record) {
            return;
        }
        self.users.mark_known(user);
        let declared = self.users.take_overrides(user, &self.override_rows);
        let declared = UserFieldValues::from_roster(declared);
        let merged = UserFieldValues::merge(declared, fields, UserFieldValues::from_record(record));
        // Declared tags are in the roster already.
        if let Some(tags) = &merged.tags {
            self.users.set_tags(user, tags.iter().map(AsRef::as_ref));
        }
        self.users.set_overrides(user, merged.to_roster());
    }
}
