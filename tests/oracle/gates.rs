//! The gates between users. Each says why it is closed, or nothing.

use super::{
    ask::{Asked, Question, Resource},
    audience, presets,
    world::World,
};

pub(super) fn known(world: &World, question: &Question) -> Option<&'static str> {
    let takes_unknown = world.settings.unknown_users == Some("allow_defaults");
    let is_unknown = |user: &Asked| !takes_unknown && !world.users.contains_key(&user.id);
    if is_unknown(&question.subject) {
        return Some("unknown_subject");
    }
    if !world.fits(question) || world.other(question).is_some_and(is_unknown) {
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

pub(super) fn oneself(world: &World, question: &Question) -> Option<&'static str> {
    let Resource::User(resource) = &question.resource else { return None };
    let is_reading = ["read", "view_profile"].contains(&world.base(question.action));
    if resource.id == question.subject.id && !is_reading { Some("self") } else { None }
}

pub(super) fn moderation(world: &World, question: &Question) -> Option<&'static str> {
    let state = world.moderation(&question.subject);
    let action = world.base(question.action);
    let refuses_banned = action != "leave";
    let is_for_managers =
        ["ban", "silence", "shadow", "reactivate", "list_users"].contains(&action);
    if state == "banned" && refuses_banned {
        Some("banned")
    } else if state == "silenced" && refuses_silenced(action)
        || state == "shadowed" && administers(action)
    {
        Some("silenced")
    } else if is_for_managers && !world.is_manager(&question.subject) {
        Some("not_manager")
    } else {
        None
    }
}

/// Whether an action administers users or a group, which nobody does who is shadowed.
fn administers(action: &str) -> bool {
    [
        "ban",
        "silence",
        "shadow",
        "reactivate",
        "add_member",
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
    ]
    .contains(&action)
}

/// Whether a silenced user is refused.
fn refuses_silenced(action: &str) -> bool {
    !["sign_in", "read", "view_profile", "block", "unblock", "list_users", "leave"]
        .contains(&action)
}

pub(super) fn permissions(world: &World, question: &Question) -> Option<&'static str> {
    let subject = &question.subject;
    // Whether it reads the subject's `outgoing`, which switch of theirs, and the other's `incoming`.
    let action = world.base(question.action);
    let (outgoing, own, incoming) = match (action, question.is_in_group()) {
        ("start_chat" | "send_message" | "voice_call" | "video_call" | "friend_request", false) => {
            (true, Some(action), true)
        }
        ("send_message", true) => (true, Some("send_message"), false),
        ("voice_call" | "video_call", true) => (false, Some(action), false),
        ("add_member", true) => (true, None, true),
        ("join", true) => (true, None, false),
        ("create_group", _) => (false, Some("create_group"), false),
        _ => (false, None, false),
    };
    if outgoing && !world.switch(subject, "outgoing") {
        return Some("outgoing_off");
    }
    if own.is_some_and(|own| !world.switch(subject, own)) {
        return Some("permission_off");
    }
    if world.begins(question) && !world.switch(subject, "start_chat") {
        return Some("permission_off");
    }
    if world.own_name(question.action).is_some_and(|own| !world.switch(subject, own)) {
        return Some("permission_off");
    }
    if incoming && world.other(question).is_some_and(|other| !world.switch(other, "incoming")) {
        return Some("incoming_off");
    }
    None
}

pub(super) fn blocks(world: &World, question: &Question) -> Option<&'static str> {
    let (true, Some(other)) = (world.is_between_two(question), world.other(question)) else {
        return None;
    };
    let actions = world.asked_as(question);
    let modes: Vec<&str> = actions.into_iter().map(|action| world.block_mode(action)).collect();
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
    let has_modes = ["start_chat", "send_message", "voice_call", "video_call", "add_member"]
        .contains(&world.base(question.action));
    let is_asked = has_modes && world.is_between_two(question);
    let (true, Some(other)) = (is_asked, world.other(question)) else { return None };
    if !world.communicates(question, &question.subject, other) {
        Some("peers_subject")
    } else if !world.communicates(question, other, &question.subject) {
        Some("peers_resource")
    } else {
        None
    }
}

pub(super) fn friendship(world: &World, question: &Question) -> Option<&'static str> {
    let ("friend_request", Resource::User(resource)) =
        (world.base(question.action), &question.resource)
    else {
        return None;
    };
    let friends = |user: &Asked| world.friends(&user.id);
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

/// What is to be done about it if it is allowed, in order.
pub(super) fn obligations(world: &World, question: &Question) -> Vec<&'static str> {
    let mut obligations = Vec::new();
    let needs_confirmation = match (world.base(question.action), &question.resource) {
        ("friend_request", Resource::User(user)) => world.approval(user) == "need_confirm",
        _ => false,
    };
    if needs_confirmation {
        obligations.push("confirm");
    }
    if audience::is_request(world, question) {
        obligations.push("request");
    }
    let action = world.base(question.action);
    if world.moderation(&question.subject) == "shadowed" && refuses_silenced(action) {
        obligations.push("hide");
    }
    obligations
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

    pub(super) fn moderation(&self, user: &Asked) -> &'static str {
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

    fn block_mode(&self, action: &'static str) -> &'static str {
        match self.settings.blocks.get(action) {
            Some(mode) => mode,
            // Of these, what is not said adds nothing.
            None if action == "view_profile" || self.own_name(action).is_some() => "off",
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
    fn communicates(&self, question: &Question, user: &Asked, other: &Asked) -> bool {
        let mode = self.peers(user);
        mode == "all" || self.admits(mode, question, user, other)
    }

    /// The friends of a user. Where blocks end friendships, one that is stated counts as ended while
    /// either of the two blocks the other.
    pub(super) fn friends<'w>(&'w self, user: &str) -> Vec<&'w str> {
        let blocks = |from: &str, to: &str| {
            self.users.get(from).is_some_and(|user| user.blocked.iter().any(|id| id == to))
        };
        let is_ended = |friend: &str| {
            presets::blocks_end_friendships(self.settings.preset)
                && (blocks(user, friend) || blocks(friend, user))
        };
        let stated = self.users.get(user).into_iter().flat_map(|user| &user.friends);
        stated.map(String::as_str).filter(|friend| !is_ended(friend)).collect()
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
