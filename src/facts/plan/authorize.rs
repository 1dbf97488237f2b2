//! Authorization of commands that are on a user's behalf.

use std::collections::BTreeMap;

use super::{
    CommandError, Hint, PlanError, draft::Draft, draft::escaped, membership::not_member_error,
};
use crate::{
    facts::{GroupFields, Id, Op, UnilateralRelation, UserPair},
    request::{Action, Obligation, Reason, Request, Resource},
};

/// The authorization that a command requires.
enum Authorization<'c> {
    Action(Request<'c>),
    /// The command concerns the user only, who must be known and not banned.
    SelfOnly,
    /// No action covers the command: the user must be a manager.
    Management,
}

/// Checks that the command's acting user, if there is one, is allowed to run it.
///
/// # Errors
/// The reason of the decision, if not.
pub(super) fn check<E>(draft: &mut Draft<'_, E>, op: &Op) -> Result<(), PlanError<E>> {
    let Some(subject) = draft.on_behalf else { return Ok(()) };
    draft.user(subject)?;
    let required = required_authorization(draft, subject, op);
    if let Authorization::Action(Request { resource: Resource::User(other), .. }) = &required {
        draft.user(other.id)?;
    }
    if let Authorization::Action(Request { resource: Resource::Group(group), .. }) = &required {
        draft.group(group.id)?;
    }
    let request = match &required {
        Authorization::Action(request) => request,
        Authorization::SelfOnly => &Request::with_resource(subject, Action::SignIn, Resource::None),
        // Only managers may list users.
        Authorization::Management => {
            &Request::with_resource(subject, Action::ListUsers, Resource::None)
        }
    };
    check_allowed(draft, subject, op.name(), request)
}

/// Checks that a user is allowed to do what an operation does.
///
/// # Errors
/// The reason of the decision, if not.
pub(super) fn check_allowed<E>(
    draft: &mut Draft<'_, E>,
    subject: &Id,
    op: &str,
    request: &Request<'_>,
) -> Result<(), PlanError<E>> {
    let decision = draft.context.decide(request);
    // Of a subject who is a member, it is the other one who is not.
    if let (Reason::NotMember, Resource::Group(group), Some(member)) =
        (decision.reason, &request.resource, &request.member)
        && draft.role(group.id, subject)?.is_some()
    {
        return Err(not_member_error(group.id, member.id).into());
    }
    let reason = if !decision.allow {
        decision.reason
    } else if decision.obligations.contains(Obligation::Hide) {
        // Facts can't be hidden from others: a shadowed user is refused as a silenced one.
        Reason::Silenced
    } else if decision.obligations.contains(Obligation::Request) {
        // What may begin as a request is not done before it is taken.
        Reason::NotInAudience
    } else {
        return Ok(());
    };
    let (why, hint) = describe(reason);
    let problem = format!("`{}` may not {}: {why}", escaped(subject), op);
    Err(CommandError { hint, ..CommandError::new(reason, problem) }.into())
}

fn required_authorization<'c, E>(
    draft: &Draft<'_, E>,
    subject: &'c Id,
    op: &'c Op,
) -> Authorization<'c> {
    let to = |action, user: &'c Id| Authorization::Action(Request::new(subject, action, user));
    let member = |action, group: &'c Id, member: &'c Id| {
        let request = Request::in_group(subject, action, group);
        Authorization::Action(Request { member: Some((&**member).into()), ..request })
    };
    let self_only = |acting: &Id| {
        if acting == subject { Authorization::SelfOnly } else { Authorization::Management }
    };
    match op {
        Op::Ban { user } => to(Action::Ban, user),
        Op::Silence { user } => to(Action::Silence, user),
        Op::Shadow { user } => to(Action::Shadow, user),
        Op::Reactivate { user } => to(Action::Reactivate, user),
        Op::Block { from, to: other } if from == subject => to(Action::Block, other),
        Op::Unblock { from, to: other } if from == subject => to(Action::Unblock, other),
        Op::RequestFriend { from, to: other, .. } if from == subject => {
            to(Action::FriendRequest, other)
        }
        Op::AddFriend { from, to: other, approved, force, .. }
            if from == subject && [approved, force].into_iter().all(|it| *it != Some(true)) =>
        {
            to(Action::FriendRequest, other)
        }
        // Administrators and managers create pairs; each of the two users may end one.
        Op::Relate { kind: UnilateralRelation::Pair, .. } => Authorization::Management,
        Op::Relate { from, .. }
        | Op::Unrelate { from, .. }
        | Op::DeleteFriend { from, .. }
        | Op::UpdateFriend { from, .. } => self_only(from),
        // The recipient of the request answers.
        Op::AcceptFriend { to, .. } | Op::RefuseFriend { to, .. } => self_only(to),
        Op::AddFriendList { user, .. } | Op::DeleteFriendList { user, .. } => self_only(user),
        Op::PutGroup { group, fields }
            if !draft.context.knows_group(group) && names_only(fields, subject) =>
        {
            Authorization::Action(Request::with_resource(
                subject,
                Action::CreateGroup,
                Resource::None,
            ))
        }
        Op::AddMember { group, member: who } => member(Action::AddMember, group, who),
        Op::Join { member: who, .. } => self_only(who),
        Op::RemoveMember { group, member: who } if who == subject => {
            Authorization::Action(Request::in_group(subject, Action::Leave, group))
        }
        Op::RemoveMember { group, member: who } => member(Action::RemoveMember, group, who),
        Op::AddAdmin { group, member: who } => member(Action::AddAdmin, group, who),
        Op::RemoveAdmin { group, member: who } => member(Action::RemoveAdmin, group, who),
        Op::AddSuperAdmin { group, member: who } => member(Action::AddSuperAdmin, group, who),
        Op::RemoveSuperAdmin { group, member: who } => member(Action::RemoveSuperAdmin, group, who),
        Op::MuteMember { group, member: who } => member(Action::MuteMember, group, who),
        Op::UnmuteMember { group, member: who } => member(Action::UnmuteMember, group, who),
        Op::BanMember { group, member: who } => member(Action::BanMember, group, who),
        Op::UnbanMember { group, member: who } => member(Action::UnbanMember, group, who),
        Op::UpdateMetadata { group, field, .. } => {
            let request = Request::in_group(subject, Action::UpdateMetadata, group);
            Authorization::Action(Request { field: Some(field), ..request })
        }
        Op::UpdatePermissions { group, .. } => {
            Authorization::Action(Request::in_group(subject, Action::UpdatePermissions, group))
        }
        Op::OpenConversation { users: UserPair(one, other), .. } if one == subject => {
            to(Action::StartChat, other)
        }
        Op::OpenConversation { users: UserPair(one, other), .. } if other == subject => {
            to(Action::StartChat, one)
        }
        Op::PutUser { .. }
        | Op::DeleteUser { .. }
        | Op::AddTags { .. }
        | Op::RemoveTags { .. }
        | Op::Block { .. }
        | Op::Unblock { .. }
        | Op::RequestFriend { .. }
        | Op::AddFriend { .. }
        | Op::PutGroup { .. }
        | Op::DeleteGroup { .. }
        | Op::OpenConversation { .. }
        | Op::CloseConversation { .. }
        | Op::PutRule { .. }
        | Op::DeleteRule { .. } => Authorization::Management,
    }
}

