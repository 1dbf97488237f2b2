//! Policy to view: the only bridge between what authors write and what decisions read.
//!
//! A condition is set algebra over the users of each tag, so a policy compiles in bulk and not user
//! by user. What a previous view holds already is taken over: the population when the files say the
//! same about users, and each tag's reachers when the rules that name it have the same conditions.
//!
//! Invariant: one function in, one view out; it reads no file and no clock.

mod apply_files;
mod apply_records;
mod declarations;
mod digest;
mod groups;
mod overlay;
mod policy_base;
mod population;
mod rules;
mod shadowed;
mod slice;
mod statement_spans;
mod user_states;
mod versions;
mod with_records;

pub use apply_records::{Changed, apply_records, replay_changes};
pub use declarations::Declarations;
pub use policy_base::PolicyBase;
pub use shadowed::ShadowedFact;
pub use statement_spans::StatementSpans;
pub use versions::{VersionPair, Versions, build_over, build_versions};
pub use with_records::{FactsSource, build_with_records, rebuild};

pub use crate::policy::{forbidden_tag_report, parse_condition, parse_value};

use std::{cell::Cell, collections::HashSet, sync::Arc};

use crate::{
    diagnostic::{Diagnostic, Diagnostics, Report, did_you_mean},
    policy::{self, Policy, PreviousUsers, Users},
    prove,
    snapshot::{GroupTable, Population, Revision, StateIndex, TagId, Tags, UserState, View},
    source::{LoadedSources, Sources},
    syntax::{
        self, Ast,
        ast::{ExprKind, Item, User},
        bulk::BulkFile,
    },
};

/// How many users may be compared with ids that are nobody's.
const MAX_COMPARISONS: u32 = 2_000_000;

/// What became of a policy: a view if it holds no error, and all that is to be said about it.
#[derive(Debug)]
pub struct BuildOutput {
    pub view: Option<View>,
    /// What the files state, to be held against what facts say; there is one if there is a view.
    pub declarations: Option<Arc<Declarations>>,
    pub report: Report,
}

/// Parses, resolves and compiles what was loaded; what could not be loaded is a mistake too.
///
/// `previous` speeds it up and changes nothing in the result.
pub fn build(loaded: &LoadedSources, previous: Option<&View>) -> BuildOutput {
    build_with(loaded, previous, false)
}

/// The same, with lints: what [`prove::lint`] finds in a policy without errors but broken invariants.
pub fn build_with_lints(loaded: &LoadedSources) -> BuildOutput {
    build_with(loaded, None, true)
}

fn build_with(loaded: &LoadedSources, previous: Option<&View>, lints: bool) -> BuildOutput {
    let sources = &loaded.sources;
    let mut problems = Diagnostics::default();
    let (policy, statements) = parse_and_resolve(loaded, previous, lints, false, &mut problems);
    let invariants = policy.invariants.clone();
    let mut view = (!problems.has_errors()).then(|| compile(&policy, previous));
    if let Some(compiled) = &view {
        prove::invariants(&invariants, compiled, &mut problems);
        if lints {
            let records =
                |visit: &mut dyn FnMut(&User<'_>)| visit_users(&statements, sources, visit);
            prove::lint(&statements, sources, &records, compiled, &mut problems);
        }
    }
    if problems.has_errors() {
        view = None;
    }
    BuildOutput { view, declarations: None, report: Report::new(problems, sources) }
}

/// Parses and resolves what was loaded; with what lints are about, if they are asked for. Places are
/// for what facts are held against.
fn parse_and_resolve<'l>(
    loaded: &'l LoadedSources,
    previous: Option<&View>,
    lints: bool,
    places: bool,
    problems: &mut Diagnostics,
) -> (Policy, Vec<Item<'l>>) {
    for error in &loaded.errors {
        problems.push(Diagnostic::from(error));
    }
    let ast = syntax::parse(&loaded.sources, problems);
    let statements = if lints { lintable_items(&ast.items) } else { Vec::new() };
    (resolve(ast, &loaded.sources, previous, places, problems), statements)
}

