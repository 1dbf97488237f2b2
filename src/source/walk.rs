//! The walk over all folders of a scope that finds its policy files.

use std::{
    collections::{BTreeSet, btree_map::Entry},
    ffi::OsStr,
    fs::{self, Metadata},
    io,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Component, Path, PathBuf},
};

use super::{
    Fingerprint, LIMITS, LoadError, Notation, Scope, Stamp, Survey,
    ignore_rules::{IGNORE_FILE, MAX_IGNORE_FILE_LEN, Patterns},
    links,
    stream::{self, InputStream},
    survey::SurveyedFile,
};

/// A walk under way.
pub(super) struct Walk<'s> {
    scope: &'s Scope,
    found: Survey,
    /// The ignore rules in force in the folder that is being searched.
    patterns: Patterns,
    entries: usize,
}

/// A folder that is being searched.
#[derive(Clone, Copy)]
struct Folder<'f> {
    /// Where it is, free of links.
    real: &'f Path,
    /// As it is called in what people read.
    shown: &'f Path,
    /// From the folder that was given.
    below: &'f Path,
    depth: usize,
}

/// How many entries of folders are looked at, whatever they are: a link to `/` must not take long.
const MAX_ENTRIES: usize = 10 * LIMITS.files;

/// The link that a ConfigMap's update swaps.
const DATA: &str = "..data";

/// The fingerprint of what is below the paths. Costs a look at each entry there; opens no file.
pub fn fingerprint(paths: &[impl AsRef<Path>]) -> Fingerprint {
    Scope::from(paths).survey().fingerprint()
}

impl Scope {
    /// Surveys everything in the scope, whatever the order of its paths. Opens no file but
    /// `.peerageignore`.
    pub fn survey(&self) -> Survey {
        Walk::run(self)
    }
}

impl<'s> Walk<'s> {
    pub(super) fn run(scope: &'s Scope) -> Survey {
        let patterns = Patterns::new(scope.ignore.clone());
        let mut walk = Self { scope, found: Survey::default(), patterns, entries: 0 };
        let paths: BTreeSet<&Path> = scope.paths.iter().map(PathBuf::as_path).collect();
        match std::env::current_dir() {
            Ok(here) => walk.roots(&here, paths),
            Err(error) => walk.unreadable(Path::new("."), error),
        }
        walk.found
    }

    fn roots(&mut self, here: &Path, paths: BTreeSet<&Path>) {
        let (streams, paths): (Vec<_>, Vec<_>) =
            paths.into_iter().partition(|path| stream::is_stream(path));
        streams.into_iter().for_each(|path| self.stream(path));
        // Links may lead to what is below any of the given paths, so all are known before the walk.
        let mut trails = Vec::new();
        for path in paths {
            let trail = links::follow(here, path);
            self.found.roots.insert(trail.real.clone());
            trails.push((path, trail));
        }
        for (path, trail) in trails {
            self.found.links.extend(trail.links);
            let metadata = trail.error.map_or_else(|| fs::symlink_metadata(&trail.real), Err);
            let shown = normalize(path);
            match metadata {
                Err(error) => self.unreadable(path, error),
                Ok(metadata) if metadata.is_dir() => {
                    let (real, below) = (trail.real.as_path(), Path::new(""));
                    self.folder(Folder { real, shown: &shown, below, depth: 0 }, &metadata);
                }
                Ok(metadata) => match self.notation(&name_of(path)) {
                    None => self.error(LoadError::UnknownExtension { path: path.to_owned() }),
                    Some(notation) => self.file(trail.real, &metadata, shown, notation),
                },
            }
        }
    }

