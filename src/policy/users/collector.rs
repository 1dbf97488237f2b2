//! The collector, which makes a roster of user statements one by one.

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, HashSet},
    hash::BuildHasher,
};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use smallvec::SmallVec;

use super::{
    Roster, RosterEnd, RosterEndOf, UserChecks, UserStatements,
    roster::{list_at, text_at},
};
use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, did_you_mean},
    policy::{
        line_locator::LineLocator,
        tags::Vocabulary,
        terms::{ElementEnd, element_end},
    },
    request::{
        Audiences, DeclarationSite, DeclaredActions, DeclaredField, DeclaredFields, Moment,
        Relation, Switch, check_id,
    },
    source::{Sources, Span},
    syntax::ast::{self, Term, TermOf},
};

/// Gathers users one by one; finds those that are defined twice, those that are only named, and
/// gives equal tag sets one number.
pub(in crate::policy) struct UserCollector<'v> {
    pub(super) roster: Roster,
    pub(super) vocabulary: &'v Vocabulary,
    pub(super) audiences: &'v Audiences<String>,
    pub(super) actions: &'v DeclaredActions<String>,
    pub(super) checks: UserChecks,
    /// The moment by which ends are judged.
    now: Moment,
    /// Where each user is defined, or else was first named.
    places: Vec<FirstMention>,
    /// Where each conversation is stated.
    conversations: HashMap<(u32, u32), Span>,
    hasher: RandomState,
    by_id: HashTable<u32>,
    by_tag: HashTable<u32>,
    by_set: HashTable<u32>,
    /// The columns of tables, by their places, whose names were reported.
    pub(super) reported_keys: RefCell<HashSet<Span>>,
    /// How many more times an id that is nobody's may be compared with a user's.
    comparisons: Cell<usize>,
}

#[derive(Clone, Copy)]
struct FirstMention {
    span: Span,
    is_defined: bool,
}

const MAX_COMPARISONS: usize = 2_000_000;

/// The most edges that there may be: their numbers have 32 bits.
const MAX_EDGES: usize = 1 << 30;

impl<'v> UserCollector<'v> {
    pub(super) fn new(
        key: [u8; 32],
        vocabulary: &'v Vocabulary,
        stated: &UserStatements<'v, '_>,
    ) -> Self {
        Self {
            roster: Roster { key, ..Roster::default() },
            vocabulary,
            audiences: stated.audiences,
            actions: stated.actions,
            checks: stated.checks,
            now: stated.at,
            places: Vec::new(),
            conversations: HashMap::new(),
            hasher: RandomState::default(),
            by_id: HashTable::new(),
            by_tag: HashTable::new(),
            by_set: HashTable::new(),
            reported_keys: RefCell::default(),
            comparisons: Cell::new(MAX_COMPARISONS),
        }
    }

    /// Adds a user with everything that the statement says.
    pub(super) fn add(&mut self, user: &ast::User<'_>, problems: &mut Diagnostics) {
        let mut tags: SmallVec<[u32; 16]> = SmallVec::new();
        let terms = user.more.as_ref().map_or(&[][..], |more| &more.terms);
        let mut ends: Vec<RosterEnd> = Vec::new();
        for (position, tag) in user.tags.iter().flat_map(|tags| &tags.value).enumerate() {
            let Some(number) = self.tag(tag, problems) else { continue };
            let of = RosterEndOf::Tag(number);
            if self.has_ended(terms, (TermOf::Tags, position), of, &mut ends, problems) {
                continue;
            }
            tags.push(number);
        }
        tags.sort_unstable();
        tags.dedup();
        let number = self.define(&user.id, problems);
        if let Some(number) = number {
            let set = self.set(&tags);
            if let Some(slot) = self.roster.set_of.get_mut(number as usize) {
                *slot = set;
            }
            if let Some(stated) = self.roster.stated.get_mut(number as usize) {
                *stated = stated_fields(user);
            }
        }
        if let Some(more) = &user.more {
            self.record(&user.id, number, more, &mut ends, problems);
        }
        if let Some(number) = number {
            let ends = latest_ends(&ends).into_iter();
            let ends = ends.map(|end| RosterEnd { user: number, ..end });
            self.roster.declared_ends.extend(ends);
        }
    }

