//! What a daemon logs is what `peerage replay` reads: plain, rotated, compressed and torn.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

use crate::{
    decision_log::Logged,
    support::daemon::{club, run, stores},
};

/// Replays logs in a folder by a policy.
fn replay(folder: &Path, policy: &Path, logs: &[&str]) -> (Output, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peerage"));
    command.current_dir(folder).arg("replay").args(logs);
    let output = run(command.args(["--format", "json", "--policy"]).arg(policy));
    let json = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output, json)
}

fn gzip(path: &Path) {
    assert!(Command::new("gzip").arg("-f").arg(path).status().unwrap().success());
}

/// Everything that a request can bring along is in the line, so that the same policy decides the same.
#[test]
fn the_same_policy_decides_what_was_logged() {
    let logged = Logged::start(&club(), &[]);
    let daemon = &logged.daemon;
    let subjects = ["ann", "bob", "cid", "dora", "nobody"];
    let mut count = 0;
    for subject in subjects {
        for action in ["sign_in", "post", "create_group"] {
            daemon.get(&format!("/v1/decide?subject={subject}&action={action}"));
            count += 1;
        }
        for resource in subjects {
            for action in ["start_chat", "send_message", "friend_request", "block"] {
                let path =
                    format!("/v1/decide?subject={subject}&action={action}&resource={resource}");
                assert_eq!(daemon.get(&path).status, 200);
                count += 1;
            }
            let evaluation = format!(
                r#"{{"subject":{{"type":"user","id":"{subject}","properties":{{"tags":["x"],"peers":"contacts",
                "permissions":{{"outgoing":true,"incoming":false}},"moderation":"silenced"}}}},
                "action":{{"name":"send_message"}},"resource":{{"type":"user","id":"{resource}",
                "properties":{{"permissions":{{"incoming":false}}}}}},"context":{{"conversation":"new"}}}}"#
            );
            assert_eq!(daemon.evaluate(evaluation).status, 200);
            let evaluation = format!(
                r#"{{"subject":{{"type":"user","id":"{subject}","properties":{{"role":"admin"}}}},
                "action":{{"name":"add_member","properties":{{"member":"{resource}"}}}},
                "resource":{{"type":"group","id":"g","properties":{{"matrix":"dm"}}}}}}"#
            );
            daemon.evaluate(evaluation);
            count += 2;
        }
    }
    logged.lines(count);
    let folder = logged.path();
    let folder = folder.parent().unwrap();
    let (output, json) = replay(folder, &club(), &["decisions.ndjson"]);
    assert_eq!(output.status.code(), Some(0), "{json}");
    assert_eq!(json["decisions"], count, "{json}");
    for none in ["changed", "other_reasons", "malformed", "torn", "hashed", "unresolved"] {
        assert_eq!(json[none], 0, "{none}: {json}");
    }
}

