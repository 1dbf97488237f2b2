use super::{Explanation, explain};
use crate::{
    gates::{
        Ends, GATES, Gate, GateContext, Principal, PrincipalPair, Sides, by_tags, ends,
        first_closed_between, opening_rules, strangers,
    },
    request::{Action, Conversation, GateName, Request, Resource, ResourceKind, Toggle, User},
    snapshot::{CompiledRule, Selection, TagId, Tie, UserNumber, View},
};

/// Decides about any two users by number, and about users as if nothing were between them: what it
/// takes to count pairs without asking about each.
///
/// What is allowed between two users depends on nothing but their tags, where they stand, and what
/// is between them.
#[derive(Debug)]
pub struct PairEvaluator<'v> {
    view: &'v View,
    context: GateContext<'static>,
}

impl<'v> PairEvaluator<'v> {
    /// Of an action between users; `conversation` stands in for what the facts say of each pair.
    ///
    /// Of an action that is done to groups alone, it judges what is between the subject and the
    /// member; of one that is done to nobody, what the subject may.
    pub fn new(view: &'v View, action: Action, conversation: Option<Conversation>) -> Self {
        let takes = action.takes();
        let resource = if takes.contains(&ResourceKind::User) {
            Resource::User(User::from(""))
        } else if takes.contains(&ResourceKind::Group) {
            Resource::Group("".into())
        } else {
            Resource::None
        };
        let request = Request { conversation, ..Request::with_resource("", action, resource) };
        Self { view, context: GateContext::resolve(view, &request) }
    }

    /// Which users may do it to each other where nothing is between them.
    pub fn strangers(&self) -> Sides<'v, Selection<'v>> {
        strangers(self.view, &self.context)
    }

    /// The same of all users that there may be, told by their tags.
    pub fn by_tags(&self) -> Sides<'v, Vec<Toggle<TagId>>> {
        by_tags(self.view, &self.context)
    }

    /// The rules that let one user reach another, if rules are asked about them.
    pub fn opening_rules(&self, subject: UserNumber, other: UserNumber) -> Vec<&'v CompiledRule> {
        let tie = self.view.population.tie(subject, other);
        let (subject, other) =
            (Principal::from_number(self.view, subject), Principal::from_number(self.view, other));
        opening_rules(self.view, &self.context, &PrincipalPair::with_tie(&subject, &other, tie))
    }

    /// Whether one user may do it to another if this is what is between them, whatever its view says of
    /// friendships that blocks end.
    pub fn allows(&self, subject: UserNumber, other: UserNumber, tie: Tie) -> bool {
        let tie = tie.with_friendships(self.view.settings.blocks_end_friendship);
        let (subject, other) =
            (Principal::from_number(self.view, subject), Principal::from_number(self.view, other));
        let pair = PrincipalPair::with_tie(&subject, &other, tie);
        first_closed_between(self.view, &self.context, &pair).is_none()
    }

    /// What the gates say of each side alone.
    pub fn ends(&self) -> Ends<'v> {
        ends(self.view, &self.context)
    }

    /// What every gate says that is asked about two users as they are, or about the subject alone.
    pub fn explain(&self, subject: UserNumber, other: Option<UserNumber>) -> Explanation {
        let tie = other.map_or(Tie::NONE, |other| self.view.population.tie(subject, other));
        let subject = Principal::from_number(self.view, subject);
        let other = other.map(|other| Principal::from_number(self.view, other));
        let pair = match &other {
            Some(other) => PrincipalPair::with_tie(&subject, other, tie),
            None => PrincipalPair::new(self.view, &self.context, &subject, None),
        };
        let is_of_place =
            |gate: &&dyn Gate| matches!(gate.name(), GateName::Known | GateName::Role);
        let gates: Vec<&dyn Gate> = GATES.into_iter().filter(|gate| !is_of_place(gate)).collect();
        explain::explain_with(self.view, &self.context, &pair, &gates)
    }
}
