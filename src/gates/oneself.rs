use super::{Gate, Pair, Party, Scene, scene::Place};
use crate::{
    request::{Action, GateName, Reason, Statement},
    snapshot::{Selection, UserSet, View},
};

/// Closed for a subject who is the resource, unless he only reads.
pub(super) struct OneSelf;

fn concerns(scene: &Scene<'_>) -> bool {
    scene.place == Place::User && !matches!(scene.action, Action::Read | Action::ViewProfile)
}

impl Gate for OneSelf {
    fn name(&self) -> GateName {
        GateName::OneSelf
    }

    #[inline]
    fn check(&self, _: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<Reason> {
        let is_same = pair.other.is_some_and(|other| other.is(pair.subject));
        (is_same && concerns(scene)).then_some(Reason::OneSelf)
    }

    fn admits<'v>(&self, _: &'v View, scene: &Scene<'_>, subject: &Party<'_>) -> Selection<'v> {
        let oneself = subject.number.filter(|_| concerns(scene));
        Selection::from(oneself.into_iter().collect::<UserSet>()).complement()
    }

    fn admitted<'v>(
        &self,
        view: &'v View,
        scene: &Scene<'_>,
        other: Option<&Party<'_>>,
    ) -> Selection<'v> {
        other.map_or_else(Selection::everybody, |other| self.admits(view, scene, other))
    }

    fn asks(&self, _: &View, scene: &Scene<'_>, _: &Pair<'_, '_>) -> Option<Vec<Statement>> {
        concerns(scene).then(Vec::new)
    }

    fn detail(&self, view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> String {
        match pair.other {
            Some(_) if self.check(view, scene, pair).is_some() => {
                format!("`{}` is the resource himself", pair.subject.id)
            }
            Some(other) if other.is(pair.subject) => {
                format!("`{}` may do this to himself", pair.subject.id)
            }
            Some(other) => format!("`{}` is someone else than `{}`", other.id, pair.subject.id),
            None => "no other user is concerned".to_owned(),
        }
    }
}
