use std::fmt::Display;

use sha2::{Digest, Sha256};

use crate::{
    policy::{Group, Matrix, Policy, Rule},
    request::{Blocks, Limits, Settings, Switch, Toggle},
    snapshot::{Population, TagId},
};

/// Feeds texts to a digest so that no two sequences of them are fed alike.
struct Feed(Sha256);

impl Feed {
    fn of(kind: &str) -> Self {
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

    fn maybe(&mut self, text: Option<&str>) {
        self.count(usize::from(text.is_some()));
        self.text(text.unwrap_or_default());
    }

    fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

/// The digest of who there is: ids in order, each with tags, settings and relations.
pub(super) fn population(population: &Population, names: &[String]) -> [u8; 32] {
    let mut feed = Feed::of("population 2");
    let directory = &population.directory;
    let name = |tag: &TagId| names.get(tag.index()).map_or("", String::as_str);
    feed.count(directory.len() as usize);
    for user in 0..directory.len() {
        feed.text(directory.id(user));
        let tags = directory.tags(user);
        feed.count(tags.len());
        tags.iter().for_each(|tag| feed.text(name(&tag)));
    }
    feed.count(population.owns().count());
    for (user, own) in population.owns() {
        feed.count(user as usize);
        feed.0.update(own.to_bytes());
    }
    feed.count(population.own_conditions().count());
    for (user, switch, condition) in population.own_conditions() {
        feed.count(*user as usize);
        feed.text(switch.as_str());
        feed.shown(condition.map(&mut |tag| name(tag)));
    }
    feed.count(usize::from(!population.ties.is_empty()));
    if !population.ties.is_empty() {
        for user in 0..directory.len() {
            let ties = population.ties_of(user);
            feed.count(ties.len());
            for (other, tie) in ties {
                feed.0.update(other.to_le_bytes());
                feed.0.update(tie.to_bytes());
            }
        }
    }
    feed.finish()
}

/// The digest of a whole policy: of what it says, whatever the notation, the spelling and the
/// order of files.
pub(super) fn policy(population: &[u8; 32], policy: &Policy) -> [u8; 32] {
    let mut feed = Feed::of("policy 2");
    feed.0.update(population);
    feed.count(policy.tags.len());
    policy.tags.iter().for_each(|tag| feed.text(tag));
    feed.count(usize::from(policy.rules.is_some()));
    let rules = policy.rules.as_deref().unwrap_or_default();
    feed.count(rules.len());
    rules.iter().for_each(|rule| feed.rule(rule));
    feed.settings(&policy.settings);
    feed.count(policy.matrices.len());
    policy.matrices.iter().for_each(|matrix| feed.matrix(matrix));
    feed.count(policy.groups.len());
    policy.groups.iter().for_each(|group| feed.group(group));
    // Last and only if there are any: what has none keeps its digest.
    for invariant in &policy.invariants {
        feed.text("invariant");
        feed.maybe(invariant.name.as_deref());
        feed.maybe(invariant.description.as_deref());
        feed.shown(invariant);
    }
    feed.finish()
}

impl Feed {
    fn rule(&mut self, rule: &Rule) {
        self.text(&rule.id.to_string());
        self.maybe(rule.name.as_deref());
        self.maybe(rule.description.as_deref());
        self.shown(&rule.condition);
        self.count(rule.outcome.len());
        rule.outcome.iter().for_each(|tag| self.text(tag));
    }

    fn settings(&mut self, settings: &Settings<String>) {
        self.text(settings.unknown_users.as_str());
        let managers = settings.managers.as_ref().map(ToString::to_string);
        self.maybe(managers.as_deref());
        for &switch in Switch::ALL {
            match settings.permission(switch) {
                Toggle::Always(on) => self.count(usize::from(*on)),
                Toggle::When(condition) => self.shown(condition),
            }
        }
        for action in Blocks::ACTIONS {
            self.text(settings.blocks.mode(action).as_str());
        }
        self.text(settings.peers.default.as_str());
        self.count(settings.peers.modes.len());
        for (when, mode) in &settings.peers.modes {
            self.shown(when);
            self.text(mode.as_str());
        }
        self.text(settings.approval.as_str());
        let Limits { friends, blocked, friend_lists, group_members } = settings.limits;
        for limit in [friends, blocked, friend_lists, group_members] {
            self.maybe(limit.map(|limit| limit.to_string()).as_deref());
        }
    }

    fn matrix(&mut self, matrix: &Matrix) {
        self.text(&matrix.name);
        matrix.permissions.iter().for_each(|value| self.shown(value));
        self.count(usize::from(matrix.metadata.is_some()));
        if let Some(fields) = &matrix.metadata {
            self.count(fields.named.len());
            for (field, value) in &fields.named {
                self.text(field);
                self.shown(value);
            }
            self.shown(&fields.rest);
        }
    }

    fn group(&mut self, group: &Group) {
        self.text(&group.id);
        self.text(&group.matrix);
        self.maybe(group.creator.as_deref());
        for users in [&group.super_admins, &group.admins, &group.members] {
            self.count(users.len());
            users.iter().for_each(|id| self.text(id));
        }
    }

    fn shown(&mut self, value: impl Display) {
        self.text(&value.to_string());
    }
}

/// The digest of a set of conditions, given in order of their texts and without repetition.
pub(super) fn conditions(texts: &[&str]) -> [u8; 32] {
    let mut feed = Feed::of("conditions 1");
    texts.iter().for_each(|text| feed.text(text));
    feed.finish()
}
