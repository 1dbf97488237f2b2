use std::path::PathBuf;

use anyhow::Result;

use super::{Exit, Output, policy};
use crate::inspect::Listing;

pub(super) fn run(paths: &[PathBuf], output: &Output) -> Result<Exit> {
    let view = match policy::view(paths, output)? {
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
