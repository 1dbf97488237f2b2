//! Conditions on two users as expressions, for proofs about all possible users.

use crate::{
    request::{Condition, Outcome, RelationCondition},
    snapshot::{RuleBook, TagId},
};

/// A condition on a subject and another user without records: what a gate requires of the two together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PairCondition {
    /// The tags of the subject.
    Subject(Condition<TagId>),
    /// The tags of the other user.
    Other(Condition<TagId>),
    /// What is between the two, read from the subject.
    FromSubject(RelationCondition<TagId>),
    /// What is between the two, read from the other user.
    FromOther(RelationCondition<TagId>),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
}

impl PairCondition {
    /// The negation.
    pub(super) fn negate(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// The condition that a rule of a book opens the pair. Costs a copy of each rule's parts.
    pub(super) fn opened_by(book: &RuleBook) -> Self {
        let rules = book.rules.iter().map(|rule| {
            let outcome = match &rule.outcome {
                Outcome::Condition(condition) => condition.clone(),
                Outcome::Tags(tags) => {
                    Condition::Any(tags.iter().copied().map(Condition::HasTag).collect())
                }
            };
            let mut parts = vec![Self::Subject(rule.condition.clone()), Self::Other(outcome)];
            parts.extend(rule.between.clone().map(Self::FromSubject));
            Self::All(parts)
        });
        Self::Any(rules.collect())
    }
}
