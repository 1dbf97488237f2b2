//! Reading a policy's files: what is found, how it is called, and that it is one set.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by it"
)]

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink, net::UnixListener},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use peerage::source::{
    Ignore, LIMITS, LoadError, LoadedSources, Notation, Scope, fingerprint, load, load_with_tests,
};
use tempfile::TempDir;

fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Names below the folder, and what is in them.
fn contents(loaded: &LoadedSources, folder: &Path) -> Vec<(String, String)> {
    let below = |name: &str| {
        let name = Path::new(name).strip_prefix(folder).unwrap();
        name.to_str().unwrap().to_owned()
    };
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    loaded.sources.iter().map(|(_, file)| (below(&file.name), text(&file.bytes))).collect()
}

fn names(loaded: &LoadedSources, folder: &Path) -> Vec<String> {
    contents(loaded, folder).into_iter().map(|(name, _)| name).collect()
}

fn codes(loaded: &LoadedSources) -> Vec<String> {
    loaded
        .errors
        .iter()
        .map(|error| peerage::diagnostic::Diagnostic::from(error).code.to_string())
        .collect()
}

#[test]
fn finds_policy_files_below_folders() {
    let temp = TempDir::new().unwrap();
    let root = temp.path();
    for name in [
        "z.yaml",
        "a.yml",
        "sub/b.json",
        "sub/deep/c.peerage",
        "users.ndjson",
        "users.csv",
        "upper.YAML",
        "mixed.Peerage",
        "staff.CSV",
        "b.TEST.Yaml",
        "README.md",
        ".hidden.yaml",
        ".git/config.yaml",
        "..data_tmp/x.yaml",
        "a.test.yaml",
    ] {
        write(root, name, name);
    }
    let loaded = load(&[root]);
    assert!(loaded.errors.is_empty(), "{:?}", loaded.errors);
    let expected = [
        "a.yml",
        "mixed.Peerage",
        "staff.CSV",
        "sub/b.json",
        "sub/deep/c.peerage",
        "upper.YAML",
        "users.csv",
        "users.ndjson",
        "z.yaml",
    ];
    assert_eq!(names(&loaded, root), expected);
    let loaded = load_with_tests(&[root]);
    let tests = loaded.sources.iter().filter(|(_, file)| file.notation == Notation::Tests);
    assert_eq!(tests.count(), 2);
    assert_eq!(names(&load(&[root.join("upper.YAML")]), root), ["upper.YAML"]);
}

#[test]
fn links_do_not_lead_out_of_the_folder() {
    let temp = TempDir::new().unwrap();
    let (root, outside) = (temp.path().join("policy"), temp.path().join("outside"));
    write(&root, "sub/a.yaml", "a");
    write(&outside, "b.yaml", "b");
    let is_refused = |link: &str, target: &Path| {
        let _ = fs::remove_file(root.join(link));
        symlink(target, root.join(link)).unwrap();
        let loaded = load(&[&root]);
        fs::remove_file(root.join(link)).unwrap();
        match &loaded.errors[..] {
            [] => false,
            [LoadError::LinkOutside { link: named, target }] => {
                assert_eq!(named, &root.join(link));
                assert!(target.starts_with(temp.path()) || target == Path::new("/"), "{target:?}");
                true
            }
            other => panic!("{link}: {other:?}"),
        }
    };
    for (link, target, expected) in [
        ("l.yaml", outside.join("b.yaml"), true),
        ("l.yaml", "../outside/b.yaml".into(), true),
        ("l.yaml", "../outside/missing.yaml".into(), true),
        ("folder", outside.clone(), true),
        ("folder", "/".into(), true),
        ("..data", outside.clone(), true),
        (".peerageignore", outside.join("b.yaml"), true),
        ("sub/l.yaml", "../../outside/b.yaml".into(), true),
        ("sub/l.yaml", "../../policy/sub/a.yaml".into(), false),
        ("folder", "sub".into(), false),
        ("up", ".".into(), false),
        // Of no interest, wherever it leads.
        ("notes.txt", outside.join("b.yaml"), false),
        (".hidden", outside.clone(), false),
    ] {
        assert_eq!(is_refused(link, &target), expected, "{link} -> {target:?}");
    }
    // What is given besides may be led to, and what is given may be a link itself.
    symlink(&outside, root.join("folder")).unwrap();
    let loaded = load(&[&root, &outside]);
    assert!(loaded.errors.is_empty(), "{:?}", loaded.errors);
    fs::remove_file(root.join("folder")).unwrap();
    symlink(&root, temp.path().join("current")).unwrap();
    symlink(outside.join("b.yaml"), temp.path().join("named.yaml")).unwrap();
    let loaded = load(&[temp.path().join("current"), temp.path().join("named.yaml")]);
    assert!(loaded.errors.is_empty(), "{:?}", loaded.errors);
    assert_eq!(names(&loaded, temp.path()), ["current/sub/a.yaml", "named.yaml"]);
}

