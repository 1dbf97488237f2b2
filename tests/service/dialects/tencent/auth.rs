//! Access to the calls: the admin token, or signatures of the app's secret key.

use std::fs;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use peerage::dialects::{
    Call, Dialect, Step,
    tencent::{Tencent, TencentAccess},
};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{POLICY, failed};
use crate::{
    dialects::everybody::Everybody,
    dialects::rig::{Rig, TOKEN},
    support::client::{Answer, Client},
    support::daemon::{Daemon, serve},
};

const KEY: &str = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e";
const APP: &str = "1400000001";

// Signed with this key by Python's hmac, zlib and base64, of 2023, to be valid for a hundred years.
const ADMINISTRATOR: &str = "eJyrVgrxCdYrSy1SslJQMtIzUNJRAItkpqTmlWSmZUIkElNyM-Myi0uKEkvyi2BKilOyEwsKMlOACgxNDCDAECqXWlGQWZQKlDE2NDU2A0tBZUoyc0HihuZQHTDx4sx0kE3ppWm5JWUZvlVBOVWemV7pjk6GlpUV-jmJPo4WfokRfi4G*iHluWYumTmOtkq1AEfKNuo_";
/// With a `TLS.userbuf`.
const WITH_USERBUF: &str = "eJw9jUsLgkAYRf*KzDrM0cwMWkghCEKvMaKdMmN9iY6Mo6jRf89nd3nOvdwPIv5VrZhAWwXpqoYWykCAskxCDKMIaQoZFFKEkou5UtAkzHOgXQGvtDF4cqzOQbDOGNg01oOajIS059iaFjMvCyaiMu7fHMdtIt2W-yN49vh*fJxf1cbbu0HinrjwDp5bY5Mv35YVNOTmX*yK*C1vibND3x8mqT4T";
const ALICE: &str = "eJyrVgrxCdYrSy1SslJQMtIzUNJRAItkpqTmlWSmZUIkEnMyk1NhUsUp2YkFBZkpQAlDEwMIMITKpVYUZBalAmWMDU2NzcBSUJmSzFyQuKE5VAdMvDgzHWRDRWSFh7tbRqqpY7p-lWGIX7F-oUGaY2Whc1pBQEFabnBlvk9eYnZZlm*mha1SLQDhujQY";
/// Of the app 1400000002.
const OTHER_APP: &str = "eJyrVgrxCdYrSy1SslJQMtIzUNJRAItkpqTmlWSmZUIkElNyM-Myi0uKEkvyi2BKilOyEwsKMlOACgxNDCDACCqXWlGQWZQKlDE2NDU2A0tBZUoyc0HihuZQHTDx4sx0kE0epVWFAUlh7mGOkZVFfsHuvsXeLpGZfnnepoWFgW7*iamBZlkGxi5FWcHFtkq1ADn9Ntg_";
/// Since 2023.
const EXPIRED: &str = "eJyrVgrxCdYrSy1SslJQMtIzUNJRAItkpqTmlWSmZUIkElNyM-Myi0uKEkvyi2BKilOyEwsKMlOACgxNDCDAECqXWlGQWZQKlLEwA0pBBUsyc0FChuZQxTDx4sx0kCUeBbnJjo6VlUY5TmUeFcU52jkGIbkFQSHm5Qae*ebpLk5BKaG*JX7e*a75tkq1AFTCNek_";
/// Of `管理员`.
const CHINESE: &str = "eJyrVgrxCdYrSy1SslJQMtIzUNJRAItkpqTmlWSmZUIkYkrNkxINgaSJgVlMqamJqQVMXXFKdmJBQWYKUJWhiQEEGELlUisKMotSgTLGhqbGZmApqExJZi5I3NAcqgMmXpyZDrKuUNvUy7*ksMQi2y-dMCy7oszSuSDHLb*kKM-Iw1A-scooNc8rJyU80TEi0FapFgBYgjae";

const BODY: &[u8] = br#"{"From_Account":"alice"}"#;

/// A daemon with the key; these are its administrators.
fn signed(admins: &[&str]) -> Rig {
    let mut args = vec!["--dialect", "tencent", "--tencent-key-file", "{}/key"];
    args.extend(["--tencent-sdkappid", APP]);
    for admin in admins {
        args.extend(["--tencent-admin", admin]);
    }
    Rig::prepared(POLICY, &args, |folder| {
        fs::write(folder.path().join("key"), format!("{KEY}\n")).unwrap();
    })
}

