//! `GET /.well-known/authzen-configuration`.

use serde_json::{Value, json};

use super::{question, with_options};
use crate::support::daemon::{Daemon, run, serve, stores};

const PATH: &str = "/.well-known/authzen-configuration";

fn metadata(point: &str, base: &str) -> Value {
    json!({
        "policy_decision_point": point,
        "access_evaluation_endpoint": format!("{base}/access/v1/evaluation"),
        "access_evaluations_endpoint": format!("{base}/access/v1/evaluations"),
        "search_subject_endpoint": format!("{base}/access/v1/search/subject"),
        "search_resource_endpoint": format!("{base}/access/v1/search/resource"),
        "search_action_endpoint": format!("{base}/access/v1/search/action"),
    })
}

#[test]
fn the_first_address_is_reported() {
    let daemon = Daemon::serve(stores());
    let base = format!("http://{}", daemon.address());
    let answer = daemon.connect().ask("GET", PATH, "X-Request-ID: 7\r\n", b"");
    assert_eq!((answer.status, answer.json()), (200, metadata(&base, &base)));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-request-id"), Some("7"));
    assert_eq!(daemon.connect().ask("HEAD", PATH, "", b"").status, 200);
    for method in ["POST", "PUT"] {
        let answer = daemon.connect().ask(method, PATH, "", b"");
        answer.refusal(405);
        assert_eq!(answer.header("allow"), Some("GET, HEAD"));
    }
    assert_eq!(daemon.get(&format!("{PATH}/")).json(), metadata(&base, &base));
    for path in [format!("{PATH}/tenant"), format!("{PATH}x")] {
        daemon.get(&path).refusal(404);
    }
}

#[test]
fn a_public_url_is_reported_as_it_is() {
    for (url, base) in [
        ("https://pdp.example", "https://pdp.example"),
        ("https://pdp.example:8443", "https://pdp.example:8443"),
        ("https://pdp.example/", "https://pdp.example"),
        ("https://pdp.example/tenant/one", "https://pdp.example/tenant/one"),
        ("https://pdp.example/tenant/one/", "https://pdp.example/tenant/one"),
        ("http://[::1]:7411", "http://[::1]:7411"),
    ] {
        let daemon = with_options(stores(), &["--public-url", url]);
        assert_eq!(daemon.get(PATH).json(), metadata(url, base), "{url}");
    }
}

#[test]
fn a_path_is_part_of_the_addresses() {
    let daemon = with_options(stores(), &["--public-url", "https://pdp.example/tenant"]);
    let base = "https://pdp.example/tenant";
    for path in [format!("{PATH}/tenant"), format!("{PATH}/tenant/"), PATH.to_owned()] {
        assert_eq!(daemon.get(&path).json(), metadata(base, base), "{path}");
    }
    for path in [format!("{PATH}/tenants"), format!("{PATH}/other"), format!("/tenant{PATH}")] {
        daemon.get(&path).refusal(404);
    }
    let body = question("3", "2").to_string();
    for path in ["/tenant/access/v1/evaluation", "/access/v1/evaluation"] {
        let answer = daemon.connect().post(path, body.as_bytes());
        assert_eq!(answer.json()["decision"], true, "{path}");
    }
    for path in ["/tenant/metrics", "/tenant/v1/status", "/tenantaccess/v1/evaluation", "/tenant"] {
        daemon.get(path).refusal(404);
    }
}

#[test]
fn what_is_no_url_is_refused() {
    for url in [
        "pdp.example",
        "/tenant",
        "ftp://pdp.example",
        "https://",
        "https:///tenant",
        "https://pdp.example?x",
        "https://pdp.example/#x",
        "https://pdp example",
        "https://user:word@pdp.example",
        "",
    ] {
        let output =
            run(serve().arg(stores()).args(["--listen", "127.0.0.1:0", "--public-url", url]));
        assert_eq!(output.status.code(), Some(2), "{url}");
        assert!(String::from_utf8(output.stderr).unwrap().contains("--public-url"), "{url}");
    }
}
