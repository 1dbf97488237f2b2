//! Matrices: tables of group permissions, built in or defined.

use std::{collections::HashMap, sync::Arc};

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, did_you_mean},
    request::{
        Action, DM_MATRIX, DeclaredAction, DeclaredActions, Grant, GrantCondition, GroupPermission,
        MetadataGrants, PermissionMap, ResourceKind,
    },
    source::Span,
    syntax::ast::{self, PermissionValue},
};

use super::{descriptions, expression::resolve_expression, suggestions, tags::Vocabulary};

/// The permissions of members in the groups that a matrix governs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Matrix {
    pub name: String,
    /// The condition of each permission; that of `update_metadata` is [`Grant::Unspecified`].
    pub permissions: PermissionMap<GrantCondition<String>>,
    /// The permission to change each field; `None` where the matrix does not state it.
    pub metadata: Option<MetadataGrants<String>>,
    /// The conditions of declared actions that the matrix states, in the order of their names.
    pub declared: Vec<(Arc<str>, GrantCondition<String>)>,
}

impl Matrix {
    /// Calls `visit` with each value.
    pub fn each_value<'m>(&'m self, visit: &mut impl FnMut(&'m GrantCondition<String>)) {
        self.permissions.values().for_each(&mut *visit);
        self.declared.iter().for_each(|(_, value)| visit(value));
        if let Some(fields) = &self.metadata {
            fields.named.iter().for_each(|(_, value)| visit(value));
            visit(&fields.rest);
        }
    }
}

impl Matrix {
    /// The same matrix under another name, with other values of some permissions.
    fn variant(mut self, name: &str, values: &[(GroupPermission, Grant)]) -> Self {
        name.clone_into(&mut self.name);
        for &(permission, grant) in values {
            self.permissions[permission] = GrantCondition::Grant(grant);
        }
        self
    }
}

/// The matrix of groups that name none.
pub const DEFAULT_MATRIX: &str = "all_members";

const NAMED_FIELDS: [&str; 4] = ["app_data", "description", "group_image_url_square", "group_name"];
const DISAPPEARING: [&str; 2] = ["message_disappear_from_ns", "message_disappear_in_ns"];
const VERSION: &str = "minimum_supported_protocol_version";

/// The matrices that every policy has: XMTP's preconfigured sets, and two of them with other optional
/// permissions.
pub(super) fn built_in() -> Vec<Matrix> {
    use Grant::{Allow, AllowIfAdmin, AllowIfSuperAdmin, Deny};
    use GroupPermission::{BanMember, Join, Leave, MuteMember, SendMessage, VideoCall, VoiceCall};
    let version = [(VERSION, AllowIfSuperAdmin)];
    let everyone_s = NAMED_FIELDS.map(|field| (field, Allow));
    let disappearing = DISAPPEARING.map(|field| (field, Allow));
    // Of the permissions: add member, remove member, and all that concern admins.
    let admins_only = || {
        matrix(
            "admins_only",
            [AllowIfAdmin, AllowIfAdmin, AllowIfSuperAdmin],
            &version,
            AllowIfAdmin,
        )
    };
    let all_members = || {
        matrix(
            DEFAULT_MATRIX,
            [Allow, AllowIfAdmin, AllowIfSuperAdmin],
            &[&everyone_s[..], &version].concat(),
            AllowIfAdmin,
        )
    };
    let announced = [SendMessage, VoiceCall, VideoCall].map(|speech| (speech, AllowIfAdmin));
    let closed = [Leave, Join, MuteMember, BanMember].map(|permission| (permission, Deny));
    vec![
        admins_only(),
        all_members(),
        admins_only().variant("announcements", &announced),
        matrix("creator_only", [AllowIfSuperAdmin; 3], &version, AllowIfAdmin),
        matrix(DM_MATRIX, [Deny; 3], &disappearing, Deny).variant(DM_MATRIX, &closed),
        all_members().variant("open", &[(Join, Allow)]),
    ]
}

fn matrix(
    name: &str,
    [add, remove, administer]: [Grant; 3],
    named: &[(&str, Grant)],
    rest: Grant,
) -> Matrix {
    let permissions = PermissionMap::from_fn(|permission| {
        GrantCondition::Grant(match permission {
            GroupPermission::AddMember => add,
            GroupPermission::RemoveMember => remove,
            GroupPermission::AddAdmin
            | GroupPermission::RemoveAdmin
            | GroupPermission::UpdatePermissions => administer,
            GroupPermission::UpdateMetadata
            | GroupPermission::SendMessage
            | GroupPermission::VoiceCall
            | GroupPermission::VideoCall
            | GroupPermission::MuteMember
            | GroupPermission::BanMember
            | GroupPermission::Join
            | GroupPermission::Leave => permission.default_grant(),
        })
    });
    let mut named: Vec<_> = named
        .iter()
        .map(|&(field, grant)| (field.to_owned(), GrantCondition::Grant(grant)))
        .collect();
    named.sort_by(|(one, _), (other, _)| one.cmp(other));
    let metadata = MetadataGrants { named, rest: GrantCondition::Grant(rest) };
    Matrix { name: name.to_owned(), permissions, metadata: Some(metadata), declared: Vec::new() }
}

