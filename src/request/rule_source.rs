/// A rule as it was worded when it was made over an API.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleSource {
    pub condition: String,
    /// In the order in which they were named, and as often.
    pub outcome: Vec<String>,
}
