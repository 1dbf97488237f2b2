//! Ids that can't be told apart by looking at them, and characters that hide what a file says.

use std::collections::{BTreeMap, BTreeSet};

use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::{
    diagnostic::{Code, Diagnostic},
    source::{Notation, Sources, Span},
    syntax::ast::Item,
};

use super::Linter;

/// Looks at the ids of users and groups and at the names of matrices; tags have letters of one script
/// alone. Costs a look at each id, and another pass over the records if one of them is suspicious.
pub(super) fn lint(lints: &mut Linter<'_, '_>, sources: &Sources) {
    let mut told = BTreeSet::new();
    check_users(lints, &mut told);
    for item in lints.items {
        match item {
            Item::Matrix(matrix) => {
                report_invisible(lints, "matrix", &matrix.name.value, matrix.name.span, &mut told);
            }
            Item::Group(group) => {
                report_invisible(lints, "group", &group.id.value, group.id.span, &mut told);
            }
            _ => {}
        }
    }
    let groups = lints.items.iter().filter_map(|item| match item {
        Item::Group(group) if !is_nfc(&group.id.value) => Some(nfc(&group.id.value)),
        _ => None,
    });
    let wanted: BTreeSet<String> = groups.collect();
    let mut alike = BTreeMap::new();
    for item in lints.items {
        if let Item::Group(group) = item {
            record_id(&group.id.value, group.id.span, &wanted, &mut alike);
        }
    }
    report_lookalikes(lints, "groups", alike);
    report_bidi(lints, sources, &told);
}

fn check_users(lints: &mut Linter<'_, '_>, told: &mut BTreeSet<Span>) {
    let directory = &lints.view.population.directory;
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
    (lints.records)(&mut |user| {
        let id = &user.id;
        if id.value.contains(is_invisible) && hidden.len() < MAX_REPORTED {
            hidden.push((id.value.clone().into_owned(), id.span));
        }
        record_id(&id.value, id.span, &wanted, &mut alike);
    });
    for (id, span) in hidden {
        report_invisible(lints, "user", &id, span, told);
    }
    report_lookalikes(lints, "users", alike);
}

/// How many ids are told: a file of nothing else is told soon enough.
const MAX_REPORTED: usize = 1_000;

/// Ids by what they are in normal form, each with where it stands.
type Lookalikes = BTreeMap<String, BTreeMap<String, Span>>;

fn nfc(id: &str) -> String {
    id.nfc().collect()
}

/// Takes note of an id, if another may look like it.
fn record_id(id: &str, span: Span, wanted: &BTreeSet<String>, alike: &mut Lookalikes) {
    if wanted.is_empty() || id.is_ascii() {
        return;
    }
    let normal = nfc(id);
    if wanted.contains(&normal) {
        alike.entry(normal).or_default().entry(id.to_owned()).or_insert(span);
    }
}

fn report_lookalikes(lints: &mut Linter<'_, '_>, what: &str, alike: Lookalikes) {
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
            lints.warn(span, problem);
        }
    }
}

/// Tells of a character in an id that nobody sees.
fn report_invisible(
    lints: &mut Linter<'_, '_>,
    what: &str,
    id: &str,
    span: Span,
    told: &mut BTreeSet<Span>,
) {
    let Some(hidden) = id.chars().find(|&c| is_invisible(c)) else { return };
    told.insert(span);
    let message = format!(
        "the name of the {what} `{}` holds the invisible character U+{:04X}",
        id.chars().take(60).collect::<String>().escape_debug(),
        hidden as u32
    );
    let problem = Diagnostic::warning(Code::Confusable, span, message)
        .hint("remove it: it is not visible, but makes a different name");
    lints.warn(span, problem);
}

/// Tells of characters in files that show their text in another order than it is read, comments among
/// it; once for each line.
fn report_bidi(lints: &mut Linter<'_, '_>, sources: &Sources, told: &BTreeSet<Span>) {
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
                let is_told = told.iter().any(|id| {
                    id.source == span.source && id.start() <= span.start() && span.end() <= id.end()
                });
                if !is_told {
                    let message =
                        format!("the character U+{:04X} changes the direction of text", c as u32);
                    let problem = Diagnostic::warning(Code::Confusable, span, message)
                        .label("the text after it may be displayed in a different order")
                        .hint("remove it, or write it as an escape in a text in double quotes");
                    lints.warn(span, problem);
                }
            }
            start += line.len();
        }
    }
}

/// Characters without width, and those that change the direction of text.
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
