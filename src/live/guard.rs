use crate::{
    compile,
    inspect::diff::{Detail, Diff},
    snapshot::View,
    source::Loaded,
};

/// How much a reload may change by itself.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ChangeGuard {
    /// The share of all ordered pairs of users, over all actions between two, that may come out
    /// otherwise: 0 to 1.
    pub max_changed: f64,
}

/// What a reload would have changed.
#[derive(Clone, PartialEq, Debug)]
pub struct Held {
    /// The difference in one line.
    pub summary: String,
    pub gained: u64,
    pub lost: u64,
    /// Which share of all pairs comes out otherwise, and which may: 0 to 1.
    pub share: f64,
    pub max_changed: f64,
}

impl ChangeGuard {
    /// What the new policy changes over the users that are served, if that is too much.
    ///
    /// Costs a comparison of both policies. What the files say anew of users themselves is no change
    /// of policy and is not counted.
    pub(super) fn holds(self, before: &View, after: &View, loaded: &Loaded) -> Option<Held> {
        let same = before.population.is_of_the_same(&after.population);
        let over = if same { None } else { compile::over(loaded, before) };
        let diff = Diff::of(before, over.as_ref().unwrap_or(after), None, Detail::NONE);
        let share = diff.share();
        let [gained, lost] = diff.totals();
        let max_changed = self.max_changed;
        let held = || Held { summary: diff.summary(), gained, lost, share, max_changed };
        (share > max_changed).then(held)
    }
}
