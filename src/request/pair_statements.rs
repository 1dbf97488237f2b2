//! The statements of a policy about two users: outcomes, barriers, and from whom users accept what.

use std::fmt;

use super::{
    ActionKey, ActionSet, Condition, Relation, RelationCondition,
    during::{During, NamesWindows},
    relation_condition::EdgeDirection,
    text_enum::text_enum,
};

text_enum! {
    /// When a statement is asked.
    Asked: "word" {
        Always = "always",
        /// Of new conversations alone, where an action looks at the conversation at all.
        New = "new",
    }
}

text_enum! {
    /// What becomes of users outside of an audience.
    Otherwise: "word" {
        Deny = "deny",
        /// A new conversation begins as a request.
        Request = "request",
    }
}

/// The users whom a rule lets its subjects reach. `T` is a tag, as in [`Condition`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Outcome<T> {
    /// Those who have at least one of the tags, which are in order and each there once.
    Tags(Vec<T>),
    /// Those who meet the condition.
    Condition(Condition<T>),
}

impl<T> Outcome<T> {
    /// The tags, where the outcome is a list of them.
    pub fn tags(&self) -> &[T] {
        match self {
            Self::Tags(tags) => tags,
            Self::Condition(_) => &[],
        }
    }

    /// Whether a user is reached; `has` tells whether the user has a tag.
    pub fn holds(&self, has: &impl Fn(&T) -> bool) -> bool {
        match self {
            Self::Tags(tags) => tags.iter().any(has),
            Self::Condition(condition) => condition.holds(has),
        }
    }

    /// The same outcome over other names of the tags.
    pub fn map<U>(&self, name: &mut impl FnMut(&T) -> U) -> Outcome<U> {
        match self {
            Self::Tags(tags) => Outcome::Tags(tags.iter().map(name).collect()),
            Self::Condition(condition) => Outcome::Condition(condition.map(name)),
        }
    }

    /// Calls `visit` with each tag that the outcome names.
    pub fn for_each_tag<'c>(&'c self, visit: &mut impl FnMut(&'c T)) {
        match self {
            Self::Tags(tags) => tags.iter().for_each(visit),
            Self::Condition(condition) => condition.for_each_tag(visit),
        }
    }
}

impl<T> NamesWindows for Outcome<T> {
    fn for_each_window_mut(&mut self, visit: &mut dyn FnMut(&mut During)) {
        if let Self::Condition(condition) = self {
            condition.for_each_window_mut(visit);
        }
    }
}

/// The text in the grammar of policies, with the tags in the order in which they are given.
impl<T: fmt::Display> fmt::Display for Outcome<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tags(tags) => {
                f.write_str("[")?;
                for (at, tag) in tags.iter().enumerate() {
                    let comma = if at > 0 { ", " } else { "" };
                    write!(f, "{comma}{tag}")?;
                }
                f.write_str("]")
            }
            Self::Condition(condition) => write!(f, "{condition}"),
        }
    }
}

/// A barrier: two conditions whose users are kept apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Barrier<T> {
    pub name: String,
    pub description: Option<String>,
    /// The condition of the first side.
    pub from: Condition<T>,
    /// The condition of the second side.
    pub to: Condition<T>,
    /// Whether it stands in both directions.
    pub is_both_ways: bool,
    pub actions: ActionSet,
    /// The relation condition that lifts it, read from the user who meets the first side.
    pub unless: Option<RelationCondition<T>>,
    /// Whether it stands between who comes to a group and the members who are there.
    pub in_groups: bool,
}

impl<T> Barrier<T> {
    /// The same barrier over other names of the tags.
    pub fn map<U>(&self, name: &mut impl FnMut(&T) -> U) -> Barrier<U> {
        Barrier {
            name: self.name.clone(),
            description: self.description.clone(),
            from: self.from.map(name),
            to: self.to.map(name),
            is_both_ways: self.is_both_ways,
            actions: self.actions,
            unless: self.unless.as_ref().map(|unless| unless.map(name)),
            in_groups: self.in_groups,
        }
    }
}

impl<T> NamesWindows for Barrier<T> {
    fn for_each_window_mut(&mut self, visit: &mut dyn FnMut(&mut During)) {
        self.from.for_each_window_mut(visit);
        self.to.for_each_window_mut(visit);
        self.unless.for_each_window_mut(visit);
    }
}

/// The number of an audience among those of a policy, the built-in ones first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AudienceNumber(pub u16);

/// A named relation condition, read from the user who is reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Audience<T> {
    pub name: String,
    pub condition: RelationCondition<T>,
}

/// The audiences of a policy: the built-in ones, then its own in the order of their names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Audiences<T> {
    all: Vec<Audience<T>>,
}

