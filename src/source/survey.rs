use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    ffi::OsStr,
    fs::{self, Metadata},
    io,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Component, Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{LIMITS, LoadError, Notation, links};

/// What there is below some paths, by its metadata: no file is opened.
///
/// All links are followed, and what they lead to is told by its link-free path: as long as it is
/// there, reading it never meets a swap. What a ConfigMap's `..data` leads to counts as lying in
/// the folder itself.
#[derive(Debug, Default)]
pub struct Survey {
    /// By link-free path, so that each file is there once.
    pub(super) files: BTreeMap<PathBuf, Found>,
    pub(super) errors: Vec<LoadError>,
    /// The folders that were searched, and which they are.
    folders: BTreeMap<PathBuf, (u64, u64)>,
    /// What the links on the way say.
    links: BTreeMap<PathBuf, PathBuf>,
    /// What the given paths lead to.
    roots: BTreeSet<PathBuf>,
    entries: usize,
    /// Whether files of tests are of interest too.
    tests: bool,
}

/// A policy file.
#[derive(Debug)]
pub(super) struct Found {
    /// As it is called in what people read.
    pub(super) shown: PathBuf,
    pub(super) notation: Notation,
    pub(super) stamp: Stamp,
}

/// Tells one state of a file from another without reading it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stamp {
    pub(super) size: u64,
    inode: (u64, u64),
    modified: (i64, i64),
    changed: (i64, i64),
}

/// A value that differs if anything below the paths differs: files, folders, links, sizes, times.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Fingerprint([u8; 32]);

/// The fingerprint of what is below the paths. Costs a look at each entry there; opens no file.
pub fn fingerprint(paths: &[impl AsRef<Path>]) -> Fingerprint {
    Survey::of(paths).fingerprint()
}

/// How many entries of folders are looked at, whatever they are: a link to `/` must not take long.
const MOST_ENTRIES: usize = 10 * LIMITS.files;

/// The link that a ConfigMap's update swaps.
const DATA: &str = "..data";

// === impl Survey ===

impl Survey {
    /// Looks at everything below the paths. Does not depend on their order.
    pub fn of<P: AsRef<Path>>(paths: &[P]) -> Self {
        Self::default().over(paths)
    }

    /// As [`Survey::of`], with the files of tests among the others.
    pub fn with_tests<P: AsRef<Path>>(paths: &[P]) -> Self {
        Self { tests: true, ..Self::default() }.over(paths)
    }

    fn over(self, paths: &[impl AsRef<Path>]) -> Self {
        let mut survey = self;
        let paths: BTreeSet<_> = paths.iter().map(AsRef::as_ref).collect();
        match std::env::current_dir() {
            Ok(here) => paths.into_iter().for_each(|path| survey.root(&here, path)),
            Err(error) => survey.unreadable(Path::new("."), error),
        }
        survey
    }