#[test]
fn what_is_ignored_is_passed_over() {
    let temp = TempDir::new().unwrap();
    let root = temp.path();
    for name in ["a.yaml", "kustomization.yaml", "sub/package.json", "sub/b.yaml", "gen/c.yaml"] {
        write(root, name, name);
    }
    fs::create_dir_all(root.join("lost+found")).unwrap();
    write(root, "lost+found/d.yaml", "d");
    symlink("/etc", root.join("gen-link")).unwrap();
    let ignore = |globs: &[&str]| Ignore::new(globs).unwrap();
    let read = |globs: &[&str]| {
        let loaded = Scope::new([root]).with_ignore(ignore(globs)).load();
        assert!(loaded.errors.is_empty(), "{:?}", loaded.errors);
        names(&loaded, root)
    };
    let globs = ["kustomization.yaml", "package.json", "/gen*"];
    assert_eq!(read(&globs), ["a.yaml", "sub/b.yaml"]);
    let before = fingerprint(&[root]);
    write(root, ".peerageignore", "# not ours\nkustomization.yaml\n/gen/\n/gen-link\n");
    write(root, "sub/.peerageignore", "/package.json\n");
    assert_ne!(before, fingerprint(&[root]));
    assert_eq!(read(&[]), ["a.yaml", "sub/b.yaml"]);
    assert_eq!(read(&["!/gen/"]), ["a.yaml", "gen/c.yaml", "sub/b.yaml"]);
    // What is given by its own name is meant.
    assert_eq!(names(&load(&[root.join("gen"), root.join("kustomization.yaml")]), root).len(), 2);
    write(root, "sub/.peerageignore", "a{b\n");
    let loaded = load(&[root]);
    assert_eq!(codes(&loaded), ["invalid-pattern"]);
    assert!(Ignore::new(&["a{b"]).is_err());
}

#[test]
fn a_pipe_by_itself_is_read_once() {
    let temp = TempDir::new().unwrap();
    let pipe = temp.path().join("pipe.YAML");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let writer = thread::spawn({
        let pipe = pipe.clone();
        move || fs::write(pipe, "piped").unwrap()
    });
    let loaded = load(&[&pipe]);
    writer.join().unwrap();
    assert_eq!(contents(&loaded, temp.path()), [("pipe.YAML".to_owned(), "piped".to_owned())]);
}

#[test]
fn bulk_files_are_read_no_further_than_makes_sense() {
    let temp = TempDir::new().unwrap();
    let root = temp.path();
    let sparse = fs::File::create(root.join("sparse.ndjson")).unwrap();
    sparse.set_len(8 << 30).unwrap();
    write(root, "long.csv", format!("id,tags\n{}\n", "x".repeat((16 << 20) + 1)));
    let loaded = load(&[root]);
    assert_eq!(codes(&loaded), ["long-line", "nul-byte"]);
    let long = loaded.errors[0].to_string();
    assert!(long.starts_with("line 2 of ") && long.contains("16777216 bytes"), "{long}");
}

#[test]
fn order_and_repetition_do_not_matter() {
    let temp = TempDir::new().unwrap();
    let root = temp.path();
    write(root, "a.yaml", "a");
    write(root, "sub/b.yaml", "b");
    symlink(root.join("sub"), root.join("zlink")).unwrap();
    symlink(root, root.join("sub/up")).unwrap();
    symlink("loop.yaml", root.join("loop.yaml")).unwrap();
    let sub = root.join("sub");
    let file = root.join("a.yaml");
    let paths = [root, &sub, &file, &file];
    let loaded = load(&paths);
    assert_eq!(names(&loaded, root), ["a.yaml", "sub/b.yaml"]);
    assert_eq!(codes(&loaded), ["unreadable"]);
    let reversed: Vec<_> = paths.into_iter().rev().collect();
    assert_eq!(contents(&load(&reversed), root), contents(&loaded, root));
    assert_eq!(fingerprint(&reversed), fingerprint(&paths));
}

