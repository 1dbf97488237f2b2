//! Random conditions over the tags of a world, and over what is between its users.

use super::{Chance, TAGS, shapes::nameable_matrices};
use crate::oracle::{Condition, Direction, Relation, World};

const EDGES: [&str; 4] = ["friend", "contact", "favorite", "pair"];

/// What conditions may name.
pub(super) struct Vocabulary {
    tags: Vec<String>,
    matrices: Vec<String>,
}

impl Vocabulary {
    pub(super) fn of(world: &World) -> Self {
        Self { tags: tags(world), matrices: nameable_matrices(world) }
    }

    pub(super) fn tag(&self, chance: &mut Chance) -> String {
        chance.pick(&self.tags).clone()
    }

    pub(super) fn condition(&self, chance: &mut Chance, depth: u32) -> Condition {
        let most = if depth == 0 { 70 } else { 100 };
        match chance.below(most) {
            0..6 => Condition::Everyone,
            6..8 => Condition::Nobody,
            8..70 => Condition::HasTag(self.tag(chance)),
            70..82 => Condition::Not(Box::new(self.condition(chance, depth - 1))),
            82..88 => Condition::All(some(chance, |chance| self.condition(chance, depth - 1))),
            _ => Condition::Any(some(chance, |chance| self.condition(chance, depth - 1))),
        }
    }

    /// A condition on what is between two users.
    pub(super) fn relation(&self, chance: &mut Chance, depth: u32) -> Relation {
        self.combined(chance, depth, &[], false)
    }

    /// A condition that may speak of the other's tags and name audiences.
    pub(super) fn audience(&self, chance: &mut Chance, names: &[&'static str]) -> Relation {
        self.combined(chance, 2, names, true)
    }

    fn combined(
        &self,
        chance: &mut Chance,
        depth: u32,
        names: &[&'static str],
        has_tags: bool,
    ) -> Relation {
        let most = if depth == 0 { 65 } else { 100 };
        let inner = |chance: &mut Chance| self.combined(chance, depth - 1, names, has_tags);
        match chance.below(most) {
            0..65 => self.atom(chance, names, has_tags),
            65..76 => Relation::Not(Box::new(inner(chance))),
            76..84 => Relation::All(some(chance, inner)),
            _ => Relation::Any(some(chance, inner)),
        }
    }

    fn atom(&self, chance: &mut Chance, names: &[&'static str], has_tags: bool) -> Relation {
        let direction = [Direction::Own, Direction::Own, Direction::Inverse, Direction::Mutual];
        match chance.below(100) {
            0..3 => Relation::Everyone,
            3..5 => Relation::Nobody,
            5..15 => Relation::Conversation,
            15..25 => Relation::SharesGroup(None),
            25..32 => Relation::SharesGroup(Some(chance.pick(&self.matrices).clone())),
            32..50 => Relation::SharesTag(self.pattern(chance)),
            50..60 if has_tags => Relation::HasTag(self.tag(chance)),
            60..72 if !names.is_empty() => {
                match *chance.pick(names) {
                    // These are words of every condition.
                    "everyone" => Relation::Everyone,
                    "nobody" => Relation::Nobody,
                    name => Relation::Audience(name),
                }
            }
            _ => Relation::Edge(chance.pick::<&str>(&EDGES), *chance.pick(&direction)),
        }
    }

    /// A tag, or how one or several begin.
    fn pattern(&self, chance: &mut Chance) -> String {
        let tag = self.tag(chance);
        if chance.percent(50) {
            return tag;
        }
        let length = 1 + chance.place(tag.chars().count());
        let beginning: String = tag.chars().take(length).collect();
        format!("{beginning}*")
    }
}

fn some<T>(chance: &mut Chance, mut one: impl FnMut(&mut Chance) -> T) -> Vec<T> {
    (0..=chance.below(3)).map(|_| one(chance)).collect()
}

/// The tags that users have, or some others where there are none.
pub(crate) fn tags(world: &World) -> Vec<String> {
    let mut tags: Vec<String> =
        world.users.values().flat_map(|user| user.tags.iter().flatten().cloned()).collect();
    tags.sort();
    tags.dedup();
    if tags.is_empty() { TAGS[..2].iter().map(|&tag| tag.to_owned()).collect() } else { tags }
}
