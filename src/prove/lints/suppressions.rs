//! Suppressions of lints: comments, and the section `lints`.

use std::{cell::Cell, collections::HashMap};

use crate::{
    diagnostic::{Code, Diagnostic, did_you_mean},
    source::{Notation, SourceId, Sources, Span},
    syntax::ast::Item,
};

/// The lints that authors suppress.
pub(super) struct Suppressions<'s> {
    /// The suppressions for the whole policy.
    everywhere: Vec<Suppression>,
    /// The suppressions by comments, by file and by the start of the line.
    lines: HashMap<(SourceId, usize), Vec<Suppression>>,
    /// The files with such comments: their text, and what begins a comment.
    files: HashMap<SourceId, (&'s str, &'static str)>,
    /// Words of such comments that look like a lint and are not one.
    unknown_names: Vec<(Span, String)>,
}

/// A suppressed lint, and whether it suppressed anything.
struct Suppression {
    code: Code,
    span: Span,
    is_used: Cell<bool>,
}

const MARK: &str = "allow:";

impl<'s> Suppressions<'s> {
    pub(super) fn collect(items: &[Item<'_>], sources: &'s Sources) -> Self {
        let lists = items.iter().filter_map(|item| match item {
            Item::Lints(linter) => Some(&linter.value),
            _ => None,
        });
        let everywhere =
            lists.flatten().filter_map(|text| Suppression::from_word(&text.value, text.span));
        let mut suppressions = Self {
            everywhere: everywhere.collect(),
            lines: HashMap::new(),
            files: HashMap::new(),
            unknown_names: Vec::new(),
        };
        for (id, source) in sources.iter() {
            let marker = match source.notation {
                Notation::Dsl => "//",
                Notation::Yaml => "#",
                Notation::Json | Notation::Ndjson | Notation::Csv | Notation::Tests => continue,
            };
            let Ok(text) = std::str::from_utf8(&source.bytes) else { continue };
            if text.contains(MARK) {
                suppressions.files.insert(id, (text, marker));
                suppressions.read_comments(id, text, marker);
            }
        }
        suppressions
    }

    /// Collects the suppressions of a file's comments.
    fn read_comments(&mut self, id: SourceId, text: &str, marker: &str) {
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            if line.contains(MARK) {
                let allows: Vec<Suppression> = suppressed_words(line, marker)
                    .into_iter()
                    .filter_map(|(at, word)| {
                        let span = Span::new(id, start + at, start + at + word.len());
                        let allow = Suppression::from_word(word, span);
                        if allow.is_none() && looks_like_lint(word) {
                            self.unknown_names.push((span, word.to_owned()));
                        }
                        allow
                    })
                    .collect();
                self.lines.insert((id, start), allows);
            }
            start += line.len();
        }
    }

    /// Whether a lint is suppressed, for the whole policy or by a comment at the statement or at the place
    /// that the diagnostic shows.
    pub(super) fn covers(&self, code: Code, statement: Span, diagnostic: &Diagnostic) -> bool {
        let shown = diagnostic.primary.as_ref().map(|label| label.span);
        let by_comment = self.by_comment(code, statement);
        let at_shown = shown.is_some_and(|span| span != statement && self.by_comment(code, span));
        mark_used(&self.everywhere, code) || by_comment || at_shown
    }

    fn by_comment(&self, code: Code, span: Span) -> bool {
        let Some(&(text, marker)) = self.files.get(&span.source) else { return false };
        let Some(before) = text.get(..span.start()) else { return false };
        let mut start = before.rfind('\n').map_or(0, |at| at + 1);
        let mut is_suppressed = self.allows(span.source, start, code);
        // The comments in the lines right above.
        while let Some(above) = text.get(..start).and_then(|it| it.strip_suffix('\n')) {
            start = above.rfind('\n').map_or(0, |at| at + 1);
            let line = above.get(start..).unwrap_or_default();
            if !line.trim_start().starts_with(marker) {
                break;
            }
            is_suppressed |= self.allows(span.source, start, code);
        }
        is_suppressed
    }

    fn allows(&self, source: SourceId, line: usize, code: Code) -> bool {
        self.lines.get(&(source, line)).is_some_and(|allows| mark_used(allows, code))
    }

    /// The diagnostics of suppressions without effect, and of words that are not lints. Without users,
    /// suppressions of lints about users are left out.
    pub(super) fn unused_diagnostics(&self, has_users: bool) -> Vec<Diagnostic> {
        let allows = self.everywhere.iter().chain(self.lines.values().flatten());
        let is_asked =
            |code: Code| code != Code::UnusedAllow && (has_users || !ABOUT_USERS.contains(&code));
        let unused = allows.filter(|allow| !allow.is_used.get() && is_asked(allow.code));
        let unused = unused.map(|Suppression { code, span, .. }| {
            let message = format!("unused `allow` of `{code}`");
            Diagnostic::warning(Code::UnusedAllow, *span, message)
                .label("this silences nothing")
                .hint("remove it")
        });
        let strays = self.unknown_names.iter().map(|(span, word)| {
            let message = format!("unknown lint `{}`", word.escape_debug());
            let problem = Diagnostic::warning(Code::UnusedAllow, *span, message)
                .label("this silences nothing");
            let known = Code::LINTS.iter().map(|code| code.as_str());
            match did_you_mean(word, known) {
                Some(near) => problem.hint(format!("did you mean `{near}`?")),
                None => problem,
            }
        });
        unused.chain(strays).collect()
    }
}

/// Lints that find more where there are users.
const ABOUT_USERS: [Code; 8] = [
    Code::Confusable,
    Code::DeadNow,
    Code::UnreachedTag,
    Code::Unconcerned,
    Code::UnusedTag,
    Code::UnusedMatrix,
    Code::UnmetRequirement,
    Code::Overridden,
];

impl Suppression {
    fn from_word(word: &str, span: Span) -> Option<Self> {
        let code = Code::LINTS.iter().copied().find(|known| known.as_str() == word)?;
        Some(Self { code, span, is_used: Cell::new(false) })
    }
}

/// Whether one of the suppressions is of this code; those that are count as used.
fn mark_used(allows: &[Suppression], code: Code) -> bool {
    let of_code: Vec<&Suppression> = allows.iter().filter(|allow| allow.code == code).collect();
    of_code.iter().for_each(|allow| allow.is_used.set(true));
    !of_code.is_empty()
}

/// The words after the mark in the comments of a line, each with its position in the line.
fn suppressed_words<'l>(line: &'l str, marker: &str) -> Vec<(usize, &'l str)> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices(marker) {
        let comment = line.get(at + marker.len()..).unwrap_or_default();
        let list = comment.trim_start_matches('/').trim_start().strip_prefix(MARK);
        let Some(list) = list else { continue };
        let mut place = line.len() - list.len();
        for part in list.split_inclusive([',', ' ', '\t', '\r', '\n']) {
            let word = part.trim_end_matches([',', ' ', '\t', '\r', '\n']);
            if !word.is_empty() {
                found.push((place, word));
            }
            place += part.len();
        }
    }
    // In `///`, each slash but the last begins a comment.
    found.sort_unstable();
    found.dedup();
    found
}

/// Whether a word that is not a lint looks like one; other words are the reason.
fn looks_like_lint(word: &str) -> bool {
    let known = Code::LINTS.iter().map(|code| code.as_str());
    let is_code = word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    is_code && word.contains('-') && did_you_mean(word, known).is_some()
}
