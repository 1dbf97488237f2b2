//! The base of test cases: a compiled policy over which other statements are overlaid.

use super::{
    assemble::compile, build::resolve, overlay::overlay_items, slice::slice_policy,
    statement_spans::StatementSpans, windows::with_windows,
};
use crate::{
    diagnostic::{Diagnostic, Diagnostics},
    policy::{Invariant, Sites},
    prove,
    request::Moment,
    snapshot::View,
    source::{LoadedSources, Sources},
    syntax::{self, Ast, ast::Item, bulk::BulkFile},
};

/// A compiled policy that keeps its statements, so that others can be overlaid.
#[derive(Debug)]
pub struct PolicyBase<'s> {
    pub view: View,
    pub places: StatementSpans,
    sources: &'s Sources,
    items: Vec<Item<'s>>,
}

impl<'s> PolicyBase<'s> {
    /// Builds the policy and checks its invariants. `None` if it has errors, which go to `problems`.
    pub fn build(loaded: &'s LoadedSources, problems: &mut Diagnostics) -> Option<Self> {
        for error in &loaded.errors {
            problems.push(Diagnostic::from(error));
        }
        let sources = &loaded.sources;
        let ast = syntax::parse(sources, problems);
        let items = ast.items.clone();
        let (view, places, invariants) =
            assemble(ast, sources, sources.time().into(), None, problems)?;
        prove::invariants(&invariants, &view, &with_windows, problems);
        (!problems.has_errors()).then_some(Self { view, places, sources, items })
    }

    /// The policy with an overlay, at a moment if there is one. Shares the population unless the overlay
    /// concerns users or there is a moment; then it costs a pass over all of them.
    ///
    /// # Errors
    /// All errors of the policy and the overlay together.
    pub fn with_overlay(
        &self,
        given: &[Item<'s>],
        at: Option<Moment>,
    ) -> Result<(View, StatementSpans), Diagnostics> {
        let mut problems = Diagnostics::default();
        let bulk = || {
            let files = self.sources.iter().filter(|(_, source)| source.notation.is_bulk());
            files.map(|(id, source)| BulkFile::new(id, source))
        };
        let stated = self.items.iter().cloned();
        let ast = if given.iter().any(|item| matches!(item, Item::User(_))) {
            let mut users = Vec::new();
            for file in bulk() {
                file.users(&mut problems, &mut |user, _| users.push(Item::User(user)));
            }
            Ast { items: overlay_items(stated.chain(users), given.to_vec()), bulk: Vec::new() }
        } else {
            Ast { items: overlay_items(stated, given.to_vec()), bulk: bulk().collect() }
        };
        // Users may have other tags and relations at another moment.
        let previous = at.is_none().then_some(&self.view);
        let at = at.unwrap_or(self.view.at);
        let laid = assemble(ast, self.sources, at, previous, &mut problems);
        laid.map(|(view, places, _)| (view, places)).ok_or(problems)
    }

    /// The policy with an overlay, sliced to what decisions about the named users and groups depend on;
    /// its lists are incomplete. Costs what the policy says about those, however many users there are.
    ///
    /// `None` if the slice does not suffice, as for errors: use [`with_overlay`](Self::with_overlay) then.
    pub fn with_overlay_slice(
        &self,
        given: &[Item<'s>],
        named: &[&str],
    ) -> Option<(View, StatementSpans)> {
        let stated = slice_policy(&self.view, &self.items, given, named)?;
        let ast = Ast { items: overlay_items(stated, given.to_vec()), bulk: Vec::new() };
        let mut problems = Diagnostics::default();
        let (view, places, _) = assemble(ast, self.sources, self.view.at, None, &mut problems)?;
        Some((view, places))
    }
}

fn assemble(
    ast: Ast<'_>,
    sources: &Sources,
    at: Moment,
    previous: Option<&View>,
    problems: &mut Diagnostics,
) -> Option<(View, StatementSpans, Vec<Invariant>)> {
    let mut places = StatementSpans::from_items(&ast.items);
    let policy = resolve(ast, sources, at, previous, Sites::Drop, problems);
    places.add_rules(policy.rules.as_deref().unwrap_or_default());
    for set in &policy.rule_sets {
        places.add_rules(&set.rules);
    }
    (!problems.has_errors()).then(|| (compile(&policy, previous), places, policy.invariants))
}
