//! Worlds as files: in which notation and which file each part stands is left to chance.

use std::fmt::Write as _;

use peerage::source::{Notation, Source, Sources};
use serde_json::json;

use super::Chance;
use crate::oracle::{Condition, Rule, World};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Dsl,
    Yaml,
    Json,
    Ndjson,
    Csv,
}

/// What may hold rules and declarations as well as users.
const TEXTS: [Form; 3] = [Form::Dsl, Form::Yaml, Form::Json];
const ALL: [Form; 5] = [Form::Dsl, Form::Yaml, Form::Json, Form::Ndjson, Form::Csv];

/// What stands in one file.
#[derive(Default, Debug)]
struct Part {
    tags: Vec<String>,
    has_rules: bool,
    rules: Vec<Rule>,
    users: Vec<(String, Option<Vec<String>>)>,
}

/// The world in files of random notations, its parts in random order.
pub(crate) fn scattered(world: &World, seed: u64) -> Sources {
    let chance = &mut Chance(seed);
    let count = 1 + chance.below(3);
    let mut forms: Vec<Form> = (0..count).map(|_| *chance.pick(&TEXTS)).collect();
    let texts = forms.len() as u64;
    forms.extend((0..chance.below(3)).map(|_| *chance.pick(&ALL)));
    let mut parts: Vec<Part> = forms.iter().map(|_| Part::default()).collect();
    let any_file = forms.len() as u64;
    let place = |chance: &mut Chance, files: u64| usize::try_from(chance.below(files)).unwrap();

    if let Some(tags) = &world.declared {
        for tag in tags {
            parts[place(chance, texts)].tags.push(tag.clone());
        }
    }
    if let Some(rules) = &world.rules {
        parts[place(chance, texts)].has_rules = true;
        for rule in rules {
            let part = &mut parts[place(chance, texts)];
            part.has_rules = true;
            part.rules.push(shuffled(rule, chance));
        }
    }
    for (id, tags) in &world.users {
        let mut tags = tags.clone();
        if let Some(tags) = &mut tags {
            repeat_some(tags, chance);
        }
        parts[place(chance, any_file)].users.push((id.clone(), tags));
    }
    let files = parts.into_iter().zip(forms).enumerate().map(|(number, (mut part, form))| {
        chance.shuffle(&mut part.rules);
        chance.shuffle(&mut part.users);
        let name = format!("{:04x}-{number}", chance.below(0x10000));
        file(&name, form, &part, chance)
    });
    Sources::new(files.collect())
}

/// The world in two `.peerage` files and always alike, its users in one of them.
pub(crate) fn plain(world: &World) -> Sources {
    let chance = &mut Chance(0);
    let users = world.users.iter().map(|(id, tags)| (id.clone(), tags.clone())).collect();
    let said = Part {
        tags: world.declared.clone().unwrap_or_default(),
        has_rules: world.rules.is_some(),
        rules: world.rules.clone().unwrap_or_default(),
        users: Vec::new(),
    };
    Sources::new(vec![
        file("policy", Form::Dsl, &said, chance),
        file("users", Form::Dsl, &Part { users, ..Part::default() }, chance),
    ])
}

/// The world with its users in bulk.
pub(crate) fn bulk(world: &World) -> Sources {
    let chance = &mut Chance(0);
    let users = world.users.iter().map(|(id, tags)| (id.clone(), tags.clone())).collect();
    let said = Part { rules: world.rules.clone().unwrap_or_default(), ..Part::default() };
    Sources::new(vec![
        file("policy", Form::Dsl, &said, chance),
        file("users", Form::Ndjson, &Part { users, ..Part::default() }, chance),
    ])
}

fn shuffled(rule: &Rule, chance: &mut Chance) -> Rule {
    let mut rule = rule.clone();
    repeat_some(&mut rule.outcome, chance);
    rule
}

/// The same set of tags in another order, some of them twice.
fn repeat_some(tags: &mut Vec<String>, chance: &mut Chance) {
    if !tags.is_empty() && chance.below(2) == 0 {
        let again = chance.pick(tags).clone();
        tags.push(again);
    }
    chance.shuffle(tags);
}

fn file(name: &str, form: Form, part: &Part, chance: &mut Chance) -> Source {
    let (ending, notation, text) = match form {
        Form::Dsl => ("peerage", Notation::Dsl, dsl(part, chance)),
        Form::Yaml => ("yaml", Notation::Yaml, yaml(part, chance)),
        Form::Json => ("json", Notation::Yaml, json(part)),
        Form::Ndjson => ("ndjson", Notation::Ndjson, ndjson(part)),
        Form::Csv => ("csv", Notation::Csv, csv(part)),
    };
    Source::new(format!("{name}.{ending}"), notation, text)
}

/// A text in double quotes, as YAML, JSON and the DSL have it.
fn quoted(text: &str) -> String {
    json!(text).to_string()
}

/// A tag or name as it stands in the DSL, in quotes where it must be or by chance.
fn word(text: &str, chance: &mut Chance) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let may_be_bare = !text.is_empty() && text.chars().all(is_plain) && text != "rule_id";
    if may_be_bare && chance.below(4) > 0 { text.to_owned() } else { quoted(text) }
}

fn words(tags: &[String], chance: &mut Chance) -> String {
    tags.iter().map(|tag| word(tag, chance)).collect::<Vec<_>>().join(", ")
}

