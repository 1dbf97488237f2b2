//! Reading a policy's files: what is found, how it is called, and that it is one set.

#![allow(clippy::unwrap_used, reason = "a test may fail by it")]

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink, net::UnixListener},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use peerage::source::{LIMITS, LoadError, Loaded, fingerprint, load};
use tempfile::TempDir;

fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Names below the folder, and what is in them.
fn contents(loaded: &Loaded, folder: &Path) -> Vec<(String, String)> {
    let below = |name: &str| {
        let name = Path::new(name).strip_prefix(folder).unwrap();
        name.to_str().unwrap().to_owned()
    };
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    loaded.sources.iter().map(|(_, file)| (below(&file.name), text(&file.bytes))).collect()
}

fn names(loaded: &Loaded, folder: &Path) -> Vec<String> {
    contents(loaded, folder).into_iter().map(|(name, _)| name).collect()
}

fn codes(loaded: &Loaded) -> Vec<String> {
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
    let expected =
        ["a.yml", "sub/b.json", "sub/deep/c.peerage", "users.csv", "users.ndjson", "z.yaml"];
    assert_eq!(names(&loaded, root), expected);
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
    let loaded = load(&[root.join("pipe.yaml"), root.join("notes.txt"), root.join("missing")]);
    assert_eq!(codes(&loaded), ["unreadable", "unknown-ending", "unreadable"]);
    assert!(matches!(loaded.errors.first(), Some(LoadError::Unreadable { .. })));
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

/// Whether all files are of one version, which is told.
fn version_of(loaded: &Loaded, folder: &Path) -> usize {
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
            if let [LoadError::Unsteady(_)] = loaded.errors[..] {
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
            if !matches!(loaded.errors[..], [LoadError::Unsteady(_)]) {
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
