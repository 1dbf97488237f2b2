//! Files of a revision, read by the `git` command: what lies in the worktree is neither read nor
//! touched.

use std::{
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::{
    LIMITS, LoadError, Loaded, Notation, Scope, Source, Sources,
    ignored::{IGNORE_FILE, Patterns},
    load::{self, Bulk},
    pieces::{self, Broken},
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
    pub fn load_revision(&self, spec: &str) -> Loaded {
        loaded(self, spec, Bulk::Read)
    }

    /// As [`Scope::load_revision`], but for what users there are: bulk files are among the sources
    /// without their content.
    pub fn load_revision_without_users(&self, spec: &str) -> Loaded {
        loaded(self, spec, Bulk::Empty)
    }
}

fn loaded(scope: &Scope, spec: &str, bulk: Bulk) -> Loaded {
    match read(scope, spec, bulk) {
        Ok(sources) if sources.is_empty() => failed(LoadError::NoFiles(vec![PathBuf::from(spec)])),
        Ok(sources) => Loaded { sources: Sources::new(sources), errors: Vec::new() },
        Err(error) => failed(error),
    }
}

fn failed(error: LoadError) -> Loaded {
    Loaded { sources: Sources::default(), errors: vec![error] }
}

/// A file that a revision holds.
struct Entry {
    /// How it is shown.
    name: String,
    /// How `git` finds it: in a folder, from that folder on, so that links can't lead out of it.
    object: String,
    notation: Notation,
}

fn read(scope: &Scope, spec: &str, bulk: Bulk) -> Result<Vec<Source>, LoadError> {
    let error = |message: String| LoadError::Git { spec: spec.to_owned(), message };
    if spec.contains('\n') {
        return Err(error("its name has a line break".to_owned()));
    }
    let object = run(&["rev-parse", "--verify", "--end-of-options", spec]).map_err(|said| {
        let unknown = said == "Needed a single revision";
        error(if unknown {
            "there is no such revision, or no such path in it".to_owned()
        } else {
            said
        })
    })?;
    let object = String::from_utf8_lossy(&object).trim().to_owned();
    let kind = run(&["cat-file", "-t", &object]).map_err(error)?;
    let entries = match String::from_utf8_lossy(&kind).trim() {
        "blob" => {
            let name = spec.rsplit(['/', ':']).next().unwrap_or_default();
            let Some(notation) = Notation::of(name) else {
                return Err(LoadError::UnknownEnding { path: PathBuf::from(spec) });
            };
            vec![Entry { name: spec.to_owned(), object: spec.to_owned(), notation }]
        }
        "tree" => tree(scope, spec, &object)?,
        kind => return Err(error(format!("it is a {kind}: write `{spec}:PATH`"))),
    };
    if entries.len() > LIMITS.files {
        return Err(LoadError::TooMany { path: PathBuf::from(spec), limit: LIMITS.files });
    }
    contents(spec, &entries, bulk)
}

fn tree(scope: &Scope, spec: &str, object: &str) -> Result<Vec<Entry>, LoadError> {
    let error = |message: String| LoadError::Git { spec: spec.to_owned(), message };
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
            (Notation::of(name), is_hidden(path) || about.starts_with("16"))
        {
            if path.contains(['\n', '\u{fffd}']) {
                return Err(error(format!("the name `{}` can't be read", path.escape_debug())));
            }
            entries.push((path.to_owned(), notation));
        }
    }
    let entries = entries.into_iter().filter(|(path, _)| !patterns.cover_any_part(Path::new(path)));
    let entry = |(path, notation)| Entry {
        name: format!("{root}{path}"),
        object: format!("{object}:{path}"),
        notation,
    };
    Ok(entries.map(entry).collect())
}

/// The contents of all entries, by one run of `git`.
fn contents(spec: &str, entries: &[Entry], bulk: Bulk) -> Result<Vec<Source>, LoadError> {
    let error = |message: String| LoadError::Git { spec: spec.to_owned(), message };
    let mut child = git(&["cat-file", "--batch", "--follow-symlinks"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|failed| error(no_git(&failed)))?;
    let read = exchange(&mut child, entries, bulk);
    // It ends with its input, which is closed by now; whatever it did not like is in what was read.
    let _ = child.kill();
    let _ = child.wait();
    read.map_err(|failed| error(format!("`git cat-file` stopped: {failed}")))?
}

fn exchange(
    child: &mut Child,
    entries: &[Entry],
    bulk: Bulk,
) -> io::Result<Result<Vec<Source>, LoadError>> {
    let broken = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let mut input = child.stdin.take().ok_or_else(broken)?;
    let mut output = io::BufReader::new(child.stdout.take().ok_or_else(broken)?);
    let mut sources = Vec::with_capacity(entries.len());
    for entry in entries {
        if bulk == Bulk::Empty && entry.notation.is_bulk() {
            sources.push(Source::left_out(entry.name.clone(), entry.notation));
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
                let message = "there is no file of this name, or its link leads to none".to_owned();
                return Ok(Err(LoadError::Git { spec: entry.name.clone(), message }));
            }
        };
        if size > LIMITS.text_file && !entry.notation.is_bulk() {
            return Ok(Err(LoadError::TooLarge { path, size, limit: LIMITS.text_file }));
        }
        let bytes = match pieces::read(&mut output.by_ref().take(size), entry.notation, size) {
            Ok(bytes) => bytes,
            Err(Broken::Io(error)) => return Err(error),
            Err(error) => return Ok(Err(load::broken(&path, error))),
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

/// What `git` prints, or what it complains of.
fn run(arguments: &[&str]) -> Result<Vec<u8>, String> {
    let output = git(arguments).output().map_err(|error| no_git(&error))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().next().unwrap_or("it gives no reason");
    Err(said.strip_prefix("fatal: ").unwrap_or(said).to_owned())
}

fn no_git(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no `git` command".to_owned(),
        _ => format!("can't run `git`: {error}"),
    }
}
