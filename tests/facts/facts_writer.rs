//! The writer of facts outlives what it can't carry out.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by it")]

use std::{fs, ops::ControlFlow, sync::Arc};

use peerage::{
    facts::{
        Authority, BatchMode, ChangeSet, Command, CommandSender, HistoryPage, HistoryQuery,
        RecordKey, RecordKind, WriteError, WriteOutcome,
    },
    live::{
        Live, ReloadOutcome, StartOutcome, Trigger,
        facts::{WriteBatch, WriteReply},
    },
    store::{CommitResult, EmbeddedStore, ExportItem, Store, StoreError, StoredRecord},
};
use serde_json::{Value, json};

/// A store in which reading one user, or writing another, is a mistake of the program.
#[derive(Debug)]
struct Trap(EmbeddedStore);

impl Store for Trap {
    fn load(&self, each: &mut dyn FnMut(StoredRecord)) -> Result<u64, StoreError> {
        self.0.load(each)
    }

    fn get(&self, key: &RecordKey) -> Result<Option<StoredRecord>, StoreError> {
        assert_ne!(*key, RecordKey::User("unread".to_owned()), "as it is meant to be");
        self.0.get(key)
    }

    fn list(
        &self,
        kind: RecordKind,
        after: Option<&RecordKey>,
        limit: usize,
    ) -> Result<Vec<StoredRecord>, StoreError> {
        self.0.list(kind, after, limit)
    }

    fn commit(&self, group: &[ChangeSet]) -> Result<CommitResult, StoreError> {
        let keys = group.iter().flat_map(|set| &set.writes).map(|write| &write.key);
        for key in keys {
            assert_ne!(*key, RecordKey::User("unwritten".to_owned()), "as it is meant to be");
        }
        self.0.commit(group)
    }

    fn export(
        &self,
        begin: &mut dyn FnMut(u64),
        each: &mut dyn FnMut(ExportItem) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.0.export(begin, each)
    }

    fn history(&self, query: &HistoryQuery) -> Result<HistoryPage, StoreError> {
        self.0.history(query)
    }

    fn kind(&self) -> &'static str {
        "trap"
    }
}

#[tokio::test]
async fn a_batch_that_panics_is_refused_and_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.yaml");
    fs::write(&policy, "users: { ann: {} }\n").unwrap();
    let store = EmbeddedStore::open(folder.path().join("facts.redb")).unwrap();
    let start = Live::start_with(vec![policy], None, Arc::new(Trap(store))).unwrap();
    let StartOutcome::Serving(live) = start else { panic!("{start:?}") };
    let policy = folder.path().join("policy.yaml");
    let facts = live.facts().unwrap();
    let put = async |user: &str| {
        let commands = Command::decode(&[
            json!({ "op": "ban", "user": "ann" }),
            json!({ "op": "put_user", "user": user }),
        ]);
        facts
            .write(WriteBatch {
                commands: commands.unwrap(),
                sender: CommandSender::new(Authority::Administrator, "admin-token"),
                mode: BatchMode::Atomic,
                if_revision: None,
                idempotency_key: None,
                history: Vec::new(),
            })
            .await
    };
    assert!(matches!(put("unread").await, Err(WriteError::Panicked)));
    assert!(facts.is_writable());
    assert_eq!(live.served().view.counts().banned, 0, "nothing of it took effect");
    assert!(matches!(
        put("dan").await,
        Ok(WriteReply::New(WriteOutcome::Applied { revision: 1, .. }))
    ));
    assert_eq!(live.served().view.counts().banned, 1);

    // Whether what broke off in the midst of a commit took effect, nobody can tell.
    assert!(matches!(put("unwritten").await, Err(WriteError::InDoubt(_))));
    while facts.is_writable() {
        tokio::task::yield_now().await;
    }
    assert!(matches!(put("eve").await, Err(WriteError::Gone)));
    assert_eq!(live.served().view.counts().users, 2, "decisions go on");
    fs::write(&policy, "users: { ann: {}, bob: {} }\n").unwrap();
    assert_eq!(live.reload(Trigger::Requested), ReloadOutcome::Swapped);
    assert_eq!(live.served().view.counts().users, 3, "and so do reloads");
}

#[tokio::test]
async fn where_each_is_for_itself_a_refusal_keeps_none_of_the_others_back() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.yaml");
    fs::write(&policy, "users: { ann: {} }\n").unwrap();
    let store = EmbeddedStore::open(folder.path().join("facts.redb")).unwrap();
    let start = Live::start_with(vec![policy], None, Arc::new(store)).unwrap();
    let StartOutcome::Serving(live) = start else { panic!("{start:?}") };
    let facts = live.facts().unwrap();
    let write = async |commands: &[Value]| {
        let commands = Command::decode(commands).unwrap();
        let batch = WriteBatch {
            commands,
            sender: CommandSender::new(Authority::Administrator, "admin-token"),
            mode: BatchMode::Independent,
            if_revision: None,
            idempotency_key: None,
            history: Vec::new(),
        };
        match facts.write(batch).await.unwrap() {
            WriteReply::New(WriteOutcome::Applied { revision, outcomes }) => {
                let reported = outcomes.into_iter().map(|came| match came {
                    Ok(outcome) => json!(outcome.changed),
                    Err(refusal) => json!(refusal.reason.as_str()),
                });
                (revision, reported.collect::<Value>())
            }
            other => panic!("{other:?}"),
        }
    };
    let commands = [
        json!({ "op": "request_friend", "from": "ann", "to": "bob" }),
        json!({ "op": "put_user", "user": "bob", "approval": "need_confirm" }),
        json!({ "op": "request_friend", "from": "ann", "to": "bob" }),
        json!({ "op": "accept_friend", "from": "bob", "to": "ann" }),
        json!({ "op": "block", "from": "bob", "to": "ann" }),
        json!({ "op": "accept_friend", "from": "ann", "to": "bob" }),
        json!({ "op": "ban", "user": "ann" }),
    ];
    // What was refused before is no hindrance, and what was done before counts.
    let reported =
        json!(["unknown_resource", true, true, "no_request", true, "blocked_by_resource", true]);
    assert_eq!(write(&commands).await, (1, reported), "one commit for all");
    assert_eq!(live.served().view.counts().banned, 1);
    let reported = json!(["unknown_subject", "unknown_resource"]);
    let commands = [
        json!({ "op": "ban", "user": "eve" }),
        json!({ "op": "block", "from": "ann", "to": "eve" }),
    ];
    assert_eq!(write(&commands).await, (1, reported), "nothing is left to commit");
}