    /// Whether an element had ended; notes the end of one that is to come, of a user who has no number yet.
    pub(super) fn has_ended(
        &mut self,
        terms: &[Term<'_>],
        element: (TermOf, usize),
        of: RosterEndOf,
        ends: &mut Vec<RosterEnd>,
        problems: &mut Diagnostics,
    ) -> bool {
        if terms.is_empty() {
            return false;
        }
        match element_end(terms, element, self.now, problems) {
            ElementEnd::Never => {
                ends.push(RosterEnd { at: Moment::MAX, user: 0, of });
                false
            }
            ElementEnd::At(at) => {
                ends.push(RosterEnd { at, user: 0, of });
                false
            }
            ElementEnd::Ended(at) => {
                self.roster.last_end = self.roster.last_end.max(Some(at));
                true
            }
        }
    }

    /// The number of a user who is defined here; `None` if they can't be, which is reported.
    fn define(&mut self, id: &ast::Text<'_>, problems: &mut Diagnostics) -> Option<u32> {
        if let Err(error) = check_id(&id.value) {
            problems.push(Diagnostic::error(Code::InvalidId, id.span, error.to_string()));
            return None;
        }
        let number = self.number(id, problems)?;
        let place = self.places.get_mut(number as usize)?;
        if place.is_defined {
            let message = format!("the user `{}` is defined twice", id.value.escape_debug());
            problems.push(
                Diagnostic::error(Code::DuplicateUser, id.span, message)
                    .related(place.span, "first defined here"),
            );
            return None;
        }
        *place = FirstMention { span: id.span, is_defined: true };
        Some(number)
    }

    /// The number of a user, defined or only named.
    pub(super) fn number(&mut self, id: &ast::Text<'_>, problems: &mut Diagnostics) -> Option<u32> {
        let (roster, hasher) = (&self.roster, &self.hasher);
        let text = &*id.value;
        let hash = hasher.hash_one(text);
        if let Some(&known) = self.by_id.find(hash, |&other| roster.id(other as usize) == text) {
            return Some(known);
        }
        let Ok(number) = u32::try_from(roster.len()) else {
            let message = "more than 4,294,967,295 users";
            problems.push(Diagnostic::error(Code::TooLarge, id.span, message));
            return None;
        };
        self.roster.ids.push_str(text);
        self.roster.ends.push(self.roster.ids.len());
        self.roster.set_of.push(0);
        self.roster.stated.push(DeclaredFields::default());
        self.places.push(FirstMention { span: id.span, is_defined: false });
        let (roster, hasher) = (&self.roster, &self.hasher);
        self.by_id.insert_unique(hash, number, |&user| hasher.hash_one(roster.id(user as usize)));
        Some(number)
    }

    /// Takes a user's moderation for one that files don't state.
    pub(super) fn forget_moderation(&mut self, user: Option<u32>) {
        let place = user.and_then(|user| self.roster.stated.get_mut(user as usize));
        if let Some(stated) = place {
            *stated = stated.without(DeclaredField::Moderation);
        }
    }

    fn find(&self, id: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(id);
        self.by_id.find(hash, |&other| self.roster.id(other as usize) == id).copied()
    }

    /// Adds the edges from a user to those whom a list names; how many they are.
    pub(super) fn add_relations(
        &mut self,
        from: Option<u32>,
        owner: &ast::Text<'_>,
        relation: Relation,
        (named, terms, of): (&ast::List<'_>, &[Term<'_>], TermOf),
        ends: &mut Vec<RosterEnd>,
        problems: &mut Diagnostics,
    ) -> usize {
        let mut seen: SmallVec<[(u32, Span); 16]> = SmallVec::new();
        for (position, id) in named.value.iter().enumerate() {
            if id.value == owner.value {
                let message =
                    format!("the record of `{}` lists its own id", owner.value.escape_debug());
                problems.push(
                    Diagnostic::error(Code::SelfRelation, id.span, message)
                        .hint("a relation is between two users; remove the entry"),
                );
                continue;
            }
            let Some(to) = self.number(id, problems) else { continue };
            let end = RosterEndOf::Edge(relation, to);
            if !self.has_ended(terms, (of, position), end, ends, problems) {
                seen.push((to, id.span));
            }
        }
        // Stable, so that the first of two entries stays the first.
        seen.sort_by_key(|&(to, _)| to);
        for pair in seen.windows(2) {
            if let [(one, first), (other, again)] = pair
                && one == other
            {
                let id = text_at(&self.roster.ids, &self.roster.ends, *one as usize);
                problems.push(
                    Diagnostic::warning(
                        Code::RepeatedEntry,
                        *again,
                        format!("`{}` is named twice in this list", id.escape_debug()),
                    )
                    .related(*first, "first named here"),
                );
            }
        }
        seen.dedup_by_key(|(to, _)| *to);
        let Some(from) = from else { return seen.len() };
        let is_full = self.roster.edges.values().map(Vec::len).sum::<usize>() >= MAX_EDGES;
        if is_full {
            let message = format!("more than {MAX_EDGES} relations");
            problems.push(Diagnostic::error(Code::TooLarge, named.span, message));
        } else {
            self.roster.edges[relation].extend(seen.iter().map(|&(to, _)| (from, to)));
        }
        seen.len()
    }

