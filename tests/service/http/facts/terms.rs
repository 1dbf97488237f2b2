//! Ends and reasons over HTTP: what is refused, and that they come through an export and an import.

use serde_json::json;

use super::Kept;
use super::transfer::records;

const FAR: &str = "2083-01-01T00:00:00Z";

#[test]
fn an_end_that_can_t_be_is_refused_with_its_field() {
    let kept = Kept::start();
    let cases = [
        (json!({ "until": "2020-01-01T00:00:00Z" }), "until", "is past"),
        (json!({ "until": "2083-01-01T00:00:00" }), "until", "says no zone"),
        (json!({ "until": "tomorrow" }), "until", ""),
        (json!({ "until": FAR, "for": 3 }), "for", "`until` is given too"),
        (json!({ "for": 0 }), "for", "1 or more seconds"),
        (json!({ "for": -1 }), "for", ""),
    ];
    let commands = [
        json!({ "op": "ban", "user": "ann" }),
        json!({ "op": "block", "from": "ann", "to": "bob" }),
        json!({ "op": "relate", "kind": "contact", "from": "ann", "to": "bob" }),
        json!({ "op": "mute_member", "group": "club", "member": "bob" }),
    ];
    for command in &commands {
        for (terms, field, message) in &cases {
            let mut command = command.clone();
            command.as_object_mut().unwrap().extend(terms.as_object().unwrap().clone());
            let answer = kept.send(&json!([command]));
            let outcome = &answer.json()["outcomes"][0];
            assert_eq!(
                (answer.status, outcome["field"].as_str()),
                (400, Some(*field)),
                "{command}"
            );
            assert!(outcome["message"].as_str().unwrap().contains(message), "{outcome}");
        }
    }
    assert_eq!(kept.reported("/v1/facts")["revision"], 0);
}

#[test]
fn ends_and_reasons_come_through_an_export_and_an_import() {
    let kept = Kept::start();
    kept.done(&json!([
        { "op": "ban", "user": "ann", "until": FAR, "reason": "insults" },
        { "op": "block", "from": "ann", "to": "bob", "until": FAR },
        { "op": "put_user", "user": "dan", "tags": ["b"] },
        { "op": "add_tags", "user": "dan", "tags": ["a"], "until": FAR },
        { "op": "add_friend", "from": "dan", "to": "ann", "force": true, "until": FAR },
        { "op": "mute_member", "group": "club", "member": "bob", "until": FAR, "reason": "spam" },
        { "op": "ban_member", "group": "club", "member": "dan", "until": FAR },
    ]));
    let exported = kept.export();
    assert!(records(&exported).len() > 2);
    let file = kept.path("exported.ndjson");
    std::fs::write(&file, &exported).unwrap();
    let other = Kept::start();
    other.ran(&["facts", "import", file.to_str().unwrap()], "--to", 0);
    assert_eq!(records(&other.export()), records(&exported));
    for path in ["/v1/facts/users/ann", "/v1/facts/users/dan", "/v1/facts/groups/club"] {
        let (mut here, mut there) = (kept.reported(path), other.reported(path));
        // The revision of the commit that wrote the record, and the path of the policy.
        for read in [&mut here, &mut there] {
            read.as_object_mut()
                .unwrap()
                .retain(|name, _| !["revision", "stated_by"].contains(&&**name));
        }
        assert_eq!(here, there, "{path}");
    }
}
