//! The differences of the actions of which a policy says something about two users together.

use std::sync::OnceLock;

use super::{
    ActionDiff, ComparedAction, CountedUnit, DiffBuilder, KindDiff,
    action_terms::ActionTerms,
    comparison::ActionComparison,
    count::{GAINED, LOST},
    isolation::IsolationChange,
    openings::AssumedViews,
    pairwise::PairwiseComparison,
    pairwise_largest::ChangedClasses,
    reached_ranks::ReachedRanks,
};

/// The differences of actions, one after the other, and what is found out for all of them.
pub(super) struct PairwiseActions<'b, 'v> {
    builder: &'b DiffBuilder<'v>,
    assumed: OnceLock<AssumedViews>,
    ranks: OnceLock<[ReachedRanks; 2]>,
    /// What was found out for actions of different terms.
    known: Vec<(Option<ActionTerms>, PairwiseFindings)>,
    diffs: Vec<ActionDiff>,
}

/// What is the same for all actions of the same terms.
#[derive(Default)]
struct PairwiseFindings {
    /// The pairs that were gained, and those that were lost.
    pairs: [u64; 2],
    is_estimate: bool,
    /// The largest changes, those that were gained first.
    largest: [Vec<ChangedClasses>; 2],
    /// Whether a larger change can be missing.
    is_incomplete: bool,
    contact: IsolationChange,
}

impl<'b, 'v> PairwiseActions<'b, 'v> {
    pub(super) fn of(builder: &'b DiffBuilder<'v>) -> Self {
        Self {
            builder,
            assumed: OnceLock::new(),
            ranks: OnceLock::new(),
            known: Vec::new(),
            diffs: Vec::new(),
        }
    }

    pub(super) fn into_diffs(self) -> Vec<ActionDiff> {
        self.diffs
    }

    /// Adds the difference of an action; that of one with the terms of another action costs the examples alone.
    /// Runs on all processors.
    pub(super) fn compare(
        &mut self,
        action: &ComparedAction,
        over: CountedUnit,
        comparison: &ActionComparison<'_>,
    ) {
        let terms = ActionTerms::of(comparison);
        let same = self.known.iter().position(|(known, _)| terms.is_some() && *known == terms);
        let at = same.unwrap_or_else(|| {
            let findings = self.find(comparison);
            self.known.push((terms, findings));
            self.known.len() - 1
        });
        if let Some((_, findings)) = self.known.get(at) {
            let diff = self.describe(ActionDiff::unchanged(action, over), comparison, findings);
            self.diffs.push(diff);
        }
    }

    fn find(&self, comparison: &ActionComparison<'_>) -> PairwiseFindings {
        let DiffBuilder { old, new, detail, user_classes, .. } = *self.builder;
        let assumed = self.assumed.get_or_init(|| AssumedViews::of([old, new]));
        let mut findings = PairwiseFindings::default();
        let pairwise = PairwiseComparison::new(
            comparison,
            user_classes,
            [old, new],
            assumed,
            detail.kind_pairs,
        );
        let Some(pairwise) = pairwise else { return findings };
        let counts = pairwise.count(detail.group_pairs);
        findings.pairs = [GAINED, LOST].map(|direction| counts.pairs.total(direction));
        findings.is_estimate = counts.is_estimate;
        for (direction, found) in findings.largest.iter_mut().enumerate() {
            if detail.kinds > 0 && counts.pairs.total(direction) > 0 {
                let (largest, is_complete) =
                    pairwise.largest(&counts.pairs, direction, detail.kinds);
                findings.is_incomplete |= !is_complete;
                *found = largest;
            }
        }
        if detail.isolation && findings.pairs != [0; 2] {
            let ranks = self.ranks.get_or_init(|| ReachedRanks::of_both(user_classes));
            findings.contact = pairwise.isolation(ranks);
        }
        findings
    }

    fn describe(
        &self,
        mut diff: ActionDiff,
        comparison: &ActionComparison<'_>,
        findings: &PairwiseFindings,
    ) -> ActionDiff {
        let builder = self.builder;
        [diff.gained, diff.lost] = findings.pairs;
        diff.is_estimate = findings.is_estimate;
        diff.has_all_largest = !findings.is_incomplete;
        diff.contact = findings.contact.clone();
        for (direction, largest) in findings.largest.iter().enumerate() {
            diff.kinds.extend(largest.iter().map(|it| {
                let examples = it.examples.iter().take(builder.detail.witnesses);
                KindDiff {
                    gained: direction == GAINED,
                    from: builder.tags(it.from),
                    to: Some(builder.tags(it.to)),
                    pairs: it.pairs,
                    witnesses: examples
                        .map(|&(user, other)| builder.witness(comparison, user, Some(other)))
                        .collect(),
                }
            }));
        }
        diff.causes = builder.because(&diff);
        diff
    }
}
