//! Circles of imports between the files of a room.

use std::collections::{BTreeMap, BTreeSet};

use super::scan::{Token, from_root, paths, tokens, without_tests};

/// A file as far as imports go: where it stands in the tree of modules, and its program.
pub(crate) struct Module {
    pub(crate) path: Vec<String>,
    pub(crate) program: Vec<Token>,
}

type Graph<'m> = BTreeMap<&'m [String], BTreeSet<&'m [String]>>;

impl Module {
    pub(crate) fn new(path: &[String], text: &str) -> Self {
        Self { path: path.to_vec(), program: without_tests(&tokens(text)) }
    }

    /// What it imports, seen from the root: what it re-exports, and everything.
    fn imports(&self) -> (Vec<Vec<String>>, Vec<Vec<String>>) {
        let word = |token: Option<&Token>, name: &str| token == Some(&Token::Word(name.to_owned()));
        let (mut public, mut all) = (Vec::new(), Vec::new());
        for (at, token) in self.program.iter().enumerate() {
            if !word(Some(token), "use") {
                continue;
            }
            let before = at.checked_sub(1).and_then(|at| self.program.get(at));
            let is_public = word(before, "pub") || before == Some(&Token::Sign(')'));
            let statement: Vec<Token> = self.program[at + 1..]
                .iter()
                .take_while(|token| **token != Token::Sign(';'))
                .cloned()
                .collect();
            for path in paths(&statement) {
                let path = self.absolute(&path).unwrap_or_default();
                if is_public {
                    public.push(path.clone());
                }
                all.push(path);
            }
        }
        (public, all)
    }

    /// A path as seen from the root; of one that begins with neither `crate`, `self` nor `super` it is
    /// taken to be a child's.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        from_root(path, &self.path)
            .or_else(|| (path.len() > 1).then(|| [&self.path, path].concat()))
    }
}

/// Which files name items of which others. What stands in a folder's own file is the ground on which the
/// files in the folder stand, so that a file may name what is above it. A re-export
/// counts as no import: an item that is taken from it is taken from the file that has the item.
fn graph(modules: &[Module]) -> Graph<'_> {
    let known: BTreeSet<&[String]> = modules.iter().map(|module| &*module.path).collect();
    let imports: BTreeMap<&[String], _> =
        modules.iter().map(|module| (&*module.path, module.imports())).collect();
    let home = |path: &[String]| {
        let mut path = path.to_vec();
        for _ in 0..8 {
            let len = (1..=path.len()).rev().find(|&len| known.contains(&path[..len]))?;
            let (module, item) = (*known.get(&path[..len])?, path.get(len));
            let is_item = |import: &&Vec<String>| item.is_some() && import.last() == item;
            match imports[module].1.iter().find(is_item) {
                Some(import) if *import != path => {
                    path = [import, &path[(len + 1).min(path.len())..]].concat();
                }
                _ => return Some(module),
            }
        }
        None
    };
    modules
        .iter()
        .map(|module| {
            let mut named = paths(&module.program);
            named.iter_mut().for_each(|path| *path = module.absolute(path).unwrap_or_default());
            for public in &imports[&*module.path].0 {
                if let Some(at) = named.iter().position(|path| path == public) {
                    named.swap_remove(at);
                }
            }
            let others = named.iter().filter_map(|path| home(path));
            (&*module.path, others.filter(|other| !module.path.starts_with(other)).collect())
        })
        .collect()
}

/// The files of each circle.
pub(crate) fn circles(modules: &[Module]) -> Vec<String> {
    let graph = graph(modules);
    let reach = |from: &[String]| {
        let mut seen: BTreeSet<&[String]> = BTreeSet::new();
        let mut next: Vec<&[String]> = graph[from].iter().copied().collect();
        while let Some(module) = next.pop() {
            if seen.insert(module) {
                next.extend(&graph[module]);
            }
        }
        seen
    };
    let reached: BTreeMap<&[String], _> = graph.keys().map(|from| (*from, reach(from))).collect();
    let mut circles = BTreeSet::new();
    for (from, others) in &reached {
        if others.contains(from) {
            let circle: Vec<String> = others
                .iter()
                .filter(|other| reached[*other].contains(from))
                .map(|module| module.join("/"))
                .collect();
            circles.insert(circle.join(" "));
        }
    }
    circles.into_iter().collect()
}

#[test]
fn circles_are_found_through_re_exports() {
    let check = |files: &[(&str, &str)], expected: &[&str]| {
        let modules: Vec<Module> = files
            .iter()
            .map(|(path, text)| {
                let path: Vec<String> = path.split('/').map(str::to_owned).collect();
                Module::new(&path, text)
            })
            .collect();
        assert_eq!(circles(&modules), expected, "{files:?}");
    };
    check(
        &[("a", "mod b; mod c;"), ("a/b", "use super::c::C;"), ("a/c", "use super::b::B;")],
        &["a/b a/c"],
    );
    check(&[("a", "mod b; mod c;"), ("a/b", "use super::c::C;"), ("a/c", "struct C;")], &[]);
    // What a file takes from a re-export it takes from where that comes from.
    check(&[("a", "mod b; mod c; pub use c::C;"), ("a/b", "use super::C;"), ("a/c", "")], &[]);
    check(&[("a", "mod b; pub use b::B; pub struct A;"), ("a/b", "use super::A;")], &[]);
    check(&[("a", "mod b; use b::B; pub struct A;"), ("a/b", "use super::A;")], &[]);
    check(
        &[
            ("a", "mod b; mod c;"),
            ("a/b", "fn f() { crate::a::c::g() }"),
            ("a/c/d", "use crate::a::b::B;"),
        ],
        &[],
    );
    check(
        &[
            ("a/b", "use super::c::C;"),
            ("a/c", "mod d; use d::D;"),
            ("a/c/d", "use crate::a::b::B;"),
        ],
        &["a/b a/c a/c/d"],
    );
    let in_tests = "#[cfg(test)] mod t { use crate::a::c::C; }";
    check(&[("a/b", in_tests), ("a/c", "use super::b::B;")], &[]);
}
