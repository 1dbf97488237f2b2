//! One decision, as fast as it can be had.

use crate::{
    gates::{GateContext, Principal, PrincipalPair, first_closed, obligations},
    request::{Decision, Reason, Request},
    snapshot::View,
};

/// The decision on a request: whether the subject may do this to the resource, and the reason.
///
/// Costs the look-ups of the ids, one of the tie between the two users, and a few membership tests,
/// however many rules there are; takes no lock and allocates nothing, unless the request brings
/// properties along. A request that is incomplete, as one that lacks the `member` which its action
/// takes, is denied.
#[inline]
pub fn decide(view: &View, request: &Request<'_>) -> Decision {
    // Both look-ups are begun before either is finished, so that they wait for memory together.
    let directory = &view.population.directory;
    let subject = directory.prefetch(request.subject.id);
    let context = GateContext::resolve(view, request);
    let other = context.other_user(request).map(|user| (user, directory.prefetch(user.id)));
    let subject = Principal::from_lookup(view, &request.subject, subject);
    let other = other.map(|(user, lookup)| Principal::from_lookup(view, user, lookup));
    let pair = PrincipalPair::new(view, &context, &subject, other.as_ref());
    evaluate(view, &context, &pair)
}

/// The decision on a request that is resolved already.
#[inline]
pub(super) fn evaluate(
    view: &View,
    context: &GateContext<'_>,
    pair: &PrincipalPair<'_, '_>,
) -> Decision {
    conclude(view, first_closed(view, context, pair), context, pair)
}

/// The decision that follows from the first closed gate, or from none being closed.
pub(super) fn conclude(
    view: &View,
    closed: Option<Reason>,
    context: &GateContext<'_>,
    pair: &PrincipalPair<'_, '_>,
) -> Decision {
    match closed {
        Some(reason) => Decision::denied(reason),
        None => Decision { obligations: obligations(view, context, pair), ..Decision::ALLOWED },
    }
}
