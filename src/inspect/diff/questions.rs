//! The questions that statements about two users ask of one of them, so that users are told apart by the answers.

use std::collections::HashSet;

use crate::{
    decide::{PairCondition, PairEvaluator},
    request::{Condition, RelationCondition, TagPattern},
    snapshot::{TagId, UserTags, View},
};

/// The two users whose kinds are told apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum PairRole {
    Subject,
    Other,
}

/// What the statements of both policies about two users ask of the tags of one of them.
#[derive(Debug)]
pub(super) struct Questions {
    role: PairRole,
    conditions: Vec<Condition<TagId>>,
    /// The tags for which conditions on what is between the two ask, in order.
    tags: Vec<TagId>,
}

impl Questions {
    /// Both views have the same population, so that a tag of users has the same number in both.
    pub(super) fn of(views: [(&View, &PairEvaluator<'_>); 2], role: PairRole) -> Self {
        let mut questions = Self { role, conditions: Vec::new(), tags: Vec::new() };
        let mut conditions = HashSet::new();
        for (view, evaluator) in views {
            for pair in &evaluator.one_sided().pairwise {
                questions.collect(pair, &mut conditions);
            }
            for audience in own_audiences(view) {
                questions.tags_of(audience);
            }
        }
        questions.conditions = conditions.into_iter().collect();
        questions.tags.sort_unstable();
        questions.tags.dedup();
        questions
    }

    fn collect(&mut self, pair: &PairCondition, conditions: &mut HashSet<Condition<TagId>>) {
        match (pair, self.role) {
            (PairCondition::Subject(condition), PairRole::Subject)
            | (PairCondition::Other(condition), PairRole::Other) => {
                conditions.insert(condition.clone());
            }
            (PairCondition::FromSubject(relation), PairRole::Other)
            | (PairCondition::FromOther(relation), PairRole::Subject) => self.tags_of(relation),
            (
                PairCondition::Subject(_)
                | PairCondition::Other(_)
                | PairCondition::FromSubject(_)
                | PairCondition::FromOther(_),
                _,
            ) => {}
            (PairCondition::Not(inner), _) => self.collect(inner, conditions),
            (PairCondition::All(parts) | PairCondition::Any(parts), _) => {
                parts.iter().for_each(|part| self.collect(part, conditions));
            }
        }
    }

    fn tags_of(&mut self, relation: &RelationCondition<TagId>) {
        relation.for_each_atom(&mut |atom| {
            if let RelationCondition::HasTag(tag) = atom {
                self.tags.push(*tag);
            }
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

/// The patterns by which statements of both policies ask for tags that two users share.
pub(super) fn shared_patterns(views: [(&View, &PairEvaluator<'_>); 2]) -> Vec<TagPattern> {
    let mut patterns = Vec::new();
    for (view, evaluator) in views {
        for pair in &evaluator.one_sided().pairwise {
            for_each_relation(pair, &mut |relation| patterns_of(relation, &mut patterns));
        }
        own_audiences(view).for_each(|audience| patterns_of(audience, &mut patterns));
    }
    patterns.sort_unstable();
    patterns.dedup();
    patterns
}

/// Whether a statement asks for groups that two users share.
pub(super) fn reads_groups(view: &View, evaluator: &PairEvaluator<'_>) -> bool {
    let mut reads = false;
    for pair in &evaluator.one_sided().pairwise {
        for_each_relation(pair, &mut |relation| reads |= relation.reads_groups());
    }
    reads || own_audiences(view).any(RelationCondition::reads_groups)
}

fn for_each_relation(pair: &PairCondition, visit: &mut impl FnMut(&RelationCondition<TagId>)) {
    match pair {
        PairCondition::Subject(_) | PairCondition::Other(_) => {}
        PairCondition::FromSubject(relation) | PairCondition::FromOther(relation) => {
            visit(relation);
        }
        PairCondition::Not(inner) => for_each_relation(inner, visit),
        PairCondition::All(parts) | PairCondition::Any(parts) => {
            parts.iter().for_each(|part| for_each_relation(part, visit));
        }
    }
}

fn patterns_of(relation: &RelationCondition<TagId>, patterns: &mut Vec<TagPattern>) {
    relation.for_each_atom(&mut |atom| {
        if let RelationCondition::SharesTag(pattern) = atom {
            patterns.push(pattern.clone());
        }
    });
}

/// The conditions of the audiences that users' own records name.
fn own_audiences(view: &View) -> impl Iterator<Item = &RelationCondition<TagId>> {
    let audiences = &view.settings.audiences;
    view.population
        .own_audiences
        .iter()
        .filter_map(|own| Some(&audiences.get(audiences.number(&own.name)?)?.condition))
}
