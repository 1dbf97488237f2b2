//! The query of a URL.

use std::borrow::Cow;

use super::{body::parse_digits, codes::TencentCode, envelope::TencentError};
use crate::wire::PercentEncoding;

/// The documented parameters; empty ones count as missing.
#[derive(Default, Debug)]
pub(super) struct TencentQuery<'q> {
    pub(super) sdkappid: Option<u64>,
    pub(super) identifier: Option<Cow<'q, str>>,
    pub(super) usersig: Option<Cow<'q, str>>,
}

impl<'q> TencentQuery<'q> {
    /// # Errors
    /// If a parameter is given twice or is malformed. Unknown parameters are ignored.
    pub(super) fn parse(text: &'q str) -> Result<Self, TencentError> {
        let mut query = Self::default();
        let mut seen = (false, false, false);
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let once = |seen: &mut bool| {
                let twice = TencentError::new(
                    TencentCode::Http,
                    format!("`{name}` is given twice in the query"),
                );
                if std::mem::replace(seen, true) { Err(twice) } else { Ok(()) }
            };
            match name {
                "sdkappid" => {
                    once(&mut seen.0)?;
                    query.sdkappid = decode_value(name, value, PercentEncoding::LenientForm)?
                        .map(|it| number(&it))
                        .transpose()?;
                }
                "identifier" => {
                    once(&mut seen.1)?;
                    query.identifier = decode_value(name, value, PercentEncoding::LenientForm)?;
                }
                "usersig" => {
                    once(&mut seen.2)?;
                    // No signature contains a space, but a token may contain a plus.
                    query.usersig = decode_value(name, value, PercentEncoding::LenientPath)?;
                }
                "contenttype" => {
                    let format = decode_value(name, value, PercentEncoding::LenientForm)?;
                    if format.is_some_and(|format| format != "json") {
                        return Err(TencentError::new(
                            TencentCode::Http,
                            "`contenttype` must be `json`",
                        ));
                    }
                }
                _ => {}
            }
        }
        Ok(query)
    }
}

fn number(text: &str) -> Result<u64, TencentError> {
    parse_digits(text)
        .ok_or_else(|| TencentError::new(TencentCode::App, "`sdkappid` must be a number"))
}

fn decode_value<'q>(
    name: &str,
    value: &'q str,
    encoding: PercentEncoding,
) -> Result<Option<Cow<'q, str>>, TencentError> {
    let decoded = encoding.decode(value.as_bytes()).map_err(|error| {
        TencentError::new(TencentCode::Http, format!("`{name}` in the query: {error}"))
    })?;
    Ok(Some(decoded).filter(|value| !value.is_empty()))
}
