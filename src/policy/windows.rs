//! Windows: their days, times, zones and exceptions resolved and checked.

use std::{collections::BTreeMap, str::FromStr, sync::Arc};

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, did_you_mean, suggest},
    request::{Day, InvalidTimeError, TagForm, Window, WindowDate, WindowTime, Zone, zone_names},
    source::Span,
    syntax::ast::{self, List, Text},
};

use super::suggestions;

/// The windows of a policy, and the names that conditions may have: those of windows with mistakes too.
pub(super) struct DeclaredWindows {
    /// The valid windows, in the order of their names.
    pub(super) windows: Arc<[Window]>,
    pub(super) names: BTreeMap<String, Span>,
}

pub(super) fn resolve(written: &[ast::Window<'_>], problems: &mut Diagnostics) -> DeclaredWindows {
    let mut names: BTreeMap<String, Span> = BTreeMap::new();
    let mut windows = Vec::new();
    for window in written {
        let name = &window.name;
        if let Err(error) = TagForm::Any.check(&name.value) {
            let message = format!("a window's name has the form of a tag: {error}");
            problems.push(Diagnostic::error(Code::InvalidTag, name.span, message));
            continue;
        }
        if let Some(&first) = names.get(&*name.value) {
            let message = format!("two windows have the name `{}`", name.value);
            problems.push(
                Diagnostic::error(Code::DuplicateWindow, name.span, message)
                    .related(first, "first defined here")
                    .hint("rename or remove one of the two"),
            );
            continue;
        }
        names.insert(name.value.clone().into_owned(), name.span);
        windows.extend(self::window(window, problems));
    }
    windows.sort_by(|one: &Window, other| one.name.cmp(&other.name));
    DeclaredWindows { windows: windows.into(), names }
}

fn window(written: &ast::Window<'_>, problems: &mut Diagnostics) -> Option<Window> {
    let ast::Window { name, days, from, to, zone, except, is_whole } = written;
    let days = days.as_ref().map_or_else(|| Some(Day::ALL.to_vec()), |it| self::days(it, problems));
    let mut required = |field: &str, value: &Option<Text<'_>>, example: &str| {
        // What could not be read was reported there.
        if value.is_none() && *is_whole {
            let message = format!("the window `{}` has no `{field}`", name.value);
            let problem = Diagnostic::error(Code::MissingField, name.span, message);
            problems.push(problem.hint(format!("add `{field}: {example}`")));
        }
    };
    required("from", from, "\"08:00\"");
    required("to", to, "\"15:30\"");
    required("zone", zone, "\"Europe/Berlin\"");
    let opens = from.as_ref().and_then(|text| time(text, problems));
    let closes = to.as_ref().and_then(|text| time(text, problems));
    let except = except.as_ref().map_or(Some(Vec::new()), |list| dates(list, problems));
    let zone = zone.as_ref().and_then(|text| self::zone(text, problems));
    if let (Some(opens), Some(closes), Some(to)) = (opens, closes, to)
        && opens == closes
    {
        let message = format!("the end of the window `{}` is its beginning", name.value);
        problems.push(
            Diagnostic::error(Code::InvalidWindow, to.span, message)
                .label("it would never be open")
                .hint("for a whole day, write `from: \"00:00\"` and `to: \"24:00\"`"),
        );
        return None;
    }
    Some(Window {
        name: name.value.clone().into(),
        days: days?,
        from: opens?,
        to: closes?,
        zone: zone?,
        except: except?,
    })
}

/// The days of a list, in order.
fn days(list: &List<'_>, problems: &mut Diagnostics) -> Option<Vec<Day>> {
    if list.value.is_empty() {
        problems.push(
            Diagnostic::error(Code::InvalidWindow, list.span, "the list of days is empty")
                .label("the window would never be open")
                .hint("name the days, or leave `days` out for every day"),
        );
        return None;
    }
    distinct(list, "day", problems, |text, problems| {
        let known = Day::ALL.iter().map(|day| day.as_str());
        suggestions::parse_word("day", text, known, problems)
    })
}

/// The dates of a list, in order.
fn dates(list: &List<'_>, problems: &mut Diagnostics) -> Option<Vec<WindowDate>> {
    distinct(list, "date", problems, parse)
}

/// The items of a list, each of which may be there once; `None` if any is wrong.
fn distinct<T: Ord + Copy>(
    list: &List<'_>,
    what: &str,
    problems: &mut Diagnostics,
    parse: impl Fn(&Text<'_>, &mut Diagnostics) -> Option<T>,
) -> Option<Vec<T>> {
    let mut places: BTreeMap<T, Span> = BTreeMap::new();
    let mut is_right = true;
    for text in &list.value {
        let Some(item) = parse(text, problems) else {
            is_right = false;
            continue;
        };
        if let Some(&first) = places.get(&item) {
            let message = format!("the {what} `{}` is there twice", text.value.escape_debug());
            problems.push(
                Diagnostic::error(Code::RepeatedEntry, text.span, message)
                    .related(first, "first named here")
                    .hint("remove one of the two"),
            );
            is_right = false;
            continue;
        }
        places.insert(item, text.span);
    }
    is_right.then(|| places.into_keys().collect())
}

fn time(text: &Text<'_>, problems: &mut Diagnostics) -> Option<WindowTime> {
    parse(text, problems)
}

fn parse<T: FromStr<Err = InvalidTimeError>>(
    text: &Text<'_>,
    problems: &mut Diagnostics,
) -> Option<T> {
    let why = match text.value.parse() {
        Ok(value) => return Some(value),
        Err(why) => why,
    };
    let shown = text.value.escape_debug();
    let what = if why == InvalidTimeError::Time { "time of day" } else { "date" };
    let problem = Diagnostic::error(
        Code::InvalidWindow,
        text.span,
        format!("`{shown}` is not a {what}: {why}"),
    );
    problems.push(match why {
        InvalidTimeError::Time => {
            problem.hint("write `\"08:00\"`, by the clock of the window's zone")
        }
        InvalidTimeError::Date | InvalidTimeError::Nonexistent => problem,
    });
    None
}

fn zone(text: &Text<'_>, problems: &mut Diagnostics) -> Option<Zone> {
    if let Some(zone) = Zone::find(&text.value) {
        return Some(zone);
    }
    let message = format!("no time zone `{}`", text.value.escape_debug());
    let problem = Diagnostic::error(Code::UnknownZone, text.span, message);
    let names = zone_names();
    let known = || names.iter().map(String::as_str);
    // The last part of a name is what people remember: the city.
    let city = |name: &str| name.rsplit('/').next().unwrap_or_default().to_lowercase();
    let wanted = city(&text.value);
    let near = known().find(|name| city(name) == wanted);
    problems.push(match near.or_else(|| did_you_mean(&text.value, known())) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None => problem.hint("write a name of the IANA database, like `Europe/Berlin` or `UTC`"),
    });
    None
}

/// The problem of a window that a condition names and that there is not.
pub(super) fn unknown(name: &str, span: Span, known: &BTreeMap<String, Span>) -> Diagnostic {
    let message = format!("no window `{}`", name.escape_debug());
    let problem = Diagnostic::error(Code::UnknownWindow, span, message);
    let names = || known.keys().map(String::as_str);
    match did_you_mean(name, names()) {
        Some(near) => {
            let first = known.get(near).copied().unwrap_or(span);
            problem.hint(format!("did you mean `{near}`?")).related(first, "defined here")
        }
        None if known.is_empty() => problem.hint("define it in a `windows` section"),
        None => problem.hint(suggest(name, names())),
    }
}
