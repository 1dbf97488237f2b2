//! The questions that statements about two users ask of one of them, so that users are told apart by the answers.

use std::collections::HashSet;

use crate::{
    decide::{PairCondition, PairEvaluator},
    request::{Condition, RelationCondition},
    snapshot::{TagId, UserTags, View},
};

/// What the statements of both policies about two users ask of the tags of a subject.
pub(super) struct Questions {
    conditions: Vec<Condition<TagId>>,
    /// The tags that the subject may share, or must have, in order.
    tags: Vec<TagId>,
}

impl Questions {
    /// Both views have the same population, so that a tag of users has the same number in both.
    pub(super) fn of([old, new]: [(&View, &PairEvaluator<'_>); 2]) -> Self {
        let mut questions = Self { conditions: Vec::new(), tags: Vec::new() };
        let mut conditions = HashSet::new();
        for (view, evaluator) in [old, new] {
            let one_sided = evaluator.one_sided();
            let rules = one_sided.rules.map(PairCondition::opened_by);
            for pair in rules.iter().chain(&one_sided.pairwise) {
                questions.collect(view, pair, &mut conditions);
            }
            for own in view.population.own_audiences.iter() {
                let audience = view.settings.audiences.number(&own.name);
                let audience = audience.and_then(|number| view.settings.audiences.get(number));
                if let Some(audience) = audience {
                    questions.relation(view, &audience.condition);
                }
            }
        }
        questions.conditions = conditions.into_iter().collect();
        questions.tags.sort_unstable();
        questions.tags.dedup();
        questions
    }

    fn collect(
        &mut self,
        view: &View,
        pair: &PairCondition,
        conditions: &mut HashSet<Condition<TagId>>,
    ) {
        match pair {
            PairCondition::Subject(condition) => {
                conditions.insert(condition.clone());
            }
            PairCondition::Other(_) => {}
            PairCondition::FromSubject(relation) | PairCondition::FromOther(relation) => {
                self.relation(view, relation);
            }
            PairCondition::Not(inner) => self.collect(view, inner, conditions),
            PairCondition::All(parts) | PairCondition::Any(parts) => {
                parts.iter().for_each(|part| self.collect(view, part, conditions));
            }
        }
    }

    fn relation(&mut self, view: &View, relation: &RelationCondition<TagId>) {
        relation.for_each_atom(&mut |atom| match atom {
            RelationCondition::HasTag(tag) => self.tags.push(*tag),
            RelationCondition::SharesTag(pattern) => {
                let shared = view.tags.iter().filter(|(_, name)| pattern.matches(name));
                self.tags.extend(shared.map(|(tag, _)| tag));
            }
            RelationCondition::Everyone
            | RelationCondition::Nobody
            | RelationCondition::Related(..)
            | RelationCondition::Conversation
            | RelationCondition::SharesGroup(_)
            | RelationCondition::Not(_)
            | RelationCondition::All(_)
            | RelationCondition::Any(_) => {}
        });
    }

    /// The answers of users with these tags: a bit for each condition, and the tags that matter.
    pub(super) fn answers(&self, tags: UserTags<'_>) -> Vec<u64> {
        let mut answers = vec![0_u64; self.conditions.len().div_ceil(64)];
        for (at, condition) in self.conditions.iter().enumerate() {
            if condition.holds(&|tag| tags.contains(*tag))
                && let Some(word) = answers.get_mut(at / 64)
            {
                *word |= 1 << (at % 64);
            }
        }
        let own = tags.iter().filter(|tag| self.tags.binary_search(tag).is_ok());
        answers.extend(own.map(|tag| u64::from(tag.0)));
        answers
    }
}
