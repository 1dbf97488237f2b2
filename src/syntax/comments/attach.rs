//! The attachment of comments to the items that were read beside them.

use std::collections::VecDeque;

use super::{Comment, CommentMarker, CommentTree, PlacedComments, Region};
use crate::{source::Span, syntax::ast::Item};

/// The parts that a file is printed from, in the order of its text.
#[derive(Debug)]
pub(in crate::syntax) enum CommentedItem<'a, 's> {
    /// The comments of the key of a section that holds entries.
    Header(&'a str, PlacedComments),
    /// The comments at the end of such a section.
    Footer(&'a str, PlacedComments),
    Item(&'a Item<'s>, Region),
}

/// Sections of YAML that hold entries, each an item of its own.
const ENTRY_SECTIONS: [&str; 12] = [
    "rules",
    "matrices",
    "users",
    "groups",
    "conversations",
    "invariants",
    "rule_sets",
    "barriers",
    "audiences",
    "accepts",
    "actions",
    "windows",
];

/// Gives each item its comments; the rest stand at the end of the file.
///
/// A comment of what no item was made of, such as a section without entries, goes to the item after
/// it, so that none is lost.
pub(in crate::syntax) fn attach<'a, 's>(
    items: impl Iterator<Item = &'a Item<'s>>,
    comments: CommentTree,
    text: &'a str,
) -> (Vec<CommentedItem<'a, 's>>, Vec<Comment>) {
    let mut places = places(comments, text);
    let mut pieces = Vec::new();
    let mut waiting = Vec::new();
    for item in items {
        let at = anchor(item).start();
        while places.front().is_some_and(|place| place.end() <= at)
            && let Some(place) = places.pop_front()
        {
            pass(place, &mut pieces, &mut waiting);
        }
        let mut part = match places.front_mut() {
            Some(Place::Part(holder)) if holder.range.contains(&at) => holder.take_contents(),
            Some(Place::Header(name, holder)) if holder.range.contains(&at) => {
                let mut notes = holder.take_contents().comments;
                notes.precede(waiting.drain(..));
                pieces.push(CommentedItem::Header(name, notes));
                Region::default()
            }
            _ => Region::default(),
        };
        part.comments.precede(waiting.drain(..));
        pieces.push(CommentedItem::Item(item, part));
    }
    for place in places {
        pass(place, &mut pieces, &mut waiting);
    }
    (pieces, waiting)
}

/// Leaves behind a place that no item, or no further one, was made of.
fn pass<'a>(place: Place<'a>, pieces: &mut Vec<CommentedItem<'a, '_>>, waiting: &mut Vec<Comment>) {
    match place {
        Place::Part(part) => waiting.extend(part.into_comments()),
        Place::Header(name, part) => {
            let mut notes = part.comments;
            notes.precede(waiting.drain(..));
            pieces.push(CommentedItem::Header(name, notes));
        }
        Place::Footer(name, _, notes) => pieces.push(CommentedItem::Footer(name, notes)),
    }
}

/// A stretch of the text that may be an item.
enum Place<'a> {
    Part(Region),
    /// The key of a section of entries.
    Header(&'a str, Region),
    /// The end of one, and where that is.
    Footer(&'a str, usize, PlacedComments),
}

impl Place<'_> {
    fn end(&self) -> usize {
        match self {
            Self::Part(part) | Self::Header(_, part) => part.range.end,
            Self::Footer(_, end, _) => *end,
        }
    }
}

/// All places of a text, in their order.
fn places(comments: CommentTree, text: &str) -> VecDeque<Place<'_>> {
    let CommentTree { marker, root } = comments;
    let mut places = VecDeque::new();
    for mut section in root.children {
        let name = text.get(section.name.clone()).unwrap_or_default().trim_matches(['"', '\'']);
        if marker == CommentMarker::Slashes
            || !ENTRY_SECTIONS.contains(&name)
            || section.children.is_empty()
        {
            places.push_back(Place::Part(section));
            continue;
        }
        let entries = std::mem::take(&mut section.children);
        let end = section.range.end;
        section.range.end = entries.first().map_or(end, |entry| entry.range.start);
        let below = std::mem::take(&mut section.comments.below);
        places.push_back(Place::Header(name, section));
        places.extend(entries.into_iter().map(Place::Part));
        let notes = PlacedComments { below, ..PlacedComments::default() };
        places.push_back(Place::Footer(name, end, notes));
    }
    let below = root.comments.below;
    let notes = PlacedComments { below, ..PlacedComments::default() };
    let end = Region { range: text.len()..usize::MAX, comments: notes, ..Region::default() };
    places.push_back(Place::Part(end));
    places
}

/// Where an item shows itself in the text.
fn anchor(item: &Item<'_>) -> Span {
    match item {
        Item::Tags(tags) | Item::ProtectedTags(tags) => tags.span,
        Item::Rules(span) => *span,
        Item::Rule(rule) => rule.span,
        Item::Word(word) => word.span,
        Item::Settings(settings) => settings.span,
        Item::Peers(peers) => peers.span,
        Item::Matrix(matrix) => matrix.name.span,
        Item::User(user) => user.id.span,
        Item::Group(group) => group.id.span,
        Item::Conversation(conversation) => conversation.users[0].span,
        Item::Invariant(invariant) => invariant.span,
        Item::Lints(lints) => lints.span,
        Item::RuleSet(set) => set.name.span,
        Item::Barrier(barrier) => barrier.name.span,
        Item::Audience(audience) => audience.name.span,
        Item::Accepts(accepts) => accepts.action.span,
        Item::Action(action) => action.name.span,
        Item::Window(window) => window.name.span,
    }
}
