//! The calls of a group, by their names in the SDKs.

use super::arguments::plain;
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
    /// That messages stay.
    NotDisappearing,
    Leave,
}

/// How members are named.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum By {
    InboxId,
    Address,
    /// By inbox ids in newer SDKs, by addresses in older ones and the document.
    Either,
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
    /// The call of a name in any SDK's spelling, as `isAdmin` and `is_admin`; `None` if there is none.
    pub(super) fn named(name: &str) -> Option<Self> {
        let name = plain(name);
        read(&name).map(Self::Read).or_else(|| write(&name).map(Self::Write))
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
        "isadmin" => Read::Is(Role::Admin),
        "issuperadmin" => Read::Is(Role::SuperAdmin),
        "listadmins" | "adminlist" | "admins" => Read::List(Role::Admin),
        "listsuperadmins" | "superadminlist" | "superadmins" => Read::List(Role::SuperAdmin),
        "memberinboxids" | "listmemberinboxids" => Read::MemberInboxIds,
        "members" | "listmembers" => Read::Members,
        "addedbyinboxid" => Read::AddedBy,
        "creatorinboxid" => Read::Creator,
        "iscreator" => Read::IsCreator,
        "permissions" | "grouppermissions" => Read::Permissions,
        "permissionpolicyset" => Read::PolicySet,
        "name" | "groupname" => Read::Field(NAME),
        "description" | "groupdescription" => Read::Field(DESCRIPTION),
        "imageurl" | "imageurlsquare" | "groupimageurlsquare" => Read::Field(IMAGE),
        "appdata" => Read::Field(APP_DATA),
        "metadata" => Read::Metadata,
        "messagedisappearingsettings"
        | "disappearingmessagesettings"
        | "conversationmessagedisappearingsettings" => Read::Disappearing,
        _ => return None,
    })
}

fn write(name: &str) -> Option<Write> {
    use GroupPermission::{AddAdmin, AddMember, RemoveAdmin, RemoveMember, UpdateMetadata};
    let of = |permission| Write::Permission(Some((permission, None)));
    let of_field = |field| Write::Permission(Some((UpdateMetadata, Some(field))));
    Some(match name {
        "addadmin" => Write::Role(Action::AddAdmin),
        "removeadmin" => Write::Role(Action::RemoveAdmin),
        "addsuperadmin" => Write::Role(Action::AddSuperAdmin),
        "removesuperadmin" => Write::Role(Action::RemoveSuperAdmin),
        "addmemberinboxids" | "addmembersbyinboxid" => Write::AddMembers(By::InboxId),
        "addmembers" => Write::AddMembers(By::Either),
        "addmembersbyidentifiers" | "addmembersbyidentity" => Write::AddMembers(By::Address),
        "removememberinboxids" | "removemembersbyinboxid" => Write::RemoveMembers(By::InboxId),
        "removemembers" => Write::RemoveMembers(By::Either),
        "removemembersbyidentifiers" | "removemembersbyidentity" => {
            Write::RemoveMembers(By::Address)
        }
        "updatepermission" | "updatepermissionpolicy" => Write::Permission(None),
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
        "updatename" | "updategroupname" => Write::Field(NAME),
        "updatedescription" | "updategroupdescription" => Write::Field(DESCRIPTION),
        "updateimageurl" | "updateimageurlsquare" | "updategroupimageurlsquare" => {
            Write::Field(IMAGE)
        }
        "updateappdata" => Write::Field(APP_DATA),
        "updatemetadata" => Write::Metadata,
        "updatemessagedisappearingsettings"
        | "updatedisappearingmessagesettings"
        | "updateconversationmessagedisappearingsettings" => Write::Disappearing,
        "removemessagedisappearingsettings"
        | "cleardisappearingmessagesettings"
        | "removeconversationmessagedisappearingsettings" => Write::NotDisappearing,
        "leavegroup" | "leave" | "requestremoval" => Write::Leave,
        _ => return None,
    })
}
