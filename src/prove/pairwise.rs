//! Invariants over all possible users, where the policy says something about two users together.
//!
//! One diagram covers both users: each tag of the subject, each tag of the other, and what is between the
//! two. For `never`, what is between them is free: relations and shared groups may be there or not. For the
//! other demands there is nothing between them.

use std::collections::BTreeSet;

use crate::{
    decide::{OneSided, PairCondition, PairEvaluator},
    policy::Demand,
    request::{
        Condition, Conversation, DM_MATRIX, EdgeDirection, Relation, RelationCondition, TagPattern,
        Toggle,
    },
    snapshot::{TagId, View},
};

use super::{
    diagram::{Budget, BudgetExceededError, Diagram, Diagrams},
    finding::Counterexample,
};

/// A counterexample to an invariant; `None` if it holds for all possible users.
///
/// # Errors
/// Fails if the answer takes more work than the budget allows.
pub(super) fn check<'v>(
    view: &View,
    evaluator: &PairEvaluator<'v>,
    one_sided: &OneSided<'v>,
    demand: Demand,
    from: &Condition<TagId>,
    to: &Condition<TagId>,
    budget: &mut Budget,
) -> Result<Option<Counterexample<'v>>, BudgetExceededError> {
    let rules = one_sided.rules.map(PairCondition::opened_by);
    let pairs: Vec<PairCondition> =
        rules.into_iter().chain(one_sided.pairwise.iter().cloned()).collect();
    let mut variables = Variables::of(view, &pairs, demand == Demand::Never);
    variables.is_conversation = evaluator.conversation() == Some(Conversation::Existing);
    variables.name(from);
    variables.name(to);
    for (_, toggle) in toggles(one_sided, demand) {
        if let Toggle::When(condition) = toggle {
            variables.name(condition);
        }
    }
    let mut diagrams = Diagrams::default();
    let counterexample = budget.run(&mut diagrams, |diagrams| {
        let from = Variables::user(diagrams, from, PairSide::Subject)?;
        let to = Variables::user(diagrams, to, PairSide::Other)?;
        let mut allowed = Diagram::ALWAYS;
        for (side, toggle) in toggles(one_sided, demand) {
            let toggle = Variables::toggle(diagrams, toggle, side)?;
            allowed = diagrams.and(allowed, toggle)?;
        }
        for pair in &pairs {
            let pair = variables.pair(diagrams, pair)?;
            allowed = diagrams.and(allowed, pair)?;
        }
        match demand {
            Demand::Never => {
                let both = diagrams.and(from, to)?;
                diagrams.and(both, allowed)
            }
            Demand::Always => {
                let both = diagrams.and(from, to)?;
                diagrams.difference(both, allowed)
            }
            Demand::Every => {
                let reached = diagrams.and(to, allowed)?;
                let reaching = diagrams.exists(reached, &|tag| Variables::is_of_other(tag))?;
                diagrams.difference(from, reaching)
            }
        }
    })?;
    let Some(taken) = diagrams.example(counterexample) else { return Ok(None) };
    let windows = diagrams.example_windows(counterexample);
    Ok(Some(Counterexample { windows, ..variables.counterexample(&taken, demand) }))
}

/// The conditions on each of the two alone.
fn toggles<'o>(
    one_sided: &'o OneSided<'_>,
    demand: Demand,
) -> impl Iterator<Item = (PairSide, &'o Toggle<TagId>)> {
    // A relation that is free can stand in for what unrelated users must meet.
    let (subjects, others) = if demand == Demand::Never {
        (one_sided.related_subjects().collect::<Vec<_>>(), one_sided.related_others().collect())
    } else {
        (one_sided.unrelated_subjects().collect(), one_sided.unrelated_others().collect::<Vec<_>>())
    };
    let of = |side| move |it: &'o crate::decide::UserCondition<'_>| (side, &it.tags);
    subjects
        .into_iter()
        .map(of(PairSide::Subject))
        .chain(others.into_iter().map(of(PairSide::Other)))
}

/// One of the two users.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum PairSide {
    Subject,
    Other,
}

