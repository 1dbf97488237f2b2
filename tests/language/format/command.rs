//! `peerage fmt` as it is typed.

use std::{
    fs::{self, Permissions},
    io::Write,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

const MESSY: &str = "rule:hasTag( A )->[B];// why\n";
const TIDY: &str = "rule: hasTag(A) -> [B]; // why\n";

struct Folder(TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(TempDir::new().unwrap());
        for (name, text) in files {
            let path = folder.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn command(&self, typed: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_peerage"));
        command.current_dir(self.0.path()).arg("fmt").args(typed.split_whitespace());
        command
    }

    fn run(&self, typed: &str) -> (i32, String, String) {
        reported(self.command(typed).stdin(Stdio::null()).output().unwrap())
    }

    fn pipe(&self, typed: &str, input: &str) -> (i32, String, String) {
        let mut command = self.command(typed);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that refuses does not read.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        reported(child.wait_with_output().unwrap())
    }

    /// The names of all entries, hidden ones too.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn reported(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn files_are_rewritten_in_place() {
    let folder = Folder::new(&[
        ("a.peerage", MESSY),
        ("b.peerage", TIDY),
        ("sub/c.yaml", "tags:   [A]"),
        ("sub/d.json", "{\"tags\":[\"A\"]}"),
        ("users.csv", "id,tags\n1,A\n"),
        ("x.test.yaml", "tests:   []"),
    ]);
    fs::set_permissions(folder.path("a.peerage"), Permissions::from_mode(0o640)).unwrap();
    let untouched = fs::metadata(folder.path("b.peerage")).unwrap().ino();
    let (code, out, err) = folder.run(".");
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    assert_eq!(err, "formatted a.peerage\nformatted sub/c.yaml\nformatted sub/d.json\n");
    assert_eq!(folder.read("a.peerage"), TIDY);
    assert_eq!(folder.read("sub/c.yaml"), "tags: [A]\n");
    assert_eq!(folder.read("sub/d.json"), "{\n  \"tags\": [\"A\"]\n}\n");
    assert_eq!(folder.read("users.csv"), "id,tags\n1,A\n");
    assert_eq!(folder.read("x.test.yaml"), "tests:   []");
    let mode = fs::metadata(folder.path("a.peerage")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640, "permissions are kept");
    assert_eq!(fs::metadata(folder.path("b.peerage")).unwrap().ino(), untouched);
    assert_eq!(folder.names(), ["a.peerage", "b.peerage", "sub", "users.csv", "x.test.yaml"]);
    assert_eq!(folder.run("."), (0, String::new(), String::new()), "all is in canonical form");
}

#[test]
fn check_only_lists() {
    let folder = Folder::new(&[("a.peerage", MESSY), ("b.peerage", TIDY)]);
    let (code, out, err) = folder.run("--check .");
    assert_eq!((code, out.as_str(), err.as_str()), (1, "a.peerage\n", ""));
    assert_eq!(folder.read("a.peerage"), MESSY);
    assert_eq!(folder.run("--check b.peerage").0, 0);
    let (code, out, _) = folder.run("--check --format json .");
    let listed: Value = serde_json::from_str(&out).unwrap();
    let expected = json!([
        { "file": "a.peerage", "changed": true },
        { "file": "b.peerage", "changed": false },
    ]);
    assert_eq!((code, listed), (1, expected));
}

#[test]
fn a_file_with_mistakes_is_left_alone() {
    let bad = "rule:  hasTag(A -> [B];\n";
    let folder = Folder::new(&[("a.peerage", MESSY), ("bad.peerage", bad)]);
    let (code, out, err) = folder.run("bad.peerage a.peerage");
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("bad.peerage:1") && err.contains("formatted a.peerage"), "{err}");
    assert_eq!(folder.read("bad.peerage"), bad);
    assert_eq!(folder.read("a.peerage"), TIDY);
    let (code, out, err) = folder.run("--to yaml bad.peerage");
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("bad.peerage:1"), "{err}");
    let (_, out, _) = folder.run("--format json bad.peerage");
    let listed: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(listed[0]["changed"], false);
    assert_eq!(listed[0]["report"]["errors"], 1);
}

#[test]
fn links_are_written_through() {
    let folder = Folder::new(&[("real/a.peerage", MESSY)]);
    symlink("real/a.peerage", folder.path("link.peerage")).unwrap();
    let (code, _, err) = folder.run("link.peerage");
    assert_eq!((code, err.as_str()), (0, "formatted link.peerage\n"));
    assert!(fs::symlink_metadata(folder.path("link.peerage")).unwrap().is_symlink());
    assert_eq!(folder.read("real/a.peerage"), TIDY);
    let (code, _, err) = folder.run("--to yaml real/a.peerage --output link.peerage");
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(fs::symlink_metadata(folder.path("link.peerage")).unwrap().is_symlink());
    assert!(folder.read("real/a.peerage").starts_with("rules:\n"));
}

