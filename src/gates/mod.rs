//! The gates: each is one independent reason why an action may be refused, in a file of its own.
//!
//! A gate gives two views of the same truth: [`Gate::check`] answers for one pair, and
//! [`Gate::admits`] and its converse [`Gate::admitted`] give the whole set. A property test holds
//! them together for all pairs.
//!
//! Invariant: knows of `snapshot` and `request`. A gate reads sets; it never loops over users.

mod known;
mod oneself;
mod rules;

pub use rules::opening_rules;

use smallvec::SmallVec;

use crate::{
    request::{self, GateName, Reason},
    snapshot::{Selection, TagId, View},
};

/// One reason why an action may be refused.
pub trait Gate: Sync {
    fn name(&self) -> GateName;

    /// The reason why the gate is closed for this pair; `None` if it is open. Takes no lock and
    /// allocates nothing.
    fn check(&self, view: &View, subject: &Party<'_>, resource: &Party<'_>) -> Option<Reason>;

    /// Whom the gate lets this subject reach.
    fn admits<'v>(&self, view: &'v View, subject: &Party<'_>) -> Selection<'v>;

    /// Whom the gate lets reach this resource.
    fn admitted<'v>(&self, view: &'v View, resource: &Party<'_>) -> Selection<'v>;

    /// What the gate looked at for this pair, in words.
    fn detail(&self, view: &View, subject: &Party<'_>, resource: &Party<'_>) -> String;
}

/// The gates in the order in which they are asked; the first that is closed gives the reason.
pub const GATES: [&dyn Gate; 3] = [&known::Known, &oneself::OneSelf, &rules::Rules];

/// A user in a request, found in a view.
#[derive(Clone, Debug)]
pub struct Party<'r> {
    pub id: &'r str,
    /// His number; `None` if he is unknown.
    pub number: Option<u32>,
    /// Tags that the request says he has, in order; they stand in for his own.
    given: Option<SmallVec<[TagId; 8]>>,
}

impl<'r> Party<'r> {
    /// Looks the user up. Costs one look-up of the id, and one of each tag that is given.
    #[inline]
    pub fn find(view: &View, user: &request::User<'r>) -> Self {
        let given = user.properties.as_ref().and_then(|given| given.tags.as_ref()).map(|tags| {
            // A tag that the view doesn't know is no rule's: it can't change an answer.
            let mut tags: SmallVec<[TagId; 8]> =
                tags.iter().filter_map(|tag| view.tags.get(tag)).collect();
            tags.sort_unstable();
            tags.dedup();
            tags
        });
        Self { id: user.id, number: view.population.directory.number(user.id), given }
    }

    /// His tags in order: those that the request gives, or else his own.
    #[inline]
    pub fn tags<'s>(&'s self, view: &'s View) -> &'s [TagId] {
        match (&self.given, self.number) {
            (Some(given), _) => given,
            (None, Some(number)) => view.population.directory.tags(number),
            (None, None) => &[],
        }
    }

    /// Whether his tags are those that the view holds of him.
    #[inline]
    fn is_stored(&self) -> Option<u32> {
        if self.given.is_some() { None } else { self.number }
    }

    /// His tags as a list in brackets, for explanations.
    fn tag_list(&self, view: &View) -> String {
        list(view, self.tags(view))
    }
}

/// Tags as `[A, B]`, in the order of their names.
fn list(view: &View, tags: &[TagId]) -> String {
    let mut names: Vec<&str> = tags.iter().map(|&tag| view.tags.name(tag)).collect();
    names.sort_unstable();
    format!("[{}]", names.join(", "))
}
