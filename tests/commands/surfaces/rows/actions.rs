//! Rows of declared actions, and of sight.

use crate::surfaces::{
    Cell::{Is, Not},
    Makes, Row,
};

const CREW: &str = "
actions: { mention: { like: send_message } }
users:
  ann: { tags: [staff] }
  bob: { tags: [] }
groups: { crew: { matrix: quiet, creator: ann, members: [bob] } }
";

const PAIR: &str = "
users:
  ann: { tags: [staff], blocked: [bob], contacts: [eve] }
  bob: { tags: [guest] }
  eve: { tags: [] }
";

/// Something is said of the action in any case, so that it is no plain one.
const DECLARED: &str = "
actions: { mention: { like: send_message } }
users:
  ann: { tags: [staff], blocked: [bob], contacts: [eve] }
  bob: { tags: [guest] }
  eve: { tags: [], permissions: { mention: true } }
";

const WRITTEN: &str = "what is written out is meant";

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "the switch of a declared action",
        world: "users: { ann: { tags: [staff] }, bob: { tags: [] } }",
        with: "actions: { mention: { like: send_message } }\npermissions: { mention: hasTag(staff) }",
        without: "actions: { mention: { like: send_message } }\npermissions: { mention: true }",
        dsl: "action mention: send_message;",
        compiled: "mention: like send_message, permission hasTag(staff)",
        mistake: ("like: send_message", "like: send_massage", "unknown-word"),
        schema_finds: Is(()),
        lint: Is(("actions: { mention: { like: send_message } }", "plain-action")),
        allowed: ("ann mention bob", &[]),
        refused: ("bob mention ann", "permission_off"),
        makes: Makes::Refused,
        explained: "mention of `bob` is off",
        covered: Is("permissions.mention"),
        diff: Is((1, 0, "`permissions.mention`")),
        invariant: Is("{ never: mention, from: not(hasTag(staff)), to: everyone }"),
        held: Not("what is written out is meant"),
        reaches: &[],
        reached_by: &[],
        matrix: Is(()),
    },
    Row {
        name: "the switch of a declared action in a record",
        world: "
actions: { mention: { like: send_message } }
users:
  ann: { tags: [staff], permissions: { mention: true } }",
        with: "  bob: { tags: [guest], permissions: { mention: false } }",
        without: "  bob: { tags: [guest] }",
        dsl: "user bob { tags: [guest]; permissions { mention: false; } }",
        compiled: "set by their records for 2 {ann, bob}",
        mistake: ("permissions: { mention: false }", "permissions: { menton: false }", "unknown-field"),
        schema_finds: Not("it does not know what actions are declared"),
        lint: Is((
            "  bob: { tags: [guest], permissions: { mention: 'all(hasTag(a), not(hasTag(a)))' } }",
            "never-holds",
        )),
        allowed: ("ann mention bob", &[]),
        refused: ("bob mention ann", "permission_off"),
        makes: Makes::Refused,
        explained: "mention of `bob` is off",
        covered: Not("coverage is of the policy, not of records"),
        diff: Not("both sides have the users of the new policy"),
        invariant: Is("{ never: mention, from: hasTag(guest), to: everyone, scope: population }"),
        held: Not("records are no section"),
        reaches: &[],
        reached_by: &[],
        matrix: Is(()),
    },
    Row {
        name: "the block mode of a declared action",
        world: DECLARED,
        with: "blocks: { mention: two_way }",
        without: "",
        dsl: "blocks { mention: two_way; }",
        compiled: "blocks two_way",
        mistake: ("mention: two_way", "mention: three_way", "unknown-word"),
        schema_finds: Is(()),
        lint: Not("a block mode is no reason to warn"),
        allowed: ("eve mention ann conversation=existing", &[]),
        refused: ("ann mention bob conversation=existing", "blocked_by_subject"),
        makes: Makes::Refused,
        explained: "blocks.mention two_way",
        covered: Is("blocks.mention"),
        diff: Not("a new conversation passes the block mode of `start_chat` in any case"),
        invariant: Is(
            "{ never: mention, from: hasTag(staff), to: hasTag(guest), conversation: existing, scope: population }",
        ),
        held: Is("blocks"),
        reaches: &["eve"],
        reached_by: &["eve"],
        matrix: Is(()),
    },
    Row {
        name: "the audience of a declared action",
        world: DECLARED,
        with: "accepts: { mention: { default: contacts } }",
        without: "",
        dsl: "accepts mention { default: contacts; }",
        compiled: "mention: contacts",
        mistake: ("accepts: { mention", "accepts: { menton", "unknown-word"),
        schema_finds: Not("it does not know what actions are declared"),
        lint: Is((
            "permissions: { mention: false }\naccepts: { mention: { default: contacts } }",
            "shut-action",
        )),
        allowed: ("eve mention ann", &[]),
        refused: ("bob mention eve", "not_in_audience"),
        makes: Makes::Refused,
        explained: "`eve` accepts mention from `contacts`",
        covered: Is("accepts.mention.default"),
        diff: Is((3, 0, "`accepts.mention`")),
        invariant: Is("{ never: mention, from: everyone, to: not(hasTag(staff)), scope: population }"),
        held: Is("accepts"),
        reaches: &[],
        reached_by: &[],
        matrix: Is(()),
    },
    Row {
        name: "a barrier of a declared action",
        world: DECLARED,
        with: "barriers: [{ name: quiet, from: not(hasTag(staff)), to: hasTag(staff), actions: [mention] }]",
        without: "",
        dsl: "barrier quiet: not(hasTag(staff)) -> hasTag(staff) { actions: [mention]; }",
        compiled: "of mention\n",
        mistake: ("[mention]", "[menton]", "unknown-word"),
        schema_finds: Not("it does not know what actions are declared"),
        lint: Is((
            "barriers: [{ name: quiet, from: everyone, to: hasTag(nobody-yet), actions: [mention] }]",
            "barrier-sides",
        )),
        allowed: ("bob mention eve", &[]),
        refused: ("eve mention ann", "barrier"),
        makes: Makes::Refused,
        explained: "the barrier `quiet`",
        covered: Is("barriers.quiet"),
        diff: Is((1, 0, "`barriers`")),
        invariant: Is("{ never: mention, from: not(hasTag(staff)), to: hasTag(staff) }"),
        held: Is("barriers"),
        reaches: &["bob"],
        reached_by: &[],
        matrix: Is(()),
    },
    Row {
        name: "a rule set of a declared action",
        world: DECLARED,
        with: "
rule_sets:
  of mentions: { actions: [mention], rules: [{ condition: hasTag(staff), outcome: everyone }] }
",
        without: "",
        dsl: "rule_set \"of mentions\" {",
        compiled: "rule set of mentions, asked always of mention",
        mistake: ("[mention]", "[menton]", "unknown-word"),
        schema_finds: Not("it does not know what actions are declared"),
        lint: Is(("rule_sets: { of mentions: { actions: [mention], rules: [] } }", "closed-set")),
        allowed: ("ann mention eve", &[]),
        refused: ("eve mention ann", "no_rule"),
        makes: Makes::Refused,
        explained: "`of mentions`",
        covered: Not("a set allows by its rules, which are the ones that count"),
        diff: Is((3, 0, "`rule_sets`")),
        invariant: Is("{ never: mention, from: not(hasTag(staff)), to: everyone }"),
        held: Is("rule_sets"),
        reaches: &[],
        reached_by: &[],
        matrix: Is(()),
    },
    Row {
        name: "the cell of a declared action",
        world: CREW,
        with: "
matrices:
  quiet:
    add_member: allow
    remove_member: allow_if_admin
    update_metadata: allow
    add_admin: allow_if_admin
    remove_admin: allow_if_admin
    update_permissions: allow_if_super_admin
    mention: allow_if_admin
",
        without: "
matrices:
  quiet:
    add_member: allow
    remove_member: allow_if_admin
    update_metadata: allow
    add_admin: allow_if_admin
    remove_admin: allow_if_admin
    update_permissions: allow_if_super_admin
    mention: allow
",
        dsl: "mention: allow_if_admin;",
        compiled: "mention: allow_if_admin",
        mistake: ("mention: allow_if_admin", "mention: allow_if_boss", "unknown-word"),
        schema_finds: Is(()),
        lint: Is((
            "
matrices:
  quiet:
    add_member: allow
    remove_member: allow_if_admin
    update_metadata: allow
    add_admin: allow_if_admin
    remove_admin: allow_if_admin
    update_permissions: allow_if_super_admin
    mention: all(hasTag(staff), not(hasTag(staff)))
",
            "never-holds",
        )),
        allowed: ("ann mention crew type=group", &[]),
        refused: ("bob mention crew type=group", "needs_admin"),
        makes: Makes::Refused,
        explained: "mention of the matrix is allow_if_admin",
        covered: Is("matrices.quiet.mention"),
        diff: Not("actions in groups are compared by the cells of matrices"),
        invariant: Not("invariants are about two users without a group"),
        held: Not(WRITTEN),
        reaches: &[],
        reached_by: &["ann"],
        matrix: Not("the table is of users, not of groups"),
    },
    Row {
        name: "`view_profile` in `blocks`",
        world: PAIR,
        with: "blocks: { view_profile: one_way }",
        without: "",
        dsl: "blocks { view_profile: one_way; }",
        compiled: "blocks.view_profile: one_way",
        mistake: ("view_profile: one_way", "view_profile: no_way", "unknown-word"),
        schema_finds: Is(()),
        lint: Not("a block mode is no reason to warn"),
        allowed: ("ann view_profile bob", &[]),
        refused: ("bob view_profile ann", "blocked_by_resource"),
        makes: Makes::Refused,
        explained: "blocks.view_profile is one_way",
        covered: Is("blocks.view_profile"),
        diff: Is((1, 0, "`blocks.view_profile`")),
        invariant: Is(
            "{ never: view_profile, from: hasTag(guest), to: hasTag(staff), scope: population }",
        ),
        held: Is("blocks"),
        reaches: &["bob", "eve"],
        reached_by: &["ann", "eve"],
        matrix: Is(()),
    },
    Row {
        name: "`view_profile` in `accepts`",
        world: PAIR,
        with: "accepts: { view_profile: { default: contacts } }",
        without: "",
        dsl: "accepts view_profile { default: contacts; }",
        compiled: "view_profile: contacts",
        mistake: ("view_profile", "view_profil", "unknown-word"),
        schema_finds: Not("an action may be a declared one"),
        lint: Not("no switch shuts the directory"),
        allowed: ("eve view_profile ann", &[]),
        refused: ("bob view_profile ann", "not_in_audience"),
        makes: Makes::Refused,
        explained: "`ann` accepts view_profile from `contacts`",
        covered: Is("accepts.view_profile.default"),
        diff: Is((5, 0, "`accepts.view_profile`")),
        invariant: Is(
            "{ never: view_profile, from: hasTag(staff), to: not(hasTag(staff)), scope: population }",
        ),
        held: Is("accepts"),
        reaches: &["bob"],
        reached_by: &["ann", "eve"],
        matrix: Is(()),
    },
    Row {
        name: "`view_profile` in a rule set",
        world: PAIR,
        with: "
rule_sets:
  directory: { actions: [view_profile], rules: [{ name: staff see all, condition: hasTag(staff), outcome: everyone }] }
",
        without: "",
        dsl: "actions: [view_profile];",
        compiled: "rule set directory, asked always of view_profile",
        mistake: ("[view_profile]", "[read]", "unfit-action"),
        schema_finds: Not("an action may be a declared one"),
        lint: Is(("rule_sets: { directory: { actions: [view_profile], rules: [] } }", "closed-set")),
        allowed: ("ann view_profile bob", &[]),
        refused: ("bob view_profile ann", "no_rule"),
        makes: Makes::Refused,
        explained: "`directory`",
        covered: Not("a set allows by its rules, which are the ones that count"),
        diff: Is((4, 0, "`rule_sets`")),
        invariant: Is("{ never: view_profile, from: not(hasTag(staff)), to: everyone }"),
        held: Is("rule_sets"),
        reaches: &["bob"],
        reached_by: &["ann"],
        matrix: Is(()),
    },
    Row {
        name: "`view_profile` in a barrier",
        world: PAIR,
        with: "barriers: [{ name: hidden, from: not(hasTag(staff)), to: hasTag(staff), actions: [view_profile] }]",
        without: "",
        dsl: "barrier hidden: not(hasTag(staff)) -> hasTag(staff) { actions: [view_profile]; }",
        compiled: "of view_profile\n",
        mistake: ("[view_profile]", "[read]", "unfit-action"),
        schema_finds: Not("an action may be a declared one"),
        lint: Is((
            "barriers: [{ name: hidden, from: everyone, to: hasTag(nobody-yet), actions: [view_profile] }]",
            "barrier-sides",
        )),
        allowed: ("ann view_profile bob", &[]),
        refused: ("bob view_profile ann", "barrier"),
        makes: Makes::Refused,
        explained: "the barrier `hidden`",
        covered: Is("barriers.hidden"),
        diff: Is((2, 0, "`barriers`")),
        invariant: Is("{ never: view_profile, from: not(hasTag(staff)), to: hasTag(staff) }"),
        held: Is("barriers"),
        reaches: &["bob", "eve"],
        reached_by: &["ann"],
        matrix: Is(()),
    },
];
