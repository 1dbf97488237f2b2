use std::{collections::BTreeMap, sync::Arc};

use uuid::Uuid;

use super::{
    Basis, Known, Outcome, Shadowed, compile, digest, groups, lay, population, read, restate,
    rules, shadowed,
};
use crate::{
    diagnostic::{Diagnostics, Report},
    facts::{Group, Key, Kind, Record, Setting, User},
    policy::{self, Merging, Own, Policy, Roster, Users},
    prove,
    request::{Field, Moderation, Relation, Stated, Toggle},
    snapshot::{Groups, Revision, View},
    source::Loaded,
};

/// The facts that a view is compiled with: where records are.
pub trait Facts {
    type Error;

    /// A record, if there is one.
    ///
    /// # Errors
    /// If it can't be read.
    fn get(&self, key: &Key) -> Result<Option<Record>, Self::Error>;

    /// Calls `each` with all records of a kind, in order.
    ///
    /// # Errors
    /// If they can't be read.
    fn each(&self, kind: Kind, each: &mut dyn FnMut(Key, Record)) -> Result<(), Self::Error>;

    /// Calls `each` with all records, in whatever order, as of one revision, and gives that.
    ///
    /// # Errors
    /// If they can't be read.
    fn all(&self, each: &mut dyn FnMut(Key, Record)) -> Result<u64, Self::Error> {
        for kind in Kind::ALL {
            self.each(kind, each)?;
        }
        Ok(0)
    }
}

/// As [`build`](super::build), with facts. Costs a pass over all records.
///
/// Invariants are held against what the files say alone: what facts came to, no author can mend.
///
/// # Errors
/// If the facts can't be read.
pub fn start<F: Facts>(loaded: &Loaded, facts: &F) -> Result<Outcome, F::Error> {
    let mut problems = Diagnostics::default();
    let (policy, _) = read(loaded, None, false, true, &mut problems);
    if problems.has_errors() {
        return Ok(refused(problems, loaded));
    }
    let roster = match &policy.users {
        Users::Read(roster) => roster,
        Users::Unchanged(_) => &Box::default(),
    };
    let mut basis = Basis::of(&policy, Basis::conversations_of(roster));
    let digest = {
        let view = compile(&policy, None);
        prove::invariants(&policy.invariants, &view, &mut problems);
        if problems.has_errors() {
            return Ok(refused(problems, loaded));
        }
        (view.population.digest, view.revision.policy)
    };
    let (view, shadowed) = merged(policy, &basis, digest, facts)?;
    basis.shadowed = shadowed;
    let (view, basis) = (Some(view), Some(Arc::new(basis)));
    Ok(Outcome { view, basis, report: Report::new(problems, &loaded.sources) })
}

/// As [`build`](super::build), with facts, over a view that followed them so far. Facts are not walked:
/// costs set algebra for what the policy says differently, and a look at each user whom files state
/// if they say something else of users. Where there are invariants, the files are compiled alone too.
///
/// # Errors
/// If facts can't be read.
pub fn rebuild<F: Facts>(
    loaded: &Loaded,
    previous: &View,
    before: &Basis,
    facts: &F,
) -> Result<Outcome, F::Error> {
    let mut problems = Diagnostics::default();
    let (mut policy, _) = read(loaded, Some(previous), false, true, &mut problems);
    if problems.has_errors() {
        return Ok(refused(problems, loaded));
    }
    let stated =
        match std::mem::replace(&mut policy.users, Users::Unchanged(previous.population.key)) {
            Users::Read(roster) => Some((population::compile(&roster), roster)),
            Users::Unchanged(_) => None,
        };
    let conversations = match &stated {
        Some((_, roster)) => Basis::conversations_of(roster),
        None => before.conversations.clone(),
    };
    let mut basis = Basis::of(&policy, conversations);
    let mut made = Vec::new();
    facts.each(Kind::Rule, &mut |key, record| {
        if let (Key::Rule(id), Record::Rule(rule)) = (key, record) {
            made.extend(rules::of_record(id, &rule));
        }
    })?;
    let all_rules = with_made(policy.rules.as_deref(), made);
    let known = Known::As(previous);
    // The numbers of all tags stay: records' conditions and groups' own matrices hold them.
    let names = previous.tags.iter().map(|(_, name)| name.to_owned()).collect();
    let mut view = lay(&policy, known, names, all_rules, Some(previous));
    view.groups = previous.groups.clone();
    let mut population_digest = previous.population.digest;
    if let Some(((files, names), _)) = &stated {
        population_digest = files.digest;
        restate::users(&mut view, files, names, facts)?;
        restate::conversations(&mut view, before, &basis, facts)?;
        let population = Arc::make_mut(&mut view.population);
        (population.key, population.digest) = (files.key, files.digest);
        if files.digest == previous.population.digest {
            population.stays(&previous.population);
        }
    }
    if basis.groups != before.groups || basis.matrices != before.matrices {
        restate::groups(&mut view, before, &basis, facts)?;
    }
    view.revision = Revision {
        policy: digest::policy(&population_digest, &policy),
        facts: previous.revision.facts,
    };
    if !policy.invariants.is_empty() {
        let (alone, _) = read(loaded, None, false, false, &mut Diagnostics::default());
        prove::invariants(&policy.invariants, &compile(&alone, None), &mut problems);
    }
    if problems.has_errors() {
        return Ok(refused(problems, loaded));
    }
    let shadowed = shadowed::again((previous, before), &view, &basis, facts)?;
    basis.shadowed = shadowed;
    let (view, basis) = (Some(view), Some(Arc::new(basis)));
    Ok(Outcome { view, basis, report: Report::new(problems, &loaded.sources) })
}

