//! The digests of populations and policies, which revisions and reloads compare.

use std::fmt::Display;

use sha2::{Digest, Sha256};

use crate::{
    policy::{
        GroupEnd, Invariant, InvariantScope, Matrix, Policy, PolicyGroup, Restriction, Rule,
        RuleSet,
    },
    request::{
        Accepts, ActionDeclaration, ActionSet, Audience, AudienceMode, BUILT_IN_MATRICES, Barrier,
        BlockMode, BlockableAction, DeclaredActions, GrantCondition, MetadataGrants, Outcome,
        Peers, Settings, TagForm, Toggle, Window,
    },
    snapshot::{EndOf, OwnAudience, OwnSwitch, Population, ScheduledEnd, TagId, Tags},
};

/// Feeds texts to a digest so that no two sequences of them are fed alike.
struct DigestWriter(Sha256);

impl DigestWriter {
    fn new(kind: &str) -> Self {
        let mut feed = Self(Sha256::new());
        feed.text(kind);
        feed
    }

    fn count(&mut self, count: usize) {
        self.0.update((count as u64).to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text);
    }

    fn optional(&mut self, text: Option<&str>) {
        self.count(usize::from(text.is_some()));
        self.text(text.unwrap_or_default());
    }

    fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

/// The digest of who there is: ids in order, each with tags, settings and relations.
pub(super) fn population(population: &Population, tags: &Tags) -> [u8; 32] {
    let mut feed = DigestWriter::new("population 2");
    let directory = &population.directory;
    let name = |tag: &TagId| tags.name(*tag);
    feed.count(directory.len() as usize);
    for user in directory.numbers() {
        feed.text(directory.id(user));
        let tags = directory.tags(user);
        feed.count(tags.len());
        tags.iter().for_each(|tag| feed.text(name(&tag)));
    }
    feed.count(population.all_overrides().count());
    for (user, own) in population.all_overrides() {
        feed.count(user.index());
        feed.0.update(own.to_bytes());
    }
    feed.count(population.switch_conditions().count());
    for (user, switch, condition) in population.switch_conditions() {
        feed.count(user.index());
        feed.text(switch.as_str());
        feed.display(condition.map(&mut |tag| name(tag)));
    }
    if !population.own_audiences.is_empty() {
        feed.text("own audiences");
        for OwnAudience { slot, name, users } in population.own_audiences.iter() {
            feed.text(slot.as_str());
            feed.text(name);
            feed.count(usize::try_from(users.len()).unwrap_or(usize::MAX));
            users.iter().for_each(|user| feed.count(user.index()));
        }
    }
    if !population.own_switches.is_empty() {
        feed.text("own switches");
        for OwnSwitch { action, user, setting } in population.own_switches.iter() {
            feed.text(action);
            feed.count(user.index());
            feed.toggle(&setting.toggle.map(&mut |tag| name(tag)));
        }
    }
    if population.declared_ends.iter().next().is_some() {
        feed.text("ends");
        for ScheduledEnd { at, user, of } in population.declared_ends.iter() {
            feed.0.update(at.millis().to_le_bytes());
            feed.count(user.index());
            match of {
                EndOf::Tag(tag) => feed.text(name(&tag)),
                EndOf::Moderation => feed.text("moderation "),
                EndOf::Edge(relation, other) => {
                    feed.text(&format!("{} {}", relation as u8, other.0));
                }
                EndOf::Record | EndOf::GroupRecord | EndOf::Mute(_) | EndOf::GroupBan(_) => {}
            }
        }
    }
    feed.count(usize::from(!population.ties.is_empty()));
    if !population.ties.is_empty() {
        for user in directory.numbers() {
            let ties = population.ties_of(user);
            feed.count(ties.len());
            for (other, tie) in ties {
                feed.0.update(other.0.to_le_bytes());
                feed.0.update(tie.to_bytes());
            }
        }
    }
    feed.finish()
}

/// The digest of a whole policy: of what it says, whatever the notation, the spelling and the
/// order of files.
///
/// The policy is taken apart field by field, so that no field that is added can be forgotten here.
pub(super) fn policy(population: &[u8; 32], policy: &Policy) -> [u8; 32] {
    // The digest of the population covers the users; places and sections decide nothing.
    let Policy {
        tags,
        rules,
        rule_sets,
        settings,
        windows,
        sections: _,
        matrices,
        users: _,
        groups,
        invariants,
        places: _,
        at: _,
    } = policy;
    let mut feed = DigestWriter::new("policy 3");
    feed.0.update(population);
    feed.texts(tags);
    feed.count(usize::from(rules.is_some()));
    let rules = rules.as_deref().unwrap_or_default();
    feed.count(rules.len());
    rules.iter().for_each(|rule| feed.rule(rule));
    feed.settings(settings);
    feed.count(first_matrices(matrices).count());
    first_matrices(matrices).for_each(|matrix| feed.matrix(matrix));
    feed.count(groups.len());
    groups.iter().for_each(|group| feed.group(group));
    feed.count(invariants.len());
    invariants.iter().for_each(|invariant| feed.invariant(invariant));
    feed.pair_statements(rule_sets, settings);
    feed.declared_actions(&settings.actions, matrices);
    feed.optional_cells(matrices);
    feed.windows(windows);
    feed.finish()
}

/// The built-in matrices that are fed to no digest, so that digests stay what they were before these.
const LATER_MATRICES: [&str; 2] = ["announcements", "open"];

/// The matrices of which each is fed.
fn first_matrices(all: &[Matrix]) -> impl Iterator<Item = &Matrix> {
    all.iter().filter(|it| !LATER_MATRICES.contains(&it.name.as_str()))
}

impl DigestWriter {
    fn texts(&mut self, texts: &[String]) {
        self.count(texts.len());
        texts.iter().for_each(|text| self.text(text));
    }