/// All matrices in the order of their names, the built-in ones among them.
pub(super) fn resolve(
    written: &[ast::Matrix<'_>],
    vocabulary: &Vocabulary,
    actions: &DeclaredActions<String>,
    problems: &mut Diagnostics,
) -> Vec<Matrix> {
    let mut matrices = built_in();
    let mut places: HashMap<&str, Span> = HashMap::new();
    for matrix in written {
        let name = descriptions::check_name("a matrix's name", &matrix.name, problems);
        let is_built_in = built_in().iter().any(|known| known.name == matrix.name.value);
        if is_built_in {
            let message = format!("the matrix `{}` is built in", matrix.name.value);
            problems.push(
                Diagnostic::error(Code::DuplicateMatrix, matrix.name.span, message)
                    .hint("give yours another name"),
            );
        } else if let Some(&first) = places.get(&*matrix.name.value) {
            let message =
                format!("two matrices have the name `{}`", matrix.name.value.escape_debug());
            problems.push(
                Diagnostic::error(Code::DuplicateMatrix, matrix.name.span, message)
                    .related(first, "first defined here")
                    .hint("rename one of the two"),
            );
        }
        let is_first = !places.contains_key(&*matrix.name.value);
        places.entry(&matrix.name.value).or_insert(matrix.name.span);
        let is_usable = name.is_some() && !is_built_in && is_first;
        let mut reader = MatrixReader { vocabulary, actions, problems };
        let (resolved, missing) = reader.matrix(matrix);
        // What is wrong as a whole needs no advice on its parts.
        if is_usable && matrix.is_whole && !missing.is_empty() {
            reader.problems.push(unspecified_permissions(&matrix.name, &missing));
        }
        if let Some(name) = name.filter(|_| is_usable) {
            matrices.push(Matrix { name, ..resolved });
        }
    }
    matrices.sort_by(|one, other| one.name.cmp(&other.name));
    matrices
}

fn unspecified_permissions(matrix: &ast::Text<'_>, missing: &[GroupPermission]) -> Diagnostic {
    let names: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
    let message =
        format!("the matrix `{}` leaves out {}", matrix.value.escape_debug(), names.join(", "));
    Diagnostic::warning(Code::Unspecified, matrix.span, message)
        .label("a permission that is left out is denied to everybody")
        .hint("write `deny` if nobody should have it")
}

struct MatrixReader<'r> {
    vocabulary: &'r Vocabulary,
    actions: &'r DeclaredActions<String>,
    problems: &'r mut Diagnostics,
}

