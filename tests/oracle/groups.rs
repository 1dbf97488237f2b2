//! The gate of groups: who is what in one, and what the matrix says.

use super::{
    ask::{Question, Resource},
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

    let is_asked = [
        "read",
        "send_message",
        "voice_call",
        "video_call",
        "add_member",
        "remove_member",
        "update_metadata",
        "add_admin",
        "remove_admin",
        "add_super_admin",
        "remove_super_admin",
        "update_permissions",
        "leave",
    ]
    .contains(&world.base(question.action));
    if !is_asked {
        return None;
    }
    let subject = &question.subject;
    let Some(role) = subject.given.role.or(group.role(&subject.id)) else {
        return Some("not_member");
    };
    let own = || own_cell(world, question, matrix, role);
    match world.base(question.action) {
        "read" | "send_message" | "voice_call" | "video_call" => own(),
        // A conversation of two is nothing that anyone could leave.
        "leave" if matrix == "dm" => Some("denied_by_matrix"),
        "leave" => own().or_else(|| leave(group, &subject.id, role)),
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
    let adds = world.base(question.action) == "add_member";
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
    if question.action == "remove_member" {
        let member = question.member.as_ref()?;
        if group.role(&member.id) == Some("super_admin") {
            return Some("super_admin_protected");
        }
    }
    let value = world.value(matrix, question.action, question.field.as_deref());
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
        value.unwrap_or(Value::Grant("unspecified"))
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
