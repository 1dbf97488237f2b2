//! The questions about a world, and their requests to peerage.

use peerage::{
    request::{self, Action, PeersMode, Properties, Request, RequestedAction},
    snapshot::View,
};

use super::{Chance, FIELDS, GROUPS, IDS, MODES, SWITCHES, TAGS, relations};
use crate::oracle::{ACTIONS, Asked, BUILT_IN, Given, Question, Resource, World};

/// Ids that no world knows.
pub(crate) const STRANGERS: [&str; 4] = ["", "nobody", "ALICE", "~~~"];

/// Those that most gates have something to say of.
const INTERESTING: [&str; 6] =
    ["start_chat", "send_message", "video_call", "friend_request", "add_member", "leave"];

/// What a question is picked from.
#[derive(Debug)]
pub(crate) struct Subjects<'w> {
    world: &'w World,
    /// Those that most gates have something to say of, declared ones among them.
    interesting: Vec<&'static str>,
    /// What properties may give.
    tags: Vec<String>,
    modes: Vec<&'static str>,
    users: Vec<&'w str>,
    groups: Vec<(&'w str, Vec<String>)>,
    matrices: Vec<&'w str>,
}

impl<'w> Subjects<'w> {
    pub(crate) fn of(world: &'w World) -> Self {
        let own = world.matrices.keys().map(String::as_str);
        let mut interesting = INTERESTING.to_vec();
        let mut tags: Vec<String> = TAGS[..8].iter().map(|&tag| tag.to_owned()).collect();
        let mut modes = MODES.to_vec();
        if world.says_more() {
            interesting.extend(world.between.actions.keys().copied());
            interesting.extend(["view_profile", "voice_call"]);
            // A pattern of tags may match one that there is nowhere.
            tags = relations::tags(world);
            if !world.between.audiences.is_empty() || !world.between.accepts.is_empty() {
                modes.extend(["friends", "nobody"]);
            }
        }
        tags.push("unheard-of".to_owned());
        Self {
            world,
            interesting,
            tags,
            modes,
            users: world.users.keys().map(String::as_str).collect(),
            groups: world
                .groups
                .iter()
                .map(|(id, group)| (id.as_str(), group.everyone()))
                .collect(),
            matrices: BUILT_IN.into_iter().chain(own).collect(),
        }
    }

    /// Any action, mostly on what it takes, and often one that many gates have something to say of.
    pub(crate) fn question(&self, chance: &mut Chance) -> Question {
        let is_any = chance.percent(if self.world.says_more() { 35 } else { 60 });
        let action = if is_any { *chance.pick(&ACTIONS) } else { *chance.pick(&self.interesting) };
        let takes = self.world.kinds(action);
        let kind = if chance.percent(3) { "none" } else { *chance.pick(takes) };
        self.about(action, kind, chance)
    }

    /// One action on one kind of resource.
    pub(crate) fn about(&self, action: &'static str, kind: &str, chance: &mut Chance) -> Question {
        let (resource, members) = match kind {
            "user" => (Resource::User(self.user(chance)), &[][..]),
            "group" => self.group(chance),
            _ => (Resource::None, &[][..]),
        };
        let takes_member = self.world.takes_member(action);
        let takes_field = self.world.base(action) == "update_metadata";
        let takes_one = chance.percent(if takes_member { 97 } else { 10 });
        let has_field = chance.percent(if takes_field { 95 } else { 10 });
        let field = if chance.percent(5) { "_other" } else { *chance.pick(&FIELDS) };
        let conversation = [None, None, Some("new"), Some("existing")];
        Question {
            subject: self.one_of(members, chance),
            action,
            resource,
            member: takes_one.then(|| self.one_of(members, chance)),
            field: has_field.then(|| field.to_owned()),
            conversation: *chance.pick(&conversation),
        }
    }

