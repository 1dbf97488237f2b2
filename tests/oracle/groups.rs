//! The gate of groups: who is what in one, and what the matrix says.

use super::{
    ask::{Asked, Question, Resource},
    presets,
    words::Value,
    world::{Fields, Group, Matrix, World},
};

pub(super) fn role(world: &World, question: &Question) -> Option<&'static str> {
    let Resource::Group { id, matrix } = &question.resource else { return None };
    // Nobody is a member of a group that is not known.
    let nowhere = Group::default();
    let group = world.groups.get(id).unwrap_or(&nowhere);
    let matrix = matrix.as_ref().or(group.matrix.as_ref()).map_or("all_members", String::as_str);

    if !world.kinds(question.action).contains(&"group") {
        return None;
    }
    let subject = &question.subject;
    let role = subject.given.role.or(group.role(&subject.id));
    let role = match (world.base(question.action), role) {
        ("join", Some(_)) => return Some("already_member"),
        // Who joins has no role that a cell could look at.
        ("join", None) => "member",
        (_, Some(role)) => role,
        (_, None) => return Some("not_member"),
    };
    let of_members = [
        "remove_member",
        "mute_member",
        "unmute_member",
        "add_admin",
        "remove_admin",
        "add_super_admin",
        "remove_super_admin",
    ];
    let is_there = |member: &Asked| group.role(&member.id).is_some();
    if of_members.contains(&world.base(question.action))
        && !question.member.as_ref().is_none_or(is_there)
    {
        return Some("not_member");
    }
    let own = || own_cell(world, question, matrix, role);
    match world.base(question.action) {
        "read" | "post" | "comment" | "react" => own(),
        "leave" => by_matrix(world, &world.of_base(question), matrix, group, role)
            .or_else(own)
            .or_else(|| leave(group, &subject.id, role)),
        "add_super_admin" | "remove_super_admin" => {
            own().or_else(|| super_admins(group, &world.of_base(question), role))
        }
        _ => by_matrix(world, &world.of_base(question), matrix, group, role)
            .or_else(own)
            .or_else(|| size(world, question, group)),
    }
}

/// What the matrix says of a declared action itself; nothing where it has no cell for it.
fn own_cell(world: &World, question: &Question, matrix: &str, role: &str) -> Option<&'static str> {
    let own = world.own_name(question.action)?;
    let value = world.matrices.get(matrix)?.permissions.get(own)?;
    by_value(world, question, value, role)
}

fn by_value(world: &World, question: &Question, value: &Value, role: &str) -> Option<&'static str> {
    if value.grants(role, world.tags(&question.subject)) {
        return None;
    }
    Some(match value {
        Value::Grant("allow_if_admin") => "needs_admin",
        Value::Grant("allow_if_super_admin") => "needs_super_admin",
        _ => "denied_by_matrix",
    })
}

fn size(world: &World, question: &Question, group: &Group) -> Option<&'static str> {
    let is_full = world.limit("group_members").is_some_and(|most| group.everyone().len() >= most);
    let adds = ["add_member", "join"].contains(&world.base(question.action));
    if adds && is_full { Some("group_full") } else { None }
}

fn leave(group: &Group, subject: &str, role: &str) -> Option<&'static str> {
    // A role that is given adds nobody to those who would be left.
    if group.everyone().iter().all(|id| id == subject) {
        Some("last_member")
    } else if role == "super_admin" {
        Some("super_admin_protected")
    } else {
        None
    }
}

fn super_admins(group: &Group, question: &Question, role: &str) -> Option<&'static str> {
    let member = question.member.as_ref()?;
    let is_the_last = group.super_admins().iter().all(|id| *id == member.id)
        && group.super_admins().contains(&member.id);
    if role != "super_admin" {
        Some("needs_super_admin")
    } else if question.action == "remove_super_admin" && is_the_last {
        Some("last_super_admin")
    } else {
        None
    }
}

fn by_matrix(
    world: &World,
    question: &Question,
    matrix: &str,
    group: &Group,
    role: &str,
) -> Option<&'static str> {
    if ["remove_member", "mute_member", "ban_member"].contains(&question.action) {
        let member = question.member.as_ref()?;
        match group.role(&member.id) {
            Some("super_admin") => return Some("super_admin_protected"),
            Some("admin") if question.action != "remove_member" && role != "super_admin" => {
                return Some("needs_super_admin");
            }
            _ => {}
        }
    }
    let cell = match question.action {
        "unmute_member" => "mute_member",
        "unban_member" => "ban_member",
        other => other,
    };
    let value = world.value(matrix, cell, question.field.as_deref());
    if cell == "join" && matches!(value, Value::Grant("deny")) {
        return Some("invite_only");
    }
    let closed = by_value(world, question, &value, role);
    if closed.is_some() {
        return closed;
    }
    let field = question.field.as_deref().unwrap_or_default();
    if question.action == "update_metadata"
        && role != "super_admin"
        && world.is_hidden(matrix, field)
    {
        return Some("needs_super_admin");
    }
    None
}

impl World {
    /// Who has a permission in a group that this matrix governs.
    fn value(&self, matrix: &str, permission: &str, field: Option<&str>) -> Value {
        if permission == "update_metadata" && field.is_none() {
            return Value::Grant("deny");
        }
        let field = field.unwrap_or_default();
        let value = match self.matrices.get(matrix) {
            Some(matrix) if permission == "update_metadata" => Some(matrix.value_of_field(field)),
            Some(matrix) => matrix.permissions.get(permission).cloned(),
            None => Some(presets::built_in(matrix, permission, field)),
        };
        let left_out = presets::optional(permission).unwrap_or("unspecified");
        value.unwrap_or(Value::Grant(left_out))
    }

    /// Whether a field takes a super admin besides what is said of fields that are not named.
    fn is_hidden(&self, matrix: &str, field: &str) -> bool {
        let is_named = match self.matrices.get(matrix).map(|matrix| &matrix.update_metadata) {
            Some(Some(Fields::Named(values))) => values.contains_key(field),
            _ => false,
        };
        field.starts_with('_') && !is_named
    }
}

impl Matrix {
    fn value_of_field(&self, field: &str) -> Value {
        let (named, rest) = match &self.update_metadata {
            None => return Value::Grant("unspecified"),
            Some(Fields::One(value)) => (None, Some(value)),
            Some(Fields::Named(values)) => (values.get(field), values.get("*")),
        };
        named.or(rest).cloned().unwrap_or(Value::Grant("allow_if_admin"))
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
        match &self.super_admins {
            Some(stated) => stated.clone(),
            None => self.creator.iter().cloned().collect(),
        }
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