#[test]
fn rotated_logs_are_read_in_order() {
    let logged = Logged::start(&stores(), &[]);
    let path = "/v1/decide?subject=3&action=start_chat&resource=2";
    logged.daemon.get(path);
    logged.lines(1);
    let log = logged.path();
    let folder = log.parent().unwrap();
    let rotate = |to: &str| {
        fs::rename(&log, folder.join(to)).unwrap();
        logged.daemon.signal("HUP");
        logged.daemon.wait_for("a new file", |_| log.exists().then_some(()));
    };
    rotate("decisions.ndjson.2");
    logged.daemon.get(path);
    logged.daemon.get(path);
    logged.lines(2);
    rotate("decisions.ndjson.1");
    for _ in 0..3 {
        logged.daemon.get(path);
    }
    logged.lines(3);
    gzip(&folder.join("decisions.ndjson.2"));
    // By its content, whatever it is called; and with all that a header may hold, in two members.
    let named = folder.join("decisions.ndjson.1");
    gzip(&named);
    fs::rename(named.with_extension("1.gz"), &named).unwrap();
    // The last line is still written.
    File::options().append(true).open(&log).unwrap().write_all(br#"{"time":"20"#).unwrap();
    let logs = ["decisions.ndjson.2.gz", "decisions.ndjson.1", "decisions.ndjson"];
    let (output, json) = replay(folder, &stores(), &logs);
    assert_eq!((&json["decisions"], &json["torn"]), (&6.into(), &1.into()), "{output:?}");
    assert_eq!((output.status.code(), &json["malformed"]), (Some(0), &0.into()));

    // Another policy; an example names its log.
    fs::write(folder.join("closed.yaml"), "rules: []\nusers: { '2': {}, '3': {} }\n").unwrap();
    let (output, json) = replay(folder, &folder.join("closed.yaml"), &logs);
    assert_eq!((output.status.code(), &json["closed"]), (Some(1), &6.into()), "{json}");
    assert_eq!(json["groups"][0]["examples"][2]["file"], "decisions.ndjson.1");
    assert_eq!(json["groups"][0]["examples"][2]["line"], 2);
}

/// Members one after the other, header fields, and every kind of damage.
#[test]
fn compressed_logs_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let policy = folder.join("policy.yaml");
    fs::write(&policy, "users: { '2': {}, '3': {} }\n").unwrap();
    let line = "{\"subject\":\"2\",\"action\":\"sign_in\",\"decision\":true}\n";
    fs::write(folder.join("log"), line.repeat(20_000)).unwrap();
    gzip(&folder.join("log"));
    let packed = fs::read(folder.join("log.gz")).unwrap();
    let read = |bytes: &[u8]| {
        fs::write(folder.join("bytes"), bytes).unwrap();
        let (output, json) = replay(folder, &policy, &["bytes"]);
        (output.status.code(), json["decisions"].as_u64(), output)
    };
    let (code, decisions, output) = read(&[&packed[..], &packed[..]].concat());
    assert_eq!((code, decisions), (Some(0), Some(40_000)), "{output:?}");
    // `gzip` names the file; another program may add the rest, with a checksum.
    let (name, deflated) = packed[10..].split_at(4);
    assert_eq!((packed[3], name), (8, &b"log\0"[..]));
    let mut header =
        [&packed[..3], &[0b0001_1110], &packed[4..10], b"\x03\0abc", name, b"why\0"].concat();
    let sum = crc(&header);
    header.extend(&sum.to_le_bytes()[..2]);
    let (code, decisions, output) = read(&[&header, deflated].concat());
    assert_eq!((code, decisions), (Some(0), Some(20_000)), "{output:?}");
    *header.last_mut().unwrap() ^= 1;
    let half = packed.len() / 2;
    let flipped = |at: usize| {
        let mut bytes = packed.clone();
        bytes[at] ^= 0x40;
        bytes
    };
    for (what, bytes) in [
        ("the checksum of the header", [&header, deflated].concat()),
        ("cut in the content", packed[..half].to_vec()),
        ("cut in the trailer", packed[..packed.len() - 3].to_vec()),
        ("cut in the header", packed[..7].to_vec()),
        ("another content", flipped(half)),
        ("another checksum", flipped(packed.len() - 6)),
        ("another length", flipped(packed.len() - 1)),
        ("another method", flipped(2)),
        ("reserved flags", flipped(3)),
        ("more behind it", [&packed[..], b"x"].concat()),
    ] {
        let (code, _, output) = read(&bytes);
        assert_eq!(code, Some(2), "{what}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("can't read `bytes`"), "{what}");
    }
}

/// The checksum of gzip, bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

#[test]
fn hashed_ids_are_not_decided() {
    let logged = Logged::start(&stores(), &["--decision-log-ids", "hashed"]);
    logged.daemon.get("/v1/decide?subject=3&action=start_chat&resource=2");
    logged.lines(1);
    let folder = logged.path();
    let folder = folder.parent().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_peerage"));
    let output = run(command.arg("replay").arg(logged.path()).arg("--policy").arg(stores()));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("hashed ids can't be decided again"), "{errors}");
    assert!(errors.contains("--decision-log-ids plain"), "{errors}");
    let (_, json) = replay(folder, &stores(), &["decisions.ndjson"]);
    assert_eq!((&json["hashed"], &json["decisions"]), (&1.into(), &0.into()));
}

/// Only the beginning of a value is a torn line.
#[test]
fn a_log_of_something_else_is_malformed() {
    let folder = tempfile::tempdir().unwrap();
    let stale =
        "{\"subject\":\"2\",\"action\":\"sign_in\",\"decision\":false,\"reason\":\"stale\"}\n";
    fs::write(folder.path().join("log"), stale).unwrap();
    let (output, json) = replay(folder.path(), &stores(), &["log"]);
    assert_eq!((&json["stale"], output.status.code()), (&1.into(), Some(0)), "{json}");
    for (text, torn, malformed) in [
        ("{\"subject\":\"2", 1, 0),
        ("nonsense", 0, 1),
        ("{\"subject\":\"2\"}", 0, 1),
        ("{\"subject\":\"2\n", 0, 1),
    ] {
        fs::write(folder.path().join("log"), text).unwrap();
        let (output, json) = replay(folder.path(), &stores(), &["log"]);
        assert_eq!(
            (&json["torn"], &json["malformed"]),
            (&torn.into(), &malformed.into()),
            "{text}"
        );
        assert_eq!(output.status.code(), Some(malformed), "{text}");
    }
}
