//! Policies that come from standard input or a pipe, which can be read once.

use std::{
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::FileTypeExt,
    path::{Path, PathBuf},
};

use super::{LIMITS, LoadError, Notation, Scope, Source, content, load_error::into_load_error};

/// A path that leads to no file, and yet to a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct InputStream {
    pub(super) path: PathBuf,
    /// The notation by the name; without one, the text decides.
    pub(super) notation: Option<Notation>,
    /// The display name.
    pub(super) name: String,
}

impl Scope {
    /// Whether standard input is among the paths.
    pub fn has_input(&self) -> bool {
        self.paths.iter().any(|path| is_input(path))
    }
}

/// Whether the path stands for standard input.
pub(super) fn is_input(path: &Path) -> bool {
    ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].iter().any(|name| path == Path::new(name))
}

/// Whether the path leads to a pipe, or to something that the process has open, as what a shell
/// puts in the place of `<(...)`.
pub(super) fn is_stream(path: &Path) -> bool {
    let is_open = || ["/dev/fd", "/proc/self/fd"].iter().any(|folder| path.starts_with(folder));
    is_input(path) || fs::metadata(path).is_ok_and(|it| it.file_type().is_fifo() || is_open())
}

/// Reads all of it.
pub(super) fn read(stream: &InputStream) -> Result<Source, LoadError> {
    let unreadable = |error| LoadError::Unreadable { path: stream.path.clone(), error };
    let mut input: Box<dyn Read> = if is_input(&stream.path) {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(&stream.path).map_err(unreadable)?)
    };
    let limit = LIMITS.text_file;
    let bytes = match stream.notation {
        Some(notation) if notation.is_bulk() => content::read(&mut input, notation, 0),
        _ => content::read(&mut input.take(limit + 1), Notation::Yaml, 0),
    };
    let bytes = bytes.map_err(|broken| into_load_error(&stream.path, broken))?;
    let notation = stream.notation.unwrap_or_else(|| detect_notation(&bytes));
    if !notation.is_bulk() && bytes.len() as u64 > limit {
        let (path, size) = (stream.path.clone(), bytes.len() as u64);
        return Err(LoadError::TooLarge { path, size, limit });
    }
    Ok(Source::new(stream.name.clone(), notation, bytes))
}

/// YAML where the first line that is neither blank nor a comment begins a mapping or a document, as
/// `rules:`, `"rules":`, `{` and `---` do, and no line ends as a statement of the DSL does; else the
/// DSL. What says nothing is YAML.
fn detect_notation(bytes: &[u8]) -> Notation {
    let text = String::from_utf8_lossy(bytes);
    let lines = || text.trim_start_matches('\u{feff}').lines().map(str::trim);
    let first = lines().find(|line| !line.is_empty() && !line.starts_with('#'));
    let Some(line) = first else { return Notation::Yaml };
    let is_name = |key: &str| key.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
    let is_key = |key: &str| is_name(key.trim_end()) || key.starts_with(['"', '\'']);
    let is_entry = line.split_once(':').is_some_and(|(key, _)| is_key(key));
    let is_document = line.starts_with(['{', '%', '-']);
    let has_statement = || lines().any(|line| line.ends_with(';'));
    if is_document || is_entry && !has_statement() { Notation::Yaml } else { Notation::Dsl }
}

#[cfg(test)]
mod tests {
    use super::{Notation, detect_notation};

    #[test]
    fn notations_are_reported_by_the_first_statement() {
        for text in [
            "rules: []",
            "# comment\n\nusers:\n  a: {}\n",
            "---\nrules: []",
            "{\"rules\": []}",
            "\u{feff}\"rules\": []",
            "'tags' : [a]",
            "preset: flip\n",
            "",
            "# nothing\n",
        ] {
            assert_eq!(detect_notation(text.as_bytes()), Notation::Yaml, "{text}");
        }
        for text in [
            "rule a: hasTag(x) -> [y];",
            "// comment\nuser a {}",
            "user a { tags: [x]; }\n",
            "tags a, b;",
            "/// doc\nrule a:\n  hasTag(x) -> [y];",
            "tags: [a,\n  b];\n",
            "rule:\n  hasTag(x)\n  -> [y];\n",
            "hello",
        ] {
            assert_eq!(detect_notation(text.as_bytes()), Notation::Dsl, "{text}");
        }
    }
}
