//! What is said of two users in random worlds: rule sets, audiences, barriers and declared actions,
//! laid over any world as far as its shape goes.

use std::{collections::BTreeMap, iter::Cycle, slice::Iter};

use super::{Chance, relations::Vocabulary};
use crate::oracle::{
    Accepts, AudienceMode, BUILT_IN, Barrier, Condition, Outcome, REACHING, Relation, Rule,
    RuleSet, Toggle, Value, World,
};

/// The kinds of statements that a world may hold besides the plain ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is turned on by itself")]
pub(crate) struct WorldShape {
    /// Outcomes that are conditions.
    pub(crate) outcomes: bool,
    /// Rule sets besides `rules`.
    pub(crate) sets: bool,
    /// What must be between two users, in rules and in what lifts a barrier.
    pub(crate) between: bool,
    /// Audiences, and from whom users accept what.
    pub(crate) audiences: bool,
    /// Audiences as peers modes.
    pub(crate) modes: bool,
    pub(crate) barriers: bool,
    /// Actions of the policy's own.
    pub(crate) declared: bool,
    /// `view_profile` as an action that statements concern.
    pub(crate) sight: bool,
    /// Who may speak in groups, who may join them, and whom they require.
    pub(crate) groups: bool,
    /// Windows of time, and what ends.
    pub(crate) times: bool,
}

impl WorldShape {
    pub(crate) const PLAIN: Self = Self {
        outcomes: false,
        sets: false,
        between: false,
        audiences: false,
        modes: false,
        barriers: false,
        declared: false,
        sight: false,
        groups: false,
        times: false,
    };

    pub(crate) const ALL: Self = Self {
        outcomes: true,
        sets: true,
        between: true,
        audiences: true,
        modes: true,
        barriers: true,
        declared: true,
        sight: true,
        groups: true,
        times: false,
    };

    /// With all that depends on time, too: a world of this shape is asked as it is at a moment.
    pub(crate) const TIMED: Self = Self { times: true, ..Self::ALL };
}

/// Some of the statements of a large world: with all of them, hardly anything is allowed.
pub(crate) const THIN: [bool; 3] = [true, false, false];

/// Names of declared actions, each with those that it may be like.
const DECLARED: [(&str, &[&str]); 5] = [
    ("mention", &["send_message", "send_message", "start_chat", "post", "add_admin"]),
    (
        "send_file",
        &["send_message", "voice_call", "remove_member", "update_metadata", "mute_member"],
    ),
    ("glance", &["view_profile", "view_profile", "read", "ban"]),
    ("invite", &["add_member", "add_member", "friend_request", "leave", "join"]),
    (
        "knock",
        &[
            "video_call",
            "start_chat",
            "add_super_admin",
            "create_group",
            "list_users",
            "ban_member",
        ],
    ),
];

/// The built-in actions whose like have a cell of their own in matrices.
const WITH_CELLS: [&str; 13] = [
    "send_message",
    "voice_call",
    "video_call",
    "add_member",
    "remove_member",
    "update_metadata",
    "add_admin",
    "remove_admin",
    "update_permissions",
    "leave",
    "join",
    "mute_member",
    "ban_member",
];

/// Audiences of the policy; each may name those before it.
const AUDIENCES: [&str; 3] = ["close", "colleagues", "vip"];

/// The cells that a matrix may leave out.
pub(super) const OPTIONAL_CELLS: [&str; 7] =
    ["send_message", "voice_call", "video_call", "leave", "join", "mute_member", "ban_member"];

pub(super) const BUILT_IN_AUDIENCES: [&str; 6] =
    ["everyone", "contacts", "favorites", "paired", "friends", "nobody"];

impl World {
    /// Lays statements about two users over a world. Each is there if `keep` says so, in turn and
    /// again from its beginning: a failing world gets smaller by it.
    #[must_use]
    pub(crate) fn extended(mut self, shape: WorldShape, seed: u64, keep: &[bool]) -> Self {
        if shape == WorldShape::PLAIN {
            return self;
        }
        let vocabulary = Vocabulary::of(&self);
        let mut draw = Draw { chance: Chance(seed), vocabulary, shape, keep: keep.iter().cycle() };
        if draw.chance.percent(75) {
            draw.open(&mut self);
        }
        if shape.declared {
            draw.declare(&mut self);
        }
        if shape.audiences {
            draw.audiences(&mut self);
        }
        draw.rules(&mut self);
        if shape.sets {
            draw.sets(&mut self);
        }
        if shape.barriers {
            draw.barriers(&mut self);
        }
        if shape.groups {
            draw.groups(&mut self);
        }
        if shape.times {
            draw.times(&mut self);
        }
        if shape.sight && draw.chance.percent(50) {
            let mode = *draw.chance.pick(&["off", "one_way", "two_way"]);
            self.settings.blocks.insert("view_profile", mode);
        }
        self
    }

