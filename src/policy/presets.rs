//! Presets: the settings of documented systems.

use std::str::FromStr;

use crate::request::{BlockMode, BlockableAction, Blocks, Limits, Settings, TagForm};

/// A documented system whose values a policy takes for what it does not set itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Preset {
    /// Tags and rules: without a rule, nobody starts a chat. There are no blocks.
    Flip,
    /// Peers modes and pairs. A block stops both sides from everything.
    Mesibo,
    /// Moderation. A block stops both sides from starting a chat, and only the blocked one from
    /// writing on.
    Venueless,
    /// Group permissions. There are no blocks, and a group has at most 250 members.
    Xmtp,
    /// Friends and blocklists. A block stops the blocked one from writing, and both from asking to
    /// be friends; it ends a friendship.
    Tencent,
}

impl Preset {
    pub const ALL: &'static [Self] =
        &[Self::Flip, Self::Mesibo, Self::Venueless, Self::Xmtp, Self::Tencent];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Flip => "flip",
            Self::Mesibo => "mesibo",
            Self::Venueless => "venueless",
            Self::Xmtp => "xmtp",
            Self::Tencent => "tencent",
        }
    }

    /// The system's own value, used where a policy sets none.
    pub fn settings(self) -> Settings<String> {
        let defaults = Settings::default();
        match self {
            Self::Flip => Settings {
                blocks: Blocks::all(BlockMode::Off),
                tag_form: TagForm::Flip,
                ..defaults
            },
            Self::Mesibo => Settings { blocks: Blocks::all(BlockMode::TwoWay), ..defaults },
            Self::Venueless => Settings {
                blocks: Blocks::default()
                    .with(BlockableAction::StartChat, BlockMode::TwoWay)
                    .with(BlockableAction::FriendRequest, BlockMode::TwoWay)
                    .with(BlockableAction::SendMessage, BlockMode::OneWay),
                ..defaults
            },
            Self::Xmtp => Settings {
                blocks: Blocks::all(BlockMode::Off),
                limits: Limits { group_members: Some(250), ..Limits::default() },
                ..defaults
            },
            Self::Tencent => Settings {
                blocks: Blocks::default()
                    .with(BlockableAction::StartChat, BlockMode::OneWay)
                    .with(BlockableAction::SendMessage, BlockMode::OneWay)
                    .with(BlockableAction::FriendRequest, BlockMode::TwoWay),
                limits: Limits {
                    friends: Some(3000),
                    blocked: Some(1000),
                    friend_lists: Some(32),
                    ..Limits::default()
                },
                blocks_end_friendship: true,
                ..defaults
            },
        }
    }

    /// Whether an interaction needs a rule even if the policy has no `rules` section.
    pub(super) fn has_rules(self) -> bool {
        self == Self::Flip
    }
}

impl FromStr for Preset {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|preset| preset.as_str() == word).ok_or(())
    }
}
