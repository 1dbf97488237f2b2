//! The two users whom a decision is about.

use super::{context::GateContext, principal::Principal};
use crate::{
    request::Conversation,
    snapshot::{Tie, View},
};

/// The subject and the other user of a request, with the tie between them.
#[derive(Clone, Copy, Debug)]
pub struct PrincipalPair<'p, 'r> {
    pub subject: &'p Principal<'r>,
    /// The resource, if it is a user, or the `member`.
    pub other: Option<&'p Principal<'r>>,
    /// The tie between the two, seen from the subject.
    pub(super) tie: Tie,
}

impl<'p, 'r> PrincipalPair<'p, 'r> {
    /// The pair with its tie from the view. Costs one search in the shorter of the two rows of ties,
    /// if the action depends on ties at all.
    #[inline]
    pub fn new(
        view: &View,
        context: &GateContext<'_>,
        subject: &'p Principal<'r>,
        other: Option<&'p Principal<'r>>,
    ) -> Self {
        let numbers = other.and_then(|other| Some((subject.number?, other.number?)));
        let tie = match numbers {
            Some((one, other))
                if !view.only_rules_restrict
                    && (context.requirements.depends_on_ties()
                        || context.is_among(view.pair_actions)
                        || context.requirements.blocks_are_optional
                            && (view.speaks_of_pairs || !view.settings.actions.is_empty())) =>
            {
                view.population.tie(one, other)
            }
            _ => Tie::NONE,
        };
        Self { subject, other, tie }
    }

    /// The pair with a given tie in place of the view's.
    pub fn with_tie(subject: &'p Principal<'r>, other: &'p Principal<'r>, tie: Tie) -> Self {
        Self { subject, other: Some(other), tie }
    }

    /// Whether the request overrides nothing of either user.
    #[inline]
    pub(super) fn has_no_overrides(&self) -> bool {
        self.subject.has_no_overrides() && self.other.is_none_or(Principal::has_no_overrides)
    }

    /// Whether the subject acts on themself where users may, so that nothing between two users applies.
    #[inline]
    pub(super) fn is_exempt_self(&self, context: &GateContext<'_>) -> bool {
        (!context.is_between_users() || context.requirements.allows_self)
            && self.other.is_some_and(|other| other.is_same_user(self.subject))
    }

    /// Whether the two have a conversation, as the request says, or else the tie.
    #[inline]
    pub(super) fn conversation(&self, context: &GateContext<'_>) -> Conversation {
        context.conversation_with_tie(self.tie)
    }
}
