use crate::{
    gates::{Pair, Party, Scene, Sides, by_tags, first_closed, opening_rules, strangers},
    request::{Action, Conversation, Request, Resource, Toggle, User},
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
    pub fn new(view: &'v View, action: Action, conversation: Option<Conversation>) -> Self {
        let resource = Resource::User(User::from(""));
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

    /// Whether one user may do it to another if this is what is between them.
    pub fn allows(&self, subject: u32, other: u32, tie: Tie) -> bool {
        let (subject, other) = (Party::of(self.view, subject), Party::of(self.view, other));
        let pair = Pair::tied(&subject, &other, tie);
        first_closed(self.view, &self.scene, &pair).is_none()
    }
}
