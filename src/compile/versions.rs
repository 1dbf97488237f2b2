//! The comparison of two policies over the same users.

use crate::{
    diagnostic::{Diagnostics, Report},
    policy::{self, Policy, Sites, Users},
    snapshot::View,
    source::{LoadError, LoadedSources, Source, Sources},
    syntax::{self, Ast, ast},
};

use super::restrictions::{RestrictionChange, StatedRestrictions};

/// Two policies over the same users, if neither has errors, and a report of each.
#[derive(Debug)]
pub struct Versions {
    /// `None` if one of the two holds errors.
    pub views: Option<VersionPair>,
    pub old: Report,
    pub new: Report,
}

/// Two policies over the same users.
#[derive(Debug)]
pub struct VersionPair {
    pub old: View,
    pub new: View,
    /// The restrictions of groups in which the files of the two differ; none if the groups are of other files.
    pub restrictions: Vec<RestrictionChange>,
}

/// Compiles two policies over the users, groups and conversations of `new`, or of `facts`.
///
/// Of `old`, users, groups and conversations are left out; so facts that it could not hold, as a group
/// under a matrix that it does not know, are no errors of it. Rules and settings among `facts` are
/// ignored.
pub fn build_versions(
    old: &LoadedSources,
    new: &LoadedSources,
    facts: Option<&LoadedSources>,
) -> Versions {
    let (new_policy, new_report, stated) = match facts {
        None => resolve(&[&new.errors], &new.sources, |_| true, |_| true),
        Some(facts) => {
            let sources = concat_sources(&new.sources, &facts.sources);
            let names = |loaded: &LoadedSources, item: &ast::Item<'_>| {
                let source = sources.get(item.span().source);
                source.is_some_and(|source| contains_source(&loaded.sources, source))
            };
            let keep = |item: &ast::Item<'_>| match item {
                // The facts may have tags that this policy does not declare.
                ast::Item::Tags(_) => false,
                item if item.is_fact() => names(facts, item),
                item => names(new, item),
            };
            let errors: [&[LoadError]; 2] = [&new.errors, &facts.errors];
            resolve(&errors, &sources, keep, |source| contains_source(&facts.sources, source))
        }
    };
    let (old_policy, old_report, stated_before) = read_policy(old);
    let views = match (old_policy, new_policy) {
        (Some(mut old), Some(new)) => {
            let groups = new.groups.clone();
            // What only the time makes different is no change.
            old.at = new.at;
            let new = super::compile(&new, None);
            old.groups = groups;
            old.users = Users::Unchanged(new.population.key);
            let old = super::compile(&old, Some(&new));
            let restrictions = match facts {
                None => stated_before.changes(stated),
                Some(_) => Vec::new(),
            };
            Some(VersionPair { old, new, restrictions })
        }
        _ => None,
    };
    Versions { views, old: old_report, new: new_report }
}

/// A policy without its users.
fn read_policy(loaded: &LoadedSources) -> (Option<Policy>, Report, StatedRestrictions) {
    let keep = |item: &ast::Item<'_>| !item.is_fact();
    resolve(&[&loaded.errors], &loaded.sources, keep, |_| false)
}

fn resolve(
    errors: &[&[LoadError]],
    sources: &Sources,
    keep: impl Fn(&ast::Item<'_>) -> bool,
    keep_bulk: impl Fn(&Source) -> bool,
) -> (Option<Policy>, Report, StatedRestrictions) {
    let mut problems = Diagnostics::default();
    for error in errors.iter().flat_map(|errors| errors.iter()) {
        problems.push(error.into());
    }
    let Ast { mut items, mut bulk } = syntax::parse(sources, &mut problems);
    let restrictions = StatedRestrictions::of(&items);
    items.retain(keep);
    bulk.retain(|file| sources.get(file.id).is_some_and(&keep_bulk));
    let policy = policy::resolve(
        Ast { items, bulk },
        sources,
        sources.time().into(),
        None,
        Sites::Drop,
        &mut problems,
    );
    let policy = (!problems.has_errors()).then_some(policy);
    (policy, Report::new(problems, sources), restrictions)
}

fn concat_sources(one: &Sources, other: &Sources) -> Sources {
    let files = one.iter().chain(other.iter());
    Sources::new(files.map(|(_, source)| source.clone()).collect()).at(one.time())
}

fn contains_source(sources: &Sources, source: &Source) -> bool {
    sources.iter().any(|(_, known)| known.name == source.name)
}

/// Builds the policy of files over the users of another view, whatever the files say about users; `None`
/// if it has errors. It is of the moment of that view. Costs set algebra for what the two policies say differently.
pub fn build_over(loaded: &LoadedSources, known: &View) -> Option<View> {
    let (policy, ..) = read_policy(loaded);
    let mut policy = policy?;
    policy.users = Users::Unchanged(known.population.key);
    policy.at = known.at;
    Some(super::compile(&policy, Some(known)))
}
