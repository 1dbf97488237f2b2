use anyhow::Result;

use super::{Exit, Output, paths::PolicyPaths, policy};
use crate::inspect::Listing;

pub(super) fn run(paths: &PolicyPaths, output: &Output) -> Result<Exit> {
    let view = match policy::view(&paths.scope()?, output)? {
        Ok(view) => view,
        Err(exit) => return Ok(exit),
    };
    let listing = Listing::of(&view);
    if output.is_json() {
        output.json(&listing)?;
    } else {
        output.result(&listing.to_string())?;
    }
    Ok(Exit::Fine)
}
