use super::{
    bits::Bits,
    crowd::{Crowd, Side},
    scene::Scene,
};
use crate::{
    decide::{reach, reached_by},
    request::{Action, Conversation, Request},
    snapshot::{TagId, UserSet, View},
};

/// Users who lost or gained the last of their contacts: who reached somebody and now reach nobody,
/// and the other way round; and the same for who reaches them.
#[derive(Clone, Default, Debug)]
pub struct Contact {
    /// In order.
    pub reach_nobody_now: Vec<u32>,
    pub reach_somebody_now: Vec<u32>,
    pub reached_by_nobody_now: Vec<u32>,
    pub reached_by_somebody_now: Vec<u32>,
}

/// How many ties a user may have to be told at a glance: more strangers than that remain.
const FEW: usize = 64;

/// Under one policy, who surely reaches somebody or is reached, without a look at any pair.
struct Known<'s> {
    view: &'s View,
    side: Side,
    subjects: &'s Bits,
    others: &'s Bits,
    /// Who by the rules reaches more strangers than he may have ties with; and who reaches any.
    many: Option<[Bits; 2]>,
    /// For each tag, how many may reach those who have it.
    reachers: Vec<u64>,
    /// How many may do it, and to how many.
    sizes: [u64; 2],
}

/// Who lost or gained all contact by an action between users.
///
/// Costs a look at each user whom the change may concern, and lists of those about whom sets alone
/// don't tell.
pub(super) fn contact(
    scene: &Scene<'_>,
    crowd: &Crowd<'_>,
    [old, new]: [&View; 2],
    action: Action,
    conversation: Option<Conversation>,
) -> Contact {
    let [before, after] = [(old, Side::Old), (new, Side::New)]
        .map(|(view, side)| Known::of(scene, crowd, view, side));
    let mut contact = Contact::default();
    for user in 0..crowd.users {
        let reach = |known: &Known<'_>| known.reaches(scene, user, action, conversation);
        match (reach(&before), reach(&after)) {
            (true, false) => contact.reach_nobody_now.push(user),
            (false, true) => contact.reach_somebody_now.push(user),
            _ => {}
        }
        let reached = |known: &Known<'_>| known.is_reached(scene, user, action, conversation);
        match (reached(&before), reached(&after)) {
            (true, false) => contact.reached_by_nobody_now.push(user),
            (false, true) => contact.reached_by_somebody_now.push(user),
            _ => {}
        }
    }
    contact
}

impl<'s> Known<'s> {
    fn of(scene: &'s Scene<'_>, crowd: &Crowd<'_>, view: &'s View, side: Side) -> Self {
        let pick = |[old, new]: &'s [Bits; 2]| if side == Side::Old { old } else { new };
        let (subjects, others) = (pick(&scene.subjects), pick(&scene.others));
        let book = view.rules.as_ref().filter(|_| scene.rules);
        let (mut many, mut any) = (Bits::nobody(crowd.users), Bits::nobody(crowd.users));
        let mut reachers = Vec::new();
        if let Some(book) = book {
            for tag in (0_u32..).map(TagId).take(view.population.members.len()) {
                let Some(set) = book.reachers(tag).filter(|set| !set.is_empty()) else {
                    reachers.push(0);
                    continue;
                };
                let set = Bits::of(set, crowd.users);
                reachers.push(set.and(subjects).len());
                let members = view.population.members(tag).into_iter();
                let members = members.flat_map(UserSet::iter);
                match members.filter(|&user| others.contains(user)).take(FEW + 2).count() {
                    0 => {}
                    count => {
                        any.insert_all(&set);
                        if count > FEW + 1 {
                            many.insert_all(&set);
                        }
                    }
                }
            }
        }
        let many = book.map(|_| [many, any]);
        Self { view, side, subjects, others, many, reachers, sizes: [subjects.len(), others.len()] }
    }

    fn reaches(
        &self,
        scene: &Scene<'_>,
        user: u32,
        action: Action,
        conversation: Option<Conversation>,
    ) -> bool {
        let population = &self.view.population;
        let is_few = population.ties_of(user).len() <= FEW;
        if self.subjects.contains(user) {
            let [many, any] = match &self.many {
                Some([many, any]) => [many.contains(user), any.contains(user)],
                None => [self.sizes[1] > FEW as u64 + 1, self.sizes[1] > 0],
            };
            if many && is_few {
                return true;
            }
            if any {
                let id = population.directory.id(user);
                let request = Request { conversation, ..Request::new(id, action, "") };
                return reach(self.view, &request).total() > 0;
            }
        }
        population.ties_of(user).any(|(other, tie)| self.allows(scene, user, other, tie))
    }

    fn is_reached(
        &self,
        scene: &Scene<'_>,
        user: u32,
        action: Action,
        conversation: Option<Conversation>,
    ) -> bool {
        let population = &self.view.population;
        let is_few = population.ties_of(user).len() <= FEW;
        if self.others.contains(user) {
            let most = match self.many {
                Some(_) => {
                    let tags = population.directory.tags(user);
                    let count = |tag: TagId| self.reachers.get(tag.index()).copied();
                    tags.iter().filter_map(count).max().unwrap_or(0)
                }
                None => self.sizes[0],
            };
            if most > FEW as u64 + 1 && is_few {
                return true;
            }
            if most > 0 {
                let id = population.directory.id(user);
                let request = Request { conversation, ..Request::new("", action, id) };
                return reached_by(self.view, &request).total() > 0;
            }
        }
        population.ties_of(user).any(|(other, tie)| self.allows(scene, other, user, tie.reversed()))
    }

    fn allows(&self, scene: &Scene<'_>, user: u32, other: u32, tie: crate::snapshot::Tie) -> bool {
        match self.side {
            Side::Old => scene.old.allows(user, other, tie),
            Side::New => scene.new.allows(user, other, tie),
        }
    }
}
