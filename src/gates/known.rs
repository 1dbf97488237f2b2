use super::{Gate, Party};
use crate::{
    request::{GateName, Reason},
    snapshot::{Selection, View},
};

/// Closed for subjects and resources who are no known users.
pub(super) struct Known;

impl Gate for Known {
    fn name(&self) -> GateName {
        GateName::Known
    }

    #[inline]
    fn check(&self, _: &View, subject: &Party<'_>, resource: &Party<'_>) -> Option<Reason> {
        if subject.number.is_none() {
            Some(Reason::UnknownSubject)
        } else if resource.number.is_none() {
            Some(Reason::UnknownResource)
        } else {
            None
        }
    }

    fn admits<'v>(&self, _: &'v View, subject: &Party<'_>) -> Selection<'v> {
        subject.number.map_or_else(Selection::nobody, |_| Selection::everybody())
    }

    fn admitted<'v>(&self, _: &'v View, resource: &Party<'_>) -> Selection<'v> {
        resource.number.map_or_else(Selection::nobody, |_| Selection::everybody())
    }

    fn detail(&self, _: &View, subject: &Party<'_>, resource: &Party<'_>) -> String {
        match (subject.number, resource.number) {
            (Some(_), Some(_)) => format!("`{}` and `{}` are users", subject.id, resource.id),
            (None, Some(_)) => format!("`{}` is no known user", subject.id),
            (None, None) if subject.id == resource.id => {
                format!("`{}` is no known user", subject.id)
            }
            (Some(_), None) => format!("`{}` is no known user", resource.id),
            (None, None) => {
                format!("neither `{}` nor `{}` is a known user", subject.id, resource.id)
            }
        }
    }
}
