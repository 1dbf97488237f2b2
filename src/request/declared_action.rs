//! Actions of a policy's own, and the names and keys of actions of either kind.

use std::{fmt, sync::Arc};

use super::{
    Action, BlockMode, Condition, Toggle, UnknownWordError,
    during::{During, NamesWindows},
};

/// The number of an action that a policy declares, from 0 in the order of their names. It means nothing under
/// another policy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DeclaredAction(u8);

impl DeclaredAction {
    /// The greatest number of actions that a policy declares.
    pub const MOST: usize = 32;

    /// The number with this index; `None` from [`MOST`](Self::MOST) on.
    pub fn from_index(index: usize) -> Option<Self> {
        u8::try_from(index).ok().filter(|_| index < Self::MOST).map(Self)
    }

    /// The index among the actions that the policy declares.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// An action of either kind under one policy, as its statements name it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ActionKey {
    BuiltIn(Action),
    Declared(DeclaredAction),
}

impl From<Action> for ActionKey {
    fn from(action: Action) -> Self {
        Self::BuiltIn(action)
    }
}

/// The name of an action of either kind; built-in ones come first, in the order of the reference.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ActionName {
    BuiltIn(Action),
    Declared(Arc<str>),
}

impl ActionName {
    pub fn as_str(&self) -> &str {
        match self {
            Self::BuiltIn(action) => action.as_str(),
            Self::Declared(name) => name,
        }
    }

    /// The action, if it is a built-in one.
    pub fn built_in(&self) -> Option<Action> {
        match self {
            Self::BuiltIn(action) => Some(*action),
            Self::Declared(_) => None,
        }
    }
}

impl From<Action> for ActionName {
    fn from(action: Action) -> Self {
        Self::BuiltIn(action)
    }
}

impl fmt::Display for ActionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Every text is a name: which actions there are is the policy's to say.
impl<'de> serde::Deserialize<'de> for ActionName {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        let built_in = name.parse::<Action>().map(Self::BuiltIn);
        Ok(built_in.unwrap_or_else(|_| Self::Declared(name.into())))
    }
}

impl serde::Serialize for ActionName {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

/// An action as a request asks for it under one policy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RequestedAction {
    /// The built-in action: the requested one, or the one that it is like.
    pub action: Action,
    /// The requested action, if the policy declares it.
    pub own: Option<DeclaredAction>,
}

impl RequestedAction {
    /// The action of the two that the request names.
    pub fn key(self) -> ActionKey {
        self.own.map_or(ActionKey::BuiltIn(self.action), ActionKey::Declared)
    }
}

impl From<Action> for RequestedAction {
    fn from(action: Action) -> Self {
        Self { action, own: None }
    }
}

/// What a policy says of an action that it declares. `T` is a tag, as in [`Condition`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActionDeclaration<T> {
    pub name: Arc<str>,
    /// The built-in action that it is like.
    pub like: Action,
    /// Its switch.
    pub switch: Toggle<T>,
    /// Its block mode, besides that of the action that it is like.
    pub blocks: BlockMode,
}

/// The actions that a policy declares, in the order of their names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeclaredActions<T> {
    all: Vec<ActionDeclaration<T>>,
}

impl<T> Default for DeclaredActions<T> {
    fn default() -> Self {
        Self { all: Vec::new() }
    }
}

impl<T> NamesWindows for DeclaredActions<T> {
    fn for_each_window_mut(&mut self, visit: &mut dyn FnMut(&mut During)) {
        self.all.iter_mut().for_each(|action| action.switch.for_each_window_mut(visit));
    }
}

