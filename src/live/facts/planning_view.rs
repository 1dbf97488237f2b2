//! The view that commands are planned on: a policy, and the facts applied so far.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    compile::{
        Declarations,
        merge::{UserFieldValues, declared_role, is_in, switch_setting},
    },
    decide,
    diagnostic::{Report, did_you_mean, render_text},
    facts::{
        CommandError, Declarable, Declaration, FileLine, Hint, PermissionKey, PlanContext,
        PlanSettings, References, RefusalReason, TextProblem, UnixMillis, UserField,
    },
    policy,
    request::{
        self, Action, ActionSet, Decision, DeclaredField, GroupPermission, Moment, NamesWindows,
        Relation, Request, Switch, suggest,
    },
    snapshot::{GroupView, Requirement, TagId, UserNumber, View},
};

use super::pending_requests::PendingRequests;

/// The state that commands are planned on.
pub(super) struct PlanningView<'e> {
    pub(super) view: &'e View,
    pub(super) declarations: &'e Declarations,
    pub(super) requests: &'e PendingRequests,
    /// The moment at which the command takes effect.
    pub(super) now: Moment,
    /// Whether the served view is so stale that every decision is a denial.
    pub(super) denies: bool,
}

/// The number of tags or names with which an unknown one is compared.
const MOST_COMPARED: usize = 10_000;

impl PlanningView<'_> {
    fn number(&self, id: &str) -> Option<UserNumber> {
        self.view.population.directory.number(id)
    }

    /// Whether the user exists: tombstones count nowhere.
    fn is_known(&self, user: UserNumber) -> bool {
        self.view.population.directory.is_known(user)
    }

    fn count(&self, user: &str, relation: Relation) -> usize {
        let rows =
            self.number(user).into_iter().flat_map(|user| self.view.population.ties_of(user));
        rows.filter(|&(other, tie)| tie.outgoing(relation) && self.is_known(other)).count()
    }

    fn group(&self, id: &str) -> Option<GroupView<'_>> {
        self.view.groups.get(self.view.groups.number(id)?)
    }

    fn requirement(&self, group: &str) -> Option<&Requirement> {
        self.group(group)?.restrictions?.requires()
    }

    fn place(&self, place: request::DeclarationSite) -> FileLine {
        FileLine { file: self.declarations.file_name(place).to_owned(), line: place.line as usize }
    }

    /// The value of a field, as a record holds it.
    fn field(&self, user: UserNumber, field: UserField) -> Json {
        let fields = UserFieldValues::from_population(&self.view.population, user);
        let fields = fields.map(&mut |&tag| self.view.tags.name(tag));
        match field {
            UserField::Tags => json!(fields.tags.unwrap_or_default()),
            UserField::Peers => json!(fields.peers),
            UserField::Moderation => json!(fields.moderation),
            UserField::Approval => json!(fields.approval),
            UserField::Accepts => json!(fields.accepts.unwrap_or_default()),
            UserField::Switch(switch) => json!(fields.permission(switch).map(switch_setting)),
        }
    }

    fn declared_user(&self, id: &str) -> Option<(UserNumber, request::DeclaredFields)> {
        let user = self.number(id)?;
        let declared = self.view.population.declared_fields(user);
        declared.contains(DeclaredField::Itself).then_some((user, declared))
    }
}

