//! `--allow-map`: the parts of a question from the request that a proxy asks about.

use crate::support::{
    client::Answer,
    daemon::{Daemon, serve, stores},
};

const ROOMS: &str = "uri=/chats/{resource}/** subject=header:X-User action=const:start_chat";
const QUERY: &str = "uri=/talk subject=header:X-User action=query:do resource=query:to";
const MEMBER: &str =
    "uri=/*/{resource}/members/{member} subject=header:X-User action=const:add_member";

fn serving(maps: &[&str]) -> Daemon {
    let mut command = serve();
    command.arg(stores()).args(["--listen", "127.0.0.1:0"]);
    for map in maps {
        command.args(["--allow-map", map]);
    }
    Daemon::start(&mut command)
}

fn ask(daemon: &Daemon, path: &str, headers: &[(&str, &str)]) -> Answer {
    let lines: Vec<_> =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    daemon.connect().ask("GET", path, &lines.concat(), b"")
}

/// The status, and the reason or the part that is wrong.
fn outcome(answer: &Answer) -> (u16, String) {
    let reason = answer.header("peerage-reason").map(str::to_owned);
    let at = || answer.json()["error"]["at"].as_str().unwrap_or_default().to_owned();
    (answer.status, reason.unwrap_or_else(at))
}

#[test]
fn parts_come_from_the_path_the_query_and_headers() {
    let daemon = serving(&[ROOMS, QUERY, MEMBER]);
    for (uri, user, expected) in [
        ("/chats/2/send", "3", (204, "allowed")),
        ("/chats/2", "3", (204, "allowed")),
        ("/chats/2/", "3", (204, "allowed")),
        ("/chats/%32/a/b?x=1", "3", (204, "allowed")),
        ("/%63hats/2", "3", (204, "allowed")),
        ("/chats/4/send", "3", (403, "no_rule")),
        ("/chats/2/send", "9", (403, "unknown_subject")),
        ("/talk?do=start_chat&to=2", "3", (204, "allowed")),
        ("/talk?to=4&do=start_chat&x=%41", "3", (403, "no_rule")),
        ("/rooms/none/members/2", "3", (403, "unknown_resource")),
        // No map is for these.
        ("/", "3", (403, "uri")),
        ("/chats", "3", (403, "uri")),
        ("/Chats/2", "3", (403, "uri")),
        ("/talk/2", "3", (403, "uri")),
        // Servers read these paths differently.
        ("/chats//2", "3", (403, "uri")),
        ("//chats/2", "3", (403, "uri")),
        ("/chats/4/../2/send", "3", (403, "uri")),
        ("/chats/2/%2e%2e/4", "3", (403, "uri")),
        ("/chats/2%2fx/send", "3", (403, "uri")),
        ("/chats/2%5cx/send", "3", (403, "uri")),
        ("/chats/%zz", "3", (403, "uri")),
        ("/chats/%ff", "3", (403, "uri")),
        ("chats/2", "3", (403, "uri")),
        ("http://evil/chats/2", "3", (403, "uri")),
        // Missing, given twice, or not what it should be.
        ("/talk?do=start_chat", "3", (403, "resource")),
        ("/talk?to=2", "3", (403, "action")),
        ("/talk?do=start_chat&to=2&to=4", "3", (403, "resource")),
        ("/talk?do=start_chat&to=2&%74o=2", "3", (403, "resource")),
        ("/talk?do=fly&to=2", "3", (403, "action")),
        ("/talk?do=start_chat&to=", "3", (403, "resource")),
        ("/chats/2/send", "", (403, "subject")),
    ] {
        for header in ["X-Forwarded-Uri", "X-Original-URI"] {
            let answer = ask(&daemon, "/v1/allow", &[(header, uri), ("X-User", user)]);
            let (status, what) = outcome(&answer);
            assert_eq!((status, &*what), expected, "{header}: {uri} {user} {answer:?}");
        }
    }
    // Appended to the path.
    let answer = ask(&daemon, "/v1/allow/chats/2/send?x=1", &[("X-User", "3")]);
    assert_eq!(answer.status, 204);
    let answer = ask(&daemon, "/v1/allow/chats/4/send?x=1", &[("X-User", "3")]);
    assert_eq!(outcome(&answer), (403, "no_rule".to_owned()));
}

