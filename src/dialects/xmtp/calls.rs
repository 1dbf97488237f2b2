//! The calls of a group, by their names in the SDKs.

use super::arguments::normalize_name;
use crate::{
    facts::{Id, Op},
    request::{Action, GroupPermission, Role},
};

/// A call of a group: a read or a write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum GroupCall {
    Read(GroupRead),
    Write(GroupWrite),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum GroupRead {
    /// Whether an inbox has this role.
    Is(Role),
    /// The inboxes with this role.
    List(Role),
    MemberInboxIds,
    Members,
    AddedBy,
    Creator,
    IsCreator,
    Permissions,
    PolicySet,
    /// One metadata field.
    Field(&'static str),
    /// The metadata field that the call names, or all.
    Metadata,
    Disappearing,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum GroupWrite {
    Role(RoleChange),
    AddMembers(MemberNaming),
    RemoveMembers(MemberNaming),
    /// The value of this permission, or of the one that the call names.
    Permission(Option<PermissionTarget>),
    /// One metadata field.
    Field(&'static str),
    /// The metadata field that the call names.
    Metadata,
    Disappearing,
    /// The end of disappearing messages.
    NotDisappearing,
    Leave,
}

/// A change of a member's role.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RoleChange {
    /// A member becomes an admin.
    Promote,
    /// An admin becomes a member.
    Demote,
    /// A member becomes a super admin.
    PromoteToSuper,
    /// A super admin becomes a member.
    DemoteFromSuper,
}

/// The way in which a call names members.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum MemberNaming {
    InboxId,
    Address,
    /// By inbox ids in newer SDKs, by addresses in older ones and the document.
    Either,
}

/// A permission, with the metadata field if it is that of a field.
pub(super) type PermissionTarget = (GroupPermission, Option<&'static str>);

pub(super) const NAME: &str = "group_name";
pub(super) const DESCRIPTION: &str = "description";
pub(super) const IMAGE: &str = "group_image_url_square";
pub(super) const APP_DATA: &str = "app_data";
pub(super) const DISAPPEAR_FROM: &str = "message_disappear_from_ns";
pub(super) const DISAPPEAR_IN: &str = "message_disappear_in_ns";

impl RoleChange {
    /// The permission that the change requires.
    pub(super) const fn permission(self) -> &'static str {
        self.action().as_str()
    }

    pub(super) const fn action(self) -> Action {
        match self {
            Self::Promote => Action::AddAdmin,
            Self::Demote => Action::RemoveAdmin,
            Self::PromoteToSuper => Action::AddSuperAdmin,
            Self::DemoteFromSuper => Action::RemoveSuperAdmin,
        }
    }

    pub(super) const fn is_demotion(self) -> bool {
        matches!(self, Self::Demote | Self::DemoteFromSuper)
    }

    pub(super) fn op(self, group: Id, member: Id) -> Op {
        match self {
            Self::Promote => Op::AddAdmin { group, member },
            Self::Demote => Op::RemoveAdmin { group, member },
            Self::PromoteToSuper => Op::AddSuperAdmin { group, member },
            Self::DemoteFromSuper => Op::RemoveSuperAdmin { group, member },
        }
    }
}

impl GroupCall {
    /// The call with a name in any SDK's spelling, as `isAdmin` and `is_admin`; `None` if there is
    /// none.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        let name = normalize_name(name);
        read(&name).map(Self::Read).or_else(|| write(&name).map(Self::Write))
    }

    /// The methods that the call accepts.
    pub(super) const fn methods(self) -> &'static str {
        match self {
            Self::Read(_) => "GET, HEAD, POST",
            Self::Write(_) => "POST",
        }
    }
}

