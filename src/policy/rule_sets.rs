//! Rule sets: their names, actions and rules resolved and checked.

use std::collections::HashMap;

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    request::{ActionSet, Asked},
    source::Span,
    syntax::ast,
};

use super::{
    actions::concerned_actions,
    descriptions,
    rules::{Rule, RuleReader},
    suggestions::parse_word,
};

/// The name of the rule set that every policy can have.
pub const RULES: &str = "rules";

/// Rules that are asked together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleSet {
    pub name: String,
    pub description: Option<String>,
    pub asked: Asked,
    /// The actions that it concerns.
    pub actions: ActionSet,
    /// In the order of their ids.
    pub rules: Vec<Rule>,
    /// Where a reader looks for it.
    pub place: Span,
}

/// The valid rule sets, in the order of their names.
pub(super) fn resolve(
    mut written: Vec<ast::RuleSet<'_>>,
    reader: &mut RuleReader<'_>,
    problems: &mut Diagnostics,
) -> Vec<RuleSet> {
    let mut places: HashMap<String, Span> = HashMap::new();
    let mut sets = Vec::new();
    // The ids of rules depend on the order of sets, which must not be that of files.
    written.sort_by(|one, other| one.name.value.cmp(&other.name.value));
    for set in written {
        let place = set.name.span;
        let name = descriptions::check_name("a rule set's name", &set.name, problems);
        let description = set.description.as_ref().and_then(|text| {
            descriptions::check_description("a rule set's description", text, problems)
        });
        let asked = timing(set.asked.as_ref(), problems);
        let actions = concerned_actions(set.actions.as_ref(), reader.names.actions, problems);
        let rules = reader.resolve(Some(&set.name.value), set.rules, problems);
        let Some(name) = name else { continue };
        if name == RULES {
            problems.push(
                Diagnostic::error(
                    Code::DuplicateRuleSet,
                    place,
                    "a rule set can't be called `rules`",
                )
                .hint("that is the section `rules`; give the set another name"),
            );
            continue;
        }
        if let Some(&first) = places.get(&name) {
            let message = format!("two rule sets have the name `{}`", name.escape_debug());
            problems.push(
                Diagnostic::error(Code::DuplicateRuleSet, place, message)
                    .related(first, "first defined here")
                    .hint("rename one of the two"),
            );
            continue;
        }
        places.insert(name.clone(), place);
        if let (Some(asked), Some(actions)) = (asked, actions) {
            sets.push(RuleSet { name, description, asked, actions, rules, place });
        }
    }
    sets.sort_by(|one, other| one.name.cmp(&other.name));
    sets
}

/// When a statement is asked: always, where it does not say it.
pub(super) fn timing(written: Option<&ast::Text<'_>>, problems: &mut Diagnostics) -> Option<Asked> {
    let known = Asked::ALL.iter().map(|word| word.as_str());
    match written {
        None => Some(Asked::Always),
        Some(text) => parse_word("word", text, known, problems),
    }
}
