//! The vocabulary of groups: roles, permissions, and the values that a matrix gives to permissions.

use std::fmt;

use super::{
    EnumMap,
    during::{During, NamesWindows},
    text_enum::text_enum,
};

text_enum! {
    /// The role of a user in a group. Every role includes what the roles before it may do.
    Role: "role" {
        Member = "member",
        Admin = "admin",
        SuperAdmin = "super_admin",
    }
}

text_enum! {
    /// A permission that a matrix grants.
    GroupPermission: "permission" {
        AddMember = "add_member",
        RemoveMember = "remove_member",
        UpdateMetadata = "update_metadata",
        AddAdmin = "add_admin",
        RemoveAdmin = "remove_admin",
        UpdatePermissions = "update_permissions",
        SendMessage = "send_message",
        VoiceCall = "voice_call",
        VideoCall = "video_call",
        /// To mute members, and to unmute them.
        MuteMember = "mute_member",
        /// To ban users from the group, and to unban them.
        BanMember = "ban_member",
        /// Of users who are no members.
        Join = "join",
        Leave = "leave",
    }
}

impl GroupPermission {
    /// The value of the permission in a matrix that leaves it out; [`Grant::Unspecified`] where a matrix
    /// should state it.
    pub const fn default_grant(self) -> Grant {
        match self {
            Self::AddMember
            | Self::RemoveMember
            | Self::UpdateMetadata
            | Self::AddAdmin
            | Self::RemoveAdmin
            | Self::UpdatePermissions => Grant::Unspecified,
            Self::SendMessage | Self::VoiceCall | Self::VideoCall | Self::Leave => Grant::Allow,
            Self::MuteMember | Self::BanMember => Grant::AllowIfAdmin,
            Self::Join => Grant::Deny,
        }
    }

    /// Whether a matrix can leave the permission out.
    pub const fn is_optional(self) -> bool {
        !matches!(self.default_grant(), Grant::Unspecified)
    }

    /// Whether the permission is granted for one field of the metadata at a time.
    pub const fn takes_field(self) -> bool {
        match self {
            Self::UpdateMetadata => true,
            Self::AddMember
            | Self::RemoveMember
            | Self::AddAdmin
            | Self::RemoveAdmin
            | Self::UpdatePermissions
            | Self::SendMessage
            | Self::VoiceCall
            | Self::VideoCall
            | Self::MuteMember
            | Self::BanMember
            | Self::Join
            | Self::Leave => false,
        }
    }
}

/// A total map from the permissions.
pub type PermissionMap<V> = EnumMap<GroupPermission, V, { GroupPermission::COUNT }>;

/// The names of the matrices that every policy has, in order.
pub const BUILT_IN_MATRICES: [&str; 6] =
    ["admins_only", "all_members", "announcements", "creator_only", "dm", "open"];

/// The matrix of conversations of two users, which cannot be left or renamed.
pub const DM_MATRIX: &str = "dm";

text_enum! {
    /// A value of a matrix that stands by itself.
    Grant: "value" {
        Allow = "allow",
        /// No member, super admins included.
        Deny = "deny",
        /// Admins and super admins.
        AllowIfAdmin = "allow_if_admin",
        AllowIfSuperAdmin = "allow_if_super_admin",
        /// No member, because the matrix does not state the permission.
        Unspecified = "unspecified",
    }
}

impl Grant {
    /// Whether the value grants the permission to a member with this role.
    pub const fn grants(self, role: Role) -> bool {
        match self {
            Self::Allow => true,
            Self::Deny | Self::Unspecified => false,
            Self::AllowIfAdmin => !matches!(role, Role::Member),
            Self::AllowIfSuperAdmin => matches!(role, Role::SuperAdmin),
        }
    }
}

/// The condition under which a member of a group has a permission, by role and tags. `T` is a tag,
/// as in [`Condition`](super::Condition).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum GrantCondition<T> {
    Grant(Grant),
    /// The members who have the tag.
    HasTag(T),
    /// Every member while the window is open, and else no member.
    During(During),
    Not(Box<Self>),
    /// All of the conditions; there is at least one.
    All(Vec<Self>),
    /// One or more of the conditions; there is at least one.
    Any(Vec<Self>),
}

impl<T> GrantCondition<T> {
    /// Whether a member with this role has the permission; `has` tells whether the member has a
    /// tag.
    pub fn grants(&self, role: Role, has: &impl Fn(&T) -> bool) -> bool {
        match self {
            Self::Grant(grant) => grant.grants(role),
            Self::HasTag(tag) => has(tag),
            Self::During(during) => during.is_open,
            Self::Not(inner) => !inner.grants(role, has),
            Self::All(parts) => parts.iter().all(|part| part.grants(role, has)),
            Self::Any(parts) => parts.iter().any(|part| part.grants(role, has)),
        }
    }

