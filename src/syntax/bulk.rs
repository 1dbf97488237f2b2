//! Users in bulk: a record a line (`.ndjson`), or a table (`.csv`).

use crate::{
    diagnostic::Diagnostics,
    source::{Source, SourceId},
    syntax::ast::User,
};

/// A bulk file, read anew each time its users are asked for, so that a million of them never stand
/// in memory as records.
#[derive(Debug)]
pub struct Bulk<'s> {
    pub id: SourceId,
    pub source: &'s Source,
}

impl<'s> Bulk<'s> {
    pub fn new(id: SourceId, source: &'s Source) -> Self {
        Self { id, source }
    }

    /// Calls `each` with every user in the order of the lines. A line that is no record is a
    /// problem of its own and hides no other.
    pub fn users(&self, problems: &mut Diagnostics, each: &mut impl FnMut(User<'s>, &mut Diagnostics)) {
        let _ = (problems, each);
    }
}
