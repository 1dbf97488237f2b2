//! Windows and ends, as sections and as statements.

use serde_json::{Value as Json, json};

use super::{Chance, dsl::word, quoted};
use crate::oracle::{Ends, Window};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A window's fields in YAML and JSON.
pub(super) fn window(window: &Window) -> Json {
    let (from, to) = (clock(window.from), clock(window.to));
    let mut fields = json!({ "from": from, "to": to, "zone": window.zone });
    if let Some(days) = days(window) {
        fields["days"] = json!(days);
    }
    if !window.except.is_empty() {
        fields["except"] = json!(dates(window));
    }
    fields
}

/// A window in the DSL.
pub(super) fn window_statement(name: &str, window: &Window) -> String {
    let days = days(window).map(|days| format!("days: [{}]; ", days.join(", ")));
    let except = match dates(window) {
        dates if dates.is_empty() => String::new(),
        dates => format!(" except: [{}];", dates.join(", ")),
    };
    let (from, to, zone) = (clock(window.from), clock(window.to), quoted(window.zone));
    let days = days.unwrap_or_default();
    format!("window {name} {{ {days}from: \"{from}\"; to: \"{to}\"; zone: {zone};{except} }}")
}

fn days(window: &Window) -> Option<Vec<&'static str>> {
    let days = window.days.as_ref()?;
    Some(days.iter().map(|&day| DAYS[usize::try_from(day).unwrap()]).collect())
}

fn clock(minutes: i64) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// The dates on which it does not begin, each once.
fn dates(window: &Window) -> Vec<String> {
    let mut days = window.except.clone();
    days.sort_unstable();
    days.dedup();
    days.into_iter().map(|day| text(day * 86_400_000)[..10].to_owned()).collect()
}

/// A list some of whose elements end.
pub(super) fn elements(
    list: &'static str,
    names: &[String],
    ends: &Ends,
    chance: &mut Chance,
) -> Json {
    let key = if list == "tags" { "tag" } else { "user" };
    let may_end = !["super_admins", "admins", "members"].contains(&list);
    let element = |name: &String| match ends.get(list, name) {
        Some(end) => json!({ key: name, "until": text(end) }),
        None if may_end && chance.percent(5) => json!({ key: name }),
        None => json!(name),
    };
    names.iter().map(element).collect()
}

/// A state of moderation that may end.
pub(super) fn moderation(word: &str, ends: &Ends, chance: &mut Chance) -> Json {
    match ends.get("moderation", "") {
        Some(end) => json!({ "state": word, "until": text(end) }),
        None if chance.percent(5) => json!({ "state": word, "reason": "said so" }),
        None => json!(word),
    }
}

/// The same list in the DSL.
pub(super) fn list(
    list: &'static str,
    names: &[String],
    ends: &Ends,
    chance: &mut Chance,
) -> String {
    let element = |name: &String| format!("{}{}", word(name, chance), end(list, name, ends));
    let elements: Vec<String> = names.iter().map(element).collect();
    format!("[{}]", elements.join(", "))
}

/// What the DSL says of an end, if there is one.
pub(super) fn end(list: &'static str, name: &str, ends: &Ends) -> String {
    ends.get(list, name).map(|end| format!(" until {}", quoted(&text(end)))).unwrap_or_default()
}

/// A moment in UTC, in milliseconds since 1970.
fn text(millis: i64) -> String {
    let (days, rest) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    let mut year = 1970;
    while crate::oracle::day(year + 1, 1, 1) <= days {
        year += 1;
    }
    let month = (1..=12).rev().find(|&month| crate::oracle::day(year, month, 1) <= days).unwrap();
    let date = days - crate::oracle::day(year, month, 1) + 1;
    let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
    let (second, millis) = (rest / 1000 % 60, rest % 1000);
    format!("{year}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}
