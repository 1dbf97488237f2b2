//! The calls of a group, by their names in the SDKs.

use crate::request::{Action, GroupPermission, Role};

/// What a call asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Call {
    Read(Read),
    Write(Write),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Read {
    /// Whether an inbox has this role.
    Is(Role),
    /// The inboxes that have it.
    List(Role),
    MemberInboxIds,
    Members,
    AddedBy,
    Creator,
    IsCreator,
    Permissions,
    PolicySet,
    /// One field of the metadata.
    Field(&'static str),
    /// One that is named in the call, or all.
    Metadata,
    Disappearing,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Write {
    /// One of the four changes of roles.
    Role(Action),
    AddMembers(By),
    RemoveMembers(By),
    /// Of a permission that is named in the call, or of this one.
    Permission(Option<Target>),
    /// One field of the metadata.
    Field(&'static str),
    /// One that is named in the call.
    Metadata,
    Disappearing,
    Leave,
}

/// How members are named.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum By {
    InboxId,
    Address,
}

/// A permission, and the field if it is one that a field has.
pub(super) type Target = (GroupPermission, Option<&'static str>);

pub(super) const NAME: &str = "group_name";
pub(super) const DESCRIPTION: &str = "description";
pub(super) const IMAGE: &str = "group_image_url_square";
pub(super) const APP_DATA: &str = "app_data";
pub(super) const DISAPPEAR_FROM: &str = "message_disappear_from_ns";
pub(super) const DISAPPEAR_IN: &str = "message_disappear_in_ns";

impl Call {
    /// `None` for a name that there is none of.
    pub(super) fn named(name: &str) -> Option<Self> {
        read(name).map(Self::Read).or_else(|| write(name).map(Self::Write))
    }

    /// The methods that it takes.
    pub(super) const fn methods(self) -> &'static str {
        match self {
            Self::Read(_) => "GET, HEAD, POST",
            Self::Write(_) => "POST",
        }
    }
}

fn read(name: &str) -> Option<Read> {
    Some(match name {
        "isAdmin" => Read::Is(Role::Admin),
        "isSuperAdmin" => Read::Is(Role::SuperAdmin),
        "listAdmins" => Read::List(Role::Admin),
        "listSuperAdmins" => Read::List(Role::SuperAdmin),
        "memberInboxIds" => Read::MemberInboxIds,
        "members" => Read::Members,
        "addedByInboxId" => Read::AddedBy,
        "creatorInboxId" => Read::Creator,
        "isCreator" => Read::IsCreator,
        "permissions" => Read::Permissions,
        "permissionPolicySet" => Read::PolicySet,
        "name" | "groupName" => Read::Field(NAME),
        "description" | "groupDescription" => Read::Field(DESCRIPTION),
        "imageUrl" | "imageUrlSquare" | "groupImageUrlSquare" => Read::Field(IMAGE),
        "appData" => Read::Field(APP_DATA),
        "metadata" => Read::Metadata,
        "messageDisappearingSettings" => Read::Disappearing,
        _ => return None,
    })
}

fn write(name: &str) -> Option<Write> {
    use GroupPermission::{AddAdmin, AddMember, RemoveAdmin, RemoveMember, UpdateMetadata};
    let of = |permission| Write::Permission(Some((permission, None)));
    let of_field = |field| Write::Permission(Some((UpdateMetadata, Some(field))));
    Some(match name {
        "addAdmin" => Write::Role(Action::AddAdmin),
        "removeAdmin" => Write::Role(Action::RemoveAdmin),
        "addSuperAdmin" => Write::Role(Action::AddSuperAdmin),
        "removeSuperAdmin" => Write::Role(Action::RemoveSuperAdmin),
        "addMemberInboxIds" | "addMembersByInboxId" => Write::AddMembers(By::InboxId),
        "addMembers" => Write::AddMembers(By::Address),
        "removeMemberInboxIds" | "removeMembersByInboxId" => Write::RemoveMembers(By::InboxId),
        "removeMembers" => Write::RemoveMembers(By::Address),
        "updatePermission" => Write::Permission(None),
        "updateAddMemberPermission" => of(AddMember),
        "updateRemoveMemberPermission" => of(RemoveMember),
        "updateAddAdminPermission" => of(AddAdmin),
        "updateRemoveAdminPermission" => of(RemoveAdmin),
        "updateNamePermission" | "updateGroupNamePermission" => of_field(NAME),
        "updateDescriptionPermission" | "updateGroupDescriptionPermission" => of_field(DESCRIPTION),
        "updateImageUrlPermission"
        | "updateImageUrlSquarePermission"
        | "updateGroupImageUrlSquarePermission" => of_field(IMAGE),
        "updateMessageDisappearingPermission" => of_field(DISAPPEAR_IN),
        "updateName" | "updateGroupName" => Write::Field(NAME),
        "updateDescription" | "updateGroupDescription" => Write::Field(DESCRIPTION),
        "updateImageUrl" | "updateImageUrlSquare" | "updateGroupImageUrlSquare" => {
            Write::Field(IMAGE)
        }
        "updateAppData" => Write::Field(APP_DATA),
        "updateMetadata" => Write::Metadata,
        "updateMessageDisappearingSettings" => Write::Disappearing,
        "leaveGroup" | "leave" => Write::Leave,
        _ => return None,
    })
}