    fn stream(&mut self, path: &Path) {
        if self.scope.only_files {
            return self.error(LoadError::OnlyOnce { path: path.to_owned() });
        }
        let given = self.scope.input_name.as_ref().filter(|_| stream::is_input(path));
        let name = given.map_or_else(|| name_of(path), Clone::clone);
        let notation = self.notation(&name);
        if given.is_some() && notation.is_none() {
            return self.error(LoadError::UnknownExtension { path: name.into() });
        }
        let name = match given {
            Some(name) => name.clone(),
            None if stream::is_input(path) => "<stdin>".to_owned(),
            None => path.display().to_string(),
        };
        self.found.streams.push(InputStream { path: path.to_owned(), notation, name });
    }

    /// The notation of a file of this name, if it is of interest.
    fn notation(&self, name: &str) -> Option<Notation> {
        let tests = self.scope.tests && Notation::is_test_file(name);
        if tests { Some(Notation::Tests) } else { Notation::from_file_name(name) }
    }

    fn folder(&mut self, folder: Folder<'_>, metadata: &Metadata) {
        if folder.depth > LIMITS.folders {
            let (path, limit) = (folder.shown.to_owned(), LIMITS.folders);
            return self.error(LoadError::TooDeep { path, limit });
        }
        if !self.enter(folder.real, metadata) {
            return;
        }
        let depth = self.patterns.depth();
        self.read_patterns(folder);
        let data = self.configmap_data(folder);
        self.search(folder, data.is_some());
        if let Some((data, metadata)) = data
            && self.enter(&data, &metadata)
        {
            self.search(Folder { real: &data, ..folder }, false);
        }
        self.patterns.leave(depth);
    }

    /// Whether the folder is met for the first time.
    fn enter(&mut self, real: &Path, metadata: &Metadata) -> bool {
        match self.found.folders.entry(real.to_owned()) {
            Entry::Occupied(_) => false,
            Entry::Vacant(vacant) => {
                vacant.insert((metadata.dev(), metadata.ino()));
                true
            }
        }
    }

    /// Reads what the folder's own file says to pass over. What can't be read passes over nothing,
    /// and is an error.
    fn read_patterns(&mut self, folder: Folder<'_>) {
        if fs::symlink_metadata(folder.real.join(IGNORE_FILE)).is_err() {
            return;
        }
        let trail = links::follow(folder.real, Path::new(IGNORE_FILE));
        self.found.links.extend(trail.links);
        let shown = folder.shown.join(IGNORE_FILE);
        if !self.is_inside(&trail.real) {
            return self.error(LoadError::LinkOutside { link: shown, target: trail.real });
        }
        let metadata = trail.error.map_or_else(|| fs::symlink_metadata(&trail.real), Err);
        match metadata {
            Err(error) => return self.unreadable(&shown, error),
            Ok(metadata) if !metadata.is_file() => {
                return self.error(LoadError::NotAFile { path: shown });
            }
            Ok(metadata) if metadata.len() > MAX_IGNORE_FILE_LEN => {
                let (size, limit) = (metadata.len(), MAX_IGNORE_FILE_LEN);
                return self.error(LoadError::TooLarge { path: shown, size, limit });
            }
            Ok(_) => {}
        }
        let text = fs::read_to_string(&trail.real);
        // The state after reading: if it was changed meanwhile, the next survey is another one.
        let stamp =
            fs::symlink_metadata(&trail.real).map(|metadata| Stamp::from_metadata(&metadata));
        match text.and_then(|text| Ok((text, stamp?))) {
            Err(error) => self.unreadable(&shown, error),
            Ok((text, stamp)) => {
                self.found.ignore_files.insert(trail.real, stamp);
                if let Err(error) = self.patterns.enter(folder.below, &text) {
                    self.error(LoadError::Pattern { path: shown, error });
                }
            }
        }
    }

