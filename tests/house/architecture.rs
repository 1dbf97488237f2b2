//! The rules of the house: who may know of whom, and how files look.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail by it"
)]

mod circles;
mod language;
mod messages;
mod papers;
mod rooms;
mod scan;
mod supply;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use rooms::{CLIENT, HEAVY, OUTERMOST, ROOMS, TOP};
use scan::{from_root, panics, paths, tokens, without_tests};

/// Files longer than this are walls.
const MOST_LINES: usize = 600;

/// A file of the crate, and where it stands in the tree of modules.
struct File {
    path: String,
    module: Vec<String>,
    text: String,
}

impl File {
    fn new(path: &str, text: &str) -> Self {
        let inside = path.trim_start_matches("src/").trim_end_matches(".rs");
        let inside = match inside {
            "lib" | "main" => "",
            "../grammar/policy.lalrpop" => "syntax/dsl/policy",
            other => other.trim_end_matches("/mod"),
        };
        let module = inside.split('/').filter(|part| !part.is_empty()).map(str::to_owned);
        Self { path: path.to_owned(), module: module.collect(), text: text.to_owned() }
    }

    fn room(&self) -> Option<&str> {
        self.module.first().map(String::as_str)
    }

    fn program(&self) -> Vec<scan::Token> {
        without_tests(&tokens(&self.text))
    }

    /// What it names of other rooms than its room may know of, what it takes over whole from them,
    /// and heavy dependencies that are another room's.
    fn strays(&self) -> Vec<String> {
        let Some(room) = self.room() else { return Vec::new() };
        let may_know: Option<&[&str]> =
            ROOMS.iter().find(|(name, _)| *name == room).map(|(_, known)| *known);
        let mut found = Vec::new();
        for path in paths(&self.program()) {
            let shown = path.join("::");
            for (dependency, home) in HEAVY {
                let is_client = room == OUTERMOST && CLIENT.contains(&dependency);
                if path[0] == dependency && path.len() > 1 && room != home && !is_client {
                    found.push(format!("`{shown}` is for {home} to use"));
                }
            }
            let Some(inner) = from_root(&path, &self.module) else { continue };
            let Some(first) = inner.first().filter(|&first| first != room) else { continue };
            if inner.last().is_some_and(|last| last == "*") {
                found.push(format!("`{shown}` hides what it names"));
            }
            let inner = inner.join("::");
            let is_known = |known: &&str| {
                inner
                    .strip_prefix(*known)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
            };
            let is_open = match may_know {
                Some(known) => known.iter().any(is_known),
                None => room == OUTERMOST,
            };
            // The root holds rooms only, so a name beside them is none of the rooms' business.
            if !is_open || first == OUTERMOST {
                found.push(format!("{room} knows nothing of `{inner}`"));
            }
        }
        found
    }
}

fn read(folder: &Path, into: &mut Vec<File>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            read(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            into.push(File::new(path.to_str().unwrap(), &text));
        }
    }
}

fn sources() -> Vec<File> {
    let mut files = Vec::new();
    read("src".as_ref(), &mut files);
    assert!(files.len() > 50);
    files
}

/// What is wrong with some files, each line with its file.
fn complaints(files: &[File], wrong: impl Fn(&File) -> Vec<String>) -> Vec<String> {
    files
        .iter()
        .flat_map(|file| wrong(file).into_iter().map(|what| format!("{}: {what}", file.path)))
        .collect()
}

#[track_caller]
fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn rooms_know_only_of_those_below() {
    let mut files = sources();
    let grammar = fs::read_to_string("grammar/policy.lalrpop").unwrap();
    files.push(File::new("src/../grammar/policy.lalrpop", &grammar));
    assert_none(&complaints(&files, File::strays));
}

#[test]
fn every_room_is_in_the_table() {
    let rooms: BTreeSet<&str> = ROOMS.iter().map(|(room, _)| *room).chain([OUTERMOST]).collect();
    let files = sources();
    let found: BTreeSet<&str> = files.iter().filter_map(File::room).collect();
    assert_eq!(found, rooms);
    for (at, (room, known)) in ROOMS.iter().enumerate() {
        for below in *known {
            let below = below.split("::").next().unwrap();
            let is_below = ROOMS[..at].iter().any(|(earlier, _)| *earlier == below);
            assert!(is_below, "{room} may know of {below}, which comes after it");
        }
    }
}

