//! The policy as it was meant: names bound, limits checked, duplicates reported.
//!
//! Most diagnostics about a policy are made here: "no such tag, did you mean".
//!
//! Invariant: knows of `source`, `diagnostic`, `request` and the AST of `syntax`.

mod descriptions;
mod expression;
mod groups;
mod inline;
mod invariants;
mod line_locator;
mod matrices;
mod presets;
mod rules;
mod schema;
mod sections;
mod settings;
mod suggestions;
mod tags;
mod users;

pub use groups::PolicyGroup;
pub use inline::{forbidden_tag_report, parse_condition, parse_value};
pub use invariants::{Invariant, InvariantScope};
pub use matrices::{DEFAULT_MATRIX, Matrix};
pub use presets::Preset;
pub use rules::{RULE_NAMESPACE, Rule};
pub use schema::{record_schema, schema};
pub use users::{PreviousUsers, Roster, RosterBuilder, UserOverrides, Users};

pub use crate::syntax::ast::Demand;

use uuid::Uuid;

use crate::{
    diagnostic::Diagnostics,
    request::{DeclarationSite, SectionSet, Settings},
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
    pub settings: Settings<String>,
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
/// records are not read again. Costs a look at each statement and record.
pub fn resolve(
    ast: Ast<'_>,
    sources: &Sources,
    known: Option<PreviousUsers<'_>>,
    sites: Sites,
    problems: &mut Diagnostics,
) -> Policy {
    let mut declarations = Vec::new();
    let mut has_rules = false;
    let mut rules = Vec::new();
    let mut written = settings::SettingsStatements::default();
    let mut matrices = Vec::new();
    let mut users = Vec::new();
    let mut groups = Vec::new();
    let mut conversations = Vec::new();
    let mut demanded = Vec::new();
    let mut silenced = Vec::new();
    let mut own_sections = SectionSet::default();
    let mut protected = Vec::new();
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
            ast::Item::RuleSet(_)
            | ast::Item::Barrier(_)
            | ast::Item::Audience(_)
            | ast::Item::Accepts(_)
            | ast::Item::Action(_) => {}
        }
    }
    let vocabulary = tags::Vocabulary::declare(&declarations, written.tag_form(), problems);
    let (preset, mut settings) = settings::resolve(&written, &vocabulary, problems);
    settings.protected_tags = vocabulary.protected(&protected, problems);
    has_rules |= !rules.is_empty() || preset.is_some_and(Preset::has_rules);
    let rules = rules::resolve(rules, &vocabulary, problems);
    let matrices = matrices::resolve(&matrices, &vocabulary, problems);
    let invariants = invariants::resolve(&demanded, &vocabulary, problems);
    suggestions::check_lints(&silenced, problems);

    let checks = users::UserChecks {
        friends: settings.limits.friends,
        blocked: settings.limits.blocked,
        blocks_end_friendship: settings.blocks_end_friendship,
    };
    let stated =
        users::UserStatements { users: &users, conversations: &conversations, checks, sites };
    let gathered = users::resolve(&stated, &ast.bulk, sources, known, &vocabulary, problems);
    let bounds = groups::GroupChecks {
        users: &gathered,
        matrices: &matrices,
        most_members: settings.limits.group_members,
    };
    let places = declaration_sites(&rules, &groups, sources);
    let groups = groups::resolve(&groups, &bounds, problems);
    let users = gathered.into_users();
    Policy {
        tags: vocabulary.into_declared(),
        rules: has_rules.then_some(rules),
        settings,
        sections: own_sections.union(preset.map(sections::preset_sections).unwrap_or_default()),
        matrices,
        users,
        groups,
        invariants,
        places,
    }
}

fn declaration_sites(
    rules: &[Rule],
    groups: &[ast::Group<'_>],
    sources: &Sources,
) -> DeclarationSites {
    let mut spans: Vec<_> = rules.iter().filter_map(|rule| Some((rule.place?, rule.id))).collect();
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
