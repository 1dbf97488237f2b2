//! The gate `permissions`: the permission switches of both users.

use super::{
    context::GateContext,
    denial::DenialReason,
    gate::{Gate, GateScope},
    one_sided::{OneSided, UserCondition},
    pair::PrincipalPair,
    principal::Principal,
    requirements::Requirements,
};
use crate::{
    request::{ActionDeclaration, GateName, Reason, StatementId, Switch, Toggle},
    snapshot::{OwnSwitch, Selection, TagId, UserSet, View},
};

/// The gate `permissions`: closed while a switch of the subject that the action requires is off, or the
/// `incoming` of the resource or `member`.
pub(super) struct PermissionsGate;

impl PermissionsGate {
    pub(super) const DENIALS: &'static [DenialReason] = &[
        DenialReason::of_subject(Reason::OutgoingOff),
        DenialReason::of_subject(Reason::PermissionOff),
        DenialReason::of_other(Reason::IncomingOff),
    ];
}

/// The reason for the first of the subject's switches that is off, whatever the tie between the two.
#[inline]
fn own_switch_denial(
    view: &View,
    context: &GateContext<'_>,
    subject: &Principal<'_>,
) -> Option<Reason> {
    let requirements = context.requirements;
    if requirements.requires_outgoing && !subject.state.is_on(Switch::Outgoing) {
        Some(Reason::OutgoingOff)
    } else if requirements.subject_switch.is_some_and(|switch| !subject.state.is_on(switch)) {
        Some(Reason::PermissionOff)
    } else {
        let own = context.own_declaration(view).filter(|own| !is_declared_on(view, own, subject));
        own.map(|_| Reason::PermissionOff)
    }
}

/// Whether a user's switch of a declared action is on: by their record, or else by the policy.
fn is_declared_on(view: &View, own: &ActionDeclaration<TagId>, user: &Principal<'_>) -> bool {
    declared_toggle(view, own, user).is_on(&user.tag_predicate(view))
}

/// The setting of a user's switch of a declared action.
fn declared_toggle<'v>(
    view: &'v View,
    own: &'v ActionDeclaration<TagId>,
    user: &Principal<'_>,
) -> &'v Toggle<TagId> {
    let by_record = user.number.and_then(|user| view.population.own_switches.get(user, &own.name));
    by_record.unwrap_or(&own.switch)
}

/// The users whose switch of a declared action is on. Costs set algebra, and a look at each record that sets
/// it.
fn declared_on<'v>(view: &'v View, own: &ActionDeclaration<TagId>) -> Selection<'v> {
    let by_policy = match &own.switch {
        Toggle::Always(true) => Selection::everybody(),
        Toggle::Always(false) => Selection::nobody(),
        Toggle::When(condition) => view.population.selection(condition),
    };
    let set: Vec<&OwnSwitch> = view.population.own_switches.of_action(&own.name).collect();
    if set.is_empty() {
        return by_policy;
    }
    let is_on = |it: &&OwnSwitch| {
        let tags = view.population.directory.tags(it.user);
        it.setting.toggle.is_on(&|tag| tags.contains(*tag))
    };
    let users = |set: &mut dyn Iterator<Item = &OwnSwitch>| -> Selection<'v> {
        set.map(|it| it.user).collect::<UserSet>().into()
    };
    let (all, on) =
        (users(&mut set.iter().copied()), users(&mut set.iter().copied().filter(is_on)));
    Selection::any([Selection::all([by_policy, all.complement()]), on])
}

/// Whether the subject may not begin conversations.
#[inline]
fn cannot_begin(subject: &Principal<'_>) -> bool {
    !subject.state.is_on(Requirements::BEGINNING_SWITCH)
}

#[inline]
fn is_incoming_off(context: &GateContext<'_>, other: Option<&Principal<'_>>) -> bool {
    context.requirements.requires_incoming
        && other.is_some_and(|other| !other.state.is_on(Switch::Incoming))
}

impl Gate for PermissionsGate {
    fn name(&self) -> GateName {
        GateName::Permissions
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
        let beginning = || {
            let is_off = cannot_begin(pair.subject) && context.begins_conversation(pair.tie);
            is_off.then_some(Reason::PermissionOff)
        };
        let incoming = || is_incoming_off(context, pair.other).then_some(Reason::IncomingOff);
        own_switch_denial(view, context, pair.subject).or_else(beginning).or_else(incoming)
    }

    #[inline]
    fn check_unrestricted(
        &self,
        _: &View,
        _: &GateContext<'_>,
        _: &PrincipalPair<'_, '_>,
    ) -> Option<Reason> {
        None
    }

