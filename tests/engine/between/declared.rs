//! Actions of the policy's own.

use peerage::{diagnostic::render_text, source::Sources};

use super::{check, files};
use crate::worlds::build;

const ACTIONS: &str = "actions:
  mention: { like: send_message }
  send_file: { like: send_message }
  ring: { like: voice_call }
  wave: { like: start_chat }
  invite: { like: add_member }
  befriend: { like: friend_request }
  glance: { like: view_profile }
  announce: { like: post }
";

#[track_caller]
fn declared(policy: &str, cases: &[super::Case<'_>]) {
    check(&format!("{ACTIONS}{policy}"), cases);
}

#[test]
fn pass_what_the_one_they_are_like_passes() {
    declared(
        "rules: [{ condition: hasTag(staff), outcome: everyone }]
friendship: { default_approval: need_confirm }
moderation: { managers: hasTag(staff) }
users:
  uma: { tags: [staff], permissions: { send_message: false } }
  sil: { tags: [staff], moderation: silenced }
  off: { permissions: { incoming: false } }
  xia: { tags: [staff], blocked: [ann, bob] }
  nia: { peers: contacts }
  res: { approval: deny_any }",
        &[
            ("it adds nothing by itself", "ann mention bob", "allowed"),
            ("the switch of the one it is like", "uma mention ann", "permission_off"),
            ("moderation", "sil mention ann", "silenced"),
            ("of posts too", "sil announce ann", "silenced"),
            ("not where that refuses nobody", "sil glance ann", "allowed"),
            ("what is off at the other end", "ann mention off", "incoming_off"),
            ("blocks", "ann mention xia conversation=existing", "blocked_by_resource"),
            ("in its directions", "xia mention ann conversation=existing", "allowed"),
            ("those of beginning too", "xia mention ann", "blocked_by_subject"),
            ("peers", "ann mention nia", "peers_resource"),
            ("rules, in a new conversation", "bob mention cat", "no_rule"),
            ("in an existing one, none", "bob mention cat conversation=existing", "allowed"),
            (
                "like `start_chat`, it is new always",
                "bob wave cat conversation=existing",
                "no_rule",
            ),
            ("like `add_member`, about a member", "ann invite g member=cat", "allowed"),
            ("whom the rules must lead to", "bob invite g member=cat", "no_rule"),
            ("like a friend request, with its gate", "ann befriend eve", "already_friends"),
            ("with its refusal", "ann befriend res", "requests_refused"),
            ("and with its obligation", "bob befriend cat", "allowed confirm"),
            ("on oneself, like messages, not", "ann mention ann", "self"),
            ("like profiles, it is", "ann glance ann", "allowed"),
            ("in a group, members alone", "cat mention g type=group", "not_member"),
            ("who are", "bob mention g type=group", "allowed"),
            ("lists of them", "uma wave _", "[ann, bob, cat, dan, eve, fay, res, sil, xia]"),
        ],
    );
}

#[test]
fn have_switches_and_blocks_of_their_own() {
    declared(
        "permissions: { send_file: hasTag(verified) }
blocks: { mention: two_way, glance: one_way }
users:
  vic: { tags: [verified] }
  wes: { tags: [verified], permissions: { send_file: false } }
  val: { permissions: { send_file: true } }
  xia: { blocked: [ann] }",
        &[
            ("their own switch", "ann send_file bob", "permission_off"),
            ("closes nothing else", "ann send_message bob", "allowed"),
            ("nor others like it", "ann mention bob", "allowed"),
            ("whose condition the subject meets", "vic send_file ann", "allowed"),
            ("in a record", "wes send_file ann", "permission_off"),
            ("which overrides the policy", "val send_file ann", "allowed"),
            ("in groups too", "bob send_file g type=group", "permission_off"),
            ("their own block mode", "xia mention ann conversation=existing", "blocked_by_subject"),
            ("of them alone", "xia send_message ann conversation=existing", "allowed"),
            ("of what is like a profile", "ann glance xia", "blocked_by_resource"),
            ("one way", "xia glance ann", "allowed"),
            ("and not the profile", "ann view_profile xia", "allowed"),
        ],
    );
    declared(
        "blocks: { mention: off }\nusers: { xia: { blocked: [ann] } }",
        &[("they are at least as strict", "ann mention xia", "blocked_by_resource")],
    );
}

#[test]
fn have_audiences_sets_and_barriers_of_their_own() {
    declared(
        "accepts:
  mention: { default: contacts }
  ring: { default: contacts, otherwise: request }
rule_sets: { files: { actions: [send_file], rules: [{ condition: hasTag(pupil), outcome: hasTag(staff) }] } }
barriers: [{ name: no adding, from: hasTag(pupil), to: hasTag(parent), actions: [invite] }]
users: { val: { accepts: { mention: everyone, wave: nobody } } }
groups: { e: { creator: eve, members: [fay, bob] } }",
        &[
            ("their own audience", "fay mention ann conversation=existing", "not_in_audience"),
            ("admits", "bob mention ann conversation=existing", "allowed"),
            ("of them alone", "fay send_message ann", "allowed"),
            ("in a record", "fay mention val", "allowed"),
            ("where the policy has none", "fay wave val", "not_in_audience"),
            ("of them alone", "fay start_chat val", "allowed"),
            ("like calls, they may be requests", "fay ring ann", "allowed request"),
            ("of new conversations", "fay ring ann conversation=existing", "allowed"),
            ("their own sets, always", "bob send_file cat conversation=existing", "no_rule"),
            ("which open", "bob send_file ann", "allowed"),
            ("who meets no side is added", "bob invite e member=fay", "allowed"),
            ("against who is there", "fay invite e member=dan", "barrier"),
            ("of them alone", "fay add_member e member=dan", "allowed"),
            ("lists know it", "_ send_file ann", "[bob, cat, dan]"),
        ],
    );
    declared(
        "barriers: [{ name: apart, between: [hasTag(pupil), hasTag(staff)] }]
rule_sets: { all: { rules: [{ condition: not(hasTag(parent)), outcome: everyone }] } }",
        &[
            (
                "without actions, of declared ones too",
                "bob mention ann conversation=existing",
                "barrier",
            ),
            ("of those that reach a user", "bob befriend ann", "barrier"),
            ("not of what is like a profile", "bob glance ann", "allowed"),
            ("nor of what is like a post", "bob announce ann", "allowed"),
            ("sets too", "eve wave bob", "no_rule"),
        ],
    );
    declared(
        "barriers: [{ name: apart, between: [hasTag(pupil), hasTag(staff)], actions: [send_message, view_profile] }]",
        &[
            (
                "what concerns the one it is like",
                "bob mention ann conversation=existing",
                "barrier",
            ),
            ("concerns it", "bob glance ann", "barrier"),
            ("and others not", "bob wave ann", "allowed"),
        ],
    );
}

#[test]
fn have_cells_of_their_own() {
    let cells = "matrices:
  quiet:
    add_member: allow
    remove_member: allow_if_admin
    update_metadata: allow
    add_admin: allow_if_admin
    remove_admin: allow_if_admin
    update_permissions: allow_if_super_admin
    mention: allow_if_admin
    ring: allow_if_super_admin
    invite: hasTag(staff)
groups: { r: { matrix: quiet, creator: ann, admins: [cat], members: [bob] } }";
    declared(
        cells,
        &[
            ("their own cell", "bob mention r type=group", "needs_admin"),
            ("for admins", "cat mention r type=group", "allowed"),
            ("of them alone", "bob send_message r type=group", "allowed"),
            ("for super admins", "cat ring r type=group", "needs_super_admin"),
            ("with a condition", "bob invite r member=fay", "denied_by_matrix"),
            ("that the subject meets", "ann invite r member=fay", "allowed"),
            ("left out, it is `allow`", "bob send_file r type=group", "allowed"),
            ("in a built-in matrix too", "bob mention g type=group", "allowed"),
            ("after the cell of the one it is like", "bob invite d member=ann", "denied_by_matrix"),
            ("between two users there is none", "bob mention ann", "allowed"),
        ],
    );
}

#[test]
fn mistakes_have_codes_of_their_own() {
    let many: Vec<String> = (0..33).map(|at| format!("  a{at}: {{ like: post }}")).collect();
    let many = many.join("\n");
    for (policy, code, hint) in [
        ("actions: { voice_call: { like: post } }", "reserved-action", "another name"),
        ("actions: { outgoing: { like: post } }", "reserved-action", "another name"),
        ("actions: { join: { like: post } }", "reserved-action", "another name"),
        ("actions: { wave: { like: start_chta } }", "unknown-word", "`start_chat`"),
        ("actions: { \"a b\": { like: post } }", "invalid-tag", ""),
        (&format!("actions:\n{many}"), "too-many-actions", "remove"),
        (
            "actions: { wave: { like: post } }\nblocks: { wave: off }",
            "unknown-field",
            "`blocks` does not apply to `wave`",
        ),
        (
            "actions: { wave: { like: post } }\naccepts: { wave: { default: nobody } }",
            "unfit-action",
            "reaches no other user",
        ),
        (
            "actions: { wave: { like: start_chat } }\npermissions: { wav: false }",
            "unknown-field",
            "did you mean `wave`?",
        ),
        (
            "actions: { wave: { like: start_chat } }\nusers: { zoe: { permissions: { wav: false } } }",
            "unknown-field",
            "did you mean `wave`?",
        ),
        (
            "actions: { wave: { like: start_chat } }\nrule_sets: { a: { actions: [wav] } }",
            "unknown-word",
            "did you mean `wave`?",
        ),
        (
            "actions: { wave: { like: start_chat } }\nmatrices: { crew: { add_member: deny, remove_member: deny, \
             update_metadata: deny, add_admin: deny, remove_admin: deny, update_permissions: deny, wave: deny } }",
            "unfit-action",
            "takes no group",
        ),
        (
            "actions: { wave: { like: start_chat } }\ninvariants: [{ never: wav, from: everyone, to: everyone }]",
            "unknown-word",
            "did you mean `wave`?",
        ),
    ] {
        let outcome = build(&Sources::new(files(policy)), None);
        let shown = render_text(&outcome.report, false);
        assert!(outcome.view.is_none(), "{policy}");
        assert!(
            shown.contains(&format!("error[{code}]")) && shown.contains(hint),
            "{policy}\n{shown}"
        );
    }
    let twice = "action wave: start_chat; action wave: post;";
    let twice = peerage::source::Source::new("p.peerage", peerage::source::Notation::Dsl, twice);
    let shown = render_text(&build(&Sources::new(vec![twice]), None).report, false);
    assert!(shown.contains("error[duplicate-action]"), "{shown}");
}

#[test]
fn invariants_are_proved_of_them() {
    for (policy, holds) in [
        ("invariants: [{ never: mention, from: hasTag(staff), to: hasTag(pupil) }]", false),
        (
            "permissions: { mention: not(hasTag(staff)) }\n\
             invariants: [{ never: mention, from: hasTag(staff), to: hasTag(pupil) }]",
            true,
        ),
        (
            "barriers: [{ name: apart, between: [hasTag(staff), hasTag(pupil)], actions: [mention] }]\n\
             invariants: [{ never: mention, from: hasTag(staff), to: hasTag(pupil) }]",
            true,
        ),
    ] {
        let text = format!("{ACTIONS}{policy}");
        let outcome = build(&Sources::new(files(&text)), None);
        let shown = render_text(&outcome.report, false);
        assert_eq!(outcome.view.is_some(), holds, "{policy}\n{shown}");
        assert_eq!(shown.contains("broken-invariant"), !holds, "{policy}\n{shown}");
    }
}

#[test]
fn revisions_tell_them_apart() {
    let revision = |policy: &str| {
        let outcome = build(&Sources::new(files(policy)), None);
        outcome.view.unwrap().revision.policy
    };
    let revisions: Vec<_> = [
        "actions: { wave: { like: start_chat } }",
        "actions: { wave: { like: post } }",
        "actions: { wives: { like: start_chat } }",
        "actions: { wave: { like: start_chat } }\npermissions: { wave: false }",
        "actions: { wave: { like: start_chat } }\nblocks: { wave: two_way }",
        "actions: { wave: { like: start_chat } }\naccepts: { wave: { default: nobody } }",
        "actions: { wave: { like: start_chat } }\nusers: { zoe: {} }",
        "actions: { wave: { like: start_chat } }\nusers: { zoe: { permissions: { wave: false } } }",
        "actions: { wave: { like: start_chat } }\nusers: { zoe: { accepts: { wave: nobody } } }",
    ]
    .map(revision)
    .into();
    for (at, one) in revisions.iter().enumerate() {
        assert!(!revisions[..at].contains(one), "{at}");
    }
}
