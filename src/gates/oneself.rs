use super::{Gate, Party};
use crate::{
    request::{GateName, Reason},
    snapshot::{Selection, UserSet, View},
};

/// Closed for a subject who is the resource.
pub(super) struct OneSelf;

impl Gate for OneSelf {
    fn name(&self) -> GateName {
        GateName::OneSelf
    }

    #[inline]
    fn check(&self, _: &View, subject: &Party<'_>, resource: &Party<'_>) -> Option<Reason> {
        let is_same = match (subject.number, resource.number) {
            (Some(subject), Some(resource)) => subject == resource,
            _ => subject.id == resource.id,
        };
        is_same.then_some(Reason::OneSelf)
    }

    fn admits<'v>(&self, _: &'v View, subject: &Party<'_>) -> Selection<'v> {
        Selection::from(subject.number.into_iter().collect::<UserSet>()).complement()
    }

    fn admitted<'v>(&self, view: &'v View, resource: &Party<'_>) -> Selection<'v> {
        self.admits(view, resource)
    }

    fn detail(&self, view: &View, subject: &Party<'_>, resource: &Party<'_>) -> String {
        match self.check(view, subject, resource) {
            Some(_) => format!("`{}` is the resource himself", subject.id),
            None => format!("`{}` is someone else than `{}`", resource.id, subject.id),
        }
    }
}
