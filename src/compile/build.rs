//! The build of a policy: files are parsed, resolved, compiled, and checked against their invariants.

use std::{cell::Cell, sync::Arc};

use super::{
    assemble::{compile, user_tags},
    declarations::Declarations,
    lint_input::{lintable_items, visit_users},
    windows::with_windows,
};
use crate::{
    diagnostic::{Diagnostic, Diagnostics, Report, did_you_mean},
    policy::{self, Policy, PreviousUsers, Sites},
    prove,
    request::Moment,
    snapshot::View,
    source::{LoadedSources, Sources},
    syntax::{self, Ast, ast::User},
};

/// How many users are compared with unknown ids at most, to suggest the one that was meant.
const MAX_COMPARISONS: u32 = 2_000_000;

/// The result of a build: a view if the policy has no errors, and all diagnostics.
#[derive(Debug)]
pub struct BuildOutput {
    pub view: Option<View>,
    /// The declarations of the files, which facts are held against; present if there is a view that was
    /// built with facts.
    pub declarations: Option<Arc<Declarations>>,
    pub report: Report,
}

/// Builds a policy from what was loaded; what could not be loaded is an error too.
///
/// `previous` speeds it up and changes nothing in the result.
pub fn build(loaded: &LoadedSources, previous: Option<&View>) -> BuildOutput {
    let mut problems = Diagnostics::default();
    let policy = read_policy(loaded, previous, Sites::Drop, &mut problems);
    let view = compile_checked(&policy, previous, &mut problems);
    BuildOutput::without_facts(view, problems, &loaded.sources)
}

/// Builds a policy with lints: what [`prove::lint`] finds if there are no errors but violated invariants.
pub fn build_with_lints(loaded: &LoadedSources) -> BuildOutput {
    let sources = &loaded.sources;
    let mut problems = Diagnostics::default();
    let ast = parse(loaded, &mut problems);
    let statements = lintable_items(&ast.items);
    let policy = resolve(ast, sources, sources.time().into(), None, Sites::Drop, &mut problems);
    let view = compile_checked(&policy, None, &mut problems);
    if let Some(view) = &view {
        let records = |visit: &mut dyn FnMut(&User<'_>)| visit_users(&statements, sources, visit);
        prove::lint(&statements, sources, &records, view, &mut problems);
    }
    BuildOutput::without_facts(view, problems, sources)
}

/// Compiles a policy without errors, and checks its invariants.
fn compile_checked(
    policy: &Policy,
    previous: Option<&View>,
    problems: &mut Diagnostics,
) -> Option<View> {
    let view = (!problems.has_errors()).then(|| compile(policy, previous))?;
    prove::invariants(&policy.invariants, &view, &with_windows, problems);
    Some(view)
}

/// Parses and resolves what was loaded.
pub(super) fn read_policy(
    loaded: &LoadedSources,
    previous: Option<&View>,
    sites: Sites,
    problems: &mut Diagnostics,
) -> Policy {
    let ast = parse(loaded, problems);
    resolve(ast, &loaded.sources, loaded.sources.time().into(), previous, sites, problems)
}

/// Parses what was loaded, and reports what could not be loaded.
pub(super) fn parse<'l>(loaded: &'l LoadedSources, problems: &mut Diagnostics) -> Ast<'l> {
    for error in &loaded.errors {
        problems.push(Diagnostic::from(error));
    }
    syntax::parse(&loaded.sources, problems)
}

/// Resolves and checks what was parsed, with what a previous view knows of the users.
pub(super) fn resolve(
    ast: Ast<'_>,
    sources: &Sources,
    at: Moment,
    previous: Option<&View>,
    sites: Sites,
    problems: &mut Diagnostics,
) -> Policy {
    let knows = |id: &str| previous.is_some_and(|view| view.population.is_declared(id));
    let comparisons = Cell::new(MAX_COMPARISONS);
    let nearest = |id: &str| {
        let users = &previous?.population.directory;
        comparisons.set(comparisons.get().checked_sub(users.len())?);
        did_you_mean(id, users.numbers().map(|user| users.id(user))).map(str::to_owned)
    };
    let users = previous.map(|view| PreviousUsers {
        key: view.population.key,
        tags: user_tags(view),
        knows: &knows,
        nearest: &nearest,
    });
    policy::resolve(ast, sources, at, users, sites, problems)
}

// === impl BuildOutput ===

impl BuildOutput {
    /// The output of a build that failed before there was a view.
    pub(super) fn failed(report: Report) -> Self {
        Self { view: None, declarations: None, report }
    }

    /// The output of a build with facts.
    pub(super) fn with_facts(view: View, declarations: Declarations, report: Report) -> Self {
        Self { view: Some(view), declarations: Some(Arc::new(declarations)), report }
    }

    /// The output of a build without facts; its view is dropped if there are errors.
    fn without_facts(view: Option<View>, problems: Diagnostics, sources: &Sources) -> Self {
        let view = view.filter(|_| !problems.has_errors());
        Self { view, declarations: None, report: Report::new(problems, sources) }
    }
}
