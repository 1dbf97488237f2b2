//! The store in one file, as every store, and in what is its own.

use std::path::PathBuf;

use peerage::store::{CommitResult, EmbeddedStore, Store};
use tempfile::TempDir;

use crate::{
    laws::conformance::{self, Harness, commit},
    laws::model,
    laws::sets::{all, look, set, user},
};

struct InFolder {
    folder: TempDir,
    store: EmbeddedStore,
}

impl InFolder {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let store = EmbeddedStore::open(folder.path().join("facts")).unwrap();
        Self { folder, store }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("facts")
    }
}

impl Harness for InFolder {
    fn store(&self) -> &dyn Store {
        &self.store
    }

    fn reopen(self: Box<Self>) -> Box<dyn Harness> {
        let path = self.path();
        let Self { folder, store } = *self;
        drop(store);
        Box::new(Self { folder, store: EmbeddedStore::open(path).unwrap() })
    }
}

#[test]
fn it_does_what_every_store_does() {
    conformance::check(&|| Box::new(InFolder::new()));
}

#[test]
fn it_holds_what_a_map_would() {
    model::check(&|| Box::new(InFolder::new()), 48);
}

#[test]
fn each_set_that_changes_something_has_the_next_revision() {
    let store = InFolder::new();
    let [ann, bob] = ["ann", "bob"].map(user);
    assert_eq!(all(store.store()).0, 0);
    let group = [
        look(&ann, None),
        set(&ann, None, Some("x")),
        look(&ann, None),
        set(&bob, None, Some("x")),
        set(&ann, None, None),
    ];
    assert_eq!(commit(&store, &group), [0, 1, 1, 2, 3]);
    assert_eq!(commit(&store, &[look(&bob, Some(2))]), [3]);
    assert_eq!(store.store.commit(&[set(&ann, Some(1), None)]).unwrap(), CommitResult::Stale);
    assert_eq!(commit(&store, &[set(&ann, None, Some("y"))]), [4]);
    assert_eq!(all(store.store()).0, 4);
    assert!(!store.store.is_shared());
    assert_eq!(store.store.most_records(), None);
}

/// A pass over all records tells of one revision, whatever is committed while it runs.
#[test]
fn a_pass_is_a_snapshot() {
    let store = InFolder::new();
    let keys: Vec<_> = (0..100).map(|at| user(&format!("{at:03}"))).collect();
    for key in &keys {
        commit(&store, &[set(key, None, Some("before"))]);
    }
    let mut seen = Vec::new();
    let revision = store.store.load(&mut |entry| {
        // Each record that comes changes the one that comes last.
        let last = store.store.get(&keys[99]).unwrap().unwrap();
        commit(&store, &[set(&keys[99], Some(last.version), Some("meanwhile"))]);
        seen.push(entry);
    });
    assert_eq!(revision.unwrap(), 100);
    assert_eq!(seen.len(), 100);
    assert_eq!(seen[99].version, 100);
    assert_eq!(all(store.store()).0, 200);
}
