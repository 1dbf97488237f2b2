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

/// One of the two users of a condition on both.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum PairSide {
    Subject,
    Other,
}

impl PairCondition {
    /// The condition that the first mode whose condition one of the two meets puts on what is between them,
    /// read from that user; `rest` if they meet none.
    pub(super) fn first_met<'c>(
        modes: impl IntoIterator<Item = (&'c Condition<TagId>, &'c RelationCondition<TagId>)>,
        rest: &RelationCondition<TagId>,
        side: PairSide,
    ) -> Self {
        let of_user = |condition| match side {
            PairSide::Subject => Self::Subject(condition),
            PairSide::Other => Self::Other(condition),
        };
        let between = |relation| match side {
            PairSide::Subject => Self::FromSubject(relation),
            PairSide::Other => Self::FromOther(relation),
        };
        let mut earlier: Vec<Self> = Vec::new();
        let mut ways = Vec::new();
        for (when, relation) in modes {
            let mut parts = earlier.clone();
            parts.push(of_user(when.clone()));
            parts.push(between(relation.clone()));
            ways.push(Self::All(parts));
            earlier.push(of_user(Condition::Not(Box::new(when.clone()))));
        }
        earlier.push(between(rest.clone()));
        ways.push(Self::All(earlier));
        Self::Any(ways)
    }

    /// The negation.
    pub(super) fn negate(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// The condition as text, with the names of its tags, and windows as they are at the moment of the view: equal for
    /// two policies only if they mean the same.
    pub fn render(&self, name: &impl Fn(&TagId) -> String) -> String {
        let list = |parts: &[Self]| {
            let parts: Vec<String> = parts.iter().map(|part| part.render(name)).collect();
            parts.join(", ")
        };
        match self {
            Self::Subject(condition) => {
                format!("subject {}", condition.without_windows().map(&mut |tag| name(tag)))
            }
            Self::Other(condition) => {
                format!("other {}", condition.without_windows().map(&mut |tag| name(tag)))
            }
            Self::FromSubject(relation) => {
                format!("from subject {}", relation.without_windows().map(&mut |tag| name(tag)))
            }
            Self::FromOther(relation) => {
                format!("from other {}", relation.without_windows().map(&mut |tag| name(tag)))
            }
            Self::Not(inner) => format!("not({})", inner.render(name)),
            Self::All(parts) => format!("all({})", list(parts)),
            Self::Any(parts) => format!("any({})", list(parts)),
        }
    }

    /// The condition that a rule of a book opens the pair. Costs a copy of each rule's parts.
    pub fn opened_by(book: &RuleBook) -> Self {
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
