//! The source text of rules that are created over an API.

/// The source of a rule that was created over an API.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleSource {
    pub condition: String,
    /// The tags in the order in which they were given, duplicates included.
    pub outcome: Vec<String>,
}
