//! Standing questions: how soon a change reaches its watcher, how long a change of the policy takes to reach all, and
//! what decisions notice of it.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::net::UnixStream,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    daemon::Daemon,
    milliseconds, number,
    open_loop::{Load, Outcome, run},
};

const USERS: usize = 100_000;
const QUESTIONS: usize = 100_000;
const WATCHERS: usize = 10;

/// The number of changed records that are timed.
const CHANGES: usize = 300;

/// The last user, about whom a single question of the first watcher is.
const CHANGED: &str = "subject-of-changes";

/// A line of a watcher: which question, and when it came.
type Seen = (usize, Instant);

pub(crate) fn watching() {
    let folder = tempfile::tempdir().unwrap();
    write_policy(folder.path(), "a");
    let mut users = String::new();
    for user in 0..USERS {
        let tags = if user % 2 == 0 { "a" } else { "b" };
        users += &format!("{{\"id\":\"user-{user}\",\"tags\":[\"{tags}\"]}}\n");
    }
    fs::write(folder.path().join("policy/users.ndjson"), users).unwrap();
    let socket = folder.path().join("admin.sock");
    let store = folder.path().join("facts.redb");
    let arguments = [
        "--store",
        store.to_str().unwrap(),
        "--admin-uds",
        socket.to_str().unwrap(),
        "--hold",
        "off",
    ];
    let daemon = Daemon::serving(&folder.path().join("policy"), &arguments, Some(0));
    post(
        &socket,
        "/v1/facts",
        &format!(r#"{{"commands":[{{"op":"put_user","user":"{CHANGED}","tags":["a"]}}]}}"#),
    );

    let rate = number("RATE", 10_000) as f64;
    let span = Duration::from_secs(number("SECONDS", 60) as u64);
    let load = Load::asking("user-0", "user-2");
    run(&daemon, rate, Duration::from_secs(2), &load);
    let alone = with_change(&daemon, &socket, (rate, span), &load);
    println!("{rate:.0} decisions a second, a change of the policy in the middle");
    println!("  nobody watches: {alone}");

    let (seen, lines) = mpsc::channel();
    let counts: Vec<Arc<AtomicUsize>> = (0..WATCHERS).map(|_| Arc::default()).collect();
    let begun = Instant::now();
    for (at, count) in counts.iter().enumerate() {
        watch(&daemon.address, at == 0, Arc::clone(count), (at == 0).then(|| seen.clone()));
    }
    wait_for(&counts, QUESTIONS);
    println!(
        "  {WATCHERS} watchers have {QUESTIONS} answers each after {:.0} ms",
        milliseconds(begun.elapsed())
    );
    let resident = daemon.resident_kib();
    let watched = with_change(&daemon, &socket, (rate, span), &load);
    println!("  all watch: {watched} ({} MB resident)", resident >> 10);
    let share = |outcome: &Outcome| outcome.share_accepted();
    println!("  decisions with watchers: {:.3} of those without", share(&watched) / share(&alone));

    // Without other load.
    let before: Vec<usize> = counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
    let begun = Instant::now();
    change_policy(&socket, folder.path(), "b");
    let reloaded = begun.elapsed();
    // Both lead elsewhere now: all answers are turned.
    for (count, before) in counts.iter().zip(before) {
        while count.load(Ordering::Relaxed) < before + QUESTIONS - 1 {
            thread::sleep(Duration::from_millis(1));
        }
    }
    println!(
        "a change of the policy turns all answers: {:.0} ms for the reload, {:.0} ms until all have them",
        milliseconds(reloaded),
        milliseconds(begun.elapsed())
    );
    change_policy(&socket, folder.path(), "a");
    thread::sleep(Duration::from_secs(3));
    while lines.try_recv().is_ok() {}
    let (mut from_sending, mut from_answer) = (Vec::new(), Vec::new());
    for change in 0..CHANGES {
        let op = if change % 2 == 0 { "ban" } else { "reactivate" };
        let sent = Instant::now();
        post(
            &socket,
            "/v1/facts",
            &format!(r#"{{"commands":[{{"op":"{op}","user":"{CHANGED}"}}]}}"#),
        );
        let answered = Instant::now();
        let (_, came) = lines.recv().unwrap();
        from_sending.push(came.saturating_duration_since(sent));
        from_answer.push(came.saturating_duration_since(answered));
    }
    from_sending.sort_unstable();
    from_answer.sort_unstable();
    println!(
        "a changed record: {:.2} ms from the sending of the command to the watcher's line (median; 99th percentile \
         {:.2}), {:.2} ms from its answer",
        milliseconds(from_sending[CHANGES / 2]),
        milliseconds(from_sending[CHANGES * 99 / 100]),
        milliseconds(from_answer[CHANGES / 2])
    );
}

/// A policy in which the users of one tag reach those of the same.
fn write_policy(folder: &Path, tag: &str) {
    fs::create_dir_all(folder.join("policy")).unwrap();
    let mut text = format!("rule main: hasTag({tag}) -> [{tag}];\n");
    for rule in 0..100 {
        text += &format!("rule r{rule}: hasTag(t{rule}) -> [t{}];\n", rule + 1);
    }
    let next = folder.join("next");
    fs::write(&next, text).unwrap();
    fs::rename(next, folder.join("policy/policy.peerage")).unwrap();
}

fn change_policy(socket: &Path, folder: &Path, tag: &str) {
    write_policy(folder, tag);
    post(socket, "/v1/reload?force=true", "");
}

/// Decisions at a rate, with one change of the policy in the middle.
fn with_change(
    daemon: &Daemon,
    socket: &Path,
    (rate, span): (f64, Duration),
    load: &Load,
) -> Outcome {
    let (socket, folder) = (socket.to_owned(), socket.parent().unwrap().to_owned());
    let changing = thread::spawn(move || {
        thread::sleep(span / 2);
        change_policy(&socket, &folder, "b");
        thread::sleep(span / 4);
        change_policy(&socket, &folder, "a");
    });
    let outcome = run(daemon, rate, span, load);
    changing.join().unwrap();
    outcome
}

fn post(socket: &Path, path: &str, body: &str) {
    let mut stream = UnixStream::connect(socket).unwrap();
    let length = body.len();
    let head = "Host: localhost\r\nContent-Type: application/json\r\nConnection: close";
    write!(stream, "POST {path} HTTP/1.1\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// Watches on a thread; counts the lines, and passes those of the question about the changed user on.
fn watch(address: &str, is_first: bool, count: Arc<AtomicUsize>, seen: Option<mpsc::Sender<Seen>>) {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut body = String::new();
    for question in 0..QUESTIONS {
        let (one, other) = (question * 2 % USERS, (question * 26 + 2) % USERS);
        let subject =
            if is_first && question == 0 { CHANGED.to_owned() } else { format!("user-{one}") };
        body += &format!(
            "{{\"subject\":\"{subject}\",\"action\":\"start_chat\",\"resource\":\"user-{other}\"}}\n"
        );
    }
    let head = "Host: localhost\r\nContent-Type: application/x-ndjson";
    let length = body.len();
    write!(stream, "POST /v1/watch HTTP/1.1\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}")
        .unwrap();
    thread::spawn(move || {
        let mut reader = BufReader::with_capacity(1 << 20, stream);
        let mut line = String::new();
        while {
            line.clear();
            reader.read_line(&mut line).is_ok_and(|bytes| bytes > 0)
        } {
            if !line.starts_with("{\"at\":") {
                assert!(!line.starts_with("HTTP") || line.contains(" 200 "), "{line}");
                continue;
            }
            count.fetch_add(1, Ordering::Relaxed);
            if let (Some(seen), true) = (&seen, line.starts_with("{\"at\":0,")) {
                let _ = seen.send((0, Instant::now()));
            }
        }
    });
}

fn wait_for(counts: &[Arc<AtomicUsize>], many: usize) {
    while counts.iter().any(|count| count.load(Ordering::Relaxed) < many) {
        thread::sleep(Duration::from_millis(1));
    }
}
