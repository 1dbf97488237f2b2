//! The groups in which a subject may act, and the actions that a subject may take.

use super::{
    decision::{decide, evaluate},
    reach::ListPage,
};
use crate::{
    gates::{GateContext, Principal, PrincipalPair},
    request::{Action, Request, RequestedAction},
    snapshot::{GroupNumber, View},
};

/// The groups in which a subject may take an action, in the order of their ids.
#[derive(Clone, Debug)]
pub struct ReachableGroups<'v> {
    ids: Vec<&'v str>,
    pub(super) groups: Vec<GroupNumber>,
}

/// The groups for which the request would be allowed if they were its resource.
///
/// Costs a look at each group of which the subject is a member; at every group, if the action is not
/// for members alone or the request states the subject's role.
pub fn reachable_groups<'v>(view: &'v View, request: &Request<'_>) -> ReachableGroups<'v> {
    let context = GateContext::resolve(view, request);
    let subject = Principal::resolve(view, &request.subject);
    let other = context.other_user(request).map(|user| Principal::resolve(view, user));
    let pair = PrincipalPair::new(view, &context, &subject, other.as_ref());
    let is_allowed =
        |&group: &GroupNumber| evaluate(view, &context.in_group(group, view), &pair).allow;
    let groups: Vec<GroupNumber> = if context.requires_membership(&subject) {
        let own = subject.number.map_or_else(Vec::new, |number| view.groups.groups_of(number));
        own.into_iter().filter(is_allowed).collect()
    } else {
        view.groups.iter().map(|(group, _)| group).filter(is_allowed).collect()
    };
    let id = |&group: &GroupNumber| view.groups.get(group).map_or("", |group| group.id);
    ReachableGroups { ids: groups.iter().map(id).collect(), groups }
}

impl<'v> ReachableGroups<'v> {
    /// The ids in order.
    pub fn ids(&self) -> &[&'v str] {
        &self.ids
    }

    /// The page of ids that follow `after`, at most `limit` of them.
    pub fn page(&self, after: Option<&str>, limit: usize) -> ListPage<'v> {
        let from = after.map_or(0, |after| self.ids.partition_point(|id| *id <= after));
        let rest = self.ids.get(from..).unwrap_or_default();
        let ids: Vec<&str> = rest.iter().copied().take(limit).collect();
        let next = if ids.len() < rest.len() { ids.last().copied() } else { None };
        ListPage { ids, total: self.ids.len() as u64, next }
    }
}

/// The actions that would be allowed if they were the request's: in the order of [`Action::ALL`], then those that
/// the policy declares.
pub fn allowed_actions(view: &View, request: &Request<'_>) -> Vec<RequestedAction> {
    let kind = request.resource.kind();
    let is_allowed = |asked: &RequestedAction| {
        asked.action.takes().contains(&kind)
            && decide(view, &request.clone().with_action(*asked)).allow
    };
    let built_in = Action::ALL.iter().map(|&action| action.into());
    built_in.chain(view.settings.actions.requested()).filter(is_allowed).collect()
}
