//! The guard against reloads that change more than intended.

use std::fmt;

use serde_json::{Value, json};

use crate::{
    compile,
    inspect::{
        Impact,
        diff::{Diff, DiffDetail},
        missing_sections, missing_users,
    },
    request::Section,
    snapshot::View,
    source::LoadedSources,
};

/// The changes that a reload must not make by itself.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ReloadGuard {
    /// Whether to hold a policy without a section that refused something, or without many of the users.
    pub hold: bool,
    /// The largest share of decisions between two users that may change: 0 to 1. `None` for any.
    pub max_changed: Option<f64>,
}

/// The number of users that may be gone, regardless of their share.
const MAX_GONE: u32 = 10;

/// One in how many users may be gone, where that is more than [`MAX_GONE`].
const ONE_GONE_IN: u64 = 10;

/// The reason why a policy is held.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum HoldReason {
    /// A section that refused something is no longer there.
    SectionGone(Section),
    /// Many users are no longer there.
    UsersGone { gone: u32, of: u64 },
    /// Too large a share of decisions between two users changes.
    Changed { share: f64, max_changed: f64 },
}

/// A policy that is held back: the reasons, and what it would change.
#[derive(Clone, PartialEq, Debug)]
pub struct HeldPolicy {
    /// At least one.
    pub reasons: Vec<HoldReason>,
    /// The difference in one line.
    pub summary: String,
    pub gained: u64,
    pub lost: u64,
    /// How many users would be gone.
    pub vanished: u32,
    /// The share of decisions between two users that changes, and the largest that may: 0 to 1.
    pub share: f64,
    pub max_changed: Option<f64>,
    /// Whether the counts are estimated from a sample of the pairs.
    pub is_estimate: bool,
}

// === impl ReloadGuard ===

impl ReloadGuard {
    /// Takes every policy without errors.
    pub const OFF: Self = Self { hold: false, max_changed: None };

    /// Checks whether the second view may replace the first; `None` if it may.
    ///
    /// Costs a comparison of settings and a look-up of each user. Where one of these is a reason, or a
    /// share of changes is given, the changes are counted too: exactly, as a [`Diff`] does, where both
    /// views are of the same users, else as [`Impact`] do. Neither disturbs readers: they run beside
    /// them on this thread, the former on all processors.
    pub(super) fn check(
        self,
        before: &View,
        after: &View,
        loaded: &LoadedSources,
    ) -> Option<HeldPolicy> {
        let mut reasons = Vec::new();
        // What only the time makes different is no change.
        let mut before = before.clone();
        compile::advance(&mut before, after.at);
        let before = &before;
        if self.hold {
            reasons.extend(missing_sections(before, after).map(HoldReason::SectionGone));
            let (gone, of) = (missing_users(before, after), before.population.everyone.len());
            if gone > MAX_GONE && u64::from(gone) * ONE_GONE_IN > of {
                reasons.push(HoldReason::UsersGone { gone, of });
            }
        }
        if reasons.is_empty() && self.max_changed.is_none() {
            return None;
        }
        let mut held = HeldPolicy::new(before, after, loaded);
        held.max_changed = self.max_changed;
        if let Some(max_changed) = self.max_changed.filter(|&most| held.share > most) {
            reasons.push(HoldReason::Changed { share: held.share, max_changed });
        }
        held.reasons = reasons;
        (!held.reasons.is_empty()).then_some(held)
    }
}

impl Default for ReloadGuard {
    fn default() -> Self {
        Self { hold: true, max_changed: None }
    }
}

// === impl HeldPolicy ===

impl HeldPolicy {
    /// The body in which the status, the reload's answer and the command line report a held policy.
    pub fn to_json(&self) -> Value {
        let reasons: Vec<Value> = self.reasons.iter().map(|reason| reason.to_json()).collect();
        json!({
            "reasons": reasons,
            "summary": self.summary, "gained": self.gained, "lost": self.lost,
            "vanished": self.vanished, "share": self.share, "max_changed": self.max_changed,
            "estimate": self.is_estimate,
        })
    }

    /// Counts the changes; the reasons are added later.
    fn new(before: &View, after: &View, loaded: &LoadedSources) -> Self {
        let same = |after: &View| before.population.has_same_identity(&after.population);
        let says_the_same = before.population.digest == after.population.digest;
        // Records with warnings are compiled again though they say the same.
        let over =
            (!same(after) && says_the_same).then(|| compile::build_over(loaded, before)).flatten();
        let after = over.as_ref().unwrap_or(after);
        let held = Self {
            reasons: Vec::new(),
            summary: String::new(),
            gained: 0,
            lost: 0,
            vanished: 0,
            share: 0.0,
            max_changed: None,
            is_estimate: false,
        };
        if same(after) {
            let diff = Diff::compute(before, after, None, DiffDetail::NONE);
            let [gained, lost] = diff.totals();
            Self {
                summary: diff.summary(),
                gained,
                lost,
                share: diff.share(),
                is_estimate: diff.is_estimate(),
                ..held
            }
        } else {
            let flips = Impact::between(before, after);
            let [gained, lost] = flips.totals();
            Self {
                summary: flips.summary(),
                gained,
                lost,
                vanished: flips.vanished,
                share: flips.share(),
                is_estimate: flips.is_estimate,
                ..held
            }
        }
    }
}

/// All reasons, and what would change.
impl fmt::Display for HeldPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for reason in &self.reasons {
            write!(f, "{reason}; ")?;
        }
        f.write_str(&self.summary)
    }
}

// === impl HoldReason ===

impl HoldReason {
    /// The stable text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SectionGone(_) => "section-gone",
            Self::UsersGone { .. } => "users-gone",
            Self::Changed { .. } => "max-changed",
        }
    }

    fn to_json(self) -> Value {
        let (code, message) = (self.as_str(), self.to_string());
        match self {
            Self::SectionGone(section) => {
                json!({ "reason": code, "section": section, "message": message })
            }
            Self::UsersGone { gone, of } => {
                json!({ "reason": code, "gone": gone, "of": of, "message": message })
            }
            Self::Changed { share, max_changed } => json!({
                "reason": code, "share": share, "max_changed": max_changed, "message": message,
            }),
        }
    }
}

impl fmt::Display for HoldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SectionGone(section) => {
                write!(f, "the policy no longer has `{section}`, which changes what is refused")
            }
            Self::UsersGone { gone, of } => write!(f, "{gone} of {of} users are gone"),
            Self::Changed { share, max_changed } => {
                let [share, most] = [share, max_changed].map(|share| share * 100.0);
                write!(f, "{share:.2}% of all pairs change, more than --max-changed {most}%")
            }
        }
    }
}
