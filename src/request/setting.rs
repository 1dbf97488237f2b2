//! The words of settings: what a policy says for all users, and a record for one.

use super::{Condition, UnknownWord, text_enum::words};

words! {
    /// A permission switch.
    Switch: "permission" {
        /// Reach others at all.
        Outgoing = "outgoing",
        /// Be reached at all.
        Incoming = "incoming",
        StartChat = "start_chat",
        SendMessage = "send_message",
        VoiceCall = "voice_call",
        VideoCall = "video_call",
        FriendRequest = "friend_request",
        CreateGroup = "create_group",
    }
}

impl Switch {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Its place among all.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// What a switch is set to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Toggle<T> {
    Always(bool),
    /// On for users who meet the condition.
    When(Condition<T>),
}

words! {
    /// With whom a user communicates.
    PeersMode: "peers mode" {
        All = "all",
        /// With those whom he is paired with.
        Paired = "paired",
        /// With his contacts, the favorites among them.
        Contacts = "contacts",
        Favorites = "favorites",
    }
}

impl PeersMode {
    /// The mode by its name or by its number, 0 to 3.
    ///
    /// # Errors
    /// Says which there are.
    pub fn parse(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "0" => Ok(Self::All),
            "1" => Ok(Self::Paired),
            "2" => Ok(Self::Contacts),
            "3" => Ok(Self::Favorites),
            word => word.parse(),
        }
    }
}

words! {
    /// What moderation did to a user.
    Moderation: "moderation state" {
        None = "none",
        /// May read, not write.
        Silenced = "silenced",
        /// May do nothing.
        Banned = "banned",
    }
}

words! {
    /// Who may become a user's friend.
    Approval: "approval" {
        AllowAny = "allow_any",
        /// Whoever asks waits for the user's answer.
        NeedConfirm = "need_confirm",
        DenyAny = "deny_any",
    }
}

words! {
    /// Whom a block stops.
    BlockMode: "block mode" {
        /// Nobody.
        Off = "off",
        /// Only the one who is blocked.
        OneWay = "one_way",
        /// Both, while either blocks the other.
        TwoWay = "two_way",
    }
}

words! {
    /// What becomes of users who are not known.
    UnknownUsers: "treatment" {
        /// They are refused.
        Deny = "deny",
        /// They are users without tags or settings.
        AllowDefaults = "allow_defaults",
    }
}

words! {
    /// Whether two users talk already.
    Conversation: "conversation" {
        New = "new",
        Existing = "existing",
    }
}

words! {
    /// An edge from one user to another.
    Relation: "relation" {
        Contact = "contact",
        /// A contact that is closer than others.
        Favorite = "favorite",
        Pair = "pair",
        Block = "block",
        Friend = "friend",
    }
}

impl Relation {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();
}
