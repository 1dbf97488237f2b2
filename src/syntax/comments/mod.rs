//! Comments: where a text has them, and what each belongs to.
//!
//! A **scanner** for each notation cuts a text into parts, one within the other (statements, fields;
//! sections, entries, fields), and finds the comments between them. Each comment is then put to the
//! part that follows it, or that it stands beside, or whose end it stands at. **Attaching** hands the
//! parts to the AST nodes that were read from them: a node lies in the part that holds its span.
//!
//! Empty lines are kept like comments, one at a place.

mod attach;
mod dsl;
mod line_index;
mod region;
mod yaml;

pub(super) use attach::{CommentedItem, attach};
use line_index::LineIndex;
pub(super) use region::Region;

/// A comment of one line, by what it says after its marker.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Comment {
    pub text: String,
    /// Whether an empty line stands above it.
    pub blank_above: bool,
}

/// The comments of one part.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct PlacedComments {
    /// On lines of their own, above it.
    pub above: Vec<Comment>,
    /// Whether an empty line stands right above it, below those comments.
    pub apart: bool,
    /// Beside its beginning, or in the middle of a part on one line.
    pub head: Vec<Comment>,
    /// Beside its end.
    pub beside: Vec<Comment>,
    /// On lines of their own, within it, after all else.
    pub below: Vec<Comment>,
}

/// The notations that have comments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CommentMarker {
    /// `//`, of the DSL.
    Slashes,
    /// `#`, of YAML.
    Hash,
}

/// The comments of a text.
#[derive(Clone, Debug)]
pub struct CommentTree {
    marker: CommentMarker,
    root: Region,
}

// === impl Note ===

impl Comment {
    /// A comment of this text, the marker left out. It is brought into a form that both notations
    /// can hold: `///` would be a description, and YAML's lines end at a carriage return.
    fn new(raw: &str, apart: bool) -> Self {
        let mut text = raw.trim_end().replace('\r', " ");
        let lone_slash = text.starts_with('/') && !text.starts_with("//");
        if lone_slash || text.starts_with(|c: char| c.is_alphanumeric()) {
            text.insert(0, ' ');
        }
        Self { text, blank_above: apart }
    }
}

// === impl Notes ===

impl PlacedComments {
    pub(super) fn is_empty(&self) -> bool {
        let Self { above, apart: _, head, beside, below } = self;
        [above, head, beside, below].into_iter().all(Vec::is_empty)
    }

    /// Puts comments above all else.
    pub(super) fn precede(&mut self, notes: impl IntoIterator<Item = Comment>) {
        self.above.splice(0..0, notes);
    }

    /// Moves what would stand beside or within to the lines above, for what has no place for it.
    pub(super) fn raise(&mut self) {
        self.raise_head();
        self.raise_beside();
        self.raise_below();
    }

    pub(super) fn raise_head(&mut self) {
        let head = std::mem::take(&mut self.head);
        self.lift(head);
    }

    pub(super) fn raise_beside(&mut self) {
        let beside = std::mem::take(&mut self.beside);
        self.lift(beside);
    }

    pub(super) fn raise_below(&mut self) {
        let below = std::mem::take(&mut self.below);
        self.lift(below);
    }

    /// An empty line goes above the lifted comments, not below.
    fn lift(&mut self, mut notes: Vec<Comment>) {
        for note in &mut notes {
            note.blank_above = std::mem::take(&mut self.apart);
        }
        self.above.append(&mut notes);
    }
}

// === impl Marker ===

impl CommentMarker {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Slashes => "//",
            Self::Hash => "#",
        }
    }
}

// === impl Comments ===

impl CommentTree {
    /// The comments of a text that has no syntax errors.
    pub fn parse(text: &str, marker: CommentMarker) -> Self {
        let lines = LineIndex::new(text);
        let (mut root, mut found) = match marker {
            CommentMarker::Slashes => dsl::scan(text, &lines),
            CommentMarker::Hash => yaml::scan(text, &lines),
        };
        found.sort_by_key(|comment| comment.start);
        found.dedup_by_key(|comment| comment.start);
        found.iter().for_each(|comment| root.place(comment, &lines.line(comment.start)));
        // Comments beside the beginning of a document are above the document's content.
        let head = std::mem::take(&mut root.comments.head);
        match root.children.first_mut() {
            Some(first) => drop(first.comments.above.splice(0..0, head)),
            None => drop(root.comments.below.splice(0..0, head)),
        }
        Self { marker, root }
    }

    pub fn empty() -> Self {
        Self { marker: CommentMarker::Slashes, root: Region::default() }
    }

    /// Their contents, in the order of the text.
    pub fn sorted(&self) -> Vec<String> {
        let mut texts: Vec<String> =
            self.root.clone().into_comments().into_iter().map(|note| note.text).collect();
        texts.sort();
        texts
    }

    /// How comments begin in the text.
    pub fn marker(&self) -> CommentMarker {
        self.marker
    }

    pub fn is_empty(&self) -> bool {
        self.root.is_bare()
    }
}
