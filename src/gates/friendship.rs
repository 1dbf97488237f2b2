use super::{Gate, Pair, Party, Scene};
use crate::{
    request::{Approval, GateName, Obligation, Reason, Relation, Statement},
    snapshot::{Selection, Tie, UserSet, View},
};

/// Closed for requests to friends, to users who take none, and where a friend list is full.
pub(super) struct Friendship;

/// Those with whom someone has such a tie.
fn tied<'v>(view: &View, who: &Party<'_>, is: impl Fn(Tie) -> bool) -> Selection<'v> {
    let row = who.number.into_iter().flat_map(|number| view.population.ties_of(number));
    row.filter(|&(_, tie)| is(tie)).map(|(other, _)| other).collect::<UserSet>().into()
}

impl Friendship {
    /// What an action that is let through obliges to.
    #[inline]
    pub(super) fn obligation(scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<Obligation> {
        let other = pair.other.filter(|_| scene.demands.friendship)?;
        (other.standing.approval() == Approval::NeedConfirm).then_some(Obligation::Confirm)
    }
}

impl Gate for Friendship {
    fn name(&self) -> GateName {
        GateName::Friendship
    }

    #[inline]
    fn check(&self, _: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<Reason> {
        let other = pair.other.filter(|_| scene.demands.friendship)?;
        if pair.tie.to(Relation::Friend) {
            Some(Reason::AlreadyFriends)
        } else if other.standing.approval() == Approval::DenyAny {
            Some(Reason::RequestsRefused)
        } else if pair.subject.standing.is_full() || other.standing.is_full() {
            Some(Reason::FriendListFull)
        } else {
            None
        }
    }

    fn admits<'v>(&self, view: &'v View, scene: &Scene<'_>, subject: &Party<'_>) -> Selection<'v> {
        if !scene.demands.friendship {
            Selection::everybody()
        } else if subject.standing.is_full() {
            Selection::nobody()
        } else {
            let friends = tied(view, subject, |tie| tie.to(Relation::Friend));
            let standings = &view.standings;
            Selection::any([friends, standings.refusing(), standings.full()]).complement()
        }
    }

    fn admitted<'v>(
        &self,
        view: &'v View,
        scene: &Scene<'_>,
        other: Option<&Party<'_>>,
    ) -> Selection<'v> {
        let Some(other) = other.filter(|_| scene.demands.friendship) else {
            return Selection::everybody();
        };
        if other.standing.approval() == Approval::DenyAny || other.standing.is_full() {
            return Selection::nobody();
        }
        let having_him = tied(view, other, |tie| tie.back(Relation::Friend));
        Selection::any([having_him, view.standings.full()]).complement()
    }

    fn asks(&self, view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<Vec<Statement>> {
        let other = pair.other.filter(|_| scene.demands.friendship)?;
        if pair.tie.to(Relation::Friend) {
            return Some(Vec::new());
        }
        let mut asked: Vec<Statement> = other.asks_approval(view).into_iter().collect();
        if other.standing.approval() != Approval::DenyAny {
            asked.push(Statement::FriendsLimit);
        }
        Some(asked)
    }

    fn detail(&self, view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> String {
        let Some(other) = pair.other.filter(|_| scene.demands.friendship) else {
            return format!("friendship doesn't concern {}", scene.action);
        };
        let is = if pair.tie.to(Relation::Friend) { "is" } else { "is not" };
        let mut said = vec![format!(
            "`{}` {is} in the friend list of `{}`; approval of `{}` is {}",
            other.id,
            pair.subject.id,
            other.id,
            other.standing.approval()
        )];
        if let Some(limit) = view.settings.limits.friends {
            for who in [pair.subject, other].into_iter().filter(|who| who.standing.is_full()) {
                said.push(format!("`{}` has {limit} friends, as many as there may be", who.id));
            }
        }
        said.join("; ")
    }
}
