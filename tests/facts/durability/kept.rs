//! A daemon with a store in a folder.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use peerage::store::EmbeddedStore;

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
