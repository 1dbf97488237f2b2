//! The table of `reach --matrix`: who reaches whom, by kinds of users.

use std::fmt::Write as _;

use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;

use super::{
    Output,
    output::{GOOD, QUIET, STRONG},
};
use crate::{
    inspect::{ReachTable, TagSetClass},
    request::{Action, ActionName, Conversation, RequestedAction, ResourceKind},
    snapshot::View,
};

#[derive(Args, Debug)]
pub(super) struct ReachTableOptions {
    /// Show who reaches whom as a table, by kinds of users: those with the same tags
    #[arg(long, conflicts_with_all = ["subject", "resource", "resource_type", "member", "after"])]
    pub matrix: bool,
    /// The maximal width of the table; by default that of the terminal, or 100
    #[arg(long, value_name = "COLUMNS", requires = "matrix")]
    width: Option<usize>,
}

/// The width of the table without a terminal.
const USUAL_WIDTH: usize = 100;

/// The widths of a cell with the blank before it, of a count of users, and of the longest label.
const CELL: usize = 6;
const USERS: usize = 9;
const LABEL: usize = 28;

/// The number of kinds in JSON without `--limit`.
const MOST: usize = 100;

/// Refuses actions that are not done to users.
pub(super) fn check(action: Action) -> Result<()> {
    if action.takes().contains(&ResourceKind::User) {
        return Ok(());
    }
    let instead = match action.takes() {
        [ResourceKind::Group, ..] => "is done to groups",
        _ => "takes no resource",
    };
    bail!("`{action}` {instead}, so --matrix has no table of it");
}

/// Prints who reaches whom for the distinct kinds of users.
pub(super) fn run(
    options: &ReachTableOptions,
    view: &View,
    (asked, conversation): (RequestedAction, Option<Conversation>),
    limit: Option<usize>,
    output: &Output,
) -> Result<()> {
    let action = view.action_name(asked);
    if output.is_json() {
        let kinds = ReachTable::count(view, asked, conversation, limit.unwrap_or(MOST));
        return output.json(&table_json(&action, &kinds));
    }
    let width = options.width.unwrap_or_else(|| {
        terminal_size::terminal_size().map_or(USUAL_WIDTH, |(width, _)| width.0.into())
    });
    let most = limit.unwrap_or(usize::MAX).min(kinds_that_fit(width).max(1));
    let kinds = ReachTable::count(view, asked, conversation, most);
    let (shown, total) = (kinds.classes.len(), kinds.total);
    if total == 0 {
        output.note(&format!("{QUIET}no users{QUIET:#}\n"));
        return Ok(());
    }
    output.result(&table(&action, &kinds))?;
    if shown < total {
        output.note(&format!(
            "{QUIET}{shown} of {total} kinds, the largest; --format json prints more{QUIET:#}\n"
        ));
    }
    Ok(())
}

/// The number of kinds that fit into a table of this width.
fn kinds_that_fit(width: usize) -> usize {
    let rest = |digits: usize| width.saturating_sub(digits + 1 + LABEL + 1 + USERS) / CELL;
    rest(digits(rest(1)))
}

fn digits(number: usize) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

fn table(action: &ActionName, kinds: &ReachTable<'_>) -> String {
    let count = kinds.classes.len();
    let labels: Vec<String> = kinds.classes.iter().map(label).collect();
    let wide = labels.iter().map(String::len).max().unwrap_or_default().max("tags".len());
    let numbers = digits(count);
    let mut text = String::new();
    // Writing to a string can't fail.
    let _ = writeln!(
        text,
        "{STRONG}{action}{STRONG:#}: may users of the row do it to users of the column?"
    );
    let _ = write!(text, "{:numbers$} {:wide$} {:>USERS$}", "", "tags", "users");
    for to in 1..=count {
        let _ = write!(text, "{to:>CELL$}");
    }
    text.push('\n');
    for (from, (kind, label)) in kinds.classes.iter().zip(&labels).enumerate() {
        let (number, users) = (from + 1, kind.users.len());
        let _ = write!(text, "{number:>numbers$} {label:wide$} {users:>USERS$}");
        for to in 0..count {
            let (style, cell) = cell(kinds.allowed(from, to), kinds.pairs(from, to));
            let blank = CELL - cell.len().min(CELL);
            let _ = write!(text, "{:blank$}{style}{cell}{style:#}", "");
        }
        let end = text.trim_end_matches(' ').len();
        text.truncate(end);
        text.push('\n');
    }
    text
}

/// The label of a kind: as many of its tags as fit, and the number of the others.
fn label(kind: &TagSetClass<'_>) -> String {
    let [first, others @ ..] = kind.tags.as_slice() else { return "(no tags)".to_owned() };
    let more = |count: usize| if count > 0 { format!(" +{count}") } else { String::new() };
    let room = LABEL - more(others.len()).len();
    let mut label = if first.len() > room {
        let head: String = first.chars().take(room - 3).collect();
        head + "..."
    } else {
        (*first).to_owned()
    };
    let mut left = others.len();
    for tag in others {
        if label.len() + 2 + tag.len() + more(left - 1).len() > LABEL {
            break;
        }
        label = label + ", " + tag;
        left -= 1;
    }
    label + &more(left)
}

/// The share of allowed pairs: all, none, or a percentage.
fn cell(allowed: u64, pairs: u64) -> (anstyle::Style, String) {
    let percent = (u128::from(allowed) * 100).checked_div(pairs.into());
    match percent {
        None => (anstyle::Style::new(), String::new()),
        Some(_) if allowed == pairs => (GOOD, "all".to_owned()),
        Some(_) if allowed == 0 => (QUIET, "-".to_owned()),
        Some(0) => (STRONG, "<1%".to_owned()),
        Some(percent) => (STRONG, format!("{percent}%")),
    }
}

fn table_json(action: &ActionName, kinds: &ReachTable<'_>) -> serde_json::Value {
    let count = kinds.classes.len();
    let rows = (0..count).map(|from| {
        let cells = (0..count).map(
            |to| json!({ "pairs": kinds.pairs(from, to), "allowed": kinds.allowed(from, to) }),
        );
        cells.collect::<Vec<_>>()
    });
    json!({
        "action": action.as_str(),
        "kinds": kinds
            .classes
            .iter()
            .map(|kind| json!({ "tags": kind.tags, "users": kind.users.len() }))
            .collect::<Vec<_>>(),
        "total": kinds.total,
        "rows": rows.collect::<Vec<_>>(),
    })
}
