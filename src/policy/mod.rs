//! What was meant: names bound, limits checked, the same thing said twice found out.
//!
//! Most of what an author is told about a policy is said here: "no such tag, did you mean".
//!
//! Invariant: knows of `source`, `diagnostic`, `request` and the AST of `syntax`.

mod condition;
mod rules;
mod tags;
mod users;

pub use rules::{NAMESPACE, Rule};
pub use users::{Census, Roster, Users};

use crate::{
    diagnostic::Diagnostics,
    source::Sources,
    syntax::{Ast, ast},
};

/// A policy whose every name is bound and every limit kept, independent of notation and of the
/// order of files.
#[derive(Debug)]
pub struct Policy {
    /// The tags that are declared, in order; empty if none are.
    pub tags: Vec<String>,
    /// The rules, ordered by id; `None` if the policy has no `rules` section, so that rules refuse
    /// nothing.
    pub rules: Option<Vec<Rule>>,
    pub users: Users,
}

/// Binds and checks what was parsed. All that is wrong goes to `problems`; with an error among
/// them, the policy holds only what was right.
///
/// `known` is what a compiled population was made from: if the files still say the same about
/// users, their records are not read again. Costs a look at each statement and record.
pub fn resolve(
    ast: Ast<'_>,
    sources: &Sources,
    known: Option<Census>,
    problems: &mut Diagnostics,
) -> Policy {
    let mut declarations = Vec::new();
    let mut has_rules = false;
    let mut rules = Vec::new();
    let mut users = Vec::new();
    for item in ast.items {
        match item {
            ast::Item::Tags(list) => declarations.push(list),
            ast::Item::Rules(_) => has_rules = true,
            ast::Item::Rule(rule) => rules.push(*rule),
            ast::Item::User(user) => users.push(user),
            _ => {}
        }
    }
    let vocabulary = tags::Vocabulary::declare(&declarations, problems);
    has_rules |= !rules.is_empty();
    let rules = rules::resolve(rules, &vocabulary, problems);
    let users = users::resolve(&users, &ast.bulk, sources, known, &vocabulary, problems);
    Policy { tags: vocabulary.into_declared(), rules: has_rules.then_some(rules), users }
}
