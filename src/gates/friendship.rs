use super::{Gate, GateContext, Principal, PrincipalPair};
use crate::{
    request::{Approval, GateName, Obligation, Reason, Relation, StatementId},
    snapshot::{Selection, Tie, UserSet, View},
};

/// Closed for requests to friends, to users who take none, and where a friend list is full.
pub(super) struct FriendshipGate;

/// Those with whom someone has such a tie.
fn users_with_tie<'v>(view: &View, who: &Principal<'_>, is: impl Fn(Tie) -> bool) -> Selection<'v> {
    let row = who.number.into_iter().flat_map(|number| view.population.ties_of(number));
    row.filter(|&(_, tie)| is(tie)).map(|(other, _)| other).collect::<UserSet>().into()
}

impl FriendshipGate {
    /// What an action that is let through obliges to.
    #[inline]
    pub(super) fn obligation(
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Obligation> {
        let other = pair.other.filter(|_| scene.requirements.checks_friendship)?;
        (other.state.approval() == Approval::NeedConfirm).then_some(Obligation::Confirm)
    }
}

impl Gate for FriendshipGate {
    fn name(&self) -> GateName {
        GateName::Friendship
    }

    #[inline]
    fn check(
        &self,
        _: &View,
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Reason> {
        let other = pair.other.filter(|_| scene.requirements.checks_friendship)?;
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

    fn admitted_others<'v>(
        &self,
        view: &'v View,
        scene: &GateContext<'_>,
        subject: &Principal<'_>,
    ) -> Selection<'v> {
        if !scene.requirements.checks_friendship {
            Selection::everybody()
        } else if subject.state.is_friend_list_full() {
            Selection::nobody()
        } else {
            let friends = users_with_tie(view, subject, |tie| tie.outgoing(Relation::Friend));
            let standings = &view.states;
            Selection::any([
                friends,
                standings.refusing_requests(),
                standings.with_full_friend_list(),
            ])
            .complement()
        }
    }

    fn admitted_subjects<'v>(
        &self,
        view: &'v View,
        scene: &GateContext<'_>,
        other: Option<&Principal<'_>>,
    ) -> Selection<'v> {
        let Some(other) = other.filter(|_| scene.requirements.checks_friendship) else {
            return Selection::everybody();
        };
        if other.state.approval() == Approval::DenyAny || other.state.is_friend_list_full() {
            return Selection::nobody();
        }
        let having_him = users_with_tie(view, other, |tie| tie.incoming(Relation::Friend));
        Selection::any([having_him, view.states.with_full_friend_list()]).complement()
    }

    fn consulted(
        &self,
        view: &View,
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Vec<StatementId>> {
        let other = pair.other.filter(|_| scene.requirements.checks_friendship)?;
        if pair.tie.outgoing(Relation::Friend) {
            return Some(Vec::new());
        }
        let mut asked: Vec<StatementId> = other.approval_statement(view).into_iter().collect();
        if other.state.approval() != Approval::DenyAny {
            asked.push(StatementId::FriendsLimit);
        }
        Some(asked)
    }

    fn describe(
        &self,
        view: &View,
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> String {
        let Some(other) = pair.other.filter(|_| scene.requirements.checks_friendship) else {
            return format!("friendship doesn't concern {}", scene.action);
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
            for who in
                [pair.subject, other].into_iter().filter(|who| who.state.is_friend_list_full())
            {
                said.push(format!("`{}` has {limit} friends, as many as there may be", who.id));
            }
        }
        said.join("; ")
    }
}
