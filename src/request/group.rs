//! The words of groups: who is what in one, and who may do what.

use std::fmt;

use super::text_enum::words;

words! {
    /// What a user is in a group. Every role holds what those before it do.
    Role: "role" {
        Member = "member",
        Admin = "admin",
        SuperAdmin = "super_admin",
    }
}

words! {
    /// What a matrix says who may do.
    GroupPermission: "permission" {
        AddMember = "add_member",
        RemoveMember = "remove_member",
        UpdateMetadata = "update_metadata",
        AddAdmin = "add_admin",
        RemoveAdmin = "remove_admin",
        UpdatePermissions = "update_permissions",
    }
}

impl GroupPermission {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Its place among all.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// The matrices that every policy has, in order.
pub const BUILT_IN_MATRICES: [&str; 4] = ["admins_only", "all_members", "creator_only", "dm"];

/// The matrix of conversations of two, which nobody leaves nor renames.
pub const DM_MATRIX: &str = "dm";

words! {
    /// A value of a matrix that stands by itself.
    Grant: "value" {
        Allow = "allow",
        /// Nobody, super admins neither.
        Deny = "deny",
        /// Admins and super admins.
        AllowIfAdmin = "allow_if_admin",
        AllowIfSuperAdmin = "allow_if_super_admin",
        /// Nobody: nothing was said.
        Unspecified = "unspecified",
    }
}

impl Grant {
    /// Whether it grants to a member of this role.
    pub const fn grants(self, role: Role) -> bool {
        match self {
            Self::Allow => true,
            Self::Deny | Self::Unspecified => false,
            Self::AllowIfAdmin => !matches!(role, Role::Member),
            Self::AllowIfSuperAdmin => matches!(role, Role::SuperAdmin),
        }
    }
}

/// Who has a permission in a group, told by role and tags. `T` is a tag, as in
/// [`Condition`](super::Condition).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum GrantCondition<T> {
    Grant(Grant),
    /// The members who have the tag.
    HasTag(T),
    Not(Box<Self>),
    /// There is at least one.
    All(Vec<Self>),
    /// There is at least one.
    Any(Vec<Self>),
}

impl<T> GrantCondition<T> {
    /// Whether a member has it, whose role this is and of whom `has` tells the tags.
    pub fn grants(&self, role: Role, has: &impl Fn(&T) -> bool) -> bool {
        match self {
            Self::Grant(grant) => grant.grants(role),
            Self::HasTag(tag) => has(tag),
            Self::Not(inner) => !inner.grants(role, has),
            Self::All(parts) => parts.iter().all(|part| part.grants(role, has)),
            Self::Any(parts) => parts.iter().any(|part| part.grants(role, has)),
        }
    }

    /// The same value over other names for the tags.
    pub fn map<U>(&self, name: &mut impl FnMut(&T) -> U) -> GrantCondition<U> {
        match self {
            Self::Grant(grant) => GrantCondition::Grant(*grant),
            Self::HasTag(tag) => GrantCondition::HasTag(name(tag)),
            Self::Not(inner) => GrantCondition::Not(Box::new(inner.map(name))),
            Self::All(parts) => {
                GrantCondition::All(parts.iter().map(|part| part.map(name)).collect())
            }
            Self::Any(parts) => {
                GrantCondition::Any(parts.iter().map(|part| part.map(name)).collect())
            }
        }
    }

    /// Calls `visit` with each tag that it names, in order, as often as it is named.
    pub fn for_each_tag<'v>(&'v self, visit: &mut impl FnMut(&'v T)) {
        match self {
            Self::Grant(_) => {}
            Self::HasTag(tag) => visit(tag),
            Self::Not(inner) => inner.for_each_tag(visit),
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.for_each_tag(visit));
            }
        }
    }
}

impl<T: fmt::Display> fmt::Display for GrantCondition<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grant(grant) => grant.fmt(f),
            Self::HasTag(tag) => super::condition::write_has_tag(f, tag),
            Self::Not(inner) => write!(f, "not({inner})"),
            Self::All(parts) => super::condition::write_call(f, "all", parts),
            Self::Any(parts) => super::condition::write_call(f, "any", parts),
        }
    }
}

/// Who may change which field of a group's metadata.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MetadataGrants<T> {
    /// By the name of the field, in order.
    pub named: Vec<(String, GrantCondition<T>)>,
    /// For fields that are not named; those that begin with `_` take a super admin besides.
    pub rest: GrantCondition<T>,
}

impl<T> MetadataGrants<T> {
    /// The same with other values.
    pub fn map<U>(
        &self,
        of: &mut impl FnMut(&GrantCondition<T>) -> GrantCondition<U>,
    ) -> MetadataGrants<U> {
        MetadataGrants {
            named: self.named.iter().map(|(field, value)| (field.clone(), of(value))).collect(),
            rest: of(&self.rest),
        }
    }

    /// Who may change this field, by what is said of it; of a hidden one, those of them who are super
    /// admins.
    pub fn grant_for(&self, field: &str) -> &GrantCondition<T> {
        self.find(field).unwrap_or(&self.rest)
    }

    /// Whether a field begins with `_` and is not named, so that it takes a super admin.
    pub fn is_hidden(&self, field: &str) -> bool {
        field.starts_with('_') && self.find(field).is_none()
    }

    fn find(&self, field: &str) -> Option<&GrantCondition<T>> {
        let at = self.named.binary_search_by(|(name, _)| name.as_str().cmp(field)).ok()?;
        self.named.get(at).map(|(_, value)| value)
    }
}

impl<T: Clone> MetadataGrants<T> {
    /// Who may change a hidden field, as one value.
    pub fn hidden_grant(&self) -> GrantCondition<T> {
        let super_admin = GrantCondition::Grant(Grant::AllowIfSuperAdmin);
        match &self.rest {
            GrantCondition::Grant(Grant::Deny | Grant::Unspecified) => self.rest.clone(),
            GrantCondition::Grant(_) => super_admin,
            rest => GrantCondition::All(vec![rest.clone(), super_admin]),
        }
    }
}
