//! Access to the calls, and the answers when nothing can be written.

use std::fs;

use crate::{
    dialects::rig::{Rig, TOKEN, bearer},
    support::client::Client,
    support::daemon::{Daemon, serve},
};

const POLICY: &str =
    "preset: xmtp\nusers: { ann: {}, bob: {} }\ngroups: { g: { creator: ann, members: [bob] } }\n";
const PATH: &str = "/xmtp/groups/g/isSuperAdmin?inboxId=ann";

#[test]
fn the_admin_token_is_asked_for() {
    let rig = Rig::start(POLICY);
    let status = |headers: &str| {
        let answer = rig.ask("GET", PATH, headers, b"");
        (answer.status, answer.json()["error"]["message"].as_str().map(str::to_owned))
    };
    assert_eq!(status(&bearer()), (200, None));
    assert_eq!(status(&format!("Authorization: bearer {TOKEN}\r\n")), (200, None));
    let (missing, why) = status("");
    assert_eq!(missing, 401);
    assert!(why.unwrap().contains("Authorization: Bearer"), "how to mend it");
    assert_eq!(status(&format!("Authorization: Token {TOKEN}\r\n")).0, 401);
    assert_eq!(status("Authorization: Bearer \r\n").0, 401);
    assert_eq!(status("Authorization: Bearer wrong-token-of-16\r\n").0, 401);
    let answer = rig.ask("GET", PATH, "", b"");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    // Nothing is reported without, not even what there is.
    assert_eq!(rig.ask("POST", "/xmtp/nothing", "", b"").status, 401);
}

#[test]
fn without_a_token_it_says_how_to_enable_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("policy.yaml"), POLICY).unwrap();
    let mut command = serve();
    command.arg(path("policy.yaml")).args(["--listen", "127.0.0.1:0", "--dialect", "xmtp"]);
    command.arg("--admin-uds").arg(path("admin"));
    let daemon = Daemon::start(&mut command);
    let answer = daemon.connect().ask("GET", PATH, &bearer(), b"");
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("--admin-token-file"), "{}", answer.text());
    let trusted = |method: &str, path: &str, body: &[u8]| {
        let mut client = Client::unix(&folder.path().join("admin"));
        client.ask(method, path, "", body)
    };
    let answer = trusted("GET", PATH, b"");
    assert_eq!((answer.status, answer.text()), (200, "{\"result\":true}"));
    assert!(answer.header("peerage-revision").is_some());
    // There is no store.
    let body = br#"{"caller":"ann","inboxId":"bob"}"#;
    let answer = trusted("POST", "/xmtp/groups/g/addAdmin", body);
    assert_eq!((answer.status, answer.json()["error"]["code"].clone()), (403, "no_store".into()));
    assert!(answer.text().contains("--store"), "{}", answer.text());
}

#[test]
fn it_is_spoken_only_if_asked_for() {
    let rig = Rig::with(POLICY, &["--dialect", "flip"]);
    assert_eq!(rig.ask("GET", PATH, &bearer(), b"").status, 404);
}

/// What is read by GET is there for HEAD, and nothing else.
#[test]
fn heads_without_bodies() {
    let rig = Rig::start(POLICY);
    let groups = "/xmtp/groups/g";
    for path in [PATH, groups, &format!("{groups}/memberInboxIds"), "/xmtp/inboxes/ann"] {
        let (head, get) =
            (rig.ask("HEAD", path, &bearer(), b""), rig.ask("GET", path, &bearer(), b""));
        assert_eq!((head.status, get.status), (200, 200), "{path}");
        assert_eq!(head.header("content-length"), get.header("content-length"), "{path}");
    }
    let answer = rig.ask("HEAD", &format!("{groups}/addAdmin"), &bearer(), b"");
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
}
