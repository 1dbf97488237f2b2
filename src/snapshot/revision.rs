//! The revision of a view: the digest of its policy and the number of its facts.

use std::fmt;

/// The revision of the policy and of the facts that a decision was made from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Revision {
    /// The digest of the content of the policy files, independent of notation and order.
    pub policy: [u8; 32],
    /// The sequence number of the facts that change at run time.
    pub facts: u64,
}

impl Revision {
    /// The whole digest of the policy in hexadecimal digits.
    pub fn policy_hex(&self) -> String {
        hex(&self.policy)
    }
}

/// The first 16 hexadecimal digits of the policy's digest, a dot, and the facts' number.
impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", hex(self.policy.get(..8).unwrap_or_default()), self.facts)
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
