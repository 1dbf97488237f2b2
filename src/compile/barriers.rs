//! The barriers of a view, with the users of their sides.

use crate::{
    request::{Action, ActionSet, Barrier, BlockMode, Settings},
    snapshot::{Barriers, CompiledBarrier, CompiledRuleSet, Population, TagId},
};

/// Compiles barriers. Costs set algebra for each side.
pub(super) fn compile(barriers: &[Barrier<TagId>], population: &Population) -> Barriers {
    let count = population.directory.len();
    let compiled = barriers.iter().enumerate().map(|(number, barrier)| {
        let side = |condition| population.users_meeting(condition).into_owned().packed(count);
        let sides = [&barrier.from, &barrier.to].map(side);
        CompiledBarrier { barrier: barrier.clone(), sides, number }
    });
    Barriers::new(compiled.collect())
}

/// The actions that a statement between two users concerns, apart from the section `rules`; `view_profile` where
/// blocks hide it, too.
pub(super) fn pair_actions(settings: &Settings<TagId>, sets: &[CompiledRuleSet]) -> ActionSet {
    let barriers = settings.barriers.iter().map(|barrier| barrier.actions);
    let hides_profiles = settings.blocks.mode(Action::ViewProfile) != BlockMode::Off;
    let blocks = hides_profiles.then_some(ActionSet::of(&[Action::ViewProfile]));
    let accepts = settings.accepts.iter().map(|entry| ActionSet::default().with_key(entry.action));
    let sets = sets.iter().map(|set| set.actions);
    barriers.chain(accepts).chain(sets).chain(blocks).fold(ActionSet::default(), ActionSet::union)
}
