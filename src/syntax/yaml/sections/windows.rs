//! The `windows` section.

use crate::{
    source::Span,
    syntax::{
        ast::{Item, Window},
        yaml::{
            cursor::{YamlCursor, YamlError},
            values::{ExpectedValue, MappingFields},
        },
    },
};

const WINDOWS: ExpectedValue = ExpectedValue(
    "a mapping of windows",
    "write `school: { from: \"08:00\", to: \"15:30\", zone: Europe/Berlin }` for each window",
);
const WINDOW: ExpectedValue =
    ExpectedValue("a window", "write `{ from: \"08:00\", to: \"15:30\", zone: Europe/Berlin }`");
const TIME: ExpectedValue = ExpectedValue("a time of day", "write a time like `\"08:00\"`");
const ZONE: ExpectedValue =
    ExpectedValue("the name of a time zone", "write a name like `Europe/Berlin` or `UTC`");

const FIELDS: &[&str] = &["days", "from", "to", "zone", "except"];

pub(super) fn read<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    _: Span,
    items: &mut Vec<Item<'s>>,
) -> Result<(), YamlError> {
    if cursor.mapping(WINDOWS)?.value().is_none() {
        return Ok(());
    }
    let mut names = MappingFields::new("window");
    while let Some(name) = names.next(cursor)? {
        let (days, from, to, zone, except) = (None, None, None, None, None);
        let mut window = Window { name, days, from, to, zone, except, is_whole: true };
        let errors = cursor.problems.errors();
        let done = fields(cursor, &mut window);
        window.is_whole = cursor.problems.errors() == errors;
        // Even with mistakes in it there is a window of this name.
        items.push(Item::Window(Box::new(window)));
        done?;
    }
    Ok(())
}

fn fields<'s>(cursor: &mut YamlCursor<'s, '_>, window: &mut Window<'s>) -> Result<(), YamlError> {
    if cursor.mapping(WINDOW)?.value().is_none() {
        return Ok(());
    }
    let mut fields = MappingFields::new("field");
    while let Some(key) = fields.next(cursor)? {
        match &*key.value {
            "days" => window.days = cursor.days()?.value(),
            "from" => window.from = cursor.string(TIME)?.value(),
            "to" => window.to = cursor.string(TIME)?.value(),
            "zone" => window.zone = cursor.string(ZONE)?.value(),
            "except" => window.except = cursor.dates()?.value(),
            _ => cursor.unknown_field(&key, "a window", FIELDS)?,
        }
    }
    Ok(())
}
