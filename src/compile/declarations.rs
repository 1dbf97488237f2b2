//! The declarations of a policy's files, which facts are held against.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::shadowed::ShadowedFact;
use crate::{
    policy::{self, DeclarationSites, Policy},
    request::{DeclarationSite, DeclaredField},
    snapshot::View,
};

/// The declarations of a policy's files, with their places; facts can't change what is declared.
#[derive(Debug, Default)]
pub struct Declarations {
    places: DeclarationSites,
    pub(super) groups: Vec<policy::PolicyGroup>,
    pub(super) matrices: Vec<policy::Matrix>,
    /// By the ids of the two users, the lesser first.
    pub(super) conversations: BTreeMap<(String, String), DeclarationSite>,
    /// The ids of the rules that files declare, by name.
    rule_names: BTreeMap<String, Uuid>,
    /// The parts of records that the files shadow, in order.
    pub shadowed: Vec<ShadowedFact>,
}

impl Declarations {
    pub(super) fn from_policy(
        policy: &Policy,
        conversations: BTreeMap<(String, String), DeclarationSite>,
    ) -> Self {
        let named = |rule: &policy::Rule| Some((rule.name.clone()?, rule.id));
        Self {
            places: policy.places.clone(),
            groups: policy.groups.clone(),
            matrices: policy.matrices.clone(),
            conversations,
            rule_names: policy.rules.iter().flatten().filter_map(named).collect(),
            shadowed: Vec::new(),
        }
    }

    /// The name of the file of a declaration.
    pub fn file_name(&self, place: DeclarationSite) -> &str {
        self.places.files.get(usize::from(place.file)).map_or("", String::as_str)
    }

    /// The place where a file declares the rule of this id.
    pub fn rule_place(&self, id: Uuid) -> Option<DeclarationSite> {
        let at = self.places.rules.binary_search_by_key(&id, |&(id, _)| id).ok()?;
        self.places.rules.get(at).map(|&(_, place)| place)
    }

    /// The id of the rule of this name, if a file declares one.
    pub fn rule_id(&self, name: &str) -> Option<Uuid> {
        self.rule_names.get(name).copied()
    }

    /// The group of this id, if a file declares one, and the place.
    pub fn group(&self, id: &str) -> Option<(&policy::PolicyGroup, DeclarationSite)> {
        let at = self.groups.binary_search_by(|group| group.id.as_str().cmp(id)).ok()?;
        let place = self.places.groups.binary_search_by(|(known, _)| known.as_str().cmp(id)).ok();
        let place = place.and_then(|at| self.places.groups.get(at)).map(|&(_, place)| place);
        Some((self.groups.get(at)?, place.unwrap_or_default()))
    }

    /// The place where a file declares the conversation of two users, in either order.
    pub fn conversation_place(&self, one: &str, other: &str) -> Option<DeclarationSite> {
        let (one, other) = if one <= other { (one, other) } else { (other, one) };
        self.conversations.get(&(one.to_owned(), other.to_owned())).copied()
    }

    /// The place of the declaration that shadows a part of a record.
    pub fn shadowed_place(&self, fact: &ShadowedFact, view: &View) -> Option<DeclarationSite> {
        match fact {
            ShadowedFact::User(id, _) => {
                let user = view.population.directory.number(id)?;
                let declared = view.population.declared_fields(user);
                declared.contains(DeclaredField::Itself).then(|| declared.site())
            }
            ShadowedFact::Group(id, _) | ShadowedFact::Member(id, _) => {
                self.group(id).map(|(_, place)| place)
            }
            ShadowedFact::Rule(id) => self.rule_place(*id),
        }
    }

    /// The matrix of this name.
    pub(super) fn matrix(&self, name: &str) -> Option<&policy::Matrix> {
        let at = self.matrices.binary_search_by(|matrix| matrix.name.as_str().cmp(name)).ok()?;
        self.matrices.get(at)
    }

    /// The conversations that files declare.
    pub(super) fn roster_conversations(
        roster: &policy::Roster,
    ) -> BTreeMap<(String, String), DeclarationSite> {
        let id = |user: u32| roster.id(user as usize).to_owned();
        let places = roster.conversation_places().iter();
        let stated = roster.conversations().iter().zip(places);
        stated
            .map(|(&(one, other), &place)| {
                let (one, other) = (id(one), id(other));
                (if one <= other { (one, other) } else { (other, one) }, place)
            })
            .collect()
    }
}