/// Binds and checks what was parsed, with what a previous view knows of the users.
fn resolve(
    ast: Ast<'_>,
    sources: &Sources,
    previous: Option<&View>,
    places: bool,
    problems: &mut Diagnostics,
) -> Policy {
    let knows = |id: &str| previous.is_some_and(|view| view.population.is_declared(id));
    let comparisons = Cell::new(MAX_COMPARISONS);
    let near = |id: &str| {
        let users = &previous?.population.directory;
        comparisons.set(comparisons.get().checked_sub(users.len())?);
        did_you_mean(id, users.numbers().map(|user| users.id(user))).map(str::to_owned)
    };
    let census = previous.map(|view| PreviousUsers {
        key: view.population.key,
        tags: user_tags(view),
        knows: &knows,
        nearest: &near,
    });
    policy::resolve(ast, sources, census, places, problems)
}

/// What lints are about: records, which may be many, only as far as they hold conditions or their ids
/// may look like another.
fn lintable_items<'s>(items: &[Item<'s>]) -> Vec<Item<'s>> {
    let is_asked = |item: &&Item<'_>| match item {
        // Of the others nothing can be said but that they look like another.
        Item::User(user) if !user.id.value.is_ascii() => true,
        Item::Group(group) if !group.id.value.is_ascii() => true,
        Item::User(user) => {
            let mut switches = user.more.iter().flat_map(|more| &more.permissions);
            switches.any(|setting| matches!(setting.value.kind, ExprKind::Call { .. }))
        }
        Item::Group(_) | Item::Conversation(_) => false,
        _ => true,
    };
    items.iter().filter(is_asked).cloned().collect()
}

/// Visits the records of users that are among the statements, and all those of bulk files, which are read
/// again.
fn visit_users(statements: &[Item<'_>], sources: &Sources, visit: &mut dyn FnMut(&User<'_>)) {
    for item in statements {
        if let Item::User(user) = item {
            visit(user);
        }
    }
    for (id, source) in sources.iter().filter(|(_, source)| source.notation.is_bulk()) {
        // What is wrong with the lines was reported before.
        let bulk = BulkFile::new(id, source);
        bulk.users(&mut Diagnostics::default(), &mut |user, _| visit(&user));
    }
}

/// The tags that a population was made with.
fn user_tags(view: &View) -> Vec<String> {
    let of_users = view.population.members.len();
    view.tags.iter().take(of_users).map(|(_, name)| name.to_owned()).collect()
}

/// Compiles a policy. Costs set algebra for each condition that `previous` does not share.
///
/// A policy whose users are [`Users::Unchanged`] takes the population of `previous`; if that is
/// another one, or there is none, it has no users, and all are refused.
pub fn compile(policy: &Policy, previous: Option<&View>) -> View {
    let unchanged = match &policy.users {
        Users::Read(_) => None,
        Users::Unchanged(key) => previous.filter(|view| view.population.key == *key),
    };
    let (known, user_tags) = match (unchanged, &policy.users) {
        (Some(view), _) => (PopulationSource::As(view), user_tags(view)),
        (None, Users::Read(roster)) => PopulationSource::new(population::compile(roster)),
        (None, Users::Unchanged(_)) => {
            PopulationSource::new(population::compile(&policy::Roster::default()))
        }
    };
    let digest = digest::policy(&known.population().digest, policy);
    let mut view = assemble_view(policy, known, user_tags, policy.rules.clone(), previous);
    view.groups = groups::compile(&policy.groups, &view.matrices, &view.population.directory);
    view.revision = Revision { policy: digest, facts: 0 };
    view
}

