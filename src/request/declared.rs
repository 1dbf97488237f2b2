use super::Switch;

/// Where something is stated: the number of a file among those of a policy, and the line, counted
/// from 1.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct DeclarationSite {
    pub file: u16,
    pub line: u32,
}

/// What of a user policy files state, and where: those parts can't be changed but there.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct DeclaredFields {
    /// A bit of each field.
    fields: u16,
    file: u16,
    line: u32,
}

/// A field of a user's record that is told as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeclaredField {
    /// That there is such a user.
    Itself,
    Tags,
    Peers,
    Moderation,
    Approval,
    Permission(Switch),
}

impl DeclaredField {
    fn bit(self) -> u16 {
        1 << match self {
            Self::Itself => 0,
            Self::Tags => 1,
            Self::Peers => 2,
            Self::Moderation => 3,
            Self::Approval => 4,
            Self::Permission(switch) => 5 + switch.index(),
        }
    }
}

impl DeclaredFields {
    /// Of a user who is stated there, but nothing else of him.
    pub fn new(place: DeclarationSite) -> Self {
        Self { fields: DeclaredField::Itself.bit(), file: place.file, line: place.line }
    }

    pub fn site(self) -> DeclarationSite {
        DeclarationSite { file: self.file, line: self.line }
    }

    /// The same, stated elsewhere.
    #[must_use]
    pub fn with_site(self, place: DeclarationSite) -> Self {
        Self { file: place.file, line: place.line, ..self }
    }

    #[must_use]
    pub fn with(self, field: DeclaredField) -> Self {
        Self { fields: self.fields | field.bit(), ..self }
    }

    pub fn contains(self, field: DeclaredField) -> bool {
        self.fields & field.bit() != 0
    }
}