impl PlanContext for PlanningView<'_> {
    fn knows_user(&self, id: &str) -> bool {
        self.number(id).is_some()
    }

    fn knows_group(&self, id: &str) -> bool {
        self.view.groups.number(id).is_some()
    }

    fn declaration(&self, what: &Declarable<'_>) -> Option<Declaration> {
        let declaration = |place, value| Some(Declaration { place: self.place(place), value });
        match *what {
            Declarable::User(id) => {
                let (_, declared) = self.declared_user(id)?;
                declaration(declared.site(), Json::Null)
            }
            Declarable::UserField(id, field) => {
                let (user, declared) = self.declared_user(id)?;
                let is_declared = declared.contains(match field {
                    UserField::Tags => DeclaredField::Tags,
                    UserField::Peers => DeclaredField::Peers,
                    UserField::Moderation => DeclaredField::Moderation,
                    UserField::Approval => DeclaredField::Approval,
                    UserField::Accepts => DeclaredField::Accepts,
                    UserField::Switch(switch) => DeclaredField::Permission(switch),
                });
                is_declared.then(|| declaration(declared.site(), self.field(user, field)))?
            }
            Declarable::OwnSwitch(id, action) => {
                let (user, declared) = self.declared_user(id)?;
                let mut own = self.view.population.own_switches.of_user(user);
                let own = own.find(|it| &*it.action == action && it.setting.is_declared)?;
                let toggle = own.setting.toggle.map(&mut |&tag| self.view.tags.name(tag));
                declaration(declared.site(), json!(switch_setting(&toggle)))
            }
            Declarable::Edge(from, relation, to) => {
                let (user, declared) = self.declared_user(from)?;
                let other = self.view.population.directory.number_or_tombstone(to)?;
                let tie = self.view.population.outgoing_tie(user, other);
                tie.is_declared(relation).then(|| declaration(declared.site(), Json::Null))?
            }
            Declarable::Group(id) | Declarable::Matrix(id) | Declarable::Creator(id) => {
                let (group, place) = self.declarations.group(id)?;
                let value = match what {
                    Declarable::Matrix(_) => json!(group.matrix),
                    Declarable::Creator(_) => json!(group.creator),
                    _ => Json::Null,
                };
                declaration(place, value)
            }
            Declarable::Member(id, member) => {
                let (group, place) = self.declarations.group(id)?;
                let role = declared_role(group, member)?;
                declaration(place, json!(role))
            }
            Declarable::GroupMute(id, user) => {
                let (group, place) = self.declarations.group(id)?;
                is_in(&group.muted, user).then(|| declaration(place, Json::Null))?
            }
            Declarable::GroupBan(id, user) => {
                let (group, place) = self.declarations.group(id)?;
                is_in(&group.banned, user).then(|| declaration(place, Json::Null))?
            }
            Declarable::Requirement(id) => {
                let (group, place) = self.declarations.group(id)?;
                let requires = group.requires.as_ref()?;
                declaration(place, json!(requires.to_string()))
            }
            Declarable::Conversation(one, other) => {
                declaration(self.declarations.conversation_place(one, other)?, Json::Null)
            }
            Declarable::Rule(id) => declaration(self.declarations.rule_place(id)?, Json::Null),
        }
    }

    fn friend_count(&self, user: &str) -> usize {
        self.count(user, Relation::Friend)
    }

    fn blocked_count(&self, user: &str) -> usize {
        self.count(user, Relation::Block)
    }

    fn member_count(&self, group: &str) -> usize {
        let all = self.group(group).into_iter().flat_map(GroupView::members);
        all.filter(|&user| self.is_known(user)).count()
    }

    fn super_admin_count(&self, group: &str) -> usize {
        let all = self.group(group).into_iter().flat_map(GroupView::super_admins);
        all.filter(|&user| self.is_known(user)).count()
    }

    fn meets_requirement(&self, group: &str, user: &str) -> bool {
        self.requirement(group).is_none_or(|it| {
            let number = self.number(user);
            let tags = number.map(|user| self.view.population.directory.tags(user));
            let has = |tag: &TagId| tags.as_ref().is_some_and(|tags| tags.contains(*tag));
            it.is_met() || it.condition.holds(&has)
        })
    }

    fn is_last_required(&self, group: &str, user: &str) -> bool {
        let last = self.requirement(group).and_then(Requirement::only_qualified);
        last.is_some() && last == self.number(user)
    }

    fn references(&self, user: &str) -> References {
        let (directory, groups) = (&self.view.population.directory, &self.view.groups);
        let mut around =
            References { users: self.requests.requested_by(user), ..References::default() };
        let Some(number) = self.number(user) else { return around };
        for (other, tie) in self.view.population.ties_of(number) {
            let id = directory.id(other).to_owned();
            if !tie.reversed().outgoing_part().is_none() && !around.users.contains(&id) {
                around.users.push(id.clone());
            }
            if tie.is_conversation() {
                around.conversations.push(id);
            }
        }
        let ids = |group| groups.get(group).map(|group| group.id.to_owned());
        let mut all = groups.groups_of(number);
        all.extend(
            groups.restricting(number).filter(|group| !all.contains(group)).collect::<Vec<_>>(),
        );
        around.groups = all.into_iter().filter_map(ids).collect();
        around
    }

    fn rule_by_name(&self, name: &str) -> Option<Uuid> {
        self.declarations.rule_id(name).or_else(|| {
            let mut rules = self.view.rules.iter().flat_map(|book| book.rules.iter());
            rules.find(|rule| rule.name.as_deref() == Some(name)).map(|rule| rule.id)
        })
    }

    fn settings(&self) -> PlanSettings {
        let settings = &self.view.settings;
        PlanSettings {
            limits: settings.limits,
            approval: settings.approval,
            blocks: settings.blocks.mode(Action::FriendRequest),
            blocks_end_friendship: settings.blocks_end_friendship,
        }
    }

    fn is_protected_tag(&self, tag: &str) -> bool {
        self.view.settings.protected_tags.protects(tag)
    }

    fn check_tag(&self, tag: &str) -> Result<(), CommandError> {
        if let Err(error) = self.view.settings.tag_form.check(tag) {
            return Err(CommandError::new(RefusalReason::Invalid, error.to_string()));
        }
        let declared = &self.view.declared_tags;
        let name = |id: &crate::snapshot::TagId| self.view.tags.name(*id);
        if declared.is_empty() || declared.iter().any(|id| name(id) == tag) {
            return Ok(());
        }
        let near = did_you_mean(tag, declared.iter().take(MOST_COMPARED).map(name));
        let hint = near.map_or(Hint::DeclareTag, |near| Hint::DidYouMean(near.to_owned()));
        let problem = format!("no tag `{tag}` is declared");
        Err(CommandError::new(RefusalReason::UnknownTag, problem).with_hint(hint))
    }

    fn check_matrix(&self, name: &str) -> Result<(), CommandError> {
        if self.view.matrix_number(name).is_some() {
            return Ok(());
        }
        let known: Vec<&str> = self.view.matrices.iter().map(|matrix| &*matrix.name).collect();
        let hint = Hint::KnownNames(suggest(name, known.iter().copied()));
        let problem = format!("no matrix `{}` is known", name.escape_debug());
        Err(CommandError::new(RefusalReason::UnknownMatrix, problem).with_hint(hint))
    }

    fn check_declared_action(&self, name: &str) -> Result<(), CommandError> {
        let actions = &self.view.settings.actions;
        if actions.number(name).is_some() {
            return Ok(());
        }
        let known = Switch::ALL.iter().map(|switch| switch.as_str());
        let known: Vec<&str> = known.chain(actions.iter().map(|(_, it)| &*it.name)).collect();
        let near = did_you_mean(name, known.iter().copied());
        let hint = match near {
            Some(near) => Hint::DidYouMean(near.to_owned()),
            None => Hint::KnownNames(suggest(name, known)),
        };
        let problem = format!("no permission `{}` is known", name.escape_debug());
        Err(CommandError::new(RefusalReason::Invalid, problem).with_hint(hint))
    }

    fn check_accepted_action(&self, name: &str) -> Result<(), CommandError> {
        let actions = &self.view.settings.actions;
        let reaches = |action: Action| ActionSet::BETWEEN_USERS.contains(action);
        let declared = actions.number(name).and_then(|own| actions.get(own));
        if declared.is_some_and(|it| reaches(it.like)) {
            return Ok(());
        }
        let own = actions.iter().filter(|(_, it)| reaches(it.like)).map(|(_, it)| &*it.name);
        let mut known: Vec<&str> = own.collect();
        for action in ActionSet::BETWEEN_USERS.built_in() {
            known.push(action.as_str());
        }
        let near = did_you_mean(name, known.iter().copied());
        let hint = match near {
            Some(near) => Hint::DidYouMean(near.to_owned()),
            None => Hint::KnownNames(suggest(name, known)),
        };
        let problem = format!("no action `{}` reaches another user", name.escape_debug());
        Err(CommandError::new(RefusalReason::Invalid, problem).with_hint(hint))
    }

    fn check_audience(&self, name: &str) -> Result<(), CommandError> {
        let audiences = &self.view.settings.audiences;
        if audiences.number(name).is_some() {
            return Ok(());
        }
        Err(audience_refusal(name, audiences.iter().map(|(_, it)| it.name.as_str()).collect()))
    }

    fn check_peers_audience(&self, name: &str) -> Result<(), CommandError> {
        let audiences = &self.view.settings.audiences;
        if audiences.peers_audience(name).is_some() {
            return Ok(());
        }
        Err(audience_refusal(name, audiences.peers_words().collect()))
    }
    fn canonical_condition(&self, text: &str) -> Result<String, CommandError> {
        let condition = policy::parse_condition(text)
            .map_err(|why| syntax_refusal(RefusalReason::InvalidCondition, &why))?;
        let mut unknown = None;
        condition.for_each_tag(&mut |tag| {
            unknown =
                unknown.take().or_else(|| Some(tag_refusal(text, tag, self.check_tag(tag).err()?)));
        });
        self.check_windows(text, condition.clone(), RefusalReason::InvalidCondition)?;
        unknown.map_or_else(|| Ok(condition.to_string()), Err)
    }

    fn canonical_matrix_value(
        &self,
        permission: &PermissionKey,
        text: &str,
    ) -> Result<String, CommandError> {
        let value = policy::parse_value(text)
            .map_err(|why| syntax_refusal(RefusalReason::InvalidValue, &why))?;
        if let (GroupPermission::Join, Some(role)) = (permission.permission, value.role_grant()) {
            let problem = format!("`join` depends on a role: `{role}`; who joins has none");
            return Err(CommandError::new(RefusalReason::InvalidValue, problem));
        }
        let mut unknown = None;
        value.for_each_tag(&mut |tag| {
            unknown =
                unknown.take().or_else(|| Some(tag_refusal(text, tag, self.check_tag(tag).err()?)));
        });
        self.check_windows(text, value.clone(), RefusalReason::InvalidValue)?;
        unknown.map_or_else(|| Ok(value.to_string()), Err)
    }

    fn decide(&self, request: &Request<'_>) -> Decision {
        if self.denies { Decision::STALE } else { decide::decide(self.view, request) }
    }

    fn now(&self) -> UnixMillis {
        self.now.millis()
    }

    fn new_id(&self) -> Uuid {
        // Lists are in the order of ids, so that newer rules come later.
        Uuid::now_v7()
    }
}

