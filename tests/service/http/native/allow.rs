//! `/v1/allow`: the decision as a status, for proxies.

use crate::support::daemon::{Daemon, serve, stores};

const QUERY: &str = "subject=3&action=start_chat&resource=2";

/// The same question as headers.
const HEADERS: &str = "Peerage-Subject: 3\r\nPeerage-Action: start_chat\r\nPeerage-Resource: 2\r\n";

#[test]
fn any_method_is_answered() {
    let daemon = Daemon::serve(stores());
    let mut client = daemon.connect();
    for (query, status, reason) in [
        (QUERY, 204, "allowed"),
        ("subject=3&action=start_chat&resource=4", 403, "no_rule"),
        ("subject=9&action=start_chat&resource=4", 403, "unknown_subject"),
    ] {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"] {
            for body in [&b""[..], b"what is asked of the proxy"] {
                let answer = client.ask(method, &format!("/v1/allow?{query}"), "", body);
                assert_eq!(answer.status, status, "{method}");
                assert_eq!(answer.header("peerage-reason"), Some(reason));
                assert!(answer.body.is_empty());
                assert!(!answer.revision().is_empty());
            }
        }
    }
    assert_eq!(client.get("/v1/allow?subject=3&action=start_chat").refusal(400), "resource");
}

#[test]
fn headers_ask_as_the_query_does() {
    let daemon = Daemon::serve("tests/service/http/club.yaml");
    let mut client = daemon.connect();
    for (question, status) in [
        (&[("Subject", "bob"), ("Action", "start_chat"), ("Resource", "ann")][..], 204),
        (&[("Subject", "bob"), ("Action", "start_chat"), ("Resource", "cat")], 403),
        (&[("Subject", "ann"), ("Action", "sign_in")], 204),
        (
            &[
                ("Subject", "bob"),
                ("Action", "send_message"),
                ("Resource", "g1"),
                ("Resource-Type", "group"),
            ],
            204,
        ),
        (
            &[("Subject", "eve"), ("Action", "add_member"), ("Resource", "g1"), ("Member", "gus")],
            204,
        ),
        (
            &[
                ("Subject", "bob"),
                ("Action", "update_metadata"),
                ("Resource", "g1"),
                ("Field", "topic"),
            ],
            403,
        ),
        (
            &[
                ("Subject", "bob"),
                ("Action", "send_message"),
                ("Resource", "gus"),
                ("Conversation", "existing"),
            ],
            204,
        ),
    ] {
        let lines: Vec<_> =
            question.iter().map(|(name, value)| format!("Peerage-{name}: {value}\r\n")).collect();
        let query: Vec<_> = question
            .iter()
            .map(|(name, value)| format!("{}={value}", name.to_lowercase().replace('-', "_")))
            .collect();
        let (lines, query) = (lines.concat(), query.join("&"));
        for (path, headers) in [
            ("/v1/allow".to_owned(), &*lines),
            (format!("/v1/allow?{query}"), ""),
            // Both may say the same.
            (format!("/v1/allow?{query}"), &lines),
            ("/v1/allow/".to_owned(), &lines),
            ("/v1/allow/rooms/7/send?subject=ann&x=%zz".to_owned(), &lines),
        ] {
            let answer = client.ask("POST", &path, headers, b"");
            assert_eq!(answer.status, status, "{path} {headers}");
        }
    }
    let id = "Peerage-Subject: J\u{f6}rg\r\nPeerage-Action: sign_in\r\n";
    let answer = client.ask("GET", "/v1/allow", id, b"");
    assert_eq!(answer.header("peerage-reason"), Some("unknown_subject"));
}

/// What a client of the proxy adds opens nothing.
#[test]
fn what_is_added_is_refused() {
    let daemon = Daemon::serve(stores());
    let mut client = daemon.connect();
    for (path, headers, at) in [
        ("/v1/allow?subject=3&action=start_chat&resource=4", "Peerage-Resource: 2\r\n", "resource"),
        (
            "/v1/allow?subject=3&action=send_message&resource=4",
            "Peerage-Conversation: existing\r\n",
            "conversation",
        ),
        ("/v1/allow?action=start_chat&resource=2", "Peerage-Subject: 3\r\n", "subject"),
        ("/v1/allow?explain=true", HEADERS, "subject"),
        // Of an appended path the query is the client's.
        ("/v1/allow/?subject=3&action=start_chat&resource=2", "", "subject"),
        ("/v1/allow/x?subject=3&action=start_chat&resource=2", "", "subject"),
        (
            "/v1/allow/x?subject=3",
            "Peerage-Action: start_chat\r\nPeerage-Resource: 2\r\n",
            "subject",
        ),
    ] {
        assert_eq!(client.ask("GET", path, headers, b"").refusal(400), at, "{path} {headers}");
    }
    for name in ["Subject", "Action", "Resource", "Resource-Type", "Member", "Conversation"] {
        for value in ["3", "\u{e4}"] {
            let twice = format!("Peerage-{name}: {value}\r\n").repeat(2);
            for path in ["/v1/allow", "/v1/allow/x"] {
                client.ask("GET", path, &format!("{HEADERS}{twice}"), b"").refusal(400);
            }
        }
    }
    for header in [
        "Peerage-Subject:\r\nPeerage-Action: start_chat\r\nPeerage-Resource: 2\r\n".to_owned(),
        format!("{HEADERS}Peerage-Conversation: old\r\n"),
        format!("{HEADERS}Peerage-Resource-Type: group\r\n"),
    ] {
        client.ask("GET", "/v1/allow", &header, b"").refusal(400);
    }
    client.send(b"GET /v1/allow HTTP/1.1\r\nHost: localhost\r\nPeerage-Subject: \xff\r\n\r\n");
    assert_eq!(client.answer("GET").unwrap().refusal(400), "subject");
    let answer = client.ask("GET", "/v1/allow/x", "", b"");
    assert_eq!(answer.json()["error"]["message"], "the header Peerage-Subject is missing");
}

#[test]
fn a_yes_may_be_200() {
    let start = |status: &str| {
        let options = ["--listen", "127.0.0.1:0", "--allow-status", status];
        Daemon::start(serve().arg(stores()).args(options))
    };
    for (reported, status) in [("200", 200), ("204", 204)] {
        let daemon = start(reported);
        let answer = daemon.get(&format!("/v1/allow?{QUERY}"));
        assert_eq!((answer.status, &answer.body[..]), (status, &b""[..]));
        assert_eq!(answer.header("peerage-reason"), Some("allowed"));
        let mut client = daemon.connect();
        assert_eq!(client.ask("POST", "/v1/allow/path", HEADERS, b"").status, status);
        assert_eq!(client.get("/v1/allow?subject=9&action=sign_in").status, 403);
    }
}
