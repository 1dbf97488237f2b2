//! The command `fmt`.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{Exit, Output, output::STRONG, paths::Ignored};
use crate::{
    diagnostic::{Diagnostic, Diagnostics, Report},
    source::{LIMITS, Notation, Source, Sources, Survey, replace_text},
    syntax::{
        format::{FormatError, count_aliases, format},
        print::Form,
    },
};

#[derive(Args, Debug)]
pub(super) struct FormatOptions {
    /// Write nothing: list the files that would change, and exit with 1 if there are any
    #[arg(long, conflicts_with = "to")]
    check: bool,
    /// Print one file in this notation, without changing it
    #[arg(long, value_enum, value_name = "NOTATION")]
    to: Option<SyntaxKind>,
    /// Write the converted text to this file instead of standard output
    #[arg(long, short, value_name = "FILE", requires = "to")]
    output: Option<PathBuf>,
    /// The notation of standard input; by default the one that `--to` does not name, or the DSL
    #[arg(long, value_enum, value_name = "NOTATION")]
    from: Option<SyntaxKind>,
    /// Policy files, folders of them, or `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    ignored: Ignored,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum SyntaxKind {
    Yaml,
    Dsl,
}

/// The result for one file.
struct FormattedFile {
    file: String,
    /// Whether its canonical form differs from its content.
    changed: bool,
    /// The mistakes in its text, if it has any.
    report: Option<Report>,
    /// Why it could not be formatted.
    error: Option<String>,
    /// The canonical form, where it is the result.
    text: Option<String>,
    /// The number of its aliases, which the canonical form writes out.
    aliases: usize,
}

pub(super) fn run(options: &FormatOptions, output: &Output) -> Result<Exit> {
    let is_input = |path: &PathBuf| path.as_os_str() == "-";
    let reads_input = options.paths.iter().any(is_input);
    ensure!(
        reads_input || options.from.is_none(),
        "`--from` needs standard input; a file's extension names its notation"
    );
    let one = match options.paths.as_slice() {
        [one] => Some(one),
        _ => None,
    };
    match (one, options.to) {
        (Some(path), _) if is_input(path) => {
            let source = input(options.from.unwrap_or_else(|| target_kind(options.to)))?;
            text(&source, options, output)
        }
        _ if reads_input => bail!("`-` can't be combined with other paths"),
        (Some(path), Some(_)) if !path.is_dir() => {
            text(&read(path, path, notation(path)?)?, options, output)
        }
        (_, Some(_)) => bail!("`--to` converts one file at a time"),
        (_, None) => in_place(options, output),
    }
}

/// The notation of the input where none is named: the one that is not the target.
fn target_kind(to: Option<SyntaxKind>) -> SyntaxKind {
    if to == Some(SyntaxKind::Dsl) { SyntaxKind::Yaml } else { SyntaxKind::Dsl }
}

fn input(from: SyntaxKind) -> Result<Source> {
    let mut bytes = Vec::new();
    let limit = LIMITS.text_file;
    io::stdin().lock().take(limit + 1).read_to_end(&mut bytes).context("can't read the input")?;
    ensure!(bytes.len() as u64 <= limit, "the input exceeds {limit} bytes");
    let notation = match from {
        SyntaxKind::Yaml => Notation::Yaml,
        SyntaxKind::Dsl => Notation::Dsl,
    };
    Ok(Source::new("<stdin>", notation, bytes))
}

/// The notation of a file that is given by its name.
fn notation(path: &Path) -> Result<Notation> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_test = Notation::is_test_file(&name);
    let shown = path.display();
    match Notation::from_file_name(&name) {
        Some(notation) if notation.is_bulk() => {
            bail!("can't format `{shown}`: {}", FormatError::Bulk)
        }
        Some(notation) => Ok(notation),
        None if is_test => bail!("can't format `{shown}`: {}", FormatError::Tests),
        None => bail!("can't format `{shown}`: unknown file extension"),
    }
}

fn read(path: &Path, shown: &Path, notation: Notation) -> Result<Source> {
    let context = || format!("can't read `{}`", shown.display());
    let limit = LIMITS.text_file;
    let size = fs::metadata(path).with_context(context)?.len();
    ensure!(size <= limit, "`{}` exceeds {limit} bytes: it has {size}", shown.display());
    let bytes = fs::read(path).with_context(context)?;
    Ok(Source::new(shown.display().to_string(), notation, bytes))
}

/// Prints one text in the requested notation, or writes it to a file.
fn text(source: &Source, options: &FormatOptions, output: &Output) -> Result<Exit> {
    let form = match options.to {
        Some(SyntaxKind::Yaml) => Form::Yaml,
        Some(SyntaxKind::Dsl) => Form::Dsl,
        None => form(source),
    };
    let mut done = FormattedFile::of(source, form);
    let exit = done.exit(options.check);
    if let (Some(text), Some(path)) = (&done.text, &options.output) {
        replace_text(path, text).with_context(|| format!("can't write `{}`", path.display()))?;
        done.text = None;
    }
    if options.check {
        done.text = None;
    }
    match &done.text {
        Some(text) if !output.is_json() => {
            warn(&done, output);
            Output::verbatim(text)?;
        }
        _ => print_results(&[done], options.check, options.check, output)?,
    }
    Ok(exit)
}