    /// The same condition over other names of the tags.
    pub fn map<U>(&self, name: &mut impl FnMut(&T) -> U) -> GrantCondition<U> {
        match self {
            Self::Grant(grant) => GrantCondition::Grant(*grant),
            Self::HasTag(tag) => GrantCondition::HasTag(name(tag)),
            Self::During(during) => GrantCondition::During(during.clone()),
            Self::Not(inner) => GrantCondition::Not(Box::new(inner.map(name))),
            Self::All(parts) => {
                GrantCondition::All(parts.iter().map(|part| part.map(name)).collect())
            }
            Self::Any(parts) => {
                GrantCondition::Any(parts.iter().map(|part| part.map(name)).collect())
            }
        }
    }

    /// The first value in the condition that depends on a role; `None` if there is none.
    pub fn role_grant(&self) -> Option<Grant> {
        match self {
            Self::Grant(grant @ (Grant::AllowIfAdmin | Grant::AllowIfSuperAdmin)) => Some(*grant),
            Self::Grant(Grant::Allow | Grant::Deny | Grant::Unspecified)
            | Self::HasTag(_)
            | Self::During(_) => None,
            Self::Not(inner) => inner.role_grant(),
            Self::All(parts) | Self::Any(parts) => parts.iter().find_map(Self::role_grant),
        }
    }

    /// Calls `visit` with each tag that the condition names, in order, as often as it is named.
    pub fn for_each_tag<'v>(&'v self, visit: &mut impl FnMut(&'v T)) {
        match self {
            Self::Grant(_) | Self::During(_) => {}
            Self::HasTag(tag) => visit(tag),
            Self::Not(inner) => inner.for_each_tag(visit),
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.for_each_tag(visit));
            }
        }
    }
}

impl<T> NamesWindows for GrantCondition<T> {
    fn for_each_window_mut(&mut self, visit: &mut dyn FnMut(&mut During)) {
        match self {
            Self::During(during) => visit(during),
            Self::Grant(_) | Self::HasTag(_) => {}
            Self::Not(inner) => inner.for_each_window_mut(visit),
            Self::All(parts) | Self::Any(parts) => parts.for_each_window_mut(visit),
        }
    }
}

impl<T: fmt::Display> fmt::Display for GrantCondition<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grant(grant) => grant.fmt(f),
            Self::HasTag(tag) => super::condition::write_has_tag(f, tag),
            Self::During(during) => during.fmt(f),
            Self::Not(inner) => write!(f, "not({inner})"),
            Self::All(parts) => super::condition::write_call(f, "all", parts),
            Self::Any(parts) => super::condition::write_call(f, "any", parts),
        }
    }
}

/// The permissions to change the fields of a group's metadata.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MetadataGrants<T> {
    /// The conditions of named fields, in the order of the names.
    pub named: Vec<(String, GrantCondition<T>)>,
    /// The condition of all other fields; those that begin with `_` require a super admin as well.
    pub rest: GrantCondition<T>,
}

impl<T> MetadataGrants<T> {
    /// The same permissions with other conditions.
    pub fn map<U>(
        &self,
        of: &mut impl FnMut(&GrantCondition<T>) -> GrantCondition<U>,
    ) -> MetadataGrants<U> {
        MetadataGrants {
            named: self.named.iter().map(|(field, value)| (field.clone(), of(value))).collect(),
            rest: of(&self.rest),
        }
    }

    /// The condition for changing this field. A [hidden](Self::is_hidden) field requires a super
    /// admin as well.
    pub fn grant_for(&self, field: &str) -> &GrantCondition<T> {
        self.find(field).unwrap_or(&self.rest)
    }

    /// Whether the field begins with `_` and is not named, so that it requires a super admin.
    pub fn is_hidden(&self, field: &str) -> bool {
        field.starts_with('_') && self.find(field).is_none()
    }

    fn find(&self, field: &str) -> Option<&GrantCondition<T>> {
        let at = self.named.binary_search_by(|(name, _)| name.as_str().cmp(field)).ok()?;
        self.named.get(at).map(|(_, value)| value)
    }
}

impl<T> NamesWindows for MetadataGrants<T> {
    fn for_each_window_mut(&mut self, visit: &mut dyn FnMut(&mut During)) {
        let Self { named, rest } = self;
        named.iter_mut().for_each(|(_, value)| value.for_each_window_mut(visit));
        rest.for_each_window_mut(visit);
    }
}

impl<T: Clone> MetadataGrants<T> {
    /// The condition for changing a hidden field, with the requirement of a super admin included.
    pub fn hidden_grant(&self) -> GrantCondition<T> {
        let super_admin = GrantCondition::Grant(Grant::AllowIfSuperAdmin);
        match &self.rest {
            GrantCondition::Grant(Grant::Deny | Grant::Unspecified) => self.rest.clone(),
            GrantCondition::Grant(_) => super_admin,
            rest => GrantCondition::All(vec![rest.clone(), super_admin]),
        }
    }
}
