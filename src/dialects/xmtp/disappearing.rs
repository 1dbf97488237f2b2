//! The settings of disappearing messages: two metadata fields, in nanoseconds.

use serde_json::Value;

use super::{
    arguments::{Arguments, missing, type_error},
    calls::{DISAPPEAR_FROM, DISAPPEAR_IN},
    error::XmtpError,
};

/// Metadata fields with their values.
pub(super) type MetadataFields = Vec<(String, String)>;

/// The metadata fields of disappearing messages, as given in the arguments.
pub(super) fn parse(arguments: &mut Arguments) -> Result<MetadataFields, XmtpError> {
    match parse_optional(arguments)? {
        Some(fields) => Ok(fields),
        None => parse_fields(arguments),
    }
}

/// The metadata fields of disappearing messages, as given in an object of their own; `None` if
/// there is no object.
pub(super) fn parse_optional(
    arguments: &mut Arguments,
) -> Result<Option<MetadataFields>, XmtpError> {
    let names = ["messageDisappearingSettings", "disappearingMessageSettings", "settings"];
    match arguments.take_one(&names)? {
        None => Ok(None),
        Some((_, Value::Object(object))) => {
            let mut arguments = Arguments::from_object(&object)?;
            let fields = parse_fields(&mut arguments)?;
            arguments.finish()?;
            Ok(Some(fields))
        }
        Some((name, other)) => Err(type_error(name, "an object", &other)),
    }
}

/// The metadata fields of messages that do not disappear.
pub(super) fn never() -> MetadataFields {
    [DISAPPEAR_FROM, DISAPPEAR_IN].map(|field| (field.to_owned(), "0".to_owned())).into()
}

fn parse_fields(arguments: &mut Arguments) -> Result<MetadataFields, XmtpError> {
    let from: [&'static str; 2] = ["disappearStartingAtNs", "fromNs"];
    let within: [&'static str; 3] = ["retentionDurationInNs", "disappearDurationInNs", "inNs"];
    let mut fields = Vec::new();
    for (field, names) in [(DISAPPEAR_FROM, &from[..]), (DISAPPEAR_IN, &within[..])] {
        let Some((name, value)) = arguments.take_one(names)? else { continue };
        let nanoseconds = match &value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.parse().ok(),
            other => return Err(type_error(name, "nanoseconds", other)),
        };
        let value = nanoseconds.filter(|&nanoseconds: &i64| nanoseconds >= 0).ok_or_else(|| {
            let message = format!("`{name}`: expected nanoseconds, a whole number of 63 bits");
            XmtpError::invalid(name, message)
        })?;
        fields.push((field.to_owned(), value.to_string()));
    }
    if fields.is_empty() { Err(missing("retentionDurationInNs")) } else { Ok(fields) }
}
