use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    compile::{self, Basis},
    decide,
    diagnostic::{Report, did_you_mean, render},
    facts::{
        Around, Permission, Place, Reason, Refusal, Settings, Since, Spot, Stated, Statement,
        UserField, World,
    },
    request::{self, Action, Decision, Field, Relation, Request, Role, choices},
    snapshot::{Group, View},
};

use super::asked::Asked;

/// What is so under a policy and the facts that its view followed so far.
pub(super) struct Effective<'e> {
    pub(super) view: &'e View,
    pub(super) basis: &'e Basis,
    pub(super) asked: &'e Asked,
}

/// How many tags or names an unknown one is compared with.
const MOST_COMPARED: usize = 10_000;

impl Effective<'_> {
    fn number(&self, id: &str) -> Option<u32> {
        self.view.population.directory.number(id)
    }

    /// Whether he counts: who is no longer known sleeps wherever records name him.
    fn is_known(&self, user: u32) -> bool {
        self.view.population.directory.is_known(user)
    }

    fn count(&self, user: &str, relation: Relation) -> usize {
        let rows =
            self.number(user).into_iter().flat_map(|user| self.view.population.ties_of(user));
        rows.filter(|&(other, tie)| tie.to(relation) && self.is_known(other)).count()
    }

    fn group(&self, id: &str) -> Option<Group<'_>> {
        self.view.groups.get(self.view.groups.number(id)?)
    }

    fn place(&self, place: request::Place) -> Place {
        Place { file: self.basis.file(place).to_owned(), line: place.line as usize }
    }

    /// What a field is set to, as a record holds it.
    fn field(&self, user: u32, field: UserField) -> Json {
        let population = &self.view.population;
        let (own, conditions) = population.own(user);
        match field {
            UserField::Tags => {
                let tags = population.directory.tags(user).iter();
                let mut names: Vec<&str> = tags.map(|tag| self.view.tags.name(tag)).collect();
                names.sort_unstable();
                json!(names)
            }
            UserField::Peers => json!(own.own_peers()),
            UserField::Moderation => json!(own.moderation()),
            UserField::Approval => json!(own.own_approval()),
            UserField::Switch(switch) => {
                let when = conditions.iter().find(|(_, set, _)| *set == switch);
                match when {
                    Some((_, _, when)) => {
                        json!(when.map(&mut |&tag| self.view.tags.name(tag)).to_string())
                    }
                    None => json!(own.own_switch(switch)),
                }
            }
        }
    }

    fn stated_user(&self, id: &str) -> Option<(u32, request::Stated)> {
        let user = self.number(id)?;
        let stated = self.view.population.stated(user);
        stated.has(Field::Itself).then_some((user, stated))
    }
}

