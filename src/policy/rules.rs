//! Rules: their ids, conditions and outcomes resolved and checked.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
};

use uuid::{Uuid, uuid};

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    request::{Condition, Outcome, RelationCondition, RuleSource},
    source::Span,
    syntax::ast,
};

use super::{
    descriptions,
    expression::resolve_expression,
    relation_expression::{RelationNames, RelationPart},
    tags::Vocabulary,
};

/// The namespace of the ids of rules that are written without one: their `rule_id` is the UUIDv5,
/// in this namespace, of `name:` and the name, or else of `content:`, the canonical condition,
/// ` -> ` and the sorted outcome, separated by commas. An outcome that is a condition follows ` => `, and
/// `between` follows ` between `. Where a rule of the section `rules`, or of a rule set that precedes in the
/// order of names, has that id already, all of this follows `set:`, the length of the set's name, `:`, the
/// name and `:`.
pub const RULE_NAMESPACE: Uuid = uuid!("5b0b8f53-5d3e-5c57-9d67-0d3f6c1b2a94");

/// A rule: users who meet the condition may reach users who have a tag of the outcome.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    pub id: Uuid,
    pub name: Option<String>,
    pub description: Option<String>,
    pub condition: Condition<String>,
    pub outcome: Outcome<String>,
    /// The relation condition, read from the subject.
    pub between: Option<RelationCondition<String>>,
    /// Where a file declares the rule; `None` for a rule of the API.
    pub place: Option<Span>,
    /// `None` if a file states it.
    pub wording: Option<RuleSource>,
}

/// Reads the rules of a policy, whose ids are distinct over all rule sets.
pub(super) struct RuleReader<'r> {
    pub(super) names: &'r RelationNames<'r>,
    ids: Seen<Uuid>,
}

impl<'r> RuleReader<'r> {
    pub(super) fn new(names: &'r RelationNames<'r>) -> Self {
        Self { names, ids: Seen::default() }
    }

    /// The valid rules of a rule set, in the order of their ids; `set` is its name, or `None` for the section
    /// `rules`. Lets go of each as it is bound: they may be many.
    pub(super) fn resolve(
        &mut self,
        set: Option<&str>,
        written: Vec<ast::Rule<'_>>,
        problems: &mut Diagnostics,
    ) -> Vec<Rule> {
        let (mut rule_names, mut own) = (Seen::default(), HashSet::new());
        let mut rules: Vec<Rule> = written
            .into_iter()
            .filter_map(|rule| self.rule(set, &rule, &mut rule_names, &mut own, problems))
            .collect();
        rules.sort_by_key(|rule| rule.id);
        rules
    }

    fn rule(
        &mut self,
        set: Option<&str>,
        rule: &ast::Rule<'_>,
        rule_names: &mut Seen<String>,
        own: &mut HashSet<Uuid>,
        problems: &mut Diagnostics,
    ) -> Option<Rule> {
        let place = rule.name.as_ref().map_or(rule.span, |name| name.span);
        let name = rule
            .name
            .as_ref()
            .and_then(|name| descriptions::check_name("a rule's name", name, problems));
        let description = rule.description.as_ref().and_then(|text| {
            descriptions::check_description("a rule's description", text, problems)
        });
        let given_id = rule.rule_id.as_ref().map(|id| (id.span, rule_id(id, problems)));
        let vocabulary = self.names.vocabulary;
        let condition: Option<Condition<String>> =
            resolve_expression(&rule.condition, vocabulary, problems);
        let outcome = match &rule.outcome {
            Some(ast::Outcome::Tags(tags)) => {
                outcome_tags(tags, vocabulary, problems).map(Outcome::Tags)
            }
            Some(ast::Outcome::Condition(condition)) => {
                resolve_expression(condition, vocabulary, problems).map(Outcome::Condition)
            }
            None => Some(Outcome::Condition(Condition::Everyone)),
        };
        let between = rule.between.as_ref().map(|between| {
            let part = RelationPart::Between("between");
            self.names.resolve(between, part, problems)
        });
        let is_repeated = name.as_ref().is_some_and(|name| {
            rule_names.repeats(name.clone(), place, problems, |name| {
                (format!("two rules have the name `{name}`"), "rename one of the two")
            })
        });
        let is_between_right = between.as_ref().is_none_or(Option::is_some);
        let (Some(condition), Some(outcome), true) = (condition, outcome, is_between_right) else {
            if let Some((span, Some(id))) = given_id {
                self.ids.repeats(id, span, problems, duplicate_id);
            }
            return None;
        };
        let between = between.flatten();
        let id = match given_id {
            Some((span, Some(id))) => {
                self.ids.repeats(id, span, problems, duplicate_id);
                id
            }
            Some((_, None)) => return None,
            None => {
                let content = RuleContent {
                    condition: &condition,
                    outcome: &outcome,
                    between: between.as_ref(),
                };
                let mut id = derived_id(None, name.as_deref(), &content);
                // The same rule may stand in several sets.
                if set.is_some() && own.insert(id) && self.ids.contains(&id) {
                    id = derived_id(set, name.as_deref(), &content);
                }
                if !is_repeated {
                    self.ids.repeats(id, place, problems, |id| match &name {
                        Some(_) => duplicate_id(id),
                        None => (
                            "this rule repeats another".into(),
                            "remove one of the two, or give each a name",
                        ),
                    });
                }
                id
            }
        };
        Some(Rule {
            id,
            name,
            description,
            condition,
            outcome,
            between,
            place: Some(place),
            wording: None,
        })
    }
}

