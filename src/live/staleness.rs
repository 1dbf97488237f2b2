//! Staleness: the time since the files and a shared store last confirmed the served view.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};

use tracing::{info, warn};

/// The age from which the served view is stale, and the treatment of decisions then.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct StalenessOptions {
    /// The longest time without confirmation; `None` if nothing is ever stale.
    pub max_age: Option<Duration>,
    pub on_stale: OnStale,
}

/// The treatment of decisions while the served view is stale.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum OnStale {
    /// Decide as before, and mark responses as stale.
    #[default]
    Serve,
    /// Deny everything.
    Deny,
}

/// Whether the served view is stale, and whether decisions are denied for that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Freshness {
    Current,
    /// Stale, and still used for decisions.
    Stale,
    /// Stale, so that every decision is a denial.
    Denied,
}

/// The time since one input of the served view was last confirmed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lapse {
    /// When it was first noted, and how old the last confirmation was by then; `None` if that is not
    /// known.
    noted: Instant,
    age: Option<Duration>,
    /// The reason why it is not confirmed.
    pub why: String,
}

/// An input whose confirmation is older than allowed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StaleInput {
    /// The input: `policy` or `store`.
    pub name: &'static str,
    pub lapse: Lapse,
}

/// The tracker of the inputs of the served view: the policy's files and the store.
///
/// Times are monotonic: a clock that is set makes nothing stale. Readers load one atomic.
#[derive(Debug)]
pub struct Staleness {
    options: StalenessOptions,
    freshness: AtomicU8,
    lapses: Mutex<Lapses>,
}

#[derive(Default, Debug)]
struct Lapses {
    policy: Option<Lapse>,
    store: Option<Lapse>,
}

/// The longest time between two reads of the clock.
const LONGEST_PERIOD: Duration = Duration::from_secs(1);

// === impl Staleness ===

impl Staleness {
    pub(super) fn new(options: StalenessOptions) -> Self {
        Self {
            options,
            freshness: AtomicU8::new(Freshness::Current as u8),
            lapses: Mutex::default(),
        }
    }

    pub fn options(&self) -> StalenessOptions {
        self.options
    }

    /// Whether the served view is stale now. Costs one relaxed load; lags behind the clock by a second
    /// at most, or by a quarter of the longest age if that is less.
    #[inline]
    pub fn freshness(&self) -> Freshness {
        match self.freshness.load(Ordering::Relaxed) {
            0 => Freshness::Current,
            1 => Freshness::Stale,
            _ => Freshness::Denied,
        }
    }

    /// The inputs that are older than allowed; none unless the served view is stale.
    pub fn stale_inputs(&self) -> Vec<StaleInput> {
        self.stale_among(&self.lock())
    }

    /// Reads the clock periodically until this is dropped, so that unconfirmed inputs become stale.
    pub async fn follow(&self) {
        let Some(max_age) = self.options.max_age else { return };
        let period = (max_age / 4).clamp(Duration::from_millis(1), LONGEST_PERIOD);
        loop {
            self.refresh(&self.lock());
            tokio::time::sleep(period).await;
        }
    }

    /// Updates whether the last read of the files succeeded.
    pub(super) fn set_policy(&self, lapse: Option<Lapse>) {
        let mut lapses = self.lock();
        let before = lapses.policy.take();
        lapses.policy = lapse.map(|lapse| lapse.continuing(before));
        self.refresh(&lapses);
    }

    /// Updates whether a shared store can be reached.
    pub(super) fn set_store(&self, lapse: Option<Lapse>) {
        let mut lapses = self.lock();
        lapses.store = lapse;
        self.refresh(&lapses);
    }

    fn refresh(&self, lapses: &Lapses) {
        let stale = self.stale_among(lapses);
        let freshness = match self.options.on_stale {
            _ if stale.is_empty() => Freshness::Current,
            OnStale::Serve => Freshness::Stale,
            OnStale::Deny => Freshness::Denied,
        };
        let before = self.freshness.swap(freshness as u8, Ordering::Relaxed);
        if before == freshness as u8 {
            return;
        }
        if stale.is_empty() {
            info!("what is served is not stale any longer");
        }
        let denies = freshness == Freshness::Denied;
        for StaleInput { name, lapse } in stale {
            warn!(input = name, age = ?lapse.age(), why = lapse.why, denies, "what is served is stale");
        }
    }

    fn stale_among(&self, lapses: &Lapses) -> Vec<StaleInput> {
        let Some(max_age) = self.options.max_age else { return Vec::new() };
        let is_over = |lapse: &&Lapse| lapse.age().is_none_or(|age| age >= max_age);
        let inputs = [("policy", &lapses.policy), ("store", &lapses.store)];
        let stale = inputs.into_iter().filter_map(|(name, lapse)| {
            let lapse = lapse.as_ref().filter(is_over)?.clone();
            Some(StaleInput { name, lapse })
        });
        stale.collect()
    }

    fn lock(&self) -> MutexGuard<'_, Lapses> {
        self.lapses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Lapse ===

impl Lapse {
    /// One that begins now.
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self::of_age(Some(Duration::ZERO), why)
    }

    /// One that began so long ago; `None` if that is not known.
    pub(super) fn of_age(age: Option<Duration>, why: impl Into<String>) -> Self {
        Self { noted: Instant::now(), age, why: why.into() }
    }

    /// The same since an earlier one began, if there is one.
    pub(super) fn continuing(self, earlier: Option<Self>) -> Self {
        match earlier {
            Some(earlier) => Self { why: self.why, ..earlier },
            None => self,
        }
    }

    /// The age of the last confirmation; `None` if it is not known.
    pub fn age(&self) -> Option<Duration> {
        Some(self.age?.saturating_add(self.noted.elapsed()))
    }
}
