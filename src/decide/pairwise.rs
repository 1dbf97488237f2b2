//! Answers about any two users by number.

use super::explain::{Explanation, explain_with};
use crate::{
    gates::{
        GATES, Gate, GateContext, GateScope, OneSided, PairRequirements, Principal, PrincipalPair,
        first_closed_between, one_sided, opening_rules,
    },
    request::{Conversation, Request, RequestedAction, Resource, ResourceKind, User},
    snapshot::{CompiledRule, Selection, TagId, Tie, UserNumber, View},
};

/// An evaluator of one action between any two known users, by number and with any tie: what it takes to
/// count pairs without a decision on each.
///
/// The answer depends on the two users' tags and states and on their tie alone
/// ([`GateScope::Pair`](crate::gates::GateScope::Pair)).
#[derive(Debug)]
pub struct PairEvaluator<'v> {
    view: &'v View,
    context: GateContext<'static>,
}

impl<'v> PairEvaluator<'v> {
    /// An evaluator of an action; `conversation` stands in for what the ties say.
    ///
    /// If the action takes groups alone, the answer is about the subject and the member, whatever the
    /// group; if it takes neither users nor groups, about the subject alone.
    pub fn new(
        view: &'v View,
        asked: impl Into<RequestedAction>,
        conversation: Option<Conversation>,
    ) -> Self {
        let asked = asked.into();
        let takes = asked.action.takes();
        let resource = if takes.contains(&ResourceKind::User) {
            Resource::User(User::from(""))
        } else if takes.contains(&ResourceKind::Group) {
            Resource::Group("".into())
        } else {
            Resource::None
        };
        let request = Request::with_resource("", asked.action, resource).with_action(asked);
        let request = Request { conversation, ..request };
        Self { view, context: GateContext::resolve(view, &request) }
    }

    /// Whether the conversation of the two is taken to be new or to exist; `None` where their tie says it.
    pub fn conversation(&self) -> Option<Conversation> {
        self.context.conversation()
    }

    /// What the action requires of the gates.
    pub fn requirements(&self) -> PairRequirements {
        self.context.pair_requirements()
    }

    /// The evaluator of the same action under another view of the same users and groups.
    #[must_use]
    pub fn with_view<'o>(&self, view: &'o View) -> PairEvaluator<'o> {
        PairEvaluator { view, context: self.context }
    }

    /// The evaluator of the same action in a conversation that exists, whatever the ties say.
    #[must_use]
    pub fn in_existing_conversation(&self) -> Self {
        Self { view: self.view, context: self.context.in_existing_conversation() }
    }

    /// The conditions of all gates on each of two users alone. Costs the copy of a few sets at most.
    pub fn one_sided(&self) -> OneSided<'v> {
        one_sided(self.view, &self.context)
    }

    /// The users on whom a user may act by the gates of [`GateScope::Pair`], with the ties and groups of the
    /// view; the user may be among them. Costs set algebra over the tags, ties and groups concerned.
    pub fn reached(&self, subject: UserNumber) -> Selection<'v> {
        self.admitted(&Principal::from_number(self.view, subject))
    }

    /// The users on whom a user may act who are strangers to them: without a tie and without a common group.
    /// Costs as much as [`reached`](Self::reached).
    pub fn reached_strangers(&self, subject: UserNumber) -> Selection<'v> {
        self.admitted(&Principal::stranger(self.view, subject))
    }

    /// The users who may act on a user, by the same gates; the user may be among them. Costs as much as
    /// [`reached`](Self::reached).
    pub fn reaching(&self, other: UserNumber) -> Selection<'v> {
        self.admitted_to(&Principal::from_number(self.view, other))
    }

    /// The users who may act on a user to whom they are strangers. Costs as much as
    /// [`reached`](Self::reached).
    pub fn reaching_strangers(&self, other: UserNumber) -> Selection<'v> {
        self.admitted_to(&Principal::stranger(self.view, other))
    }

    fn admitted_to(&self, other: &Principal<'_>) -> Selection<'v> {
        let gates = GATES.iter().filter(|gate| gate.scope() == GateScope::Pair);
        Selection::all(
            gates.map(|gate| gate.admitted_subjects(self.view, &self.context, Some(other))),
        )
    }

    fn admitted(&self, subject: &Principal<'_>) -> Selection<'v> {
        let gates = GATES.iter().filter(|gate| gate.scope() == GateScope::Pair);
        Selection::all(gates.map(|gate| gate.admitted_others(self.view, &self.context, subject)))
    }

    /// The rules that let one user reach another, if rules apply to them.
    pub fn opening_rules(&self, subject: UserNumber, other: UserNumber) -> Vec<&'v CompiledRule> {
        let tie = self.view.population.tie(subject, other);
        let (subject, other) =
            (Principal::from_number(self.view, subject), Principal::from_number(self.view, other));
        opening_rules(self.view, &self.context, &PrincipalPair::with_tie(&subject, &other, tie))
    }

    /// Whether one user may act on another, with the tie and the groups of the view.
    pub fn allows_acquainted(&self, subject: UserNumber, other: UserNumber) -> bool {
        let tie = self.view.population.tie(subject, other);
        let (subject, other) =
            (Principal::from_number(self.view, subject), Principal::from_number(self.view, other));
        let pair = PrincipalPair::with_tie(&subject, &other, tie);
        first_closed_between(self.view, &self.context, &pair).is_none()
    }

    /// Whether one user may act on another if they are strangers: without a tie and without a common group.
    pub fn allows_strangers(&self, subject: UserNumber, other: UserNumber) -> bool {
        let subject = Principal::stranger(self.view, subject);
        let other = Principal::stranger(self.view, other);
        let pair = PrincipalPair::with_tie(&subject, &other, Tie::NONE);
        first_closed_between(self.view, &self.context, &pair).is_none()
    }

    /// Whether one user may act on another if they are strangers who share these tags and no others, whatever tags
    /// they have.
    pub fn allows_sharing(&self, subject: UserNumber, other: UserNumber, shared: &[TagId]) -> bool {
        let subject = Principal::sharing(self.view, subject, shared);
        let other = Principal::sharing(self.view, other, shared);
        let pair = PrincipalPair::with_tie(&subject, &other, Tie::NONE);
        first_closed_between(self.view, &self.context, &pair).is_none()
    }

    /// Whether one user may act on another if this is their tie. Friendships count in it as far as the
    /// policy lets blocks end them.
    pub fn allows(&self, subject: UserNumber, other: UserNumber, tie: Tie) -> bool {
        let tie = tie.with_friendships(self.view.settings.blocks_end_friendship);
        let (subject, other) =
            (Principal::from_number(self.view, subject), Principal::from_number(self.view, other));
        let pair = PrincipalPair::with_tie(&subject, &other, tie);
        first_closed_between(self.view, &self.context, &pair).is_none()
    }

    /// The explanation by the gates of [`GateScope::Pair`] for two users with their tie in the view, or for
    /// the subject alone.
    pub fn explain(&self, subject: UserNumber, other: Option<UserNumber>) -> Explanation {
        let tie = other.map_or(Tie::NONE, |other| self.view.population.tie(subject, other));
        let subject = Principal::from_number(self.view, subject);
        let other = other.map(|other| Principal::from_number(self.view, other));
        let pair = match &other {
            Some(other) => PrincipalPair::with_tie(&subject, other, tie),
            None => PrincipalPair::new(self.view, &self.context, &subject, None),
        };
        let gates: Vec<&dyn Gate> =
            GATES.into_iter().filter(|gate| gate.scope() == GateScope::Pair).collect();
        explain_with(self.view, &self.context, &pair, &gates)
    }
}