    /// The folder that holds what a ConfigMap shows in this one, if that is one.
    fn configmap_data(&mut self, folder: Folder<'_>) -> Option<(PathBuf, Metadata)> {
        let link = folder.real.join(DATA);
        if !fs::symlink_metadata(&link).is_ok_and(|metadata| metadata.is_symlink()) {
            return None;
        }
        let trail = links::follow(folder.real, Path::new(DATA));
        self.found.links.extend(trail.links);
        if !self.is_inside(&trail.real) {
            let link = folder.shown.join(DATA);
            self.error(LoadError::LinkOutside { link, target: trail.real });
            return None;
        }
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

    fn search(&mut self, folder: Folder<'_>, has_data: bool) {
        let names = fs::read_dir(folder.real).and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.file_name()))
                .collect::<io::Result<Vec<_>>>()
        });
        let mut names = match names {
            Ok(names) => names,
            Err(error) => return self.unreadable(folder.shown, error),
        };
        names.retain(|name| !name.as_bytes().starts_with(b"."));
        names.sort();
        for name in names {
            self.entries += 1;
            if self.entries > MAX_ENTRIES || self.found.files.len() > LIMITS.files {
                return self.too_many(folder.shown);
            }
            self.entry(folder, &name, has_data);
        }
    }

    fn entry(&mut self, folder: Folder<'_>, name: &OsStr, has_data: bool) {
        let (shown, below) = (folder.shown.join(name), folder.below.join(name));
        let notation = self.notation(&name.to_string_lossy());
        let path = folder.real.join(name);
        let mut is_link = false;
        let (real, metadata) = match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_symlink() => {
                // A name that leads over `..data` is found in what that leads to.
                let over_data = |to: PathBuf| to.components().next() == Some(data_component());
                if has_data && fs::read_link(&path).is_ok_and(over_data) {
                    return;
                }
                is_link = true;
                let trail = links::follow(folder.real, Path::new(name));
                self.found.links.extend(trail.links);
                let found = trail.error.map_or_else(|| fs::symlink_metadata(&trail.real), Err);
                (trail.real, found)
            }
            found => (path, found),
        };
        let is_folder = metadata.as_ref().is_ok_and(Metadata::is_dir);
        if !is_folder && notation.is_none() || self.patterns.matches(&below, is_folder) {
            return;
        }
        if is_link && !self.is_inside(&real) {
            return self.error(LoadError::LinkOutside { link: shown, target: real });
        }
        match (metadata, notation) {
            (Ok(metadata), _) if metadata.is_dir() => {
                let depth = folder.depth + 1;
                let folder = Folder { real: &real, shown: &shown, below: &below, depth };
                self.folder(folder, &metadata);
            }
            (Ok(metadata), Some(notation)) => self.file(real, &metadata, shown, notation),
            (Err(error), Some(_)) => self.unreadable(&shown, error),
            (_, None) => {}
        }
    }

    /// Whether a link may lead there.
    fn is_inside(&self, real: &Path) -> bool {
        self.found.roots.iter().any(|root| real.starts_with(root))
    }

    fn file(&mut self, real: PathBuf, metadata: &Metadata, shown: PathBuf, notation: Notation) {
        if metadata.is_file() {
            let stamp = Stamp::from_metadata(metadata);
            self.found.files.entry(real).or_insert(SurveyedFile { shown, notation, stamp });
        } else {
            self.error(LoadError::NotAFile { path: shown });
        }
    }

    fn error(&mut self, error: LoadError) {
        self.found.errors.push(error);
    }

    fn unreadable(&mut self, path: &Path, error: io::Error) {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        self.error(LoadError::Unreadable { path: path.to_owned(), error });
    }

    fn too_many(&mut self, path: &Path) {
        if !self.found.errors.iter().any(|error| matches!(error, LoadError::TooMany { .. })) {
            let path = path.to_owned();
            self.error(LoadError::TooMany { path, limit: LIMITS.files });
        }
    }
}

fn data_component() -> Component<'static> {
    Component::Normal(OsStr::new(DATA))
}

/// The path as it was given, without `.` and doubled slashes.
fn normalize(path: &Path) -> PathBuf {
    path.components().filter(|component| *component != Component::CurDir).collect()
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
