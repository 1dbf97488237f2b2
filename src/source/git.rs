//! Files of a revision, read by the `git` command: what lies in the worktree is neither read nor
//! touched.

use std::{
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::{
    LIMITS, LoadError, LoadedSources, Notation, Scope, Source, Sources,
    content::{self, ContentError},
    ignore_rules::{IGNORE_FILE, Patterns},
    load::BulkContent,
    load_error::into_load_error,
};

/// Whether this names files of a git revision, as `main:policies` does, and nothing that there is.
pub fn is_revision(text: &str) -> bool {
    text.contains(':') && !Path::new(text).exists()
}

impl Scope {
    /// Reads the policy files of a revision of the repository around the working directory: `spec` is
    /// a revision, a colon, and the path of a file or folder from the repository's root, or `./` and a
    /// path from here. The paths of the scope have no part in it.
    ///
    /// Endings, hidden entries, test files and what is passed over count as they do on a disk. Links
    /// to files below the path are followed. Blocks until `git` has answered.
    pub fn load_revision(&self, spec: &str) -> LoadedSources {
        load_revision(self, spec, BulkContent::Read)
    }

    /// As [`Scope::load_revision`], but for what users there are: bulk files are among the sources
    /// without their content.
    pub fn load_revision_without_users(&self, spec: &str) -> LoadedSources {
        load_revision(self, spec, BulkContent::Empty)
    }
}

fn load_revision(scope: &Scope, spec: &str, bulk: BulkContent) -> LoadedSources {
    match read(scope, spec, bulk) {
        Ok(sources) if sources.is_empty() => {
            only_error(LoadError::NoFiles(vec![PathBuf::from(spec)]))
        }
        Ok(sources) => scope.dated(Sources::new(sources)).into(),
        Err(error) => only_error(error),
    }
}

fn only_error(error: LoadError) -> LoadedSources {
    LoadedSources { sources: Sources::default(), errors: vec![error] }
}

/// A file that a revision holds.
struct Entry {
    /// How it is shown.
    name: String,
    /// How `git` finds it: in a folder, from that folder on, so that links can't lead out of it.
    object: String,
    notation: Notation,
}

fn read(scope: &Scope, spec: &str, bulk: BulkContent) -> Result<Vec<Source>, LoadError> {
    let error = |said: GitError| said.into_load_error(spec);
    if spec.contains('\n') {
        return Err(error("its name has a line break".into()));
    }
    let object = run(&["rev-parse", "--verify", "--end-of-options", spec]).map_err(|said| {
        error(if said.message == "Needed a single revision" {
            unknown_revision(spec)
        } else {
            said
        })
    })?;
    let object = String::from_utf8_lossy(&object).trim().to_owned();
    let kind = run(&["cat-file", "-t", &object]).map_err(error)?;
    let entries = match String::from_utf8_lossy(&kind).trim() {
        "blob" => {
            let name = spec.rsplit(['/', ':']).next().unwrap_or_default();
            let Some(notation) = Notation::from_file_name(name) else {
                return Err(LoadError::UnknownExtension { path: PathBuf::from(spec) });
            };
            vec![Entry { name: spec.to_owned(), object: spec.to_owned(), notation }]
        }
        "tree" => tree(scope, spec, &object)?,
        kind => return Err(error(format!("it is a {kind}: write `{spec}:PATH`").into())),
    };
    if entries.len() > LIMITS.files {
        return Err(LoadError::TooMany { path: PathBuf::from(spec), limit: LIMITS.files });
    }
    contents(spec, &entries, bulk)
}

fn tree(scope: &Scope, spec: &str, object: &str) -> Result<Vec<Entry>, LoadError> {
    let error = |said: GitError| said.into_load_error(spec);
    let listed = run(&["ls-tree", "-r", "-z", "--full-tree", object]).map_err(error)?;
    let root = if spec.ends_with([':', '/']) { spec.to_owned() } else { format!("{spec}/") };
    let mut entries = Vec::new();
    let mut patterns = Patterns::new(scope.ignore.clone());
    for line in listed.split(|&byte| byte == 0).filter(|line| !line.is_empty()) {
        let line = String::from_utf8_lossy(line);
        let Some((about, path)) = line.split_once('\t') else { continue };
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let is_hidden = |path: &str| path.split('/').any(|part| part.starts_with('.'));
        if name == IGNORE_FILE && !is_hidden(folder) {
            let text = run(&["cat-file", "blob", &format!("{object}:{path}")]).map_err(error)?;
            let text = String::from_utf8_lossy(&text);
            let path = PathBuf::from(format!("{root}{path}"));
            let entered = patterns.enter(Path::new(folder), &text);
            entered.map_err(|error| LoadError::Pattern { path, error })?;
            continue;
        }
        if let (Some(notation), false) =
            (Notation::from_file_name(name), is_hidden(path) || about.starts_with("16"))
        {
            if path.contains(['\n', '\u{fffd}']) {
                let message = format!("the name `{}` can't be read", path.escape_debug());
                return Err(error(message.into()));
            }
            entries.push((path.to_owned(), notation));
        }
    }
    let entries =
        entries.into_iter().filter(|(path, _)| !patterns.matches_any_parent(Path::new(path)));
    let entry = |(path, notation)| Entry {
        name: format!("{root}{path}"),
        object: format!("{object}:{path}"),
        notation,
    };
    Ok(entries.map(entry).collect())
}

/// The contents of all entries, by one run of `git`.
fn contents(spec: &str, entries: &[Entry], bulk: BulkContent) -> Result<Vec<Source>, LoadError> {
    let error = |said: GitError| said.into_load_error(spec);
    let mut child = git(&["cat-file", "--batch", "--follow-symlinks"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|failed| error(spawn_error(&failed)))?;
    let read = exchange(&mut child, entries, bulk);
    // It ends with its input, which is closed by now.
    let _ = child.kill();
    let mut said = Vec::new();
    let stderr = child.stderr.take().map(|stderr| stderr.take(1 << 16).read_to_end(&mut said));
    let _ = child.wait();
    read.map_err(|failed| match stderr {
        Some(Ok(1..)) => error(GitError::from_stderr(&said)),
        _ => error(format!("`git cat-file` stopped: {failed}").into()),
    })?
}

fn exchange(
    child: &mut Child,
    entries: &[Entry],
    bulk: BulkContent,
) -> io::Result<Result<Vec<Source>, LoadError>> {
    let broken = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let mut input = child.stdin.take().ok_or_else(broken)?;
    let mut output = io::BufReader::new(child.stdout.take().ok_or_else(broken)?);
    let mut sources = Vec::with_capacity(entries.len());
    for entry in entries {
        if bulk == BulkContent::Empty && entry.notation.is_bulk() {
            sources.push(Source::unread(entry.name.clone(), entry.notation));
            continue;
        }
        writeln!(input, "{}", entry.object)?;
        input.flush()?;
        let mut head = String::new();
        io::BufRead::read_line(&mut output, &mut head)?;
        let mut words = head.trim_end().rsplit(' ');
        let size = words.next().and_then(|size| size.parse::<u64>().ok());
        let path = PathBuf::from(&entry.name);
        let size = match (size, words.next()) {
            (Some(size), Some("blob")) => size,
            (Some(size), Some("symlink")) => {
                let mut target = Vec::new();
                output.by_ref().take(size).read_to_end(&mut target)?;
                let target = PathBuf::from(String::from_utf8_lossy(&target).into_owned());
                return Ok(Err(LoadError::LinkOutside { link: path, target }));
            }
            _ => {
                let message = "no such file, or a broken link".to_owned();
                return Ok(Err(GitError::from(message).into_load_error(&entry.name)));
            }
        };
        if size > LIMITS.text_file && !entry.notation.is_bulk() {
            return Ok(Err(LoadError::TooLarge { path, size, limit: LIMITS.text_file }));
        }
        let bytes = match content::read(&mut output.by_ref().take(size), entry.notation, size) {
            Ok(bytes) => bytes,
            Err(ContentError::Io(error)) => return Err(error),
            Err(error) => return Ok(Err(into_load_error(&path, error))),
        };
        output.read_exact(&mut [0])?;
        sources.push(Source::new(entry.name.clone(), entry.notation, bytes));
    }
    Ok(Ok(sources))
}

fn git(arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.args(arguments).env("LC_ALL", "C").env("GIT_OPTIONAL_LOCKS", "0");
    command.stdin(Stdio::null());
    command
}

/// The output of `git`, or its complaint.
fn run(arguments: &[&str]) -> Result<Vec<u8>, GitError> {
    let output = git(arguments).output().map_err(|error| spawn_error(&error))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(GitError::from_stderr(&output.stderr))
    }
}

fn spawn_error(error: &io::Error) -> GitError {
    match error.kind() {
        io::ErrorKind::NotFound => "the `git` command was not found".to_owned().into(),
        _ => format!("can't run `git`: {error}").into(),
    }
}

/// Why something can't be read, and what helps.
struct GitError {
    message: String,
    hint: Option<String>,
}

impl From<String> for GitError {
    fn from(message: String) -> Self {
        Self { message, hint: None }
    }
}

impl From<&str> for GitError {
    fn from(message: &str) -> Self {
        message.to_owned().into()
    }
}

impl GitError {
    /// The message of `git`: the first line is the reason, the others its own hint.
    fn from_stderr(said: &[u8]) -> Self {
        let said = String::from_utf8_lossy(said);
        let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
        let message = lines.next().unwrap_or("git gave no reason");
        let message = ["fatal: ", "error: "]
            .iter()
            .find_map(|head| message.strip_prefix(head))
            .unwrap_or(message);
        let rest = lines
            .map(|line| line.strip_prefix("hint: ").unwrap_or(line))
            .collect::<Vec<_>>()
            .join(" ");
        Self { message: message.to_owned(), hint: (!rest.is_empty()).then_some(rest) }
    }

    fn into_load_error(self, spec: &str) -> LoadError {
        LoadError::Git { spec: spec.to_owned(), message: self.message, hint: self.hint }
    }
}

/// The error for a revision, or a path in it, that does not exist.
fn unknown_revision(spec: &str) -> GitError {
    let (revision, path) = spec.split_once(':').unwrap_or((spec, ""));
    let is_there = |revision: &str| {
        let commit = format!("{revision}^{{commit}}");
        run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit]).is_ok()
    };
    if is_there(revision) {
        let message = format!("no path `{path}` in the revision `{revision}`");
        let hint = "write the path from the root of the repository, or `./` and a path from the working directory";
        return GitError { message, hint: Some(hint.to_owned()) };
    }
    let message = format!("unknown revision `{revision}`");
    let remote = format!("origin/{revision}");
    let is_shallow = || {
        let answer = run(&["rev-parse", "--is-shallow-repository"]).unwrap_or_default();
        answer.trim_ascii() == b"true"
    };
    let hint = if is_there(&remote) {
        Some(format!("write `{remote}:{path}`"))
    } else if is_shallow() {
        Some(
            "the clone is shallow: fetch the history by `git fetch --unshallow`, or give \
             actions/checkout `fetch-depth: 0`"
                .to_owned(),
        )
    } else {
        None
    };
    GitError { message, hint }
}
