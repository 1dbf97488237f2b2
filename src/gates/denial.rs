//! The reasons with which gates close, each with the user whom such a denial is about.

use super::{context::GateContext, pair::PrincipalPair};
use crate::{request::Reason, snapshot::View};

/// A reason with which a gate closes, and how to find the user whom such a denial is about.
#[derive(Clone, Copy, Debug)]
pub struct DenialReason {
    pub reason: Reason,
    concerned_user: ConcernedUser,
}

/// The user of a pair whom a denial is about.
pub(super) type ConcernedUser =
    for<'r> fn(&View, &GateContext<'_>, &PrincipalPair<'_, 'r>) -> Option<&'r str>;

impl DenialReason {
    /// A denial that is about the subject.
    pub(super) const fn of_subject(reason: Reason) -> Self {
        Self::new(reason, |_, _, pair| Some(pair.subject.id))
    }

    /// A denial that is about the resource, if it is a user, or the `member`.
    pub(super) const fn of_other(reason: Reason) -> Self {
        Self::new(reason, |_, _, pair| pair.other.map(|other| other.id))
    }

    /// A denial that is about no single user.
    pub(super) const fn of_nobody(reason: Reason) -> Self {
        Self::new(reason, |_, _, _| None)
    }

    /// A denial that is about one of the two, depending on the pair.
    pub(super) const fn new(reason: Reason, concerned_user: ConcernedUser) -> Self {
        Self { reason, concerned_user }
    }

    /// The user whom a denial of this pair for this reason is about; `None` if it is about no single
    /// user, or about a group.
    pub fn concerned_user<'r>(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, 'r>,
    ) -> Option<&'r str> {
        (self.concerned_user)(view, context, pair)
    }
}
