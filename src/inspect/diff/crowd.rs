use std::collections::HashMap;

use super::bits::Bits;
use crate::snapshot::{RuleBook, TagId, TagsOf, View};

/// Which of two policies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Old,
    New,
}

/// The users of both policies by their tag sets, and for each tag who may reach those who have it.
#[derive(Debug)]
pub(super) struct Crowd<'v> {
    pub(super) users: u32,
    /// The number of each user's class.
    pub(super) class_of: Vec<u32>,
    pub(super) classes: Vec<Class<'v>>,
    /// The numbers of the classes in the order of their `changed` and `same` tags, so that those
    /// that begin alike stand together.
    pub(super) order: Vec<u32>,
    /// By rank, the tags that both rule books say the same of: the one most may reach comes first.
    pub(super) same: Vec<Bits>,
    /// By place, the tags of which they say something else: in the old policy and in the new one.
    pub(super) changed: Vec<[Bits; 2]>,
    /// Which side has no rules section, if one has and the other has not.
    pub(super) open: Option<Side>,
    /// Whether either side has a rules section.
    pub(super) has_rules: bool,
    nobody: Bits,
    everybody: Bits,
}

/// Users with the same tags.
#[derive(Debug)]
pub(super) struct Class<'v> {
    pub(super) tags: TagsOf<'v>,
    pub(super) users: u64,
    /// Its tags among [`Crowd::changed`], in order.
    pub(super) changed: Vec<u32>,
    /// Its tags among [`Crowd::same`], in order; those whose users nobody may reach are left out.
    pub(super) same: Vec<u32>,
}

impl<'v> Crowd<'v> {
    /// Costs a look at each user and tag, and the sets of all tags as bits.
    pub(super) fn of(old: &View, new: &'v View) -> Self {
        let population = &new.population;
        let users = population.directory.len();
        let (mut class_of, mut classes) = (Vec::with_capacity(users as usize), Vec::new());
        let mut known: HashMap<TagsOf<'_>, u32, foldhash::fast::RandomState> = HashMap::default();
        for user in 0..users {
            let tags = population.directory.tags(user);
            let class = *known.entry(tags).or_insert_with(|| {
                classes.push(Class { tags, users: 0, changed: Vec::new(), same: Vec::new() });
                u32::try_from(classes.len() - 1).unwrap_or(u32::MAX)
            });
            class_of.push(class);
            if let Some(class) = classes.get_mut(class as usize) {
                class.users += 1;
            }
        }
        let open = match (&old.rules, &new.rules) {
            (None, Some(_)) => Some(Side::Old),
            (Some(_), None) => Some(Side::New),
            _ => None,
        };
        let mut crowd = Self {
            users,
            class_of,
            classes,
            order: Vec::new(),
            same: Vec::new(),
            changed: Vec::new(),
            open,
            has_rules: old.rules.is_some() || new.rules.is_some(),
            nobody: Bits::nobody(users),
            everybody: Bits::everybody(users),
        };
        crowd.read_rules(old.rules.as_deref(), new.rules.as_deref(), population.members.len());
        crowd
    }

