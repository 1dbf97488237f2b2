//! The gates between users. Each says why it is closed, or nothing.

use uuid::Uuid;

use super::{
    ask::{Asked, Question, Resource},
    presets,
    world::World,
};

pub(super) fn known(world: &World, question: &Question) -> Option<&'static str> {
    let takes_unknown = world.settings.unknown_users == Some("allow_defaults");
    let is_unknown = |user: &Asked| !takes_unknown && !world.users.contains_key(&user.id);
    if is_unknown(&question.subject) {
        return Some("unknown_subject");
    }
    if !question.fits() || question.other().is_some_and(is_unknown) {
        return Some("unknown_resource");
    }
    match &question.resource {
        Resource::Group { id, .. } if world.groups.contains_key(id) => None,
        // A matrix by itself can stand for a group without members.
        Resource::Group { matrix: Some(_), .. } if takes_unknown => None,
        Resource::Group { .. } => Some("unknown_resource"),
        Resource::None | Resource::User(_) => None,
    }
}

pub(super) fn oneself(question: &Question) -> Option<&'static str> {
    let Resource::User(resource) = &question.resource else { return None };
    let is_reading = question.action == "read" || question.action == "view_profile";
    if resource.id == question.subject.id && !is_reading { Some("self") } else { None }
}

pub(super) fn moderation(world: &World, question: &Question) -> Option<&'static str> {
    let state = world.moderation(&question.subject);
    let refuses_banned = question.action != "leave";
    let refuses_silenced =
        !["sign_in", "read", "view_profile", "block", "unblock", "list_users", "leave"]
            .contains(&question.action);
    let is_for_managers = ["ban", "silence", "reactivate", "list_users"].contains(&question.action);
    if state == "banned" && refuses_banned {
        Some("banned")
    } else if state == "silenced" && refuses_silenced {
        Some("silenced")
    } else if is_for_managers && !world.is_manager(&question.subject) {
        Some("not_manager")
    } else {
        None
    }
}

pub(super) fn permissions(world: &World, question: &Question) -> Option<&'static str> {
    let subject = &question.subject;
    // Whether it reads the subject's `outgoing`, which switch of theirs, and the other's `incoming`.
    let (outgoing, own, incoming) = match (question.action, question.is_in_group()) {
        ("start_chat" | "send_message" | "voice_call" | "video_call" | "friend_request", false) => {
            (true, Some(question.action), true)
        }
        ("send_message", true) => (true, Some("send_message"), false),
        ("voice_call" | "video_call", true) => (false, Some(question.action), false),
        ("add_member", true) => (true, None, true),
        ("create_group", _) => (false, Some("create_group"), false),
        _ => (false, None, false),
    };
    if outgoing && !world.switch(subject, "outgoing") {
        return Some("outgoing_off");
    }
    if own.is_some_and(|own| !world.switch(subject, own)) {
        return Some("permission_off");
    }
    if begins(world, question) && !world.switch(subject, "start_chat") {
        return Some("permission_off");
    }
    if incoming && question.other().is_some_and(|other| !world.switch(other, "incoming")) {
        return Some("incoming_off");
    }
    None
}

pub(super) fn blocks(world: &World, question: &Question) -> Option<&'static str> {
    let is_asked = match question.action {
        "start_chat" | "send_message" | "voice_call" | "video_call" | "friend_request" => {
            !question.is_in_group()
        }
        "add_member" => !question.is_of_oneself_in_group(),
        _ => false,
    };
    let (true, Some(other)) = (is_asked, question.other()) else { return None };
    let mut modes = vec![world.block_mode(question.action)];
    if begins(world, question) {
        modes.push(world.block_mode("start_chat"));
    }
    let stops_blocked = modes.iter().any(|mode| *mode != "off");
    let stops_both = modes.contains(&"two_way");
    if stops_blocked && world.blocks(other, &question.subject) {
        Some("blocked_by_resource")
    } else if stops_both && world.blocks(&question.subject, other) {
        Some("blocked_by_subject")
    } else {
        None
    }
}

pub(super) fn peers(world: &World, question: &Question) -> Option<&'static str> {
    let is_asked = match question.action {
        "start_chat" | "send_message" | "voice_call" | "video_call" => !question.is_in_group(),
        "add_member" => !question.is_of_oneself_in_group(),
        _ => false,
    };
    let (true, Some(other)) = (is_asked, question.other()) else { return None };
    if !world.communicates(&question.subject, other) {
        Some("peers_subject")
    } else if !world.communicates(other, &question.subject) {
        Some("peers_resource")
    } else {
        None
    }
}

pub(super) fn rules(world: &World, question: &Question) -> Option<&'static str> {
    if asks_rules(world, question) && opening(world, question).is_empty() {
        Some("no_rule")
    } else {
        None
    }
}

/// The ids of the rules that let the subject reach the other, in order; none where the rules have
/// nothing to say.
pub(super) fn opening(world: &World, question: &Question) -> Vec<Uuid> {
    let mut ids = Vec::new();
    let (true, Some(other)) = (asks_rules(world, question), question.other()) else { return ids };
    for rule in world.rules.iter().flatten() {
        let leads_there = world.tags(other).iter().any(|tag| rule.outcome.contains(tag));
        if leads_there && rule.condition.is_met_by(world.tags(&question.subject)) {
            ids.push(rule.expected_id());
        }
    }
    ids.sort();
    ids
}

