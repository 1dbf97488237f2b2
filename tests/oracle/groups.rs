//! The gate of groups: who is what in one, and what may be done there.

use super::{
    ask::{Asked, Question, Resource},
    matrices,
    world::{Group, World},
};

/// What is done to a member of the group.
const TO_MEMBERS: [&str; 7] = [
    "remove_member",
    "mute_member",
    "unmute_member",
    "add_admin",
    "remove_admin",
    "add_super_admin",
    "remove_super_admin",
];

/// What counts as speaking in a group.
const SPEAKING: [&str; 6] =
    ["send_message", "voice_call", "video_call", "post", "comment", "react"];

pub(super) fn role(world: &World, question: &Question) -> Option<&'static str> {
    let Resource::Group { id, matrix } = &question.resource else { return None };
    // Nobody is a member of a group that is not known.
    let nowhere = Group::default();
    let group = world.groups.get(id).unwrap_or(&nowhere);
    let matrix = matrix.as_ref().or(group.matrix.as_ref()).map_or("all_members", String::as_str);
    let base = world.base(question.action);
    if !is_asked(base) {
        return None;
    }
    let subject = &question.subject;
    let role = subject.given.role.or(group.role(&subject.id));
    let role = match role {
        Some(_) if base == "join" => return Some("already_member"),
        None if base == "join" => "none",
        None => return Some("not_member"),
        Some(role) => role,
    };
    if base == "leave" {
        return matrices::by_matrix(world, question, matrix, role)
            .or_else(|| leave(world, question, group, role));
    }
    let comer = if base == "join" { Some(subject) } else { question.member.as_ref() };
    let is_coming = ["join", "add_member"].contains(&base);
    if is_coming && comer.is_some_and(|comer| group.banned.contains(&comer.id)) {
        return Some("banned_from_group");
    }
    let member = question.member.as_ref();
    let role_of_member = member.and_then(|member| group.role(&member.id));
    if TO_MEMBERS.contains(&base) && role_of_member.is_none() {
        return Some("not_member");
    }
    if SPEAKING.contains(&base) && group.muted.contains(&subject.id) {
        return Some("muted");
    }
    protection(base, role_of_member, role)
        .or_else(|| matrices::by_matrix(world, question, matrix, role))
        .or_else(|| super_admins(base, group, member, role))
        .or_else(|| requirement(world, question, group))
        .or_else(|| (is_coming && is_full(world, group)).then_some("group_full"))
}

/// Whether anything is said of who is what in the group.
fn is_asked(base: &str) -> bool {
    base == "read"
        || base == "join"
        || base == "leave"
        || SPEAKING.contains(&base)
        || TO_MEMBERS.contains(&base)
        || ["add_member", "ban_member", "unban_member", "update_metadata", "update_permissions"]
            .contains(&base)
}

fn protection(base: &str, member: Option<&str>, role: &str) -> Option<&'static str> {
    let silences = ["ban_member", "mute_member"].contains(&base);
    if member == Some("super_admin") && (silences || base == "remove_member") {
        Some("super_admin_protected")
    } else if member == Some("admin") && silences && role != "super_admin" {
        Some("needs_super_admin")
    } else {
        None
    }
}

fn super_admins(
    base: &str,
    group: &Group,
    member: Option<&Asked>,
    role: &str,
) -> Option<&'static str> {
    if !["add_super_admin", "remove_super_admin"].contains(&base) {
        return None;
    }
    let is_the_last = member.is_some_and(|member| group.super_admins() == [member.id.as_str()]);
    if role != "super_admin" {
        Some("needs_super_admin")
    } else if base == "remove_super_admin" && is_the_last {
        Some("last_super_admin")
    } else {
        None
    }
}

fn requirement(world: &World, question: &Question, group: &Group) -> Option<&'static str> {
    let base = world.base(question.action);
    let requires = group.requires.as_ref()?;
    let there = world.supervisors(group);
    let member = question.member.as_ref();
    let comer = if base == "join" { Some(&question.subject) } else { member };
    if there.is_empty() {
        let is_met = comer.is_some_and(|comer| requires.is_met_by(world.tags(comer)));
        let is_coming = ["join", "add_member"].contains(&base);
        return (SPEAKING.contains(&base) || is_coming && !is_met)
            .then_some("required_member_missing");
    }
    let goes = ["remove_member", "ban_member"].contains(&base);
    let is_the_last = member.is_some_and(|member| there == [member.id.as_str()]);
    (goes && is_the_last).then_some("last_required_member")
}

fn leave(world: &World, question: &Question, group: &Group, role: &str) -> Option<&'static str> {
    let subject = &question.subject.id;
    // A role that is given adds nobody to those who would be left.
    if group.everyone().iter().all(|id| id == subject) {
        Some("last_member")
    } else if group.requires.is_some() && world.supervisors(group) == [subject.as_str()] {
        Some("last_required_member")
    } else if role == "super_admin" {
        Some("super_admin_protected")
    } else {
        None
    }
}

fn is_full(world: &World, group: &Group) -> bool {
    world.limit("group_members").is_some_and(|most| group.everyone().len() >= most)
}

impl World {
    /// Those in the group whom it requires one of: who meet its condition and are not banned, as the facts
    /// have it.
    fn supervisors(&self, group: &Group) -> Vec<String> {
        let Some(requires) = &group.requires else { return Vec::new() };
        let counts = |id: &String| {
            let user = Asked::from(id.as_str());
            requires.is_met_by(self.tags(&user)) && self.moderation(&user) != "banned"
        };
        group.everyone().into_iter().filter(counts).collect()
    }
}

impl Group {
    /// What a user is in it; the highest of their roles.
    pub(super) fn role(&self, user: &str) -> Option<&'static str> {
        let is_in = |list: &[String]| list.iter().any(|id| id == user);
        if is_in(&self.super_admins()) {
            Some("super_admin")
        } else if is_in(&self.admins) {
            Some("admin")
        } else if is_in(&self.members) {
            Some("member")
        } else {
            None
        }
    }

    pub(crate) fn super_admins(&self) -> Vec<String> {
        let mut all = match &self.super_admins {
            Some(stated) => stated.clone(),
            None => self.creator.iter().cloned().collect(),
        };
        all.sort();
        all.dedup();
        all
    }

    /// All members, each once.
    pub(crate) fn everyone(&self) -> Vec<String> {
        let mut everyone = self.super_admins();
        everyone.extend(self.admins.iter().cloned());
        everyone.extend(self.members.iter().cloned());
        everyone.sort();
        everyone.dedup();
        everyone
    }
}
