//! Huge pages of memory: they make look-ups in large policies faster, and a small daemon several times larger.

use std::{fs, path::PathBuf};

/// The bytes of policy files from which on huge pages are used.
const LARGE_FILES: u64 = 4 << 20;

/// The resident memory from which on they are used, in pages of 4 KiB: 64 MiB.
const LARGE_PAGES: u64 = 16 << 10;

/// The deepest folder that is looked into.
const DEEPEST: usize = 32;

/// The choice whether this process gets huge pages from Linux, where that leaves it to programs.
#[derive(Debug)]
pub(super) struct HugePages {
    are_off: bool,
}

impl HugePages {
    /// Turns them off until it is known what the process does: what it takes before, it keeps.
    pub(super) fn begin() {
        turn_off(true);
    }

    /// Turns them on, for a command that ends soon.
    pub(super) fn allow() {
        turn_off(false);
    }

    /// Leaves them off for a daemon without a store whose files are small.
    pub(super) fn choose(paths: &[PathBuf], has_store: bool) -> Self {
        let is_small = !has_store && size(paths, DEEPEST) < LARGE_FILES;
        Self { are_off: turn_off(is_small) && is_small }
    }

    /// Turns them on again where the process has grown.
    pub(super) fn adjust(&mut self) {
        if self.are_off && resident_pages().is_none_or(|pages| pages > LARGE_PAGES) {
            self.are_off = false;
            turn_off(false);
        }
    }
}

/// The size of the files, as far as it matters.
fn size(paths: &[PathBuf], deepest: usize) -> u64 {
    let mut sum: u64 = 0;
    for path in paths {
        // What can't be read is reported when it is loaded.
        let Ok(found) = fs::metadata(path) else { continue };
        sum = sum.saturating_add(found.len());
        if let (true, Some(deepest)) = (found.is_dir(), deepest.checked_sub(1)) {
            let entries = fs::read_dir(path).into_iter().flatten().flatten();
            let entries: Vec<_> = entries.map(|entry| entry.path()).collect();
            sum = sum.saturating_add(size(&entries, deepest));
        }
        if sum >= LARGE_FILES {
            break;
        }
    }
    sum
}

fn resident_pages() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/statm").ok()?;
    text.split(' ').nth(1)?.parse().ok()
}

/// Whether it worked. Elsewhere than on Linux there is nothing to turn off.
#[cfg(target_os = "linux")]
fn turn_off(off: bool) -> bool {
    rustix::thread::disable_transparent_huge_pages(off).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn turn_off(_off: bool) -> bool {
    false
}
