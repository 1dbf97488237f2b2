//! What the README shows is what there is: its policies compile, its commands print what stands
//! below them, its requests are answered as shown, and its tables are complete.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by it"
)]

mod actions;
mod examples;
mod systems;
mod tables;
mod walk;

#[path = "../support/client.rs"]
mod client;
#[path = "../support/daemon.rs"]
mod daemon;

use peerage::{
    compile,
    diagnostic::render,
    snapshot::View,
    source::{Notation, Sources},
};

const README: &str = include_str!("../../README.md");

/// A block between fences: the word on its first one, and the headings under which it stands.
struct Block {
    part: &'static str,
    chapter: &'static str,
    kind: &'static str,
    text: String,
}

/// All blocks in order but those that are for elsewhere: a runner, a cluster, another tool's settings.
fn blocks() -> Vec<Block> {
    let mut lines = README.lines();
    let (mut blocks, mut part, mut chapter) = (Vec::new(), "", "");
    while let Some(line) = lines.next() {
        if line.starts_with('#') {
            chapter = line;
            part = if line.starts_with("## ") { line } else { part };
        } else if let Some(kind) = line.strip_prefix("```") {
            let text = lines.by_ref().take_while(|line| *line != "```");
            let text: String = text.flat_map(|line| [line, "\n"]).collect();
            if kind != "sh" && !text.starts_with("# .") {
                blocks.push(Block { part, chapter, kind, text });
            }
        }
    }
    blocks
}

/// The rows of the table whose head begins with these cells: their cells.
fn table(head: &str) -> Vec<Vec<&'static str>> {
    let lines = README.lines().skip_while(|line| !line.starts_with(head)).skip(2);
    let rows: Vec<Vec<_>> = lines
        .map_while(|line| line.strip_prefix("| ")?.strip_suffix('|'))
        .map(|row| row.split('|').map(str::trim).collect())
        .collect();
    assert!(!rows.is_empty(), "there is no table {head}");
    rows
}

/// The words in backquotes of a cell.
fn words(cell: &'static str) -> Vec<&'static str> {
    cell.split('`').skip(1).step_by(2).collect()
}

fn compiled(notation: Notation, text: &str) -> View {
    let outcome = compile::build(&Sources::single("README.md", notation, text).into(), None);
    outcome.view.unwrap_or_else(|| panic!("{}", render(&outcome.report, false)))
}