    fn user(&self, chance: &mut Chance) -> Asked {
        let id = match (self.users.is_empty(), chance.below(30)) {
            (true, _) | (_, 0) => *chance.pick(&IDS),
            (_, 1) => *chance.pick(&STRANGERS),
            _ => *chance.pick(&self.users),
        };
        let given = if chance.percent(30) { self.given(chance) } else { Given::default() };
        Asked { id: id.into(), given }
    }

    /// Often one of these.
    fn one_of(&self, members: &[String], chance: &mut Chance) -> Asked {
        let mut requested = self.user(chance);
        if !members.is_empty() && chance.percent(50) {
            requested.id.clone_from(chance.pick(members));
        }
        requested
    }

    /// A group, and who is in it.
    fn group(&self, chance: &mut Chance) -> (Resource, &[String]) {
        let is_any = self.groups.is_empty() || chance.percent(8);
        let (id, members) = if is_any {
            (*chance.pick(&GROUPS), &[][..])
        } else {
            let (id, members) = chance.pick(&self.groups);
            (*id, members.as_slice())
        };
        let matrix = chance.percent(25).then(|| (*chance.pick(&self.matrices)).to_owned());
        (Resource::Group { id: id.into(), matrix }, members)
    }

    fn given(&self, chance: &mut Chance) -> Given {
        let mut given = Given::default();
        if chance.percent(30) {
            let count = chance.below(4);
            given.tags = Some((0..count).map(|_| chance.pick(&self.tags).clone()).collect());
        }
        if chance.percent(30) {
            given.peers = Some(*chance.pick(&self.modes));
        }
        if chance.percent(30) {
            let mut switches = SWITCHES;
            chance.shuffle(&mut switches);
            let some = &switches[..=chance.place(3)];
            given.permissions = some.iter().map(|name| (*name, chance.percent(60))).collect();
        }
        if chance.percent(30) {
            given.moderation =
                Some(*chance.pick(&["none", "none", "silenced", "banned", "shadowed"]));
        }
        if chance.percent(40) {
            given.role = Some(*chance.pick(&["member", "admin", "super_admin"]));
        }
        given
    }
}

/// The question as peerage takes it, its action being one that the policy may declare.
pub(crate) fn request_for<'q>(view: &View, question: &'q Question) -> Request<'q> {
    request_as(view.requested_action(question.action).unwrap(), question)
}

/// The question as peerage takes it, its action being a built-in one.
pub(crate) fn request(question: &Question) -> Request<'_> {
    request_as(action(question.action).into(), question)
}

fn request_as(asked: RequestedAction, question: &Question) -> Request<'_> {
    Request {
        subject: user(&question.subject),
        action: asked.action,
        own_action: asked.own,
        resource: match &question.resource {
            Resource::None => request::Resource::None,
            Resource::User(requested) => request::Resource::User(user(requested)),
            Resource::Group { id, matrix } => {
                request::Resource::Group(request::Group { id, matrix: matrix.as_deref() })
            }
        },
        member: question.member.as_ref().map(user),
        field: question.field.as_deref(),
        conversation: question.conversation.map(|word| word.parse().unwrap()),
    }
}

pub(crate) fn action(name: &str) -> Action {
    name.parse().unwrap()
}

/// A peers mode that properties may give.
fn peers_mode(name: &str) -> PeersMode {
    name.parse().unwrap()
}

fn user(requested: &Asked) -> request::User<'_> {
    let Given { tags, peers, permissions, moderation, role } = &requested.given;
    let properties = Properties {
        tags: tags.as_ref().map(|tags| tags.iter().map(String::as_str).collect()),
        peers: peers.map(peers_mode),
        permissions: permissions.iter().map(|(name, on)| (name.parse().unwrap(), *on)).collect(),
        moderation: moderation.map(|word| word.parse().unwrap()),
        role: role.map(|word| word.parse().unwrap()),
    };
    let says_something = properties != Properties::default();
    request::User { id: &requested.id, properties: says_something.then(|| Box::new(properties)) }
}
