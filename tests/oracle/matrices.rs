//! The cells of matrices: who may do what in a group.

use super::{
    ask::Question,
    presets,
    words::Value,
    world::{Fields, Matrix, World},
};

/// Why the matrix closes a question of this role; nothing if it does not.
pub(super) fn by_matrix(
    world: &World,
    question: &Question,
    matrix: &str,
    role: &str,
) -> Option<&'static str> {
    let base = world.base(question.action);
    let cell = match base {
        "unmute_member" => "mute_member",
        "unban_member" => "ban_member",
        _ => base,
    };
    let has_cell = [
        "send_message",
        "voice_call",
        "video_call",
        "leave",
        "join",
        "mute_member",
        "ban_member",
        "add_member",
        "remove_member",
        "update_metadata",
        "add_admin",
        "remove_admin",
        "update_permissions",
    ]
    .contains(&cell);
    let of_base = || by_base(world, question, matrix, role, cell);
    let closed = has_cell.then(of_base).flatten();
    closed.or_else(|| own_cell(world, question, matrix, role))
}

fn by_base(
    world: &World,
    question: &Question,
    matrix: &str,
    role: &str,
    cell: &str,
) -> Option<&'static str> {
    let value = world.value(matrix, cell, question.field.as_deref());
    if cell == "join" && matches!(value, Value::Grant("deny")) {
        return Some("invite_only");
    }
    let closed = by_value(world, question, &value, role);
    let field = question.field.as_deref().unwrap_or_default();
    let is_hidden = cell == "update_metadata" && world.is_hidden(matrix, field);
    closed.or_else(|| (is_hidden && role != "super_admin").then_some("needs_super_admin"))
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
            None => presets::built_in(matrix, permission, field).map(Value::Grant),
        };
        value.unwrap_or(Value::Grant(left_out(permission)))
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

/// What a cell that is left out says.
fn left_out(cell: &str) -> &'static str {
    match cell {
        "send_message" | "voice_call" | "video_call" | "leave" => "allow",
        "mute_member" | "ban_member" => "allow_if_admin",
        "join" => "deny",
        _ => "unspecified",
    }
}