impl PlanningView<'_> {
    /// Checks that the policy has the windows that a text names.
    fn check_windows(
        &self,
        text: &str,
        mut named: impl NamesWindows,
        reason: RefusalReason,
    ) -> Result<(), CommandError> {
        let windows = &self.view.windows;
        let mut unknown = None;
        named.for_each_window_mut(&mut |during| {
            if windows.is_open(&during.window).is_none() {
                unknown.get_or_insert_with(|| Arc::clone(&during.window));
            }
        });
        let Some(name) = unknown else { return Ok(()) };
        let known = || windows.iter().map(|(window, _)| &*window.name);
        let hint = match did_you_mean(&name, known().take(MOST_COMPARED)) {
            Some(near) => Hint::DidYouMean(near.to_owned()),
            None => Hint::KnownNames(suggest(&name, known())),
        };
        let refusal =
            CommandError::new(reason, format!("no window `{name}` is defined")).with_hint(hint);
        let spot = spot(&policy::unknown_window_report(text, &name, &refusal.message()));
        Err(refusal.with_text_problem(spot))
    }
}

/// The refusal of the name of an audience, with the known ones as a hint.
fn audience_refusal(name: &str, known: Vec<&str>) -> CommandError {
    let near = did_you_mean(name, known.iter().copied().take(MOST_COMPARED));
    let hint = match near {
        Some(near) => Hint::DidYouMean(near.to_owned()),
        None => Hint::KnownNames(suggest(name, known)),
    };
    let problem = format!("no audience `{}` is known", name.escape_debug());
    CommandError::new(RefusalReason::UnknownAudience, problem).with_hint(hint)
}

/// The refusal of a text that can't be parsed.
fn syntax_refusal(reason: RefusalReason, why: &Report) -> CommandError {
    CommandError::new(reason, render_text(why, false)).with_text_problem(spot(why))
}

/// The refusal of a tag, with its place in the text.
fn tag_refusal(text: &str, tag: &str, refusal: CommandError) -> CommandError {
    let spot = spot(&policy::forbidden_tag_report(text, tag, &refusal.message()));
    refusal.with_text_problem(spot)
}

fn spot(why: &Report) -> Option<TextProblem> {
    why.diagnostics.iter().find_map(|problem| {
        let place = problem.place.as_ref()?;
        let message = match &problem.hint {
            Some(hint) => format!("{}: {hint}", problem.message),
            None => problem.message.clone(),
        };
        Some(TextProblem {
            message,
            line: place.line,
            column: place.column,
            shown: place.render_caret(),
        })
    })
}
