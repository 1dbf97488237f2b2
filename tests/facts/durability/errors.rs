//! The one who writes, on a disk whose operations fail one after another.

use std::{io::ErrorKind, path::PathBuf, sync::Arc};

use peerage::{
    facts::{Authority, BatchMode, Command, CommandSender, WriteError, WriteOutcome},
    live::{
        Live, StartOutcome,
        facts::{IdempotencyKey, WriteBatch, WriteReply},
    },
    request::{Action, Request},
    store::{EmbeddedStore, Store},
};
use serde_json::json;

use crate::{
    support::atoms::Held,
    support::disk::{Disk, Failing},
};

fn store(disk: &Disk) -> Arc<dyn Store> {
    let disk = disk.clone();
    Arc::new(EmbeddedStore::with_backend("facts", move || Ok(disk.file())).unwrap())
}

pub(crate) fn live(store: Arc<dyn Store>) -> Arc<Live> {
    let policy = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/facts/durability/policy.yaml");
    match Live::start_with(vec![PathBuf::from(policy)], None, store).unwrap() {
        StartOutcome::Serving(live) => live,
        StartOutcome::Refused(report) => panic!("{report:?}"),
        StartOutcome::Held(held) => panic!("{held:?}"),
    }
}

/// Two users who become friends and block each other, all at once.
fn batch(number: u64) -> WriteBatch {
    let [one, other] = ["a", "b"].map(|name| format!("{name}{number}"));
    let commands = json!([
        { "op": "put_user", "user": one, "tags": [format!("t{number}")] },
        { "op": "put_user", "user": other },
        { "op": "add_friend", "from": one, "to": other, "both": true },
        { "op": "block", "from": one, "to": other },
    ]);
    let key = IdempotencyKey::new(&format!("k{number}"), b"").unwrap();
    WriteBatch {
        commands: Command::decode(commands.as_array().unwrap()).unwrap(),
        sender: CommandSender::new(Authority::Administrator, "admin-token"),
        mode: BatchMode::Atomic,
        if_revision: None,
        idempotency_key: Some(key),
        history: Vec::new(),
    }
}

fn is_there(live: &Live, number: u64) -> bool {
    let [one, other] = ["a", "b"].map(|name| format!("{name}{number}"));
    let served = live.served();
    let request = Request::new(&one, Action::ViewProfile, &other);
    let known = peerage::decide::decide(&served.view, &request).allow;
    let request = Request::new(&other, Action::SendMessage, &one);
    assert!(!peerage::decide::decide(&served.view, &request).allow, "unknown, or blocked");
    known
}

/// What is answered with success is there, now and after a loss of power; what is answered with an
/// error is not, and sent again it takes effect once.
#[test]
fn errors_are_reported_and_leave_no_trace() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut refused, mut in_doubt, mut acknowledged) = (0, 0, 0);
    for how in [ErrorKind::Other, ErrorKind::StorageFull] {
        for (from, times) in (0..60).map(|from| (from, 1 + from % 4 * 7)) {
            let disk = Disk::default();
            let store = store(&disk);
            let live = live(Arc::clone(&store));
            disk.fail(Failing { from, times, how });
            for number in 0..12 {
                if number == 8 {
                    disk.heal();
                }
                // As a client that must know would: again, until it is taken.
                let mut tries = 0;
                loop {
                    let written = runtime.block_on(live.facts().unwrap().write(batch(number)));
                    match written {
                        Ok(
                            WriteReply::New(WriteOutcome::Applied { .. })
                            | WriteReply::Replayed { .. },
                        ) => {
                            acknowledged += 1;
                            assert!(is_there(&live, number));
                            break;
                        }
                        Err(WriteError::Store(why)) => {
                            refused += 1;
                            assert!(!why.is_empty());
                        }
                        Err(WriteError::InDoubt(_)) => in_doubt += 1,
                        other => panic!("{other:?}"),
                    }
                    assert!(!is_there(&live, number), "it was refused");
                    tries += 1;
                    if tries > 3 {
                        disk.heal();
                    }
                    assert!(tries < 6, "it works again as soon as the disk does");
                }
            }
            let found = Held::by(&*store);
            assert_eq!(found.keys.len(), 12);
            let lasting = Disk::with(disk.after_power_loss(|| false));
            let again = Held::by(&*crate::durability::errors::store(&lasting));
            assert_eq!((again.atoms, again.keys, again.revision), (found.atoms, found.keys, 12));
        }
    }
    println!("{acknowledged} acknowledged, {refused} refused, {in_doubt} in doubt");
    assert!(refused > 100);
}
