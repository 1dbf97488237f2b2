//! Files that hold secrets: read, with a warning where others than their owner can read them.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use anyhow::{Context as _, Result, anyhow};
use tracing::warn;

/// The bits of a mode by which a group or all others may read, write or run a file.
const OTHERS: u32 = 0o077;

/// The bytes of a file; errors and warnings name its content as `what`.
///
/// A mode that is too wide is a warning and no error: Kubernetes and Docker mount secrets with such
/// modes, where only the container sees them.
pub(super) fn read_bytes(path: &Path, what: &str) -> Result<Vec<u8>> {
    let unread = || format!("can't read {what} in `{}`", path.display());
    let bytes = fs::read(path).with_context(unread)?;
    // The mode is that of the file itself, also if the path is a link.
    let mode = fs::metadata(path).with_context(unread)?.permissions().mode() & 0o7777;
    if mode & OTHERS != 0 {
        warn!(
            file = %path.display(),
            mode = format!("{mode:04o}"),
            "the file of {what} is accessible to others than its owner; run `chmod 600` on it"
        );
    }
    Ok(bytes)
}

/// The text of such a file.
pub(super) fn read_text(path: &Path, what: &str) -> Result<String> {
    let text = String::from_utf8(read_bytes(path, what)?);
    text.map_err(|_| anyhow!("can't read {what} in `{}`: it is not UTF-8", path.display()))
}
