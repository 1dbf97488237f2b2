//! The gate `friendship`: friend requests.

use super::{
    context::GateContext,
    denial::DenialReason,
    gate::{Gate, GateScope},
    one_sided::{OneSided, UserCondition},
    pair::PrincipalPair,
    principal::Principal,
    sets::users_with_tie,
};
use crate::{
    request::{Approval, GateName, Obligation, Reason, Relation, StatementId, Toggle},
    snapshot::{Selection, View},
};

/// The gate `friendship`: closed for a friend request to a friend, to a user who refuses requests, and
/// where one of the two friend lists is full.
pub(super) struct FriendshipGate;

impl FriendshipGate {
    pub(super) const DENIALS: &'static [DenialReason] = &[
        DenialReason::of_other(Reason::AlreadyFriends),
        DenialReason::of_other(Reason::RequestsRefused),
        DenialReason::new(Reason::FriendListFull, |_, _, pair| {
            let is_subject = pair.subject.state.is_friend_list_full();
            if is_subject { Some(pair.subject.id) } else { pair.other.map(|other| other.id) }
        }),
    ];
}

impl Gate for FriendshipGate {
    fn name(&self) -> GateName {
        GateName::Friendship
    }

    fn scope(&self) -> GateScope {
        GateScope::Pair
    }

    fn denials(&self) -> &'static [DenialReason] {
        Self::DENIALS
    }

    #[inline]
    fn check(
        &self,
        _: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Reason> {
        let other = pair.other.filter(|_| context.requirements.checks_friendship)?;
        if pair.tie.outgoing(Relation::Friend) {
            Some(Reason::AlreadyFriends)
        } else if other.state.approval() == Approval::DenyAny {
            Some(Reason::RequestsRefused)
        } else if pair.subject.state.is_friend_list_full() || other.state.is_friend_list_full() {
            Some(Reason::FriendListFull)
        } else {
            None
        }
    }

    #[inline]
    fn check_unrestricted(
        &self,
        _: &View,
        _: &GateContext<'_>,
        _: &PrincipalPair<'_, '_>,
    ) -> Option<Reason> {
        None
    }

    fn admitted_others<'v>(
        &self,
        view: &'v View,
        context: &GateContext<'_>,
        subject: &Principal<'_>,
    ) -> Selection<'v> {
        if !context.requirements.checks_friendship {
            Selection::everybody()
        } else if subject.state.is_friend_list_full() {
            Selection::nobody()
        } else {
            let friends = users_with_tie(view, subject, |_, tie| tie.outgoing(Relation::Friend));
            let (refusing, full) =
                (view.states.refusing_requests(), view.states.with_full_friend_list());
            Selection::any([friends.into(), refusing, full]).complement()
        }
    }

    fn admitted_subjects<'v>(
        &self,
        view: &'v View,
        context: &GateContext<'_>,
        other: Option<&Principal<'_>>,
    ) -> Selection<'v> {
        let Some(other) = other.filter(|_| context.requirements.checks_friendship) else {
            return Selection::everybody();
        };
        if other.state.approval() == Approval::DenyAny || other.state.is_friend_list_full() {
            return Selection::nobody();
        }
        let friends = users_with_tie(view, other, |_, tie| tie.incoming(Relation::Friend));
        Selection::any([friends.into(), view.states.with_full_friend_list()]).complement()
    }

    fn one_sided<'v>(&self, view: &'v View, context: &GateContext<'_>) -> OneSided<'v> {
        if !context.requirements.checks_friendship {
            return OneSided::default();
        }
        let has_room = || UserCondition {
            users: view.states.with_full_friend_list().complement(),
            tags: Toggle::Always(view.settings.limits.friends != Some(0)),
        };
        let accepts_requests = UserCondition {
            users: view.states.refusing_requests().complement(),
            tags: Toggle::Always(view.settings.approval != Approval::DenyAny),
        };
        OneSided {
            subjects: vec![has_room()],
            others: vec![has_room(), accepts_requests],
            ..OneSided::default()
        }
    }

    fn consulted(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Vec<StatementId>> {
        let other = pair.other.filter(|_| context.requirements.checks_friendship)?;
        if pair.tie.outgoing(Relation::Friend) {
            return Some(Vec::new());
        }
        let mut consulted: Vec<StatementId> = other.approval_statement(view).into_iter().collect();
        if other.state.approval() != Approval::DenyAny {
            consulted.push(StatementId::FriendsLimit);
        }
        Some(consulted)
    }

    fn describe(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> String {
        let Some(other) = pair.other.filter(|_| context.requirements.checks_friendship) else {
            return format!("friendship doesn't concern {}", context.requested_name(view));
        };
        let is = if pair.tie.outgoing(Relation::Friend) { "is" } else { "is not" };
        let mut said = vec![format!(
            "`{}` {is} in the friend list of `{}`; approval of `{}` is {}",
            other.id,
            pair.subject.id,
            other.id,
            other.state.approval()
        )];
        if let Some(limit) = view.settings.limits.friends {
            for user in [pair.subject, other] {
                if user.state.is_friend_list_full() {
                    let friends = if limit == 1 { "friend" } else { "friends" };
                    said.push(format!("`{}` has {limit} {friends}, which is the limit", user.id));
                }
            }
        }
        said.join("; ")
    }

    #[inline]
    fn obligation(
        &self,
        _: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Obligation> {
        let other = pair.other.filter(|_| context.requirements.checks_friendship)?;
        (other.state.approval() == Approval::NeedConfirm).then_some(Obligation::Confirm)
    }
}
