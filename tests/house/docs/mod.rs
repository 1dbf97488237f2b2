//! The README and the book in `docs/`, compared with the code: their policies compile, their
//! commands print the text below them, their requests are answered as shown, their tables are
//! complete, and their links lead somewhere.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by it"
)]

mod actions;
mod configuration;
mod examples;
mod links;
mod pages;
mod scenarios;
mod tables;
mod typed;
mod walk;

use peerage::{
    compile,
    diagnostic::render_text,
    snapshot::View,
    source::{Notation, Sources},
};

fn compiled(notation: Notation, text: &str) -> View {
    let outcome = compile::build(&Sources::single("page.md", notation, text).into(), None);
    outcome.view.unwrap_or_else(|| panic!("{}", render_text(&outcome.report, false)))
}
