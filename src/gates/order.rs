//! The order of the gates, and what is derived from all of them.

use super::{
    audience::AudienceGate,
    barriers::BarriersGate,
    blocks::BlocksGate,
    context::GateContext,
    denial::DenialReason,
    friendship::FriendshipGate,
    gate::{Gate, GateScope},
    known::KnownGate,
    moderation::ModerationGate,
    one_sided::OneSided,
    pair::PrincipalPair,
    peers::PeersGate,
    permissions::PermissionsGate,
    role::RoleGate,
    rules::RulesGate,
    self_target::SelfTargetGate,
};
use crate::{
    request::{GateName, Obligations, Reason},
    snapshot::View,
};

/// Generates all that depends on the order of the gates.
///
/// The functions ask the gates one after the other by their types, so that the compiler sees a decision
/// as a whole; [`GATES`] holds the same gates as values.
macro_rules! gates_in_order {
    ($($gate:ident),+ $(,)?) => {
        /// The gates in the order in which they are evaluated; the first that is closed gives the reason.
        pub const GATES: [&dyn Gate; GateName::ALL.len()] = [$(&$gate),+];

        /// The reason of the first gate that is closed; `None` if all are open.
        #[inline]
        pub fn first_closed(
            view: &View,
            context: &GateContext<'_>,
            pair: &PrincipalPair<'_, '_>,
        ) -> Option<Reason> {
            if view.only_rules_restrict && pair.has_no_overrides() {
                $(
                    let denial = $gate.check_unrestricted(view, context, pair);
                    if denial.is_some() {
                        return denial;
                    }
                )+
                return None;
            }
            $(
                let denial = $gate.check(view, context, pair);
                if denial.is_some() {
                    return denial;
                }
            )+
            None
        }

        /// The reason of the first gate of [`GateScope::Pair`] that is closed: what decides between
        /// two known users, wherever they meet.
        #[inline]
        pub fn first_closed_between(
            view: &View,
            context: &GateContext<'_>,
            pair: &PrincipalPair<'_, '_>,
        ) -> Option<Reason> {
            $(
                if matches!($gate.scope(), GateScope::Pair) {
                    let denial = $gate.check(view, context, pair);
                    if denial.is_some() {
                        return denial;
                    }
                }
            )+
            None
        }

        /// The obligations of all gates, for an action that all gates admit.
        #[inline]
        pub fn obligations(
            view: &View,
            context: &GateContext<'_>,
            pair: &PrincipalPair<'_, '_>,
        ) -> Obligations {
            let mut all = Obligations::NONE;
            $(
                if let Some(obligation) = $gate.obligation(view, context, pair) {
                    all = all.with(obligation);
                }
            )+
            all
        }

        /// The denials of each gate.
        const DENIALS: [&[DenialReason]; GateName::ALL.len()] = [$($gate::DENIALS),+];
    };
}

gates_in_order! {
    KnownGate,
    SelfTargetGate,
    ModerationGate,
    PermissionsGate,
    BlocksGate,
    PeersGate,
    AudienceGate,
    BarriersGate,
    RulesGate,
    FriendshipGate,
    RoleGate,
}

/// The one-sided conditions of all gates of [`GateScope::Pair`] together. Costs the copy of a few sets
/// at most.
pub fn one_sided<'v>(view: &'v View, context: &GateContext<'_>) -> OneSided<'v> {
    GATES
        .iter()
        .filter(|gate| gate.scope() == GateScope::Pair)
        .map(|gate| gate.one_sided(view, context))
        .fold(OneSided::default(), OneSided::merge)
}

/// The user whom a denial of this pair is about: who is banned, who blocks, who is unknown. `None` if
/// it is about no single user, or about a group.
pub fn concerned_user<'r>(
    view: &View,
    context: &GateContext<'_>,
    pair: &PrincipalPair<'_, 'r>,
    reason: Reason,
) -> Option<&'r str> {
    let mut denials = GATES.iter().flat_map(|gate| gate.denials());
    denials.find(|denial| denial.reason == reason)?.concerned_user(view, context, pair)
}

// Fails to compile while a reason of a gate belongs to none, or to two.
#[expect(clippy::indexing_slicing, reason = "evaluated when this is compiled")]
const _: () = {
    let mut reason = 0;
    while reason < Reason::ALL.len() {
        let mut owners = 0;
        let mut gate = 0;
        while gate < DENIALS.len() {
            let mut denial = 0;
            while denial < DENIALS[gate].len() {
                if DENIALS[gate][denial].reason as usize == Reason::ALL[reason] as usize {
                    owners += 1;
                }
                denial += 1;
            }
            gate += 1;
        }
        let is_of_gate = !matches!(Reason::ALL[reason], Reason::Allowed | Reason::Stale);
        assert!(owners == is_of_gate as usize, "each reason of a denial belongs to one gate");
        reason += 1;
    }
};
