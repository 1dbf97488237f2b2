//! From whom users accept what, and audiences as peers modes.

use super::check;

#[test]
fn audiences_of_the_policy() {
    check(
        "audiences:
  close: any(friend, sharesTag(class-*))
  staff_or_close: any(hasTag(staff), close)
accepts:
  start_chat: { default: staff_or_close }
  add_member: { default: contacts }
  friend_request: { default: everyone, modes: [{ when: hasTag(staff), audience: nobody }] }
users:
  gus: { accepts: { start_chat: everyone, friend_request: nobody } }",
        &[
            ("`hasTag` is about the other", "ann start_chat bob", "allowed"),
            ("an audience names another", "bob start_chat cat", "allowed"),
            ("who is in neither is outside", "fay start_chat bob", "not_in_audience"),
            ("it is read from the one who is reached", "eve start_chat ann", "allowed"),
            ("and not from who reaches", "eve start_chat dan", "not_in_audience"),
            ("a message begins a conversation", "fay send_message bob", "not_in_audience"),
            ("an existing one is begun", "fay send_message bob conversation=existing", "allowed"),
            (
                "`start_chat` is new always",
                "fay start_chat bob conversation=existing",
                "not_in_audience",
            ),
            ("the member is who is reached", "ann add_member g member=dan", "allowed"),
            ("by all who add them", "bob add_member g member=dan", "not_in_audience"),
            ("not by themselves", "bob add_member g member=bob", "allowed"),
            ("a mode before the default", "bob friend_request ann", "not_in_audience"),
            ("the default for others", "ann friend_request bob", "allowed"),
            ("their own instead of the policy's", "fay start_chat gus", "allowed"),
            ("narrower as well as wider", "fay friend_request gus", "not_in_audience"),
            ("nothing is said of calls", "fay voice_call bob conversation=existing", "allowed"),
            ("nor of messages to groups", "bob send_message g type=group", "allowed"),
            ("nor of blocks", "fay block bob", "allowed"),
            ("lists read it from each", "fay start_chat _", "[gus]"),
            ("in both directions", "_ start_chat bob", "[ann, cat]"),
        ],
    );
}

#[test]
fn built_in_audiences() {
    for (audience, reached_by) in [
        ("everyone", "[bob, cat, dan, eve, fay]"),
        ("contacts", "[bob, cat]"),
        ("favorites", "[cat]"),
        ("paired", "[dan]"),
        ("friends", "[eve]"),
        ("nobody", "[]"),
    ] {
        check(
            &format!("accepts: {{ start_chat: {{ default: {audience} }} }}"),
            &[("an audience is built in", "_ start_chat ann", reached_by)],
        );
    }
}

#[test]
fn floors() {
    check(
        "accepts:
  start_chat:
    default: everyone
    modes:
      - { when: hasTag(minor), audience: contacts, locked: true }
      - { when: hasTag(shy), audience: nobody }
users:
  kim: { tags: [minor], contacts: [ann], accepts: { start_chat: everyone } }
  leo: { tags: [minor], contacts: [ann, bob], friends: [bob, cat], accepts: { start_chat: friends } }
  mia: { tags: [shy], accepts: { start_chat: everyone } }
  ned: { tags: [shy] }
  ola: { tags: [shy, minor], contacts: [ann] }",
        &[
            ("a locked one is never widened", "fay start_chat kim", "not_in_audience"),
            ("both admit", "ann start_chat kim", "allowed"),
            ("it is narrowed", "ann start_chat leo", "not_in_audience"),
            ("to whom both admit", "bob start_chat leo", "allowed"),
            ("and nobody whom one does not", "cat start_chat leo", "not_in_audience"),
            ("one that is not locked is widened", "fay start_chat mia", "allowed"),
            ("it holds for who says nothing", "fay start_chat ned", "not_in_audience"),
            ("the first mode that is met counts", "ann start_chat ola", "allowed"),
            ("who meets none has the default", "fay start_chat bob", "allowed"),
            ("who may reach someone meets both", "_ start_chat leo", "[bob]"),
        ],
    );
}

#[test]
fn requests() {
    check(
        "accepts:
  start_chat: { default: contacts, otherwise: request }
  voice_call: { default: contacts, asked: new }
  video_call: { default: contacts, otherwise: request }
  friend_request: { default: contacts, otherwise: deny }
users:
  pam: { accepts: { start_chat: nobody, send_message: nobody } }
  rex: { accepts: { voice_call: nobody } }",
        &[
            ("outside, it is a request", "fay start_chat bob", "allowed request"),
            ("inside, it is none", "ann start_chat dan", "allowed"),
            ("a message that begins is a request", "fay send_message bob", "allowed request"),
            (
                "none in a conversation there is",
                "fay send_message bob conversation=existing",
                "allowed",
            ),
            ("a call is one too", "fay video_call bob", "allowed request"),
            ("and closes nothing later", "fay video_call bob conversation=existing", "allowed"),
            ("gate by gate: its own audience denies", "fay voice_call bob", "not_in_audience"),
            (
                "`asked: new` of new ones only",
                "fay voice_call bob conversation=existing",
                "allowed",
            ),
            ("also one of a record", "fay voice_call rex conversation=existing", "allowed"),
            ("`otherwise` is the policy's too", "fay start_chat pam", "allowed request"),
            ("where it has no entry, it denies", "fay send_message pam", "not_in_audience"),
            ("always", "fay send_message pam conversation=existing", "not_in_audience"),
            ("`deny` closes", "fay friend_request bob", "not_in_audience"),
            ("lists hold who may ask", "_ start_chat fay", "[ann, bob, cat, dan, eve, pam, rex]"),
        ],
    );
    check(
        "accepts: { send_message: { default: contacts, otherwise: request } }",
        &[
            ("a message's own entry makes requests", "fay send_message bob", "allowed request"),
            ("of messages alone", "fay start_chat bob", "allowed"),
        ],
    );
    check(
        "accepts: { friend_request: { default: contacts } }\nfriendship: { default_approval: need_confirm }",
        &[("other obligations stay", "bob friend_request ann", "allowed confirm")],
    );
}

#[test]
fn peers_modes() {
    check(
        "audiences: { teammates: sharesTag(team-*) }
peers:
  default: all
  modes:
    - { when: hasTag(friendly), mode: friends }
    - { when: hasTag(alone), mode: nobody }
    - { when: hasTag(team), mode: teammates }
users:
  qin: { tags: [friendly], friends: [ann] }
  rob: { tags: [alone] }
  sue: { tags: [team, team-a] }
  tom: { tags: [team-b], peers: teammates }",
        &[
            ("`friends` is a mode", "qin start_chat ann", "allowed"),
            ("the subject's must admit the resource", "qin start_chat bob", "peers_subject"),
            ("the resource's must admit the subject", "bob start_chat qin", "peers_resource"),
            ("`nobody` admits none", "ann start_chat rob", "peers_resource"),
            (
                "in conversations there are",
                "rob send_message ann conversation=existing",
                "peers_subject",
            ),
            ("peers have no say on friend requests", "bob friend_request rob", "allowed"),
            ("an audience is a mode", "sue start_chat ann", "allowed"),
            ("read from whose mode it is", "sue start_chat bob", "peers_subject"),
            ("for both ends", "bob start_chat sue", "peers_resource"),
            ("in records too", "ann start_chat tom", "peers_resource"),
            ("lists read modes", "_ start_chat sue", "[ann]"),
        ],
    );
}
