//! Descriptions of words and switches, for editors.

use crate::request::{GroupPermission, Switch};

pub(super) fn switch(switch: Switch) -> &'static str {
    match switch {
        Switch::Outgoing => "Who may reach others at all.",
        Switch::Incoming => "Who may be reached at all.",
        Switch::StartChat => "Who may start new chats.",
        Switch::SendMessage => "Who may send messages.",
        Switch::VoiceCall => "Who may make voice calls.",
        Switch::VideoCall => "Who may make video calls.",
        Switch::FriendRequest => "Who may ask others to be friends.",
        Switch::CreateGroup => "Who may create groups.",
    }
}

pub(super) fn permission(permission: GroupPermission) -> &'static str {
    match permission {
        GroupPermission::AddMember => "Who may add members.",
        GroupPermission::RemoveMember => "Who may remove members; a super admin never is.",
        GroupPermission::UpdateMetadata => {
            "Who may change what the group says of itself: one value, or one for each field and `*` \
             for the rest."
        }
        GroupPermission::AddAdmin => "Who may make members admins.",
        GroupPermission::RemoveAdmin => "Who may make admins members.",
        GroupPermission::UpdatePermissions => "Who may change this matrix.",
        GroupPermission::SendMessage => "Who may send messages; all members, if left out.",
        GroupPermission::VoiceCall => "Who may make voice calls; all members, if left out.",
        GroupPermission::VideoCall => "Who may make video calls; all members, if left out.",
        GroupPermission::MuteMember => "Who may mute and unmute members; admins, if left out.",
        GroupPermission::BanMember => {
            "Who may ban users from the group and unban them; admins, if left out."
        }
        GroupPermission::Join => {
            "Which users may join who are no members, a condition without roles; nobody, if left out."
        }
        GroupPermission::Leave => "Who may leave; all members, if left out.",
    }
}

/// The one key of `moderation`.
pub(super) const MANAGERS: &str =
    "Who may ban, silence, shadow, reactivate and list users; nobody, if nothing is said.";

pub(super) const PRESET: &str = "The documented system whose settings hold where the policy says \
     nothing: flip (rules, no blocks), mesibo (peers modes), venueless (moderation), xmtp (group \
     permissions), tencent (friends and blocklists).";

pub(super) const BLOCK_MODE: &str = "The users that a block keeps from the action: none (off), the \
     blocked user (one_way), or both (two_way).";

pub(super) const PEERS_MODE: &str = "The users that a user communicates with: all, those paired with \
     them (paired), their contacts, their favorites, their friends, nobody, or an audience of the policy by \
     its name. The numbers mean the first four.";

pub(super) const APPROVAL: &str = "Who becomes a user's friend: everyone who asks (allow_any), those \
     that the user confirms (need_confirm), or nobody (deny_any).";

pub(super) const MODERATION: &str = "What moderation did: none, silenced (may read, not write), banned (may do nothing), or shadowed (may write, and \
     nobody else is shown it).";

pub(super) const UNKNOWN_USERS: &str = "Whether users who are not known are refused (deny), or are \
     users without tags or settings (allow_defaults).";
