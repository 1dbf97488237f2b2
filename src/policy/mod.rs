//! The policy as it was meant: names bound, limits checked, duplicates reported.
//!
//! Most diagnostics about a policy are made here: "no such tag, did you mean".
//!
//! Invariant: knows of `source`, `diagnostic`, `request` and the AST of `syntax`.

mod actions;
mod audiences;
mod barriers;
mod descriptions;
mod expression;
mod groups;
mod inline;
mod invariants;
mod line_locator;
mod matrices;
mod presets;
mod relation_expression;
mod rule_sets;
mod rules;
mod schema;
mod sections;
mod settings;
mod suggestions;
mod tags;
mod terms;
mod users;
mod windows;

pub use groups::{GroupEnd, PolicyGroup, Restriction};
pub use inline::{forbidden_tag_report, parse_condition, parse_value, unknown_window_report};
pub use invariants::{Invariant, InvariantScope};
pub use matrices::{DEFAULT_MATRIX, Matrix};
pub use presets::Preset;
pub use rule_sets::{RULES, RuleSet};
pub use rules::{RULE_NAMESPACE, Rule};
pub use schema::{record_schema, schema};
pub use users::{
    PreviousUsers, Roster, RosterBuilder, RosterEnd, RosterEndOf, UserOverrides, Users,
};

pub use crate::syntax::ast::Demand;

use std::sync::Arc;

use relation_expression::RelationNames;
use rules::RuleReader;
use uuid::Uuid;

use crate::{
    diagnostic::Diagnostics,
    request::{DeclarationSite, Moment, SectionSet, Settings, Window},
    source::Sources,
    syntax::{Ast, ast},
};

/// A policy whose every name is bound and every limit kept, independent of notation and of the
/// order of files.
#[derive(Debug)]
pub struct Policy {
    /// The tags that are declared, in order; empty if none are.
    pub tags: Vec<String>,
    /// The rules, ordered by id; `None` if the policy has no `rules` section and its preset none
    /// either, so that rules refuse nothing.
    pub rules: Option<Vec<Rule>>,
    /// The other rule sets, in the order of their names.
    pub rule_sets: Vec<RuleSet>,
    pub settings: Settings<String>,
    /// In the order of their names.
    pub windows: Arc<[Window]>,
    /// Those of its own and those that its preset sets.
    pub sections: SectionSet,
    /// In the order of their names, the built-in ones among them.
    pub matrices: Vec<Matrix>,
    pub users: Users,
    /// In the order of their ids.
    pub groups: Vec<PolicyGroup>,
    /// In the order of what they say.
    pub invariants: Vec<Invariant>,
    pub places: DeclarationSites,
    /// The moment by which what ends or holds at times is judged.
    pub at: Moment,
}

/// Where a policy states what facts can't change.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct DeclarationSites {
    /// The names of the files, by number.
    pub files: Vec<String>,
    /// The spans of rules, by id.
    pub rules: Vec<(Uuid, DeclarationSite)>,
    /// The spans of groups, by id.
    pub groups: Vec<(String, DeclarationSite)>,
}

/// Whether the sites of users and conversations are kept, which errors of facts point to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sites {
    /// The sites are recorded; users are unchanged only if their sites are too.
    Keep,
    Drop,
}