    pub(super) fn add_conversation(
        &mut self,
        conversation: &ast::Conversation<'_>,
        problems: &mut Diagnostics,
    ) {
        let [one, other] = &conversation.users;
        if one.value == other.value {
            let message = format!("the conversation names `{}` twice", one.value.escape_debug());
            problems.push(
                Diagnostic::error(Code::SelfRelation, other.span, message)
                    .hint("a conversation is between two users"),
            );
            return;
        }
        let numbers = (self.number(one, problems), self.number(other, problems));
        let (Some(first), Some(second)) = numbers else { return };
        let pair = (first.min(second), first.max(second));
        if let Some(&before) = self.conversations.get(&pair) {
            let message = format!(
                "the conversation of `{}` and `{}` is stated twice",
                one.value.escape_debug(),
                other.value.escape_debug()
            );
            problems.push(
                Diagnostic::error(Code::DuplicateConversation, one.span, message)
                    .related(before, "first stated here")
                    .hint("remove one of the two; the order of the users makes no difference"),
            );
            return;
        }
        self.conversations.insert(pair, one.span);
        self.roster.conversations.push(pair);
    }

    fn tag(&mut self, tag: &ast::Text<'_>, problems: &mut Diagnostics) -> Option<u32> {
        let (roster, hasher) = (&self.roster, &self.hasher);
        let name = |number: u32| roster.tags.get(number as usize).map_or("", String::as_str);
        let hash = hasher.hash_one(&*tag.value);
        if let Some(&known) = self.by_tag.find(hash, |&other| name(other) == tag.value) {
            return Some(known);
        }
        let bound = self.vocabulary.bind(tag, problems)?;
        let number = u32::try_from(roster.tags.len()).unwrap_or(u32::MAX);
        self.by_tag.insert_unique(hash, number, |&other| hasher.hash_one(name(other)));
        self.roster.tags.push(bound);
        Some(number)
    }

    /// The number of a tag set: users with the same tags are of one class.
    fn set(&mut self, tags: &[u32]) -> u32 {
        let (roster, hasher) = (&self.roster, &self.hasher);
        let members = |set: u32| list_at(&roster.sets, &roster.set_ends, set as usize);
        let hash = hasher.hash_one(tags);
        if let Some(&known) = self.by_set.find(hash, |&other| members(other) == tags) {
            return known;
        }
        let number = u32::try_from(roster.set_ends.len()).unwrap_or(u32::MAX);
        self.by_set.insert_unique(hash, number, |&other| hasher.hash_one(members(other)));
        self.roster.sets.extend_from_slice(tags);
        self.roster.set_ends.push(self.roster.sets.len());
        number
    }

