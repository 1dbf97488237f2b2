//! The terms of records: what of them has ended at a moment, and what comes back.

use std::{borrow::Cow, collections::BTreeMap};

use super::{GroupRecord, ReplacedState, Terms, UnixMillis, UserRecord};
use crate::request::{Moderation, UserList};

/// The greatest number of replaced moderation states.
const MOST_REPLACED: usize = 8;

impl UserRecord {
    /// The record without what has ended at a moment. Costs a look at each end, and a copy if any has ended.
    pub fn at(&self, now: UnixMillis) -> Cow<'_, Self> {
        if self.ends().any(|end| end <= now) {
            let mut current = self.clone();
            current.remove_ended(now);
            Cow::Owned(current)
        } else {
            Cow::Borrowed(self)
        }
    }

    /// The moments at which something of the record ends, in no order, and some twice.
    pub fn ends(&self) -> impl Iterator<Item = UnixMillis> + '_ {
        let replaced = self.replaced_moderation.iter().map(|state| &state.terms);
        let moderation = self.moderation_terms.iter().map(|terms| &**terms).chain(replaced);
        let elements = self.terms.values().flat_map(BTreeMap::values);
        let terms = moderation.chain(elements).filter_map(|terms| terms.until);
        let friends = self.friends.values().filter_map(|friend| friend.until);
        let requests = self.requests.values().filter_map(|request| request.friend.until);
        terms.chain(friends).chain(requests)
    }

    /// Removes what has ended at a moment. A moderation state that ends gives back the one that it replaced.
    pub fn remove_ended(&mut self, now: UnixMillis) {
        while self.moderation_terms.as_ref().is_some_and(|terms| terms.has_ended(now)) {
            let before = self.replaced_moderation.pop();
            self.moderation = before.as_ref().map(|before| before.state);
            let terms = before.map(|before| before.terms).filter(|terms| !terms.is_empty());
            self.moderation_terms = terms.map(Box::new);
        }
        self.replaced_moderation.retain(|state| !state.terms.has_ended(now));
        for (&list, terms) in &self.terms.clone() {
            for (element, _) in terms.iter().filter(|(_, terms)| terms.has_ended(now)) {
                self.remove_element(list, element);
            }
        }
        self.friends.retain(|_, friend| friend.until.is_none_or(|until| until > now));
        self.requests.retain(|_, request| request.friend.until.is_none_or(|until| until > now));
        self.remove_dangling_terms();
    }

    fn remove_element(&mut self, list: UserList, element: &str) {
        match list {
            UserList::Tags => {
                if let Some(tags) = &mut self.tags {
                    tags.remove(element);
                }
                self.tags = self.tags.take().filter(|tags| !tags.is_empty());
            }
            UserList::Contacts => drop(self.contacts.remove(element)),
            UserList::Favorites => drop(self.favorites.remove(element)),
            UserList::Paired => drop(self.paired.remove(element)),
            UserList::Blocked => drop(self.blocked.remove(element)),
            UserList::Friends => drop(self.friends.remove(element)),
        }
    }

    /// Whether an element is in a list of the record.
    fn has_element(&self, list: UserList, element: &str) -> bool {
        match list.relation() {
            Some(relation) => self.has_edge(relation, element),
            None => self.tags.as_ref().is_some_and(|tags| tags.contains(element)),
        }
    }

    /// Removes the terms of what is not in the record.
    pub fn remove_dangling_terms(&mut self) {
        if self.moderation.is_none() {
            self.moderation_terms = None;
            self.replaced_moderation.clear();
        }
        if self.terms.is_empty() {
            return;
        }
        let mut terms = std::mem::take(&mut self.terms);
        for (&list, elements) in &mut terms {
            elements.retain(|element, terms| !terms.is_empty() && self.has_element(list, element));
        }
        terms.retain(|_, elements| !elements.is_empty());
        self.terms = terms;
    }

    /// The terms of an element of a list; empty if it has none.
    pub fn terms_of(&self, list: UserList, element: &str) -> Terms {
        if list == UserList::Friends {
            let until = self.friends.get(element).and_then(|friend| friend.until);
            return Terms { until, ..Terms::default() };
        }
        self.terms.get(&list).and_then(|all| all.get(element)).cloned().unwrap_or_default()
    }

    /// Sets the terms of an element of a list that is not that of friends.
    pub fn set_terms(&mut self, list: UserList, element: &str, terms: Terms) {
        if terms.is_empty() {
            if let Some(all) = self.terms.get_mut(&list) {
                all.remove(element);
                if all.is_empty() {
                    self.terms.remove(&list);
                }
            }
        } else {
            self.terms.entry(list).or_default().insert(element.to_owned(), terms);
        }
    }

    /// Sets the terms of all elements of a list.
    pub fn set_list_terms(&mut self, list: UserList, terms: BTreeMap<String, Terms>) {
        if terms.is_empty() {
            self.terms.remove(&list);
        } else {
            self.terms.insert(list, terms);
        }
    }

    /// Sets the moderation state with its terms. A state that ends keeps those that it replaces and that end
    /// later, to give them back.
    pub fn moderate(&mut self, state: Moderation, terms: Terms) {
        let before = self.moderation.filter(|&before| before != state);
        if let (Some(before), Some(_)) = (before, terms.until) {
            let terms = self.moderation_terms.take().map(|terms| *terms).unwrap_or_default();
            self.replaced_moderation.push(ReplacedState { state: before, terms });
        }
        match terms.until {
            None => self.replaced_moderation.clear(),
            Some(until) => self.replaced_moderation.retain(|state| !state.terms.has_ended(until)),
        }
        if self.replaced_moderation.len() > MOST_REPLACED {
            // The first is the one that lasts.
            self.replaced_moderation.remove(1);
        }
        self.moderation = Some(state).filter(|&state| state != Moderation::None);
        self.moderation_terms = (!terms.is_empty()).then(|| Box::new(terms));
        self.remove_dangling_terms();
    }
}

impl GroupRecord {
    /// The record without the mutes and bans that have ended at a moment. Costs a look at each, and a copy if any
    /// has ended.
    pub fn at(&self, now: UnixMillis) -> Cow<'_, Self> {
        if self.ends().any(|end| end <= now) {
            let mut current = self.clone();
            current.remove_ended(now);
            Cow::Owned(current)
        } else {
            Cow::Borrowed(self)
        }
    }

    /// The moments at which a mute or a ban ends, in no order, and some twice.
    pub fn ends(&self) -> impl Iterator<Item = UnixMillis> + '_ {
        self.muted.values().chain(self.banned.values()).filter_map(|it| it.terms.until)
    }

    /// Removes the mutes and bans that have ended at a moment.
    pub fn remove_ended(&mut self, now: UnixMillis) {
        self.muted.retain(|_, it| !it.terms.has_ended(now));
        self.banned.retain(|_, it| !it.terms.has_ended(now));
    }
}
