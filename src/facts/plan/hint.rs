//! Hints at what to do about a refused command, which each API renders with its own command names.

use std::{borrow::Cow, fmt};

/// A hint at what to do about a refused command. [`Display`](fmt::Display) renders it without naming
/// any command; an API names its own where it has one, as [`native`](Self::native) does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Hint {
    CreateUser,
    CreateGroup,
    ChooseAnotherGroupId,
    ChooseAnotherRuleName,
    /// The command names one user twice.
    NameAnotherUser,
    /// The command would change a declaration of a policy file.
    ChangePolicyFile,
    DeclareTag,
    /// A name that is close to an unknown one.
    DidYouMean(String),
    /// The known names, or the nearest of them, as text.
    KnownNames(String),
    /// The group's last super admin is to be demoted, or is to leave with their group going on.
    AddAnotherSuperAdmin,
    /// The group's last super admin is to be deleted.
    AddAnotherSuperAdminOrDeleteGroup,
    /// The group's last super admin is to be replaced.
    NameAnotherSuperAdmin,
    /// The group is to have members, and has no super admin. Holds the matrix of groups that
    /// administrators run from outside.
    GiveSuperAdmins {
        or_matrix: &'static str,
    },
    DemoteSuperAdmin,
    AddMember,
    /// The group requires somebody in it whom it does not have, or would not have.
    AddRequiredMember,
    RemoveMember,
    /// The only member is to leave.
    DeleteGroup,
    DeleteFriend,
    DeleteFriendList,
    UnblockUser,
    /// A block suspends a friendship that a policy file states.
    EndBlock,
}

impl Hint {
    /// The hint in the words of the native API, with the names of its commands.
    pub fn native(&self) -> Cow<'static, str> {
        match self {
            Self::CreateUser => "create the user with put_user".into(),
            Self::CreateGroup => "create the group with put_group".into(),
            Self::NameAnotherSuperAdmin => "name another one in `super_admins`".into(),
            Self::GiveSuperAdmins { or_matrix } => format!(
                "set `super_admins` with put_group first, or the matrix `{or_matrix}` if \
                 administrators run the group from outside"
            )
            .into(),
            Self::DemoteSuperAdmin => "demote them with remove_super_admin first".into(),
            Self::AddMember => "add them with add_member first".into(),
            other => other.to_string().into(),
        }
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CreateUser => "create the user first",
            Self::CreateGroup => "create the group first",
            Self::ChooseAnotherGroupId => "choose another id",
            Self::ChooseAnotherRuleName => "choose another name",
            Self::NameAnotherUser => "name another user",
            Self::ChangePolicyFile => "change it there",
            Self::DeclareTag => "declare it in a policy file",
            Self::DidYouMean(name) => return write!(f, "did you mean `{name}`?"),
            Self::KnownNames(names) => names,
            Self::AddAnotherSuperAdmin => "add another one first",
            Self::AddAnotherSuperAdminOrDeleteGroup => "add another one, or delete the group",
            Self::NameAnotherSuperAdmin => "make another one super admin",
            Self::GiveSuperAdmins { or_matrix } => {
                return write!(
                    f,
                    "make one of them super admin first, or set the matrix `{or_matrix}` if \
                     administrators run the group from outside"
                );
            }
            Self::DemoteSuperAdmin => "demote them first",
            Self::AddMember => "add them first",
            Self::AddRequiredMember => "add somebody first whom the group requires",
            Self::RemoveMember => "remove one first",
            Self::DeleteGroup => "delete the group instead",
            Self::DeleteFriend | Self::DeleteFriendList => "delete one first",
            Self::UnblockUser => "unblock a user first",
            Self::EndBlock => "end the block to restore the friendship",
        })
    }
}