    fn admitted_others<'v>(
        &self,
        view: &'v View,
        context: &GateContext<'_>,
        subject: &Principal<'_>,
    ) -> Selection<'v> {
        if own_switch_denial(view, context, subject).is_some() {
            return Selection::nobody();
        }
        let mut parts = Vec::new();
        if context.requirements.requires_incoming {
            parts.push(view.states.with_switch_on(Switch::Incoming));
        }
        if context.may_begin_conversation() && cannot_begin(subject) {
            parts.push(context.conversation_partners(view, subject).into());
        }
        Selection::all(parts)
    }

    fn admitted_subjects<'v>(
        &self,
        view: &'v View,
        context: &GateContext<'_>,
        other: Option<&Principal<'_>>,
    ) -> Selection<'v> {
        if is_incoming_off(context, other) {
            return Selection::nobody();
        }
        let OneSided { subjects, initiators, .. } = self.one_sided(view, context);
        let mut parts = vec![UserCondition::intersect(subjects)];
        if let Some(other) = other.filter(|_| context.may_begin_conversation()) {
            let initiators = UserCondition::intersect(initiators);
            let partners = context.conversation_partners(view, other);
            parts.push(Selection::any([initiators, partners.into()]));
        }
        Selection::all(parts)
    }

    fn one_sided<'v>(&self, view: &'v View, context: &GateContext<'_>) -> OneSided<'v> {
        let is_on = |switch: Switch| UserCondition {
            users: view.states.with_switch_on(switch),
            tags: view.settings.permission(switch).clone(),
        };
        let beginning = context.may_begin_conversation().then_some(Requirements::BEGINNING_SWITCH);
        let incoming = context.requirements.requires_incoming.then_some(Switch::Incoming);
        let own = context
            .own_declaration(view)
            .map(|own| UserCondition { users: declared_on(view, own), tags: own.switch.clone() });
        OneSided {
            subjects: context.subject_switches().map(is_on).chain(own).collect(),
            initiators: beginning.map(is_on).into_iter().collect(),
            others: incoming.map(is_on).into_iter().collect(),
            ..OneSided::default()
        }
    }

    fn consulted(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Vec<StatementId>> {
        let built_in = |switch: Switch, user: &Principal<'_>| {
            (user.switch_statement(view, switch), user.state.is_on(switch))
        };
        let own = context.own_declaration(view).map(|own| {
            let by_record = pair
                .subject
                .number
                .is_some_and(|user| view.population.own_switches.get(user, &own.name).is_some());
            let statement =
                (!by_record).then(|| StatementId::OwnSwitch(std::sync::Arc::clone(&own.name)));
            (statement, is_declared_on(view, own, pair.subject))
        });
        let beginning =
            context.begins_conversation(pair.tie).then_some(Requirements::BEGINNING_SWITCH);
        let incoming = pair.other.filter(|_| context.requirements.requires_incoming);
        let switches = context.subject_switches().map(|switch| built_in(switch, pair.subject));
        let switches = switches.chain(own);
        let switches = switches.chain(beginning.map(|switch| built_in(switch, pair.subject)));
        let switches = switches.chain(incoming.map(|other| built_in(Switch::Incoming, other)));
        let mut consulted = None;
        for (statement, is_on) in switches {
            consulted.get_or_insert_with(Vec::new).extend(statement);
            if !is_on {
                break;
            }
        }
        consulted
    }

    fn describe(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> String {
        let mut said: Vec<String> = context
            .subject_switches()
            .map(|switch| describe_switch(view, pair.subject, switch))
            .collect();
        if let Some(own) = context.own_declaration(view) {
            let on = if is_declared_on(view, own, pair.subject) { "on" } else { "off" };
            said.push(format!("{} of `{}` is {on}", own.name, pair.subject.id));
        }
        if context.begins_conversation(pair.tie) {
            let beginning = describe_switch(view, pair.subject, Requirements::BEGINNING_SWITCH);
            said.push(format!("{beginning}, as it begins a conversation"));
        }
        if let Some(other) = pair.other.filter(|_| context.requirements.requires_incoming) {
            said.push(describe_switch(view, other, Switch::Incoming));
        }
        if said.is_empty() {
            return format!("no switch concerns {}", context.requested_name(view));
        }
        said.join("; ")
    }
}

/// A switch of a user, and what sets it.
fn describe_switch(view: &View, user: &Principal<'_>, switch: Switch) -> String {
    let on = if user.state.is_on(switch) { "on" } else { "off" };
    let (record, conditions) = user.record_overrides(view);
    let record_condition = conditions.iter().find(|(_, set, _)| *set == switch);
    let why = match (record_condition, view.settings.permission(switch)) {
        (Some((_, _, condition)), _) => {
            let condition = condition.map(&mut |&tag| view.tags.name(tag));
            format!(" by their record: {condition}")
        }
        _ if record.sets_switch(switch) => " by their record".to_owned(),
        (None, Toggle::When(condition)) => {
            format!(": {}", condition.map(&mut |&tag| view.tags.name(tag)))
        }
        (None, Toggle::Always(_)) => String::new(),
    };
    format!("{switch} of `{}` is {on}{why}", user.id)
}
