//! Whether two policies state the same about two users together.

use crate::{
    decide::PairEvaluator,
    snapshot::{TagId, View},
};

/// Whether all statements about two users are the same for an action, in new conversations and in existing ones.
pub(super) fn are_stated_the_same(views: [&View; 2], evaluators: [&PairEvaluator<'_>; 2]) -> bool {
    let [old, new] = views;
    let stated = |view: &View, evaluator: &PairEvaluator<'_>| {
        let name = |tag: &TagId| view.tags.name(*tag).to_owned();
        let existing = evaluator.in_existing_conversation();
        [evaluator, &existing].map(|evaluator| {
            let one_sided = evaluator.one_sided();
            let pairs: Vec<_> = one_sided.pairwise.iter().map(|pair| pair.render(&name)).collect();
            (one_sided.rules.is_some(), pairs)
        })
    };
    stated(old, evaluators[0]) == stated(new, evaluators[1])
        && own_audiences_mean_the_same(views, evaluators)
}

/// Whether the audiences that users' own records name mean the same for an action.
pub(super) fn own_audiences_mean_the_same(
    [old, new]: [&View; 2],
    evaluators: [&PairEvaluator<'_>; 2],
) -> bool {
    let [before, after] = evaluators.map(|it| it.one_sided().reads_own_audiences);
    before == after && (!before || meaning(old) == meaning(new))
}

/// What the policy says of audiences, and of from whom users accept what.
fn meaning(view: &View) -> impl PartialEq + use<> {
    let audiences = view.settings.audiences.map(&mut |tag| view.tags.name(*tag).to_owned());
    let accepts: Vec<_> = view
        .settings
        .accepts
        .iter()
        .map(|entry| {
            let said = entry.map(&mut |tag| view.tags.name(*tag).to_owned());
            let action = view.action_name(entry.action);
            (action, said.modes, said.default, said.asked, said.otherwise)
        })
        .collect();
    (audiences, accepts)
}
