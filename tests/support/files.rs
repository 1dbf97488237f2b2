//! Ways in which files come to change.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test takes a part of it, and may fail by it"
)]

use std::{fs, os::unix::fs::symlink, path::Path};

/// A file in a folder that may have to be made.
pub fn write(path: impl AsRef<Path>, text: &str) {
    fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// As editors and careful programs save a file.
pub fn save(path: impl AsRef<Path>, text: &str) {
    let path = path.as_ref();
    let new = path.with_extension("new~");
    fs::write(&new, text).unwrap();
    fs::rename(new, path).unwrap();
}

/// As the kubelet and git-sync turn a link.
pub fn swap(link: impl AsRef<Path>, target: &str) {
    let link = link.as_ref();
    let next = link.with_file_name("..tmp");
    symlink(target, &next).unwrap();
    fs::rename(next, link).unwrap();
}
