//! Links on the way to a path, followed one by one.

use std::{
    collections::VecDeque,
    ffi::OsString,
    fs, io,
    path::{Component, Path, PathBuf},
};

/// How many links one path may lead over, as in Linux.
const MAX_LINKS: usize = 40;

/// The way from a path to what it names.
#[derive(Debug)]
pub(super) struct Trail {
    /// The target of the path, free of links; where the way ends early, the first name that is not
    /// there or can't be passed.
    pub(super) real: PathBuf,
    /// Each link on the way, by its own link-free path, and what it says.
    pub(super) links: Vec<(PathBuf, PathBuf)>,
    /// Why the way ends early.
    pub(super) error: Option<io::Error>,
}

/// Follows all links of a path, which is relative to a link-free folder. Each link is read once,
/// and so a swap in the meantime can't split the way.
pub(super) fn follow(folder: &Path, path: &Path) -> Trail {
    let mut trail = Trail { real: folder.to_owned(), links: Vec::new(), error: None };
    let mut ahead = steps(path);
    while let Some(step) = ahead.pop_front() {
        let name = match step {
            Step::Root => {
                trail.real = PathBuf::from("/");
                continue;
            }
            Step::Up => {
                trail.real.pop();
                continue;
            }
            Step::Down(name) => name,
        };
        let next = trail.real.join(name);
        let target = fs::symlink_metadata(&next)
            .and_then(|found| found.is_symlink().then(|| fs::read_link(&next)).transpose());
        match target {
            Ok(None) => trail.real = next,
            Ok(Some(target)) => {
                for step in steps(&target).into_iter().rev() {
                    ahead.push_front(step);
                }
                trail.links.push((next.clone(), target));
                if trail.links.len() > MAX_LINKS {
                    trail.real = next;
                    trail.error = Some(io::Error::other("the links lead in a circle"));
                    return trail;
                }
            }
            Err(error) => {
                trail.real = next;
                trail.error = Some(error);
                return trail;
            }
        }
    }
    trail
}

enum Step {
    Root,
    Up,
    Down(OsString),
}

fn steps(path: &Path) -> VecDeque<Step> {
    let step = |component| match component {
        Component::RootDir => Some(Step::Root),
        Component::ParentDir => Some(Step::Up),
        Component::Normal(name) => Some(Step::Down(name.to_owned())),
        Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().filter_map(step).collect()
}