impl MatrixReader<'_> {
    /// The cells that a matrix states, and the permissions that it leaves out.
    fn matrix(&mut self, written: &ast::Matrix<'_>) -> (Matrix, Vec<GroupPermission>) {
        let mut matrix = Matrix {
            name: String::new(),
            permissions: PermissionMap::from_fn(|it| GrantCondition::Grant(it.default_grant())),
            metadata: None,
            declared: Vec::new(),
        };
        let mut missing: Vec<GroupPermission> = GroupPermission::ALL.to_vec();
        missing.retain(|permission| !permission.is_optional());
        for entry in &written.permissions {
            let Ok(permission) = entry.key.value.parse::<GroupPermission>() else {
                if let Some(action) = self.actions.number(&entry.key.value) {
                    self.declared(action, entry, &mut matrix);
                    continue;
                }
                let declared = self.actions.iter().map(|(_, action)| &*action.name);
                let known = GroupPermission::ALL.iter().map(|permission| permission.as_str());
                let known: Vec<&str> = known.chain(declared).collect();
                let near = did_you_mean(&entry.key.value, known.iter().copied());
                missing.retain(|permission| Some(permission.as_str()) != near);
                let problem = suggestions::unknown_key("a matrix", &entry.key, known.into_iter());
                let message =
                    format!("a matrix has no permission `{}`", entry.key.value.escape_debug());
                self.problems.push(Diagnostic { message, ..problem });
                continue;
            };
            missing.retain(|&other| other != permission);
            if permission == GroupPermission::UpdateMetadata {
                matrix.metadata = self.fields(&entry.value);
            } else if let Some(value) = self.resolve_one(permission, entry) {
                matrix.permissions[permission] = value;
            }
        }
        (matrix, missing)
    }

    /// The cell of a declared action.
    fn declared(
        &mut self,
        action: DeclaredAction,
        entry: &ast::Permission<'_>,
        matrix: &mut Matrix,
    ) {
        let Some(action) = self.actions.get(action) else { return };
        let PermissionValue::One(value) = &entry.value else {
            let message = format!("`{}` has one value, not one for each field", action.name);
            self.problems.push(
                Diagnostic::error(Code::WrongType, entry.key.span, message)
                    .hint("only `update_metadata` takes a value for each field"),
            );
            return;
        };
        if !action.like.takes().contains(&ResourceKind::Group) {
            let message =
                format!("`{}` is like `{}`, which takes no group", action.name, action.like);
            self.problems.push(
                Diagnostic::error(Code::UnfitAction, entry.key.span, message)
                    .hint("remove the cell, which could never be asked"),
            );
            return;
        }
        let written = value;
        let Some(value) = self.value(value) else { return };
        if action.like == Action::Join {
            self.check_roles(&action.name, written, &value);
        }
        if let Err(at) = matrix.declared.binary_search_by(|(name, _)| name.cmp(&action.name)) {
            matrix.declared.insert(at, (Arc::clone(&action.name), value));
        }
    }

    /// A permission that has no fields.
    fn resolve_one(
        &mut self,
        permission: GroupPermission,
        entry: &ast::Permission<'_>,
    ) -> Option<GrantCondition<String>> {
        let value = match &entry.value {
            PermissionValue::One(value) => self.value(value)?,
            PermissionValue::ByField(_) => {
                let message = format!("`{permission}` has one value, not one for each field");
                self.problems.push(
                    Diagnostic::error(Code::WrongType, entry.key.span, message)
                        .hint("only `update_metadata` takes a value for each field"),
                );
                return None;
            }
        };
        if let (GroupPermission::Join, PermissionValue::One(written)) = (permission, &entry.value) {
            self.check_roles(permission.as_str(), written, &value);
        }
        let is_risky = matches!(
            permission,
            GroupPermission::AddAdmin
                | GroupPermission::RemoveAdmin
                | GroupPermission::UpdatePermissions
        );
        if let (GrantCondition::Grant(Grant::Allow), PermissionValue::One(written), true) =
            (&value, &entry.value, is_risky)
        {
            let message = format!("every member has `{permission}`");
            self.problems.push(
                Diagnostic::warning(Code::OpenAdministration, written.span, message)
                    .label("any member can take over the group")
                    .hint("write `allow_if_super_admin`, the usual value"),
            );
        }
        Some(value)
    }

    /// Reports roles in the cell of an action by which users join, who are no members yet.
    fn check_roles(&mut self, cell: &str, written: &ast::Expr<'_>, value: &GrantCondition<String>) {
        if let Some(role) = value.role_grant() {
            let message = format!("`{cell}` depends on a role: `{role}`");
            self.problems.push(
                Diagnostic::error(Code::RoleInJoin, written.span, message)
                    .label("a user who joins has no role yet")
                    .hint("write `allow`, `deny` or a condition over tags, such as `hasTag(...)`"),
            );
        }
    }

    fn fields(&mut self, value: &PermissionValue<'_>) -> Option<MetadataGrants<String>> {
        let usual = GrantCondition::Grant(Grant::AllowIfAdmin);
        let entries = match value {
            PermissionValue::One(value) => {
                let rest = self.value(value)?;
                return Some(MetadataGrants { named: Vec::new(), rest });
            }
            PermissionValue::ByField(entries) => entries,
        };
        let mut fields = MetadataGrants { named: Vec::new(), rest: usual };
        let mut places: HashMap<&str, Span> = HashMap::new();
        for entry in entries {
            let field = descriptions::check_name("a field's name", &entry.key, self.problems);
            let value = self.value(&entry.value);
            if let Some(&first) = places.get(&*entry.key.value) {
                let message =
                    format!("the field `{}` is given twice", entry.key.value.escape_debug());
                self.problems.push(
                    Diagnostic::error(Code::DuplicateKey, entry.key.span, message)
                        .related(first, "first given here"),
                );
                continue;
            }
            places.insert(&entry.key.value, entry.key.span);
            match (field, value) {
                (Some(field), Some(value)) if field == "*" => fields.rest = value,
                (Some(field), Some(value)) => fields.named.push((field, value)),
                _ => {}
            }
        }
        fields.named.sort_by(|(one, _), (other, _)| one.cmp(other));
        Some(fields)
    }

    fn value(&mut self, written: &ast::Expr<'_>) -> Option<GrantCondition<String>> {
        let value = resolve_expression(written, self.vocabulary, self.problems)?;
        if value == GrantCondition::Grant(Grant::Unspecified) {
            self.problems.push(
                Diagnostic::warning(
                    Code::Unspecified,
                    written.span,
                    "`unspecified` denies everybody",
                )
                .hint("write `deny` if nobody should have it"),
            );
        }
        Some(value)
    }
}
