use super::{Explanation, explain};
use crate::{
    gates::{
        Ends, GATES, Gate, Pair, Party, Scene, Sides, by_tags, ends, first_closed_between,
        opening_rules, strangers,
    },
    request::{Action, Conversation, GateName, Request, Resource, ResourceKind, Toggle, User},
    snapshot::{Rule, Selection, TagId, Tie, View},
};

/// Decides about any two users by number, and about users as if nothing were between them: what it
/// takes to count pairs without asking about each.
///
/// What is allowed between two users depends on nothing but their tags, where they stand, and what
/// is between them.
#[derive(Debug)]
pub struct Judge<'v> {
    view: &'v View,
    scene: Scene<'static>,
}

impl<'v> Judge<'v> {
    /// Of an action between users; `conversation` stands in for what the facts say of each pair.
    ///
    /// Of an action that is done to groups alone, it judges what is between the subject and the
    /// member; of one that is done to nobody, what the subject may.
    pub fn new(view: &'v View, action: Action, conversation: Option<Conversation>) -> Self {
        let takes = action.takes();
        let resource = if takes.contains(&ResourceKind::User) {
            Resource::User(User::from(""))
        } else if takes.contains(&ResourceKind::Group) {
            Resource::Group("".into())
        } else {
            Resource::None
        };
        let request = Request { conversation, ..Request::of("", action, resource) };
        Self { view, scene: Scene::set(view, &request) }
    }

    /// Which users may do it to each other where nothing is between them.
    pub fn strangers(&self) -> Sides<'v, Selection<'v>> {
        strangers(self.view, &self.scene)
    }

    /// The same of all users that there may be, told by their tags.
    pub fn by_tags(&self) -> Sides<'v, Vec<Toggle<TagId>>> {
        by_tags(self.view, &self.scene)
    }

    /// The rules that let one user reach another, if rules are asked about them.
    pub fn opening(&self, subject: u32, other: u32) -> Vec<&'v Rule> {
        let tie = self.view.population.tie(subject, other);
        let (subject, other) = (Party::of(self.view, subject), Party::of(self.view, other));
        opening_rules(self.view, &self.scene, &Pair::tied(&subject, &other, tie))
    }

    /// Whether one user may do it to another if this is what is between them, whatever its view says of
    /// friendships that blocks end.
    pub fn allows(&self, subject: u32, other: u32, tie: Tie) -> bool {
        let tie = tie.with_friendships(self.view.settings.blocks_end_friendship);
        let (subject, other) = (Party::of(self.view, subject), Party::of(self.view, other));
        let pair = Pair::tied(&subject, &other, tie);
        first_closed_between(self.view, &self.scene, &pair).is_none()
    }

    /// What the gates say of each side alone.
    pub fn ends(&self) -> Ends<'v> {
        ends(self.view, &self.scene)
    }

    /// What every gate says that is asked about two users as they are, or about the subject alone.
    pub fn explain(&self, subject: u32, other: Option<u32>) -> Explanation {
        let tie = other.map_or(Tie::NONE, |other| self.view.population.tie(subject, other));
        let subject = Party::of(self.view, subject);
        let other = other.map(|other| Party::of(self.view, other));
        let pair = match &other {
            Some(other) => Pair::tied(&subject, other, tie),
            None => Pair::new(self.view, &self.scene, &subject, None),
        };
        let is_of_place =
            |gate: &&dyn Gate| matches!(gate.name(), GateName::Known | GateName::Role);
        let gates: Vec<&dyn Gate> = GATES.into_iter().filter(|gate| !is_of_place(gate)).collect();
        explain::told(self.view, &self.scene, &pair, &gates)
    }
}
