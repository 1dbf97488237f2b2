use super::{
    Gate, GateContext, Principal, PrincipalPair, everybody_if, requirements::Requirements,
};
use crate::{
    request::{GateName, Reason, StatementId, Switch, Toggle},
    snapshot::{Selection, View},
};

/// Closed while a switch of the subject is off, or the `incoming` of the resource or `member`.
pub(super) struct PermissionsGate;

/// The first of the subject's own switches that is off, whatever is between the two.
#[inline]
fn own_switch_denial(scene: &GateContext<'_>, subject: &Principal<'_>) -> Option<Reason> {
    let demands = scene.requirements;
    if demands.requires_outgoing && !subject.state.is_on(Switch::Outgoing) {
        Some(Reason::OutgoingOff)
    } else if demands.subject_switch.is_some_and(|switch| !subject.state.is_on(switch)) {
        Some(Reason::PermissionOff)
    } else {
        None
    }
}

/// Whether the subject may begin no conversation.
#[inline]
fn cannot_begin(subject: &Principal<'_>) -> bool {
    !subject.state.is_on(Requirements::BEGINNING_SWITCH)
}

#[inline]
fn is_incoming_off(scene: &GateContext<'_>, other: Option<&Principal<'_>>) -> bool {
    scene.requirements.requires_incoming
        && other.is_some_and(|other| !other.state.is_on(Switch::Incoming))
}

impl Gate for PermissionsGate {
    fn name(&self) -> GateName {
        GateName::Permissions
    }

    #[inline]
    fn check(
        &self,
        _: &View,
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Reason> {
        let beginning = || {
            let is_off = cannot_begin(pair.subject) && scene.begins_conversation(pair.tie);
            is_off.then_some(Reason::PermissionOff)
        };
        let incoming = || is_incoming_off(scene, pair.other).then_some(Reason::IncomingOff);
        own_switch_denial(scene, pair.subject).or_else(beginning).or_else(incoming)
    }

    fn admitted_others<'v>(
        &self,
        view: &'v View,
        scene: &GateContext<'_>,
        subject: &Principal<'_>,
    ) -> Selection<'v> {
        if own_switch_denial(scene, subject).is_some() {
            return Selection::nobody();
        }
        let mut parts = Vec::new();
        if scene.requirements.requires_incoming {
            parts.push(view.states.with_switch_on(Switch::Incoming));
        }
        if scene.may_begin_conversation() && cannot_begin(subject) {
            parts.push(scene.conversation_partners(view, subject).into());
        }
        Selection::all(parts)
    }

    fn admitted_subjects<'v>(
        &self,
        view: &'v View,
        scene: &GateContext<'_>,
        other: Option<&Principal<'_>>,
    ) -> Selection<'v> {
        if is_incoming_off(scene, other) {
            return everybody_if(false);
        }
        let mut parts: Vec<Selection<'_>> =
            scene.subject_switches().map(|switch| view.states.with_switch_on(switch)).collect();
        if let Some(other) = other.filter(|_| scene.may_begin_conversation()) {
            let beginning = view.states.with_switch_on(Requirements::BEGINNING_SWITCH);
            parts
                .push(Selection::any([beginning, scene.conversation_partners(view, other).into()]));
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
        let own = scene.subject_switches_with_tie(pair.tie).map(|switch| (switch, pair.subject));
        let incoming = pair.other.filter(|_| demands.requires_incoming);
        let looked = own.chain(incoming.map(|other| (Switch::Incoming, other)));
        let mut asked = None;
        for (switch, who) in looked {
            asked.get_or_insert_with(Vec::new).extend(who.switch_statement(view, switch));
            if !who.state.is_on(switch) {
                break;
            }
        }
        asked
    }

    fn describe(
        &self,
        view: &View,
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> String {
        let demands = scene.requirements;
        let mut looked: Vec<String> = scene
            .subject_switches()
            .map(|switch| describe_switch(view, pair.subject, switch))
            .collect();
        if scene.begins_conversation(pair.tie) {
            let beginning = describe_switch(view, pair.subject, Requirements::BEGINNING_SWITCH);
            looked.push(format!("{beginning}, as it begins a conversation"));
        }
        if let (true, Some(other)) = (demands.requires_incoming, pair.other) {
            looked.push(describe_switch(view, other, Switch::Incoming));
        }
        if looked.is_empty() {
            return format!("no switch concerns {}", scene.action);
        }
        looked.join("; ")
    }
}

/// A switch of someone, and why it is as it is.
fn describe_switch(view: &View, who: &Principal<'_>, switch: Switch) -> String {
    let on = if who.state.is_on(switch) { "on" } else { "off" };
    let (own, conditions) = match who.number {
        Some(number) => view.population.overrides(number),
        None => Default::default(),
    };
    let own_condition = conditions.iter().find(|(_, set, _)| *set == switch);
    let why = match (own_condition, view.settings.permission(switch)) {
        (Some((_, _, condition)), _) => {
            let condition = condition.map(&mut |&tag| view.tags.name(tag));
            format!(" by his record: {condition}")
        }
        _ if own.sets_switch(switch) => " by his record".to_owned(),
        (None, Toggle::When(condition)) => {
            format!(": {}", condition.map(&mut |&tag| view.tags.name(tag)))
        }
        (None, Toggle::Always(_)) => String::new(),
    };
    format!("{switch} of `{}` is {on}{why}", who.id)
}
