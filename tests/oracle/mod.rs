//! The oracle: a second implementation of policies, as plain as possible; it walks lists for each
//! request, and has no sets. Nothing here is shared with the crate.

#![allow(dead_code, reason = "each test needs a part of it")]

mod ask;
mod audience;
mod barriers;
mod between;
mod gates;
mod groups;
mod matrices;
mod moments;
mod presets;
mod relations;
mod rules;
mod windows;
mod words;
mod world;

pub(crate) use ask::{Asked, Given, Question, Resource};
pub(crate) use between::{Accepts, AudienceMode, Barrier, Between, REACHING, RuleSet};
pub(crate) use moments::Ends;
pub(crate) use presets::BUILT_IN;
pub(crate) use relations::{Direction, Relation};
pub(crate) use windows::{Window, ZONES, day};
pub(crate) use words::{Condition, Outcome, Rule, Toggle, Value};
pub(crate) use world::{Fields, Group, Matrix, Settings, User, World};

use uuid::Uuid;

/// The gates, in the order in which they are asked.
pub(crate) const GATES: [&str; 11] = [
    "known",
    "self",
    "moderation",
    "permissions",
    "blocks",
    "peers",
    "audience",
    "barriers",
    "rules",
    "friendship",
    "role",
];

/// All actions, in the order of the reference.
pub(crate) const ACTIONS: [&str; 33] = [
    "sign_in",
    "read",
    "view_profile",
    "post",
    "comment",
    "react",
    "start_chat",
    "send_message",
    "voice_call",
    "video_call",
    "friend_request",
    "block",
    "unblock",
    "ban",
    "silence",
    "shadow",
    "reactivate",
    "list_users",
    "create_group",
    "add_member",
    "join",
    "remove_member",
    "update_metadata",
    "add_admin",
    "remove_admin",
    "add_super_admin",
    "remove_super_admin",
    "update_permissions",
    "mute_member",
    "unmute_member",
    "ban_member",
    "unban_member",
    "leave",
];

/// The kinds of resources that an action may be done to.
pub(crate) fn kinds(action: &str) -> &'static [&'static str] {
    match action {
        "sign_in" | "list_users" | "create_group" => &["none"],
        "read" | "send_message" | "voice_call" | "video_call" => &["user", "group"],
        "post" | "comment" | "react" => &["none", "user", "group"],
        "view_profile" | "start_chat" | "friend_request" | "block" | "unblock" | "ban"
        | "silence" | "shadow" | "reactivate" => &["user"],
        _ => &["group"],
    }
}

/// Whether an action is about a member of the group.
pub(crate) fn takes_member(action: &str) -> bool {
    [
        "add_member",
        "remove_member",
        "add_admin",
        "remove_admin",
        "add_super_admin",
        "remove_super_admin",
        "mute_member",
        "unmute_member",
        "ban_member",
        "unban_member",
    ]
    .contains(&action)
}

impl World {
    /// What each gate says, in their order: the reason why it is closed, if it is. None of them
    /// knows of the others.
    pub(crate) fn verdicts(&self, question: &Question) -> [Option<&'static str>; 11] {
        [
            gates::known(self, question),
            gates::oneself(self, question),
            gates::moderation(self, question),
            gates::permissions(self, question),
            gates::blocks(self, question),
            gates::peers(self, question),
            audience::audience(self, question),
            barriers::barriers(self, question),
            rules::rules(self, question),
            gates::friendship(self, question),
            groups::role(self, question),
        ]
    }

    /// Why the answer is what it is: `allowed`, or the first gate that is closed.
    pub(crate) fn reason(&self, question: &Question) -> &'static str {
        self.verdicts(question).into_iter().flatten().next().unwrap_or("allowed")
    }

    pub(crate) fn allows(&self, question: &Question) -> bool {
        self.reason(question) == "allowed"
    }

    /// Whether all is open that is said of the two users, whatever the group: neither whether that is
    /// known nor who is what in it.
    pub(crate) fn is_open_between(&self, question: &Question) -> bool {
        let is_asked = |gate: &str| gate != "known" && gate != "role";
        let mut verdicts = GATES.iter().zip(self.verdicts(question));
        verdicts.all(|(gate, closed)| !is_asked(gate) || closed.is_none())
    }

    /// What the caller takes on by acting on the answer.
    pub(crate) fn obligations(&self, question: &Question) -> Vec<&'static str> {
        if self.allows(question) { gates::obligations(self, question) } else { Vec::new() }
    }

    /// The ids of the rules that opened it, in order.
    pub(crate) fn rules_named(&self, question: &Question) -> Vec<Uuid> {
        if self.allows(question) { rules::opening(self, question) } else { Vec::new() }
    }

    /// The users for whom it would be allowed if they were the resource, or the member.
    pub(crate) fn reach(&self, question: &Question) -> Vec<&str> {
        let is_in_group = matches!(question.resource, Resource::Group { .. });
        let mut question = question.clone();
        let mut found = Vec::new();
        for id in self.users.keys() {
            if is_in_group {
                question.member = Some(id.as_str().into());
            } else {
                question.resource = Resource::User(id.as_str().into());
            }
            if self.allows(&question) {
                found.push(id.as_str());
            }
        }
        found
    }

    /// The users for whom it would be allowed if they were the subject.
    pub(crate) fn reached_by(&self, question: &Question) -> Vec<&str> {
        let mut question = question.clone();
        let mut found = Vec::new();
        for id in self.users.keys() {
            question.subject = id.as_str().into();
            if self.allows(&question) {
                found.push(id.as_str());
            }
        }
        found
    }

    /// The groups for which it would be allowed if they were the resource.
    pub(crate) fn groups_open(&self, question: &Question) -> Vec<&str> {
        let mut question = question.clone();
        let mut found = Vec::new();
        for id in self.groups.keys() {
            question.resource = Resource::Group { id: id.clone(), matrix: None };
            if self.allows(&question) {
                found.push(id.as_str());
            }
        }
        found
    }

    /// The actions that would be allowed, those that the policy declares after the others.
    pub(crate) fn actions_open(&self, question: &Question) -> Vec<&'static str> {
        let mut question = question.clone();
        let mut found = Vec::new();
        for action in ACTIONS.into_iter().chain(self.between.actions.keys().copied()) {
            question.action = action;
            if self.allows(&question) {
                found.push(action);
            }
        }
        found
    }
}
