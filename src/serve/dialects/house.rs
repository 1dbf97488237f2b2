use std::time::{SystemTime, UNIX_EPOCH};

use uuid::Uuid;

use crate::{
    decide,
    dialects::{Admission, House, Unread},
    facts::{GroupTold, Kept, RuleTold, RulesTold, Since, UserTold},
    live::{
        Served,
        facts::{Facts, Not},
    },
    request::{
        Approval, Decision, Grant, GroupPermission, Moderation, PeersMode, Relation, Request, Role,
        Switch, Value,
    },
    serve::{admin, admission::Abandoned, route::App},
};

/// What is served, for dialects.
pub(super) struct Inside<'a> {
    pub(super) app: &'a App,
    pub(super) served: &'a Served,
    /// Where nobody waits any more, lists end early.
    pub(super) abandoned: &'a Abandoned,
}

impl Inside<'_> {
    fn number(&self, id: &str) -> Option<u32> {
        self.served.view.population.directory.number(id)
    }

    fn facts(&self) -> Option<&Facts> {
        self.app.live.facts()
    }
}

/// Milliseconds since 1970 in UTC.
pub(super) fn now() -> Since {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Since::try_from(since.as_millis()).unwrap_or(Since::MAX)
}

impl House for Inside<'_> {
    fn now(&self) -> Since {
        now()
    }

    fn admission(&self, token: Option<&[u8]>) -> Admission {
        admin::admission(self.app, token)
    }

    fn keeps_facts(&self) -> bool {
        self.facts().is_some()
    }

    fn revision(&self) -> u64 {
        self.served.view.revision.facts
    }

    fn decide(&self, request: &Request<'_>) -> Decision {
        decide::decide(&self.served.view, request)
    }

    fn knows_user(&self, id: &str) -> bool {
        self.number(id).is_some()
    }

    fn knows_group(&self, id: &str) -> bool {
        self.served.view.groups.number(id).is_some()
    }

    fn moderation(&self, user: &str) -> Option<Moderation> {
        let (own, _) = self.served.view.population.own(self.number(user)?);
        Some(own.moderation())
    }

    fn peers(&self, user: &str) -> Option<PeersMode> {
        Some(self.served.view.population.directory.standing(self.number(user)?).peers())
    }

    fn is_on(&self, user: &str, switch: Switch) -> Option<bool> {
        Some(self.served.view.population.directory.standing(self.number(user)?).is_on(switch))
    }

    fn approval(&self, user: &str) -> Option<Approval> {
        let user = self.number(user)?;
        Some(self.served.view.population.directory.standing(user).approval())
    }

    fn has(&self, from: &str, relation: Relation, to: &str) -> bool {
        let population = &self.served.view.population;
        match (self.number(from), self.number(to)) {
            (Some(from), Some(to)) => population.outward(from, to).to(relation),
            _ => false,
        }
    }

    fn ties(&self, user: &str) -> usize {
        self.number(user).map_or(0, |user| self.served.view.population.ties_of(user).len())
    }

    fn related(&self, user: &str, relation: Relation) -> Vec<String> {
        let Some(user) = self.number(user) else { return Vec::new() };
        let population = &self.served.view.population;
        let directory = &population.directory;
        let ties = population
            .ties_of(user)
            .filter(|&(other, tie)| tie.to(relation) && directory.is_known(other));
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

    fn takes_tag(&self, tag: &str) -> bool {
        let view = &self.served.view;
        let is_declared = view.declared.is_empty()
            || view.tags.get(tag).is_some_and(|tag| view.declared.contains(&tag));
        is_declared && view.settings.tag_form.check(tag).is_ok()
    }

    fn protects(&self, tag: &str) -> bool {
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
        let known = group.members.iter().filter(|&&user| directory.is_known(user));
        let mut members: Vec<(String, Role)> = known
            .filter_map(|&user| Some((directory.id(user).to_owned(), group.role(user)?)))
            .collect();
        members.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        Some(members)
    }

    fn permission(
        &self,
        group: &str,
        permission: GroupPermission,
        field: Option<&str>,
    ) -> Option<Value<String>> {
        let view = &self.served.view;
        let group = view.groups.get(view.groups.number(group)?)?;
        let nobody = Value::Grant(Grant::Unspecified);
        let matrix = view.matrix(group.matrix);
        Some(matrix.map_or(nobody, |matrix| {
            matrix.value(permission, field).map(&mut |&tag| view.tags.name(tag).to_owned())
        }))
    }

    fn size(&self, group: &str) -> Option<usize> {
        let groups = &self.served.view.groups;
        let directory = &self.served.view.population.directory;
        let members = groups.get(groups.number(group)?)?.members.iter();
        Some(members.filter(|&&user| directory.is_known(user)).count())
    }

    fn users(&self, after: Option<&str>, limit: usize) -> Vec<String> {
        let population = &self.served.view.population;
        let users = population.directory.in_order(&population.everyone, after);
        let users = users.take_while(|_| !self.abandoned.is_set());
        users.take(limit).map(|user| population.directory.id(user).to_owned()).collect()
    }

    fn kept(&self, user: &str) -> Result<Option<Kept>, Unread> {
        self.served.kept(self.facts(), user).map_err(unread)
    }

    fn user(&self, id: &str) -> Result<Option<UserTold>, Unread> {
        self.served.user(self.facts(), id).map_err(unread)
    }

    fn group(&self, id: &str) -> Result<Option<GroupTold>, Unread> {
        self.served.group(self.facts(), id).map_err(unread)
    }

    fn rule(&self, id: Uuid) -> Result<Option<RuleTold>, Unread> {
        self.served.rule(self.facts(), id).map_err(unread)
    }

    fn rules(&self, after: Option<Uuid>, limit: usize) -> Result<RulesTold, Unread> {
        self.served.rules(self.facts(), after, limit).map_err(unread)
    }
}

fn unread(not: Not) -> Unread {
    match not {
        Not::Followed => Unread::Early,
        Not::Read(error) => Unread::Failed(error.to_string()),
    }
}