/// A fact between the two users, which may hold or not.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum PairFact {
    /// The relation from one of them to the other.
    Related(Relation, PairSide),
    /// A group that this matrix governs; without a name, one of another matrix that is not `dm`.
    Group(Option<String>),
    /// A tag that the pattern selects, and that no condition names.
    Tag(TagPattern),
}

/// The variables of the diagrams: the tags of both users, and the facts between them.
struct Variables<'w> {
    view: &'w View,
    facts: Vec<PairFact>,
    /// The tags that conditions name.
    named: BTreeSet<TagId>,
    are_relations_free: bool,
    /// Whether the two have a conversation.
    is_conversation: bool,
}

/// The number of kinds of variables: of the subject's tags, of the other's, and of facts.
const KINDS: u32 = 3;
const FACT: u32 = 2;

impl<'w> Variables<'w> {
    fn of(view: &'w View, pairs: &[PairCondition], are_relations_free: bool) -> Self {
        let mut named = BTreeSet::new();
        let mut facts = BTreeSet::new();
        for pair in pairs {
            collect(pair, &mut named, &mut facts);
        }
        let facts = facts.into_iter().collect();
        Self { view, facts, named, are_relations_free, is_conversation: false }
    }

    /// Keeps the tags of a condition apart from those that only patterns select.
    fn name(&mut self, condition: &Condition<TagId>) {
        condition.for_each_tag(&mut |&tag| {
            self.named.insert(tag);
        });
    }

    fn subject_tag(tag: TagId) -> TagId {
        TagId(tag.0.saturating_mul(KINDS))
    }

    fn other_tag(tag: TagId) -> TagId {
        TagId(tag.0.saturating_mul(KINDS).saturating_add(1))
    }

    fn is_of_other(variable: TagId) -> bool {
        variable.0 % KINDS == 1 && !Diagrams::is_window(variable)
    }

    fn user(
        diagrams: &mut Diagrams,
        condition: &Condition<TagId>,
        side: PairSide,
    ) -> Result<Diagram, BudgetExceededError> {
        diagrams.condition(&condition.map(&mut |&tag| match side {
            PairSide::Subject => Self::subject_tag(tag),
            PairSide::Other => Self::other_tag(tag),
        }))
    }

    fn toggle(
        diagrams: &mut Diagrams,
        toggle: &Toggle<TagId>,
        side: PairSide,
    ) -> Result<Diagram, BudgetExceededError> {
        match toggle {
            Toggle::Always(on) => Ok(if *on { Diagram::ALWAYS } else { Diagram::NEVER }),
            Toggle::When(condition) => Self::user(diagrams, condition, side),
        }
    }

    fn pair(
        &mut self,
        diagrams: &mut Diagrams,
        pair: &PairCondition,
    ) -> Result<Diagram, BudgetExceededError> {
        match pair {
            PairCondition::Subject(condition) => Self::user(diagrams, condition, PairSide::Subject),
            PairCondition::Other(condition) => Self::user(diagrams, condition, PairSide::Other),
            PairCondition::FromSubject(relation) => {
                self.relation(diagrams, relation, PairSide::Subject)
            }
            PairCondition::FromOther(relation) => {
                self.relation(diagrams, relation, PairSide::Other)
            }
            PairCondition::Not(inner) => {
                let inner = self.pair(diagrams, inner)?;
                diagrams.not(inner)
            }
            PairCondition::All(parts) => parts.iter().try_fold(Diagram::ALWAYS, |all, part| {
                let part = self.pair(diagrams, part)?;
                diagrams.and(all, part)
            }),
            PairCondition::Any(parts) => parts.iter().try_fold(Diagram::NEVER, |any, part| {
                let part = self.pair(diagrams, part)?;
                diagrams.or(any, part)
            }),
        }
    }

