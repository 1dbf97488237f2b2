//! The build of a view from files and facts together.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use uuid::Uuid;

use super::{
    advance::advance_with_records,
    apply_files,
    assemble::{PopulationSource, assemble_view, compile},
    build::{BuildOutput, read_policy},
    declarations::Declarations,
    digest,
    facts_source::FactsSource,
    find_shadowed, groups, population,
    record_collector::RecordCollector,
    rules,
    windows::with_windows,
};
use crate::{
    diagnostic::{Diagnostics, Report},
    facts::{Record, RecordKey, RecordKind},
    policy::{self, Policy, Roster, Sites, Users},
    prove,
    snapshot::{GroupTable, Revision, Tags, View},
    source::LoadedSources,
};

/// Builds a view of files and facts, as `build` does of files alone. Costs a pass over all
/// records.
///
/// Invariants are checked against the files alone: authors can't mend what facts say.
///
/// # Errors
/// If the facts can't be read.
pub fn build_with_records<F: FactsSource>(
    loaded: &LoadedSources,
    facts: &F,
) -> Result<BuildOutput, F::Error> {
    let mut problems = Diagnostics::default();
    let policy = read_policy(loaded, None, Sites::Keep, &mut problems);
    if problems.has_errors() {
        return Ok(BuildOutput::failed(Report::new(problems, &loaded.sources)));
    }
    let roster = match &policy.users {
        Users::Read(roster) => roster,
        Users::Unchanged(_) => &Box::default(),
    };
    let mut declarations =
        Declarations::from_policy(&policy, Declarations::roster_conversations(roster));
    let digests = {
        let view = compile(&policy, None);
        prove::invariants(&policy.invariants, &view, &with_windows, &mut problems);
        if problems.has_errors() {
            return Ok(BuildOutput::failed(Report::new(problems, &loaded.sources)));
        }
        FileDigests { population: view.population.digest, policy: view.revision.policy }
    };
    let view = merge_records(policy, &mut declarations, digests, facts)?;
    Ok(BuildOutput::with_facts(view, declarations, Report::new(problems, &loaded.sources)))
}

/// Rebuilds a view of files and facts over a previous one that is up to date with the facts. Records are
/// not all read: costs set algebra for what the policy says differently, and a look at each declared
/// user if the files say something else about users. Where there are invariants, the files are also
/// compiled alone.
///
/// # Errors
/// If the facts can't be read.
pub fn rebuild<F: FactsSource>(
    loaded: &LoadedSources,
    previous: &View,
    before: &Declarations,
    facts: &F,
) -> Result<BuildOutput, F::Error> {
    let mut problems = Diagnostics::default();
    let mut policy = read_policy(loaded, Some(previous), Sites::Keep, &mut problems);
    if problems.has_errors() {
        return Ok(BuildOutput::failed(Report::new(problems, &loaded.sources)));
    }
    let declared =
        match std::mem::replace(&mut policy.users, Users::Unchanged(previous.population.key)) {
            Users::Read(roster) => Some((population::compile(&roster), roster)),
            Users::Unchanged(_) => None,
        };
    let conversations = match &declared {
        Some((_, roster)) => Declarations::roster_conversations(roster),
        None => before.conversations.clone(),
    };
    let mut declarations = Declarations::from_policy(&policy, conversations);
    let mut made = Vec::new();
    facts.each(RecordKind::Rule, &mut |key, record| {
        if let (RecordKey::Rule(id), Record::Rule(rule)) = (key, record) {
            made.extend(rules::rule_from_record(id, &rule));
        }
    })?;
    let all_rules = with_api_rules(&policy, made);
    let known = PopulationSource::As(previous);
    // The numbers of all tags stay: records' conditions and groups' own matrices hold them.
    let tags = Tags::clone(&previous.tags);
    let mut view = assemble_view(&policy, known, tags, all_rules, Some(previous));
    let mut groups = previous.groups.clone();
    groups.set_windows(&view.windows);
    view.set_groups(groups);
    let mut population_digest = previous.population.digest;
    if let Some(((files, tags), _)) = &declared {
        let resolved = files.with_windows(&view.windows);
        let files = resolved.as_ref().unwrap_or(files);
        population_digest = files.digest;
        let users = apply_files::FileUsers { population: files, tags };
        apply_files::apply_users(&mut view, users, facts)?;
        apply_files::apply_conversations(&mut view, before, &declarations, facts)?;
        apply_files::apply_ends(&mut view, users);
        let population = Arc::make_mut(&mut view.population);
        (population.key, population.digest) = (files.key, files.digest);
        if files.digest == previous.population.digest {
            population.share_identity(&previous.population);
        }
    }
    if declarations.groups != before.groups || declarations.matrices != before.matrices {
        apply_files::apply_groups(&mut view, before, &declarations, facts)?;
    }
    groups::set_group_ends(&mut view, &declarations.groups);
    view.revision = Revision {
        policy: digest::policy(&population_digest, &policy),
        facts: previous.revision.facts,
    };
    advance_with_records(&mut view, policy.at, &declarations, facts)?;
    if !policy.invariants.is_empty() {
        let alone = read_policy(loaded, None, Sites::Drop, &mut Diagnostics::default());
        prove::invariants(&policy.invariants, &compile(&alone, None), &with_windows, &mut problems);
    }
    if problems.has_errors() {
        return Ok(BuildOutput::failed(Report::new(problems, &loaded.sources)));
    }
    let previous = find_shadowed::Previous { view: previous, declarations: before };
    declarations.shadowed = find_shadowed::after_reload(previous, &view, &declarations, facts)?;
    Ok(BuildOutput::with_facts(view, declarations, Report::new(problems, &loaded.sources)))
}