#[track_caller]
fn ask(rig: &Rig, query: &str, headers: &str) -> Value {
    let answer = rig.ask("POST", &format!("/v4/sns/friend_get?{query}"), headers, BODY);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// The code of a call that is refused, and why; 0 of one that is not.
#[track_caller]
fn code(rig: &Rig, query: &str) -> (u64, String) {
    let reported = ask(rig, query, "");
    if reported["ActionStatus"] == "OK" { (0, String::new()) } else { failed(&reported) }
}

fn query(identifier: &str, sig: &str) -> String {
    format!("sdkappid={APP}&identifier={identifier}&usersig={sig}&random=1&contenttype=json")
}

/// Packs fields as a signature is packed.
fn pack(fields: &[u8]) -> String {
    let packed = miniz_oxide::deflate::compress_to_vec_zlib(fields, 6);
    STANDARD.encode(packed).replace('+', "*").replace('/', "-").replace('=', "_")
}

/// Signs lines with the key.
fn mac(lines: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
    mac.update(lines.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn fields(identifier: &str, more: &[(&str, Value)]) -> Value {
    let lines = format!(
        "TLS.identifier:{identifier}\nTLS.sdkappid:{APP}\nTLS.time:1700000000\nTLS.expire:3153600000\n"
    );
    let mut fields = json!({
        "TLS.ver": "2.0", "TLS.identifier": identifier, "TLS.sdkappid": 1_400_000_001,
        "TLS.time": 1_700_000_000, "TLS.expire": 3_153_600_000_u64, "TLS.sig": mac(&lines),
    });
    for (name, value) in more {
        fields[*name] = value.clone();
    }
    fields
}

fn sign(identifier: &str, more: &[(&str, Value)]) -> String {
    pack(fields(identifier, more).to_string().as_bytes())
}

#[test]
fn signatures_of_the_key() {
    let rig = signed(&[]);
    // Again from what is remembered.
    for _ in 0..2 {
        assert_eq!(code(&rig, &query("administrator", ADMINISTRATOR)).0, 0);
        assert_eq!(code(&rig, &query("administrator", WITH_USERBUF)).0, 0);
        assert_eq!(code(&rig, &query("administrator", EXPIRED)).0, 70001);
        assert_eq!(
            code(&rig, &query("alice", ALICE)).0,
            30004,
            "a user of the app is no administrator"
        );
        assert_eq!(code(&rig, &query("alice", ADMINISTRATOR)).0, 70013);
        assert_eq!(code(&rig, &query("administrator", ALICE)).0, 70013);
        assert_eq!(code(&rig, &query("administrator", OTHER_APP)).0, 70014);
    }
    let other = query("administrator", OTHER_APP).replace(APP, "1400000002");
    assert_eq!(code(&rig, &other).0, 30002, "the signature is right, the app is another");
    let swapped = query("administrator", ADMINISTRATOR).replace(APP, "1400000002");
    assert_eq!(code(&rig, &swapped).0, 70014);
    let escaped: Vec<String> = ADMINISTRATOR.bytes().map(|byte| format!("%{byte:02X}")).collect();
    assert_eq!(code(&rig, &query("%61dministrator", &escaped.concat())).0, 0);
    assert_eq!(code(&rig, &query("administrator", &sign("administrator", &[]))).0, 0);
    let texts = [("TLS.sdkappid", json!(APP)), ("TLS.time", json!("1700000000"))];
    assert_eq!(code(&rig, &query("administrator", &sign("administrator", &texts))).0, 0);
}

/// At the second when it expires it is not valid any more, remembered or not. `Everybody` lives in
/// second 0.
#[test]
fn the_last_second_of_a_signature() {
    let tencent =
        Tencent::new(TencentAccess::with_key(KEY.parse().unwrap(), APP.parse().unwrap(), vec![]));
    let code = |time: u64, expire: u64| {
        let lines = format!(
            "TLS.identifier:administrator\nTLS.sdkappid:{APP}\nTLS.time:{time}\nTLS.expire:{expire}\n"
        );
        let more = [
            ("TLS.time", time.into()),
            ("TLS.expire", expire.into()),
            ("TLS.sig", mac(&lines).into()),
        ];
        let query = query("administrator", &sign("administrator", &more));
        let call = Call {
            method: "POST",
            path: "/v4/sns/friend_check",
            query: &query,
            content_type: "",
            authorization: None,
            trusted: false,
            body: br#"{"From_Account":"a","To_Account":["b"],"CheckType":"CheckResult_Type_Both"}"#,
        };
        let Step::Done(reply) = tencent.answer(&call, &Everybody).unwrap() else {
            panic!("it is answered at once");
        };
        serde_json::from_slice::<Value>(&reply.body).unwrap()["ErrorCode"].as_u64().unwrap()
    };
    for (time, expire, expected) in
        [(0, 0, 70001), (0, 1, 0), (1, 0, 0), (u64::MAX, u64::MAX, 0), (0, 0, 70001)]
    {
        assert_eq!(code(time, expire), expected, "{time} {expire}");
        assert_eq!(code(time, expire), expected, "{time} {expire} again");
    }
}

#[test]
fn administrators_who_are_named() {
    let rig = signed(&["alice", "管理员"]);
    assert_eq!(code(&rig, &query("alice", ALICE)).0, 0);
    assert_eq!(code(&rig, &query("%E7%AE%A1%E7%90%86%E5%91%98", CHINESE)).0, 0);
    assert_eq!(code(&rig, &query("administrator", ADMINISTRATOR)).0, 30004);
}

#[test]
fn signatures_that_are_none() {
    let rig = signed(&[]);
    let cut = ADMINISTRATOR.get(..100).unwrap();
    let mut bytes = ADMINISTRATOR.to_owned();
    bytes.replace_range(40..41, if ADMINISTRATOR.get(40..41) == Some("A") { "B" } else { "A" });
    let later = [("TLS.expire", json!(3_153_600_001_u64))];
    let bomb = pack(&vec![b' '; 4 << 20]);
    let small_bomb = pack(&vec![b' '; 100_000]);
    let no_sig = [("TLS.sig", Value::Null)];
    let short = [("TLS.sig", json!(""))];
    for sig in [
        "x",
        "****",
        "%00",
        cut,
        &bytes,
        &bomb,
        &small_bomb,
        &"A".repeat(5000),
        TOKEN,
        &sign("administrator", &later),
        &sign("administrator", &no_sig),
        &sign("administrator", &short),
        &sign("administrator", &[("TLS.time", json!(-1))]),
        &sign("administrator", &[("TLS.userbuf", json!("AA=="))]),
        &sign("administrator", &[("TLS.identifier", json!(7))]),
        &sign("administrator", &[("TLS.sdkappid", json!(1.5))]),
        &pack(b"[]"),
        &pack(b"{"),
        &pack(b"{}\xff"),
        &pack(br#"{"TLS.ver":"2.0","TLS.ver":"2.0"}"#),
    ] {
        let (found, info) = code(&rig, &query("administrator", sig));
        assert_eq!(found, 70003, "{sig}: {info}");
    }
    for version in [json!("201512300000"), json!("1.0")] {
        let sig = sign("administrator", &[("TLS.ver", version)]);
        assert_eq!(code(&rig, &query("administrator", &sig)).0, 70009);
    }
}

/// A user who may choose their name must not get the lines of another signed.
#[test]
fn names_of_several_lines_sign_nothing_else() {
    let rig = signed(&[]);
    let tail = format!("TLS.sdkappid:{APP}\nTLS.time:1700000000\nTLS.expire:3153600000");
    let name = format!("administrator\n{tail}\nTLS.userbuf:Q");
    let theirs = fields(&name, &[]);
    let more =
        [("TLS.userbuf", json!(format!("Q\n{tail}"))), ("TLS.sig", theirs["TLS.sig"].clone())];
    assert_eq!(code(&rig, &query("administrator", &sign("administrator", &more))).0, 70003);
}

#[test]
fn queries_that_say_too_little_or_too_much() {
    let rig = signed(&[]);
    for (query, expected) in [
        (String::new(), 70002),
        (format!("sdkappid={APP}&identifier=administrator"), 70002),
        (format!("sdkappid={APP}&identifier=administrator&usersig="), 70002),
        (format!("sdkappid={APP}&usersig={ADMINISTRATOR}"), 60004),
        (format!("identifier=administrator&usersig={ADMINISTRATOR}"), 60012),
        (query("administrator", ADMINISTRATOR).replace(APP, "x"), 60006),
        (query("administrator", ADMINISTRATOR).replace(APP, "-1"), 60006),
        (query("administrator", ADMINISTRATOR).replace(APP, &format!("%2B{APP}")), 60006),
        (query("administrator", ADMINISTRATOR).replace("=json", "=xml"), 60002),
        (query("administrator", ADMINISTRATOR) + "&identifier=alice", 60002),
        (query("%ff", ADMINISTRATOR), 60002),
    ] {
        assert_eq!(code(&rig, &query).0, expected, "{query}");
    }
    // Neither the admin token nor a header stands for a signature.
    let reported =
        ask(&rig, &query("administrator", TOKEN), &format!("Authorization: Bearer {TOKEN}\r\n"));
    assert_eq!(failed(&reported).0, 70003);
}

#[test]
fn the_admin_token_without_a_key() {
    let rig = super::rig();
    for who in ["administrator", "admin"] {
        assert_eq!(code(&rig, &query(who, TOKEN)).0, 0);
    }
    assert_eq!(code(&rig, &format!("usersig={TOKEN}")).0, 0);
    assert_eq!(code(&rig, &query("alice", TOKEN)).0, 30004);
    assert_eq!(code(&rig, &query("admin", "wrong-token-that-is-long-enough")).0, 70003);
    assert_eq!(code(&rig, &query("admin", ADMINISTRATOR)).0, 70003);
    assert_eq!(code(&rig, "identifier=admin").0, 70002);
    let bearer = format!("Authorization: Bearer {TOKEN}\r\n");
    assert_eq!(ask(&rig, "sdkappid=1&identifier=admin", &bearer)["ActionStatus"], "OK");
    let wrong = ask(&rig, "sdkappid=1&identifier=admin", "Authorization: Bearer x\r\n");
    assert_eq!(failed(&wrong).0, 70003);
}

/// Each service has codes of its own.
#[test]
fn codes_of_who_is_no_administrator() {
    let rig = Rig::with(POLICY, &["--dialect", "tencent", "--tencent-sdkappid", APP]);
    for (path, not_admin, app) in [
        ("sns/friend_get", 30004, 30002),
        ("profile/portrait_set", 40004, 40002),
        ("im_open_login_svc/account_import", 70403, 60006),
        ("other/thing", 60010, 60006),
    ] {
        let ask = |query: &str| {
            let answer = rig.ask("POST", &format!("/v4/{path}?{query}"), "", BODY);
            failed(&answer.json()).0
        };
        assert_eq!(ask(&query("alice", TOKEN)), not_admin, "{path}");
        assert_eq!(ask(&query("admin", TOKEN).replace(APP, "7")), app, "{path}");
    }
}

/// Starts a daemon without the rig's admin token.
fn bare(more: &[&str]) -> Rig {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("policy")).unwrap();
    fs::write(path("policy/policy.yaml"), POLICY).unwrap();
    fs::write(path("key"), KEY).unwrap();
    let mut command = serve();
    command.arg(path("policy")).args(["--listen", "127.0.0.1:0", "--dialect", "tencent"]);
    command.arg("--store").arg(path("facts"));
    command.args(more.iter().map(|arg| arg.replace("{}", folder.path().to_str().unwrap())));
    Rig { daemon: Daemon::start(&mut command), folder }
}

#[test]
fn nobody_may_call_who_was_not_let_in() {
    let rig = bare(&[]);
    let (found, info) = code(&rig, &query("admin", TOKEN));
    assert_eq!(found, 60017);
    assert!(info.contains("--admin-token-file"), "{info}");
    let rig = bare(&["--tencent-key-file", "{}/key", "--tencent-sdkappid", APP]);
    assert_eq!(code(&rig, &query("administrator", ADMINISTRATOR)).0, 0, "a key is enough");
}

#[test]
fn the_socket_of_administrators_needs_neither() {
    let rig = bare(&[
        "--admin-uds",
        "{}/admin.sock",
        "--tencent-key-file",
        "{}/key",
        "--tencent-sdkappid",
        APP,
    ]);
    let mut client = Client::unix(&rig.folder.path().join("admin.sock"));
    let answer: Answer = client.post("/v4/sns/friend_get", BODY);
    assert_eq!(answer.json()["ActionStatus"], "OK", "{}", answer.text());
    let body = super::adding("alice", &["bob"]).to_string();
    let answer = client.post("/v4/sns/friend_add?identifier=alice", body.as_bytes());
    assert_eq!(answer.json()["ResultItem"][0]["ResultCode"], 0, "{}", answer.text());
}

#[test]
fn keys_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("policy.yaml"), POLICY).unwrap();
    for (text, more, says) in [
        ("short", &["--tencent-sdkappid", APP][..], "16 printable ASCII characters"),
        (
            "two lines of text\nare no key at all",
            &["--tencent-sdkappid", APP],
            "16 printable ASCII characters",
        ),
        (KEY, &[], "--tencent-sdkappid"),
        (KEY, &["--tencent-sdkappid", "x"], "--tencent-sdkappid"),
    ] {
        fs::write(path("key"), text).unwrap();
        let mut command = serve();
        command.arg(path("policy.yaml")).args(["--listen", "127.0.0.1:0", "--dialect", "tencent"]);
        command.arg("--tencent-key-file").arg(path("key")).args(more);
        let output = crate::support::daemon::run(
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()),
        );
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.contains(says), "{errors}");
        assert!(!errors.contains(KEY));
    }
}