impl<T> DeclaredActions<T> {
    /// The actions with these names, each like a built-in one, of which nothing else is said. Names from
    /// [`DeclaredAction::MOST`] on are left out.
    pub fn new(mut likes: Vec<(String, Action)>) -> Self {
        likes.sort();
        likes.truncate(DeclaredAction::MOST);
        let all = likes.into_iter().map(|(name, like)| ActionDeclaration {
            name: name.into(),
            like,
            switch: Toggle::Always(true),
            blocks: BlockMode::Off,
        });
        Self { all: all.collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// What the policy says of an action.
    #[inline]
    pub fn get(&self, action: DeclaredAction) -> Option<&ActionDeclaration<T>> {
        self.all.get(action.index())
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, action: DeclaredAction) -> Option<&mut ActionDeclaration<T>> {
        self.all.get_mut(action.index())
    }

    /// The action with a name. Costs a binary search.
    pub fn number(&self, name: &str) -> Option<DeclaredAction> {
        let at = self.all.binary_search_by(|it| (*it.name).cmp(name)).ok()?;
        DeclaredAction::from_index(at)
    }

    /// The actions by number.
    pub fn iter(&self) -> impl Iterator<Item = (DeclaredAction, &ActionDeclaration<T>)> {
        (0..).map(DeclaredAction).zip(&self.all)
    }

    /// The actions as requests ask for them.
    pub fn requested(&self) -> impl Iterator<Item = RequestedAction> {
        self.iter().map(|(own, it)| RequestedAction { action: it.like, own: Some(own) })
    }

    /// The action of a name, built in or declared.
    ///
    /// # Errors
    /// If there is none; the error names all that there are.
    pub fn resolve(&self, name: &str) -> Result<RequestedAction, UnknownWordError> {
        let built_in = name.parse::<Action>();
        built_in.map(RequestedAction::from).or_else(|mut unknown| {
            let own = self.number(name);
            if let Some((own, declared)) = own.and_then(|own| Some((own, self.get(own)?))) {
                return Ok(RequestedAction { action: declared.like, own: Some(own) });
            }
            for declared in &self.all {
                unknown.known.push_str(", ");
                unknown.known.push_str(&declared.name);
            }
            Err(unknown)
        })
    }

    /// The name of an action; the empty one, if the policy does not declare it.
    pub fn name(&self, key: impl Into<ActionKey>) -> ActionName {
        match key.into() {
            ActionKey::BuiltIn(action) => ActionName::BuiltIn(action),
            ActionKey::Declared(own) => {
                let declared = self.get(own);
                ActionName::Declared(declared.map_or_else(|| "".into(), |it| Arc::clone(&it.name)))
            }
        }
    }

    /// The action of a name; `None` if there is none.
    pub fn key(&self, name: &ActionName) -> Option<ActionKey> {
        match name {
            ActionName::BuiltIn(action) => Some(ActionKey::BuiltIn(*action)),
            ActionName::Declared(name) => self.number(name).map(ActionKey::Declared),
        }
    }

    /// The built-in action, or the one that a declared one is like; `None` if the policy does not declare it.
    pub fn like(&self, key: ActionKey) -> Option<Action> {
        match key {
            ActionKey::BuiltIn(action) => Some(action),
            ActionKey::Declared(own) => self.get(own).map(|it| it.like),
        }
    }

    /// Whether the policy's switches of declared actions are the same, by name; one that is on for all is none.
    pub(super) fn has_same_switches(&self, other: &Self) -> bool
    where
        T: PartialEq,
    {
        let is_set = |it: &&ActionDeclaration<T>| it.switch != Toggle::Always(true);
        let [one, other] = [self, other].map(|all| all.all.iter().filter(is_set));
        one.map(|it| (&it.name, &it.switch)).eq(other.map(|it| (&it.name, &it.switch)))
    }

    /// Whether the block modes of declared actions are the same, by name; `off` is none.
    pub(super) fn has_same_blocks(&self, other: &Self) -> bool {
        let is_set = |it: &&ActionDeclaration<T>| it.blocks != BlockMode::Off;
        let [one, other] = [self, other].map(|all| all.all.iter().filter(is_set));
        one.map(|it| (&it.name, it.blocks)).eq(other.map(|it| (&it.name, it.blocks)))
    }

    /// The same actions over other names of the tags.
    pub fn map<U>(&self, name: &mut impl FnMut(&T) -> U) -> DeclaredActions<U> {
        let all = self.all.iter().map(|it| ActionDeclaration {
            name: Arc::clone(&it.name),
            like: it.like,
            switch: it.switch.map(name),
            blocks: it.blocks,
        });
        DeclaredActions { all: all.collect() }
    }

    /// Calls `visit` with the condition of each switch.
    pub fn for_each_condition<'s>(&'s self, visit: &mut impl FnMut(&'s Condition<T>)) {
        for it in &self.all {
            if let Toggle::When(condition) = &it.switch {
                visit(condition);
            }
        }
    }
}

impl From<RequestedAction> for ActionKey {
    fn from(requested: RequestedAction) -> Self {
        requested.key()
    }
}
