//! Stores in which a single bit has flipped, wherever it lies: each is as it was, or refused, or says
//! that it stepped back; and no revision is ever given twice.
//!
//! Some hundred flips run with the other tests. `PEERAGE_FLIPS=all` flips every bit of the head and
//! hundreds of places of each page.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use peerage::{
    facts::RecordKind,
    source::Existing,
    store::{self, CommitResult, EmbeddedStore, IfMissing, Store, StoreError},
};
use tempfile::TempDir;

use crate::{
    laws::sets::{all, set, together, user},
    stores::first_build::unpacked,
};

const PAGE: usize = 4096;

/// What redb and the mark take of the first page.
const HEAD: usize = 512;

/// What became of a store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Outcome {
    AsItWas,
    Refused,
    SteppedBack,
}

/// Users enough for branches and leaves, whom the last commit changes all.
fn written(folder: &Path) -> EmbeddedStore {
    let store = EmbeddedStore::open(folder.join("facts")).unwrap();
    for at in 0..30 {
        let set = set(&user(&format!("{at:03}")), None, Some(&"x".repeat(700)));
        assert!(matches!(store.commit(&[set]), Ok(CommitResult::Committed(_))));
    }
    let ban =
        together((0..30).map(|at| set(&user(&format!("{at:03}")), Some(at + 1), Some("ban"))));
    assert!(matches!(store.commit(&[ban]), Ok(CommitResult::Committed(_))));
    store
}

/// As a kill leaves it.
fn unclosed(folder: &Path) -> PathBuf {
    let store = written(folder);
    let path = folder.join("unclosed");
    fs::copy(store.path(), &path).unwrap();
    path
}

fn closed(folder: &Path) -> PathBuf {
    let store = written(folder);
    store.close().unwrap();
    store.path().to_owned()
}

fn from_first_build(folder: &Path) -> PathBuf {
    unpacked("unclosed", folder)
}

fn closed_from_first_build(folder: &Path) -> PathBuf {
    unpacked("closed", folder)
}

/// Which bit of a byte to flip: another from byte to byte.
fn bit_of(at: usize) -> u8 {
    u8::try_from(at % 8).unwrap_or_default()
}

/// Where to flip which bit. Of each page that is in use: what kind of page it is, how many records it
/// has, its first offsets, the middle, and the last byte that is not 0.
fn places(bytes: &[u8]) -> Vec<(usize, u8)> {
    let is_all = std::env::var_os("PEERAGE_FLIPS").is_some_and(|which| which == "all");
    if is_all {
        let head = (0..HEAD).flat_map(|at| (0..8).map(move |bit| (at, bit)));
        let pages = (PAGE..bytes.len()).step_by(61).filter(|at| bytes[*at] != 0 || at % 3 == 0);
        return head.chain(pages.map(|at| (at, bit_of(at)))).collect();
    }
    // All flags, and a bit of each other byte that is not unused.
    let flags = (0..8).map(|bit| (9, bit));
    let head = (0..HEAD).filter(|at| bytes[*at] != 0 || at % 16 == 0).map(|at| (at, bit_of(at)));
    let pages = (PAGE..bytes.len()).step_by(PAGE).flat_map(|start| {
        let page = &bytes[start..(start + PAGE).min(bytes.len())];
        let last = page.iter().rposition(|&byte| byte != 0);
        last.into_iter()
            .flat_map(move |last| [0, 2, 6, last / 2, last].map(|at| (start + at, bit_of(at))))
    });
    flags.chain(head).chain(pages).collect()
}

