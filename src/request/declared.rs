//! The fields of users that policy files declare, which only the files can change.

use super::Switch;

/// The place of a declaration: the number of a file among those of a policy, and the line, from 1.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct DeclarationSite {
    pub file: u16,
    pub line: u32,
}

/// The fields of a user that policy files declare, and the place of the declaration.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct DeclaredFields {
    /// One bit for each field.
    fields: u16,
    file: u16,
    line: u32,
}

/// A field of a user that files declare as a unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeclaredField {
    /// The existence of the user.
    Itself,
    Tags,
    Peers,
    Moderation,
    Approval,
    Accepts,
    Permission(Switch),
}

/// The number of fields besides the switches.
const UNITS: usize = 6;

const _: () = assert!(
    UNITS + Switch::COUNT <= u16::BITS as usize,
    "`DeclaredFields` has no bit left for another field"
);

impl DeclaredField {
    fn bit(self) -> u16 {
        1 << match self {
            Self::Itself => 0,
            Self::Tags => 1,
            Self::Peers => 2,
            Self::Moderation => 3,
            Self::Approval => 4,
            Self::Accepts => 5,
            Self::Permission(switch) => UNITS + switch.index(),
        }
    }
}

impl DeclaredFields {
    /// Declares the user at a place, without any other field.
    pub fn new(place: DeclarationSite) -> Self {
        Self { fields: DeclaredField::Itself.bit(), file: place.file, line: place.line }
    }

    pub fn site(self) -> DeclarationSite {
        DeclarationSite { file: self.file, line: self.line }
    }

    /// The same fields, declared at another place.
    #[must_use]
    pub fn with_site(self, place: DeclarationSite) -> Self {
        Self { file: place.file, line: place.line, ..self }
    }

    #[must_use]
    pub fn with(self, field: DeclaredField) -> Self {
        Self { fields: self.fields | field.bit(), ..self }
    }

    #[must_use]
    pub fn without(self, field: DeclaredField) -> Self {
        Self { fields: self.fields & !field.bit(), ..self }
    }

    pub fn contains(self, field: DeclaredField) -> bool {
        self.fields & field.bit() != 0
    }
}
