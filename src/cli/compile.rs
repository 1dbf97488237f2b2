//! The command `compile`.

use anyhow::Result;

use super::{Exit, Output, paths::PolicyPaths, policy};
use crate::inspect::PolicyListing;

pub(super) fn run(paths: &PolicyPaths, output: &Output) -> Result<Exit> {
    let view = match policy::load_view(&paths.scope()?, output)? {
        Ok(view) => view,
        Err(exit) => return Ok(exit),
    };
    let listing = PolicyListing::from_view(&view);
    if output.is_json() {
        output.json(&listing)?;
    } else {
        output.result(&listing.to_string())?;
    }
    Ok(Exit::Success)
}
