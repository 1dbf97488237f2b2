//! The backend of dialects: the served view, and records of the store.

use std::cell::RefCell;

use uuid::Uuid;

use crate::{
    dialects::{Admission, Backend, BackendError},
    facts::{
        EffectiveGroup, EffectiveRule, EffectiveRules, EffectiveUser, UnixMillis,
        VersionedUserRecord,
    },
    live::{
        Freshness, Live, ServedPolicy,
        facts::{FactsHandle, ReadError},
    },
    request::{
        Approval, Decision, Grant, GrantCondition, GroupPermission, Moderation, PeersSetting,
        Relation, Request, Role, Switch,
    },
    serve::{
        admission::Cancellation,
        decision_log::{DecisionLog, DecisionOrigin, StepDecisions},
        freshness::DecisionView,
        tokens::TokenRegistry,
    },
    snapshot::UserNumber,
    wire::{AccessScope, unix_millis},
};

/// The served view and the store, as dialects read them.
pub(in crate::serve) struct ServedBackend<'a> {
    pub(in crate::serve) live: &'a Live,
    pub(in crate::serve) tokens: &'a TokenRegistry,
    pub(in crate::serve) served: &'a ServedPolicy,
    pub(in crate::serve) freshness: Freshness,
    /// Ends lists early where nobody waits for them any longer.
    pub(in crate::serve) cancellation: &'a Cancellation,
    pub(in crate::serve) recorder: Option<DecisionRecorder<'a>>,
}

/// The recorder of a step's decisions.
pub(in crate::serve) struct DecisionRecorder<'a> {
    pub(in crate::serve) log: Option<&'a DecisionLog>,
    pub(in crate::serve) origin: DecisionOrigin<'a>,
    pub(in crate::serve) decisions: RefCell<StepDecisions>,
}

/// A user's moderation state; `None` if they are not known.
pub(in crate::serve) fn moderation(served: &ServedPolicy, user: &str) -> Option<Moderation> {
    let population = &served.view.population;
    let (own, _) = population.overrides(population.directory.number(user)?);
    Some(own.moderation())
}

impl ServedBackend<'_> {
    fn number(&self, id: &str) -> Option<UserNumber> {
        self.served.view.population.directory.number(id)
    }

    fn facts(&self) -> Option<&FactsHandle> {
        self.live.facts()
    }
}

