//! Lines of policy files, as the places of declarations.

/// A line of a policy file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileLine {
    pub file: String,
    /// From 1.
    pub line: usize,
}
