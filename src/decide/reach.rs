//! The users on whom a subject may act, and the users who may act on one.

use std::borrow::Cow;

use crate::{
    gates::{GATES, GateContext, Principal},
    request::Request,
    snapshot::{Selection, UserSet, View},
};

/// A list of users in the order of their ids.
#[derive(Clone, Debug)]
pub struct Reach<'v> {
    view: &'v View,
    pub(super) users: Cow<'v, UserSet>,
}

/// A page of a list of users or groups.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListPage<'v> {
    /// The ids in order.
    pub ids: Vec<&'v str>,
    /// The number of ids in the whole list.
    pub total: u64,
    /// The last id of this page if more follow: the `after` of the next page.
    pub next: Option<&'v str>,
}

/// The users on whom the subject may act: those for whom the request would be allowed if they were its
/// resource or, where the resource is a group, its `member`.
///
/// Costs set algebra over the tags and relations concerned, without a look at each user. An unknown
/// subject reaches nobody.
pub fn reach<'v>(view: &'v View, request: &Request<'_>) -> Reach<'v> {
    let context = GateContext::resolve(view, request);
    let subject = Principal::resolve(view, &request.subject);
    list(view, GATES.iter().map(|gate| gate.admitted_others(view, &context, &subject)))
}

/// The users who may act on the resource or the `member`: those for whom the request would be allowed if
/// they were its subject. Costs as much as [`reach`].
pub fn reached_by<'v>(view: &'v View, request: &Request<'_>) -> Reach<'v> {
    let context = GateContext::resolve(view, request);
    let other = context.other_user(request).map(|user| Principal::resolve(view, user));
    list(view, GATES.iter().map(|gate| gate.admitted_subjects(view, &context, other.as_ref())))
}

fn list<'v>(view: &'v View, gates: impl Iterator<Item = Selection<'v>>) -> Reach<'v> {
    Reach { view, users: Selection::all(gates).within(&view.population.everyone) }
}

impl<'v> Reach<'v> {
    /// The number of users, without a look at their ids.
    pub fn total(&self) -> u64 {
        self.users.len()
    }

    /// The ids in order.
    pub fn ids(&self) -> impl Iterator<Item = &'v str> {
        let directory = &self.view.population.directory;
        directory.iter_by_id(&self.users, None).map(|user| directory.id(user))
    }

    /// The page of ids that follow `after`, at most `limit` of them.
    pub fn page(&self, after: Option<&str>, limit: usize) -> ListPage<'v> {
        let directory = &self.view.population.directory;
        let mut rest = directory.iter_by_id(&self.users, after).map(|user| directory.id(user));
        let ids: Vec<&str> = rest.by_ref().take(limit).collect();
        let next = rest.next().and_then(|_| ids.last().copied());
        ListPage { ids, total: self.total(), next }
    }
}