    /// A value that differs from another survey's if anything differs that was seen.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut hash = Sha256::new();
        let mut put = |part: &[u8]| {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        };
        for (path, found) in &self.files {
            put(path.as_os_str().as_bytes());
            put(found.shown.as_os_str().as_bytes());
            put(format!("{:?}", found.stamp).as_bytes());
        }
        for (path, identity) in &self.folders {
            put(path.as_os_str().as_bytes());
            put(format!("{identity:?}").as_bytes());
        }
        for (path, target) in &self.links {
            put(path.as_os_str().as_bytes());
            put(target.as_os_str().as_bytes());
        }
        for error in &self.errors {
            put(error.to_string().as_bytes());
        }
        Fingerprint(hash.finalize().into())
    }

    /// The policy files: where each is, free of links, and how it is called.
    pub fn files(&self) -> impl Iterator<Item = (&Path, &Path, Notation)> {
        self.files
            .iter()
            .map(|(real, found)| (real.as_path(), found.shown.as_path(), found.notation))
    }

    /// What could not be looked at.
    pub fn errors(&self) -> &[LoadError] {
        &self.errors
    }

    /// The folders that were searched: whatever happens to an entry of them may matter.
    pub fn folders(&self) -> impl Iterator<Item = &Path> {
        self.folders.keys().map(PathBuf::as_path)
    }

    /// The entries that matter wherever they lie: links on the way, what the given paths lead to,
    /// and what would have to come for a path that leads nowhere.
    pub fn entries(&self) -> impl Iterator<Item = &Path> {
        self.links.keys().chain(&self.roots).map(PathBuf::as_path)
    }

    fn root(&mut self, here: &Path, path: &Path) {
        let trail = links::follow(here, path);
        self.links.extend(trail.links);
        self.roots.insert(trail.real.clone());
        let shown = tidy(path);
        let metadata = trail.error.map_or_else(|| fs::symlink_metadata(&trail.real), Err);
        match metadata {
            Err(error) => self.unreadable(path, error),
            Ok(metadata) if metadata.is_dir() => self.folder(&trail.real, &metadata, &shown, 0),
            Ok(metadata) => match self.notation(&name_of(path)) {
                None => self.errors.push(LoadError::UnknownEnding { path: path.to_owned() }),
                Some(notation) => self.file(trail.real, &metadata, shown, notation),
            },
        }
    }

    /// The notation of a file of this name, if it is of interest.
    fn notation(&self, name: &str) -> Option<Notation> {
        let tests = self.tests && Notation::is_of_tests(name);
        if tests { Some(Notation::Tests) } else { Notation::of(name) }
    }

    fn folder(&mut self, real: &Path, metadata: &Metadata, shown: &Path, depth: usize) {
        if depth > LIMITS.folders {
            let (path, limit) = (shown.to_owned(), LIMITS.folders);
            self.errors.push(LoadError::TooDeep { path, limit });
            return;
        }
        if !self.enter(real, metadata) {
            return;
        }
        let data = self.data_of(real);
        self.search(real, shown, depth, data.is_some());
        if let Some((data, metadata)) = data
            && self.enter(&data, &metadata)
        {
            self.search(&data, shown, depth, false);
        }
    }

    /// Whether the folder is met for the first time.
    fn enter(&mut self, real: &Path, metadata: &Metadata) -> bool {
        match self.folders.entry(real.to_owned()) {
            Entry::Occupied(_) => false,
            Entry::Vacant(vacant) => {
                vacant.insert((metadata.dev(), metadata.ino()));
                true
            }
        }
    }

    /// The folder that holds what a ConfigMap shows in `real`, if that is one.
    fn data_of(&mut self, real: &Path) -> Option<(PathBuf, Metadata)> {
        let link = real.join(DATA);
        if !fs::symlink_metadata(&link).is_ok_and(|metadata| metadata.is_symlink()) {
            return None;
        }
        let trail = links::follow(real, Path::new(DATA));
        self.links.extend(trail.links);
        let metadata = trail.error.map_or_else(|| fs::symlink_metadata(&trail.real), Err);
        match metadata {
            Ok(metadata) if metadata.is_dir() => Some((trail.real, metadata)),
            Ok(_) => None,
            Err(error) => {
                self.unreadable(&link, error);
                None
            }
        }
    }

    fn search(&mut self, real: &Path, shown: &Path, depth: usize, has_data: bool) {
        let names = fs::read_dir(real).and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.file_name()))
                .collect::<io::Result<Vec<_>>>()
        });
        let mut names = match names {
            Ok(names) => names,
            Err(error) => return self.unreadable(shown, error),
        };
        names.retain(|name| !name.as_bytes().starts_with(b"."));
        names.sort();
        for name in names {
            self.entries += 1;
            if self.entries > MOST_ENTRIES || self.files.len() > LIMITS.files {
                return self.too_many(shown);
            }
            self.entry(real, &name, &shown.join(&name), depth, has_data);
        }
    }

    fn entry(&mut self, folder: &Path, name: &OsStr, shown: &Path, depth: usize, has_data: bool) {
        let notation = self.notation(&name.to_string_lossy());
        let path = folder.join(name);
        let (real, metadata) = match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_symlink() => {
                // A name that leads over `..data` is found in what that leads to.
                let over_data = |to: PathBuf| to.components().next() == Some(data_component());
                if has_data && fs::read_link(&path).is_ok_and(over_data) {
                    return;
                }
                let trail = links::follow(folder, Path::new(name));
                self.links.extend(trail.links);
                let found = trail.error.map_or_else(|| fs::symlink_metadata(&trail.real), Err);
                (trail.real, found)
            }
            found => (path, found),
        };
        match (metadata, notation) {
            (Ok(metadata), _) if metadata.is_dir() => {
                self.folder(&real, &metadata, shown, depth + 1);
            }
            (Ok(metadata), Some(notation)) => {
                self.file(real, &metadata, shown.to_owned(), notation);
            }
            (Err(error), Some(_)) => self.unreadable(shown, error),
            (_, None) => {}
        }
    }

    fn file(&mut self, real: PathBuf, metadata: &Metadata, shown: PathBuf, notation: Notation) {
        if metadata.is_file() {
            let stamp = Stamp::of(metadata);
            self.files.entry(real).or_insert(Found { shown, notation, stamp });
        } else {
            self.errors.push(LoadError::NotAFile { path: shown });
        }
    }

    fn unreadable(&mut self, path: &Path, error: io::Error) {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        self.errors.push(LoadError::Unreadable { path: path.to_owned(), error });
    }

    fn too_many(&mut self, path: &Path) {
        if !self.errors.iter().any(|error| matches!(error, LoadError::TooMany { .. })) {
            let path = path.to_owned();
            self.errors.push(LoadError::TooMany { path, limit: LIMITS.files });
        }
    }
}

// === impl Stamp ===

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.size(),
            inode: (metadata.dev(), metadata.ino()),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether the content is the same. Removing a file that is open changes no content, though it
    /// counts as a change of the file.
    pub(super) fn same_content(self, other: Self) -> bool {
        let content = |stamp: Self| (stamp.size, stamp.inode, stamp.modified);
        content(self) == content(other)
    }
}

fn data_component() -> Component<'static> {
    Component::Normal(OsStr::new(DATA))
}

/// The path as it was given, without `.` and doubled slashes.
fn tidy(path: &Path) -> PathBuf {
    path.components().filter(|component| *component != Component::CurDir).collect()
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
