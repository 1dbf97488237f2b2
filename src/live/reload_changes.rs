//! The log of a reload's effect: the pairs that it opened and closed, and the rules and settings that did it.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use tracing::{info, warn};

use crate::{
    inspect::{
        Impact,
        diff::{Diff, DiffDetail, PolicyPart},
    },
    snapshot::View,
};

/// The longest time for which changes are counted.
const LIMIT: Duration = Duration::from_secs(1);

/// The number of causes that are named.
const MAX_CAUSES: usize = 5;

/// Examples from which causes are found, and no more.
const DETAIL: DiffDetail = DiffDetail { kinds: 4, witnesses: 1, ..DiffDetail::NONE };

/// Whether changes are being counted.
static IS_COUNTING: AtomicBool = AtomicBool::new(false);

/// Counts what changed from one served policy to the next, and logs it, on a thread of its own with a
/// lower priority: the new policy is served already. Of reloads in quick succession some are not counted.
pub(super) fn log(before: View, after: View) {
    let revision = after.revision.to_string();
    if IS_COUNTING.swap(true, Ordering::AcqRel) {
        info!(%revision, "the changes of this reload are not counted: those of another are");
        return;
    }
    let counting = thread::Builder::new().name("reload-changes".into()).spawn(move || {
        lower_priority();
        if let Some(changes) = count(&before, &after) {
            info!(%revision, "the reload changed {changes}");
        } else {
            info!(
                %revision,
                "the changes of this reload take longer than a second to count; `peerage diff` counts them"
            );
        }
        IS_COUNTING.store(false, Ordering::Release);
    });
    if let Err(error) = counting {
        IS_COUNTING.store(false, Ordering::Release);
        warn!(%error, "can't count the changes of the reload");
    }
}

/// The changes in one line, such as `+5 -0 pairs, by rule within Munich`.
fn count(before: &View, after: &View) -> Option<String> {
    if !before.population.has_same_identity(&after.population) {
        return Some(Impact::between(before, after).summary());
    }
    let diff = Diff::compute_within(before, after, LIMIT, DETAIL)?;
    let [gained, lost] = diff.totals();
    let subjects: u64 = diff.actions.iter().map(|action| action.gained + action.lost).sum();
    let causes: BTreeSet<&PolicyPart> =
        diff.actions.iter().flat_map(|action| &action.causes).collect();
    let mut names: Vec<String> =
        causes.iter().take(MAX_CAUSES).map(|part| part.name().replace('`', "")).collect();
    if causes.len() > MAX_CAUSES {
        names.push(format!("{} more", causes.len() - MAX_CAUSES));
    }
    let users = match subjects.saturating_sub(gained + lost) {
        0 => String::new(),
        users => format!(" and {users} users"),
    };
    let by = if names.is_empty() { String::new() } else { format!(", by {}", names.join(", ")) };
    let about = if diff.is_estimate() { "about " } else { "" };
    Some(format!("{about}+{gained} -{lost} pairs{users}{by}"))
}

/// Lowers the priority of the current thread, and of those that it starts.
fn lower_priority() {
    // On other systems this would apply to the whole process. If it is refused, the priority stays.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, 10);
}
