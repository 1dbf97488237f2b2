//! The trait that every gate implements.

use super::{
    context::GateContext, denial::DenialReason, one_sided::OneSided, pair::PrincipalPair,
    principal::Principal,
};
use crate::{
    request::{GateName, Obligation, Reason, StatementId},
    snapshot::{Selection, View},
};

/// One independent condition of an action: open if it is met, and closed with a reason if not.
///
/// The methods are views of one truth. Pairwise answers and sets agree for all known users of a known
/// group ([`check`](Self::check), [`admitted_others`](Self::admitted_others),
/// [`admitted_subjects`](Self::admitted_subjects)); the one-sided conditions are what is left of it
/// without ties ([`one_sided`](Self::one_sided)).
pub trait Gate: Sync {
    /// The name of the gate in explanations, coverage and metrics.
    fn name(&self) -> GateName;

    /// Whether the gate depends on the whole request, or on the two users alone.
    fn scope(&self) -> GateScope;

    /// The reasons with which the gate closes. Each reason belongs to exactly one gate.
    fn denials(&self) -> &'static [DenialReason];

    /// The reason why the gate is closed for this pair; `None` if it is open. Takes no lock and
    /// allocates nothing.
    fn check(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Reason>;

    /// The same answer as [`check`](Self::check) where the view's
    /// [`only_rules_restrict`](View::only_rules_restrict) holds and the request overrides nothing:
    /// a gate that is always open there says so without a look at the pair.
    #[inline]
    fn check_unrestricted(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Reason> {
        self.check(view, context, pair)
    }

    /// The users on whom the gate lets this subject act, as the resource or the `member`.
    fn admitted_others<'v>(
        &self,
        view: &'v View,
        context: &GateContext<'_>,
        subject: &Principal<'_>,
    ) -> Selection<'v>;

    /// The subjects whom the gate lets act on this resource or `member`, if there is one.
    fn admitted_subjects<'v>(
        &self,
        view: &'v View,
        context: &GateContext<'_>,
        other: Option<&Principal<'_>>,
    ) -> Selection<'v>;

    /// The conditions that the gate puts on each of two users alone, for known users as sets and for
    /// all possible users by their tags; called only for gates of [`GateScope::Pair`]. Costs the copy of
    /// a set at most.
    fn one_sided<'v>(&self, view: &'v View, context: &GateContext<'_>) -> OneSided<'v>;

    /// The statements of the policy that the gate consulted for this pair; `None` if the gate has
    /// nothing to say of the action, so that it is open whatever the policy says.
    fn consulted(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Vec<StatementId>>;

    /// A description of what the gate looked at for this pair.
    fn describe(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> String;

    /// The obligation that the gate puts on an action which all gates admit; most gates put none.
    #[inline]
    fn obligation(
        &self,
        _view: &View,
        _context: &GateContext<'_>,
        _pair: &PrincipalPair<'_, '_>,
    ) -> Option<Obligation> {
        None
    }
}

/// The part of a request on which the answer of a gate depends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GateScope {
    /// The whole request: whether its ids are known, and the group in which it takes place.
    Request,
    /// The action, the two users and their tie alone.
    Pair,
}
