use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use thiserror::Error;

use super::{
    Notation, Source, Sources,
    survey::{Found, Stamp, Survey},
};

/// How large the files of a policy may be, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Of a file that holds sections; bulk files have no limit.
    pub text_file: u64,
    /// How many files a policy may have.
    pub files: usize,
    /// How deep folders may be nested below a given path.
    pub folders: usize,
}

/// The limits in force.
pub const LIMITS: Limits = Limits { text_file: 256 << 20, files: 100_000, folders: 64 };

/// A file or folder that can't be part of the policy, and why.
#[derive(Debug, Error)]
pub enum LoadError {
    #[error("no policy files in {}", listed(.0))]
    NoFiles(Vec<PathBuf>),
    #[error("can't read `{}`: {}", path.display(), reason(error))]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("`{}` has {size} bytes; a file of sections may have {limit}", path.display())]
    TooLarge { path: PathBuf, size: u64, limit: u64 },
    #[error("`{}` is neither a file nor a folder", path.display())]
    NotAFile { path: PathBuf },
    /// Only for a file that was given by its name: in a folder, such files are passed over.
    #[error("the ending of `{}` is none of a policy file's", path.display())]
    UnknownEnding { path: PathBuf },
    #[error("folders are nested more than {limit} deep in `{}`", path.display())]
    TooDeep { path: PathBuf, limit: usize },
    #[error("too many files, at `{}`; a policy may have {limit}", path.display())]
    TooMany { path: PathBuf, limit: usize },
    /// Of a revision that `git` does not give.
    #[error("can't read `{spec}`: {message}")]
    Git { spec: String, message: String },
    /// Something changed each time they were read; nothing of it was kept.
    #[error("the files in {} keep changing while they are read", listed(.0))]
    Unsteady(Vec<PathBuf>),
}

/// What was read, and what could not be.
#[derive(Debug)]
pub struct Loaded {
    pub sources: Sources,
    pub errors: Vec<LoadError>,
}

/// Sources that were never on a disk, or that nothing was wrong with.
impl From<Sources> for Loaded {
    fn from(sources: Sources) -> Self {
        Self { sources, errors: Vec::new() }
    }
}

/// How often the files are read anew if they change meanwhile, and how long the pauses between
/// are; they double from the first to the longest.
const ATTEMPTS: u32 = 20;
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

impl Loaded {
    /// Both together; of two files of one name, one is kept.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let files = self.sources.iter().chain(other.sources.iter());
        let files = files.map(|(_, source)| source.clone()).collect();
        let errors = self.errors.into_iter().chain(other.errors).collect();
        Self { sources: Sources::new(files), errors }
    }
}

/// Reads all policy files below the paths: one consistent set.
///
/// Links are resolved once, and if they change before all of them are, or a file goes or changes
/// while it is read, all is read anew. So what a ConfigMap or git-sync swaps as a whole is read as
/// a whole, either before or after. Blocks for as long as reading takes, and up to two seconds
/// more for files that won't keep still.
pub fn load(paths: &[impl AsRef<Path>]) -> Loaded {
    steady(paths, Survey::of, Bulk::Read)
}

/// As [`load`], but for what users there are: bulk files are among the sources without their content.
pub fn load_without_users(paths: &[impl AsRef<Path>]) -> Loaded {
    steady(paths, Survey::of, Bulk::Empty)
}

/// As [`load`], with the files of tests below the paths among the sources.
pub fn load_with_tests(paths: &[impl AsRef<Path>]) -> Loaded {
    steady(paths, Survey::with_tests, Bulk::Read)
}

/// What becomes of the content of bulk files.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bulk {
    Read,
    Empty,
}

fn steady<P: AsRef<Path>>(paths: &[P], survey: fn(&[P]) -> Survey, bulk: Bulk) -> Loaded {
    let given = || paths.iter().map(|path| path.as_ref().to_owned()).collect();
    let mut pause = FIRST_PAUSE;
    for _ in 0..ATTEMPTS {
        if let Some(mut loaded) = attempt(paths, survey, bulk) {
            let is_policy = |source: &Source| source.notation != Notation::Tests;
            let is_empty = !loaded.sources.iter().any(|(_, source)| is_policy(source));
            if is_empty && loaded.errors.is_empty() {
                loaded.errors.push(LoadError::NoFiles(given()));
            }
            return loaded;
        }
        thread::sleep(pause);
        pause = LONGEST_PAUSE.min(pause * 2);
    }
    Loaded { sources: Sources::default(), errors: vec![LoadError::Unsteady(given())] }
}

/// `None` if something changed meanwhile.
fn attempt<P: AsRef<Path>>(paths: &[P], look: fn(&[P]) -> Survey, bulk: Bulk) -> Option<Loaded> {
    let survey = look(paths);
    // Between the two surveys there was a moment at which all that was found was true together.
    if look(paths).fingerprint() != survey.fingerprint() {
        return None;
    }
    let mut errors = survey.errors;
    let mut sources = Vec::with_capacity(survey.files.len());
    for (path, found) in survey.files {
        if bulk == Bulk::Empty && found.notation.is_bulk() {
            sources.push(Source::new(name(&found.shown), found.notation, ""));
            continue;
        }
        match read(&path, found) {
            Ok(Some(source)) => sources.push(source),
            Ok(None) => return None,
            Err(error) => errors.push(error),
        }
    }
    Some(Loaded { sources: Sources::new(sources), errors })
}

/// `None` if the file is no longer what was found.
fn read(path: &Path, found: Found) -> Result<Option<Source>, LoadError> {
    let Found { shown, notation, stamp } = found;
    if stamp.size > LIMITS.text_file && !notation.is_bulk() {
        let limit = LIMITS.text_file;
        return Err(LoadError::TooLarge { path: shown, size: stamp.size, limit });
    }
    match read_bytes(path, stamp) {
        Ok(bytes) => Ok(bytes.map(|bytes| Source::new(name(&shown), notation, bytes))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(LoadError::Unreadable { path: shown, error }),
    }
}

fn read_bytes(path: &Path, stamp: Stamp) -> io::Result<Option<Vec<u8>>> {
    let mut file = File::open(path)?;
    if !Stamp::of(&file.metadata()?).same_content(stamp) {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    let size = usize::try_from(stamp.size).map_err(|_| io::ErrorKind::OutOfMemory)?;
    bytes.try_reserve_exact(size).map_err(|_| io::ErrorKind::OutOfMemory)?;
    file.by_ref().take(stamp.size.saturating_add(1)).read_to_end(&mut bytes)?;
    let unchanged = Stamp::of(&file.metadata()?).same_content(stamp) && bytes.len() == size;
    Ok(unchanged.then_some(bytes))
}

/// The path as text; two paths never become one.
fn name(path: &Path) -> String {
    let mut name = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        name.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(name, "\\x{byte:02x}");
        }
    }
    name
}

fn listed(paths: &[PathBuf]) -> String {
    if paths.is_empty() {
        return "no paths at all".to_owned();
    }
    paths.iter().map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(", ")
}

/// Why, in words that are the same on every system.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::NotADirectory => "a part of the path is no folder".to_owned(),
        io::ErrorKind::OutOfMemory => "there is not enough memory".to_owned(),
        _ => error.to_string(),
    }
}
