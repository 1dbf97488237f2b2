use super::{GateContext, Principal, PrincipalPair};
use crate::{
    request::{Action, Reason},
    snapshot::View,
};

/// The user whom a reason is about: who is banned, who blocks, who is unknown. `None` for reasons
/// that are about no one user, or about a group.
pub fn about<'r>(
    view: &View,
    scene: &GateContext<'_>,
    pair: &PrincipalPair<'_, 'r>,
    reason: Reason,
) -> Option<&'r str> {
    let subject = Some(pair.subject.id);
    let other = pair.other.map(|other| other.id);
    match reason {
        Reason::Allowed | Reason::NoRule | Reason::GroupFull | Reason::DeniedByMatrix => None,
        Reason::UnknownSubject
        | Reason::OneSelf
        | Reason::Banned
        | Reason::Silenced
        | Reason::NotManager
        | Reason::OutgoingOff
        | Reason::PermissionOff
        | Reason::BlockedBySubject
        | Reason::PeersSubject
        | Reason::NotMember
        | Reason::NeedsAdmin
        | Reason::NeedsSuperAdmin
        | Reason::LastMember => subject,
        Reason::UnknownResource => {
            let is_unknown = |other: &&Principal<'_>| !other.is_known(view);
            pair.other.filter(is_unknown).map(|other| other.id)
        }
        Reason::FriendListFull if pair.subject.state.is_friend_list_full() => subject,
        Reason::SuperAdminProtected if scene.action == Action::Leave => subject,
        Reason::FriendListFull
        | Reason::SuperAdminProtected
        | Reason::IncomingOff
        | Reason::BlockedByResource
        | Reason::PeersResource
        | Reason::AlreadyFriends
        | Reason::RequestsRefused
        | Reason::LastSuperAdmin => other,
    }
}
