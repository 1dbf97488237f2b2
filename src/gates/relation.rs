//! Relation conditions, evaluated for two users and as sets of users.

use super::{context::GateContext, principal::Principal, sets::users_with_tie};
use crate::{
    request::{
        AudienceNumber, Conversation, During, EdgeDirection, Relation, RelationCondition,
        TagPattern,
    },
    snapshot::{GroupNumber, GroupView, Selection, TagId, Tie, UserSet, View},
};

/// Two users between whom relation conditions are evaluated, read from the first.
#[derive(Clone, Copy)]
pub(super) struct RelatedPair<'p, 'r> {
    pub(super) owner: &'p Principal<'r>,
    pub(super) other: &'p Principal<'r>,
    /// The tie between the two, seen from the owner.
    pub(super) tie: Tie,
}

impl RelatedPair<'_, '_> {
    /// Whether a relation condition holds. Takes no lock and allocates nothing; costs a comparison of the
    /// tags, or of the groups, of both where the condition asks for those that they share.
    pub(super) fn meets(
        &self,
        view: &View,
        context: &GateContext<'_>,
        condition: &RelationCondition<TagId>,
    ) -> bool {
        match condition {
            RelationCondition::Everyone => true,
            RelationCondition::Nobody => false,
            RelationCondition::HasTag(tag) => self.other.tags(view).contains(*tag),
            RelationCondition::During(during) => during.is_open,
            RelationCondition::Related(relation, direction) => {
                is_related(self.tie, *relation, *direction)
            }
            RelationCondition::Conversation => {
                context.conversation_with_tie(self.tie) == Conversation::Existing
            }
            RelationCondition::SharesTag(pattern) => self.shares_tag(view, pattern),
            RelationCondition::SharesGroup(matrix) => self.shares_group(view, matrix.as_deref()),
            RelationCondition::Not(inner) => !self.meets(view, context, inner),
            RelationCondition::All(parts) => {
                parts.iter().all(|part| self.meets(view, context, part))
            }
            RelationCondition::Any(parts) => {
                parts.iter().any(|part| self.meets(view, context, part))
            }
        }
    }

    fn shares_tag(&self, view: &View, pattern: &TagPattern) -> bool {
        if let Some(shared) = self.owner.assumed_shared_tags() {
            return shared.iter().any(|&tag| pattern.matches(view.tags.name(tag)));
        }
        let tags = self.other.tags(view);
        self.owner.tags(view).any(|tag| tags.contains(tag) && pattern.matches(view.tags.name(tag)))
    }

    fn shares_group(&self, view: &View, matrix: Option<&str>) -> bool {
        let (Some(owner), Some(other)) = (self.owner.tied_number(), self.other.tied_number())
        else {
            return false;
        };
        view.groups.shared(owner, other).any(|group| is_shareable(view, group, matrix))
    }
}

/// The condition of an audience. One that is not there holds nobody.
pub(super) fn audience(view: &View, number: AudienceNumber) -> &RelationCondition<TagId> {
    let audience = view.settings.audiences.get(number);
    audience.map_or(&RelationCondition::Nobody, |audience| &audience.condition)
}

/// Whether a tie, seen from the owner, has a relation.
pub(super) fn is_related(tie: Tie, relation: Relation, direction: EdgeDirection) -> bool {
    // A favorite is a contact.
    let own =
        tie.outgoing(relation) || relation == Relation::Contact && tie.outgoing(Relation::Favorite);
    let inverse =
        tie.incoming(relation) || relation == Relation::Contact && tie.incoming(Relation::Favorite);
    match direction {
        EdgeDirection::Own => own,
        EdgeDirection::Inverse => inverse,
        EdgeDirection::Mutual => own && inverse,
    }
}

/// Whether a group counts as shared: one that the matrix governs, or any but a conversation of two.
fn is_shareable(view: &View, group: GroupNumber, matrix: Option<&str>) -> bool {
    let governing = view.groups.get(group).and_then(|group| view.matrix(group.matrix?));
    governing.is_some_and(|governing| match matrix {
        Some(name) => governing.base == name,
        None => !governing.is_of_two,
    })
}

/// The place of the given user in a relation condition; the set is of users in the other place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RelationSide {
    Owner,
    Other,
}

/// The users between whom and a principal a relation condition holds, with the principal on one side.
///
/// Costs set algebra over the tags, the ties and the groups of the principal that the condition asks for.
/// The principal may be in the set.
pub(super) fn related_users<'v>(
    view: &'v View,
    context: &GateContext<'_>,
    principal: &Principal<'_>,
    side: RelationSide,
    condition: &RelationCondition<TagId>,
) -> Selection<'v> {
    let part = |part| related_users(view, context, principal, side, part);
    match condition {
        RelationCondition::Everyone | RelationCondition::During(During { is_open: true, .. }) => {
            Selection::everybody()
        }
        RelationCondition::Nobody | RelationCondition::During(During { is_open: false, .. }) => {
            Selection::nobody()
        }
        RelationCondition::HasTag(tag) => match side {
            RelationSide::Owner => {
                view.population.members(*tag).map_or_else(Selection::nobody, Selection::from)
            }
            RelationSide::Other if principal.tags(view).contains(*tag) => Selection::everybody(),
            RelationSide::Other => Selection::nobody(),
        },
        RelationCondition::Related(relation, direction) => {
            let is_met = |tie: Tie| match side {
                RelationSide::Owner => is_related(tie, *relation, *direction),
                RelationSide::Other => is_related(tie.reversed(), *relation, *direction),
            };
            users_with_tie(view, principal, |_, tie| is_met(tie)).into()
        }
        RelationCondition::Conversation => match context.conversation {
            Some(Conversation::Existing) => Selection::everybody(),
            Some(Conversation::New) => Selection::nobody(),
            None => users_with_tie(view, principal, |_, tie| tie.is_conversation()).into(),
        },
        RelationCondition::SharesTag(pattern) => {
            let tags = principal.tags(view).iter();
            let shared = tags.filter(|&tag| pattern.matches(view.tags.name(tag)));
            let members = shared.filter_map(|tag| view.population.members(tag));
            Selection::any(members.map(Selection::from))
        }
        RelationCondition::SharesGroup(matrix) => {
            group_fellows(view, principal, matrix.as_deref()).into()
        }
        RelationCondition::Not(inner) => part(inner).complement(),
        RelationCondition::All(parts) => Selection::all(parts.iter().map(part)),
        RelationCondition::Any(parts) => Selection::any(parts.iter().map(part)),
    }
}

/// The users who are in a group with a principal.
fn group_fellows(view: &View, principal: &Principal<'_>, matrix: Option<&str>) -> UserSet {
    let Some(number) = principal.tied_number() else { return UserSet::default() };
    let groups = view.groups.numbers_of(number);
    let shared = groups.filter(|&group| is_shareable(view, group, matrix));
    shared.filter_map(|group| view.groups.get(group)).flat_map(GroupView::members).collect()
}
