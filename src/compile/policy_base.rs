use super::{
    assemble::compile,
    build::{Sites, resolve},
    overlay::overlay_items,
    slice::slice_policy,
    statement_spans::StatementSpans,
};
use crate::{
    diagnostic::{Diagnostic, Diagnostics},
    policy::Invariant,
    prove,
    snapshot::View,
    source::{LoadedSources, Sources},
    syntax::{self, Ast, ast::Item, bulk::BulkFile},
};

/// A compiled policy that keeps what was written, so that other statements can be laid over it.
#[derive(Debug)]
pub struct PolicyBase<'s> {
    pub view: View,
    pub places: StatementSpans,
    sources: &'s Sources,
    items: Vec<Item<'s>>,
}

impl<'s> PolicyBase<'s> {
    /// As [`build`](super::build), invariants among it. `None` if the policy has errors; what is wrong goes
    /// to `problems`.
    pub fn build(loaded: &'s LoadedSources, problems: &mut Diagnostics) -> Option<Self> {
        for error in &loaded.errors {
            problems.push(Diagnostic::from(error));
        }
        let sources = &loaded.sources;
        let ast = syntax::parse(sources, problems);
        let items = ast.items.clone();
        let (view, places, invariants) = assemble(ast, sources, None, problems)?;
        prove::invariants(&invariants, &view, problems);
        (!problems.has_errors()).then_some(Self { view, places, sources, items })
    }

    /// The policy with what is given laid over it. Takes the population over unless something is
    /// given of users; else costs a pass over all of them.
    ///
    /// # Errors
    /// All that is wrong with the two together.
    pub fn with_overlay(&self, given: &[Item<'s>]) -> Result<(View, StatementSpans), Diagnostics> {
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
        let laid = assemble(ast, self.sources, Some(&self.view), &mut problems);
        laid.map(|(view, places, _)| (view, places)).ok_or(problems)
    }

    /// The same as far as decisions go that name these users and groups, whoever else there is; lists
    /// of it are worth nothing. Costs what is said of those, however many other users there are.
    ///
    /// `None` if there is more to it, as mistakes: then [`with`](Self::with_overlay) tells.
    pub fn with_overlay_slice(
        &self,
        given: &[Item<'s>],
        named: &[&str],
    ) -> Option<(View, StatementSpans)> {
        let stated = slice_policy(&self.view, &self.items, given, named)?;
        let ast = Ast { items: overlay_items(stated, given.to_vec()), bulk: Vec::new() };
        let (view, places, _) = assemble(ast, self.sources, None, &mut Diagnostics::default())?;
        Some((view, places))
    }
}

fn assemble(
    ast: Ast<'_>,
    sources: &Sources,
    previous: Option<&View>,
    problems: &mut Diagnostics,
) -> Option<(View, StatementSpans, Vec<Invariant>)> {
    let mut places = StatementSpans::from_items(&ast.items);
    let policy = resolve(ast, sources, previous, Sites::Drop, problems);
    places.add_rules(policy.rules.as_deref().unwrap_or_default());
    (!problems.has_errors()).then(|| (compile(&policy, previous), places, policy.invariants))
}
