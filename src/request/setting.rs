//! The vocabulary of settings, which a policy sets for all users and a record for one.

use super::{Condition, EnumMap, UnknownWordError, text_enum::text_enum};

text_enum! {
    /// A permission switch.
    Switch: "permission" {
        /// Reach other users at all.
        Outgoing = "outgoing",
        /// Be reached by other users at all.
        Incoming = "incoming",
        StartChat = "start_chat",
        SendMessage = "send_message",
        VoiceCall = "voice_call",
        VideoCall = "video_call",
        FriendRequest = "friend_request",
        CreateGroup = "create_group",
    }
}

/// A total map from the switches.
pub type SwitchMap<V> = EnumMap<Switch, V, { Switch::COUNT }>;

/// The value of a switch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Toggle<T> {
    Always(bool),
    /// On for users who meet the condition.
    When(Condition<T>),
}

text_enum! {
    /// The mode that selects the users with whom a user communicates.
    PeersMode: "peers mode" {
        All = "all",
        /// The users with whom the user is paired.
        Paired = "paired",
        /// The contacts of the user, the favorites included.
        Contacts = "contacts",
        Favorites = "favorites",
        /// The friends of the user.
        Friends = "friends",
        Nobody = "nobody",
    }
}

impl PeersMode {
    /// The number of modes that have a number besides their name.
    pub const NUMBERED: usize = 4;

    /// Parses the name of a mode, or its number, 0 to 3.
    ///
    /// # Errors
    /// If the text is neither; the error names the modes.
    pub fn parse(text: &str) -> Result<Self, UnknownWordError> {
        match text {
            "0" => Ok(Self::All),
            "1" => Ok(Self::Paired),
            "2" => Ok(Self::Contacts),
            "3" => Ok(Self::Favorites),
            word => word.parse(),
        }
    }
}

text_enum! {
    /// The moderation state of a user.
    Moderation: "moderation state" {
        None = "none",
        /// The user may read, but not write.
        Silenced = "silenced",
        /// The user may do nothing.
        Banned = "banned",
        /// The user may write, and nobody else is shown what they write.
        Shadowed = "shadowed",
    }
}

text_enum! {
    /// A list of a user's record whose elements may end.
    UserList: "list" {
        Tags = "tags",
        Contacts = "contacts",
        Favorites = "favorites",
        Paired = "paired",
        Blocked = "blocked",
        Friends = "friends",
    }
}

impl UserList {
    /// The list of the users to whom the owner has a relation.
    pub const fn of_relation(relation: Relation) -> Self {
        match relation {
            Relation::Contact => Self::Contacts,
            Relation::Favorite => Self::Favorites,
            Relation::Pair => Self::Paired,
            Relation::Block => Self::Blocked,
            Relation::Friend => Self::Friends,
        }
    }

    /// The relation of the list's users to its owner; `None` for tags.
    pub const fn relation(self) -> Option<Relation> {
        match self {
            Self::Tags => None,
            Self::Contacts => Some(Relation::Contact),
            Self::Favorites => Some(Relation::Favorite),
            Self::Paired => Some(Relation::Pair),
            Self::Blocked => Some(Relation::Block),
            Self::Friends => Some(Relation::Friend),
        }
    }
}

text_enum! {
    /// The approval mode: whose friend requests a user accepts.
    Approval: "approval" {
        AllowAny = "allow_any",
        /// A request waits for the user's answer.
        NeedConfirm = "need_confirm",
        DenyAny = "deny_any",
    }
}

text_enum! {
    /// The mode of a block: whom it stops.
    BlockMode: "block mode" {
        /// No user.
        Off = "off",
        /// Only the blocked user.
        OneWay = "one_way",
        /// Both users, while either blocks the other.
        TwoWay = "two_way",
    }
}

text_enum! {
    /// The treatment of unknown users.
    UnknownUsers: "treatment" {
        /// Requests with an unknown user are denied.
        Deny = "deny",
        /// An unknown user is a user without tags or settings.
        AllowDefaults = "allow_defaults",
    }
}

text_enum! {
    /// The state of the conversation between two users.
    Conversation: "conversation" {
        New = "new",
        Existing = "existing",
    }
}

text_enum! {
    /// A relation: an edge from one user to another.
    Relation: "relation" {
        Contact = "contact",
        /// A contact that is closer than others.
        Favorite = "favorite",
        Pair = "pair",
        Block = "block",
        Friend = "friend",
    }
}

/// A total map from the relations.
pub type RelationMap<V> = EnumMap<Relation, V, { Relation::COUNT }>;

text_enum! {
    /// An action that blocks apply to.
    BlockableAction: "action" {
        StartChat = "start_chat",
        SendMessage = "send_message",
        VoiceCall = "voice_call",
        VideoCall = "video_call",
        AddMember = "add_member",
        FriendRequest = "friend_request",
        ViewProfile = "view_profile",
    }
}

/// A total map from the actions that blocks apply to.
pub type BlockableActionMap<V> = EnumMap<BlockableAction, V, { BlockableAction::COUNT }>;

text_enum! {
    /// A count that a policy can limit.
    LimitKind: "limit" {
        /// Friends of a user.
        Friends = "friends",
        /// Users whom a user blocks.
        Blocked = "blocked",
        /// Named lists into which a user sorts their friends.
        FriendLists = "friend_lists",
        /// Members of a group.
        GroupMembers = "group_members",
    }
}