impl<T> Default for Audiences<T> {
    fn default() -> Self {
        let related = |relation| RelationCondition::Related(relation, EdgeDirection::Own);
        let built_in = [
            ("everyone", RelationCondition::Everyone),
            ("contacts", related(Relation::Contact)),
            ("favorites", related(Relation::Favorite)),
            ("paired", related(Relation::Pair)),
            ("friends", related(Relation::Friend)),
            ("nobody", RelationCondition::Nobody),
        ];
        let all = built_in.into_iter();
        Self {
            all: all
                .map(|(name, condition)| Audience { name: name.to_owned(), condition })
                .collect(),
        }
    }
}

impl<T> Audiences<T> {
    /// The number of built-in audiences.
    pub const BUILT_IN: usize = 6;

    /// The audience of everyone.
    pub const EVERYONE: AudienceNumber = AudienceNumber(0);

    /// The audience of nobody.
    pub const NOBODY: AudienceNumber = AudienceNumber(5);

    /// The built-in audiences and these, which are in the order of their names.
    pub fn new(own: Vec<Audience<T>>) -> Self {
        let mut audiences = Self::default();
        audiences.all.extend(own);
        audiences
    }

    /// The audience of a number.
    pub fn get(&self, number: AudienceNumber) -> Option<&Audience<T>> {
        self.all.get(usize::from(number.0))
    }

    /// The number of the audience with a name. Costs a look at the built-in names and a binary search.
    pub fn number(&self, name: &str) -> Option<AudienceNumber> {
        let (built_in, own) = self.all.split_at_checked(Self::BUILT_IN)?;
        let at = built_in.iter().position(|audience| audience.name == name).or_else(|| {
            let at = own.binary_search_by(|audience| audience.name.as_str().cmp(name)).ok()?;
            Some(at + Self::BUILT_IN)
        })?;
        u16::try_from(at).ok().map(AudienceNumber)
    }

    /// All audiences by number.
    pub fn iter(&self) -> impl Iterator<Item = (AudienceNumber, &Audience<T>)> {
        (0..).map(AudienceNumber).zip(&self.all)
    }

    /// The audiences that the policy defines.
    pub fn own(&self) -> &[Audience<T>] {
        self.all.get(Self::BUILT_IN..).unwrap_or_default()
    }

    /// The same audiences over other names of the tags.
    pub fn map<U>(&self, name: &mut impl FnMut(&T) -> U) -> Audiences<U> {
        let all = self.all.iter().map(|audience| Audience {
            name: audience.name.clone(),
            condition: audience.condition.map(name),
        });
        Audiences { all: all.collect() }
    }
}

impl<T> NamesWindows for Audiences<T> {
    fn for_each_window_mut(&mut self, visit: &mut dyn FnMut(&mut During)) {
        self.all.iter_mut().for_each(|audience| audience.condition.for_each_window_mut(visit));
    }
}

/// From whom users accept an action. `T` is a tag, as in [`Condition`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Accepts<T> {
    pub action: ActionKey,
    /// The audiences by condition; the first condition that a user meets counts.
    pub modes: Vec<AudienceMode<T>>,
    /// The audience of users who meet none of the conditions.
    pub default: AudienceNumber,
    pub asked: Asked,
    pub otherwise: Otherwise,
}

/// The audience of users who meet a condition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AudienceMode<T> {
    pub when: Condition<T>,
    pub audience: AudienceNumber,
    /// Whether the audiences of users' own records can't widen it.
    pub is_locked: bool,
}

impl<T> Accepts<T> {
    /// What holds of an action without an entry: everyone is accepted.
    pub fn everyone(action: ActionKey) -> Self {
        Self {
            action,
            modes: Vec::new(),
            default: Audiences::<T>::EVERYONE,
            asked: Asked::Always,
            otherwise: Otherwise::Deny,
        }
    }

    /// The audience of a user by the policy, and whether it is locked; `has` tells whether the user has a
    /// tag.
    pub fn audience(&self, has: &impl Fn(&T) -> bool) -> (AudienceNumber, bool) {
        let met = self.modes.iter().find(|mode| mode.when.holds(has));
        met.map_or((self.default, false), |mode| (mode.audience, mode.is_locked))
    }

    /// The same entry over other names of the tags.
    pub fn map<U>(&self, name: &mut impl FnMut(&T) -> U) -> Accepts<U> {
        let modes = self.modes.iter().map(|mode| AudienceMode {
            when: mode.when.map(name),
            audience: mode.audience,
            is_locked: mode.is_locked,
        });
        Accepts {
            action: self.action,
            modes: modes.collect(),
            default: self.default,
            asked: self.asked,
            otherwise: self.otherwise,
        }
    }
}

impl<T> NamesWindows for Accepts<T> {
    fn for_each_window_mut(&mut self, visit: &mut dyn FnMut(&mut During)) {
        self.modes.iter_mut().for_each(|mode| mode.when.for_each_window_mut(visit));
    }
}
