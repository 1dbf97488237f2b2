use super::{Page, judge};
use crate::{
    gates::{Pair, Party, Scene},
    request::{Action, Request},
    snapshot::{GroupNumber, View},
};

/// The groups in which a subject may do something, by id.
#[derive(Clone, Debug)]
pub struct Groups<'v> {
    ids: Vec<&'v str>,
    pub(super) groups: Vec<GroupNumber>,
}

/// The groups for which the request would be allowed if they were its resource.
///
/// Costs a look at each group of which the subject is a member; at each group that there is, if the
/// action is open to others, or the request says what he is there.
pub fn groups<'v>(view: &'v View, request: &Request<'_>) -> Groups<'v> {
    let scene = Scene::set(view, request);
    let subject = Party::find(view, &request.subject);
    let other = scene.other(request).map(|user| Party::find(view, user));
    let pair = Pair::new(view, &scene, &subject, other.as_ref());
    let is_allowed = |&group: &GroupNumber| judge(view, &scene.moved(group, view), &pair).allow;
    let groups: Vec<GroupNumber> = if scene.is_for_members(&subject) {
        let own = subject.number.map_or_else(Vec::new, |number| view.groups.of(number));
        own.into_iter().filter(is_allowed).collect()
    } else {
        view.groups.iter().map(|(group, _)| group).filter(is_allowed).collect()
    };
    let id = |&group: &GroupNumber| view.groups.get(group).map_or("", |group| group.id);
    Groups { ids: groups.iter().map(id).collect(), groups }
}

impl<'v> Groups<'v> {
    /// The ids in order.
    pub fn ids(&self) -> &[&'v str] {
        &self.ids
    }

    /// The ids that come after `after`, at most `limit` of them.
    pub fn page(&self, after: Option<&str>, limit: usize) -> Page<'v> {
        let from = after.map_or(0, |after| self.ids.partition_point(|id| *id <= after));
        let rest = self.ids.get(from..).unwrap_or_default();
        let ids: Vec<&str> = rest.iter().copied().take(limit).collect();
        let next = if ids.len() < rest.len() { ids.last().copied() } else { None };
        Page { ids, total: self.ids.len() as u64, next }
    }
}

/// The actions that would be allowed if they were the request's, in the order of the reference.
pub fn actions(view: &View, request: &Request<'_>) -> Vec<Action> {
    let kind = request.resource.kind();
    let is_allowed = |action: Action| {
        action.takes().contains(&kind)
            && super::decide(view, &Request { action, ..request.clone() }).allow
    };
    Action::ALL.iter().copied().filter(|&action| is_allowed(action)).collect()
}
