use crate::{
    compile,
    inspect::{
        Flips,
        diff::{Detail, Diff},
    },
    snapshot::View,
    source::Loaded,
};

/// How much a reload may change by itself.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ChangeGuard {
    /// The share of all ordered pairs of the users that are served, over all actions between two,
    /// that may come out otherwise: 0 to 1.
    pub max_changed: f64,
}

/// What a reload would have changed.
#[derive(Clone, PartialEq, Debug)]
pub struct Held {
    /// The difference in one line.
    pub summary: String,
    pub gained: u64,
    pub lost: u64,
    /// How many users would be gone.
    pub vanished: u32,
    /// Which share of all pairs comes out otherwise, and which may: 0 to 1.
    pub share: f64,
    pub max_changed: f64,
    /// Whether the counts are what a sample of the pairs comes to.
    pub is_estimate: bool,
}

impl ChangeGuard {
    /// What becomes of the users that are served, if that is too much.
    ///
    /// Where both views are of the same users, costs what a [`Diff`] does, and counts exactly. Where
    /// records, relations or users changed too, costs what [`Flips`] do. Both leave readers alone:
    /// they run beside them on this thread, the former on all processors.
    pub(super) fn holds(self, before: &View, after: &View, loaded: Loaded) -> Option<Held> {
        let same = |after: &View| before.population.is_of_the_same(&after.population);
        let says_the_same = before.population.digest == after.population.digest;
        // Read anew, though it says the same: records that are warned about are.
        let over =
            (!same(after) && says_the_same).then(|| compile::over(&loaded, before)).flatten();
        drop(loaded);
        let after = over.as_ref().unwrap_or(after);
        let held = if same(after) {
            let diff = Diff::of(before, after, None, Detail::NONE);
            let [gained, lost] = diff.totals();
            Held {
                summary: diff.summary(),
                gained,
                lost,
                vanished: 0,
                share: diff.share(),
                max_changed: self.max_changed,
                is_estimate: false,
            }
        } else {
            let flips = Flips::between(before, after);
            let [gained, lost] = flips.totals();
            Held {
                summary: flips.summary(),
                gained,
                lost,
                vanished: flips.vanished,
                share: flips.share(),
                max_changed: self.max_changed,
                is_estimate: flips.is_estimate,
            }
        };
        (held.share > self.max_changed).then_some(held)
    }
}
