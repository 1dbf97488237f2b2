use super::{Gate, Pair, Party, Scene, all_if, demands::Refuses};
use crate::{
    request::{self, GateName, Reason, Statement},
    snapshot::{Selection, View},
};

/// Closed for subjects whom moderation keeps from the action, and for those who would moderate and
/// are no managers.
pub(super) struct Moderation;

impl Moderation {
    #[inline]
    fn refuses(view: &View, scene: &Scene<'_>, subject: &Party<'_>) -> Option<Reason> {
        use request::Moderation::{Banned, Silenced};
        match (scene.demands.refuses, subject.standing.moderation()) {
            (Refuses::Banned | Refuses::BannedAndSilenced, Banned) => Some(Reason::Banned),
            (Refuses::BannedAndSilenced, Silenced) => Some(Reason::Silenced),
            _ if scene.demands.managers && !is_manager(view, subject) => Some(Reason::NotManager),
            _ => None,
        }
    }
}

/// The reason why someone may not moderate, if that is what he is about to do.
#[inline]
pub(super) fn managers(view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<Reason> {
    (scene.demands.managers && !is_manager(view, pair.subject)).then_some(Reason::NotManager)
}

fn is_manager(view: &View, subject: &Party<'_>) -> bool {
    match (subject.is_stored(), &view.managers, &view.settings.managers) {
        (Some(number), Some(managers), _) => managers.contains(number),
        (None, _, Some(condition)) => condition.holds(&subject.has(view)),
        _ => false,
    }
}

impl Gate for Moderation {
    fn name(&self) -> GateName {
        GateName::Moderation
    }

    #[inline]
    fn check(&self, view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<Reason> {
        Self::refuses(view, scene, pair.subject)
    }

    fn admits<'v>(&self, view: &'v View, scene: &Scene<'_>, subject: &Party<'_>) -> Selection<'v> {
        all_if(Self::refuses(view, scene, subject).is_none())
    }

    fn admitted<'v>(
        &self,
        view: &'v View,
        scene: &Scene<'_>,
        _: Option<&Party<'_>>,
    ) -> Selection<'v> {
        let standings = &view.standings;
        let mut parts = Vec::new();
        if scene.demands.refuses != Refuses::Nobody {
            parts.push(standings.banned().complement());
        }
        if scene.demands.refuses == Refuses::BannedAndSilenced {
            parts.push(standings.silenced().complement());
        }
        if scene.demands.managers {
            parts.push(view.managers.as_ref().map_or_else(Selection::nobody, Selection::from));
        }
        Selection::all(parts)
    }

    fn asks(&self, view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<Vec<Statement>> {
        let demands = scene.demands;
        if demands.refuses == Refuses::Nobody && !demands.managers {
            return None;
        }
        let refused = Self::refuses(view, scene, pair.subject);
        let asks = demands.managers && matches!(refused, None | Some(Reason::NotManager));
        Some(if asks { vec![Statement::Managers] } else { Vec::new() })
    }

    fn detail(&self, view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> String {
        let subject = pair.subject;
        let said = match (scene.demands.refuses, subject.standing.moderation()) {
            (Refuses::Nobody, _) => format!("moderation keeps nobody from {}", scene.action),
            (_, request::Moderation::None) => {
                format!("`{}` is neither banned nor silenced", subject.id)
            }
            (Refuses::Banned, request::Moderation::Silenced) => {
                format!("`{}` is silenced, which doesn't matter here", subject.id)
            }
            (_, state) => format!("`{}` is {state}", subject.id),
        };
        if !scene.demands.managers {
            return said;
        }
        match &view.settings.managers {
            None => format!("{said}; the policy names no moderation.managers"),
            Some(condition) => {
                let condition = condition.map(&mut |&tag| view.tags.name(tag));
                let is = if is_manager(view, subject) { "is" } else { "is not" };
                format!("{said}; {is} one of moderation.managers: {condition}")
            }
        }
    }
}