/// Whether a new group names nobody but the creator: adding others takes a decision for each.
fn names_only(fields: &GroupFields, subject: &Id) -> bool {
    let lists = [&fields.super_admins, &fields.admins, &fields.members, &fields.add_members];
    let roles = fields.roles.iter().flat_map(BTreeMap::keys);
    let mut named = lists.into_iter().flatten().flatten().chain(roles);
    let creator = fields.creator.replacement().flatten();
    named.all(|id| id == subject)
        && creator.is_none_or(|creator| creator == subject)
        && fields.added_by.is_none()
}

/// A reason in words, and what to do about it.
fn describe(reason: Reason) -> (&'static str, Option<Hint>) {
    let problem = match reason {
        Reason::Allowed => "no reason was given",
        Reason::UnknownSubject => return ("the user is not known", Some(Hint::CreateUser)),
        Reason::UnknownResource => "the user or group that it concerns is not known",
        Reason::OneSelf => "users can't do it to themselves",
        Reason::Banned => "the user is banned",
        Reason::Silenced => "the user is silenced",
        Reason::NotManager => "the user is not one of the policy's moderation.managers",
        Reason::OutgoingOff => "the user's `outgoing` is off",
        Reason::IncomingOff => "the other user's `incoming` is off",
        Reason::PermissionOff => "the user's permission for it is off",
        Reason::BlockedByResource => "the other user blocks them",
        Reason::BlockedBySubject => "they block the other user",
        Reason::PeersSubject => "their peers mode does not admit the other user",
        Reason::PeersResource => "the other user's peers mode does not admit them",
        Reason::NotInAudience => "the other user does not accept it from them",
        Reason::Barrier => "a barrier keeps the two apart",
        Reason::NoRule => "no rule lets them reach the other user",
        Reason::AlreadyFriends => "the two are friends already",
        Reason::RequestsRefused => "the other user accepts no friend requests",
        Reason::FriendListFull => "one of the two friend lists is full",
        Reason::BannedFromGroup => "the group bans the user",
        Reason::AlreadyMember => "the user is a member of the group already",
        Reason::NotMember => "the user is not a member of the group",
        Reason::Muted => "the group mutes the user",
        Reason::InviteOnly => "nobody joins the group: members are added",
        Reason::RequiredMemberMissing => "nobody whom the group requires is in it",
        Reason::LastRequiredMember => {
            let problem = "nobody whom the group requires would be in it";
            return (problem, Some(Hint::AddRequiredMember));
        }
        Reason::NeedsAdmin => "only admins of the group may",
        Reason::NeedsSuperAdmin => "only super admins of the group may",
        Reason::DeniedByMatrix => "the group's matrix denies it",
        Reason::SuperAdminProtected => "a super admin must be demoted first",
        Reason::LastSuperAdmin => {
            return ("the group would have no super admin", Some(Hint::AddAnotherSuperAdmin));
        }
        Reason::LastMember => return ("they are the only member", Some(Hint::DeleteGroup)),
        Reason::GroupFull => "the group is full",
        Reason::Stale => "the policy or the facts are too old to decide by",
    };
    (problem, None)
}