/// A condition with white space left to chance.
fn spaced(condition: &Condition, chance: &mut Chance) -> String {
    let space = |chance: &mut Chance| *chance.pick(&["", "", " ", "\n  ", "\t"]);
    let (name, parts) = match condition {
        Condition::HasTag(tag) => return format!("hasTag({}{tag})", space(chance)),
        Condition::Not(inner) => ("not", std::slice::from_ref(&**inner)),
        Condition::All(parts) => ("all", parts.as_slice()),
        Condition::Any(parts) => ("any", parts.as_slice()),
    };
    let parts: Vec<String> = parts.iter().map(|part| spaced(part, chance)).collect();
    let (before, after) = (space(chance), space(chance));
    format!("{name}{before}({})", parts.join(&format!(",{after}")))
}

fn dsl(part: &Part, chance: &mut Chance) -> String {
    let mut text = String::from("// A policy.\n");
    if !part.tags.is_empty() {
        writeln!(text, "tags: [{}];", words(&part.tags, chance)).unwrap();
    }
    if part.has_rules && part.rules.is_empty() {
        text.push_str("rules: [];\n");
    }
    for rule in &part.rules {
        for line in rule.description.iter().flat_map(|text| text.split('\n')) {
            writeln!(text, "/// {line}").unwrap();
        }
        text.push_str("rule");
        if let Some(name) = &rule.name {
            write!(text, " {}", word(name, chance)).unwrap();
        }
        if let Some(id) = rule.id {
            write!(text, " rule_id {id}").unwrap();
        }
        let condition = spaced(&rule.condition, chance);
        writeln!(text, ": {condition} -> [{}];", words(&rule.outcome, chance)).unwrap();
    }
    for (id, tags) in &part.users {
        let id = word(id, chance);
        match tags {
            Some(tags) => writeln!(text, "user {id} {{ tags: [{}]; }}", words(tags, chance)),
            None => writeln!(text, "user {id} {{}}"),
        }
        .unwrap();
    }
    text
}

fn yaml(part: &Part, chance: &mut Chance) -> String {
    let list = |tags: &[String]| tags.iter().map(|tag| quoted(tag)).collect::<Vec<_>>().join(", ");
    let mut text = String::from("# A policy.\n");
    if !part.tags.is_empty() {
        writeln!(text, "tags: [{}]", list(&part.tags)).unwrap();
    }
    if part.has_rules {
        text.push_str(if part.rules.is_empty() { "rules: []\n" } else { "rules:\n" });
    }
    for rule in &part.rules {
        writeln!(text, "  - condition: {}", quoted(&spaced(&rule.condition, chance))).unwrap();
        let mut outcome = String::new();
        for tag in &rule.outcome {
            write!(outcome, "\n      - {}", quoted(tag)).unwrap();
        }
        writeln!(text, "    outcome:{outcome}").unwrap();
        if let Some(name) = &rule.name {
            writeln!(text, "    name: {}", quoted(name)).unwrap();
        }
        if let Some(id) = rule.id {
            writeln!(text, "    rule_id: {id}").unwrap();
        }
        if let Some(description) = &rule.description {
            writeln!(text, "    description: {}", quoted(description)).unwrap();
        }
    }
    if !part.users.is_empty() {
        text.push_str("users:\n");
    }
    for (id, tags) in &part.users {
        match tags {
            Some(tags) => writeln!(text, "  {}: {{ tags: [{}] }}", quoted(id), list(tags)),
            None => writeln!(text, "  {}: {{}}", quoted(id)),
        }
        .unwrap();
    }
    text
}

fn json(part: &Part) -> String {
    let mut sections = serde_json::Map::new();
    if !part.tags.is_empty() {
        sections.insert("tags".into(), json!(part.tags));
    }
    if part.has_rules {
        let rules = part.rules.iter().map(|rule| {
            let mut fields = serde_json::Map::new();
            fields.insert("condition".into(), json!(rule.condition.to_string()));
            fields.insert("outcome".into(), json!(rule.outcome));
            let id = rule.id.map(|id| id.to_string());
            for (key, value) in
                [("rule_id", &id), ("name", &rule.name), ("description", &rule.description)]
            {
                fields.extend(value.iter().map(|value| (key.to_owned(), json!(value))));
            }
            fields
        });
        sections.insert("rules".into(), json!(rules.collect::<Vec<_>>()));
    }
    if !part.users.is_empty() {
        let users = part.users.iter().map(|(id, tags)| (id.clone(), fields(tags.as_ref())));
        sections.insert("users".into(), users.collect::<serde_json::Map<_, _>>().into());
    }
    json!(sections).to_string()
}

fn ndjson(part: &Part) -> String {
    let mut text = String::new();
    for (id, tags) in &part.users {
        let mut record = json!({ "id": id });
        record.as_object_mut().unwrap().extend(fields(tags.as_ref()).as_object().unwrap().clone());
        writeln!(text, "{record}").unwrap();
    }
    text
}

fn fields(tags: Option<&Vec<String>>) -> serde_json::Value {
    tags.map_or_else(|| json!({}), |tags| json!({ "tags": tags }))
}

fn csv(part: &Part) -> String {
    let mut text = String::from("id,tags\n");
    for (id, tags) in &part.users {
        let tags = tags.as_deref().unwrap_or_default().join(" ");
        writeln!(text, "\"{}\",{tags}", id.replace('"', "\"\"")).unwrap();
    }
    text
}
