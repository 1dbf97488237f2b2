//! How far two policies let users of one kind act on those of another who are strangers to them.

use std::{collections::HashMap, sync::Arc};

use super::{
    classes::PolicySide,
    count::{direction_of, in_parallel},
    kinds::{UserKind, UserKinds},
    questions::PairRole,
    shared_tags::SharedTags,
};
use crate::{
    decide::PairEvaluator,
    snapshot::{Tie, UserNumber, View},
};

/// How far a policy lets users of one kind act on strangers of another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Opening {
    Shut,
    /// Where a rule of the section `rules` that only lists tags opens.
    ByRules,
    Open,
}

/// The openings under both policies.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Openings {
    pub(super) old: Opening,
    pub(super) new: Opening,
}

impl Openings {
    pub(super) const SHUT: Self = Self { old: Opening::Shut, new: Opening::Shut };

    pub(super) fn of(self, side: PolicySide) -> Opening {
        match side {
            PolicySide::Old => self.old,
            PolicySide::New => self.new,
        }
    }

    /// The direction of the change, if the rules open as `opens` says.
    #[inline]
    pub(super) fn direction(self, opens: impl Fn(PolicySide) -> bool) -> Option<usize> {
        let of = |opening, side| match opening {
            Opening::Shut => false,
            Opening::ByRules => opens(side),
            Opening::Open => true,
        };
        direction_of([of(self.old, PolicySide::Old), of(self.new, PolicySide::New)])
    }

    /// Whether the direction depends on the rules.
    #[inline]
    pub(super) fn depends_on_rules(self) -> bool {
        self.old == Opening::ByRules || self.new == Opening::ByRules
    }
}

/// The views of both policies, with what the section `rules` lists taken for shut, and for open.
#[derive(Debug)]
pub(super) struct AssumedViews {
    shut: [View; 2],
    open: [View; 2],
}

impl AssumedViews {
    /// Costs a look at each rule.
    pub(super) fn of(views: [&View; 2]) -> Self {
        let shut = |view: &View| {
            let rules = view.rules.as_ref().map(|book| Arc::new(book.without_plain_rules()));
            View { rules, ..view.clone() }
        };
        let open = |view: &View| View { rules: None, ..view.clone() };
        Self { shut: views.map(shut), open: views.map(open) }
    }
}