fn read(name: &str) -> Option<GroupRead> {
    Some(match name {
        "isadmin" => GroupRead::Is(Role::Admin),
        "issuperadmin" => GroupRead::Is(Role::SuperAdmin),
        "listadmins" | "adminlist" | "admins" => GroupRead::List(Role::Admin),
        "listsuperadmins" | "superadminlist" | "superadmins" => GroupRead::List(Role::SuperAdmin),
        "memberinboxids" | "listmemberinboxids" => GroupRead::MemberInboxIds,
        "members" | "listmembers" => GroupRead::Members,
        "addedbyinboxid" => GroupRead::AddedBy,
        "creatorinboxid" => GroupRead::Creator,
        "iscreator" => GroupRead::IsCreator,
        "permissions" | "grouppermissions" => GroupRead::Permissions,
        "permissionpolicyset" => GroupRead::PolicySet,
        "name" | "groupname" => GroupRead::Field(NAME),
        "description" | "groupdescription" => GroupRead::Field(DESCRIPTION),
        "imageurl" | "imageurlsquare" | "groupimageurlsquare" => GroupRead::Field(IMAGE),
        "appdata" => GroupRead::Field(APP_DATA),
        "metadata" => GroupRead::Metadata,
        "messagedisappearingsettings"
        | "disappearingmessagesettings"
        | "conversationmessagedisappearingsettings" => GroupRead::Disappearing,
        _ => return None,
    })
}

fn write(name: &str) -> Option<GroupWrite> {
    use GroupPermission::{AddAdmin, AddMember, RemoveAdmin, RemoveMember, UpdateMetadata};
    let of = |permission| GroupWrite::Permission(Some((permission, None)));
    let of_field = |field| GroupWrite::Permission(Some((UpdateMetadata, Some(field))));
    Some(match name {
        "addadmin" => GroupWrite::Role(RoleChange::Promote),
        "removeadmin" => GroupWrite::Role(RoleChange::Demote),
        "addsuperadmin" => GroupWrite::Role(RoleChange::PromoteToSuper),
        "removesuperadmin" => GroupWrite::Role(RoleChange::DemoteFromSuper),
        "addmemberinboxids" | "addmembersbyinboxid" => {
            GroupWrite::AddMembers(MemberNaming::InboxId)
        }
        "addmembers" => GroupWrite::AddMembers(MemberNaming::Either),
        "addmembersbyidentifiers" | "addmembersbyidentity" => {
            GroupWrite::AddMembers(MemberNaming::Address)
        }
        "removememberinboxids" | "removemembersbyinboxid" => {
            GroupWrite::RemoveMembers(MemberNaming::InboxId)
        }
        "removemembers" => GroupWrite::RemoveMembers(MemberNaming::Either),
        "removemembersbyidentifiers" | "removemembersbyidentity" => {
            GroupWrite::RemoveMembers(MemberNaming::Address)
        }
        "updatepermission" | "updatepermissionpolicy" => GroupWrite::Permission(None),
        "updateaddmemberpermission" => of(AddMember),
        "updateremovememberpermission" => of(RemoveMember),
        "updateaddadminpermission" => of(AddAdmin),
        "updateremoveadminpermission" => of(RemoveAdmin),
        "updatenamepermission" | "updategroupnamepermission" => of_field(NAME),
        "updatedescriptionpermission" | "updategroupdescriptionpermission" => of_field(DESCRIPTION),
        "updateimageurlpermission"
        | "updateimageurlsquarepermission"
        | "updategroupimageurlsquarepermission" => of_field(IMAGE),
        "updateappdatapermission" => of_field(APP_DATA),
        "updatemessagedisappearingpermission" | "updatedisappearingmessagesettingspermission" => {
            of_field(DISAPPEAR_IN)
        }
        "updatename" | "updategroupname" => GroupWrite::Field(NAME),
        "updatedescription" | "updategroupdescription" => GroupWrite::Field(DESCRIPTION),
        "updateimageurl" | "updateimageurlsquare" | "updategroupimageurlsquare" => {
            GroupWrite::Field(IMAGE)
        }
        "updateappdata" => GroupWrite::Field(APP_DATA),
        "updatemetadata" => GroupWrite::Metadata,
        "updatemessagedisappearingsettings"
        | "updatedisappearingmessagesettings"
        | "updateconversationmessagedisappearingsettings" => GroupWrite::Disappearing,
        "removemessagedisappearingsettings"
        | "cleardisappearingmessagesettings"
        | "removeconversationmessagedisappearingsettings" => GroupWrite::NotDisappearing,
        "leavegroup" | "leave" | "requestremoval" => GroupWrite::Leave,
        _ => return None,
    })
}
