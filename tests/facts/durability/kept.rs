//! A daemon with a store in a folder.

use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::Command,
};

use peerage::{
    facts::RecordKey,
    store::{EmbeddedStore, ExportItem, Store as _, StoredRecord},
};

use crate::{
    support::atoms::Held,
    support::client::Client,
    support::daemon::{Daemon, run, serve},
    support::script,
    support::writer,
};

/// Where a daemon keeps its facts and listens.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) store: PathBuf,
    pub(crate) socket: PathBuf,
}

impl Place {
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self { store: folder.join("facts.redb"), socket: folder.join("admin") }
    }

    pub(crate) fn arguments<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        let policy = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/facts/durability/policy.yaml");
        command.arg(policy).arg("--store").arg(&self.store).arg("--admin-uds").arg(&self.socket)
    }

    #[track_caller]
    pub(crate) fn daemon(&self) -> Daemon {
        Daemon::start(self.arguments(serve().args(["--listen", "127.0.0.1:0"])))
    }

    /// A daemon whose facts hold what all writers share.
    #[track_caller]
    pub(crate) fn founded(&self) -> Daemon {
        let daemon = self.daemon();
        writer::command(&self.socket, &script::foundations());
        daemon
    }

    /// What is kept, while no daemon runs.
    #[track_caller]
    pub(crate) fn held(&self) -> Held {
        Held::by(&EmbeddedStore::open(&self.store).unwrap())
    }

    /// The history tells of every record when it was last written, and of nothing that was not written.
    #[track_caller]
    pub(crate) fn check_history(&self) {
        let store = EmbeddedStore::open(&self.store).unwrap();
        let (mut records, mut told) = (BTreeMap::new(), BTreeMap::new());
        let mut each = |item: ExportItem| {
            match item {
                ExportItem::Record(StoredRecord { key: RecordKey::Idempotency(_), .. }) => {}
                ExportItem::Record(record) => drop(records.insert(record.key, record.version)),
                ExportItem::History(entry) => {
                    let users = entry.record.entry.users();
                    let users = users.into_iter().map(|user| RecordKey::User(user.to_owned()));
                    let group = entry.record.entry.group.clone().map(RecordKey::Group);
                    let all: Vec<RecordKey> = users.chain(group).collect();
                    told.entry(entry.version).or_insert_with(Vec::new).extend(all);
                }
            }
            ControlFlow::Continue(())
        };
        store.export(&mut |_| {}, &mut each).unwrap();
        assert!(!told.is_empty());
        for (key, version) in &records {
            assert!(
                told.contains_key(version),
                "{key} was written at {version}, which nothing tells"
            );
        }
        for (version, keys) in &told {
            let is_there = |key: &RecordKey| records.get(key).is_none_or(|it| it >= version);
            // Some of it may have been undone in the same batch.
            assert!(keys.iter().any(is_there), "{keys:?} were not written at {version}");
        }
        store.close().unwrap();
    }

    pub(crate) fn client(&self) -> Client<std::os::unix::net::UnixStream> {
        Client::unix(&self.socket)
    }

    /// `peerage store check` finds nothing wrong.
    #[track_caller]
    pub(crate) fn check(&self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_peerage"));
        let checked = run(command.args(["store", "check"]).arg(&self.store));
        assert_eq!(checked.status.code(), Some(0), "{checked:?}");
    }
}