/// Rewrites files that are not in canonical form, or lists them.
fn in_place(options: &FormatOptions, output: &Output) -> Result<Exit> {
    for path in options.paths.iter().filter(|path| path.is_file()) {
        notation(path)?;
    }
    let survey = options.ignored.scope(&options.paths)?.files_only().survey();
    let mut exit = unread(&survey, output);
    let mut all = Vec::new();
    for (real, shown, notation) in survey.files().filter(|(_, _, notation)| !notation.is_bulk()) {
        let mut done = match read(real, shown, notation) {
            Ok(source) => FormattedFile::of(&source, form(&source)),
            Err(error) => FormattedFile::failed(shown, &error),
        };
        if let (Some(text), true, false) = (done.text.take(), done.changed, options.check)
            && let Err(error) = replace_text(real, &text)
        {
            done.error = Some(format!("can't write it: {error}"));
        }
        exit = exit.max(done.exit(options.check));
        all.push(done);
    }
    if all.is_empty() && exit == Exit::Success {
        bail!("no policy files to format in the given paths");
    }
    print_results(&all, options.check, !options.check, output)?;
    Ok(exit)
}

/// Reports paths that can't be read.
fn unread(survey: &Survey, output: &Output) -> Exit {
    let mut problems = Diagnostics::default();
    survey.errors().iter().for_each(|error| problems.push(Diagnostic::from(error)));
    let report = Report::new(problems, &Sources::default());
    if report.is_empty() {
        return Exit::Success;
    }
    output.note_report(&report);
    Exit::Failure
}

/// The canonical form of a source's own notation.
fn form(source: &Source) -> Form {
    match source.notation {
        Notation::Dsl => Form::Dsl,
        Notation::Json => Form::Json,
        _ => Form::Yaml,
    }
}

/// Warns about aliases, which the canonical form writes out.
fn warn(done: &FormattedFile, output: &Output) {
    if done.aliases > 0 && done.error.is_none() && done.report.is_none() && !output.is_json() {
        let count = match done.aliases {
            1 => "1 alias is".to_owned(),
            count => format!("{count} aliases are"),
        };
        output.note(&format!(
            "{STRONG}{}{STRONG:#}: {count} written out, since canonical form has no aliases\n",
            done.file
        ));
    }
}

/// Prints the results: in JSON those of all files, else those of changed or faulty ones.
fn print_results(all: &[FormattedFile], lists: bool, writes: bool, output: &Output) -> Result<()> {
    for done in all {
        warn(done, output);
        match (&done.report, &done.error) {
            (Some(report), _) if !output.is_json() => output.note_report(report),
            (_, Some(error)) => {
                output.note(&format!("{STRONG}{}{STRONG:#}: {error}\n", done.file));
            }
            _ if output.is_json() || !done.changed => {}
            _ if lists => output.result(&format!("{}\n", done.file))?,
            _ if writes => output.note(&format!("formatted {}\n", done.file)),
            _ => {}
        }
    }
    if output.is_json() {
        output.json(&all.iter().map(FormattedFile::to_json).collect::<Vec<_>>())?;
    }
    Ok(())
}

impl FormattedFile {
    fn of(source: &Source, form: Form) -> Self {
        let mut done = Self {
            file: source.name.clone(),
            changed: false,
            report: None,
            error: None,
            text: None,
            aliases: count_aliases(source),
        };
        match format(source, form) {
            Ok(text) => {
                done.changed = text.as_bytes() != source.bytes;
                done.text = Some(text);
            }
            Err(FormatError::Mistakes(problems)) => {
                let sources = Sources::new(vec![source.clone()]);
                done.report = Some(Report::new(problems, &sources));
            }
            Err(refusal) => done.error = Some(refusal.to_string()),
        }
        done
    }

    fn failed(shown: &Path, error: &anyhow::Error) -> Self {
        let file = shown.display().to_string();
        let error = Some(format!("{error:#}"));
        Self { file, changed: false, report: None, error, text: None, aliases: 0 }
    }

    fn exit(&self, check: bool) -> Exit {
        if self.error.is_some() {
            Exit::Failure
        } else if self.report.is_some() || check && self.changed {
            Exit::Unmet
        } else {
            Exit::Success
        }
    }

    fn to_json(&self) -> Value {
        let mut json = json!({ "file": self.file, "changed": self.changed });
        if let Some(fields) = json.as_object_mut() {
            let aliases = (self.aliases > 0).then(|| ("aliases".to_owned(), json!(self.aliases)));
            fields.extend(aliases);
            fields.extend(self.report.as_ref().map(|it| ("report".to_owned(), it.to_json())));
            fields.extend(self.error.as_ref().map(|it| ("error".to_owned(), json!(it))));
            fields.extend(self.text.as_ref().map(|it| ("text".to_owned(), json!(it))));
        }
        json
    }
}
