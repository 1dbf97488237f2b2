use super::{Gate, Pair, Party, Scene, all_if};
use crate::{
    request::{GateName, Reason, Statement, Switch, Toggle},
    snapshot::{Selection, View},
};

/// Closed while a switch of the subject is off, or the `incoming` of the resource or `member`.
pub(super) struct Permissions;

/// The first of the subject's own switches that is off.
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
        let incoming = || is_incoming_off(scene, pair.other).then_some(Reason::IncomingOff);
        off(scene, pair.subject).or_else(incoming)
    }

    fn admits<'v>(&self, view: &'v View, scene: &Scene<'_>, subject: &Party<'_>) -> Selection<'v> {
        if off(scene, subject).is_some() {
            Selection::nobody()
        } else if scene.demands.incoming {
            view.standings.on(Switch::Incoming)
        } else {
            Selection::everybody()
        }
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
        let outgoing = scene.demands.outgoing.then_some(Switch::Outgoing);
        let switches = outgoing.into_iter().chain(scene.demands.own);
        Selection::all(switches.map(|switch| view.standings.on(switch)))
    }

    fn asks(&self, view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<Vec<Statement>> {
        let demands = scene.demands;
        let subject = Some(pair.subject);
        let looked = [
            (demands.outgoing.then_some(Switch::Outgoing), subject),
            (demands.own, subject),
            (demands.incoming.then_some(Switch::Incoming), pair.other),
        ];
        let looked = looked.into_iter().filter_map(|(switch, who)| switch.zip(who));
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
        let outgoing = demands.outgoing.then_some(Switch::Outgoing);
        let mut looked: Vec<String> = outgoing
            .into_iter()
            .chain(demands.own)
            .map(|switch| told(view, pair.subject, switch))
            .collect();
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
