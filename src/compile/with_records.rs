use std::{collections::BTreeMap, sync::Arc};

use uuid::Uuid;

use super::{
    BuildOutput, Declarations, PopulationSource, ShadowedFact, apply_files, assemble_view, compile,
    digest, groups, parse_and_resolve, population, rules, shadowed,
};
use crate::{
    diagnostic::{Diagnostics, Report},
    facts::{GroupRecord, Record, RecordKey, RecordKind, SwitchSetting, UserRecord},
    policy::{self, Policy, Roster, RosterBuilder, UserOverrides, Users},
    prove,
    request::{DeclaredField, DeclaredFields, Moderation, Relation, Toggle},
    snapshot::{GroupTable, Revision, View},
    source::LoadedSources,
};

/// The facts that a view is compiled with: where records are.
pub trait FactsSource {
    type Error;

    /// A record, if there is one.
    ///
    /// # Errors
    /// If it can't be read.
    fn get(&self, key: &RecordKey) -> Result<Option<Record>, Self::Error>;

    /// Calls `each` with all records of a kind, in order.
    ///
    /// # Errors
    /// If they can't be read.
    fn each(
        &self,
        kind: RecordKind,
        each: &mut dyn FnMut(RecordKey, Record),
    ) -> Result<(), Self::Error>;

