//! The reading of a policy's files: what is found is read as one set, or not at all.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Read},
    path::Path,
    thread,
    time::{Duration, SystemTime},
};

use super::{
    LIMITS, LoadError, Notation, Scope, Source, Sources, Stamp, Survey,
    content::{self, ContentError},
    load_error::into_load_error,
    stream,
    survey::SurveyedFile,
};

/// The sources that were read, and the errors of those that could not be.
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

/// The number of attempts to read files that change meanwhile, and the lengths of the pauses between
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
        let time = self.sources.time();
        Self { sources: Sources::new(files).at(time), errors }
    }

    /// The same at another time, as [`Sources::at`] has it.
    #[must_use]
    pub fn at(self, time: SystemTime) -> Self {
        Self { sources: self.sources.at(time), ..self }
    }
}

impl Scope {
    /// Reads all policy files: one consistent set.
    ///
    /// Links are resolved once, and if they change before all of them are, or a file goes or changes
    /// while it is read, everything is read again. So what a ConfigMap or git-sync swaps as a whole
    /// is read as a whole, either before or after. Blocks for as long as reading takes, and up to two
    /// seconds more for files that keep changing.
    pub fn load(&self) -> LoadedSources {
        load_consistent(self, BulkContent::Read)
    }

    /// Reads all policy files as [`Scope::load`] does, but for the users: bulk files are among the
    /// sources without their content.
    pub fn load_without_users(&self) -> LoadedSources {
        load_consistent(self, BulkContent::Empty)
    }

    /// Reads the files of a survey. `None` if they are no longer what the survey found.
    pub fn load_surveyed(&self, survey: Survey) -> Option<LoadedSources> {
        load_survey(self, survey, BulkContent::Read)
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

/// The treatment of bulk files' content.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum BulkContent {
    Read,
    Empty,
}

fn load_consistent(scope: &Scope, bulk: BulkContent) -> LoadedSources {
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
fn load_survey(scope: &Scope, survey: Survey, bulk: BulkContent) -> Option<LoadedSources> {
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
    Some(LoadedSources { sources: scope.dated(Sources::new(sources)), errors })
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
