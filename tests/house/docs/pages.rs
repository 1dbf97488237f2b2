//! The pages and their parts: blocks between fences, and tables.

use std::{fs, sync::LazyLock};

/// A page of the README or the book.
pub(crate) struct Page {
    /// The path from the top of the repository.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The README, and after it the book's pages in the order of `docs/SUMMARY.md`.
pub(crate) static PAGES: LazyLock<Vec<Page>> = LazyLock::new(|| {
    let summary = fs::read_to_string("docs/SUMMARY.md").unwrap();
    let listed = links(&summary).map(|link| format!("docs/{link}")).collect::<Vec<_>>();
    std::iter::once("README.md".to_owned())
        .chain(listed)
        .map(|path| Page { text: fs::read_to_string(&path).expect(&path), path })
        .collect()
});

/// The targets of a text's links.
pub(crate) fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap())
}

/// Whether any page holds a text.
pub(crate) fn is_named(text: &str) -> bool {
    PAGES.iter().any(|page| page.text.contains(text))
}

/// A block between fences: the word on its first one, and the page on which it stands.
pub(crate) struct Block {
    pub(crate) page: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) text: String,
}

/// All blocks in order but those that are for elsewhere: a runner, a cluster, another tool's settings.
pub(crate) fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    for page in PAGES.iter() {
        let mut lines = page.text.lines();
        while let Some(line) = lines.next() {
            let Some(kind) = line.strip_prefix("```") else { continue };
            let text = lines.by_ref().take_while(|line| *line != "```");
            let text: String = text.flat_map(|line| [line, "\n"]).collect();
            if kind != "sh" && !text.starts_with("# .") {
                blocks.push(Block { page: &page.path, kind, text });
            }
        }
    }
    blocks
}

/// The rows of the table whose head begins with these cells: their cells.
pub(crate) fn table(head: &str) -> Vec<Vec<&'static str>> {
    let lines = lines().skip_while(|line| !line.starts_with(head)).skip(2);
    let rows: Vec<Vec<_>> = lines
        .map_while(|line| line.strip_prefix("| ")?.strip_suffix('|'))
        .map(|row| row.split('|').map(str::trim).collect())
        .collect();
    assert!(!rows.is_empty(), "there is no table {head}");
    rows
}

/// The lines of all pages.
pub(crate) fn lines() -> impl Iterator<Item = &'static str> {
    PAGES.iter().flat_map(|page| page.text.lines())
}

/// The words in backquotes of a cell.
pub(crate) fn words(cell: &'static str) -> Vec<&'static str> {
    cell.split('`').skip(1).step_by(2).collect()
}