#[test]
fn what_is_no_file_is_refused() {
    let temp = TempDir::new().unwrap();
    let root = temp.path();
    write(root, "good.yaml", "");
    write(root, "notes.txt", "");
    let _listener = UnixListener::bind(root.join("socket.yaml")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(root.join("pipe.yaml")).status();
    assert!(made.unwrap().success());
    let loaded = load(&[root]);
    assert_eq!(names(&loaded, root), ["good.yaml"]);
    assert_eq!(codes(&loaded), ["unreadable", "unreadable"]);
    let named = [root.join("socket.yaml"), root.join("notes.txt"), root.join("missing")];
    let loaded = load(&named);
    assert_eq!(codes(&loaded), ["unreadable", "unknown-ending", "unreadable"]);
    assert!(matches!(loaded.errors.first(), Some(LoadError::Unreadable { .. })));
    // Nobody writes into the pipe, so reading it would never end.
    let loaded = Scope::new([root.join("pipe.yaml")]).files_only().load();
    assert!(matches!(loaded.errors[..], [LoadError::OnlyOnce { .. }]), "{:?}", loaded.errors);
}

#[test]
fn names_that_are_no_text_stay_apart() {
    let temp = TempDir::new().unwrap();
    for name in [&b"a\xfe.yaml"[..], b"a\xff.yaml", b"a\n.yaml"] {
        fs::write(temp.path().join(OsStr::from_bytes(name)), "").unwrap();
    }
    let loaded = load(&[temp.path()]);
    assert_eq!(names(&loaded, temp.path()), ["a\n.yaml", "a\\xfe.yaml", "a\\xff.yaml"]);
}

#[test]
fn no_files_is_an_error() {
    let temp = TempDir::new().unwrap();
    assert_eq!(codes(&load(&[temp.path()])), ["no-files"]);
    assert_eq!(codes(&load(&[] as &[&Path])), ["no-files"]);
}

#[test]
fn large_files_are_refused_unread_and_others_still_read() {
    let temp = TempDir::new().unwrap();
    let root = temp.path();
    write(root, "good.yaml", "");
    let large = fs::File::create(root.join("large.yaml")).unwrap();
    large.set_len(LIMITS.text_file * 1000).unwrap();
    let loaded = load(&[root]);
    assert_eq!(codes(&loaded), ["too-large"]);
    assert_eq!(names(&loaded, root), ["good.yaml"]);
}

#[test]
fn folders_nested_too_deep_are_refused() {
    let temp = TempDir::new().unwrap();
    let folder = vec!["d"; LIMITS.folders + 2].join("/");
    write(temp.path(), &format!("{folder}/deep.yaml"), "");
    write(temp.path(), "good.yaml", "");
    let loaded = load(&[temp.path()]);
    assert_eq!(codes(&loaded), ["too-deep"]);
    assert_eq!(names(&loaded, temp.path()), ["good.yaml"]);
}

#[test]
fn digests_and_fingerprints_tell_changes() {
    let temp = TempDir::new().unwrap();
    let root = temp.path();
    write(root, "a.yaml", "one");
    let digest = || load(&[root]).sources.iter().map(|(_, file)| file.digest()).next();
    let (first, before) = (digest(), fingerprint(&[root]));
    assert_eq!(before, fingerprint(&[root]));
    write(root, "a.tmp", "one");
    fs::rename(root.join("a.tmp"), root.join("a.yaml")).unwrap();
    assert_ne!(before, fingerprint(&[root]));
    assert_eq!(first, digest());
    write(root, "a.yaml", "two");
    assert_ne!(first, digest());
}

/// A folder as the kubelet lays it out.
struct ConfigMap<'p> {
    root: &'p Path,
    version: usize,
}

const FILES: [&str; 4] = ["a.yaml", "b.peerage", "c.ndjson", "d.csv"];

