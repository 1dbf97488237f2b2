//! What both policies say of an action, so that actions that differ in name alone are compared once.

use super::{bitset::BitSet, comparison::ActionComparison};
use crate::{
    decide::{ConversationBlocks, PairCondition, PairEvaluator, PairRequirements},
    request::Conversation,
};

/// What the decisions of both policies on all pairs depend on, for one action: where it is equal for two actions,
/// the same pairs are allowed.
#[derive(PartialEq, Debug)]
pub(super) struct ActionTerms {
    requirements: [PairRequirements; 2],
    conversation: Option<Conversation>,
    one_sided: [[BitSet; 4]; 2],
    /// What the old policy and the new one state, in new conversations and in existing ones.
    stated: [StatedTerms; 4],
}

/// What a policy states of the two users of an action.
#[derive(PartialEq, Debug)]
struct StatedTerms {
    pairwise: Vec<PairCondition>,
    has_rules: bool,
    reads_peers: bool,
    blocks: ConversationBlocks,
}

impl ActionTerms {
    /// The terms; `None` if audiences of users' own records are read, which may be named for one action only.
    pub(super) fn of(comparison: &ActionComparison<'_>) -> Option<Self> {
        let (old, new) = (&comparison.old, &comparison.new);
        let begun = [old, new].map(PairEvaluator::in_existing_conversation);
        let [old_begun, new_begun] = &begun;
        let stated = [old, new, old_begun, new_begun].map(StatedTerms::of);
        let [Some(one), Some(two), Some(three), Some(four)] = stated else { return None };
        Some(Self {
            requirements: [old, new].map(PairEvaluator::requirements),
            conversation: new.conversation(),
            one_sided: comparison.one_sided.clone(),
            stated: [one, two, three, four],
        })
    }
}

impl StatedTerms {
    fn of(evaluator: &PairEvaluator<'_>) -> Option<Self> {
        let one_sided = evaluator.one_sided();
        (!one_sided.reads_own_audiences).then_some(Self {
            pairwise: one_sided.pairwise,
            has_rules: one_sided.rules.is_some(),
            reads_peers: one_sided.reads_peers,
            blocks: one_sided.blocks,
        })
    }
}
