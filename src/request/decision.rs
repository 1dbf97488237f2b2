use std::fmt;

/// Allow or deny, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decision {
    pub allow: bool,
    pub reason: Reason,
}

impl Decision {
    pub const ALLOWED: Self = Self { allow: true, reason: Reason::Allowed };

    pub fn denied(reason: Reason) -> Self {
        Self { allow: false, reason }
    }
}

/// Why: the first gate that was closed, or that none was. The codes are stable.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reason {
    Allowed,
    UnknownSubject,
    UnknownResource,
    /// The resource is the subject.
    OneSelf,
    /// No rule whose condition the subject meets has a tag of the resource in its outcome.
    NoRule,
}

impl Reason {
    /// The stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::UnknownSubject => "unknown_subject",
            Self::UnknownResource => "unknown_resource",
            Self::OneSelf => "self",
            Self::NoRule => "no_rule",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The gates, in the order in which they are asked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum GateName {
    Known,
    OneSelf,
    Rules,
}

impl GateName {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::OneSelf => "self",
            Self::Rules => "rules",
        }
    }
}

impl fmt::Display for GateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
