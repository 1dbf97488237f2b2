//! The counters of decisions and the histogram of request times, in a shard for each core.
//!
//! A thread counts in its own shard, so that cores don't contend for a cache line: a request costs three
//! relaxed additions. Shards are summed when metrics are read.

use std::{
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeMetric, MetricEncoder},
    metrics::{MetricType, counter::Counter, family::Family},
    registry::Registry,
};

use crate::request::{Action, ActionName, Decision, Reason};

/// The upper bounds of the buckets in nanoseconds: from 5 µs, about what a decision takes, to 10 s.
const BOUNDS: [u64; 20] = [
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
];

/// The cells of one histogram: its buckets, that of all longer times, and the sum in nanoseconds.
const CELLS: usize = BOUNDS.len() + 2;

/// The greatest number of shards. Threads beyond share them.
const MAX_SHARDS: usize = 32;

/// The number of declared actions that are counted by their names, over all policies since the start.
const DECLARED: usize = 64;

/// The number of slots of actions: built-in ones, declared ones, and one of all other declared ones.
const SLOTS: usize = Action::COUNT + DECLARED + 1;

/// The label of declared actions beyond those; no action's name, as it begins with another character.
const OTHER: &str = "(other)";

/// The counters of decisions by action and reason, and of request times by route.
pub struct RequestMetrics {
    /// A power of two of them.
    shards: Box<[Shard]>,
    routes: Vec<String>,
    /// The declared actions that have counters of their own, in the order of their first decisions.
    declared: RwLock<Vec<Arc<str>>>,
}

/// The counters of the threads that share a shard.
struct Shard {
    /// By action, and in it by reason.
    decisions: Box<[AtomicU64]>,
    /// [`CELLS`] for each route.
    times: Box<[AtomicU64]>,
}

/// The index of a route among those that are counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RouteIndex(pub usize);

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct DecisionLabels {
    action: String,
    decision: &'static str,
    reason: &'static str,
}