#[test]
fn one_file_is_converted() {
    let folder = Folder::new(&[("a.peerage", MESSY), ("b.yaml", "tags: [A] # b\n")]);
    let yaml = "rules:\n  # why\n  - condition: hasTag(A)\n    outcome: [B]\n";
    assert_eq!(folder.run("--to yaml a.peerage"), (0, yaml.to_owned(), String::new()));
    assert_eq!(folder.run("--to dsl b.yaml").1, "tags: [A]; // b\n");
    assert_eq!(folder.run("--to yaml a.peerage -o new.yaml"), Default::default());
    assert_eq!(folder.read("new.yaml"), yaml);
    assert_eq!(folder.read("a.peerage"), MESSY);
    let (code, out, _) = folder.run("--to dsl --format json b.yaml");
    let reported: Value = serde_json::from_str(&out).unwrap();
    let expected = json!([{ "file": "b.yaml", "changed": true, "text": "tags: [A]; // b\n" }]);
    assert_eq!((code, reported), (0, expected));
}

#[test]
fn standard_input_is_one_file() {
    let folder = Folder::new(&[]);
    let none = String::new;
    assert_eq!(folder.pipe("-", MESSY), (0, TIDY.to_owned(), none()));
    assert_eq!(folder.pipe("--from yaml -", "tags: [ A ]"), (0, "tags: [A]\n".to_owned(), none()));
    assert_eq!(folder.pipe("--to dsl -", "tags: [ A ]"), (0, "tags: [A];\n".to_owned(), none()));
    assert_eq!(folder.pipe("--to yaml -", "tags:[A];"), (0, "tags: [A]\n".to_owned(), none()));
    let coloured = "/// \u{1b}[31mred\nrule: a -> [];\n";
    assert_eq!(folder.pipe("-", coloured), (0, coloured.to_owned(), none()), "every byte counts");
    assert_eq!(folder.pipe("--check -", MESSY), (1, "<stdin>\n".to_owned(), none()));
    assert_eq!(folder.pipe("--check -", TIDY), (0, none(), none()));
    let (code, out, err) = folder.pipe("-", "tags: [A");
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("<stdin>:1"), "{err}");
}

#[test]
fn that_aliases_are_written_out_is_said() {
    let aliased = "users:\n  a: &staff { tags: [A] }\n  b: *staff\n  c: *staff\n";
    let folder = Folder::new(&[("a.yaml", aliased), ("b.yaml", "tags: [A, B]\n")]);
    let said = "a.yaml: 2 aliases are written out";
    let (code, out, err) = folder.run("--check .");
    assert_eq!((code, out.trim()), (1, "a.yaml"), "{err}");
    assert!(err.contains(said) && !err.contains("b.yaml: "), "{err}");
    let (code, out, err) = folder.run("--to dsl a.yaml");
    assert!(code == 0 && err.contains(said) && out.contains("user c"), "{out}{err}");
    let (code, out, err) = folder.pipe("--to dsl -", aliased);
    assert!(
        code == 0 && err.contains("2 aliases are written out") && out.contains("user c"),
        "{err}"
    );
    let (_, out, _) = folder.run("--check --format json .");
    let reported: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&reported[0]["aliases"], &reported[1]["aliases"]),
        (&json!(2), &Value::Null),
        "{reported}"
    );
    let (code, _, err) = folder.run("a.yaml");
    assert!(code == 0 && err.contains(said), "{err}");
    assert!(!folder.read("a.yaml").contains('*'));
    let (_, _, err) = folder.run("a.yaml");
    assert!(!err.contains("alias"), "{err}");
}

#[test]
fn what_can_not_be_carried_out_is_said() {
    let folder = Folder::new(&[
        ("a.peerage", MESSY),
        ("b.peerage", MESSY),
        ("users.csv", "id,tags\n"),
        ("x.test.yaml", "tests: []"),
        ("twice.peerage", "user a {} user a {}"),
        ("json/c.json", "{} # c"),
    ]);
    for (typed, why) in [
        ("users.csv", "bulk files have no canonical form"),
        ("--to yaml users.csv", "bulk files have no canonical form"),
        ("x.test.yaml", "test files have no canonical form"),
        ("missing.yaml", "no such file"),
        ("--to yaml missing.yaml", "No such file"),
        ("--to yaml a.peerage b.peerage", "one file at a time"),
        ("--to yaml .", "one file at a time"),
        ("--to yaml twice.peerage", "could not be read back"),
        ("- a.peerage", "can't be combined with other paths"),
        ("--from dsl a.peerage", "standard input"),
        ("--output x.yaml a.peerage", "--to"),
        ("--check --to yaml a.peerage", "cannot be used with"),
        ("--to json a.peerage", "invalid value"),
    ] {
        let (code, out, err) = folder.run(typed);
        assert_eq!((code, out.as_str()), (2, ""), "{typed}: {err}");
        assert!(err.contains(why), "{typed}: {err}");
    }
    assert_eq!(folder.read("a.peerage"), MESSY);
    let (code, out, err) = folder.run("json");
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    assert!(err.contains("comments are not allowed in JSON"), "{err}");
    assert_eq!(folder.read("json/c.json"), "{} # c");
    let (_, help, _) = folder.run("--help");
    assert!(help.contains("Examples:") && help.contains("peerage fmt --to dsl"), "{help}");
}
