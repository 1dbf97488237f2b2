//! AST to text: what a policy says, in canonical form, in any of the notations.
//!
//! - In the **DSL**, statements keep their order; each stands on one line if that fits, else as a
//!   block with a field a line.
//! - In **YAML**, items of one section are gathered under its key, sections in the order in which
//!   they first come. What is small stands in brackets if that fits on the line.
//! - **JSON** has the structure of YAML, and no comments.
//!
//! A printed text means what the items mean: parsing it gives them back, but for their spans, and in
//! YAML and JSON for the order of sections and for what is stated more than once there.

mod comment_lines;
mod doc;
mod dsl;
mod dsl_file;
mod json;
mod names;
mod relation_tree;
mod relations;
mod section_tree;
mod statement;
mod statement_parts;
mod text;
mod tree;
mod yaml;

use super::{
    ast::{Expr, Item},
    comments::{CommentTree, attach},
};

/// How long a line may get where it can be broken, in characters.
const WIDTH: usize = 100;

/// The forms that a file can have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    Dsl,
    Yaml,
    Json,
}

/// The statements as a `.peerage` file: in their order, a description before its rule, an empty line
/// between statements of different kinds. A description keeps its carriage returns: one before a
/// line's end is written twice, as readers drop one there.
pub fn dsl(items: &[Item<'_>]) -> String {
    write(Form::Dsl, items, CommentTree::empty(), "")
}

/// The statements as a `.yaml` file.
pub fn yaml(items: &[Item<'_>]) -> String {
    write(Form::Yaml, items, CommentTree::empty(), "")
}

/// The statements as a `.json` file.
pub fn json(items: &[Item<'_>]) -> String {
    write(Form::Json, items, CommentTree::empty(), "")
}

/// The statements, with the comments of the text that they were read from.
pub(super) fn write(form: Form, items: &[Item<'_>], comments: CommentTree, text: &str) -> String {
    let from = comments.marker();
    let (pieces, end) = attach(items.iter(), comments, text);
    match form {
        Form::Dsl => dsl_file::write(pieces, end, from),
        Form::Yaml => yaml::write(section_tree::gather(pieces, end, from)),
        Form::Json => json::write(section_tree::gather(pieces, end, from)),
    }
}

/// A condition, as it is written in a rule of any notation.
pub fn condition(expr: &Expr<'_>) -> String {
    doc::Doc::from_expr(expr).flat()
}