    fn relation(
        &mut self,
        diagrams: &mut Diagrams,
        condition: &RelationCondition<TagId>,
        owner: PairSide,
    ) -> Result<Diagram, BudgetExceededError> {
        let other = match owner {
            PairSide::Subject => PairSide::Other,
            PairSide::Other => PairSide::Subject,
        };
        match condition {
            RelationCondition::Everyone => Ok(Diagram::ALWAYS),
            RelationCondition::Conversation if self.is_conversation => Ok(Diagram::ALWAYS),
            RelationCondition::Nobody | RelationCondition::Conversation => Ok(Diagram::NEVER),
            RelationCondition::HasTag(tag) => Self::user(diagrams, &Condition::HasTag(*tag), other),
            RelationCondition::During(during) => diagrams.window(&during.window),
            RelationCondition::Related(relation, direction) => {
                let own = self.edge(diagrams, *relation, owner)?;
                let inverse = self.edge(diagrams, *relation, other)?;
                match direction {
                    EdgeDirection::Own => Ok(own),
                    EdgeDirection::Inverse => Ok(inverse),
                    EdgeDirection::Mutual => diagrams.and(own, inverse),
                }
            }
            RelationCondition::SharesTag(pattern) => self.shares_tag(diagrams, pattern),
            RelationCondition::SharesGroup(matrix) => {
                self.shares_group(diagrams, matrix.as_deref())
            }
            RelationCondition::Not(inner) => {
                let inner = self.relation(diagrams, inner, owner)?;
                diagrams.not(inner)
            }
            RelationCondition::All(parts) => parts.iter().try_fold(Diagram::ALWAYS, |all, part| {
                let part = self.relation(diagrams, part, owner)?;
                diagrams.and(all, part)
            }),
            RelationCondition::Any(parts) => parts.iter().try_fold(Diagram::NEVER, |any, part| {
                let part = self.relation(diagrams, part, owner)?;
                diagrams.or(any, part)
            }),
        }
    }

    /// The relation from one of the two to the other; a favorite is a contact.
    fn edge(
        &mut self,
        diagrams: &mut Diagrams,
        relation: Relation,
        owner: PairSide,
    ) -> Result<Diagram, BudgetExceededError> {
        if !self.are_relations_free {
            return Ok(Diagram::NEVER);
        }
        let own = self.fact(diagrams, PairFact::Related(relation, owner))?;
        if relation != Relation::Contact {
            return Ok(own);
        }
        let favorite = self.fact(diagrams, PairFact::Related(Relation::Favorite, owner))?;
        diagrams.or(own, favorite)
    }

    /// A tag that both have: one that conditions name, or another that the pattern selects.
    fn shares_tag(
        &mut self,
        diagrams: &mut Diagrams,
        pattern: &TagPattern,
    ) -> Result<Diagram, BudgetExceededError> {
        let view = self.view;
        let mut shared = Diagram::NEVER;
        let named: Vec<TagId> = self.named.iter().copied().collect();
        for tag in named.into_iter().filter(|&tag| pattern.matches(view.tags.name(tag))) {
            let one = diagrams.tag(Self::subject_tag(tag))?;
            let other = diagrams.tag(Self::other_tag(tag))?;
            let both = diagrams.and(one, other)?;
            shared = diagrams.or(shared, both)?;
        }
        let is_any_tag_free = view.declared_tags.is_empty() && pattern.as_str().ends_with('*')
            || view
                .declared_tags
                .iter()
                .any(|tag| !self.named.contains(tag) && pattern.matches(view.tags.name(*tag)));
        // A pattern without `*` is a name: where conditions name it too, the tag above stands for it.
        let is_name_free = view.declared_tags.is_empty()
            && !pattern.as_str().ends_with('*')
            && !view.tags.get(pattern.as_str()).is_some_and(|tag| self.named.contains(&tag));
        if !is_any_tag_free && !is_name_free {
            return Ok(shared);
        }
        // What a narrower pattern selects, a wider one does.
        let narrower: Vec<PairFact> = self
            .facts
            .iter()
            .filter(|fact| match fact {
                PairFact::Tag(other) => is_within(other, pattern),
                PairFact::Related(..) | PairFact::Group(_) => false,
            })
            .cloned()
            .collect();
        for fact in narrower {
            let free = self.fact(diagrams, fact)?;
            shared = diagrams.or(shared, free)?;
        }
        Ok(shared)
    }

