//! The terms of users as reads tell them: until when something holds, why, and by whom it was stated.

use crate::{
    facts::{EffectiveTerms, Terms, UserRecord},
    live::ServedPolicy,
    request::{DeclaredField, UserList},
    snapshot::{EndOf, UserNumber},
};

impl ServedPolicy {
    /// The terms of what holds for a user, whose record is without what has ended. Costs the record, and a look at
    /// each end that files declare.
    pub(super) fn terms(&self, user: UserNumber, record: &UserRecord) -> EffectiveTerms {
        let population = &self.view.population;
        let declared = population.declared_fields(user);
        let mut terms = EffectiveTerms { lists: record.terms.clone(), ..EffectiveTerms::default() };
        if !declared.contains(DeclaredField::Moderation) {
            terms.moderation = record.moderation_terms.as_deref().cloned().unwrap_or_default();
        }
        if declared.contains(DeclaredField::Tags) {
            terms.lists.remove(&UserList::Tags);
        }
        for (friend, entry) in record.friends.iter().filter(|(_, entry)| entry.until.is_some()) {
            let until = Terms { until: entry.until, ..Terms::default() };
            terms.lists.entry(UserList::Friends).or_default().insert(friend.clone(), until);
        }
        for end in population.declared_ends.iter().filter(|end| end.user == user) {
            let until = Terms { until: Some(end.at.millis()), ..Terms::default() };
            let (list, element) = match end.of {
                EndOf::Moderation => {
                    terms.moderation = until;
                    continue;
                }
                EndOf::Tag(tag) => (UserList::Tags, self.view.tags.name(tag)),
                EndOf::Edge(relation, other) => {
                    (UserList::of_relation(relation), population.directory.id(other))
                }
                EndOf::Record | EndOf::GroupRecord | EndOf::Mute(_) | EndOf::GroupBan(_) => {
                    continue;
                }
            };
            terms.lists.entry(list).or_default().insert(element.to_owned(), until);
        }
        terms
    }
}
