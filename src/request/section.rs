//! The sections of a policy that restrict something, and sets of them.

use super::{Settings, text_enum::text_enum};

text_enum! {
    /// A section of a policy whose removal may allow what was denied.
    Section: "section" {
        Rules = "rules",
        RuleSets = "rule_sets",
        Barriers = "barriers",
        Accepts = "accepts",
        Peers = "peers",
        Permissions = "permissions",
        Blocks = "blocks",
        Moderation = "moderation",
        Matrices = "matrices",
        UnknownUsers = "unknown_users",
        ProtectedTags = "protected_tags",
    }
}

/// A set of sections.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct SectionSet(u32);

const _: () =
    assert!(Section::COUNT <= u32::BITS as usize, "`SectionSet` has no bit left for a section");

impl SectionSet {
    /// Whether the set contains the section.
    pub const fn contains(self, section: Section) -> bool {
        self.0 & (1 << section as u32) != 0
    }

    /// Adds a section.
    pub fn insert(&mut self, section: Section) {
        self.0 |= 1 << section as u32;
    }

    /// The union of both sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The sections that are in this set and not in the other.
    #[must_use]
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// The sections of the set, in the order of the reference.
    pub fn iter(self) -> impl Iterator<Item = Section> {
        Section::ALL.iter().copied().filter(move |&section| self.contains(section))
    }
}

impl FromIterator<Section> for SectionSet {
    fn from_iter<I: IntoIterator<Item = Section>>(sections: I) -> Self {
        let mut set = Self::default();
        sections.into_iter().for_each(|section| set.insert(section));
        set
    }
}

impl<T: PartialEq> Settings<T> {
    /// The sections in which two policies differ.
    ///
    /// Each field belongs to a section, or is left out here because it does not restrict who may
    /// reach whom: how friendships come about, the limits of counts, and audiences, which
    /// are what other sections name.
    pub fn differing_sections(&self, other: &Self) -> SectionSet {
        let Self {
            unknown_users,
            managers,
            permissions,
            blocks,
            peers,
            approval: _,
            limits: _,
            blocks_end_friendship: _,
            tag_form: _,
            protected_tags,
            audiences: _,
            accepts,
            barriers,
            actions,
        } = self;
        let each = [
            (Section::Barriers, *barriers != other.barriers),
            (Section::Accepts, *accepts != other.accepts),
            (Section::UnknownUsers, *unknown_users != other.unknown_users),
            (Section::Moderation, *managers != other.managers),
            (
                Section::Permissions,
                *permissions != other.permissions || !actions.has_same_switches(&other.actions),
            ),
            (Section::Blocks, *blocks != other.blocks || !actions.has_same_blocks(&other.actions)),
            (Section::Peers, *peers != other.peers),
            (Section::ProtectedTags, *protected_tags != other.protected_tags),
        ];
        each.into_iter().filter_map(|(section, differs)| differs.then_some(section)).collect()
    }
}