    fn rule(&mut self, rule: &Rule) {
        let Rule { id, name, description, condition, outcome, between, place: _, wording: _ } =
            rule;
        self.text(&id.to_string());
        self.optional(name.as_deref());
        self.optional(description.as_deref());
        self.display(condition);
        match outcome {
            Outcome::Tags(tags) => self.texts(tags),
            // A list of tags is never empty.
            Outcome::Condition(condition) => {
                self.count(0);
                self.display(condition);
            }
        }
        if let Some(between) = between {
            self.text("between");
            self.display(between);
        }
    }

    /// What the policy says about two users; nothing, if it says nothing.
    fn pair_statements(&mut self, sets: &[RuleSet], settings: &Settings<String>) {
        let Settings { audiences, accepts, barriers, actions, .. } = settings;
        if sets.is_empty()
            && audiences.own().is_empty()
            && accepts.is_empty()
            && barriers.is_empty()
        {
            return;
        }
        self.text("pair statements");
        self.count(sets.len());
        for set in sets {
            let RuleSet { name, description, asked, actions: concerned, rules, place: _ } = set;
            self.text(name);
            self.optional(description.as_deref());
            self.text(asked.as_str());
            self.actions(*concerned, actions);
            self.count(rules.len());
            rules.iter().for_each(|rule| self.rule(rule));
        }
        self.count(audiences.own().len());
        for Audience { name, condition } in audiences.own() {
            self.text(name);
            self.display(condition);
        }
        self.count(accepts.len());
        for Accepts { action, modes, default, asked, otherwise } in accepts {
            self.text(actions.name(*action).as_str());
            self.count(modes.len());
            for AudienceMode { when, audience, is_locked } in modes {
                self.display(when);
                self.count(usize::from(audience.0));
                self.count(usize::from(*is_locked));
            }
            self.count(usize::from(default.0));
            self.text(asked.as_str());
            self.text(otherwise.as_str());
        }
        self.count(barriers.len());
        for barrier in barriers {
            self.barrier(barrier, actions);
        }
    }

    fn barrier(&mut self, barrier: &Barrier<String>, declared: &DeclaredActions<String>) {
        let Barrier { name, description, from, to, is_both_ways, actions, unless, in_groups } =
            barrier;
        self.text(name);
        self.optional(description.as_deref());
        self.display(from);
        self.display(to);
        self.count(usize::from(*is_both_ways));
        self.actions(*actions, declared);
        self.optional(unless.as_ref().map(ToString::to_string).as_deref());
        self.count(usize::from(*in_groups));
    }

    fn actions(&mut self, actions: ActionSet, declared: &DeclaredActions<String>) {
        self.count(actions.iter().count());
        actions.iter().for_each(|action| self.text(declared.name(action).as_str()));
    }

    /// The actions that the policy declares, and its cells for them; nothing, if it declares none.
    fn declared_actions(&mut self, actions: &DeclaredActions<String>, matrices: &[Matrix]) {
        if actions.is_empty() {
            return;
        }
        self.text("declared actions");
        self.count(actions.iter().count());
        for (_, ActionDeclaration { name, like, switch, blocks }) in actions.iter() {
            self.text(name);
            self.text(like.as_str());
            self.toggle(switch);
            self.text(blocks.as_str());
        }
        for matrix in first_matrices(matrices) {
            self.count(matrix.declared.len());
            for (name, value) in &matrix.declared {
                self.text(name);
                self.display(value);
            }
        }
    }

    /// The windows; nothing, if there are none.
    fn windows(&mut self, windows: &[Window]) {
        if windows.is_empty() {
            return;
        }
        self.text("windows");
        self.count(windows.len());
        for window in windows {
            self.text(&window.name);
            self.display(window);
        }
    }