/// Resolves and checks parsed statements. All errors go to `problems`; with an error among them, the
/// policy holds only the valid statements.
///
/// `known` identifies the users of a compiled population: if the files still declare the same, their
/// records are not read again. What ends or holds at times is judged at the moment `at`. Costs a look at each
/// statement and record.
pub fn resolve(
    ast: Ast<'_>,
    sources: &Sources,
    at: Moment,
    known: Option<PreviousUsers<'_>>,
    sites: Sites,
    problems: &mut Diagnostics,
) -> Policy {
    let mut declarations = Vec::new();
    let mut has_rules = false;
    let mut rules = Vec::new();
    let mut rule_sets = Vec::new();
    let mut barriers = Vec::new();
    let mut audiences = Vec::new();
    let mut accepts = Vec::new();
    let mut written = settings::SettingsStatements::default();
    let mut matrices = Vec::new();
    let mut users = Vec::new();
    let mut groups = Vec::new();
    let mut conversations = Vec::new();
    let mut demanded = Vec::new();
    let mut silenced = Vec::new();
    let mut own_sections = SectionSet::default();
    let mut protected = Vec::new();
    let mut declared = Vec::new();
    let mut windows = Vec::new();
    for item in ast.items {
        own_sections = own_sections.union(sections::item_section(&item).into_iter().collect());
        match item {
            ast::Item::Tags(list) => declarations.push(list),
            ast::Item::ProtectedTags(list) => protected.push(list),
            ast::Item::Rules(_) => has_rules = true,
            ast::Item::Rule(rule) => rules.push(*rule),
            ast::Item::Word(word) => written.words.push(*word),
            ast::Item::Settings(section) => written.sections.push(*section),
            ast::Item::Peers(peers) => written.peers.push(*peers),
            ast::Item::Matrix(matrix) => matrices.push(*matrix),
            ast::Item::User(user) => users.push(user),
            ast::Item::Group(group) => groups.push(*group),
            ast::Item::Conversation(conversation) => conversations.push(*conversation),
            ast::Item::Invariant(invariant) => demanded.push(*invariant),
            ast::Item::Lints(lints) => silenced.push(lints),
            ast::Item::RuleSet(set) => rule_sets.push(*set),
            ast::Item::Barrier(barrier) => barriers.push(*barrier),
            ast::Item::Audience(audience) => audiences.push(*audience),
            ast::Item::Accepts(entry) => accepts.push(*entry),
            ast::Item::Action(action) => declared.push(*action),
            ast::Item::Window(window) => windows.push(*window),
        }
    }
    let windows::DeclaredWindows { windows, names } = windows::resolve(&windows, problems);
    let vocabulary =
        tags::Vocabulary::declare(&declarations, written.tag_form(), problems).with_windows(names);
    let actions = actions::declare(&declared, problems);
    let (preset, mut settings) = settings::resolve(&written, &vocabulary, actions, problems);
    settings.protected_tags = vocabulary.protected(&protected, problems);
    has_rules |= !rules.is_empty() || preset.is_some_and(Preset::has_rules);
    let matrices = matrices::resolve(&matrices, &vocabulary, &settings.actions, problems);
    let actions = settings.actions.clone();
    let names = RelationNames::new(&vocabulary, &matrices, &actions);
    let mut reader = RuleReader::new(&names);
    let rules = reader.resolve(None, rules, problems);
    let rule_sets = rule_sets::resolve(rule_sets, &mut reader, problems);
    settings.barriers = barriers::resolve(&barriers, &names, problems);
    settings.audiences = audiences::resolve(&audiences, &names, problems);
    settings.accepts = audiences::resolve_accepts(&accepts, &names, &settings.audiences, problems);
    settings::resolve_peers(&written, &mut settings, &vocabulary, problems);
    let invariants = invariants::resolve(&demanded, &vocabulary, &actions, problems);
    suggestions::check_lints(&silenced, problems);

    let stated = users::UserStatements {
        users: &users,
        conversations: &conversations,
        checks: users::UserChecks::of(&settings),
        audiences: &settings.audiences,
        actions: &actions,
        sites,
        at,
    };
    let gathered = users::resolve(&stated, &ast.bulk, sources, known, &vocabulary, problems);
    let bounds = groups::GroupChecks {
        users: &gathered,
        matrices: &matrices,
        vocabulary: &vocabulary,
        most_members: settings.limits.group_members,
        now: at,
    };
    let sets = rule_sets.iter().flat_map(|set| &set.rules);
    let places = declaration_sites(rules.iter().chain(sets), &groups, sources);
    let groups = groups::resolve(&groups, &bounds, problems);
    let users = gathered.into_users();
    Policy {
        tags: vocabulary.into_declared(),
        rules: has_rules.then_some(rules),
        rule_sets,
        settings,
        windows,
        sections: own_sections.union(preset.map(sections::preset_sections).unwrap_or_default()),
        matrices,
        users,
        groups,
        invariants,
        places,
        at,
    }
}

fn declaration_sites<'r>(
    rules: impl Iterator<Item = &'r Rule>,
    groups: &[ast::Group<'_>],
    sources: &Sources,
) -> DeclarationSites {
    let mut spans: Vec<_> = rules.filter_map(|rule| Some((rule.place?, rule.id))).collect();
    spans.sort_unstable_by_key(|(span, _)| (span.source.0, span.start));
    let mut lines = line_locator::LineLocator::new(sources);
    let mut rules: Vec<_> = spans.iter().map(|&(span, id)| (id, lines.locate(span))).collect();
    rules.sort_unstable_by_key(|&(id, _)| id);
    let mut spans: Vec<_> = groups.iter().map(|group| &group.id).collect();
    spans.sort_unstable_by_key(|id| (id.span.source.0, id.span.start));
    let mut groups: Vec<_> =
        spans.iter().map(|id| (id.value.to_string(), lines.locate(id.span))).collect();
    groups.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    DeclarationSites {
        files: sources.iter().map(|(_, source)| source.name.clone()).collect(),
        rules,
        groups,
    }
}
