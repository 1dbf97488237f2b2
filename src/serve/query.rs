//! The parameters of a query string, or of headers that replace it.

use std::borrow::Cow;

use super::response::HttpError;
use crate::{request::suggest, wire::PercentEncoding};

/// The parameters of a decision.
pub(super) const DECIDE_PARAMETERS: &[&str] = &[
    "subject",
    "action",
    "resource",
    "resource_type",
    "member",
    "field",
    "conversation",
    "explain",
];

/// The parameters of a query string: each one known, and given once.
#[derive(Debug)]
pub(super) struct QueryParams<'q> {
    known: &'static [&'static str],
    values: Vec<(&'static str, Cow<'q, str>)>,
    /// Whether the parameters come from headers.
    is_from_headers: bool,
}

impl<'q> QueryParams<'q> {
    /// Parses a query string that may hold only the `known` parameters: a misspelled one must not be
    /// ignored, since that would decide another request.
    pub(super) fn parse(
        text: Option<&'q str>,
        known: &'static [&'static str],
    ) -> Result<Self, HttpError> {
        let mut query = Self { known, values: Vec::with_capacity(4), is_from_headers: false };
        for pair in text.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode_form(name, "query")?;
            let Some(&name) = known.iter().find(|&&known| known == name) else {
                let name: String = name.chars().take(64).collect();
                let choices = if known.is_empty() {
                    "this path takes none".to_owned()
                } else {
                    suggest(&name, known.iter().copied())
                };
                return Err(HttpError::bad_request(
                    "query",
                    format!("unknown parameter `{name}`; {choices}"),
                ));
            };
            if query.get(name).is_some() {
                return Err(HttpError::bad_request(name, format!("`{name}` is given twice")));
            }
            query.values.push((name, decode_form(value, name)?));
        }
        Ok(query)
    }

    /// The parameters that headers give, each of them known and given once.
    pub(super) fn from_headers(
        known: &'static [&'static str],
        values: Vec<(&'static str, &'q str)>,
    ) -> Self {
        let values = values.into_iter().map(|(name, value)| (name, Cow::Borrowed(value)));
        Self { known, values: values.collect(), is_from_headers: true }
    }

    /// The parameters with these values, each of them known and given once.
    pub(super) fn from_values(
        known: &'static [&'static str],
        values: Vec<(&'static str, Cow<'q, str>)>,
    ) -> Self {
        Self { known, values, is_from_headers: false }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        debug_assert!(self.known.contains(&name), "read of an undeclared parameter");
        self.values.iter().find(|(known, _)| *known == name).map(|(_, value)| &**value)
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, HttpError> {
        self.get(name).ok_or_else(|| {
            let what = if self.is_from_headers {
                format!("header {}", header_name(name))
            } else {
                format!("parameter `{name}`")
            };
            HttpError::bad_request(name, format!("the {what} is missing"))
        })
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, HttpError> {
        match self.get(name) {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1" | "") => Ok(true),
            Some(_) => Err(HttpError::bad_request(name, format!("`{name}` takes true or false"))),
        }
    }
}

/// Decodes a name or a value of a query; errors name the place `at`.
fn decode_form<'q>(text: &'q str, at: &str) -> Result<Cow<'q, str>, HttpError> {
    let decoded = PercentEncoding::Form.decode(text.as_bytes());
    decoded.map_err(|error| HttpError::bad_request(at, error.to_string()))
}

/// The name of the header for a parameter, such as `Peerage-Resource-Type`.
pub(super) fn header_name(parameter: &str) -> String {
    parameter.split('_').fold("Peerage".to_owned(), |mut header, word| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        header.push('-');
        header.push_str(&first.to_ascii_uppercase());
        header.push_str(rest);
        header
    })
}
