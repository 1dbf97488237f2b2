//! Items gathered to sections, as YAML and JSON have them.

use super::{
    names,
    tree::{self, Field, Node, Value},
};
use crate::syntax::{
    ast::{Item, List},
    comments::{Marker, Note, Notes, Part, Piece},
};

/// The sections in the order in which they first come, and the comments at the end.
#[derive(Debug, Default)]
pub(super) struct Sections {
    pub(super) fields: Vec<Field>,
    pub(super) end: Vec<Note>,
}

/// Gathers the pieces, whose comments were read from a text of this notation.
pub(super) fn gather(pieces: Vec<Piece<'_, '_>>, end: Vec<Note>, from: Marker) -> Sections {
    let mut sections = Sections::default();
    let mut waiting: Vec<(&str, Notes)> = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Header(name, notes) | Piece::Footer(name, notes) => waiting.push((name, notes)),
            Piece::Item(item, part) => sections.add(item, part, from),
        }
    }
    for (name, notes) in waiting {
        match sections.find(name) {
            Some(section) => join(&mut section.notes, notes),
            // Nothing is left of the section but what was said about it.
            None => sections.end.extend(all(notes)),
        }
    }
    sections.end.extend(end);
    sections
}

impl Sections {
    fn find(&mut self, name: &str) -> Option<&mut Node> {
        self.fields.iter_mut().find(|(known, _)| known == name).map(|(_, node)| node)
    }

    fn add(&mut self, item: &Item<'_>, mut part: Part, from: Marker) {
        match item {
            Item::Tags(tags) => {
                part.gather();
                self.put_list("tags", tree::list_of(tags), part);
            }
            Item::ProtectedTags(tags) => {
                part.gather();
                self.put_list("protected_tags", tree::list_of(tags), part);
            }
            Item::Rules(_) => self.put_list("rules", Value::List(Vec::new()), part),
            Item::Rule(rule) => {
                let heading = self.heading("rules", &mut part, from);
                let rule = vec![tree::rule(rule, part)];
                self.put_list("rules", Value::List(rule), heading);
            }
            Item::Word(word) => {
                // Stated twice, it can't be said in YAML: the reader says so.
                part.gather();
                let value = Value::Text(word.value.value.as_ref().to_owned());
                let node = Node { notes: part.notes, value };
                self.fields.push((names::word(word.section).to_owned(), node));
            }
            Item::Settings(settings) => {
                let fields = tree::settings(&settings.entries, &mut part);
                self.put(names::settings(settings.section), fields, part);
            }
            Item::Peers(peers) => self.put_peers(tree::peers(peers, &mut part, from), part),
            Item::Matrix(matrix) => {
                let heading = self.heading("matrices", &mut part, from);
                self.entry("matrices", &matrix.name.value, tree::matrix(matrix, part), heading);
            }
            Item::User(user) => {
                let heading = self.heading("users", &mut part, from);
                self.entry("users", &user.id.value, tree::user(user, part), heading);
            }
            Item::Group(group) => {
                let heading = self.heading("groups", &mut part, from);
                self.entry("groups", &group.id.value, tree::group(group, part), heading);
            }
            Item::Conversation(conversation) => {
                let heading = self.heading("conversations", &mut part, from);
                let conversation = vec![tree::conversation(conversation, part)];
                self.put_list("conversations", Value::List(conversation), heading);
            }
            Item::Invariant(invariant) => {
                let heading = self.heading("invariants", &mut part, from);
                let invariant = vec![tree::invariant(invariant, part)];
                self.put_list("invariants", Value::List(invariant), heading);
            }
            Item::Lints(lints) => self.put_lints(lints, part),
        }
    }

    fn entry(&mut self, section: &str, id: &str, node: Node, heading: Part) {
        self.put(section, vec![(id.to_owned(), node)], heading);
    }

    /// The comments above the first entry of a section that, by an empty line below them, are not
    /// about the entry alone. In YAML they have a place of their own.
    fn heading(&mut self, section: &str, part: &mut Part, from: Marker) -> Part {
        let mut heading = Part::default();
        if from == Marker::Hash || self.find(section).is_some() {
            return heading;
        }
        let above = &mut part.notes.above;
        let own = match above.iter().rposition(|note| note.apart) {
            _ if part.notes.apart => above.len(),
            Some(first) => first,
            None => 0,
        };
        heading.notes.above = above.drain(..own).collect();
        heading.notes.apart = !heading.notes.above.is_empty();
        heading
    }

    /// Adds fields to a section.
    fn put(&mut self, name: &str, mut fields: Vec<Field>, mut part: Part) {
        part.gather();
        match self.find(name) {
            Some(Node { notes, value: Value::Map(known) }) => {
                join(notes, part.notes);
                known.append(&mut fields);
            }
            _ => self
                .fields
                .push((name.to_owned(), Node { notes: part.notes, value: Value::Map(fields) })),
        }
    }

    /// Adds items to a section that is a list.
    fn put_list(&mut self, name: &str, value: Value, mut part: Part) {
        part.gather();
        match (self.find(name), value) {
            (Some(Node { notes, value: Value::List(known) }), Value::List(mut items)) => {
                join(notes, part.notes);
                known.append(&mut items);
            }
            (_, value) => self.fields.push((name.to_owned(), Node { notes: part.notes, value })),
        }
    }

    /// Adds lints to those of another section.
    fn put_lints(&mut self, lints: &List<'_>, mut part: Part) {
        part.gather();
        let list = tree::list_of(lints);
        let known = match self.find("lints") {
            Some(Node { notes, value: Value::Map(known) }) => {
                known.first_mut().map(|(_, allowed)| (notes, allowed))
            }
            _ => None,
        };
        match (known, list) {
            (Some((notes, Node { value: Value::List(known), .. })), Value::List(mut more)) => {
                join(notes, part.notes);
                known.append(&mut more);
            }
            (_, list) => self.put("lints", vec![("allow".to_owned(), Node::bare(list))], part),
        }
    }

    /// Adds modes to those of another `peers` section.
    fn put_peers(&mut self, fields: Vec<Field>, part: Part) {
        let mut others = Vec::new();
        for (name, node) in fields {
            let known = match self.find("peers") {
                Some(Node { value: Value::Map(known), .. }) => {
                    known.iter_mut().find(|(key, _)| *key == name).map(|(_, known)| known)
                }
                _ => None,
            };
            match (known, node) {
                (
                    Some(Node { notes: about, value: Value::List(known) }),
                    Node { notes, value: Value::List(mut modes) },
                ) => {
                    join(about, notes);
                    known.append(&mut modes);
                }
                (_, node) => others.push((name, node)),
            }
        }
        self.put("peers", others, part);
    }
}

/// Puts the comments of what is now one thing together.
fn join(notes: &mut Notes, more: Notes) {
    let Notes { above, apart, head, beside, below } = more;
    notes.apart |= apart && notes.is_empty();
    notes.above.extend(above);
    notes.head.extend(head);
    notes.beside.extend(beside);
    notes.below.extend(below);
}

fn all(mut notes: Notes) -> Vec<Note> {
    notes.raise();
    notes.above
}
