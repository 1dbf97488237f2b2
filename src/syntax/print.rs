//! AST to text: what a policy says, in the DSL.

use crate::syntax::ast::Item;

/// The statements as a `.peerage` file in canonical form.
pub fn dsl(items: &[Item<'_>]) -> String {
    let _ = items;
    String::new()
}
