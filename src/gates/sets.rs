//! Sets of users that several gates need.

use super::principal::Principal;
use crate::snapshot::{Selection, Tie, UserNumber, UserSet, View};

/// Everybody if a gate is open for every user, and else nobody.
pub(super) fn everybody_if<'v>(is_open: bool) -> Selection<'v> {
    if is_open { Selection::everybody() } else { Selection::nobody() }
}

/// The users whose tie with a principal, seen from the principal, passes a test. Costs a look at each
/// tie of the principal; an unknown user has none.
pub(super) fn users_with_tie(
    view: &View,
    principal: &Principal<'_>,
    test: impl Fn(UserNumber, Tie) -> bool,
) -> UserSet {
    let row =
        principal.tied_number().into_iter().flat_map(|number| view.population.ties_of(number));
    row.filter(|&(other, tie)| test(other, tie)).map(|(other, _)| other).collect()
}