    /// A group of both: of the matrix, or of any but `dm`.
    fn shares_group(
        &mut self,
        diagrams: &mut Diagrams,
        matrix: Option<&str>,
    ) -> Result<Diagram, BudgetExceededError> {
        if !self.are_relations_free {
            return Ok(Diagram::NEVER);
        }
        let counts: Vec<PairFact> = self
            .facts
            .iter()
            .filter(|fact| match (fact, matrix) {
                (PairFact::Group(name), Some(matrix)) => name.as_deref() == Some(matrix),
                (PairFact::Group(name), None) => name.as_deref() != Some(DM_MATRIX),
                (PairFact::Related(..) | PairFact::Tag(_), _) => false,
            })
            .cloned()
            .collect();
        let mut shared = Diagram::NEVER;
        for fact in counts {
            let fact = self.fact(diagrams, fact)?;
            shared = diagrams.or(shared, fact)?;
        }
        Ok(shared)
    }

    fn fact(
        &mut self,
        diagrams: &mut Diagrams,
        fact: PairFact,
    ) -> Result<Diagram, BudgetExceededError> {
        let at = self.facts.iter().position(|known| *known == fact);
        let at = at.unwrap_or_else(|| {
            self.facts.push(fact);
            self.facts.len() - 1
        });
        let number = u32::try_from(at).map_err(|_| BudgetExceededError)?;
        let variable = number.saturating_mul(KINDS).saturating_add(FACT);
        diagrams.tag(TagId(variable))
    }

    /// The two users and what is between them, of the variables that are taken.
    fn counterexample<'v>(&self, taken: &[TagId], demand: Demand) -> Counterexample<'v> {
        let (mut subject, mut other, mut between) = (Vec::new(), Vec::new(), Vec::new());
        for variable in taken {
            let number = variable.0 / KINDS;
            match variable.0 % KINDS {
                0 => subject.push(TagId(number)),
                1 => other.push(TagId(number)),
                _ => between.extend(self.facts.get(number as usize).map(PairFact::describe)),
            }
        }
        let other = (demand != Demand::Every).then_some(other);
        Counterexample { subject, other, rule: None, between, windows: Vec::new() }
    }
}

impl PairFact {
    fn describe(&self) -> String {
        match self {
            Self::Related(relation, PairSide::Subject) => format!("{relation}"),
            Self::Related(relation, PairSide::Other) => format!("inverse({relation})"),
            Self::Group(matrix) => {
                RelationCondition::<String>::SharesGroup(matrix.clone()).to_string()
            }
            Self::Tag(pattern) => format!("sharesTag({pattern})"),
        }
    }
}

/// Whether each tag that a pattern selects is selected by another.
fn is_within(pattern: &TagPattern, other: &TagPattern) -> bool {
    match pattern.as_str().strip_suffix('*') {
        Some(start) => {
            other.as_str().strip_suffix('*').is_some_and(|wider| start.starts_with(wider))
        }
        None => other.matches(pattern.as_str()),
    }
}

/// Collects the tags that a condition names and the facts that it asks for.
fn collect(pair: &PairCondition, named: &mut BTreeSet<TagId>, facts: &mut BTreeSet<PairFact>) {
    match pair {
        PairCondition::Subject(condition) | PairCondition::Other(condition) => {
            condition.for_each_tag(&mut |&tag| {
                named.insert(tag);
            });
        }
        PairCondition::FromSubject(relation) | PairCondition::FromOther(relation) => {
            relation.for_each_atom(&mut |atom| match atom {
                RelationCondition::HasTag(tag) => {
                    named.insert(*tag);
                }
                RelationCondition::SharesTag(pattern) => {
                    facts.insert(PairFact::Tag(pattern.clone()));
                }
                RelationCondition::SharesGroup(matrix) => {
                    facts.insert(PairFact::Group(matrix.clone()));
                }
                _ => {}
            });
        }
        PairCondition::Not(inner) => collect(inner, named, facts),
        PairCondition::All(parts) | PairCondition::Any(parts) => {
            parts.iter().for_each(|part| collect(part, named, facts));
        }
    }
}
