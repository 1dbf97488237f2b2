//! Rows of relation conditions between the two users of a rule.

use crate::surfaces::{
    Cell::{Is, Not},
    Makes, Row,
};

const PEOPLE: &str = "
users:
  ann: { tags: [team-a, lead], contacts: [bob], friends: [cat] }
  bob: { tags: [team-a], contacts: [ann] }
  cat: { tags: [team-b], contacts: [ann] }
  dan: { tags: [team-c, staff] }
groups: { crew: { creator: ann, members: [cat] } }
conversations: [[ann, cat]]
";

const WITHOUT: &str = "
rule_sets:
  acquainted:
    rules: [{ name: staff write, condition: hasTag(staff), outcome: everyone }]
";

const CLOSED: &str = "a rule that is gone allows less";

const NEVER: &str = "
rule_sets:
  acquainted:
    rules: [{ name: none, condition: everyone, between: 'all(friend, not(friend))' }]
";

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "`between`",
        world: PEOPLE,
        with: "
rule_sets:
  acquainted:
    rules:
      - { name: staff write, condition: hasTag(staff), outcome: everyone }
      - { name: friends, condition: everyone, between: friend }
",
        without: WITHOUT,
        dsl: "rule friends: everyone between friend;",
        compiled: "everyone -> everyone between friend",
        mistake: ("between: friend", "between: hasTag(staff)", "tag-in-relation"),
        schema_finds: Is(()),
        lint: Is((NEVER, "never-holds")),
        allowed: ("ann start_chat cat", &[]),
        refused: ("ann start_chat bob", "no_rule"),
        makes: Makes::Allowed,
        explained: "`friends`",
        covered: Is("friends"),
        diff: Is((0, 1, "rule `friends`")),
        invariant: Is(
            "{ every: hasTag(lead), reaches: hasTag(team-b), by: start_chat, scope: population }",
        ),
        held: Not(CLOSED),
        reaches: &["cat"],
        reached_by: &["ann", "dan"],
        matrix: Is(()),
    },
    Row {
        name: "`sharesTag`",
        world: PEOPLE,
        with: "
rule_sets:
  acquainted:
    rules:
      - { name: staff write, condition: hasTag(staff), outcome: everyone }
      - { name: in the team, condition: everyone, between: sharesTag(team-*) }
",
        without: WITHOUT,
        dsl: "rule \"in the team\": everyone between sharesTag(team-*);",
        compiled: "everyone -> everyone between sharesTag(team-*)",
        mistake: ("sharesTag(team-*)", "sharesTag()", "wrong-arguments"),
        schema_finds: Not("it leaves the words of conditions to `check`"),
        lint: Is((NEVER, "never-holds")),
        allowed: ("ann start_chat bob", &[]),
        refused: ("ann start_chat cat", "no_rule"),
        makes: Makes::Allowed,
        explained: "`in the team`",
        covered: Is("in the team"),
        diff: Is((0, 2, "rule `in the team`")),
        invariant: Is("{ always: start_chat, from: hasTag(team-a), to: hasTag(team-a) }"),
        held: Not(CLOSED),
        reaches: &["bob"],
        reached_by: &["ann", "dan"],
        matrix: Is(()),
    },
    Row {
        name: "`sharesGroup`",
        world: PEOPLE,
        with: "
rule_sets:
  acquainted:
    rules:
      - { name: staff write, condition: hasTag(staff), outcome: everyone }
      - { name: in a group, condition: everyone, between: sharesGroup }
",
        without: WITHOUT,
        dsl: "rule \"in a group\": everyone between sharesGroup;",
        compiled: "everyone -> everyone between sharesGroup",
        mistake: ("between: sharesGroup", "between: sharesGroup(team)", "unknown-matrix"),
        schema_finds: Not("it does not know what matrices there are"),
        lint: Is((NEVER, "never-holds")),
        allowed: ("cat start_chat ann", &[]),
        refused: ("ann start_chat bob", "no_rule"),
        makes: Makes::Allowed,
        explained: "`in a group`",
        covered: Is("in a group"),
        diff: Is((0, 2, "rule `in a group`")),
        invariant: Is(
            "{ every: hasTag(team-b), reaches: hasTag(team-a), by: start_chat, scope: population }",
        ),
        held: Not(CLOSED),
        reaches: &["ann"],
        reached_by: &["cat", "dan"],
        matrix: Is(()),
    },
    Row {
        name: "`inverse`",
        world: PEOPLE,
        with: "
rule_sets:
  acquainted:
    rules:
      - { name: staff write, condition: hasTag(staff), outcome: everyone }
      - { name: listed, condition: everyone, between: inverse(contact) }
",
        without: WITHOUT,
        dsl: "rule listed: everyone between inverse(contact);",
        compiled: "everyone -> everyone between inverse(contact)",
        mistake: ("inverse(contact)", "inverse(contacts)", "wrong-arguments"),
        schema_finds: Is(()),
        lint: Is((
            "
rule_sets:
  acquainted:
    rules: [{ name: own list, condition: everyone, between: contact }]
",
            "self-opened",
        )),
        allowed: ("ann start_chat cat", &[]),
        refused: ("cat start_chat ann", "no_rule"),
        makes: Makes::Allowed,
        explained: "`listed`",
        covered: Is("listed"),
        diff: Is((0, 3, "rule `listed`")),
        invariant: Is(
            "{ every: hasTag(team-a), reaches: hasTag(team-a), by: start_chat, scope: population }",
        ),
        held: Not(CLOSED),
        reaches: &["bob", "cat"],
        reached_by: &["ann", "dan"],
        matrix: Is(()),
    },
    Row {
        name: "`mutual`",
        world: PEOPLE,
        with: "
rule_sets:
  acquainted:
    rules:
      - { name: staff write, condition: hasTag(staff), outcome: everyone }
      - { name: both, condition: everyone, between: mutual(contact) }
",
        without: WITHOUT,
        dsl: "rule both: everyone between mutual(contact);",
        compiled: "everyone -> everyone between mutual(contact)",
        mistake: ("mutual(contact)", "mutual(admin)", "wrong-arguments"),
        schema_finds: Is(()),
        lint: Is((NEVER, "never-holds")),
        allowed: ("ann start_chat bob", &[]),
        refused: ("cat start_chat ann", "no_rule"),
        makes: Makes::Allowed,
        explained: "`both`",
        covered: Is("both"),
        diff: Is((0, 2, "rule `both`")),
        invariant: Is(
            "{ every: hasTag(team-a), reaches: hasTag(team-a), by: start_chat, scope: population }",
        ),
        held: Not(CLOSED),
        reaches: &["bob"],
        reached_by: &["ann", "dan"],
        matrix: Is(()),
    },
    Row {
        name: "`conversation`",
        world: PEOPLE,
        with: "
rule_sets:
  acquainted:
    rules:
      - { name: staff write, condition: hasTag(staff), outcome: everyone }
      - { name: going on, condition: everyone, between: conversation }
",
        without: WITHOUT,
        dsl: "rule \"going on\": everyone between conversation;",
        compiled: "everyone -> everyone between conversation",
        mistake: ("between: conversation", "between: conversations", "unknown-atom"),
        schema_finds: Is(()),
        lint: Is((NEVER, "never-holds")),
        allowed: ("ann send_message cat", &[]),
        refused: ("ann send_message bob", "no_rule"),
        makes: Makes::Allowed,
        explained: "`going on`",
        covered: Is("going on"),
        diff: Is((0, 2, "rule `going on`")),
        invariant: Is(
            "{ every: hasTag(team-b), reaches: hasTag(team-a), by: send_message, scope: population }",
        ),
        held: Not(CLOSED),
        reaches: &["cat"],
        reached_by: &["ann", "dan"],
        matrix: Is(()),
    },
];