/// What a client of the proxy adds opens nothing.
#[test]
fn contradictions_are_denied() {
    let daemon = serving(&[ROOMS]);
    let user = ("X-User", "3");
    let (good, bad) = ("/chats/2/send", "/chats/4/send");
    for (path, headers) in [
        ("/v1/allow", &[("X-Original-URI", bad), ("X-Forwarded-Uri", good), user][..]),
        ("/v1/allow", &[("X-Forwarded-Uri", bad), ("X-Forwarded-Uri", good), user]),
        ("/v1/allow", &[("X-Forwarded-Uri", good), ("X-Forwarded-Uri", good), user]),
        ("/v1/allow/chats/4/send", &[("X-Forwarded-Uri", good), user]),
        ("/v1/allow", &[user]),
        ("/v1/allow?uri=/chats/2/send", &[user]),
        ("/v1/allow?subject=3&action=start_chat&resource=2", &[]),
        ("/v1/allow?subject=3&action=start_chat&resource=2", &[user]),
    ] {
        assert_eq!(outcome(&ask(&daemon, path, headers)), (403, "uri".to_owned()), "{headers:?}");
    }
    for headers in [
        &[("X-Forwarded-Uri", good)][..],
        &[("X-Forwarded-Uri", good), user, user],
        &[("X-Forwarded-Uri", good), user, ("X-User", "4")],
        &[("X-Forwarded-Uri", good), ("Peerage-Subject", "3")],
    ] {
        let answer = ask(&daemon, "/v1/allow", headers);
        assert_eq!(outcome(&answer), (403, "subject".to_owned()), "{headers:?}");
    }
    // The native headers do not override the map.
    let added = [("X-Forwarded-Uri", bad), user, ("Peerage-Resource", "2")];
    assert_eq!(outcome(&ask(&daemon, "/v1/allow", &added)), (403, "no_rule".to_owned()));
}

/// Without a template, the request needs no path.
#[test]
fn a_map_may_be_for_every_path() {
    let map =
        "subject=header:X-User action=const:start_chat resource=query:to resource_type=const:user";
    let daemon = serving(&[map]);
    let user = ("X-User", "3");
    assert_eq!(ask(&daemon, "/v1/allow?to=2", &[user]).status, 204);
    assert_eq!(ask(&daemon, "/v1/allow?to=4", &[user]).status, 403);
    let headers = [user, ("X-Forwarded-Uri", "/any?to=2")];
    assert_eq!(ask(&daemon, "/v1/allow", &headers).status, 204);
}

#[test]
fn mistakes_in_maps_end_the_start() {
    for (map, message) in [
        ("", "the map gives no `subject`"),
        ("subject=header:X", "the map gives no `action`"),
        ("subject", "`subject` is not a part: expected NAME=SOURCE, separated by blanks"),
        ("subjekt=const:a", "unknown part `subjekt`; did you mean `subject`?"),
        ("explain=const:true", "unknown part `explain`"),
        ("subject=a", "`a` is not a source; expected header:NAME, query:NAME or const:VALUE"),
        ("subject=cookie:a", "`cookie:a` is not a source"),
        ("subject=const:", "`const:` has no value"),
        ("subject=header:a(b", "`a(b` is not the name of a header"),
        ("subject=const:a subject=const:b action=const:c", "`subject` is given twice"),
        ("uri=/{subject} subject=const:b action=const:c", "`subject` is given twice"),
        ("uri=/a uri=/b", "`uri` is given twice"),
        ("uri=a", "`a` is not a template"),
        ("uri=/**/a", "`/**/a` is not a template"),
        ("uri=/a//b", "`/a//b` is not a template"),
        ("uri=/../b", "`/../b` is not a template"),
        ("uri=/a{resource}", "`/a{resource}` is not a template"),
        ("uri=/{room}", "unknown part `room`"),
    ] {
        let mut command = serve();
        command.arg(stores()).args(["--listen", "127.0.0.1:0", "--allow-map", map]);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{map}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(message) && text.contains("--allow-map"), "{map}: {text}");
    }
}
