//! Items gathered to sections, as YAML and JSON have them.

use super::{
    relation_tree,
    tree::{self, TreeField, TreeNode, TreeValue},
};
use crate::syntax::{
    ast::{Item, List},
    comments::{Comment, CommentMarker, CommentedItem, PlacedComments, Region},
};

/// The sections in the order in which they first come, and the comments at the end.
#[derive(Debug, Default)]
pub(super) struct SectionTree {
    pub(super) fields: Vec<TreeField>,
    pub(super) end: Vec<Comment>,
}

/// Gathers the pieces, whose comments were read from a text of this notation.
pub(super) fn gather(
    pieces: Vec<CommentedItem<'_, '_>>,
    end: Vec<Comment>,
    from: CommentMarker,
) -> SectionTree {
    let mut sections = SectionTree::default();
    let mut waiting: Vec<(&str, PlacedComments)> = Vec::new();
    for piece in pieces {
        match piece {
            CommentedItem::Header(name, notes) | CommentedItem::Footer(name, notes) => {
                waiting.push((name, notes));
            }
            CommentedItem::Item(item, part) => sections.add(item, part, from),
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

impl SectionTree {
    fn find(&mut self, name: &str) -> Option<&mut TreeNode> {
        self.fields.iter_mut().find(|(known, _)| known == name).map(|(_, node)| node)
    }

    fn add(&mut self, item: &Item<'_>, mut part: Region, from: CommentMarker) {
        match item {
            Item::Tags(tags) => {
                part.gather();
                self.put_list("tags", tree::list_value(tags), part);
            }
            Item::ProtectedTags(tags) => {
                part.gather();
                self.put_list("protected_tags", tree::list_value(tags), part);
            }
            Item::Rules(_) => self.put_list("rules", TreeValue::List(Vec::new()), part),
            Item::Rule(rule) => {
                let heading = self.heading("rules", &mut part, from);
                let rule = vec![tree::rule(rule, part)];
                self.put_list("rules", TreeValue::List(rule), heading);
            }
            Item::Word(word) => {
                // Stated twice, it can't be said in YAML: the reader says so.
                part.gather();
                let value = TreeValue::Text(word.value.value.as_ref().to_owned());
                let node = TreeNode { notes: part.comments, value };
                self.fields.push((word.section.to_string(), node));
            }
            Item::Settings(settings) => {
                let fields = tree::settings(&settings.entries, &mut part);
                self.put(settings.section.as_str(), fields, part);
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
                self.put_list("conversations", TreeValue::List(conversation), heading);
            }
            Item::Invariant(invariant) => {
                let heading = self.heading("invariants", &mut part, from);
                let invariant = vec![tree::invariant(invariant, part)];
                self.put_list("invariants", TreeValue::List(invariant), heading);
            }
            Item::Lints(lints) => self.put_lints(lints, part),
            Item::RuleSet(set) => {
                let heading = self.heading("rule_sets", &mut part, from);
                let node = relation_tree::rule_set(set, part, from);
                self.entry("rule_sets", &set.name.value, node, heading);
            }
            Item::Barrier(barrier) => {
                let heading = self.heading("barriers", &mut part, from);
                let barrier = vec![relation_tree::barrier(barrier, part)];
                self.put_list("barriers", TreeValue::List(barrier), heading);
            }
            Item::Audience(audience) => {
                let heading = self.heading("audiences", &mut part, from);
                let node = relation_tree::audience(audience, part);
                self.entry("audiences", &audience.name.value, node, heading);
            }
            Item::Accepts(accepts) => {
                let heading = self.heading("accepts", &mut part, from);
                let node = relation_tree::accepts(accepts, part, from);
                self.entry("accepts", &accepts.action.value, node, heading);
            }
            Item::Action(action) => {
                let heading = self.heading("actions", &mut part, from);
                let node = relation_tree::action(action, part);
                self.entry("actions", &action.name.value, node, heading);
            }
            Item::Window(window) => {
                let heading = self.heading("windows", &mut part, from);
                let node = relation_tree::window(window, part);
                self.entry("windows", &window.name.value, node, heading);
            }
        }
    }

    fn entry(&mut self, section: &str, id: &str, node: TreeNode, heading: Region) {
        self.put(section, vec![(id.to_owned(), node)], heading);
    }

    /// The comments above the first entry of a section that, by an empty line below them, are not
    /// about the entry alone. In YAML they have a place of their own.
    fn heading(&mut self, section: &str, part: &mut Region, from: CommentMarker) -> Region {
        let mut heading = Region::default();
        if from == CommentMarker::Hash || self.find(section).is_some() {
            return heading;
        }
        let above = &mut part.comments.above;
        let own = match above.iter().rposition(|note| note.blank_above) {
            _ if part.comments.apart => above.len(),
            Some(first) => first,
            None => 0,
        };
        heading.comments.above = above.drain(..own).collect();
        heading.comments.apart = !heading.comments.above.is_empty();
        heading
    }

    /// Adds fields to a section.
    fn put(&mut self, name: &str, mut fields: Vec<TreeField>, mut part: Region) {
        part.gather();
        match self.find(name) {
            Some(TreeNode { notes, value: TreeValue::Map(known) }) => {
                join(notes, part.comments);
                known.append(&mut fields);
            }
            _ => self.fields.push((
                name.to_owned(),
                TreeNode { notes: part.comments, value: TreeValue::Map(fields) },
            )),
        }
    }

    /// Adds items to a section that is a list.
    fn put_list(&mut self, name: &str, value: TreeValue, mut part: Region) {
        part.gather();
        match (self.find(name), value) {
            (
                Some(TreeNode { notes, value: TreeValue::List(known) }),
                TreeValue::List(mut items),
            ) => {
                join(notes, part.comments);
                known.append(&mut items);
            }
            (_, value) => {
                self.fields.push((name.to_owned(), TreeNode { notes: part.comments, value }));
            }
        }
    }

    /// Adds lints to those of another section.
    fn put_lints(&mut self, lints: &List<'_>, mut part: Region) {
        part.gather();
        let list = tree::list_value(lints);
        let known = match self.find("lints") {
            Some(TreeNode { notes, value: TreeValue::Map(known) }) => {
                known.first_mut().map(|(_, allowed)| (notes, allowed))
            }
            _ => None,
        };
        match (known, list) {
            (
                Some((notes, TreeNode { value: TreeValue::List(known), .. })),
                TreeValue::List(mut more),
            ) => {
                join(notes, part.comments);
                known.append(&mut more);
            }
            (_, list) => self.put("lints", vec![("allow".to_owned(), TreeNode::bare(list))], part),
        }
    }

    /// Adds modes to those of another `peers` section.
    fn put_peers(&mut self, fields: Vec<TreeField>, part: Region) {
        let mut others = Vec::new();
        for (name, node) in fields {
            let known = match self.find("peers") {
                Some(TreeNode { value: TreeValue::Map(known), .. }) => {
                    known.iter_mut().find(|(key, _)| *key == name).map(|(_, known)| known)
                }
                _ => None,
            };
            match (known, node) {
                (
                    Some(TreeNode { notes: about, value: TreeValue::List(known) }),
                    TreeNode { notes, value: TreeValue::List(mut modes) },
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
fn join(notes: &mut PlacedComments, more: PlacedComments) {
    let PlacedComments { above, apart, head, beside, below } = more;
    notes.apart |= apart && notes.is_empty();
    notes.above.extend(above);
    notes.head.extend(head);
    notes.beside.extend(beside);
    notes.below.extend(below);
}

fn all(mut notes: PlacedComments) -> Vec<Comment> {
    notes.raise();
    notes.above
}