/// The evaluators of an action whose decisions don't depend on what the section `rules` lists.
#[derive(Debug)]
pub(super) struct AssumedEvaluators<'v> {
    pub(super) shut: [PairEvaluator<'v>; 2],
    pub(super) open: [PairEvaluator<'v>; 2],
    has_rules: [bool; 2],
}

impl<'v> AssumedEvaluators<'v> {
    pub(super) fn of(views: &'v AssumedViews, evaluators: [&PairEvaluator<'_>; 2]) -> Self {
        let [old, new] = evaluators;
        let within = |[before, after]: &'v [View; 2]| [old.with_view(before), new.with_view(after)];
        let has_rules = views.shut.each_ref().map(|view| view.rules.is_some());
        Self { shut: within(&views.shut), open: within(&views.open), has_rules }
    }

    /// The openings between two users as strangers who share tags with this mask. Costs four decisions.
    fn between(
        &self,
        subject: UserNumber,
        other: UserNumber,
        shared: &SharedTags,
        mask: u64,
    ) -> Openings {
        let tags = shared.tags_of_mask(mask);
        self.by_assumption(|evaluator| evaluator.allows_sharing(subject, other, &tags))
    }

    /// The openings of which a decision is made with each assumption.
    fn by_assumption(&self, allows: impl Fn(&PairEvaluator<'_>) -> bool) -> Openings {
        let of = |side: usize| {
            let [shut, open] = [&self.shut, &self.open].map(|evaluators| evaluators.get(side));
            if shut.is_some_and(&allows) {
                Opening::Open
            } else if self.has_rules.get(side) == Some(&true) && open.is_some_and(&allows) {
                Opening::ByRules
            } else {
                Opening::Shut
            }
        };
        Openings { old: of(0), new: of(1) }
    }

    /// The openings between two users with this tie, their groups and the tags that they share. Costs four decisions.
    pub(super) fn acquainted(&self, subject: UserNumber, other: UserNumber, tie: Tie) -> Openings {
        self.by_assumption(|evaluator| evaluator.allows(subject, other, tie))
    }

    /// The openings between users of two kinds.
    pub(super) fn of_kinds(
        &self,
        subjects: &UserKind,
        others: &UserKind,
        shared: &SharedTags,
        mask: u64,
    ) -> Openings {
        let is_able = |at: usize| {
            subjects.is_able.get(at) == Some(&true) && others.is_able.get(at) == Some(&true)
        };
        if !is_able(0) && !is_able(1) {
            return Openings::SHUT;
        }
        let ([subject, _], [first, second]) = (subjects.some, others.some);
        let [_, subject_too] = subjects.some;
        // Without two different users there is no pair.
        let pair = if subject != first {
            (subject, first)
        } else if second != subject {
            (subject, second)
        } else {
            (subject_too, first)
        };
        if pair.0 == pair.1 {
            return Openings::SHUT;
        }
        self.between(pair.0, pair.1, shared, mask)
    }
}

/// The openings between strangers of all kinds who share no tags.
#[derive(Debug)]
pub(super) struct OpeningTable {
    others: usize,
    /// By the kind of the subject and that of the other.
    all: Vec<Openings>,
    /// For the kinds of subjects and those of others, before and after, whether any kind is open to them.
    is_open: [[Vec<bool>; 2]; 2],
}

impl OpeningTable {
    /// Costs four decisions for each pair of kinds, on all processors. It is of no use once the counting is given up,
    /// as `is_late` says.
    pub(super) fn of(
        evaluators: &AssumedEvaluators<'_>,
        [subjects, others]: [&UserKinds; 2],
        shared: &SharedTags,
        is_late: &(dyn Fn() -> bool + Sync),
    ) -> Self {
        let rows = in_parallel(subjects.len(), &|at| {
            if is_late() {
                return Vec::new();
            }
            let of_row = subjects.kinds.get(at).map(|subject| {
                let row = others.kinds.iter();
                row.map(|other| evaluators.of_kinds(subject, other, shared, 0)).collect::<Vec<_>>()
            });
            of_row.unwrap_or_default()
        });
        let is_open =
            [subjects.len(), others.len()].map(|kinds| [(); 2].map(|()| vec![false; kinds]));
        let all = rows.into_iter().flatten().collect();
        let mut table = Self { others: others.len(), all, is_open };
        table.note_open();
        table
    }

    fn note_open(&mut self) {
        let [subjects, others] = &mut self.is_open;
        for (row, openings) in self.all.chunks(self.others.max(1)).enumerate() {
            for (column, openings) in openings.iter().enumerate() {
                for (side, opening) in [openings.old, openings.new].into_iter().enumerate() {
                    if opening != Opening::Shut {
                        for (kinds, at) in [(&mut *subjects, row), (&mut *others, column)] {
                            let open = kinds.get_mut(side).and_then(|kinds| kinds.get_mut(at));
                            open.into_iter().for_each(|is_open| *is_open = true);
                        }
                    }
                }
            }
        }
    }

    /// Whether users of a kind have strangers of any kind with whom a policy can be open to them.
    pub(super) fn is_open_to(&self, kind: u32, role: PairRole, side: PolicySide) -> bool {
        let [subjects, others] = &self.is_open;
        let [old, new] = if role == PairRole::Subject { subjects } else { others };
        let kinds = if side == PolicySide::Old { old } else { new };
        kinds.get(kind as usize) == Some(&true)
    }

    #[inline]
    pub(super) fn get(&self, subject: u32, other: u32) -> Openings {
        let at = subject as usize * self.others + other as usize;
        self.all.get(at).copied().unwrap_or(Openings::SHUT)
    }

    /// The kinds of others by their column: the openings from each kind of subjects.
    pub(super) fn columns(&self) -> HashMap<Vec<Openings>, Vec<u32>> {
        let mut columns: HashMap<Vec<Openings>, Vec<u32>> = HashMap::new();
        for other in 0..self.others {
            let column = self.all.iter().skip(other).step_by(self.others.max(1)).copied().collect();
            columns.entry(column).or_default().push(u32::try_from(other).unwrap_or(u32::MAX));
        }
        columns
    }
}