    /// Calls `each` with all records, in whatever order, as of one revision, and gives that.
    ///
    /// # Errors
    /// If they can't be read.
    fn all(&self, each: &mut dyn FnMut(RecordKey, Record)) -> Result<u64, Self::Error> {
        for kind in RecordKind::ALL {
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
pub fn build_with_records<F: FactsSource>(
    loaded: &LoadedSources,
    facts: &F,
) -> Result<BuildOutput, F::Error> {
    let mut problems = Diagnostics::default();
    let (policy, _) = parse_and_resolve(loaded, None, false, true, &mut problems);
    if problems.has_errors() {
        return Ok(failed_build(problems, loaded));
    }
    let roster = match &policy.users {
        Users::Read(roster) => roster,
        Users::Unchanged(_) => &Box::default(),
    };
    let mut basis = Declarations::from_policy(&policy, Declarations::roster_conversations(roster));
    let digest = {
        let view = compile(&policy, None);
        prove::invariants(&policy.invariants, &view, &mut problems);
        if problems.has_errors() {
            return Ok(failed_build(problems, loaded));
        }
        (view.population.digest, view.revision.policy)
    };
    let (view, shadowed) = merge_records(policy, &basis, digest, facts)?;
    basis.shadowed = shadowed;
    let (view, basis) = (Some(view), Some(Arc::new(basis)));
    Ok(BuildOutput { view, declarations: basis, report: Report::new(problems, &loaded.sources) })
}

/// As [`build`](super::build), with facts, over a view that followed them so far. Facts are not walked:
/// costs set algebra for what the policy says differently, and a look at each user whom files state
/// if they say something else of users. Where there are invariants, the files are compiled alone too.
///
/// # Errors
/// If facts can't be read.
pub fn rebuild<F: FactsSource>(
    loaded: &LoadedSources,
    previous: &View,
    before: &Declarations,
    facts: &F,
) -> Result<BuildOutput, F::Error> {
    let mut problems = Diagnostics::default();
    let (mut policy, _) = parse_and_resolve(loaded, Some(previous), false, true, &mut problems);
    if problems.has_errors() {
        return Ok(failed_build(problems, loaded));
    }
    let stated =
        match std::mem::replace(&mut policy.users, Users::Unchanged(previous.population.key)) {
            Users::Read(roster) => Some((population::compile(&roster), roster)),
            Users::Unchanged(_) => None,
        };
    let conversations = match &stated {
        Some((_, roster)) => Declarations::roster_conversations(roster),
        None => before.conversations.clone(),
    };
    let mut basis = Declarations::from_policy(&policy, conversations);
    let mut made = Vec::new();
    facts.each(RecordKind::Rule, &mut |key, record| {
        if let (RecordKey::Rule(id), Record::Rule(rule)) = (key, record) {
            made.extend(rules::rule_from_record(id, &rule));
        }
    })?;
    let all_rules = with_api_rules(policy.rules.as_deref(), made);
    let known = PopulationSource::As(previous);
    // The numbers of all tags stay: records' conditions and groups' own matrices hold them.
    let names = previous.tags.iter().map(|(_, name)| name.to_owned()).collect();
    let mut view = assemble_view(&policy, known, names, all_rules, Some(previous));
    view.groups = previous.groups.clone();
    let mut population_digest = previous.population.digest;
    if let Some(((files, names), _)) = &stated {
        population_digest = files.digest;
        apply_files::apply_users(&mut view, files, names, facts)?;
        apply_files::apply_conversations(&mut view, before, &basis, facts)?;
        let population = Arc::make_mut(&mut view.population);
        (population.key, population.digest) = (files.key, files.digest);
        if files.digest == previous.population.digest {
            population.share_identity(&previous.population);
        }
    }
    if basis.groups != before.groups || basis.matrices != before.matrices {
        apply_files::apply_groups(&mut view, before, &basis, facts)?;
    }
    view.revision = Revision {
        policy: digest::policy(&population_digest, &policy),
        facts: previous.revision.facts,
    };
    if !policy.invariants.is_empty() {
        let (alone, _) = parse_and_resolve(loaded, None, false, false, &mut Diagnostics::default());
        prove::invariants(&policy.invariants, &compile(&alone, None), &mut problems);
    }
    if problems.has_errors() {
        return Ok(failed_build(problems, loaded));
    }
    let shadowed = shadowed::recompute((previous, before), &view, &basis, facts)?;
    basis.shadowed = shadowed;
    let (view, basis) = (Some(view), Some(Arc::new(basis)));
    Ok(BuildOutput { view, declarations: basis, report: Report::new(problems, &loaded.sources) })
}

fn failed_build(problems: Diagnostics, loaded: &LoadedSources) -> BuildOutput {
    BuildOutput { view: None, declarations: None, report: Report::new(problems, &loaded.sources) }
}

/// The rules of files, and those made over the API whose id no file's rule has, in the order of ids.
fn with_api_rules(
    of_files: Option<&[policy::Rule]>,
    made: Vec<policy::Rule>,
) -> Option<Vec<policy::Rule>> {
    let mut rules: BTreeMap<Uuid, policy::Rule> =
        made.into_iter().map(|rule| (rule.id, rule)).collect();
    rules.extend(of_files?.iter().map(|rule| (rule.id, rule.clone())));
    Some(rules.into_values().collect())
}

/// The view of files and facts together.
fn merge_records<F: FactsSource>(
    mut policy: Policy,
    basis: &Declarations,
    (population_digest, policy_digest): ([u8; 32], [u8; 32]),
    facts: &F,
) -> Result<(View, Vec<ShadowedFact>), F::Error> {
    let roster = match std::mem::replace(&mut policy.users, Users::Unchanged([0; 32])) {
        Users::Read(roster) => *roster,
        Users::Unchanged(_) => Roster::default(),
    };
    let mut records = RecordCollector::new(roster);
    let mut shadowed = Vec::new();
    let revision = facts.all(&mut |key, record| {
        let stated = records.stated(&key);
        shadowed::collect(stated, basis, (&key, &record), &mut shadowed);
        records.add(key, record);
    })?;
    shadowed.sort_unstable();
    let all_rules = with_api_rules(policy.rules.as_deref(), records.rules);
    let (mut population, names) = population::compile(&records.users.finish());
    population.digest = population_digest;
    let mut view =
        assemble_view(&policy, PopulationSource::New(Box::new(population)), names, all_rules, None);
    let ids: std::collections::BTreeSet<&str> = records
        .groups
        .keys()
        .map(String::as_str)
        .chain(basis.groups.iter().map(|group| group.id.as_str()))
        .collect();
    let merged: Vec<_> = ids
        .into_iter()
        .filter_map(|id| groups::merge_group(basis, id, records.groups.get(id)))
        .collect();
    let entries: Vec<_> =
        merged.iter().map(|group| groups::group_entry(&mut view, basis, group)).collect();
    view.groups = GroupTable::new(&entries, view.population.directory.len());
    view.revision = Revision { policy: policy_digest, facts: revision };
    Ok((view, shadowed))
}

/// All records as they are gathered.
struct RecordCollector {
    users: RosterBuilder,
    /// Where what files set of users stands.
    own_rows: Vec<(u32, usize)>,
    groups: BTreeMap<String, GroupRecord>,
    rules: Vec<policy::Rule>,
}

impl RecordCollector {
    fn new(roster: Roster) -> Self {
        let users = RosterBuilder::new(roster);
        let own_rows = users.override_rows();
        Self { users, own_rows, groups: BTreeMap::new(), rules: Vec::new() }
    }

    /// What files state of the user whose key it is.
    fn stated(&mut self, key: &RecordKey) -> DeclaredFields {
        match key {
            RecordKey::User(id) => {
                let user = self.users.intern(id);
                self.users.stated(user)
            }
            _ => DeclaredFields::default(),
        }
    }

    fn add(&mut self, key: RecordKey, record: Record) {
        match (key, record) {
            (RecordKey::User(id), Record::User(record)) => self.user(&id, &record),
            (RecordKey::Group(id), Record::Group(group)) => {
                for member in group.members.keys().chain(&group.creator) {
                    self.users.intern(member);
                }
                self.groups.insert(id, *group);
            }
            (RecordKey::Conversation(one, other), Record::Conversation(_)) => {
                let (one, other) = (self.users.intern(&one), self.users.intern(&other));
                self.users.add_conversation(one, other);
            }
            (RecordKey::Rule(id), Record::Rule(rule)) => {
                self.rules.extend(rules::rule_from_record(id, &rule))
            }
            _ => {}
        }
    }

    fn user(&mut self, id: &str, record: &UserRecord) {
        let user = self.users.intern(id);
        for &relation in Relation::ALL {
            for other in record.edges(relation) {
                let other = self.users.intern(other);
                self.users.add_edge(relation, user, other);
            }
        }
        if record.created {
            self.users.mark_known(user);
        }
        if !self.users.is_known(user) {
            return;
        }
        let stated = self.users.stated(user);
        if let (Some(tags), false) = (&record.tags, stated.contains(DeclaredField::Tags)) {
            self.users.set_tags(user, tags.iter().map(String::as_str));
        }
        let mut own: UserOverrides = self.users.take_overrides(user, &self.own_rows);
        if !stated.contains(DeclaredField::Moderation) {
            own.moderation = record.moderation.unwrap_or(Moderation::None);
        }
        if !stated.contains(DeclaredField::Peers) {
            own.peers = record.peers;
        }
        if !stated.contains(DeclaredField::Approval) {
            own.approval = record.approval;
        }
        for (&switch, setting) in &record.permissions {
            if !stated.contains(DeclaredField::Permission(switch)) {
                own.permissions.push((switch, parse_toggle(setting)));
            }
        }
        self.users.set_overrides(user, own);
    }
}

/// What a switch is set to; what can't be read is off.
fn parse_toggle(setting: &SwitchSetting) -> Toggle<String> {
    match setting {
        SwitchSetting::Always(on) => Toggle::Always(*on),
        SwitchSetting::When(text) => {
            policy::parse_condition(text).map_or(Toggle::Always(false), Toggle::When)
        }
    }
}
