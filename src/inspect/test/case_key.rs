//! Keys of equivalent cases, so that coverage traces each kind of listed user once.

use super::question::TestQuestion;
use crate::{
    request::{Resource, Role, Wildcard},
    snapshot::{MatrixNumber, TagId, View},
};

/// The facts that the trace of a decision about a listed user can depend on, with the rest of the
/// question unchanged: users with equal keys have equal traces.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct CaseKey {
    tags: Vec<TagId>,
    state: [u8; 2],
    overrides: [u8; 4],
    role: Option<Role>,
    /// The tie with the other user of the question.
    tie: [u8; 2],
    is_the_other: bool,
    /// The matrices of the groups that both are members of.
    shared: Vec<Option<MatrixNumber>>,
}

impl CaseKey {
    /// The key of a listed user; `None` if the list is not of users, or the user has conditional
    /// switches or audiences of their own and is like no other.
    pub(super) fn of(question: &TestQuestion<'_>, view: &View, id: &str) -> Option<Self> {
        let request = &question.request;
        let other = match (question.open?, &request.resource) {
            (Wildcard::Group, _) => return None,
            (Wildcard::Resource | Wildcard::Member, _) => Some(request.subject.id),
            (Wildcard::Subject, Resource::User(user)) => Some(user.id),
            (Wildcard::Subject, Resource::Group(_) | Resource::None) => {
                request.member.as_ref().map(|member| member.id)
            }
        };
        let group = match &request.resource {
            Resource::Group(group) => view.groups.number(group.id),
            Resource::None | Resource::User(_) => None,
        };
        let population = &view.population;
        let user = population.directory.number(id)?;
        let other = other.and_then(|other| population.directory.number(other));
        let (overrides, conditions) = population.overrides(user);
        let has_audiences = population.own_audiences.of_user(user).next().is_some();
        if !conditions.is_empty() || has_audiences {
            return None;
        }
        let shared = other.into_iter().flat_map(|other| view.groups.shared(user, other));
        Some(Self {
            tags: population.directory.tags(user).iter().collect(),
            state: population.directory.state(user).to_bytes(),
            overrides: overrides.to_bytes(),
            role: group.and_then(|group| view.groups.get(group)?.role(user)),
            tie: other.map(|other| population.tie(user, other).to_bytes()).unwrap_or_default(),
            is_the_other: other == Some(user),
            shared: shared.filter_map(|it| Some(view.groups.get(it)?.matrix)).collect(),
        })
    }
}