#[test]
fn heavy_dependencies_are_still_there() {
    let manifest = fs::read_to_string("Cargo.toml").unwrap();
    for (dependency, home) in HEAVY {
        let name = dependency.replace('_', "-");
        assert!(manifest.contains(&format!("\n{name} = ")), "{name}, which is {home}'s, is gone");
    }
}

#[test]
fn every_room_says_what_holds_in_it() {
    for (room, _) in ROOMS.iter().chain([&(OUTERMOST, &[][..])]) {
        let path = format!("src/{room}/mod.rs");
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let doc: Vec<&str> = text.lines().take_while(|line| line.starts_with("//!")).collect();
        assert!(doc.len() > 1, "{path} has no module doc");
        assert!(doc.iter().any(|line| line.starts_with("//! Invariant: ")), "{path}: no invariant");
    }
}

#[test]
fn files_are_small_and_do_not_panic() {
    assert_none(&complaints(&sources(), |file| {
        let lines = file.text.lines().count();
        let long = (lines > MOST_LINES).then(|| format!("{lines} lines"));
        let calls = panics(&file.program()).into_iter().map(|call| format!("`{call}` may panic"));
        long.into_iter().chain(calls).collect()
    }));
    let manifest = fs::read_to_string("Cargo.toml").unwrap();
    let lints = manifest.split("[lints.rust]").nth(1).unwrap().split("\n[").next().unwrap();
    assert!(lints.contains("unsafe_code = \"forbid\""));
}

#[test]
fn the_top_of_the_repository_stays_tidy() {
    let listed = Command::new("git").args(["ls-files", "-z"]).output().unwrap();
    assert!(listed.status.success());
    let listed = String::from_utf8(listed.stdout).unwrap();
    let top: BTreeSet<&str> = listed
        .split('\0')
        .filter_map(|path| path.split('/').next())
        .filter(|name| !name.is_empty() && !name.starts_with('.'))
        .collect();
    assert_eq!(top, BTreeSet::from(TOP));
}

/// All programs: the crate, its tests, its benches, its examples, the targets of fuzzing.
fn programs() -> Vec<File> {
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches", "examples", "fuzz/fuzz_targets", "fuzz/targets"] {
        read(folder.as_ref(), &mut files);
    }
    files
}

#[test]
fn files_begin_with_a_sentence_about_themselves() {
    assert_none(&complaints(&programs(), |file| language::first_sentence(&file.text)));
}

#[test]
fn no_two_public_types_have_one_name() {
    let files = sources();
    let files: Vec<(&str, &str)> = files.iter().map(|file| (&*file.path, &*file.text)).collect();
    assert_none(&language::names_of_several(&files));
}

#[test]
fn errors_are_called_errors() {
    assert_none(&complaints(&sources(), |file| language::error_names(&file.text)));
}

#[test]
fn names_say_something() {
    assert_none(&complaints(&sources(), |file| language::names(&file.path, &file.text)));
}

#[test]
fn prose_is_plain() {
    let mut files = programs();
    // Where the words stand that the rules are about.
    let rules = ["tests/house/architecture/language.rs", "tests/house/architecture/messages.rs"];
    files.retain(|file| !rules.contains(&&*file.path));
    let pages = Command::new("git").args(["ls-files", "*.md"]).output().unwrap().stdout;
    let pages = String::from_utf8(pages).unwrap();
    let pages: Vec<&str> = pages.lines().chain(["grammar/policy.lalrpop"]).collect();
    assert!(pages.len() > 30);
    for page in pages {
        files.push(File::new(page, &fs::read_to_string(page).unwrap()));
    }
    assert_none(&complaints(&files, |file| language::words(&file.text)));
}

#[test]
fn files_of_a_room_import_each_other_one_way() {
    let files = sources();
    let rooms: BTreeSet<&str> = files.iter().filter_map(File::room).collect();
    let circles = rooms.into_iter().flat_map(|room| {
        let modules: Vec<circles::Module> = files
            .iter()
            .filter(|file| file.room() == Some(room))
            .map(|file| circles::Module::new(&file.module, &file.text))
            .collect();
        circles::circles(&modules)
    });
    assert_none(&circles.collect::<Vec<_>>());
}

