//! The windows of a policy, with the state of each at one moment.

use std::sync::Arc;

use super::{
    Condition, Grant, GrantCondition, Moment,
    during::{During, NamesWindows},
    window::Window,
};

/// The windows of a policy in the order of their names, and which of them are open.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Windows {
    all: Arc<[Window]>,
    /// Whether each is open.
    open: Arc<[bool]>,
    /// The edges around the moment: the last one that is not after it, and the next one.
    edges: [Option<Moment>; 2],
}

impl Windows {
    /// The windows, which are in the order of their names, as they are at a moment.
    pub fn new(all: Arc<[Window]>, at: Moment) -> Self {
        let open = all.iter().map(|window| window.is_open(at)).collect();
        let last = all.iter().filter_map(|window| window.last_edge(at)).max();
        let next = all.iter().filter_map(|window| window.next_edge(at)).min();
        Self { all, open, edges: [last, next] }
    }

    /// The same windows at another moment.
    #[must_use]
    pub fn at(&self, at: Moment) -> Self {
        Self::new(Arc::clone(&self.all), at)
    }

    /// The same windows, of which others are open, in the order of the windows; those that `open` does not reach
    /// are closed.
    #[must_use]
    pub fn with_open(&self, open: impl Iterator<Item = bool>) -> Self {
        let open = open.chain(std::iter::repeat(false)).take(self.all.len());
        Self { all: Arc::clone(&self.all), open: open.collect(), edges: self.edges }
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// The windows, and whether each is open.
    pub fn iter(&self) -> impl Iterator<Item = (&Window, bool)> {
        self.all.iter().zip(self.open.iter().copied())
    }

    /// Whether the window of a name is open; `None` if there is no such window. Costs a binary search.
    pub fn is_open(&self, name: &str) -> Option<bool> {
        let at = self.all.binary_search_by(|window| (*window.name).cmp(name)).ok()?;
        self.open.get(at).copied()
    }

    /// The next moment after that of the windows at which one opens or closes; `None` if none ever does.
    pub fn next_edge(&self) -> Option<Moment> {
        let [_, next] = self.edges;
        next
    }

    /// The latest moment, not after that of the windows, at which one opened or closed; `None` if none ever did.
    pub fn last_edge(&self) -> Option<Moment> {
        let [last, _] = self.edges;
        last
    }

    /// Whether the same of the windows are open.
    pub fn has_same_states(&self, other: &Self) -> bool {
        self.open == other.open
    }

    /// Sets each window that is named to whether it is open. Whether there are windows of all the names; one of a
    /// name that there is not counts as closed.
    pub fn resolve(&self, named: &mut (impl NamesWindows + ?Sized)) -> bool {
        let mut knows_all = true;
        named.for_each_window_mut(&mut |During { window, is_open }| {
            let state = self.is_open(window);
            knows_all &= state.is_some();
            *is_open = state.unwrap_or(false);
        });
        knows_all
    }

    /// Sets each window that a record's condition names, as [`resolve`](Self::resolve). One that names a window
    /// which there is not holds for nobody: the policy that had it is gone.
    pub fn resolve_record<T>(&self, condition: &mut Condition<T>) {
        let is_closed = |it: &Condition<T>| matches!(it, Condition::All(parts) if matches!(parts.first(), Some(Condition::Nobody)));
        if !self.resolve(condition) && !is_closed(condition) {
            let whole = std::mem::replace(condition, Condition::Nobody);
            *condition = Condition::All(vec![Condition::Nobody, whole]);
        }
    }

    /// The same for a value that a group's record gives to a permission.
    pub fn resolve_value<T>(&self, value: &mut GrantCondition<T>) {
        const DENY: Grant = Grant::Deny;
        let is_closed = |it: &GrantCondition<T>| matches!(it, GrantCondition::All(parts) if matches!(parts.first(), Some(GrantCondition::Grant(DENY))));
        if !self.resolve(value) && !is_closed(value) {
            let whole = std::mem::replace(value, GrantCondition::Grant(DENY));
            *value = GrantCondition::All(vec![GrantCondition::Grant(DENY), whole]);
        }
    }

    /// Whether a window that is named is in another state here.
    pub fn differ(&self, named: &(impl NamesWindows + Clone)) -> bool {
        let mut differ = false;
        named.clone().for_each_window_mut(&mut |During { window, is_open }| {
            differ |= self.is_open(window).unwrap_or(false) != *is_open;
        });
        differ
    }
}