    fn read_rules(&mut self, old: Option<&RuleBook>, new: Option<&RuleBook>, tags: usize) {
        let mut same = Vec::new();
        let mut place = vec![None; tags];
        for (tag, place) in (0..).map(TagId).zip(&mut place) {
            let reachers =
                |book: Option<&RuleBook>| book.and_then(|book| book.reachers(tag)).cloned();
            let says = |book: Option<&RuleBook>| {
                book.and_then(|book| book.conditions.get(tag.index()).copied())
            };
            let (before, after) = (reachers(old), reachers(new));
            let is_same = self.open.is_some() || says(old) == says(new) || before == after;
            let bits = |set: &Option<_>| {
                set.as_ref().map_or_else(|| self.nobody.clone(), |set| Bits::of(set, self.users))
            };
            if !is_same {
                *place = Some(Place::Changed(u32::try_from(self.changed.len()).unwrap_or(0)));
                self.changed.push([bits(&before), bits(&after)]);
            } else if let Some(set) = before.or(after).filter(|set| !set.is_empty()) {
                *place = Some(Place::Same(u32::try_from(same.len()).unwrap_or(0)));
                same.push((set.len(), bits(&Some(set))));
            }
        }
        let mut by_size: Vec<usize> = (0..same.len()).collect();
        by_size.sort_by_key(|&at| std::cmp::Reverse(same.get(at).map_or(0, |(size, _)| *size)));
        let mut rank = vec![0_u32; same.len()];
        for (new, &old) in (0_u32..).zip(&by_size) {
            if let Some(slot) = rank.get_mut(old) {
                *slot = new;
            }
            if let Some((_, bits)) = same.get_mut(old) {
                self.same.push(std::mem::take(bits));
            }
        }
        for class in &mut self.classes {
            for tag in class.tags.iter() {
                match place.get(tag.index()) {
                    Some(Some(Place::Changed(at))) => class.changed.push(*at),
                    Some(Some(Place::Same(at))) => {
                        class.same.extend(rank.get(*at as usize).copied());
                    }
                    _ => {}
                }
            }
            class.changed.sort_unstable();
            class.same.sort_unstable();
        }
        let mut order: Vec<u32> = (0..).take(self.classes.len()).collect();
        let key = |at: u32| self.class(at).map(|class| (&class.changed, &class.same));
        order.sort_unstable_by(|&one, &other| key(one).cmp(&key(other)));
        self.order = order;
    }

    pub(super) fn class(&self, number: u32) -> Option<&Class<'v>> {
        self.classes.get(number as usize)
    }

    /// The class of a user.
    pub(super) fn class_number(&self, user: u32) -> u32 {
        self.class_of.get(user as usize).copied().unwrap_or(u32::MAX)
    }

    /// Who may reach users of these changed tags by them alone.
    pub(super) fn by_changed(&self, changed: &[u32], side: Side) -> Bits {
        if self.open == Some(side) {
            return self.everybody.clone();
        }
        let mut all = self.nobody.clone();
        for &tag in changed {
            if let Some(sets) = self.changed.get(tag as usize) {
                all.insert_all(of_side(sets, side));
            }
        }
        all
    }

    /// Who may reach the users of a class by the rules.
    pub(super) fn reachers(&self, class: &Class<'_>, side: Side) -> Bits {
        let mut all = self.by_changed(&class.changed, side);
        for &tag in &class.same {
            if let Some(set) = self.same.get(tag as usize) {
                all.insert_all(set);
            }
        }
        all
    }

    /// Whether the rules let a user reach those of a class.
    #[inline]
    pub(super) fn reaches(&self, user: u32, class: &Class<'_>, side: Side) -> bool {
        self.open == Some(side)
            || class
                .same
                .iter()
                .any(|&tag| self.same.get(tag as usize).is_some_and(|set| set.contains(user)))
            || self.reaches_by_changed(user, class, side)
    }

    #[inline]
    fn reaches_by_changed(&self, user: u32, class: &Class<'_>, side: Side) -> bool {
        class.changed.iter().any(|&tag| {
            self.changed.get(tag as usize).is_some_and(|sets| of_side(sets, side).contains(user))
        })
    }

    /// Whether the rules say something else of a user and those of a class.
    #[inline]
    pub(super) fn rules_differ(&self, user: u32, class: u32) -> bool {
        let Some(class) = self.class(class) else { return false };
        (self.open.is_some() || !class.changed.is_empty())
            && self.reaches(user, class, Side::Old) != self.reaches(user, class, Side::New)
    }
}

#[derive(Clone, Copy)]
enum Place {
    Changed(u32),
    Same(u32),
}

fn of_side([old, new]: &[Bits; 2], side: Side) -> &Bits {
    match side {
        Side::Old => old,
        Side::New => new,
    }
}