mod the_rules_themselves {
    use super::*;

    fn strays(path: &str, text: &str) -> usize {
        File::new(path, text).strays().len()
    }

    #[test]
    fn a_stray_is_seen_however_it_is_written() {
        for text in [
            "use crate::compile::build;",
            "use crate::{request::Action, compile::{self, build}};",
            "use crate::{\n  request::{Action, User},\n  cli,\n};",
            "use super::super::live::Live;",
            "pub use crate::serve as other;",
            "fn f(x: &crate::policy::Policy) {}",
            "fn f() -> Vec<crate::syntax::Ast<'static>> { Vec::new() }",
            "fn f() { let c = '\"'; crate::source::load(&[\"x\"]); }",
            "fn f<'a>(x: &'a str) { crate::source::load(&[x]); }",
            "use crate::request::*;",
            "use crate::{request::{self, *}};",
            "use hyper::Request;",
            "fn f() { notify::recommended_watcher(g); }",
            "mod x { #[cfg(not(test))] use crate::live; }",
            "#[cfg(test)] mod tests { fn f() {} } use crate::live::Live;",
            "#[cfg(test)] mod tests; use crate::live::Live;",
        ] {
            assert!(strays("src/snapshot/set.rs", text) > 0, "{text}");
        }
        assert_eq!(strays("src/snapshot/set.rs", "use crate::{live::{A, B}, cli};"), 3);
        assert_eq!(strays("src/snapshot/set.rs", "use super::super::live::Live;"), 1);
        assert_eq!(strays("src/snapshot/mod.rs", "use super::live::Live;"), 1);
        assert_eq!(strays("src/compile/mod.rs", "use crate::cli::main;"), 1);
        assert_eq!(strays("src/cli/mod.rs", "use crate::live::*;"), 1);
        assert_eq!(strays("src/policy/mod.rs", "use crate::syntax::yaml::parse;"), 1);
        assert_eq!(strays("src/cellar/mod.rs", "use crate::request::Action;"), 1);
    }

    #[test]
    fn what_is_allowed_is_no_stray() {
        for text in [
            "use crate::request::{Action, User as Person};",
            "use crate::{request::{self, Reason}, snapshot::View};",
            "use super::{Gate, Party};",
            "use super::super::request::Action;",
            "use self::inner::*; use super::*; use crate::snapshot::*;",
            "// use crate::cli;\n/* crate::live::x /* nested */ crate::cli */",
            "/// See [`crate::compile`].\nconst S: &str = \"crate::cli::main\";",
            "const R: &str = r#\"crate::live \" crate::cli\"#; const B: &[u8] = b\"crate::cli\";",
            "pub(crate) fn f(roaring: u32) { x.notify(); Self::clap(); }",
            "#[cfg(test)] mod tests { use crate::live::Live; fn f() { {} } }",
            "#[cfg(test)] use crate::compile::build;",
            "const C: char = '\\''; const D: char = '{';",
        ] {
            assert_eq!(strays("src/snapshot/set.rs", text), 0, "{text}");
        }
        assert_eq!(strays("src/cli/check.rs", "use crate::{compile::build, live::Live};"), 0);
        assert_eq!(strays("src/policy/mod.rs", "use crate::syntax::{Ast, ast};"), 0);
        assert_eq!(strays("src/snapshot/set.rs", "use roaring::{MultiOps, RoaringBitmap};"), 0);
    }

    #[test]
    fn panics_are_seen() {
        let calls = |text: &str| panics(&without_tests(&tokens(text)));
        assert_eq!(calls("fn f() { x\n  .unwrap(); y.expect(\"z\"); }"), ["unwrap", "expect"]);
        assert_eq!(calls("fn f() { panic!(\"x\"); unreachable!() }").len(), 2);
        assert_eq!(
            calls("x.unwrap_or(y); // x.unwrap()\n\"panic!()\"; catch.expected();").len(),
            0
        );
        assert_eq!(calls("#[cfg(test)] mod tests { fn f() { x.unwrap(); } }").len(), 0);
    }
}