    /// Whether it says anything that a plain world does not.
    pub(crate) fn says_more(&self) -> bool {
        let is_more =
            |rule: &Rule| rule.between.is_some() || !matches!(rule.outcome, Outcome::Tags(_));
        !self.between.is_empty()
            || self.rules.iter().flatten().any(is_more)
            || self.users.values().any(|user| !user.accepts.is_empty())
    }

    /// The actions that statements about two users may name.
    pub(crate) fn nameable(&self, has_sight: bool) -> Vec<&'static str> {
        let is_one =
            |action: &str| REACHING.contains(&action) || (has_sight && action == "view_profile");
        let mut nameable: Vec<&str> = REACHING.to_vec();
        if has_sight {
            nameable.push("view_profile");
        }
        let declared = self.between.actions.iter().filter(|(_, like)| is_one(like));
        nameable.extend(declared.map(|(name, _)| *name));
        nameable
    }
}

pub(super) struct Draw<'k> {
    pub(super) chance: Chance,
    pub(super) vocabulary: Vocabulary,
    shape: WorldShape,
    keep: Cycle<Iter<'k, bool>>,
}

impl Draw<'_> {
    /// Whether the next statement stays; all do where nothing is said.
    pub(super) fn keeps(&mut self) -> bool {
        self.keep.next().copied().unwrap_or(true)
    }

    /// Takes away most of what else would refuse nearly everything, so that what is between two
    /// users decides.
    fn open(&mut self, world: &mut World) {
        world.settings.permissions.clear();
        world.settings.modes.clear();
        world.settings.peers = None;
        for user in world.users.values_mut() {
            if self.chance.percent(80) {
                user.permissions.clear();
                user.moderation = None;
                user.peers = None;
            }
            if self.chance.percent(70) {
                user.blocked.clear();
            }
        }
        if self.chance.percent(50) {
            world.rules = None;
        }
    }

    fn declare(&mut self, world: &mut World) {
        for (name, likes) in DECLARED {
            let like = *self.chance.pick(likes);
            let is_there = self.chance.percent(50) && (self.shape.sight || like != "view_profile");
            if self.keeps() && is_there {
                world.between.actions.insert(name, like);
                self.say_of(name, like, world);
            }
        }
    }

    /// A declared action's own switch, block mode and cells.
    fn say_of(&mut self, name: &'static str, like: &str, world: &mut World) {
        if self.chance.percent(30) {
            let when = self.vocabulary.condition(&mut self.chance, 1);
            world.settings.permissions.insert(name, Toggle::When(when));
        }
        for user in world.users.values_mut() {
            if self.chance.percent(12) {
                user.permissions.insert(name, Toggle::Always(self.chance.percent(50)));
            }
        }
        if self.chance.percent(50) && (REACHING.contains(&like) || like == "view_profile") {
            let mode = *self.chance.pick(&["off", "one_way", "two_way"]);
            world.settings.blocks.insert(name, mode);
        }
        for matrix in world.matrices.values_mut() {
            if self.chance.percent(50) && WITH_CELLS.contains(&like) {
                let grants = ["allow", "deny", "allow_if_admin", "allow_if_super_admin"];
                let bare = Value::Grant(self.chance.pick::<&str>(&grants));
                let tag = Value::HasTag(self.vocabulary.tag(&mut self.chance));
                let either = Value::Any(vec![Value::Grant("allow_if_admin"), tag]);
                let cell = if self.chance.percent(60) { bare } else { either };
                let cell = if like == "join" { self.admission() } else { cell };
                matrix.permissions.insert(name, cell);
            }
        }
    }

    fn audiences(&mut self, world: &mut World) {
        let mut names = BUILT_IN_AUDIENCES.to_vec();
        for name in AUDIENCES {
            if self.chance.percent(60) {
                let condition = self.vocabulary.audience(&mut self.chance, &names);
                world.between.audiences.insert(name, condition);
                names.push(name);
            }
        }
        for action in world.nameable(self.shape.sight) {
            let accepts = self.accepts(&world.between.actions, action, &names);
            if self.keeps() && self.chance.percent(40) {
                world.between.accepts.insert(action, accepts);
            }
        }
        let nameable = world.nameable(self.shape.sight);
        let modes: Vec<&'static str> =
            names.into_iter().filter(|name| !BUILT_IN_AUDIENCES[..4].contains(name)).collect();
        if self.shape.modes && self.chance.percent(20) {
            let when = self.vocabulary.condition(&mut self.chance, 1);
            world.settings.modes.insert(0, (when, *self.chance.pick(&modes)));
        }
        for user in world.users.values_mut() {
            for _ in 0..self.chance.below(4) {
                let action = *self.chance.pick(&nameable);
                let audience = self.audience(&world.between.audiences);
                if self.keeps() {
                    user.accepts.insert(action, audience);
                }
            }
            if self.shape.modes && self.chance.percent(12) {
                user.peers = Some(*self.chance.pick(&modes));
            }
        }
    }

    fn audience(&mut self, own: &BTreeMap<&'static str, Relation>) -> &'static str {
        let mut names = BUILT_IN_AUDIENCES.to_vec();
        names.extend(own.keys().copied());
        // Closed to all is worth less to a test than anything else.
        let name = *self.chance.pick(&names);
        if name == "nobody" && self.chance.percent(70) { "contacts" } else { name }
    }

    fn accepts(
        &mut self,
        actions: &BTreeMap<&'static str, &'static str>,
        action: &'static str,
        names: &[&'static str],
    ) -> Accepts {
        let base = actions.get(action).copied().unwrap_or(action);
        let takes_requests =
            ["start_chat", "send_message", "voice_call", "video_call"].contains(&base);
        let modes: Vec<AudienceMode> = (0..self.chance.below(3))
            .map(|_| AudienceMode {
                when: self.vocabulary.condition(&mut self.chance, 1),
                audience: self.chance.pick::<&str>(names),
                is_locked: self.chance.percent(50),
            })
            .collect();
        let has_default = modes.is_empty() || self.chance.percent(60);
        let otherwise = if takes_requests { ["request", "request", "deny"] } else { ["deny"; 3] };
        Accepts {
            default: has_default.then(|| *self.chance.pick(names)),
            modes,
            asked: self.word(60, &["new", "always"]),
            otherwise: self.word(60, &otherwise),
        }
    }

    fn word(&mut self, percent: u64, words: &[&'static str]) -> Option<&'static str> {
        self.chance.percent(percent).then(|| *self.chance.pick(words))
    }

    /// Makes some of the plain rules say more.
    fn rules(&mut self, world: &mut World) {
        for (number, rule) in world.rules.iter_mut().flatten().enumerate() {
            let was_plain = rule.id.is_none() && rule.name.is_none();
            if self.say_more(rule) && was_plain {
                rule.name = Some(format!("more {number}"));
            }
        }
    }

    /// Whether the rule says more than before.
    fn say_more(&mut self, rule: &mut Rule) -> bool {
        let mut says_more = false;
        if self.shape.outcomes && self.chance.percent(50) {
            let condition = self.vocabulary.condition(&mut self.chance, 2);
            rule.outcome = Outcome::Condition(condition);
            says_more = true;
        }
        if self.shape.between && self.chance.percent(45) {
            let between = self.vocabulary.relation(&mut self.chance, 2);
            if self.keeps() {
                rule.between = Some(between);
                if self.chance.percent(30) {
                    rule.outcome = Outcome::LeftOut;
                }
                says_more = true;
            }
        }
        says_more
    }

    fn sets(&mut self, world: &mut World) {
        let names = ["someone of staff", "class", "über alles"];
        for name in names.into_iter().take(self.chance.place(4)) {
            let mut rules = Vec::new();
            for number in 0..self.chance.below(5) {
                let mut rule = Rule {
                    id: None,
                    name: Some(format!("{name} {number}")),
                    description: None,
                    condition: self.vocabulary.condition(&mut self.chance, 1),
                    outcome: Outcome::Tags(vec![self.vocabulary.tag(&mut self.chance)]),
                    between: None,
                };
                if self.chance.percent(35) {
                    rule.condition = Condition::Everyone;
                }
                self.say_more(&mut rule);
                if self.keeps() {
                    rules.push(rule);
                }
            }
            let set = RuleSet {
                name: name.to_owned(),
                asked: self.word(60, &["new", "always"]),
                actions: self.actions(world),
                rules,
            };
            if self.keeps() {
                world.between.sets.push(set);
            }
        }
    }

    /// Some actions, or none said.
    fn actions(&mut self, world: &World) -> Option<Vec<&'static str>> {
        let mut nameable = world.nameable(self.shape.sight);
        self.chance.shuffle(&mut nameable);
        nameable.truncate(1 + self.chance.place(nameable.len()));
        self.chance.percent(65).then_some(nameable)
    }

    fn barriers(&mut self, world: &mut World) {
        let names = ["research and trading", "minors", "b: \"x\" # y"];
        for name in names.into_iter().take(self.chance.place(4)) {
            let has_exception = self.shape.between && self.chance.percent(50);
            let barrier = Barrier {
                name: name.to_owned(),
                is_both_ways: self.chance.percent(50),
                from: self.vocabulary.condition(&mut self.chance, 1),
                to: self.vocabulary.condition(&mut self.chance, 1),
                actions: self.actions(world),
                unless: has_exception.then(|| self.vocabulary.relation(&mut self.chance, 2)),
                groups: self.chance.percent(30).then(|| self.chance.percent(40)),
            };
            if self.keeps() {
                world.between.barriers.push(barrier);
            }
        }
    }
}

/// Matrices that a relation condition can name: those with a plain name, which govern groups of
/// more than two.
pub(super) fn nameable_matrices(world: &World) -> Vec<String> {
    let is_plain = |name: &&String| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let own = world.matrices.keys().filter(is_plain).cloned();
    own.chain(BUILT_IN.iter().filter(|name| **name != "dm").map(ToString::to_string)).collect()
}