fn asks_rules(world: &World, question: &Question) -> bool {
    if world.rules.is_none() && !presets::has_rules(world.settings.preset) {
        return false;
    }
    match question.action {
        "start_chat" => !question.is_in_group(),
        "send_message" | "voice_call" | "video_call" => {
            !question.is_in_group() && is_new(world, question)
        }
        "add_member" => !question.is_of_oneself_in_group(),
        _ => false,
    }
}

/// Whether a message or a call begins a conversation: then it must pass what `start_chat` must pass.
fn begins(world: &World, question: &Question) -> bool {
    ["send_message", "voice_call", "video_call"].contains(&question.action)
        && !question.is_in_group()
        && is_new(world, question)
}

/// Whether the subject and the resource have no conversation yet.
fn is_new(world: &World, question: &Question) -> bool {
    if let Some(conversation) = question.conversation {
        return conversation == "new";
    }
    let Some(other) = question.other() else { return true };
    let (one, other) = (&question.subject.id, &other.id);
    !world.conversations.iter().any(|[a, b]| (a == one && b == other) || (a == other && b == one))
}

pub(super) fn friendship(world: &World, question: &Question) -> Option<&'static str> {
    let ("friend_request", Resource::User(resource)) = (question.action, &question.resource) else {
        return None;
    };
    let friends = |user: &Asked| friends(world, &user.id);
    let is_full =
        |user: &Asked| world.limit("friends").is_some_and(|most| friends(user).len() >= most);
    if friends(&question.subject).contains(&&*resource.id) {
        Some("already_friends")
    } else if world.approval(resource) == "deny_any" {
        Some("requests_refused")
    } else if is_full(&question.subject) || is_full(resource) {
        Some("friend_list_full")
    } else {
        None
    }
}

/// The friends of a user. Where blocks end friendships, one that is stated counts as ended while either
/// of the two blocks the other.
fn friends<'w>(world: &'w World, user: &str) -> Vec<&'w str> {
    let blocks = |from: &str, to: &str| {
        world.users.get(from).is_some_and(|user| user.blocked.iter().any(|id| id == to))
    };
    let is_ended = |friend: &str| {
        presets::blocks_end_friendships(world.settings.preset)
            && (blocks(user, friend) || blocks(friend, user))
    };
    let stated = world.users.get(user).into_iter().flat_map(|user| &user.friends);
    stated.map(String::as_str).filter(|friend| !is_ended(friend)).collect()
}

/// What is to be done about it if it is allowed.
pub(super) fn obligation(world: &World, question: &Question) -> Option<&'static str> {
    match (question.action, &question.resource) {
        ("friend_request", Resource::User(user)) if world.approval(user) == "need_confirm" => {
            Some("confirm")
        }
        _ => None,
    }
}

/// What holds for a user: what is given, else what their record says, else what the policy says. A
/// user who is not known has no record.
impl World {
    pub(super) fn tags<'a>(&'a self, user: &'a Asked) -> &'a [String] {
        if let Some(tags) = &user.given.tags {
            return tags;
        }
        match self.users.get(&user.id) {
            Some(record) => record.tags.as_deref().unwrap_or_default(),
            None => &[],
        }
    }

    fn moderation(&self, user: &Asked) -> &'static str {
        let record = self.users.get(&user.id);
        user.given.moderation.or(record.and_then(|record| record.moderation)).unwrap_or("none")
    }

    fn is_manager(&self, user: &Asked) -> bool {
        self.settings.managers.as_ref().is_some_and(|managers| managers.is_met_by(self.tags(user)))
    }

    fn switch(&self, user: &Asked, name: &str) -> bool {
        for (given, on) in &user.given.permissions {
            if *given == name {
                return *on;
            }
        }
        let own = self.users.get(&user.id).and_then(|record| record.permissions.get(name));
        match own.or(self.settings.permissions.get(name)) {
            Some(toggle) => toggle.is_on(self.tags(user)),
            None => true,
        }
    }

    fn block_mode(&self, action: &str) -> &'static str {
        match self.settings.blocks.get(action) {
            Some(mode) => mode,
            None => presets::block_mode(self.settings.preset, action),
        }
    }

    fn blocks(&self, one: &Asked, other: &Asked) -> bool {
        self.users.get(&one.id).is_some_and(|record| record.blocked.contains(&other.id))
    }

    fn peers(&self, user: &Asked) -> &'static str {
        let record = self.users.get(&user.id);
        if let Some(mode) = user.given.peers.or(record.and_then(|record| record.peers)) {
            return mode;
        }
        for (when, mode) in &self.settings.modes {
            if when.is_met_by(self.tags(user)) {
                return mode;
            }
        }
        self.settings.peers.unwrap_or("all")
    }

    /// Whether the other is one of those with whom a user communicates.
    fn communicates(&self, user: &Asked, other: &Asked) -> bool {
        let mode = self.peers(user);
        let Some(record) = self.users.get(&user.id) else { return mode == "all" };
        match mode {
            "paired" => record.paired.contains(&other.id),
            "contacts" => {
                record.contacts.contains(&other.id) || record.favorites.contains(&other.id)
            }
            "favorites" => record.favorites.contains(&other.id),
            _ => true,
        }
    }

    fn approval(&self, user: &Asked) -> &'static str {
        let record = self.users.get(&user.id);
        record
            .and_then(|record| record.approval)
            .or(self.settings.default_approval)
            .unwrap_or("allow_any")
    }

    pub(super) fn limit(&self, name: &str) -> Option<usize> {
        let stated = self.settings.limits.get(name).copied();
        stated.or(presets::limit(self.settings.preset, name))
    }
}
