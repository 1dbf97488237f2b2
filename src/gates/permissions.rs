use super::{Gate, Pair, Party, Scene, all_if, demands::Demands};
use crate::{
    request::{GateName, Reason, Statement, Switch, Toggle},
    snapshot::{Selection, View},
};

/// Closed while a switch of the subject is off, or the `incoming` of the resource or `member`.
pub(super) struct Permissions;

/// The first of the subject's own switches that is off, whatever is between the two.
#[inline]
fn off(scene: &Scene<'_>, subject: &Party<'_>) -> Option<Reason> {
    let demands = scene.demands;
    if demands.outgoing && !subject.standing.is_on(Switch::Outgoing) {
        Some(Reason::OutgoingOff)
    } else if demands.own.is_some_and(|switch| !subject.standing.is_on(switch)) {
        Some(Reason::PermissionOff)
    } else {
        None
    }
}

/// Whether the subject may begin no conversation.
#[inline]
fn begins_nothing(subject: &Party<'_>) -> bool {
    !subject.standing.is_on(Demands::BEGINNING_SWITCH)
}

#[inline]
fn is_incoming_off(scene: &Scene<'_>, other: Option<&Party<'_>>) -> bool {
    scene.demands.incoming && other.is_some_and(|other| !other.standing.is_on(Switch::Incoming))
}

impl Gate for Permissions {
    fn name(&self) -> GateName {
        GateName::Permissions
    }

    #[inline]
    fn check(&self, _: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<Reason> {
        let beginning = || {
            let is_off = begins_nothing(pair.subject) && scene.begins(pair.tie);
            is_off.then_some(Reason::PermissionOff)
        };
        let incoming = || is_incoming_off(scene, pair.other).then_some(Reason::IncomingOff);
        off(scene, pair.subject).or_else(beginning).or_else(incoming)
    }

    fn admits<'v>(&self, view: &'v View, scene: &Scene<'_>, subject: &Party<'_>) -> Selection<'v> {
        if off(scene, subject).is_some() {
            return Selection::nobody();
        }
        let mut parts = Vec::new();
        if scene.demands.incoming {
            parts.push(view.standings.on(Switch::Incoming));
        }
        if scene.may_begin() && begins_nothing(subject) {
            parts.push(scene.talking_with(view, subject).into());
        }
        Selection::all(parts)
    }

    fn admitted<'v>(
        &self,
        view: &'v View,
        scene: &Scene<'_>,
        other: Option<&Party<'_>>,
    ) -> Selection<'v> {
        if is_incoming_off(scene, other) {
            return all_if(false);
        }
        let mut parts: Vec<Selection<'_>> =
            scene.own_switches().map(|switch| view.standings.on(switch)).collect();
        if let Some(other) = other.filter(|_| scene.may_begin()) {
            let beginning = view.standings.on(Demands::BEGINNING_SWITCH);
            parts.push(Selection::any([beginning, scene.talking_with(view, other).into()]));
        }
        Selection::all(parts)
    }

    fn asks(&self, view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<Vec<Statement>> {
        let demands = scene.demands;
        let own = scene.switches(pair.tie).map(|switch| (switch, pair.subject));
        let incoming = pair.other.filter(|_| demands.incoming);
        let looked = own.chain(incoming.map(|other| (Switch::Incoming, other)));
        let mut asked = None;
        for (switch, who) in looked {
            asked.get_or_insert_with(Vec::new).extend(who.asks_switch(view, switch));
            if !who.standing.is_on(switch) {
                break;
            }
        }
        asked
    }

    fn detail(&self, view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> String {
        let demands = scene.demands;
        let mut looked: Vec<String> =
            scene.own_switches().map(|switch| told(view, pair.subject, switch)).collect();
        if scene.begins(pair.tie) {
            let beginning = told(view, pair.subject, Demands::BEGINNING_SWITCH);
            looked.push(format!("{beginning}, as it begins a conversation"));
        }
        if let (true, Some(other)) = (demands.incoming, pair.other) {
            looked.push(told(view, other, Switch::Incoming));
        }
        if looked.is_empty() {
            return format!("no switch concerns {}", scene.action);
        }
        looked.join("; ")
    }
}

/// A switch of someone, and why it is as it is.
fn told(view: &View, who: &Party<'_>, switch: Switch) -> String {
    let on = if who.standing.is_on(switch) { "on" } else { "off" };
    let (own, conditions) = match who.number {
        Some(number) => view.population.own(number),
        None => Default::default(),
    };
    let own_condition = conditions.iter().find(|(_, set, _)| *set == switch);
    let why = match (own_condition, view.settings.permission(switch)) {
        (Some((_, _, condition)), _) => {
            let condition = condition.map(&mut |&tag| view.tags.name(tag));
            format!(" by his record: {condition}")
        }
        _ if own.sets(switch) => " by his record".to_owned(),
        (None, Toggle::When(condition)) => {
            format!(": {}", condition.map(&mut |&tag| view.tags.name(tag)))
        }
        (None, Toggle::Always(_)) => String::new(),
    };
    format!("{switch} of `{}` is {on}{why}", who.id)
}
