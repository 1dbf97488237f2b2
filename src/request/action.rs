//! The actions that a policy decides on, and the kinds of resources that each one takes.

use super::{BlockableAction, text_enum::text_enum};

text_enum! {
    /// An action that a subject wants to perform.
    Action: "action" {
        /// Use the service at all.
        SignIn = "sign_in",
        /// Read the messages of a user, or the content of a group.
        Read = "read",
        ViewProfile = "view_profile",
        Post = "post",
        Comment = "comment",
        React = "react",
        /// Start a new direct chat with a user.
        StartChat = "start_chat",
        SendMessage = "send_message",
        VoiceCall = "voice_call",
        VideoCall = "video_call",
        /// Ask a user for their friendship.
        FriendRequest = "friend_request",
        Block = "block",
        Unblock = "unblock",
        Ban = "ban",
        Silence = "silence",
        /// Let a user write what nobody else is shown.
        Shadow = "shadow",
        /// Undo a ban, a silence or a shadow.
        Reactivate = "reactivate",
        /// See the list of all users.
        ListUsers = "list_users",
        CreateGroup = "create_group",
        AddMember = "add_member",
        /// Become a member of a group without being added.
        Join = "join",
        RemoveMember = "remove_member",
        /// Change a field of a group's metadata.
        UpdateMetadata = "update_metadata",
        AddAdmin = "add_admin",
        RemoveAdmin = "remove_admin",
        AddSuperAdmin = "add_super_admin",
        RemoveSuperAdmin = "remove_super_admin",
        /// Change what members of a group may do.
        UpdatePermissions = "update_permissions",
        /// Take from a member of a group the right to speak there.
        MuteMember = "mute_member",
        UnmuteMember = "unmute_member",
        /// Keep a user out of a group: they are removed, and neither added nor let in.
        BanMember = "ban_member",
        UnbanMember = "unban_member",
        Leave = "leave",
    }
}

/// The kind of a request's resource.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ResourceKind {
    /// No resource, or one that is neither a user nor a group.
    None,
    User,
    Group,
}

impl Action {
    /// The kinds of resources that the action applies to, at least one; the first is the default
    /// where the kind is not given.
    pub const fn takes(self) -> &'static [ResourceKind] {
        use ResourceKind::{Group, None, User};
        match self {
            Self::SignIn | Self::ListUsers | Self::CreateGroup => &[None],
            Self::Read | Self::SendMessage | Self::VoiceCall | Self::VideoCall => &[User, Group],
            Self::Post | Self::Comment | Self::React => &[User, Group, None],
            Self::ViewProfile
            | Self::StartChat
            | Self::FriendRequest
            | Self::Block
            | Self::Unblock
            | Self::Ban
            | Self::Silence
            | Self::Shadow
            | Self::Reactivate => &[User],
            Self::AddMember
            | Self::Join
            | Self::RemoveMember
            | Self::UpdateMetadata
            | Self::AddAdmin
            | Self::RemoveAdmin
            | Self::AddSuperAdmin
            | Self::RemoveSuperAdmin
            | Self::UpdatePermissions
            | Self::MuteMember
            | Self::UnmuteMember
            | Self::BanMember
            | Self::UnbanMember
            | Self::Leave => &[Group],
        }
    }

    /// The part of a request besides subject and resource that the action concerns.
    const fn detail(self) -> Detail {
        match self {
            Self::AddMember
            | Self::RemoveMember
            | Self::AddAdmin
            | Self::RemoveAdmin
            | Self::AddSuperAdmin
            | Self::RemoveSuperAdmin
            | Self::MuteMember
            | Self::UnmuteMember
            | Self::BanMember
            | Self::UnbanMember => Detail::Member,
            Self::UpdateMetadata => Detail::Field,
            Self::SignIn
            | Self::Read
            | Self::ViewProfile
            | Self::Post
            | Self::Comment
            | Self::React
            | Self::StartChat
            | Self::SendMessage
            | Self::VoiceCall
            | Self::VideoCall
            | Self::FriendRequest
            | Self::Block
            | Self::Unblock
            | Self::Ban
            | Self::Silence
            | Self::Shadow
            | Self::Reactivate
            | Self::ListUsers
            | Self::CreateGroup
            | Self::Join
            | Self::UpdatePermissions
            | Self::Leave => Detail::None,
        }
    }

    /// Whether the action concerns a `member` of the group, or a user who is to become one.
    pub const fn takes_member(self) -> bool {
        matches!(self.detail(), Detail::Member)
    }

    /// Whether the action concerns a `field` of the group's metadata.
    pub const fn takes_field(self) -> bool {
        matches!(self.detail(), Detail::Field)
    }

    /// Whether the subject says something to others by it.
    pub const fn is_speech(self) -> bool {
        matches!(
            self,
            Self::SendMessage
                | Self::VoiceCall
                | Self::VideoCall
                | Self::Post
                | Self::Comment
                | Self::React
        )
    }

    /// Whether a conversation can begin with it as a request, which the resource may take or leave.
    pub const fn is_requestable(self) -> bool {
        matches!(self, Self::StartChat | Self::SendMessage | Self::VoiceCall | Self::VideoCall)
    }

    /// The action as one that blocks apply to; `None` if they don't.
    #[inline]
    pub const fn blockable(self) -> Option<BlockableAction> {
        match self {
            Self::StartChat => Some(BlockableAction::StartChat),
            Self::SendMessage => Some(BlockableAction::SendMessage),
            Self::VoiceCall => Some(BlockableAction::VoiceCall),
            Self::VideoCall => Some(BlockableAction::VideoCall),
            Self::AddMember => Some(BlockableAction::AddMember),
            Self::FriendRequest => Some(BlockableAction::FriendRequest),
            Self::ViewProfile => Some(BlockableAction::ViewProfile),
            Self::SignIn
            | Self::Read
            | Self::Post
            | Self::Comment
            | Self::React
            | Self::Block
            | Self::Unblock
            | Self::Ban
            | Self::Silence
            | Self::Shadow
            | Self::Reactivate
            | Self::ListUsers
            | Self::CreateGroup
            | Self::Join
            | Self::RemoveMember
            | Self::UpdateMetadata
            | Self::AddAdmin
            | Self::RemoveAdmin
            | Self::AddSuperAdmin
            | Self::RemoveSuperAdmin
            | Self::UpdatePermissions
            | Self::MuteMember
            | Self::UnmuteMember
            | Self::BanMember
            | Self::UnbanMember
            | Self::Leave => None,
        }
    }
}

/// The part of a request besides subject and resource that an action concerns.
enum Detail {
    None,
    Member,
    Field,
}

impl BlockableAction {
    /// The action itself.
    pub const fn action(self) -> Action {
        match self {
            Self::StartChat => Action::StartChat,
            Self::SendMessage => Action::SendMessage,
            Self::VoiceCall => Action::VoiceCall,
            Self::VideoCall => Action::VideoCall,
            Self::AddMember => Action::AddMember,
            Self::FriendRequest => Action::FriendRequest,
            Self::ViewProfile => Action::ViewProfile,
        }
    }
}

/// Each blockable action is that of its action.
#[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
const _: () = {
    let mut at = 0;
    while at < BlockableAction::COUNT {
        let blockable = BlockableAction::ALL[at];
        assert!(
            matches!(blockable.action().blockable(), Some(same) if same as usize == at),
            "`Action::blockable` leaves a blockable action out"
        );
        at += 1;
    }
};
