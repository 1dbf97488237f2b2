use crate::{compile::Shadowed, facts::Place, live::Served};

/// Something that the API had set and that a file states by now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShadowTold {
    /// What is shadowed: each part by its name, as `user` and `field`, `group` and `member`, or `rule`.
    pub what: Vec<(&'static str, String)>,
    pub place: Place,
}

impl Served {
    /// What files state of what records say too, `most` at most, and how much there is.
    pub fn shadowed(&self, most: usize) -> (Vec<ShadowTold>, usize) {
        let Some(basis) = &self.basis else { return (Vec::new(), 0) };
        let told = |it: &Shadowed| {
            let place = it.place(&self.view, basis)?;
            let file = basis.file(place).to_owned();
            let place = Place { file, line: place.line as usize };
            Some(ShadowTold { what: parts(it), place })
        };
        let first = basis.shadowed.iter().filter_map(told).take(most).collect();
        (first, basis.shadowed.len())
    }
}

fn parts(shadowed: &Shadowed) -> Vec<(&'static str, String)> {
    match shadowed {
        Shadowed::User(id, field) => vec![("user", id.clone()), ("field", field.clone())],
        Shadowed::Group(id, field) => {
            vec![("group", id.clone()), ("field", (*field).to_owned())]
        }
        Shadowed::Member(id, member) => vec![("group", id.clone()), ("member", member.clone())],
        Shadowed::Rule(id) => vec![("rule", id.to_string())],
    }
}
