use super::{Gate, GateContext, Principal, PrincipalPair, context::GateTarget};
use crate::{
    request::{Action, GateName, Reason, StatementId},
    snapshot::{Selection, UserSet, View},
};

/// Closed for a subject who is the resource, unless he only reads.
pub(super) struct SelfTargetGate;

fn forbids_self(scene: &GateContext<'_>) -> bool {
    scene.target == GateTarget::User && !matches!(scene.action, Action::Read | Action::ViewProfile)
}

impl Gate for SelfTargetGate {
    fn name(&self) -> GateName {
        GateName::OneSelf
    }

    #[inline]
    fn check(
        &self,
        _: &View,
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Reason> {
        let is_same = pair.other.is_some_and(|other| other.is_same_user(pair.subject));
        (is_same && forbids_self(scene)).then_some(Reason::OneSelf)
    }

    fn admitted_others<'v>(
        &self,
        _: &'v View,
        scene: &GateContext<'_>,
        subject: &Principal<'_>,
    ) -> Selection<'v> {
        let oneself = subject.number.filter(|_| forbids_self(scene));
        Selection::from(oneself.into_iter().collect::<UserSet>()).complement()
    }

    fn admitted_subjects<'v>(
        &self,
        view: &'v View,
        scene: &GateContext<'_>,
        other: Option<&Principal<'_>>,
    ) -> Selection<'v> {
        other.map_or_else(Selection::everybody, |other| self.admitted_others(view, scene, other))
    }

    fn consulted(
        &self,
        _: &View,
        scene: &GateContext<'_>,
        _: &PrincipalPair<'_, '_>,
    ) -> Option<Vec<StatementId>> {
        forbids_self(scene).then(Vec::new)
    }

    fn describe(
        &self,
        view: &View,
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> String {
        match pair.other {
            Some(_) if self.check(view, scene, pair).is_some() => {
                format!("`{}` is the resource himself", pair.subject.id)
            }
            Some(other) if other.is_same_user(pair.subject) => {
                format!("`{}` may do this to himself", pair.subject.id)
            }
            Some(other) => format!("`{}` is someone else than `{}`", other.id, pair.subject.id),
            None => "no other user is concerned".to_owned(),
        }
    }
}
