//! The settings that say when messages disappear: two fields of the metadata, in nanoseconds.

use serde_json::Value;

use super::{
    arguments::{Arguments, expected, missing},
    calls::{DISAPPEAR_FROM, DISAPPEAR_IN},
    refused::Refused,
};

/// Fields of the metadata and their values.
pub(super) type Fields = Vec<(String, String)>;

/// The fields of the metadata that say when messages disappear, as they are given.
pub(super) fn read(arguments: &mut Arguments) -> Result<Fields, Refused> {
    match settings(arguments)? {
        Some(fields) => Ok(fields),
        None => each(arguments),
    }
}

/// The same in an object of its own, if there is one.
pub(super) fn settings(arguments: &mut Arguments) -> Result<Option<Fields>, Refused> {
    let names = ["messageDisappearingSettings", "disappearingMessageSettings", "settings"];
    match arguments.take_one(&names)? {
        None => Ok(None),
        Some((_, Value::Object(object))) => {
            let mut arguments = Arguments::within(&object)?;
            let fields = each(&mut arguments)?;
            arguments.finish()?;
            Ok(Some(fields))
        }
        Some((name, other)) => Err(expected(name, "an object", &other)),
    }
}

/// That messages stay.
pub(super) fn never() -> Fields {
    [DISAPPEAR_FROM, DISAPPEAR_IN].map(|field| (field.to_owned(), "0".to_owned())).into()
}

fn each(arguments: &mut Arguments) -> Result<Fields, Refused> {
    let from: [&'static str; 2] = ["disappearStartingAtNs", "fromNs"];
    let within: [&'static str; 3] = ["retentionDurationInNs", "disappearDurationInNs", "inNs"];
    let mut fields = Vec::new();
    for (field, names) in [(DISAPPEAR_FROM, &from[..]), (DISAPPEAR_IN, &within[..])] {
        let Some((name, value)) = arguments.take_one(names)? else { continue };
        let nanoseconds = match &value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.parse().ok(),
            other => return Err(expected(name, "nanoseconds", other)),
        };
        let value = nanoseconds.filter(|&nanoseconds: &i64| nanoseconds >= 0).ok_or_else(|| {
            let message = format!("`{name}`: expected nanoseconds, a whole number of 63 bits");
            Refused::invalid(name, message)
        })?;
        fields.push((field.to_owned(), value.to_string()));
    }
    if fields.is_empty() { Err(missing("retentionDurationInNs")) } else { Ok(fields) }
}
