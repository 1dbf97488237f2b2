//! What files state until a moment, and who stated it why: what is read of it in each notation, and what is
//! reported.

use std::fmt::Write as _;

use peerage::{
    compile,
    diagnostic::render_text,
    request::Moment,
    source::{LoadedSources, Notation, Sources},
};

const YAML: &str = r#"
users:
  a:
    tags: [x, { tag: y, until: 2099-01-01T00:00:00Z }]
    moderation: { state: banned, until: 2099-01-01T00:00:00+01:00, reason: spam, by: b }
    contacts: [{ user: b, until: 2099-01-01T00:00:00Z }, c]
    blocked: [{ user: c, reason: "it's: this", by: b }]
  b: {}
  c: {}
groups:
  g: { creator: b, muted: [{ user: c, until: 2099-01-01T00:00:00Z }], banned: [{ user: a, reason: r }] }
"#;

const DSL: &str = r#"
user a {
  tags: [x, y until "2099-01-01T00:00:00Z"];
  moderation: banned until "2099-01-01T00:00:00+01:00" reason spam by b;
  contacts: [b until "2099-01-01T00:00:00Z", c];
  blocked: [c reason "it's: this" by b];
}
user b {}
user c {}
group g {
  creator: b;
  muted: [c until "2099-01-01T00:00:00Z"];
  banned: [a reason r];
}
"#;

/// The revision of a policy, and how many of its statements count, at a time.
fn compiled(name: &str, notation: Notation, text: &str, at: &str) -> (String, String) {
    let at: Moment = at.parse().unwrap();
    let sources = Sources::single(name, notation, text).at(at.into());
    let view = compile::build(&LoadedSources::from(sources), None).view.unwrap();
    let ties = view.population.directory.numbers().map(|user| view.population.ties_of(user).len());
    let counts = view.counts();
    let shown = format!("{:?} ties {}", counts.banned, ties.sum::<usize>());
    (view.revision.to_string(), shown)
}

#[test]
fn terms_are_read_alike_in_both_notations() {
    for (at, shown) in [("2098-01-01T00:00:00Z", "1 ties 4"), ("2099-01-01T00:00:00Z", "0 ties 2")]
    {
        let yaml = compiled("policy.yaml", Notation::Yaml, YAML, at);
        assert_eq!(yaml, compiled("policy.peerage", Notation::Dsl, DSL, at));
        assert_eq!(yaml.1, shown);
    }
}

/// Who is named with several ends is so until the latest, and without an end for good.
#[test]
fn of_several_ends_the_latest_counts() {
    const TWICE: &str = r#"
user a {}
user b { blocked: [a until "2098-01-01T00:00:00Z", a]; tags: [x, x until "2098-01-01T00:00:00Z"]; }
user c { blocked: [a until "2098-01-01T00:00:00Z", a until "2099-01-01T00:00:00Z"]; }
group g {
  creator: b;
  muted: [a until "2098-01-01T00:00:00Z", a];
  banned: [c until "2098-01-01T00:00:00Z", c until "2099-01-01T00:00:00Z"];
}
"#;
    for (at, ties, banned) in [
        ("2097-01-01T00:00:00Z", 4, 1),
        ("2098-01-01T00:00:00Z", 4, 1),
        ("2099-01-01T00:00:00Z", 2, 0),
    ] {
        let now: Moment = at.parse().unwrap();
        let of = |start: Moment| {
            let sources = Sources::single("policy.peerage", Notation::Dsl, TWICE).at(start.into());
            let built = compile::build(&LoadedSources::from(sources), None).view;
            let mut view = built.unwrap();
            compile::advance(&mut view, now);
            view
        };
        for view in [of(now), of("2096-01-01T00:00:00Z".parse().unwrap())] {
            let users = view.population.directory.numbers();
            let found: usize = users.map(|user| view.population.ties_of(user).len()).sum();
            assert_eq!(found, ties, "{at}");
            let group = view.groups.get(view.groups.number("g").unwrap()).unwrap();
            let restrictions = group.restrictions.unwrap();
            assert_eq!(restrictions.muted().count(), 1, "{at}");
            assert_eq!(restrictions.banned().count(), banned, "{at}");
            assert_eq!(view.population.members(view.tags.get("x").unwrap()).unwrap().len(), 1);
        }
    }
}

/// What is wrong in each policy, as `check` says it.
#[test]
fn mistakes_are_reported_with_hints() {
    const DSLS: &[&str] = &[
        r#"user a { tags: [x until "2099-01-01T00:00:00"]; }"#,
        r#"user a { tags: [x until "2001-01-01T00:00:00Z"]; }"#,
        r#"user a { tags: [x until "2099-02-30T00:00:00Z"]; }"#,
        "user a { tags: [x reason r]; }",
        "user a { tags: [x until]; }",
        r#"user a { tags: [x until "2099-01-01T00:00:00Z" until "2099-01-01T00:00:00Z"]; }"#,
        "user a { moderation: banned for 10; }",
        r#"user a { moderation: banned untl "2099-01-01T00:00:00Z"; }"#,
        r#"user a { peers: all until "2099-01-01T00:00:00Z"; }"#,
        r#"user a {} group g { creator: a; admins: [a until "2099-01-01T00:00:00Z"]; }"#,
        r#"user a {} group g { creator: a; banned: [a until "2001-01-01T00:00:00Z"]; }"#,
        r#"tags: [x until "2099-01-01T00:00:00Z"];"#,
    ];
    const YAMLS: &[&str] = &[
        "users: { a: { tags: [{ until: 2099-01-01T00:00:00Z }] } }",
        "users: { a: { tags: [{ tag: [x] }, { tag: x, by: a }] } }",
        "users: { a: { moderation: { state: banned, for: 10, until: [x] } } }",
        "users: { a: { moderation: { until: 2099-01-01T00:00:00Z } } }",
        "users: { a: {}, b: { blocked: [{ user: a, by: \"\", until: soon }] } }",
        "users: { a: {} }\ngroups: { g: { creator: a, members: [{ user: a, until: 2099-01-01T00:00:00Z }] } }",
    ];
    let mut reported = String::new();
    let dsls = DSLS.iter().map(|body| ("policy.peerage", Notation::Dsl, body));
    let yamls = YAMLS.iter().map(|body| ("policy.yaml", Notation::Yaml, body));
    for (name, notation, body) in dsls.chain(yamls) {
        let sources = Sources::single(name, notation, *body);
        let outcome = compile::build(&LoadedSources::from(sources), None);
        let said = render_text(&outcome.report, false);
        writeln!(reported, "{body}\n=====\n{said}").unwrap();
    }
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => true }, {
        insta::assert_snapshot!("mistakes", reported);
    });
}