impl RequestMetrics {
    /// Counters for these routes. Routes of one name are read as one.
    pub fn new(routes: Vec<String>) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let count = cores.next_power_of_two().min(MAX_SHARDS);
        let zeros = |count: usize| (0..count).map(|_| AtomicU64::new(0)).collect();
        let shard = || Shard {
            decisions: zeros(SLOTS * Reason::COUNT),
            times: zeros(routes.len() * CELLS),
        };
        let shards = (0..count).map(|_| shard()).collect();
        Self { shards, routes, declared: RwLock::default() }
    }

    /// Counts a decision. The first declared actions, up to [`DECLARED`] since the start, are counted by their
    /// names, all others together.
    #[inline]
    pub fn count_decision(&self, action: &ActionName, decision: Decision) {
        let slot = match action {
            ActionName::BuiltIn(action) => action.index(),
            ActionName::Declared(name) => self.declared_slot(name),
        };
        let at = slot * Reason::COUNT + decision.reason.index();
        if let Some(counter) = self.shard().and_then(|shard| shard.decisions.get(at)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The slot of a declared action.
    fn declared_slot(&self, name: &Arc<str>) -> usize {
        let find = |names: &Vec<Arc<str>>| names.iter().position(|known| known == name);
        let found = find(&self.declared.read().unwrap_or_else(PoisonError::into_inner));
        let at = found.unwrap_or_else(|| {
            let mut names = self.declared.write().unwrap_or_else(PoisonError::into_inner);
            find(&names).unwrap_or_else(|| {
                if names.len() < DECLARED {
                    names.push(Arc::clone(name));
                    names.len() - 1
                } else {
                    DECLARED
                }
            })
        });
        Action::COUNT + at
    }

    /// Counts a request at a route by the time that it took.
    #[inline]
    pub fn record_time(&self, RouteIndex(route): RouteIndex, took: Duration) {
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let cells = self.shard().and_then(|it| it.times.get(route * CELLS..(route + 1) * CELLS));
        let Some([buckets @ .., sum]) = cells else { return };
        let bucket = BOUNDS.partition_point(|&bound| bound < nanoseconds);
        if let Some(bucket) = buckets.get(bucket) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        sum.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// The name of a route.
    pub fn route_name(&self, RouteIndex(index): RouteIndex) -> Option<&str> {
        self.routes.get(index).map(String::as_str)
    }

    /// The number of routes.
    pub fn route_count(&self) -> usize {
        self.routes.len()
    }

    #[inline]
    fn shard(&self) -> Option<&Shard> {
        self.shards.get(thread_number() & (self.shards.len() - 1))
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        let decisions = Family::<DecisionLabels, Counter>::default();
        let declared = self.declared.read().unwrap_or_else(PoisonError::into_inner).clone();
        let built_in = Action::ALL.iter().map(|action| (action.index(), action.as_str()));
        let own = (Action::COUNT..).zip(declared.iter().map(|name| &**name));
        for (slot, action) in built_in.chain(own).chain([(SLOTS - 1, OTHER)]) {
            for &reason in Reason::ALL {
                let at = slot * Reason::COUNT + reason.index();
                let count = self.sum(|shard| shard.decisions.get(at));
                if count > 0 {
                    let decision = if reason == Reason::Allowed { "allow" } else { "deny" };
                    let (action, reason) = (action.to_owned(), reason.as_str());
                    let labels = DecisionLabels { action, decision, reason };
                    decisions.get_or_create(&labels).inc_by(count);
                }
            }
        }
        registry.register("decisions", "Decisions by action and reason", decisions);
        let help = "Time from a request's head to the head of its response, by route";
        registry.register("request_seconds", help, self.times());
    }

    /// The sum over the shards.
    fn sum<'m>(&'m self, counter: impl Fn(&'m Shard) -> Option<&'m AtomicU64>) -> u64 {
        let counts = self.shards.iter().filter_map(counter).map(|it| it.load(Ordering::Relaxed));
        counts.fold(0, u64::wrapping_add)
    }

    /// The histograms of routes with requests.
    fn times(&self) -> RequestTimes {
        let mut times: Vec<(String, [u64; CELLS])> = Vec::new();
        for (index, route) in self.routes.iter().enumerate() {
            let cells: [u64; CELLS] =
                std::array::from_fn(|cell| self.sum(|shard| shard.times.get(index * CELLS + cell)));
            match times.iter_mut().find(|(name, _)| name == route) {
                Some((_, sums)) => sums.iter_mut().zip(cells).for_each(|(sum, cell)| *sum += cell),
                None => times.push((route.clone(), cells)),
            }
        }
        times.retain(|(_, cells)| cells.iter().any(|&cell| cell > 0));
        RequestTimes(times)
    }
}

impl Default for RequestMetrics {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl fmt::Debug for RequestMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestMetrics")
            .field("shards", &self.shards.len())
            .field("routes", &self.routes)
            .finish_non_exhaustive()
    }
}

/// A number of the current thread, from 0 in the order of their first use.
#[inline]
fn thread_number() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: usize = THREADS.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.try_with(|number| *number).unwrap_or_default()
}

/// Request times by route.
#[derive(Debug)]
struct RequestTimes(Vec<(String, [u64; CELLS])>);

impl EncodeMetric for RequestTimes {
    #[expect(clippy::cast_precision_loss, reason = "a sum of times is read as seconds")]
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        let bounds = || BOUNDS.iter().map(|&bound| bound as f64 / 1e9).chain([f64::INFINITY]);
        for (route, cells) in &self.0 {
            let [buckets @ .., sum] = cells;
            let count = buckets.iter().sum();
            let buckets: Vec<(f64, u64)> = bounds().zip(buckets.iter().copied()).collect();
            let labels = [("route", route.as_str())];
            let mut family = encoder.encode_family(&labels)?;
            family.encode_histogram::<[(&str, &str); 1]>(
                *sum as f64 / 1e9,
                count,
                &buckets,
                None,
            )?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