impl World for Effective<'_> {
    fn knows_user(&self, id: &str) -> bool {
        self.number(id).is_some()
    }

    fn knows_group(&self, id: &str) -> bool {
        self.view.groups.number(id).is_some()
    }

    fn stated(&self, what: &Stated<'_>) -> Option<Statement> {
        let told = |place, value| Some(Statement { place: self.place(place), value });
        match *what {
            Stated::User(id) => {
                let (_, stated) = self.stated_user(id)?;
                told(stated.place(), Json::Null)
            }
            Stated::UserField(id, field) => {
                let (user, stated) = self.stated_user(id)?;
                let is_stated = stated.has(match field {
                    UserField::Tags => Field::Tags,
                    UserField::Peers => Field::Peers,
                    UserField::Moderation => Field::Moderation,
                    UserField::Approval => Field::Approval,
                    UserField::Switch(switch) => Field::Permission(switch),
                });
                is_stated.then(|| told(stated.place(), self.field(user, field)))?
            }
            Stated::Edge(from, relation, to) => {
                let (user, stated) = self.stated_user(from)?;
                let other = self.view.population.directory.number_of_any(to)?;
                let tie = self.view.population.outward(user, other);
                tie.is_stated(relation).then(|| told(stated.place(), Json::Null))?
            }
            Stated::Group(id) | Stated::Matrix(id) | Stated::Creator(id) => {
                let (group, place) = self.basis.group(id)?;
                let value = match what {
                    Stated::Matrix(_) => json!(group.matrix),
                    Stated::Creator(_) => json!(group.creator),
                    _ => Json::Null,
                };
                told(place, value)
            }
            Stated::Member(id, member) => {
                let (group, place) = self.basis.group(id)?;
                let is_in = |all: &[String]| all.iter().any(|known| known == member);
                let role = if is_in(&group.super_admins) {
                    Role::SuperAdmin
                } else if is_in(&group.admins) {
                    Role::Admin
                } else if is_in(&group.members) {
                    Role::Member
                } else {
                    return None;
                };
                told(place, json!(role))
            }
            Stated::Conversation(one, other) => {
                told(self.basis.conversation(one, other)?, Json::Null)
            }
            Stated::Rule(id) => told(self.basis.rule(id)?, Json::Null),
        }
    }

    fn friends(&self, user: &str) -> usize {
        self.count(user, Relation::Friend)
    }

    fn blocked(&self, user: &str) -> usize {
        self.count(user, Relation::Block)
    }

    fn members(&self, group: &str) -> usize {
        let all = self.group(group).into_iter().flat_map(|group| group.members);
        all.filter(|&&user| self.is_known(user)).count()
    }

    fn super_admins(&self, group: &str) -> usize {
        let all = self.group(group).into_iter().flat_map(Group::super_admins);
        all.filter(|&user| self.is_known(user)).count()
    }

    fn around(&self, user: &str) -> Around {
        let (directory, groups) = (&self.view.population.directory, &self.view.groups);
        let mut around = Around { users: self.asked.by(user), ..Around::default() };
        let Some(number) = self.number(user) else { return around };
        for (other, tie) in self.view.population.ties_of(number) {
            let id = directory.id(other).to_owned();
            if !tie.reversed().outward().is_none() && !around.users.contains(&id) {
                around.users.push(id.clone());
            }
            if tie.is_conversation() {
                around.conversations.push(id);
            }
        }
        let ids = |group| groups.get(group).map(|group| group.id.to_owned());
        around.groups = groups.of(number).into_iter().filter_map(ids).collect();
        around
    }

    fn rule_named(&self, name: &str) -> Option<Uuid> {
        self.basis.rule_named(name).or_else(|| {
            let mut rules = self.view.rules.iter().flat_map(|book| book.rules.iter());
            rules.find(|rule| rule.name.as_deref() == Some(name)).map(|rule| rule.id)
        })
    }

    fn settings(&self) -> Settings {
        let settings = &self.view.settings;
        Settings {
            limits: settings.limits,
            approval: settings.approval,
            blocks: settings.blocks.mode(Action::FriendRequest),
            blocks_end_friendship: settings.blocks_end_friendship,
        }
    }

    fn protects(&self, tag: &str) -> bool {
        self.view.settings.protected_tags.protects(tag)
    }

    fn tag(&self, tag: &str) -> Result<(), Refusal> {
        if let Err(error) = self.view.settings.tag_form.check(tag) {
            return Err(Refusal::new(Reason::Invalid, error.to_string()));
        }
        let declared = &self.view.declared;
        let name = |id: &crate::snapshot::TagId| self.view.tags.name(*id);
        if declared.is_empty() || declared.iter().any(|id| name(id) == tag) {
            return Ok(());
        }
        let near = did_you_mean(tag, declared.iter().take(MOST_COMPARED).map(name));
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "declare it in a policy file".to_owned(),
        };
        Err(Refusal::new(Reason::UnknownTag, format!("no tag `{tag}` is declared; {hint}")))
    }

    fn matrix(&self, name: &str) -> Result<(), Refusal> {
        if self.view.matrix_number(name).is_some() {
            return Ok(());
        }
        let known: Vec<&str> = self.view.matrices.iter().map(|matrix| &*matrix.name).collect();
        let known = choices(name, known.iter().copied());
        let message = format!("there is no matrix `{}`; {known}", name.escape_debug());
        Err(Refusal::new(Reason::UnknownMatrix, message))
    }

    fn condition(&self, text: &str) -> Result<String, Refusal> {
        let condition =
            compile::condition(text).map_err(|why| unmeant(Reason::InvalidCondition, &why))?;
        let mut unknown = None;
        condition.each_tag(&mut |tag| {
            unknown = unknown.take().or_else(|| Some(misnamed(text, tag, self.tag(tag).err()?)));
        });
        unknown.map_or_else(|| Ok(condition.to_string()), Err)
    }

    fn value(&self, _: &Permission, text: &str) -> Result<String, Refusal> {
        let value = compile::value(text).map_err(|why| unmeant(Reason::InvalidValue, &why))?;
        let mut unknown = None;
        value.each_tag(&mut |tag| {
            unknown = unknown.take().or_else(|| Some(misnamed(text, tag, self.tag(tag).err()?)));
        });
        unknown.map_or_else(|| Ok(value.to_string()), Err)
    }

    fn decide(&self, request: &Request<'_>) -> Decision {
        decide::decide(self.view, request)
    }

    fn now(&self) -> Since {
        now()
    }

    fn new_id(&self) -> Uuid {
        // Lists are in the order of ids: so what was made later comes later.
        Uuid::now_v7()
    }
}

/// Of a text that means nothing.
fn unmeant(reason: Reason, why: &Report) -> Refusal {
    Refusal::new(reason, render(why, false)).at(spot(why))
}

/// The refusal of a tag, with where the text names it.
fn misnamed(text: &str, tag: &str, refusal: Refusal) -> Refusal {
    let spot = spot(&compile::misnamed(text, tag, &refusal.message));
    refusal.at(spot)
}

fn spot(why: &Report) -> Option<Spot> {
    why.diagnostics.iter().find_map(|problem| {
        let place = problem.place.as_ref()?;
        let message = match &problem.hint {
            Some(hint) => format!("{}: {hint}", problem.message),
            None => problem.message.clone(),
        };
        Some(Spot { message, line: place.line, column: place.column, shown: place.with_caret() })
    })
}

/// Milliseconds since 1970 in UTC.
pub(super) fn now() -> Since {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Since::try_from(since.as_millis()).unwrap_or(Since::MAX)
}
