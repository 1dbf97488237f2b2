//! The gates: each is one independent reason why an action may be refused, in a file of its own.
//!
//! What each gate asks of which action stands in one table (`demands`). A gate gives two views of the
//! same truth: [`Gate::check`] answers for one pair, and [`Gate::admitted_others`] and its converse
//! [`Gate::admitted_subjects`] give the whole set. A property test holds them together for all pairs.
//!
//! Invariant: knows of `snapshot` and `request`. A gate reads sets; it never loops over users.

mod about;
mod blocks;
mod context;
mod friendship;
mod known;
mod moderation;
mod peers;
mod permissions;
mod principal;
mod requirements;
mod role;
mod rules;
mod self_target;
mod sides;
mod strangers;

pub use about::about;
pub use context::{GateContext, GateTarget, PrincipalPair};
pub use principal::{MAX_NAMED, Principal};
pub use rules::opening_rules;
pub use sides::Sides;
pub use strangers::{Ends, ends};

use crate::{
    request::{GateName, Obligation, Reason, StatementId, Toggle},
    snapshot::{Selection, TagId, View},
};

/// One reason why an action may be refused.
pub trait Gate: Sync {
    fn name(&self) -> GateName;

    /// The reason why the gate is closed for this pair; `None` if it is open. Takes no lock and
    /// allocates nothing.
    fn check(
        &self,
        view: &View,
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Reason>;

    /// Whom the gate lets this subject do it to: users who may be the resource, or the `member`.
    fn admitted_others<'v>(
        &self,
        view: &'v View,
        scene: &GateContext<'_>,
        subject: &Principal<'_>,
    ) -> Selection<'v>;

    /// Which subjects the gate lets do it to this resource or `member`, if there is one.
    fn admitted_subjects<'v>(
        &self,
        view: &'v View,
        scene: &GateContext<'_>,
        other: Option<&Principal<'_>>,
    ) -> Selection<'v>;

    /// Which statements of the policy the gate looked at for this pair; `None` if it has nothing to
    /// say of what is done here, so that it is open whatever the policy says.
    fn consulted(
        &self,
        view: &View,
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Vec<StatementId>>;

    /// What the gate looked at for this pair, in words.
    fn describe(
        &self,
        view: &View,
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> String;
}

/// The gates in the order in which they are asked; the first that is closed gives the reason.
pub const GATES: [&dyn Gate; 9] = [
    &known::KnownGate,
    &self_target::SelfTargetGate,
    &moderation::ModerationGate,
    &permissions::PermissionsGate,
    &blocks::BlocksGate,
    &peers::PeersGate,
    &rules::RulesGate,
    &friendship::FriendshipGate,
    &role::RoleGate,
];

/// The reason of the first gate that is closed; `None` if all are open.
///
/// The same as asking [`GATES`] one after the other, but known to the compiler as a whole: this is the
/// way of every decision.
#[inline]
pub fn first_closed(
    view: &View,
    scene: &GateContext<'_>,
    pair: &PrincipalPair<'_, '_>,
) -> Option<Reason> {
    if view.only_rules_restrict && pair.has_no_overrides() {
        // The gates in between are open.
        return known::KnownGate
            .check(view, scene, pair)
            .or_else(|| self_target::SelfTargetGate.check(view, scene, pair))
            .or_else(|| moderation::manager_denial(view, scene, pair))
            .or_else(|| rules::RulesGate.check(view, scene, pair))
            .or_else(|| role::RoleGate.check(view, scene, pair));
    }
    known::KnownGate
        .check(view, scene, pair)
        .or_else(|| first_closed_between(view, scene, pair))
        .or_else(|| role::RoleGate.check(view, scene, pair))
}

/// Which users there are may do it to each other where nothing is between them.
pub fn strangers<'v>(view: &'v View, scene: &GateContext<'_>) -> Sides<'v, Selection<'v>> {
    sides::strangers(view, scene)
}

/// Which users, of all that there may be, may do it to each other, told by their tags.
pub fn by_tags<'v>(view: &'v View, scene: &GateContext<'_>) -> Sides<'v, Vec<Toggle<TagId>>> {
    sides::by_tags(view, scene)
}

/// The reason of the first gate that is closed between two known users, wherever it is done: the
/// same without the gates of the place, which are the first and the last.
#[inline]
pub fn first_closed_between(
    view: &View,
    scene: &GateContext<'_>,
    pair: &PrincipalPair<'_, '_>,
) -> Option<Reason> {
    self_target::SelfTargetGate
        .check(view, scene, pair)
        .or_else(|| moderation::ModerationGate.check(view, scene, pair))
        .or_else(|| permissions::PermissionsGate.check(view, scene, pair))
        .or_else(|| blocks::BlocksGate.check(view, scene, pair))
        .or_else(|| peers::PeersGate.check(view, scene, pair))
        .or_else(|| rules::RulesGate.check(view, scene, pair))
        .or_else(|| friendship::FriendshipGate.check(view, scene, pair))
}

/// What an action that all gates let through obliges to.
#[inline]
pub fn obligation(scene: &GateContext<'_>, pair: &PrincipalPair<'_, '_>) -> Option<Obligation> {
    friendship::FriendshipGate::obligation(scene, pair)
}

/// Everybody, if the gate is open, and else nobody.
fn everybody_if<'v>(open: bool) -> Selection<'v> {
    if open { Selection::everybody() } else { Selection::nobody() }
}
