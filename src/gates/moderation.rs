//! The gate `moderation`: banned, silenced and shadowed users, and managers.

use super::{
    context::GateContext,
    denial::DenialReason,
    gate::{Gate, GateScope},
    one_sided::{OneSided, UserCondition},
    pair::PrincipalPair,
    principal::Principal,
    requirements::ModerationBar,
    sets::everybody_if,
};
use crate::{
    request::{self, GateName, Obligation, Reason, StatementId, Toggle},
    snapshot::{Selection, View},
};

/// The gate `moderation`: closed for subjects whose moderation state excludes them from the action, and
/// for subjects who would moderate and are no managers.
pub(super) struct ModerationGate;

impl ModerationGate {
    pub(super) const DENIALS: &'static [DenialReason] = &[
        DenialReason::of_subject(Reason::Banned),
        DenialReason::of_subject(Reason::Silenced),
        DenialReason::of_subject(Reason::NotManager),
    ];
}

/// The reason why the gate is closed for a subject, with any other user.
#[inline]
fn denial(view: &View, context: &GateContext<'_>, subject: &Principal<'_>) -> Option<Reason> {
    use ModerationBar::{BannedAndSilenced, Everyone, Nobody};
    use request::Moderation::{Banned, None, Shadowed, Silenced};
    match (context.requirements.moderation, subject.state.moderation()) {
        (ModerationBar::Banned | BannedAndSilenced | Everyone, Banned) => Some(Reason::Banned),
        (BannedAndSilenced | Everyone, Silenced) | (Everyone, Shadowed) => Some(Reason::Silenced),
        (Nobody, None | Silenced | Banned | Shadowed)
        | (ModerationBar::Banned, None | Silenced | Shadowed)
        | (BannedAndSilenced, None | Shadowed)
        | (Everyone, None) => manager_denial(view, context, subject),
    }
}

/// The reason why a subject who would moderate may not.
#[inline]
fn manager_denial(
    view: &View,
    context: &GateContext<'_>,
    subject: &Principal<'_>,
) -> Option<Reason> {
    (context.requirements.requires_manager && !is_manager(view, subject))
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

    fn scope(&self) -> GateScope {
        GateScope::Pair
    }

    fn denials(&self) -> &'static [DenialReason] {
        Self::DENIALS
    }

    #[inline]
    fn check(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Reason> {
        denial(view, context, pair.subject)
    }

    #[inline]
    fn check_unrestricted(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Reason> {
        manager_denial(view, context, pair.subject)
    }

    fn admitted_others<'v>(
        &self,
        view: &'v View,
        context: &GateContext<'_>,
        subject: &Principal<'_>,
    ) -> Selection<'v> {
        everybody_if(denial(view, context, subject).is_none())
    }

    fn admitted_subjects<'v>(
        &self,
        view: &'v View,
        context: &GateContext<'_>,
        _: Option<&Principal<'_>>,
    ) -> Selection<'v> {
        UserCondition::intersect(self.one_sided(view, context).subjects)
    }

    fn one_sided<'v>(&self, view: &'v View, context: &GateContext<'_>) -> OneSided<'v> {
        let requirements = context.requirements;
        let mut subjects = Vec::new();
        if requirements.moderation != ModerationBar::Nobody {
            subjects.push(UserCondition::of_records(view.states.banned().complement()));
        }
        if matches!(
            requirements.moderation,
            ModerationBar::BannedAndSilenced | ModerationBar::Everyone
        ) {
            subjects.push(UserCondition::of_records(view.states.silenced().complement()));
        }
        if requirements.moderation == ModerationBar::Everyone {
            subjects.push(UserCondition::of_records(view.states.shadowed().complement()));
        }
        if requirements.requires_manager {
            let (users, tags) = (view.managers.as_ref(), view.settings.managers.clone());
            subjects.push(UserCondition {
                users: users.map_or_else(Selection::nobody, Selection::from),
                tags: tags.map_or(Toggle::Always(false), Toggle::When),
            });
        }
        OneSided { subjects, ..OneSided::default() }
    }

    fn consulted(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Vec<StatementId>> {
        let requirements = context.requirements;
        if requirements.moderation == ModerationBar::Nobody && !requirements.requires_manager {
            return None;
        }
        let denial = denial(view, context, pair.subject);
        let asks_managers =
            requirements.requires_manager && matches!(denial, None | Some(Reason::NotManager));
        Some(if asks_managers { vec![StatementId::Managers] } else { Vec::new() })
    }

    #[inline]
    fn obligation(
        &self,
        _: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Obligation> {
        let is_hidden = context.requirements.moderation == ModerationBar::BannedAndSilenced
            && pair.subject.state.moderation() == request::Moderation::Shadowed;
        is_hidden.then_some(Obligation::Hide)
    }

    fn describe(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> String {
        let subject = pair.subject;
        let said = match (context.requirements.moderation, subject.state.moderation()) {
            (ModerationBar::Nobody, _) => {
                format!("moderation doesn't apply to {}", context.requested_name(view))
            }
            (_, request::Moderation::None) => {
                format!("`{}` is neither banned nor silenced", subject.id)
            }
            (
                ModerationBar::Banned,
                state @ (request::Moderation::Silenced | request::Moderation::Shadowed),
            ) => {
                format!("`{}` is {state}, which doesn't matter here", subject.id)
            }
            (ModerationBar::BannedAndSilenced, request::Moderation::Shadowed) => {
                format!("`{}` is shadowed: it is shown to nobody else", subject.id)
            }
            (_, state) => format!("`{}` is {state}", subject.id),
        };
        if !context.requirements.requires_manager {
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