/// The rules of the section `rules`, and those of the API whose id no rule of the files has, in any rule set; in
/// the order of ids. `None` if the files have no section for rules.
fn with_api_rules(policy: &Policy, made: Vec<policy::Rule>) -> Option<Vec<policy::Rule>> {
    let of_files = policy.rules.as_deref()?;
    let of_sets: BTreeSet<Uuid> =
        policy.rule_sets.iter().flat_map(|set| &set.rules).map(|rule| rule.id).collect();
    let made = made.into_iter().filter(|rule| !of_sets.contains(&rule.id));
    let mut rules: BTreeMap<Uuid, policy::Rule> = made.map(|rule| (rule.id, rule)).collect();
    rules.extend(of_files.iter().map(|rule| (rule.id, rule.clone())));
    Some(rules.into_values().collect())
}

/// The digests of what the files say alone.
#[derive(Clone, Copy)]
struct FileDigests {
    population: [u8; 32],
    policy: [u8; 32],
}

/// The view of files and facts together. Notes in `declarations` what they shadow.
fn merge_records<F: FactsSource>(
    mut policy: Policy,
    declarations: &mut Declarations,
    digests: FileDigests,
    facts: &F,
) -> Result<View, F::Error> {
    let roster = match std::mem::replace(&mut policy.users, Users::Unchanged([0; 32])) {
        Users::Read(roster) => *roster,
        Users::Unchanged(_) => Roster::default(),
    };
    let mut records = RecordCollector::new(roster, policy.at);
    let mut shadowed = Vec::new();
    let revision = facts.all(&mut |key, record| {
        let fields = records.declared(&key);
        shadowed.extend(find_shadowed::in_record(&key, &record, fields, declarations));
        records.add(key, record);
    })?;
    shadowed.sort_unstable();
    declarations.shadowed = shadowed;
    let declarations = &*declarations;
    let all_rules = with_api_rules(&policy, records.rules);
    let (mut population, tags) = population::compile(&records.users.finish());
    population.digest = digests.population;
    let users = PopulationSource::New(Box::new(population));
    let mut view = assemble_view(&policy, users, tags, all_rules, None);
    let ids: BTreeSet<&str> = records
        .groups
        .keys()
        .map(String::as_str)
        .chain(declarations.groups.iter().map(|group| group.id.as_str()))
        .collect();
    let merged: Vec<_> = ids
        .into_iter()
        .filter_map(|id| {
            Some((id, groups::merge_group(declarations, id, records.groups.get(id), view.at)?))
        })
        .collect();
    let entries: Vec<_> = merged
        .iter()
        .map(|(id, group)| groups::group_entry(&mut view, declarations, id, group))
        .collect();
    view.set_groups(GroupTable::new(&entries, view.population.directory.len()));
    for (id, ends) in &records.group_ends {
        view.replace_group_ends(id, &[], ends);
    }
    groups::set_group_ends(&mut view, &declarations.groups);
    view.revision = Revision { policy: digests.policy, facts: revision };
    Ok(view)
}
