//! The version of this build.

/// The output of `--version` after the name.
pub(super) const LONG: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\ncommit: ",
    env!("BUILD_COMMIT"),
    "\ndate: ",
    env!("BUILD_DATE"),
    "\nfeatures: ",
    env!("BUILD_FEATURE_LIST"),
);
