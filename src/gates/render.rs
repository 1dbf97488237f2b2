//! Names and tags as explanations list them.

use std::{borrow::Cow, fmt::Write as _};

use crate::snapshot::{TagId, View};

/// How many rules or tags a list in an explanation names.
pub const MAX_NAMED: usize = 20;

/// Tags as `[A, B]`, in the order of their names: the first [`MAX_NAMED`], and how many more there are.
pub(super) fn render_tag_list(view: &View, tags: impl Iterator<Item = TagId>) -> String {
    let mut names: Vec<&str> = tags.map(|tag| view.tags.name(tag)).collect();
    names.sort_unstable();
    format!("[{}]", render_names(names.into_iter().map(Cow::Borrowed)))
}

/// Names with commas between them: the first [`MAX_NAMED`], and how many more there are.
pub(super) fn render_names<'n>(names: impl ExactSizeIterator<Item = Cow<'n, str>>) -> String {
    let more = names.len().saturating_sub(MAX_NAMED);
    let mut text = names.take(MAX_NAMED).collect::<Vec<_>>().join(", ");
    if more > 0 {
        // Writing to a string can't fail.
        let _ = write!(text, " and {more} more");
    }
    text
}
