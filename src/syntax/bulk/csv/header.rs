//! Mistakes in the header of a table.

use super::{COLUMNS, PERMISSION};
use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, did_you_mean},
    source::Span,
    syntax::{
        ast::{Spanned, Text},
        bulk::Line,
        keys::{self, quoted},
    },
};

/// Whether a column has this name.
pub(super) fn has_column(name: &str) -> bool {
    COLUMNS.iter().any(|column| column == name)
}

/// Whether a column has this name, in letters of either case.
pub(super) fn is_column(name: &str) -> bool {
    COLUMNS.iter().any(|column| column.eq_ignore_ascii_case(name))
}

/// A table without a header.
pub(super) fn missing(span: Span) -> Diagnostic {
    Diagnostic::error(Code::InvalidRecord, span, "the table has no header")
        .hint("begin with the line `id,tags`, separated by commas")
}

/// A first line in which no column is named, read with commas between its columns.
pub(super) fn not_found(line: Line<'_>) -> Diagnostic {
    const OTHERS: [(char, &str); 3] = [(';', "semicolons"), ('\t', "tabs"), ('|', "`|`")];
    let count = |separator: char| line.text.matches(separator).count();
    let used = OTHERS.iter().copied().max_by_key(|&(separator, _)| count(separator));
    let Some((separator, called)) = used.filter(|&(it, _)| count(it) > count(',')) else {
        return missing(line.whole());
    };
    let message = format!("the columns of the table are separated by {called}, not by commas");
    let names: Vec<&str> =
        line.text.split(separator).map(|name| name.trim_matches([' ', '"'])).collect();
    let hint = if names.iter().any(|name| is_column(name)) {
        let header = names.join(",").to_ascii_lowercase();
        format!("separate them by commas, in all lines: {}", quoted(&header))
    } else {
        "separate them by commas, in all lines, and begin with the line `id,tags`".to_owned()
    };
    Diagnostic::error(Code::InvalidRecord, line.whole(), message).hint(hint)
}

/// Names of columns that a table of users doesn't have, or not so.
#[derive(Default)]
pub(super) struct UnknownColumns<'s> {
    unknown: Vec<Text<'s>>,
    /// Where capitals stand that should not.
    capitals: Option<Span>,
}

impl<'s> UnknownColumns<'s> {
    /// The name of a column, of which it is noted if it is written in capitals.
    pub(super) fn in_small_letters(&mut self, name: Text<'s>) -> Text<'s> {
        if has_column(&name.value) || !is_column(&name.value) {
            return name;
        }
        self.capitals = Some(self.capitals.map_or(name.span, |first| first.to(name.span)));
        Spanned::new(name.value.to_ascii_lowercase().into(), name.span)
    }

    pub(super) fn add(&mut self, name: Text<'s>) {
        self.unknown.push(name);
    }

    /// Reports each kind of mistake once.
    pub(super) fn report(
        self,
        line: Line<'_>,
        has_id: bool,
        has_tags: bool,
        problems: &mut Diagnostics,
    ) {
        if let Some(span) = self.capitals {
            let message = "the names of columns must be in lower case";
            let problem = Diagnostic::error(Code::UnknownField, span, message);
            let names = line.text.split(',').map(|name| {
                if is_column(name.trim()) { name.to_ascii_lowercase() } else { name.to_owned() }
            });
            let header = names.collect::<Vec<_>>().join(",");
            problems.push(problem.hint(format!("write {}", quoted(&header))));
        }
        let (near, others): (Vec<_>, Vec<_>) =
            self.unknown.into_iter().partition(|name| meant(name).is_some());
        for name in &near {
            let problem =
                keys::unknown_name(Code::UnknownField, "a table of users has no column", name, &[]);
            let column = meant(name).unwrap_or_default();
            problems.push(problem.hint(format!("did you mean `{column}`?")));
        }
        let is_meant = |wanted| near.iter().any(|name| meant(name) == Some(wanted));
        let lacks = |wanted, has: bool| !has && !is_meant(wanted);
        let lacking: Vec<&str> = [("id", has_id), ("tags", has_tags)]
            .into_iter()
            .filter(|&(wanted, has)| lacks(wanted, has))
            .map(|(wanted, _)| wanted)
            .collect();
        if !lacking.is_empty() {
            problems.push(lacks_columns(line, &lacking, &others));
        } else if let Some(first) = others.first() {
            problems.push(unknown(first, &others));
        }
    }
}

/// The column that a name is meant for.
fn meant(name: &Text<'_>) -> Option<&'static str> {
    let columns = || COLUMNS.iter().map(String::as_str);
    columns()
        .find(|column| column.strip_prefix(PERMISSION) == Some(&*name.value))
        .or_else(|| did_you_mean(&name.value, columns()))
}

fn lacks_columns(line: Line<'_>, lacking: &[&str], others: &[Text<'_>]) -> Diagnostic {
    let names = lacking.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
    let plural = if names.len() > 1 { "columns" } else { "column" };
    let message = format!("the table has no {plural} {}", names.join(" and "));
    let problem = Diagnostic::error(Code::MissingField, line.whole(), message);
    problem.hint(if others.is_empty() {
        "begin with the line `id,tags`".to_owned()
    } else {
        let renamed = lacking.iter().map(|&wanted| {
            let what = if wanted == "id" { "the users' ids" } else { "their tags" };
            format!("the one with {what} to `{wanted}`")
        });
        format!(
            "of the columns {} rename {}, and leave out the others",
            listed(others),
            renamed.collect::<Vec<_>>().join(" and ")
        )
    })
}

fn unknown(first: &Text<'_>, others: &[Text<'_>]) -> Diagnostic {
    let plural = if others.len() > 1 { "columns" } else { "column" };
    let message = format!("a table of users has no {plural} {}", listed(others));
    Diagnostic::error(Code::UnknownField, first.span, message)
        .hint("leave them out, or write what rules need of them into `tags`")
}

fn listed(names: &[Text<'_>]) -> String {
    const MOST: usize = 8;
    let shown =
        names.iter().take(MOST).map(|name| quoted(&name.value)).collect::<Vec<_>>().join(", ");
    if names.len() > MOST { format!("{shown}, ...") } else { shown }
}
