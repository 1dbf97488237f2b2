//! What statements about two users leave open between users of two kinds, compared for two policies.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use super::{
    kinds::{UserKind, UserKinds},
    openings::AssumedEvaluators,
};
use crate::{
    decide::{PairCondition, PairEvaluator},
    request::RelationCondition,
    snapshot::{TagId, UserNumber, UserTags, View},
};

/// What the statements of both policies leave open between users of each two kinds.
pub(super) struct Residues<'v> {
    view: &'v View,
    /// The conditions of the old policy and of the new one, in new conversations and in existing ones, each with what
    /// the section `rules` lists taken for shut and for open.
    stated: [[Vec<PairCondition>; 2]; 4],
    others: usize,
    /// By the kinds of the subject and the other: the number of what is left open, doubled, one more if it differs for
    /// the policies; or [`UNKNOWN`].
    known: Vec<AtomicU32>,
    numbers: Mutex<HashMap<Vec<Residue>, u32>>,
}

const UNKNOWN: u32 = u32::MAX;

/// What statements leave open between users of two kinds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct LeftOpen {
    /// The same for kinds between which the same is left open.
    pub(super) number: u32,
    /// Whether the policies differ in it. If not, no tie between the users can tell the policies apart.
    pub(super) differs: bool,
}

/// A condition of which the tags of both users are known.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Residue {
    Met,
    Unmet,
    /// What is left, as text.
    Left(String),
}

impl<'v> Residues<'v> {
    /// `view` is that of the new policy.
    pub(super) fn of(
        view: &'v View,
        AssumedEvaluators { shut, open, .. }: &AssumedEvaluators<'_>,
        [subjects, others]: [&UserKinds; 2],
    ) -> Self {
        let stated = |evaluator: &PairEvaluator<'_>| {
            let one_sided = evaluator.one_sided();
            let mut stated = one_sided.pairwise;
            // A section `rules` of which nothing is left that could open.
            stated.extend(one_sided.rules.map(PairCondition::opened_by));
            stated
        };
        let begun = |evaluator: &PairEvaluator<'_>| stated(&evaluator.in_existing_conversation());
        let stated = [
            shut.each_ref().map(stated),
            open.each_ref().map(stated),
            shut.each_ref().map(begun),
            open.each_ref().map(begun),
        ];
        let known = subjects.len() * others.len();
        Self {
            view,
            stated,
            others: others.len(),
            known: (0..known).map(|_| AtomicU32::new(UNKNOWN)).collect(),
            numbers: Mutex::default(),
        }
    }

    /// What is left open between users of two kinds; `None` if their own audiences decide. Costs a look at all
    /// statements at the first time.
    #[inline]
    pub(super) fn between(
        &self,
        (subject, subjects): (u32, &UserKind),
        (other, others): (u32, &UserKind),
    ) -> Option<LeftOpen> {
        if subjects.has_own_audiences || others.has_own_audiences {
            return None;
        }
        let at = subject as usize * self.others + other as usize;
        let known = self.known.get(at)?;
        let mut packed = known.load(Ordering::Relaxed);
        if packed == UNKNOWN {
            packed = self.find([subjects.some[0], others.some[0]]);
            known.store(packed, Ordering::Relaxed);
        }
        Some(LeftOpen { number: packed >> 1, differs: packed & 1 == 1 })
    }

    #[cold]
    fn find(&self, users: [UserNumber; 2]) -> u32 {
        let left: Vec<Residue> =
            self.stated.iter().flatten().map(|stated| self.left_of(stated, users)).collect();
        let differs = left.chunks(2).any(|both| both.first() != both.last());
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        *numbers.entry(left).or_insert(next) << 1 | u32::from(differs)
    }

    fn left_of(&self, all: &[PairCondition], [subject, other]: [UserNumber; 2]) -> Residue {
        let directory = &self.view.population.directory;
        let users = KnownTags {
            view: self.view,
            subject: directory.tags(subject),
            other: directory.tags(other),
        };
        join(all.iter().map(|pair| users.residue(pair)), Residue::Unmet)
    }
}

/// The tags of two users, by which conditions are reduced.
struct KnownTags<'v> {
    view: &'v View,
    subject: UserTags<'v>,
    other: UserTags<'v>,
}

impl KnownTags<'_> {
    fn residue(&self, pair: &PairCondition) -> Residue {
        match pair {
            PairCondition::Subject(condition) => {
                known(condition.holds(&|tag| self.subject.contains(*tag)))
            }
            PairCondition::Other(condition) => {
                known(condition.holds(&|tag| self.other.contains(*tag)))
            }
            PairCondition::FromSubject(relation) => self.relation(relation, self.other, "subject"),
            PairCondition::FromOther(relation) => self.relation(relation, self.subject, "other"),
            PairCondition::Not(inner) => not(self.residue(inner)),
            PairCondition::All(parts) => {
                join(parts.iter().map(|part| self.residue(part)), Residue::Unmet)
            }
            PairCondition::Any(parts) => {
                join(parts.iter().map(|part| self.residue(part)), Residue::Met)
            }
        }
    }

    fn relation(
        &self,
        relation: &RelationCondition<TagId>,
        tags: UserTags<'_>,
        owner: &str,
    ) -> Residue {
        let part = |part| self.relation(part, tags, owner);
        match relation {
            RelationCondition::Everyone => Residue::Met,
            RelationCondition::Nobody => Residue::Unmet,
            RelationCondition::HasTag(tag) => known(tags.contains(*tag)),
            RelationCondition::During(during) => known(during.is_open),
            RelationCondition::Conversation
            | RelationCondition::SharesTag(_)
            | RelationCondition::SharesGroup(_) => Residue::Left(self.text(relation)),
            RelationCondition::Related(..) => {
                Residue::Left(format!("{owner} {}", self.text(relation)))
            }
            RelationCondition::Not(inner) => not(part(inner)),
            RelationCondition::All(parts) => join(parts.iter().map(part), Residue::Unmet),
            RelationCondition::Any(parts) => join(parts.iter().map(part), Residue::Met),
        }
    }

    fn text(&self, relation: &RelationCondition<TagId>) -> String {
        relation.map(&mut |tag: &TagId| self.view.tags.name(*tag).to_owned()).to_string()
    }
}

fn known(is_met: bool) -> Residue {
    if is_met { Residue::Met } else { Residue::Unmet }
}

fn not(residue: Residue) -> Residue {
    match residue {
        Residue::Met => Residue::Unmet,
        Residue::Unmet => Residue::Met,
        Residue::Left(text) => Residue::Left(format!("not({text})")),
    }
}

/// The residues of parts together; one that is `decisive` decides, and without any it is the opposite.
fn join(parts: impl Iterator<Item = Residue>, decisive: Residue) -> Residue {
    let mut left = Vec::new();
    for part in parts {
        match part {
            Residue::Left(text) => left.push(text),
            part if part == decisive => return decisive,
            Residue::Met | Residue::Unmet => {}
        }
    }
    left.sort_unstable();
    left.dedup();
    match (left.len(), left.pop()) {
        (1, Some(only)) => Residue::Left(only),
        (_, None) => not(decisive),
        (_, Some(last)) => {
            left.push(last);
            let name = if decisive == Residue::Unmet { "all" } else { "any" };
            Residue::Left(format!("{name}({})", left.join(", ")))
        }
    }
}