/// The rules met before, with their spans.
struct Seen<K>(HashMap<K, Span>);

impl<K> Default for Seen<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash + Clone> Seen<K> {
    fn contains(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    /// Whether the key was met before, which is a problem.
    fn repeats(
        &mut self,
        key: K,
        span: Span,
        problems: &mut Diagnostics,
        say: impl FnOnce(&K) -> (String, &'static str),
    ) -> bool {
        let Some(&first) = self.0.get(&key) else {
            self.0.insert(key, span);
            return false;
        };
        let (message, hint) = say(&key);
        problems.push(
            Diagnostic::error(Code::DuplicateRule, span, message)
                .related(first, "first defined here")
                .hint(hint),
        );
        true
    }
}

fn duplicate_id(id: &Uuid) -> (String, &'static str) {
    (format!("two rules have the `rule_id` {id}"), "give one of them another id")
}

/// The parts of a rule that its id is derived from where it has no name.
struct RuleContent<'r> {
    condition: &'r Condition<String>,
    outcome: &'r Outcome<String>,
    between: Option<&'r RelationCondition<String>>,
}

fn derived_id(set: Option<&str>, name: Option<&str>, content: &RuleContent<'_>) -> Uuid {
    let in_set = set.map_or_else(String::new, |set| format!("set:{}:{set}:", set.len()));
    let RuleContent { condition, outcome, between } = content;
    let rule = match (name, outcome) {
        (Some(name), _) => format!("name:{name}"),
        (None, Outcome::Tags(tags)) => format!("content:{condition} -> {}", tags.join(",")),
        (None, Outcome::Condition(outcome)) => format!("content:{condition} => {outcome}"),
    };
    let between = between.filter(|_| name.is_none());
    let between = between.map_or_else(String::new, |between| format!(" between {between}"));
    let seed = format!("{in_set}{rule}{between}");
    Uuid::new_v5(&RULE_NAMESPACE, seed.as_bytes())
}

fn rule_id(written: &ast::Text<'_>, problems: &mut Diagnostics) -> Option<Uuid> {
    // Only the form that the design prints: the others that a UUID may take would make two
    // spellings of one id.
    let id = (written.value.len() == 36).then(|| Uuid::try_parse(&written.value).ok()).flatten();
    if id.is_none() {
        let message = format!("`{}` is not a UUID", written.value.escape_debug());
        problems.push(Diagnostic::error(Code::InvalidRuleId, written.span, message).hint(
            "a `rule_id` looks like 728c1541-d6d1-4290-9a53-cdf01dd32d60; without one, a rule \
                 gets an id derived from its name or content",
        ));
    }
    id
}

fn outcome_tags(
    written: &ast::List<'_>,
    vocabulary: &Vocabulary,
    problems: &mut Diagnostics,
) -> Option<Vec<String>> {
    if written.value.is_empty() {
        problems.push(
            Diagnostic::error(Code::EmptyOutcome, written.span, "the outcome names no tag")
                .label("the rule would allow nothing")
                .hint("name the tags of the users who may be reached, write `everyone`, or remove the rule"),
        );
        return None;
    }
    let mut tags = Vec::with_capacity(written.value.len());
    for tag in &written.value {
        tags.extend(vocabulary.bind(tag, problems));
    }
    let all_bound = tags.len() == written.value.len();
    tags.sort_unstable();
    tags.dedup();
    all_bound.then_some(tags)
}