    fn toggle(&mut self, toggle: &Toggle<impl Display>) {
        match toggle {
            Toggle::Always(on) => self.count(usize::from(*on)),
            Toggle::When(condition) => self.display(condition),
        }
    }

    fn settings(&mut self, settings: &Settings<String>) {
        let Settings {
            unknown_users,
            managers,
            permissions,
            blocks,
            peers: Peers { modes, default },
            approval,
            limits,
            blocks_end_friendship,
            tag_form,
            protected_tags,
            // These are fed as pair statements.
            audiences,
            accepts: _,
            barriers: _,
            actions: _,
        } = settings;
        self.text(unknown_users.as_str());
        self.optional(managers.as_ref().map(ToString::to_string).as_deref());
        for toggle in permissions.values() {
            self.toggle(toggle);
        }
        for (action, mode) in blocks.iter() {
            // Profiles, which blocks hide only where a policy says so, came later.
            if action != BlockableAction::ViewProfile {
                self.text(mode.as_str());
            } else if mode != BlockMode::Off {
                self.text("blocks.view_profile");
                self.text(mode.as_str());
            }
        }
        self.text(audiences.peers_name(*default));
        self.count(modes.len());
        for (when, mode) in modes {
            self.display(when);
            self.text(audiences.peers_name(*mode));
        }
        self.text(approval.as_str());
        for (_, limit) in limits.iter() {
            self.optional(limit.map(|limit| limit.to_string()).as_deref());
        }
        self.count(usize::from(*blocks_end_friendship));
        self.count(usize::from(*tag_form == TagForm::Flip));
        self.texts(protected_tags.patterns());
    }

    fn matrix(&mut self, matrix: &Matrix) {
        // The cells of declared actions are fed with these.
        let Matrix { name, permissions, metadata, declared: _ } = matrix;
        self.text(name);
        // Optional cells are fed apart.
        let cells = permissions.iter().filter(|(permission, _)| !permission.is_optional());
        cells.for_each(|(_, value)| self.display(value));
        self.count(usize::from(metadata.is_some()));
        if let Some(MetadataGrants { named, rest }) = metadata {
            self.count(named.len());
            for (field, value) in named {
                self.text(field);
                self.display(value);
            }
            self.display(rest);
        }
    }

    /// The optional cells in which the policy's matrices differ from what is left out; nothing without any.
    fn optional_cells(&mut self, matrices: &[Matrix]) {
        for matrix in matrices {
            if BUILT_IN_MATRICES.contains(&matrix.name.as_str()) {
                continue;
            }
            for (permission, value) in matrix.permissions.iter() {
                let default = GrantCondition::Grant(permission.default_grant());
                if permission.is_optional() && *value != default {
                    self.text("optional cell");
                    self.text(&matrix.name);
                    self.text(permission.as_str());
                    self.display(value);
                }
            }
        }
    }

    fn group(&mut self, group: &PolicyGroup) {
        let PolicyGroup {
            id,
            matrix,
            creator,
            super_admins,
            admins,
            members,
            muted,
            banned,
            requires,
            ends,
        } = group;
        self.text(id);
        self.text(matrix);
        self.optional(creator.as_deref());
        for users in [super_admins, admins, members] {
            self.texts(users);
        }
        if !muted.is_empty() || !banned.is_empty() || requires.is_some() {
            self.text("restrictions");
            self.texts(muted);
            self.texts(banned);
            self.optional(requires.as_ref().map(ToString::to_string).as_deref());
        }
        for GroupEnd { at, of, user } in ends {
            self.text(if *of == Restriction::Mute { "mute ends" } else { "ban ends" });
            self.text(user);
            self.0.update(at.millis().to_le_bytes());
        }
    }

    fn invariant(&mut self, invariant: &Invariant) {
        let Invariant {
            name,
            description,
            demand,
            action: _,
            action_name,
            from,
            to,
            scope,
            is_existing,
            span: _,
        } = invariant;
        self.optional(name.as_deref());
        self.optional(description.as_deref());
        self.text(demand.as_str());
        self.text(action_name.as_str());
        self.display(from);
        self.display(to);
        // The digests of policies without such invariants stay what they were.
        self.count(usize::from(*scope == InvariantScope::All) + 2 * usize::from(*is_existing));
    }

    fn display(&mut self, value: impl Display) {
        self.text(&value.to_string());
    }
}

/// The digest of a set of conditions, given in order of their texts and without repetition.
pub(super) fn conditions(texts: &[&str]) -> [u8; 32] {
    let mut feed = DigestWriter::new("conditions 1");
    texts.iter().for_each(|text| feed.text(text));
    feed.finish()
}