fn refused(problems: Diagnostics, loaded: &Loaded) -> Outcome {
    Outcome { view: None, basis: None, report: Report::new(problems, &loaded.sources) }
}

/// The rules of files, and those made over the API whose id no file's rule has, in the order of ids.
fn with_made(
    of_files: Option<&[policy::Rule]>,
    made: Vec<policy::Rule>,
) -> Option<Vec<policy::Rule>> {
    let mut rules: BTreeMap<Uuid, policy::Rule> =
        made.into_iter().map(|rule| (rule.id, rule)).collect();
    rules.extend(of_files?.iter().map(|rule| (rule.id, rule.clone())));
    Some(rules.into_values().collect())
}

/// The view of files and facts together.
fn merged<F: Facts>(
    mut policy: Policy,
    basis: &Basis,
    (population_digest, policy_digest): ([u8; 32], [u8; 32]),
    facts: &F,
) -> Result<(View, Vec<Shadowed>), F::Error> {
    let roster = match std::mem::replace(&mut policy.users, Users::Unchanged([0; 32])) {
        Users::Read(roster) => *roster,
        Users::Unchanged(_) => Roster::default(),
    };
    let mut records = Records::new(roster);
    let mut shadowed = Vec::new();
    let revision = facts.all(&mut |key, record| {
        let stated = records.stated(&key);
        shadowed::of(stated, basis, (&key, &record), &mut shadowed);
        records.add(key, record);
    })?;
    shadowed.sort_unstable();
    let all_rules = with_made(policy.rules.as_deref(), records.rules);
    let (mut population, names) = population::compile(&records.users.finish());
    population.digest = population_digest;
    let mut view = lay(&policy, Known::New(Box::new(population)), names, all_rules, None);
    let ids: std::collections::BTreeSet<&str> = records
        .groups
        .keys()
        .map(String::as_str)
        .chain(basis.groups.iter().map(|group| group.id.as_str()))
        .collect();
    let merged: Vec<_> = ids
        .into_iter()
        .filter_map(|id| groups::merged(basis, id, records.groups.get(id)))
        .collect();
    let entries: Vec<_> =
        merged.iter().map(|group| groups::entry(&mut view, basis, group)).collect();
    view.groups = Groups::new(&entries, view.population.directory.len());
    view.revision = Revision { policy: policy_digest, facts: revision };
    Ok((view, shadowed))
}

/// All records as they are gathered.
struct Records {
    users: Merging,
    /// Where what files set of users stands.
    own_rows: Vec<(u32, usize)>,
    groups: BTreeMap<String, Group>,
    rules: Vec<policy::Rule>,
}

impl Records {
    fn new(roster: Roster) -> Self {
        let users = Merging::new(roster);
        let own_rows = users.own_rows();
        Self { users, own_rows, groups: BTreeMap::new(), rules: Vec::new() }
    }

    /// What files state of the user whose key it is.
    fn stated(&mut self, key: &Key) -> Stated {
        match key {
            Key::User(id) => {
                let user = self.users.user(id);
                self.users.stated(user)
            }
            _ => Stated::default(),
        }
    }

    fn add(&mut self, key: Key, record: Record) {
        match (key, record) {
            (Key::User(id), Record::User(record)) => self.user(&id, &record),
            (Key::Group(id), Record::Group(group)) => {
                for member in group.members.keys().chain(&group.creator) {
                    self.users.user(member);
                }
                self.groups.insert(id, *group);
            }
            (Key::Conversation(one, other), Record::Conversation(_)) => {
                let (one, other) = (self.users.user(&one), self.users.user(&other));
                self.users.converse(one, other);
            }
            (Key::Rule(id), Record::Rule(rule)) => self.rules.extend(rules::of_record(id, &rule)),
            _ => {}
        }
    }

    fn user(&mut self, id: &str, record: &User) {
        let user = self.users.user(id);
        for &relation in Relation::ALL {
            for other in record.edges(relation) {
                let other = self.users.user(other);
                self.users.relate(relation, user, other);
            }
        }
        if record.created {
            self.users.know(user);
        }
        if !self.users.is_known(user) {
            return;
        }
        let stated = self.users.stated(user);
        if let (Some(tags), false) = (&record.tags, stated.has(Field::Tags)) {
            self.users.tag(user, tags.iter().map(String::as_str));
        }
        let mut own: Own = self.users.take_own(user, &self.own_rows);
        if !stated.has(Field::Moderation) {
            own.moderation = record.moderation.unwrap_or(Moderation::None);
        }
        if !stated.has(Field::Peers) {
            own.peers = record.peers;
        }
        if !stated.has(Field::Approval) {
            own.approval = record.approval;
        }
        for (&switch, setting) in &record.permissions {
            if !stated.has(Field::Permission(switch)) {
                own.permissions.push((switch, toggle(setting)));
            }
        }
        self.users.set_own(user, own);
    }
}

/// What a switch is set to; what can't be read is off.
fn toggle(setting: &Setting) -> Toggle<String> {
    match setting {
        Setting::Always(on) => Toggle::Always(*on),
        Setting::When(text) => policy::condition(text).map_or(Toggle::Always(false), Toggle::When),
    }
}