impl Backend for ServedBackend<'_> {
    fn now(&self) -> UnixMillis {
        unix_millis()
    }

    fn admission(&self, token: Option<&[u8]>, scope: AccessScope) -> Admission {
        self.tokens.check(token, scope).admission
    }

    fn guards_decisions(&self) -> bool {
        self.tokens.guards_decisions()
    }

    fn token_name(&self, token: &[u8]) -> Option<String> {
        self.tokens.name(token).map(|name| name.to_string())
    }

    fn has_store(&self) -> bool {
        self.facts().is_some()
    }

    fn revision(&self) -> u64 {
        self.served.view.revision.facts
    }

    fn decide(&self, request: &Request<'_>) -> Decision {
        let decision = DecisionView::new(self.served, self.freshness).decide(request);
        if let Some(DecisionRecorder { log, origin, decisions }) = &self.recorder {
            decisions.borrow_mut().add(*log, *origin, self.served, request, decision);
        }
        decision
    }

    fn knows_user(&self, id: &str) -> bool {
        self.number(id).is_some()
    }

    fn knows_group(&self, id: &str) -> bool {
        self.served.view.groups.number(id).is_some()
    }

    fn moderation(&self, user: &str) -> Option<Moderation> {
        moderation(self.served, user)
    }

    fn peers(&self, user: &str) -> Option<PeersSetting<()>> {
        let mode = self.served.view.population.directory.state(self.number(user)?).peers();
        Some(mode.map_or(PeersSetting::Audience(()), PeersSetting::Mode))
    }

    fn is_on(&self, user: &str, switch: Switch) -> Option<bool> {
        Some(self.served.view.population.directory.state(self.number(user)?).is_on(switch))
    }

    fn approval(&self, user: &str) -> Option<Approval> {
        let user = self.number(user)?;
        Some(self.served.view.population.directory.state(user).approval())
    }

    fn has_relation(&self, from: &str, relation: Relation, to: &str) -> bool {
        let population = &self.served.view.population;
        match (self.number(from), self.number(to)) {
            (Some(from), Some(to)) => population.outgoing_tie(from, to).outgoing(relation),
            _ => false,
        }
    }

    fn relation_count(&self, user: &str) -> usize {
        self.number(user).map_or(0, |user| self.served.view.population.ties_of(user).len())
    }

    fn related_users(&self, user: &str, relation: Relation) -> Vec<String> {
        let Some(user) = self.number(user) else { return Vec::new() };
        let population = &self.served.view.population;
        let directory = &population.directory;
        let ties = population
            .ties_of(user)
            .filter(|&(other, tie)| tie.outgoing(relation) && directory.is_known(other));
        let mut ids: Vec<String> = ties.map(|(other, _)| directory.id(other).to_owned()).collect();
        ids.sort_unstable();
        ids
    }

    fn tags(&self, user: &str) -> Option<Vec<String>> {
        let view = &self.served.view;
        let tags = view.population.directory.tags(self.number(user)?).iter();
        let mut names: Vec<String> = tags.map(|tag| view.tags.name(tag).to_owned()).collect();
        names.sort_unstable();
        Some(names)
    }

    fn allows_tag(&self, tag: &str) -> bool {
        let view = &self.served.view;
        let is_declared = view.declared_tags.is_empty()
            || view.tags.get(tag).is_some_and(|tag| view.declared_tags.contains(&tag));
        is_declared && view.settings.tag_form.check(tag).is_ok()
    }

    fn protects_tag(&self, tag: &str) -> bool {
        self.served.view.settings.protected_tags.protects(tag)
    }

    fn role(&self, group: &str, user: &str) -> Option<Role> {
        let groups = &self.served.view.groups;
        groups.get(groups.number(group)?)?.role(self.number(user)?)
    }

    fn members(&self, group: &str) -> Option<Vec<(String, Role)>> {
        let groups = &self.served.view.groups;
        let group = groups.get(groups.number(group)?)?;
        let directory = &self.served.view.population.directory;
        let known = group.members().filter(|&user| directory.is_known(user));
        let mut members: Vec<(String, Role)> = known
            .filter_map(|user| Some((directory.id(user).to_owned(), group.role(user)?)))
            .collect();
        members.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        Some(members)
    }

    fn permission(
        &self,
        group: &str,
        permission: GroupPermission,
        field: Option<&str>,
    ) -> Option<GrantCondition<String>> {
        let view = &self.served.view;
        let group = view.groups.get(view.groups.number(group)?)?;
        let nobody = GrantCondition::Grant(Grant::Unspecified);
        let matrix = group.matrix.and_then(|number| view.matrix(number));
        Some(matrix.map_or(nobody, |matrix| {
            matrix
                .grant_condition(permission, field)
                .map(&mut |&tag| view.tags.name(tag).to_owned())
        }))
    }

    fn group_size(&self, group: &str) -> Option<usize> {
        let groups = &self.served.view.groups;
        let directory = &self.served.view.population.directory;
        let members = groups.get(groups.number(group)?)?.members();
        Some(members.filter(|&user| directory.is_known(user)).count())
    }

    fn user_page(&self, after: Option<&str>, limit: usize) -> Vec<String> {
        let population = &self.served.view.population;
        let users = population.directory.iter_by_id(&population.everyone, after);
        let users = users.take_while(|_| !self.cancellation.is_cancelled());
        users.take(limit).map(|user| population.directory.id(user).to_owned()).collect()
    }

    fn user_record(&self, user: &str) -> Result<Option<VersionedUserRecord>, BackendError> {
        self.served.user_record(self.facts(), user).map_err(read_error)
    }

    fn user(&self, id: &str) -> Result<Option<EffectiveUser>, BackendError> {
        self.served.user(self.facts(), id).map_err(read_error)
    }

    fn group(&self, id: &str) -> Result<Option<EffectiveGroup>, BackendError> {
        self.served.group(self.facts(), id).map_err(read_error)
    }

    fn rule(&self, id: Uuid) -> Result<Option<EffectiveRule>, BackendError> {
        self.served.rule(self.facts(), id).map_err(read_error)
    }

    fn rule_page(&self, after: Option<Uuid>, limit: usize) -> Result<EffectiveRules, BackendError> {
        self.served.rules(self.facts(), after, limit).map_err(read_error)
    }
}

fn read_error(error: ReadError) -> BackendError {
    match error {
        ReadError::ViewBehind => BackendError::ViewBehind,
        ReadError::Store(error) => BackendError::Failed(error.to_string()),
    }
}
