use super::{
    Gate, GateContext, Principal, PrincipalPair, everybody_if, requirements::ModerationBar,
};
use crate::{
    request::{self, GateName, Reason, StatementId},
    snapshot::{Selection, View},
};

/// Closed for subjects whom moderation keeps from the action, and for those who would moderate and
/// are no managers.
pub(super) struct ModerationGate;

impl ModerationGate {
    #[inline]
    fn denial(view: &View, scene: &GateContext<'_>, subject: &Principal<'_>) -> Option<Reason> {
        use request::Moderation::{Banned, Silenced};
        match (scene.requirements.moderation, subject.state.moderation()) {
            (ModerationBar::Banned | ModerationBar::BannedAndSilenced, Banned) => {
                Some(Reason::Banned)
            }
            (ModerationBar::BannedAndSilenced, Silenced) => Some(Reason::Silenced),
            _ if scene.requirements.requires_manager && !is_manager(view, subject) => {
                Some(Reason::NotManager)
            }
            _ => None,
        }
    }
}

/// The reason why someone may not moderate, if that is what he is about to do.
#[inline]
pub(super) fn manager_denial(
    view: &View,
    scene: &GateContext<'_>,
    pair: &PrincipalPair<'_, '_>,
) -> Option<Reason> {
    (scene.requirements.requires_manager && !is_manager(view, pair.subject))
        .then_some(Reason::NotManager)
}

fn is_manager(view: &View, subject: &Principal<'_>) -> bool {
    match (subject.stored_number(), &view.managers, &view.settings.managers) {
        (Some(number), Some(managers), _) => managers.contains(number),
        (None, _, Some(condition)) => condition.holds(&subject.tag_predicate(view)),
        _ => false,
    }
}

impl Gate for ModerationGate {
    fn name(&self) -> GateName {
        GateName::Moderation
    }

    #[inline]
    fn check(
        &self,
        view: &View,
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Reason> {
        Self::denial(view, scene, pair.subject)
    }

    fn admitted_others<'v>(
        &self,
        view: &'v View,
        scene: &GateContext<'_>,
        subject: &Principal<'_>,
    ) -> Selection<'v> {
        everybody_if(Self::denial(view, scene, subject).is_none())
    }

    fn admitted_subjects<'v>(
        &self,
        view: &'v View,
        scene: &GateContext<'_>,
        _: Option<&Principal<'_>>,
    ) -> Selection<'v> {
        let standings = &view.states;
        let mut parts = Vec::new();
        if scene.requirements.moderation != ModerationBar::Nobody {
            parts.push(standings.banned().complement());
        }
        if scene.requirements.moderation == ModerationBar::BannedAndSilenced {
            parts.push(standings.silenced().complement());
        }
        if scene.requirements.requires_manager {
            parts.push(view.managers.as_ref().map_or_else(Selection::nobody, Selection::from));
        }
        Selection::all(parts)
    }

    fn consulted(
        &self,
        view: &View,
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Vec<StatementId>> {
        let demands = scene.requirements;
        if demands.moderation == ModerationBar::Nobody && !demands.requires_manager {
            return None;
        }
        let refused = Self::denial(view, scene, pair.subject);
        let asks = demands.requires_manager && matches!(refused, None | Some(Reason::NotManager));
        Some(if asks { vec![StatementId::Managers] } else { Vec::new() })
    }

    fn describe(
        &self,
        view: &View,
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> String {
        let subject = pair.subject;
        let said = match (scene.requirements.moderation, subject.state.moderation()) {
            (ModerationBar::Nobody, _) => format!("moderation keeps nobody from {}", scene.action),
            (_, request::Moderation::None) => {
                format!("`{}` is neither banned nor silenced", subject.id)
            }
            (ModerationBar::Banned, request::Moderation::Silenced) => {
                format!("`{}` is silenced, which doesn't matter here", subject.id)
            }
            (_, state) => format!("`{}` is {state}", subject.id),
        };
        if !scene.requirements.requires_manager {
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
