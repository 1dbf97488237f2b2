//! The reading of a policy's files: what is found is read as one set, or not at all.

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
    Notation, PatternError, Scope, Source, Sources, Stamp, Survey,
    content::{self, ContentError, MAX_LINE_LEN},
    stream,
    survey::SurveyedFile,
};

/// How large the files of a policy may be, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileLimits {
    /// Of a file that holds sections; of bulk files, only their lines are limited.
    pub text_file: u64,
    /// How many files a policy may have.
    pub files: usize,
    /// How deep folders may be nested below a given path.
    pub folders: usize,
}

/// The limits in force.
pub const LIMITS: FileLimits = FileLimits { text_file: 256 << 20, files: 100_000, folders: 64 };

/// A file or folder that can't be part of the policy, and why.
#[derive(Debug, Error)]
pub enum LoadError {
    #[error("no policy files in {}", listed(.0))]
    NoFiles(Vec<PathBuf>),
    #[error("can't read `{}`: {}", path.display(), reason(error))]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("`{}` has {size} bytes; the limit is {limit}", path.display())]
    TooLarge { path: PathBuf, size: u64, limit: u64 },
    #[error("`{}` is neither a file nor a folder", path.display())]
    NotAFile { path: PathBuf },
    /// Only for a file that was given by its name: in a folder, such files are passed over.
    #[error("unknown file extension: `{}`", path.display())]
    UnknownExtension { path: PathBuf },
    #[error("folders are nested more than {limit} deep in `{}`", path.display())]
    TooDeep { path: PathBuf, limit: usize },
    #[error("too many files at `{}`; the limit is {limit}", path.display())]
    TooMany { path: PathBuf, limit: usize },
    /// Of a revision that `git` does not give.
    #[error("can't read `{spec}`: {message}")]
    Git {
        spec: String,
        message: String,
        /// What helps, as `git` says it or as it is known of `git`.
        hint: Option<String>,
    },
    #[error("line {line} of `{}` is longer than {limit} bytes", path.display())]
    LongLine { path: PathBuf, line: u64, limit: u64 },
    #[error("`{}` contains only NUL bytes from line {line} on", path.display())]
    Hole { path: PathBuf, line: u64 },
    #[error(
        "the link `{}` leads to `{}`, which is not below the given path",
        link.display(),
        target.display()
    )]
    LinkOutside { link: PathBuf, target: PathBuf },
    #[error("`{}`: {error}", path.display())]
    Pattern { path: PathBuf, error: PatternError },
    /// Of standard input and pipes, where files are to be read again when they change.
    #[error("`{}` can be read only once", path.display())]
    OnlyOnce { path: PathBuf },
    /// They were not closed by their writer, or changed again and again, for as long as was waited.
    #[error("still being written after {} s: {}", after.as_secs_f32(), listed(paths))]
    StillWritten { paths: Vec<PathBuf>, after: Duration },
    /// Something changed each time they were read; nothing of it was kept.
    #[error("the files in {} keep changing while they are read", listed(.0))]
    KeepsChanging(Vec<PathBuf>),
}

/// What was read, and what could not be.
#[derive(Debug)]
pub struct LoadedSources {
    pub sources: Sources,
    pub errors: Vec<LoadError>,
}

/// Sources that were never on a disk, or that nothing was wrong with.
impl From<Sources> for LoadedSources {
    fn from(sources: Sources) -> Self {
        Self { sources, errors: Vec::new() }
    }
}

/// How often the files are read anew if they change meanwhile, and how long the pauses between
/// are; they double from the first to the longest.
const ATTEMPTS: u32 = 20;
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

impl LoadedSources {
    /// Both together; of two files of one name, one is kept.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        let files = self.sources.iter().chain(other.sources.iter());
        let files = files.map(|(_, source)| source.clone()).collect();
        let errors = self.errors.into_iter().chain(other.errors).collect();
        Self { sources: Sources::new(files), errors }
    }
}

/// Reads all policy files below the paths, as [`Scope::load`] does.
pub fn load(paths: &[impl AsRef<Path>]) -> LoadedSources {
    Scope::from(paths).load()
}

