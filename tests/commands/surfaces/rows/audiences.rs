//! Rows of audiences: of the policy, in `accepts`, in records, and as peers modes.

use crate::surfaces::{
    Cell::{Is, Not},
    Makes, Row,
};

const PEOPLE: &str = "
users:
  ann: { tags: [family-a], contacts: [bob] }
  bob: { tags: [] }
  kim: { tags: [minor, family-a], contacts: [bob] }
";

/// Kim's record names the audience of everyone.
const OPEN: &str = "
users:
  ann: { tags: [family-a], contacts: [bob] }
  bob: { tags: [] }
  kim: { tags: [minor, family-a], accepts: { start_chat: everyone } }
";

const WRITTEN: &str = "what is written out is meant";

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "an audience of the policy",
        world: PEOPLE,
        with: "
audiences: { family: sharesTag(family-*) }
accepts: { start_chat: { modes: [{ when: hasTag(minor), audience: family }] } }
",
        without: "
accepts: { start_chat: { modes: [{ when: hasTag(minor), audience: everyone }] } }
",
        dsl: "audience family: sharesTag(family-*);",
        compiled: "family: sharesTag(family-*)",
        mistake: ("audience: family", "audience: familly", "unknown-audience"),
        schema_finds: Not("it does not know what audiences there are"),
        lint: Is(("audiences: { family: sharesTag(family-*) }", "unused-audience")),
        allowed: ("ann start_chat kim", &[]),
        refused: ("bob start_chat kim", "not_in_audience"),
        makes: Makes::Refused,
        explained: "`family`",
        covered: Is("accepts.start_chat.modes[0]"),
        diff: Is((1, 0, "`accepts.start_chat`")),
        invariant: Is(
            "{ never: start_chat, from: not(hasTag(family-a)), to: hasTag(minor), scope: population }",
        ),
        held: Not(WRITTEN),
        reaches: &["ann"],
        reached_by: &["ann"],
        matrix: Is(()),
    },
    Row {
        name: "`accepts`",
        world: PEOPLE,
        with: "accepts: { start_chat: { default: everyone, modes: [{ when: hasTag(minor), audience: contacts }] } }",
        without: "",
        dsl: "accepts start_chat { hasTag(minor): contacts; default: everyone; }",
        compiled: "start_chat: contacts for hasTag(minor)",
        mistake: ("start_chat:", "block:", "unfit-action"),
        schema_finds: Not("an action may be a declared one"),
        lint: Is((
            "permissions: { start_chat: false }\naccepts: { start_chat: { default: contacts } }",
            "shut-action",
        )),
        allowed: ("bob start_chat kim", &[]),
        refused: ("ann start_chat kim", "not_in_audience"),
        makes: Makes::Refused,
        explained: "`kim` accepts start_chat from `contacts`",
        covered: Is("accepts.start_chat.modes[0]"),
        diff: Is((1, 0, "`accepts.start_chat`")),
        invariant: Is(
            "{ never: start_chat, from: hasTag(family-a), to: hasTag(minor), scope: population }",
        ),
        held: Is("accepts"),
        reaches: &["bob"],
        reached_by: &["bob"],
        matrix: Is(()),
    },
    Row {
        name: "`locked`",
        world: OPEN,
        with: "accepts: { start_chat: { modes: [{ when: hasTag(minor), audience: nobody, locked: true }] } }",
        without: "accepts: { start_chat: { modes: [{ when: hasTag(minor), audience: nobody }] } }",
        dsl: "accepts start_chat { hasTag(minor): nobody locked; }",
        compiled: "start_chat: nobody for hasTag(minor), locked",
        mistake: ("locked: true", "locked: maybe", "wrong-type"),
        schema_finds: Is(()),
        lint: Not("a floor is no reason to warn"),
        allowed: ("kim start_chat ann", &[]),
        refused: ("ann start_chat kim", "not_in_audience"),
        makes: Makes::Refused,
        explained: "by their record from `everyone`, which holds `ann`, and from `nobody`",
        covered: Is("accepts.start_chat.modes[0]"),
        diff: Is((2, 0, "`accepts.start_chat`")),
        invariant: Is("{ never: start_chat, from: everyone, to: hasTag(minor) }"),
        held: Not(WRITTEN),
        reaches: &["bob"],
        reached_by: &[],
        matrix: Is(()),
    },
    Row {
        name: "`asked: new` of an audience",
        world: PEOPLE,
        with: "accepts: { send_message: { default: nobody, asked: new } }",
        without: "accepts: { send_message: { default: nobody } }",
        dsl: "asked: new;",
        compiled: "send_message: nobody, asked new, otherwise deny",
        mistake: ("asked: new", "asked: newly", "unknown-word"),
        schema_finds: Is(()),
        lint: Not("when an audience is asked is no reason to warn"),
        allowed: ("ann send_message kim conversation=existing", &[]),
        refused: ("ann send_message kim", "not_in_audience"),
        makes: Makes::Allowed,
        explained: "accepts.send_message is asked of new ones",
        covered: Not("an audience that is not asked decides nothing"),
        diff: Not("no conversation exists in this world"),
        invariant: Is(
            "{ always: send_message, from: everyone, to: hasTag(minor), conversation: existing }",
        ),
        held: Not("an audience that is asked more often refuses more"),
        reaches: &["bob", "kim"],
        reached_by: &["ann", "bob"],
        matrix: Is(()),
    },
    Row {
        name: "`otherwise: request`",
        world: PEOPLE,
        with: "accepts: { send_message: { default: contacts, otherwise: request } }",
        without: "accepts: { send_message: { default: contacts } }",
        dsl: "otherwise: request;",
        compiled: "send_message: contacts, asked always, otherwise request",
        mistake: ("send_message", "add_member", "not-requestable"),
        schema_finds: Not("it does not tell what can be requested"),
        lint: Not("what may be requested is no reason to warn"),
        allowed: ("ann send_message kim", &["request"]),
        refused: ("zed send_message kim", "unknown_subject"),
        makes: Makes::Allowed,
        explained: "so this is a request",
        covered: Is("accepts.send_message.default"),
        diff: Is((0, 4, "`accepts.send_message`")),
        invariant: Is("{ always: send_message, from: everyone, to: hasTag(minor) }"),
        held: Not("what is denied rather than requested opens nothing"),
        reaches: &["bob", "kim"],
        reached_by: &["ann", "bob"],
        matrix: Is(()),
    },
    Row {
        name: "`accepts` in a record",
        world: "users:\n  ann: { tags: [] }\n  bob: { tags: [] }",
        with: "  kim: { tags: [minor], accepts: { start_chat: nobody } }",
        without: "  kim: { tags: [minor] }",
        dsl: "user kim { tags: [minor]; accepts { start_chat: nobody; } }",
        compiled: "start_chat: nobody by their records for 1 {kim}",
        mistake: ("start_chat: nobody", "start_chat: nobdy", "unknown-audience"),
        schema_finds: Not("it does not know what audiences there are"),
        lint: Not("what users accept is theirs to say"),
        allowed: ("kim start_chat ann", &[]),
        refused: ("ann start_chat kim", "not_in_audience"),
        makes: Makes::Refused,
        explained: "`kim` accepts start_chat by their record from `nobody`",
        covered: Not("coverage is of the policy, not of records"),
        diff: Not("both sides have the users of the new policy"),
        invariant: Is(
            "{ never: start_chat, from: everyone, to: hasTag(minor), scope: population }",
        ),
        held: Not("records are no section"),
        reaches: &["bob"],
        reached_by: &[],
        matrix: Is(()),
    },
    Row {
        name: "an audience as a peers mode",
        world: PEOPLE,
        with: "
audiences: { family: sharesTag(family-*) }
peers: { default: all, modes: [{ when: hasTag(minor), mode: family }] }
",
        without: "",
        dsl: "peers { hasTag(minor): family; default: all; }",
        compiled: "peers: family for hasTag(minor)",
        mistake: ("mode: family", "mode: familly", "unknown-word"),
        schema_finds: Not("it does not know what audiences there are"),
        lint: Is(("audiences: { family: sharesTag(family-*) }", "unused-audience")),
        allowed: ("ann send_message kim", &[]),
        refused: ("bob send_message kim", "peers_resource"),
        makes: Makes::Refused,
        explained: "`kim` only with the audience `family`",
        covered: Is("peers.modes[0]"),
        diff: Is((2, 0, "`peers.modes`")),
        invariant: Is(
            "{ never: send_message, from: not(hasTag(family-a)), to: hasTag(minor), scope: population }",
        ),
        held: Is("peers"),
        reaches: &["ann"],
        reached_by: &["ann"],
        matrix: Is(()),
    },
    Row {
        name: "an audience as a peers mode in a record",
        world: "audiences: { family: sharesTag(family-*) }\nusers:\n  ann: { tags: [family-a] }\n  bob: { tags: [] }",
        with: "  kim: { tags: [minor, family-a], peers: family }",
        without: "  kim: { tags: [minor, family-a], accepts: { view_profile: family } }",
        dsl: "user kim { tags: [minor, family-a]; peers: family; }",
        compiled: "peers family: 1 {kim}",
        mistake: ("peers: family", "peers: familly", "unknown-word"),
        schema_finds: Not("it does not know what audiences there are"),
        lint: Not("whom users communicate with is theirs to say"),
        allowed: ("ann send_message kim", &[]),
        refused: ("bob send_message kim", "peers_resource"),
        makes: Makes::Refused,
        explained: "`kim` only with the audience `family`",
        covered: Not("coverage is of the policy, not of records"),
        diff: Not("both sides have the users of the new policy"),
        invariant: Is(
            "{ never: send_message, from: not(hasTag(family-a)), to: hasTag(minor), scope: population }",
        ),
        held: Not("records are no section"),
        reaches: &["ann"],
        reached_by: &["ann"],
        matrix: Is(()),
    },
];
