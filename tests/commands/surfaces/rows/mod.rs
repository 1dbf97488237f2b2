//! The rows of the table.

mod actions;
mod audiences;
mod barriers;
mod conditions;
mod relations;

use super::Row;

pub(super) fn all() -> Vec<&'static Row> {
    let parts = [conditions::ROWS, relations::ROWS, audiences::ROWS, barriers::ROWS, actions::ROWS];
    parts.into_iter().flatten().collect()
}