/// As [`load`], with the files of tests below the paths among the sources.
pub fn load_with_tests(paths: &[impl AsRef<Path>]) -> LoadedSources {
    Scope::from(paths).with_tests().load()
}

/// What becomes of the content of bulk files.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum BulkContent {
    Read,
    Empty,
}

pub(super) fn load_consistent(scope: &Scope, bulk: BulkContent) -> LoadedSources {
    let mut pause = FIRST_PAUSE;
    for _ in 0..ATTEMPTS {
        let survey = scope.survey();
        // Between the two surveys there was a moment at which all that was found was true together.
        if scope.survey().fingerprint() == survey.fingerprint()
            && let Some(loaded) = load_survey(scope, survey, bulk)
        {
            return loaded;
        }
        thread::sleep(pause);
        pause = LONGEST_PAUSE.min(pause * 2);
    }
    let error = LoadError::KeepsChanging(scope.paths.clone());
    LoadedSources { sources: Sources::default(), errors: vec![error] }
}

/// `None` if something changed meanwhile.
pub(super) fn load_survey(
    scope: &Scope,
    survey: Survey,
    bulk: BulkContent,
) -> Option<LoadedSources> {
    let mut errors = survey.errors;
    let mut sources = Vec::with_capacity(survey.files.len());
    for (path, found) in survey.files {
        if bulk == BulkContent::Empty && found.notation.is_bulk() {
            sources.push(Source::unread(display_name(&found.shown), found.notation));
            continue;
        }
        match read(&path, found) {
            Ok(Some(source)) => sources.push(source),
            Ok(None) => return None,
            Err(error) => errors.push(error),
        }
    }
    // Last, as they are read once.
    for stream in &survey.streams {
        match stream::read(stream) {
            Ok(source) => sources.push(source),
            Err(error) => errors.push(error),
        }
    }
    let is_policy = |source: &Source| source.notation != Notation::Tests;
    if !sources.iter().any(is_policy) && errors.is_empty() {
        errors.push(LoadError::NoFiles(scope.paths.clone()));
    }
    Some(LoadedSources { sources: Sources::new(sources), errors })
}

/// `None` if the file is no longer what was found.
fn read(path: &Path, found: SurveyedFile) -> Result<Option<Source>, LoadError> {
    let SurveyedFile { shown, notation, stamp } = found;
    if stamp.size > LIMITS.text_file && !notation.is_bulk() {
        let limit = LIMITS.text_file;
        return Err(LoadError::TooLarge { path: shown, size: stamp.size, limit });
    }
    match read_bytes(path, stamp, notation) {
        Ok(bytes) => Ok(bytes.map(|bytes| Source::new(display_name(&shown), notation, bytes))),
        Err(ContentError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(into_load_error(&shown, error)),
    }
}

fn read_bytes(
    path: &Path,
    stamp: Stamp,
    notation: Notation,
) -> Result<Option<Vec<u8>>, ContentError> {
    let mut file = File::open(path)?;
    if !Stamp::from_metadata(&file.metadata()?).same_content(stamp) {
        return Ok(None);
    }
    let mut within = file.by_ref().take(stamp.size.saturating_add(1));
    let bytes = content::read(&mut within, notation, stamp.size)?;
    let is_whole = bytes.len() as u64 == stamp.size;
    let unchanged = is_whole && Stamp::from_metadata(&file.metadata()?).same_content(stamp);
    Ok(unchanged.then_some(bytes))
}

pub(super) fn into_load_error(path: &Path, broken: ContentError) -> LoadError {
    let path = path.to_owned();
    match broken {
        ContentError::Io(error) => LoadError::Unreadable { path, error },
        ContentError::LongLine(line) => LoadError::LongLine { path, line, limit: MAX_LINE_LEN },
        ContentError::Hole(line) => LoadError::Hole { path, line },
    }
}

/// The path as text; two paths never become one.
fn display_name(path: &Path) -> String {
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
        return "no paths".to_owned();
    }
    paths.iter().map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(", ")
}

/// Why, in words that are the same on every system.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::NotADirectory => "a part of the path is not a folder".to_owned(),
        io::ErrorKind::OutOfMemory => "out of memory".to_owned(),
        _ => error.to_string(),
    }
}
