//! The gates: each is one independent reason why an action may be refused, in a file of its own.
//!
//! What each gate asks of which action stands in one table (`demands`). A gate gives two views of the
//! same truth: [`Gate::check`] answers for one pair, and [`Gate::admits`] and its converse
//! [`Gate::admitted`] give the whole set. A property test holds them together for all pairs.
//!
//! Invariant: knows of `snapshot` and `request`. A gate reads sets; it never loops over users.

mod about;
mod blocks;
mod demands;
mod friendship;
mod known;
mod moderation;
mod oneself;
mod party;
mod peers;
mod permissions;
mod role;
mod rules;
mod scene;
mod sides;
mod strangers;

pub use about::about;
pub use party::{MOST_NAMED, Party};
pub use rules::opening_rules;
pub use scene::{Pair, Place, Scene};
pub use sides::Sides;
pub use strangers::{Ends, ends};

use crate::{
    request::{GateName, Obligation, Reason, Statement, Toggle},
    snapshot::{Selection, TagId, View},
};

/// One reason why an action may be refused.
pub trait Gate: Sync {
    fn name(&self) -> GateName;

    /// The reason why the gate is closed for this pair; `None` if it is open. Takes no lock and
    /// allocates nothing.
    fn check(&self, view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<Reason>;

    /// Whom the gate lets this subject do it to: users who may be the resource, or the `member`.
    fn admits<'v>(&self, view: &'v View, scene: &Scene<'_>, subject: &Party<'_>) -> Selection<'v>;

    /// Which subjects the gate lets do it to this resource or `member`, if there is one.
    fn admitted<'v>(
        &self,
        view: &'v View,
        scene: &Scene<'_>,
        other: Option<&Party<'_>>,
    ) -> Selection<'v>;

    /// Which statements of the policy the gate looked at for this pair; `None` if it has nothing to
    /// say of what is done here, so that it is open whatever the policy says.
    fn asks(&self, view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<Vec<Statement>>;

    /// What the gate looked at for this pair, in words.
    fn detail(&self, view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> String;
}

/// The gates in the order in which they are asked; the first that is closed gives the reason.
pub const GATES: [&dyn Gate; 9] = [
    &known::Known,
    &oneself::OneSelf,
    &moderation::Moderation,
    &permissions::Permissions,
    &blocks::Blocks,
    &peers::Peers,
    &rules::Rules,
    &friendship::Friendship,
    &role::RoleGate,
];

/// The reason of the first gate that is closed; `None` if all are open.
///
/// The same as asking [`GATES`] one after the other, but known to the compiler as a whole: this is the
/// way of every decision.
#[inline]
pub fn first_closed(view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<Reason> {
    if view.is_plain && pair.is_as_stored() {
        // The gates in between are open.
        return known::Known
            .check(view, scene, pair)
            .or_else(|| oneself::OneSelf.check(view, scene, pair))
            .or_else(|| moderation::managers(view, scene, pair))
            .or_else(|| rules::Rules.check(view, scene, pair))
            .or_else(|| role::RoleGate.check(view, scene, pair));
    }
    known::Known
        .check(view, scene, pair)
        .or_else(|| first_closed_between(view, scene, pair))
        .or_else(|| role::RoleGate.check(view, scene, pair))
}

/// Which users there are may do it to each other where nothing is between them.
pub fn strangers<'v>(view: &'v View, scene: &Scene<'_>) -> Sides<'v, Selection<'v>> {
    sides::strangers(view, scene)
}

/// Which users, of all that there may be, may do it to each other, told by their tags.
pub fn by_tags<'v>(view: &'v View, scene: &Scene<'_>) -> Sides<'v, Vec<Toggle<TagId>>> {
    sides::by_tags(view, scene)
}

/// The reason of the first gate that is closed between two known users, wherever it is done: the
/// same without the gates of the place, which are the first and the last.
#[inline]
pub fn first_closed_between(view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<Reason> {
    oneself::OneSelf
        .check(view, scene, pair)
        .or_else(|| moderation::Moderation.check(view, scene, pair))
        .or_else(|| permissions::Permissions.check(view, scene, pair))
        .or_else(|| blocks::Blocks.check(view, scene, pair))
        .or_else(|| peers::Peers.check(view, scene, pair))
        .or_else(|| rules::Rules.check(view, scene, pair))
        .or_else(|| friendship::Friendship.check(view, scene, pair))
}

/// What an action that all gates let through obliges to.
#[inline]
pub fn obligation(scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<Obligation> {
    friendship::Friendship::obligation(scene, pair)
}

/// Everybody, if the gate is open, and else nobody.
fn all_if<'v>(open: bool) -> Selection<'v> {
    if open { Selection::everybody() } else { Selection::nobody() }
}
