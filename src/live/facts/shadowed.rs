//! The report of facts that policy files shadow.

use crate::{compile::ShadowedFact, facts::FileLine, live::ServedPolicy};

/// A fact that a file shadows, and the place of the declaration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShadowedEntry {
    /// The parts of the shadowed fact by name: `user` and `field`, `group` and `member`, or `rule`.
    pub what: Vec<(&'static str, String)>,
    pub place: FileLine,
}

impl ServedPolicy {
    /// The facts that files shadow, `most` at most, and how many there are.
    pub fn shadowed(&self, most: usize) -> (Vec<ShadowedEntry>, usize) {
        let Some(declarations) = &self.declarations else { return (Vec::new(), 0) };
        let entry = |it: &ShadowedFact| {
            let place = declarations.shadowed_place(it, &self.view)?;
            let file = declarations.file_name(place).to_owned();
            let place = FileLine { file, line: place.line as usize };
            Some(ShadowedEntry { what: parts(it), place })
        };
        let first = declarations.shadowed.iter().filter_map(entry).take(most).collect();
        (first, declarations.shadowed.len())
    }
}

fn parts(shadowed: &ShadowedFact) -> Vec<(&'static str, String)> {
    match shadowed {
        ShadowedFact::User(id, field) => vec![("user", id.clone()), ("field", field.clone())],
        ShadowedFact::Group(id, field) => {
            vec![("group", id.clone()), ("field", (*field).to_owned())]
        }
        ShadowedFact::Member(id, member) => vec![("group", id.clone()), ("member", member.clone())],
        ShadowedFact::Rule(id) => vec![("rule", id.to_string())],
    }
}
