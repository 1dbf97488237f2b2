use std::fmt::Write as _;

use anyhow::{Result, bail};
use serde_json::json;

use super::{
    Output,
    output::{GOOD, QUIET, STRONG},
};
use crate::{
    inspect::{Kind, Kinds},
    request::{Action, Conversation, ResourceKind},
    snapshot::View,
};

/// How wide the table is where there is no terminal to fit.
const USUAL_WIDTH: usize = 100;

/// How wide a cell is, and at most what a kind is called.
const CELL: usize = 5;
const LABEL: usize = 28;

/// How many kinds are told to programs if they don't say.
const MOST: usize = 100;

/// Prints who reaches whom for the distinct kinds of users.
pub(super) fn run(
    view: &View,
    action: Action,
    conversation: Option<Conversation>,
    limit: Option<usize>,
    output: &Output,
) -> Result<()> {
    if !action.takes().contains(&ResourceKind::User) {
        bail!("`{action}` is not done to users, so there is nobody to reach by it");
    }
    if output.is_json() {
        let kinds = Kinds::count(view, action, conversation, limit.unwrap_or(MOST));
        return output.json(&told(action, &kinds));
    }
    let width = terminal_size::terminal_size().map_or(USUAL_WIDTH, |(width, _)| width.0.into());
    // Number, name, users, and then the cells.
    let room = width.saturating_sub(4 + LABEL + 2 + 9) / (CELL + 1);
    let most = limit.unwrap_or(usize::MAX).min(room.max(1));
    let kinds = Kinds::count(view, action, conversation, most);
    output.result(&table(action, &kinds))?;
    let shown = kinds.kinds.len();
    if shown < kinds.total {
        output.aside(&format!(
            "{QUIET}the {shown} largest of {} kinds; --format json tells more{QUIET:#}\n",
            kinds.total
        ));
    }
    Ok(())
}

fn table(action: Action, kinds: &Kinds<'_>) -> String {
    let mut text = String::new();
    let count = kinds.kinds.len();
    // Writing to a string can't fail.
    let _ = writeln!(
        text,
        "{STRONG}{action}{STRONG:#}: may a user of the row do it to one of the column?"
    );
    let _ = write!(text, "{:>3} {:<LABEL$}  {:>9}", "", "tags", "users");
    for to in 1..=count {
        let _ = write!(text, " {to:>CELL$}");
    }
    text.push('\n');
    for (from, kind) in kinds.kinds.iter().enumerate() {
        let label = label(kind);
        let _ = write!(text, "{:>3} {label:<LABEL$}  {:>9}", from + 1, kind.users.len());
        for to in 0..count {
            let (style, cell) = cell(kinds.allowed(from, to), kinds.pairs(from, to));
            let _ = write!(text, " {style}{cell:>CELL$}{style:#}");
        }
        text.push('\n');
    }
    text
}

fn label(kind: &Kind<'_>) -> String {
    let whole = format!("[{}]", kind.tags.join(", "));
    if whole.chars().count() <= LABEL {
        return whole;
    }
    let head: String = whole.chars().take(LABEL - 4).collect();
    format!("{head}...]")
}

/// Of all pairs, how many may: all, none, or which part.
fn cell(allowed: u64, pairs: u64) -> (anstyle::Style, String) {
    let percent = (u128::from(allowed) * 100).checked_div(pairs.into());
    match percent {
        None => (QUIET, String::new()),
        Some(_) if allowed == pairs => (GOOD, "all".to_owned()),
        Some(_) if allowed == 0 => (QUIET, "-".to_owned()),
        Some(0) => (STRONG, "<1%".to_owned()),
        Some(percent) => (STRONG, format!("{percent}%")),
    }
}

fn told(action: Action, kinds: &Kinds<'_>) -> serde_json::Value {
    let count = kinds.kinds.len();
    let rows = (0..count).map(|from| {
        let cells = (0..count).map(
            |to| json!({ "pairs": kinds.pairs(from, to), "allowed": kinds.allowed(from, to) }),
        );
        cells.collect::<Vec<_>>()
    });
    json!({
        "action": action.as_str(),
        "kinds": kinds
            .kinds
            .iter()
            .map(|kind| json!({ "tags": kind.tags, "users": kind.users.len() }))
            .collect::<Vec<_>>(),
        "total": kinds.total,
        "rows": rows.collect::<Vec<_>>(),
    })
}
