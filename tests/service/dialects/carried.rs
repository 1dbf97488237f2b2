//! Dialects that break, and such as never come to an end: there is an answer all the same, and the
//! daemon answers others meanwhile.

use std::{
    fs,
    future::pending,
    net::SocketAddr,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use peerage::{
    dialects::{Backend, BackendError, Call, CallError, Dialect, Reply, Step},
    live::{Live, StartOutcome},
    serve::{
        AllowStatus, App, ConnectionLimits, ListenerRole, Listeners, PropertyNames, ServeOptions,
        TokenRegistry, serve,
    },
};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::support::client::Client;

#[derive(Debug, Default)]
struct Broken {
    gate: Arc<Gate>,
}

/// What some wait at.
#[derive(Debug, Default)]
struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
    waiting: AtomicUsize,
    most: AtomicUsize,
}

impl Gate {
    fn pass(&self) {
        let waiting = self.waiting.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(waiting, Ordering::SeqCst);
        let is_open = self.is_open.lock().unwrap();
        drop(self.opened.wait_while(is_open, |is_open| !*is_open).unwrap());
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }

    fn open(&self) {
        *self.is_open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}

/// Opens a gate at the end, also of a test that fails: a runtime waits for its threads.
struct Opened(Arc<Gate>);

impl Drop for Opened {
    fn drop(&mut self) {
        self.0.open();
    }
}

impl Dialect for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn owns_path(&self, path: &str) -> bool {
        path.starts_with("/broken")
    }

    fn answer(&self, call: &Call<'_>, _: &dyn Backend) -> Result<Step<Reply>, BackendError> {
        match call.path {
            "/broken/now" => panic!("it breaks"),
            "/broken/looking" => Ok(Step::blocking(|_| panic!("it breaks"))),
            "/broken/then" => Ok(Step::write_all(Vec::new(), |_, _| panic!("it breaks"))),
            "/broken/early" => Err(BackendError::ViewBehind),
            "/broken/looking-early" => Ok(Step::blocking(|_| Err(BackendError::ViewBehind))),
            "/broken/slow" => {
                let gate = Arc::clone(&self.gate);
                Ok(Step::blocking(move |_| {
                    gate.pass();
                    Ok(Step::Done(Reply::empty(204)))
                }))
            }
            _ => Ok(Step::Done(Reply::empty(204))),
        }
    }

    fn render_error(&self, failure: &CallError) -> Reply {
        Reply::json(503, &json!({ "broken": failure.to_string() }))
    }
}

/// Serves a policy with such a dialect, on a runtime as the daemon has it.
fn served(dialect: Broken) -> (TempDir, Runtime, SocketAddr) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("policy.yaml"), "users: { a: {} }\n").unwrap();
    let StartOutcome::Serving(live) = Live::start_guarded(vec![folder.path().to_owned()], None)
    else {
        panic!("the policy is refused");
    };
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.enable_all().max_blocking_threads(4).build().unwrap();
    let mut listeners = Listeners::default();
    let entered = runtime.enter();
    let address = listeners.tcp("127.0.0.1:0".parse().unwrap(), ListenerRole::Decision).unwrap();
    drop(entered);
    let options = ServeOptions {
        body_limit: 1000,
        connections: ConnectionLimits::raise(),
        max_in_flight: 100,
        log: None,
        public_url: "http://localhost".parse().unwrap(),
        authzen_context: true,
        properties: PropertyNames::All,
        audit: Arc::default(),
        decision_log: None,
        spans: None,
        tls: None,
        tokens: Arc::new(TokenRegistry::new(None, None)),
        hosts: Vec::new(),
        allow_status: AllowStatus::default(),
        allow_maps: Vec::new(),
        patience: std::time::Duration::from_secs(1),
        dialects: vec![Box::new(dialect)],
        sockets: Vec::new(),
    };
    let app = Arc::new(App::new(live, options));
    runtime.spawn(serve(listeners, app, pending::<std::future::Ready<()>>()));
    (folder, runtime, address)
}

#[test]
fn what_breaks_is_answered() {
    let (_folder, _runtime, address) = served(Broken::default());
    // On one connection: it is not closed either.
    let mut client = Client::tcp(address);
    for path in ["now", "looking", "then", "early", "looking-early"] {
        let answer = client.get(&format!("/broken/{path}"));
        assert_eq!(answer.status, 503, "{path}");
        assert!(answer.json()["broken"].is_string(), "{path}: {}", answer.text());
        assert_eq!(answer.header("retry-after"), Some("1"), "{path}");
    }
    assert_eq!(client.get("/broken").status, 204);
}

#[test]
fn long_look_ups_leave_room_for_others() {
    let dialect = Broken::default();
    let gate = Arc::clone(&dialect.gate);
    let (_folder, _runtime, address) = served(dialect);
    let opened = Opened(Arc::clone(&gate));
    let mut clients: Vec<_> = (0..8).map(|_| Client::tcp(address)).collect();
    for client in &mut clients {
        client.send("GET /broken/slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    while gate.waiting.load(Ordering::SeqCst) < 2 {
        std::thread::yield_now();
    }
    let mut other = Client::tcp(address);
    for _ in 0..20 {
        assert_eq!(other.get("/metrics").status, 200);
    }
    drop(opened);
    for client in &mut clients {
        assert_eq!(client.answer("GET").unwrap().status, 204);
    }
    assert_eq!(gate.most.load(Ordering::SeqCst), 2);
}