    /// Notes where each user and each conversation is stated. Costs a pass over the files.
    pub(super) fn locate(&mut self, sources: &Sources) {
        let mut spans: Vec<(Span, usize)> =
            self.places.iter().map(|place| place.span).zip(0..).collect();
        for (user, place) in locate_all(&mut spans, sources) {
            if let Some(stated) = self.roster.stated.get_mut(user) {
                *stated = stated.with_site(place);
            }
        }
        let pairs = self.roster.conversations.iter();
        let mut spans: Vec<(Span, usize)> =
            pairs.filter_map(|pair| self.conversations.get(pair)).copied().zip(0..).collect();
        self.roster.conversation_places.resize(spans.len(), DeclarationSite::default());
        for (at, place) in locate_all(&mut spans, sources) {
            if let Some(slot) = self.roster.conversation_places.get_mut(at) {
                *slot = place;
            }
        }
    }

    /// Says who was named and is no user.
    pub(super) fn report_unknown_users(&self, problems: &mut Diagnostics) {
        for (number, place) in self.places.iter().enumerate() {
            if !place.is_defined {
                let id = self.roster.id(number);
                problems.push(unknown_user(id, place.span, self.nearest(id)));
            }
        }
    }

    pub(super) fn knows(&self, id: &str) -> bool {
        let place = self.find(id).and_then(|number| self.places.get(number as usize));
        place.is_some_and(|place| place.is_defined)
    }

    pub(super) fn nearest(&self, id: &str) -> Option<&str> {
        let left = self.comparisons.get().checked_sub(self.roster.len())?;
        self.comparisons.set(left);
        let defined = self.places.iter().enumerate().filter(|(_, place)| place.is_defined);
        did_you_mean(id, defined.map(|(number, _)| self.roster.id(number)))
    }

    /// Lets no later reading take these users for those that it would find.
    pub(super) fn forget_key(&mut self) {
        self.roster.key = [0; 32];
    }

    pub(super) fn into_roster(self) -> Roster {
        self.roster
    }
}

/// The end of each element that has one: the latest of those that it is named with, and none if it is named without
/// one too.
fn latest_ends(ends: &[RosterEnd]) -> Vec<RosterEnd> {
    let is_latest = |end: &&RosterEnd| {
        end.at != Moment::MAX && ends.iter().all(|other| other.of != end.of || other.at <= end.at)
    };
    ends.iter().filter(is_latest).copied().collect()
}

/// The places of spans, in the order of the text.
fn locate_all<'p>(
    spans: &'p mut [(Span, usize)],
    sources: &'p Sources,
) -> impl Iterator<Item = (usize, DeclarationSite)> + 'p {
    spans.sort_unstable_by_key(|(span, _)| (span.source.0, span.start));
    let mut lines = LineLocator::new(sources);
    spans.iter().map(move |&(span, at)| (at, lines.locate(span)))
}

/// The statements of a user's record.
fn stated_fields(user: &ast::User<'_>) -> DeclaredFields {
    let mut stated = DeclaredFields::new(DeclarationSite::default());
    if user.tags.is_some() {
        stated = stated.with(DeclaredField::Tags);
    }
    let Some(more) = &user.more else { return stated };
    if more.peers.is_some() {
        stated = stated.with(DeclaredField::Peers);
    }
    if more.moderation.is_some() {
        stated = stated.with(DeclaredField::Moderation);
    }
    if more.approval.is_some() {
        stated = stated.with(DeclaredField::Approval);
    }
    if !more.accepts.is_empty() {
        stated = stated.with(DeclaredField::Accepts);
    }
    let switches = more.permissions.iter().filter_map(|it| it.key.value.parse::<Switch>().ok());
    switches.fold(stated, |stated, switch| stated.with(DeclaredField::Permission(switch)))
}

/// Somebody is named who is no user.
pub(in crate::policy) fn unknown_user(id: &str, span: Span, near: Option<&str>) -> Diagnostic {
    let message = format!("unknown user `{}`", id.escape_debug());
    Diagnostic::error(Code::UnknownUser, span, message).hint(match near {
        Some(near) => format!("did you mean `{}`?", near.escape_debug()),
        None => "declare the user, if only with an empty record".to_owned(),
    })
}
