//! What a policy says of two users: rule sets, audiences, barriers, and actions of its own.

use std::collections::BTreeMap;

use super::{
    ask::{Asked, Question},
    kinds,
    relations::Relation,
    takes_member,
    words::{Condition, Rule},
    world::World,
};

/// The built-in actions that reach another user.
pub(crate) const REACHING: [&str; 6] =
    ["start_chat", "send_message", "voice_call", "video_call", "friend_request", "add_member"];

/// The statements of a policy about two users.
#[derive(Clone, Default, Debug)]
pub(crate) struct Between {
    /// Besides `rules`.
    pub(crate) sets: Vec<RuleSet>,
    pub(crate) barriers: Vec<Barrier>,
    pub(crate) audiences: BTreeMap<&'static str, Relation>,
    /// By action.
    pub(crate) accepts: BTreeMap<&'static str, Accepts>,
    /// Declared actions, each with the one that it is like.
    pub(crate) actions: BTreeMap<&'static str, &'static str>,
}

/// Rules that are asked together.
#[derive(Clone, Debug)]
pub(crate) struct RuleSet {
    pub(crate) name: String,
    /// `always` or `new`.
    pub(crate) asked: Option<&'static str>,
    /// All that reach another user, if it says nothing.
    pub(crate) actions: Option<Vec<&'static str>>,
    pub(crate) rules: Vec<Rule>,
}

/// Users who are kept apart.
#[derive(Clone, Debug)]
pub(crate) struct Barrier {
    pub(crate) name: String,
    pub(crate) is_both_ways: bool,
    pub(crate) from: Condition,
    pub(crate) to: Condition,
    pub(crate) actions: Option<Vec<&'static str>>,
    pub(crate) unless: Option<Relation>,
    pub(crate) groups: Option<bool>,
}

/// From whom users accept an action.
#[derive(Clone, Default, Debug)]
pub(crate) struct Accepts {
    pub(crate) default: Option<&'static str>,
    /// The first that a user meets counts.
    pub(crate) modes: Vec<AudienceMode>,
    /// `always` or `new`.
    pub(crate) asked: Option<&'static str>,
    /// `deny` or `request`.
    pub(crate) otherwise: Option<&'static str>,
}

#[derive(Clone, Debug)]
pub(crate) struct AudienceMode {
    pub(crate) when: Condition,
    pub(crate) audience: &'static str,
    pub(crate) is_locked: bool,
}

impl Between {
    pub(crate) fn is_empty(&self) -> bool {
        self.sets.is_empty()
            && self.barriers.is_empty()
            && self.audiences.is_empty()
            && self.accepts.is_empty()
            && self.actions.is_empty()
    }
}

impl World {
    /// The built-in action that an action is, or is like.
    pub(crate) fn base(&self, action: &'static str) -> &'static str {
        self.between.actions.get(action).copied().unwrap_or(action)
    }

    /// The kinds of resources that an action may be done to.
    pub(crate) fn kinds(&self, action: &'static str) -> &'static [&'static str] {
        kinds(self.base(action))
    }

    /// Whether an action is about a member of the group.
    pub(crate) fn takes_member(&self, action: &'static str) -> bool {
        takes_member(self.base(action))
    }

    /// Whether a question has all that its action takes; a field aside.
    pub(crate) fn fits(&self, question: &Question) -> bool {
        question.fits_like(self.base(question.action))
    }

    /// The question of the built-in action that a declared one is like.
    pub(super) fn of_base(&self, question: &Question) -> Question {
        Question { action: self.base(question.action), ..question.clone() }
    }

    /// The other user whom a question is about: the resource, or the member whom a group takes.
    pub(super) fn other<'q>(&self, question: &'q Question) -> Option<&'q Asked> {
        question.other_like(self.base(question.action))
    }

    /// Whether that is the subject themselves.
    fn is_of_oneself(&self, question: &Question) -> bool {
        self.other(question).is_some_and(|other| other.id == question.subject.id)
    }

    /// The name of its own that a declared action has.
    pub(super) fn own_name(&self, action: &'static str) -> Option<&'static str> {
        self.between.actions.contains_key(action).then_some(action)
    }

    /// The actions as which a question between two users is asked: the built-in one, the beginning
    /// of a conversation, the declared one.
    pub(super) fn asked_as(&self, question: &Question) -> Vec<&'static str> {
        let mut actions = vec![self.base(question.action)];
        if self.begins(question) {
            actions.push("start_chat");
        }
        actions.extend(self.own_name(question.action));
        actions
    }

    /// Whether it is done to another user than the subject: what is between the two counts.
    pub(super) fn is_between_two(&self, question: &Question) -> bool {
        let base = self.base(question.action);
        let is_about_two = match base {
            "view_profile" => !self.is_of_oneself(question),
            "add_member" => question.is_in_group() && !self.is_of_oneself(question),
            _ => REACHING.contains(&base) && !question.is_in_group(),
        };
        is_about_two && self.other(question).is_some()
    }

    /// Whether a statement with these actions concerns this one.
    pub(super) fn concerns(
        &self,
        actions: Option<&Vec<&'static str>>,
        action: &'static str,
    ) -> bool {
        match actions {
            Some(actions) => actions.contains(&action),
            None => REACHING.contains(&self.base(action)),
        }
    }

    /// Whether a statement that is asked `always` or of `new` conversations is asked.
    pub(super) fn asks(&self, asked: Option<&str>, question: &Question) -> bool {
        asked != Some("new") || self.is_as_of_new(question)
    }

    /// Whether it counts as done in a new conversation: only messages and calls may be done in one
    /// that exists.
    pub(super) fn is_as_of_new(&self, question: &Question) -> bool {
        let base = self.base(question.action);
        !["send_message", "voice_call", "video_call"].contains(&base) || self.is_new(question)
    }

    /// Whether a message or a call begins a conversation: then it must pass what `start_chat` must
    /// pass.
    pub(super) fn begins(&self, question: &Question) -> bool {
        let base = self.base(question.action);
        ["send_message", "voice_call", "video_call"].contains(&base)
            && !question.is_in_group()
            && self.is_new(question)
    }

    /// Whether the subject and the resource have no conversation yet.
    fn is_new(&self, question: &Question) -> bool {
        if let Some(conversation) = question.conversation {
            return conversation == "new";
        }
        let Some(other) = self.other(question) else { return true };
        !self.have_conversation(&question.subject.id, &other.id)
    }
}
