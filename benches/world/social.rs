//! A world with relations, settings and groups: every gate has something to look at.

use std::fmt::Write as _;

use peerage::source::{LoadedSources, Notation, Source};

use super::{Random, Size, dsl_rules, loaded, user};

/// How many edges each user has: contacts, one of them a favorite, paired users, blocked ones and
/// friends.
pub const EDGES: [(&str, u32); 5] =
    [("contacts", 3), ("favorites", 1), ("paired", 2), ("blocked", 1), ("friends", 3)];

/// How many edges of each user there are.
pub const EDGES_EACH: u32 = 10;

/// How many members a group has.
pub const MEMBERS: u32 = 20;

const SETTINGS: &str = "
moderation { managers: hasTag(tag-7); }
permissions { video_call: any(hasTag(tag-1), hasTag(tag-2)); create_group: not(hasTag(tag-3)); }
peers { hasTag(tag-20): contacts; hasTag(tag-40): paired; default: all; }
friendship { default_approval: allow_any; }
limits { friends: 3000; blocked: 1000; group_members: 250; }
matrix team {
  add_member: any(allow_if_admin, hasTag(tag-1));
  remove_member: allow_if_admin;
  update_metadata { group_name: allow; *: allow_if_admin; }
  add_admin: allow_if_super_admin;
  remove_admin: allow_if_super_admin;
  update_permissions: allow_if_super_admin;
}
";

/// The policy of a size with so many groups: rules, settings and groups in the DSL, users in NDJSON.
pub fn sources(size: Size, groups: u32) -> LoadedSources {
    with_users(size, groups, ndjson(size))
}

/// The same, in which each user is in one of so many teams besides, by a tag `team-...`, and every eighth in two.
pub fn sources_with_teams(size: Size, groups: u32, teams: u32) -> LoadedSources {
    let mut random = Random::new(37);
    let mut users = String::new();
    for line in ndjson(size).lines() {
        let count = if random.below(8) == 0 { 2 } else { 1 };
        let teams = (0..count).map(|_| format!(r#""team-{}","#, random.below(teams)));
        let teams: String = teams.collect();
        users.push_str(&line.replacen(r#""tags":["#, &format!(r#""tags":[{teams}"#), 1));
        users.push('\n');
    }
    with_users(size, groups, users)
}

fn with_users(size: Size, groups: u32, users: String) -> LoadedSources {
    loaded(vec![
        Source::new("rules.peerage", Notation::Dsl, dsl_rules(size, 11)),
        Source::new("settings.peerage", Notation::Dsl, SETTINGS),
        Source::new("groups.peerage", Notation::Dsl, groups_of(size, groups)),
        Source::new("users.ndjson", Notation::Ndjson, users),
    ])
}

/// The users to whom a user is related, in the order of [`EDGES`].
fn others(size: Size, random: &mut Random, number: u32) -> Vec<u32> {
    let other = |random: &mut Random| {
        let other = random.below(size.users - 1);
        if other < number { other } else { other + 1 }
    };
    (0..EDGES_EACH).map(|_| other(random)).collect()
}

pub fn ndjson(size: Size) -> String {
    let mut random = Random::new(7);
    let mut edges = Random::new(29);
    let mut text = String::new();
    for number in 0..size.users {
        let count = 1 + random.below(5);
        let tags: Vec<String> = (0..count).map(|_| format!("tag-{}", random.tag(size))).collect();
        write!(text, r#"{{"id":"{}","tags":["{}"]"#, user(number), tags.join(r#"",""#)).unwrap();
        let others = others(size, &mut edges, number);
        let mut others = others.iter();
        for (name, count) in EDGES {
            let mut ids: Vec<u32> = others.by_ref().take(count as usize).copied().collect();
            ids.sort_unstable();
            ids.dedup();
            let ids: Vec<String> = ids.into_iter().map(user).collect();
            write!(text, r#","{name}":["{}"]"#, ids.join(r#"",""#)).unwrap();
        }
        let own = match number % 40 {
            0 => r#","moderation":"silenced""#,
            1 => r#","permissions":{"outgoing":false}"#,
            2 => r#","permissions":{"incoming":false}"#,
            3 => r#","peers":"contacts""#,
            4 => r#","approval":"need_confirm""#,
            5 => r#","approval":"deny_any""#,
            _ => "",
        };
        text.push_str(own);
        text.push_str("}\n");
    }
    text
}

fn groups_of(size: Size, groups: u32) -> String {
    let mut random = Random::new(31);
    let mut text = String::new();
    for number in 0..groups {
        let mut members: Vec<u32> = (0..MEMBERS).map(|_| random.below(size.users)).collect();
        members.sort_unstable();
        members.dedup();
        let ids: Vec<String> = members.into_iter().map(user).collect();
        let [creator, admin, others @ ..] = ids.as_slice() else { continue };
        writeln!(
            text,
            "group g{number} {{ matrix: team; creator: {creator}; admins: [{admin}]; \
             members: [{}]; }}",
            others.join(", ")
        )
        .unwrap();
    }
    text
}

pub fn group(number: u32) -> String {
    format!("g{number}")
}

/// Pairs of ids: every other one of users who have to do with each other, the rest at random.
pub fn pairs(size: Size, count: usize) -> Vec<(String, String)> {
    let mut edges = Random::new(29);
    let mut random = Random::new(17);
    let rows: Vec<Vec<u32>> =
        (0..size.users).map(|number| others(size, &mut edges, number)).collect();
    (0..count)
        .map(|at| {
            let subject = random.below(size.users);
            let other = match at % 2 {
                0 => {
                    let row = rows.get(subject as usize).unwrap();
                    *row.get(random.below(EDGES_EACH) as usize).unwrap()
                }
                _ => random.below(size.users),
            };
            (user(subject), user(other))
        })
        .collect()
}