/// The view of a policy over these users, but for groups and the revision.
fn assemble_view(
    policy: &Policy,
    known: PopulationSource<'_>,
    user_tags: Vec<String>,
    rules: Option<Vec<policy::Rule>>,
    previous: Option<&View>,
) -> View {
    let tags = number_tags(user_tags, policy, rules.as_deref().unwrap_or_default());
    let declared = policy.tags.iter().filter_map(|name| tags.get(name)).collect();
    let named = named_tags(policy).into_iter().filter_map(|name| tags.get(name)).collect();
    // Every tag that a policy names was numbered; a number that no one has stands for no user.
    let settings = policy.settings.map(&mut |name| tags.get(name).unwrap_or(TagId(u32::MAX)));
    let known = known.with_friendships(settings.blocks_end_friendship);
    let (standings, each) = user_states::compile(&settings, known.population());
    let population = known.with_states(&standings, &each);
    let managers = settings.managers.as_ref().map(|condition| {
        population.users_meeting(condition).into_owned().packed(population.directory.len())
    });
    let rules = rules.map(|rules| rules::compile(rules, &tags, &population, previous));
    View {
        only_rules_restrict: standings.is_unrestricted() && population.ties.is_empty(),
        population,
        matrices: groups::bind_matrices(&policy.matrices, &tags).into(),
        tags: Arc::new(tags),
        declared_tags: declared,
        named_tags: named,
        rules: rules.map(Arc::new),
        settings: Arc::new(settings),
        sections: policy.sections,
        states: standings,
        managers,
        groups: GroupTable::new(&[], 0),
        revision: Revision { policy: [0; 32], facts: 0 },
    }
}

/// The users of a policy, before it is known where they stand under it.
enum PopulationSource<'v> {
    New(Box<Population>),
    /// Those of a previous view.
    As(&'v View),
}

impl PopulationSource<'_> {
    /// The same where blocks end friendships that files state, or where they don't.
    fn with_friendships(self, blocks_end: bool) -> Self {
        let settled = match &self {
            Self::New(population) => population.with_friendships(blocks_end),
            Self::As(view) if view.settings.blocks_end_friendship == blocks_end => None,
            Self::As(view) => view.population.with_friendships(blocks_end),
        };
        settled.map_or(self, |population| Self::New(Box::new(population)))
    }
}

impl PopulationSource<'_> {
    fn new((population, tags): (Population, Vec<String>)) -> (Self, Vec<String>) {
        (Self::New(Box::new(population)), tags)
    }

    fn population(&self) -> &Population {
        match self {
            Self::New(population) => population,
            Self::As(view) => &view.population,
        }
    }

    fn with_states(self, standings: &StateIndex, each: &[UserState]) -> Arc<Population> {
        match self {
            Self::New(population) => Arc::new(population.with_states(standings, each)),
            Self::As(view) if view.population.has_states(standings, each) => {
                Arc::clone(&view.population)
            }
            Self::As(view) => {
                Arc::new(Population::clone(&view.population).with_states(standings, each))
            }
        }
    }
}

/// Numbers the users' tags first, then the others, each in the order of their names.
fn number_tags(users: Vec<String>, policy: &Policy, rules: &[policy::Rule]) -> Tags {
    let known: HashSet<&str> = users.iter().map(String::as_str).collect();
    let mut others = named_tags(policy);
    for rule in rules {
        rule.condition.for_each_tag(&mut |tag| others.push(tag));
        others.extend(rule.outcome.iter().map(String::as_str));
    }
    others.retain(|name| !known.contains(name));
    others.sort_unstable();
    others.dedup();
    let others: Vec<Box<str>> = others.into_iter().map(Box::from).collect();
    users.into_iter().map(String::into_boxed_str).chain(others).collect()
}

/// The tags that a policy names apart from rules and users' records, some perhaps more than once.
fn named_tags(policy: &Policy) -> Vec<&str> {
    let mut others: Vec<&str> = policy.tags.iter().map(String::as_str).collect();
    policy.settings.for_each_condition(&mut |condition| {
        condition.for_each_tag(&mut |tag| others.push(tag));
    });
    for invariant in &policy.invariants {
        invariant.from.for_each_tag(&mut |tag| others.push(tag));
        invariant.to.for_each_tag(&mut |tag| others.push(tag));
    }
    for matrix in &policy.matrices {
        matrix.each_value(&mut |value| value.for_each_tag(&mut |tag| others.push(tag)));
    }
    others
}
