//! The gate `self`: subjects who act on themselves.

use super::{
    context::GateContext,
    denial::DenialReason,
    gate::{Gate, GateScope},
    one_sided::OneSided,
    pair::PrincipalPair,
    principal::Principal,
};
use crate::{
    request::{GateName, Reason, StatementId},
    snapshot::{Selection, UserSet, View},
};

/// The gate `self`: closed for a subject who is the resource, unless the action only reads.
pub(super) struct SelfTargetGate;

impl SelfTargetGate {
    pub(super) const DENIALS: &'static [DenialReason] =
        &[DenialReason::of_subject(Reason::OneSelf)];
}

fn forbids_self(context: &GateContext<'_>) -> bool {
    context.is_between_users() && !context.requirements.allows_self
}

impl Gate for SelfTargetGate {
    fn name(&self) -> GateName {
        GateName::OneSelf
    }

    fn scope(&self) -> GateScope {
        GateScope::Pair
    }

    fn denials(&self) -> &'static [DenialReason] {
        Self::DENIALS
    }

    #[inline]
    fn check(
        &self,
        _: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Reason> {
        let is_same = pair.other.is_some_and(|other| other.is_same_user(pair.subject));
        (is_same && forbids_self(context)).then_some(Reason::OneSelf)
    }

    fn admitted_others<'v>(
        &self,
        _: &'v View,
        context: &GateContext<'_>,
        subject: &Principal<'_>,
    ) -> Selection<'v> {
        let oneself = subject.number.filter(|_| forbids_self(context));
        Selection::from(oneself.into_iter().collect::<UserSet>()).complement()
    }

    fn admitted_subjects<'v>(
        &self,
        view: &'v View,
        context: &GateContext<'_>,
        other: Option<&Principal<'_>>,
    ) -> Selection<'v> {
        other.map_or_else(Selection::everybody, |other| self.admitted_others(view, context, other))
    }

    fn one_sided<'v>(&self, _: &'v View, _: &GateContext<'_>) -> OneSided<'v> {
        OneSided::default()
    }

    fn consulted(
        &self,
        _: &View,
        context: &GateContext<'_>,
        _: &PrincipalPair<'_, '_>,
    ) -> Option<Vec<StatementId>> {
        forbids_self(context).then(Vec::new)
    }

    fn describe(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> String {
        match pair.other {
            Some(_) if self.check(view, context, pair).is_some() => {
                format!("`{}` is the resource too", pair.subject.id)
            }
            Some(other) if other.is_same_user(pair.subject) => {
                format!("`{}` may do this to themself", pair.subject.id)
            }
            Some(other) => format!("`{}` is not `{}`", other.id, pair.subject.id),
            None => "no other user is concerned".to_owned(),
        }
    }
}