/// What becomes of a store with one bit flipped, whatever it is opened by.
fn flipped(path: &Path, sound: &[u8], (at, bit): (usize, u8), expected: &(u64, String)) -> Outcome {
    let mut bytes = sound.to_owned();
    bytes[at] ^= 1 << bit;
    fs::write(path, &bytes).unwrap();
    let place = format!("byte {at}, bit {bit}");
    let checked = store::check(path);
    assert!(fs::read(path).unwrap() == bytes, "{place}: a check changes nothing");
    let opened = store::open(path.to_str().unwrap(), IfMissing::Refuse);
    match (checked, opened) {
        (Ok(checked), Ok(open)) => {
            assert_eq!((checked.stepped_back, &checked.damaged[..]), (None, &[][..]), "{place}");
            assert_eq!(checked.revision, expected.0, "{place}");
            let (revision, entries) = all(&*open);
            assert_eq!((revision, format!("{entries:?}")), *expected, "{place}");
            let next = open.commit(&[set(&user("new"), None, Some("x"))]).unwrap();
            assert_eq!(next, CommitResult::Committed(vec![expected.0 + 1]), "{place}");
            Outcome::AsItWas
        }
        (Ok(checked), Err(StoreError::RolledBack { found, known, .. })) => {
            let reported = checked.stepped_back.unwrap();
            assert_eq!((reported.found, reported.known), (found, known), "{place}");
            assert!(fs::read(path).unwrap() == bytes, "{place}: what is refused is not changed");
            Outcome::SteppedBack
        }
        (Err(_), Err(_)) => {
            assert!(fs::read(path).unwrap() == bytes, "{place}: what is refused is not changed");
            Outcome::Refused
        }
        (checked, opened) => panic!("{place}: {checked:?}, but {opened:?}"),
    }
}

#[test]
fn a_flipped_bit_undoes_nothing_in_silence() {
    for make in [unclosed, closed, from_first_build, closed_from_first_build] {
        let folder = TempDir::new().unwrap();
        let path = make(folder.path());
        let sound = fs::read(&path).unwrap();
        let store = EmbeddedStore::open(&path).unwrap();
        let (revision, entries) = all(&store);
        let expected = (revision, format!("{entries:?}"));
        drop(store);
        let mut outcomes: BTreeMap<Outcome, u32> = BTreeMap::new();
        let places = places(&sound);
        for &place in &places {
            let outcome = flipped(&path, &sound, place, &expected);
            *outcomes.entry(outcome).or_default() += 1;
            if outcome == Outcome::AsItWas || place.0 % 3 != 0 {
                continue;
            }
            // What is taken all the same goes on above all that was ever told.
            if let Ok(repaired) = store::repair(&path) {
                assert!(repaired.revision > revision || repaired.rollback.is_none(), "{place:?}");
                let checked = store::check(&path).unwrap();
                assert_eq!(checked.revision, repaired.revision, "{place:?}");
                assert_eq!(
                    (checked.stepped_back, checked.repairs),
                    (None, Vec::new()),
                    "{place:?}"
                );
                assert!(checked.records[&RecordKind::User] > 0, "{place:?}");
                drop(EmbeddedStore::open(&path).unwrap());
            }
        }
        println!("{} flips: {outcomes:?}", places.len());
        assert!(
            outcomes[&Outcome::AsItWas] > 10 && outcomes[&Outcome::Refused] > 10,
            "{outcomes:?}"
        );
    }
}

/// The pointer to the newest commit is one bit, which no checksum covers.
#[test]
fn a_pointer_to_the_commit_before_is_seen() {
    let folder = TempDir::new().unwrap();
    let path = unclosed(folder.path());
    let sound = fs::read(&path).unwrap();
    let mut bytes = sound.clone();
    bytes[9] ^= 1;
    fs::write(&path, &bytes).unwrap();
    for error in [
        EmbeddedStore::open(&path).unwrap_err(),
        store::compact(&path).unwrap_err(),
        store::backup(&path, &folder.path().join("copy"), Existing::Keep).unwrap_err(),
        store::export(&path, &mut |_| {}, &mut |_| std::ops::ControlFlow::Continue(()))
            .unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(
            matches!(error, StoreError::RolledBack { found: 30, known: Some(31), .. }),
            "{text}"
        );
        assert!(text.contains("revision 31") && text.contains("peerage store repair"), "{text}");
    }
    // The commit itself is sound, so nothing is lost when it is repaired; or else something is.
    let newest = 64 + 128 * usize::from(sound[9] & 1);
    for (damaged, revision, lost) in [(None, 31, None), (Some(newest + 8), 32, Some(31))] {
        let mut bytes = bytes.clone();
        damaged.iter().for_each(|&at: &usize| bytes[at] ^= 1);
        fs::write(&path, &bytes).unwrap();
        let repaired = store::repair(&path).unwrap();
        assert_eq!(repaired.revision, revision);
        assert_eq!(repaired.rollback.and_then(|it| it.known), lost);
        let store = EmbeddedStore::open(&path).unwrap();
        let next = store.commit(&[set(&user("new"), None, Some("x"))]).unwrap();
        assert_eq!(next, CommitResult::Committed(vec![revision + 1]));
    }
}