impl ConfigMap<'_> {
    /// Lays out the next version, swaps it in and removes the last one.
    fn swap(&mut self) {
        let Self { root, version } = *self;
        let next = version + 1;
        let folder = format!("..2026_11_{next}");
        // Each version has one file that the next has not, and so the set of names is torn too if
        // the versions are.
        for name in FILES.iter().copied().chain([format!("extra-{next}.yaml").as_str()]) {
            write(root, &format!("{folder}/{name}"), next.to_string());
        }
        let _ = fs::remove_file(root.join("..data_tmp"));
        symlink(&folder, root.join("..data_tmp")).unwrap();
        fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
        for name in FILES.iter().copied().chain([format!("extra-{next}.yaml").as_str()]) {
            let _ = symlink(format!("..data/{name}"), root.join(name));
        }
        let _ = fs::remove_file(root.join(format!("extra-{version}.yaml")));
        let _ = fs::remove_dir_all(root.join(format!("..2026_11_{version}")));
        self.version = next;
    }
}

/// Whether all files are of one version, which is reported.
fn version_of(loaded: &LoadedSources, folder: &Path) -> usize {
    let contents = contents(loaded, folder);
    let (_, version) = contents.first().unwrap();
    let mut expected: Vec<_> = FILES.map(str::to_owned).to_vec();
    expected.push(format!("extra-{version}.yaml"));
    expected.sort();
    let found: Vec<_> = contents.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(found, expected);
    assert!(contents.iter().all(|(_, text)| text == version), "torn: {contents:?}");
    version.parse().unwrap()
}

/// Loads as long as something is swapped over and over, and counts what came of it.
fn load_during(swaps: usize, paths: &[&Path], shown: &Path, mut swap: impl FnMut() + Send) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..swaps {
                swap();
            }
            done.store(true, Ordering::Release);
        });
        let mut seen = std::collections::BTreeSet::new();
        let mut given_up = 0;
        while !done.load(Ordering::Acquire) {
            let loaded = load(paths);
            if let [LoadError::KeepsChanging(_)] = loaded.errors[..] {
                given_up += 1;
                continue;
            }
            assert!(loaded.errors.is_empty(), "{:?}", loaded.errors);
            seen.insert(version_of(&loaded, shown));
        }
        assert!(seen.len() > 10, "{seen:?} seen, {given_up} given up");
        assert!(given_up <= seen.len() / 10, "{} seen, {given_up} given up", seen.len());
    });
}

#[test]
fn a_config_map_is_never_torn() {
    let temp = TempDir::new().unwrap();
    let root = temp.path();
    let mut map = ConfigMap { root, version: 0 };
    map.swap();
    load_during(3_000, &[root], root, || map.swap());
}

#[test]
fn files_of_a_config_map_given_by_name_are_never_torn() {
    let temp = TempDir::new().unwrap();
    let root = temp.path();
    let mut map = ConfigMap { root, version: 0 };
    map.swap();
    let done = AtomicBool::new(false);
    let paths = FILES.map(|name| root.join(name));
    thread::scope(|scope| {
        scope.spawn(|| {
            (0..2_000).for_each(|_| map.swap());
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            let loaded = load(&paths);
            if !matches!(loaded.errors[..], [LoadError::KeepsChanging(_)]) {
                let contents = contents(&loaded, root);
                assert_eq!(contents.len(), FILES.len());
                assert!(contents.windows(2).all(|pair| pair[0].1 == pair[1].1), "{contents:?}");
            }
        }
    });
}

/// Swaps a link to a worktree, as git-sync does.
fn swap_worktree(root: &Path, link: &str, version: usize) {
    for name in FILES.iter().copied().chain([format!("extra-{version}.yaml").as_str()]) {
        write(root, &format!(".worktrees/{version}/{name}"), version.to_string());
    }
    symlink(format!(".worktrees/{version}"), root.join(".next")).unwrap();
    fs::rename(root.join(".next"), root.join(link)).unwrap();
    if let Some(last) = version.checked_sub(1) {
        let _ = fs::remove_dir_all(root.join(format!(".worktrees/{last}")));
    }
}

#[test]
fn a_worktree_is_never_torn() {
    let temp = TempDir::new().unwrap();
    let root = temp.path();
    let link = root.join("current");
    let mut version = 0;
    let mut swap = || {
        version += 1;
        swap_worktree(root, "current", version);
    };
    swap();
    load_during(1_500, &[&link], &link, &mut swap);
    load_during(1_500, &[root], &link, &mut swap);
}
