//! Lints about ids that look the same, and about characters that hide what a file says.

use std::collections::{BTreeMap, BTreeSet};

use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::{
    diagnostic::{Code, Diagnostic},
    source::{Notation, Sources, Span},
    syntax::ast::Item,
};

use super::Linter;

/// Checks the ids of users and groups and the names of matrices; tags are of one script by their syntax.
/// Costs a look at each id, and another pass over the records if one of them is suspicious.
pub(super) fn lint(linter: &mut Linter<'_, '_>, sources: &Sources) {
    let mut reported = BTreeSet::new();
    check_users(linter, &mut reported);
    for item in linter.items {
        match item {
            Item::Matrix(matrix) => {
                report_invisible(
                    linter,
                    "matrix",
                    &matrix.name.value,
                    matrix.name.span,
                    &mut reported,
                );
            }
            Item::Group(group) => {
                report_invisible(linter, "group", &group.id.value, group.id.span, &mut reported);
            }
            // Users are checked above, wherever they are declared.
            Item::Tags(_)
            | Item::ProtectedTags(_)
            | Item::Rules(_)
            | Item::Rule(_)
            | Item::RuleSet(_)
            | Item::Barrier(_)
            | Item::Audience(_)
            | Item::Accepts(_)
            | Item::Action(_)
            | Item::Window(_)
            | Item::Word(_)
            | Item::Settings(_)
            | Item::Peers(_)
            | Item::User(_)
            | Item::Conversation(_)
            | Item::Invariant(_)
            | Item::Lints(_) => {}
        }
    }
    let groups = linter.items.iter().filter_map(|item| match item {
        Item::Group(group) if !is_nfc(&group.id.value) => Some(nfc(&group.id.value)),
        _ => None,
    });
    let wanted: BTreeSet<String> = groups.collect();
    let mut alike = BTreeMap::new();
    for item in linter.items {
        if let Item::Group(group) = item {
            record_id(&group.id.value, group.id.span, &wanted, &mut alike);
        }
    }
    report_lookalikes(linter, "groups", alike);
    report_bidi(linter, sources, &reported);
}

fn check_users(linter: &mut Linter<'_, '_>, reported: &mut BTreeSet<Span>) {
    let directory = &linter.view.population.directory;
    let ids = directory.numbers().map(|user| directory.id(user)).filter(|id| !id.is_ascii());
    let mut wanted = BTreeSet::new();
    let mut is_suspicious = false;
    for id in ids {
        is_suspicious |= id.contains(is_invisible);
        if !is_nfc(id) {
            wanted.insert(nfc(id));
        }
    }
    if !is_suspicious && wanted.is_empty() {
        return;
    }
    let mut hidden: Vec<(String, Span)> = Vec::new();
    let mut alike = BTreeMap::new();
    (linter.records)(&mut |user| {
        let id = &user.id;
        if id.value.contains(is_invisible) && hidden.len() < MAX_REPORTED {
            hidden.push((id.value.clone().into_owned(), id.span));
        }
        record_id(&id.value, id.span, &wanted, &mut alike);
    });
    for (id, span) in hidden {
        report_invisible(linter, "user", &id, span, reported);
    }
    report_lookalikes(linter, "users", alike);
}

/// The number of ids that are reported, at most.
const MAX_REPORTED: usize = 1_000;

/// Ids by their normal form, each with its span.
type Lookalikes = BTreeMap<String, BTreeMap<String, Span>>;

fn nfc(id: &str) -> String {
    id.nfc().collect()
}

/// Records an id, if another one may look like it.
fn record_id(id: &str, span: Span, wanted: &BTreeSet<String>, alike: &mut Lookalikes) {
    if wanted.is_empty() || id.is_ascii() {
        return;
    }
    let normal = nfc(id);
    if wanted.contains(&normal) {
        alike.entry(normal).or_default().entry(id.to_owned()).or_insert(span);
    }
}

fn report_lookalikes(linter: &mut Linter<'_, '_>, what: &str, alike: Lookalikes) {
    for ids in alike.into_values().filter(|ids| ids.len() > 1).take(MAX_REPORTED) {
        let mut places: Vec<Span> = ids.into_values().collect();
        places.sort_unstable_by_key(|span| (span.source, span.start));
        let Some((&first, others)) = places.split_first() else { continue };
        for &span in others {
            let message = format!("the ids of two {what} look the same but differ");
            let problem = Diagnostic::warning(Code::Confusable, span, message)
                .label("composed of different characters")
                .related(first, "the other one")
                .hint("an id is compared byte by byte; write it in Unicode's form NFC everywhere");
            linter.warn(span, problem);
        }
    }
}

/// Reports an invisible character in an id.
fn report_invisible(
    linter: &mut Linter<'_, '_>,
    what: &str,
    id: &str,
    span: Span,
    reported: &mut BTreeSet<Span>,
) {
    let Some(hidden) = id.chars().find(|&c| is_invisible(c)) else { return };
    reported.insert(span);
    let message = format!(
        "the name of the {what} `{}` holds the invisible character U+{:04X}",
        id.chars().take(60).collect::<String>().escape_debug(),
        hidden as u32
    );
    let problem = Diagnostic::warning(Code::Confusable, span, message)
        .hint("remove it: it is not visible, but makes a different name");
    linter.warn(span, problem);
}

/// Reports characters that change the direction of text, in files with their comments; once for each line.
fn report_bidi(linter: &mut Linter<'_, '_>, sources: &Sources, reported: &BTreeSet<Span>) {
    for (id, source) in sources.iter() {
        if source.notation.is_bulk() || source.notation == Notation::Tests {
            continue;
        }
        let Ok(text) = std::str::from_utf8(&source.bytes) else { continue };
        if text.is_ascii() {
            continue;
        }
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let found = line.char_indices().find(|&(_, c)| is_bidi(c));
            if let Some((at, c)) = found {
                let span = Span::new(id, start + at, start + at + c.len_utf8());
                let is_reported = reported.iter().any(|id| {
                    id.source == span.source && id.start() <= span.start() && span.end() <= id.end()
                });
                if !is_reported {
                    let message =
                        format!("the character U+{:04X} changes the direction of text", c as u32);
                    let problem = Diagnostic::warning(Code::Confusable, span, message)
                        .label("the text after it may be displayed in a different order")
                        .hint("remove it, or write it as an escape in a text in double quotes");
                    linter.warn(span, problem);
                }
            }
            start += line.len();
        }
    }
}

/// Whether a character has no width, or changes the direction of text.
fn is_invisible(c: char) -> bool {
    is_bidi(c)
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180e}'
                | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}'
                | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e007f}'
        )
}

fn is_bidi(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
