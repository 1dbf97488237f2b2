//! What stands after the `?` of a URL.

use std::borrow::Cow;

use super::{body::digits, codes::Code, envelope::Fault};
use crate::dialects::text::Encoding;

/// The documented parameters; empty ones count as missing.
#[derive(Default, Debug)]
pub(super) struct Query<'q> {
    pub(super) sdkappid: Option<u64>,
    pub(super) identifier: Option<Cow<'q, str>>,
    pub(super) usersig: Option<Cow<'q, str>>,
}

impl<'q> Query<'q> {
    /// # Errors
    /// If a parameter is given twice, or is not of its form. Those that are not asked for are passed
    /// over.
    pub(super) fn read(text: &'q str) -> Result<Self, Fault> {
        let mut query = Self::default();
        let mut seen = (false, false, false);
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let once = |seen: &mut bool| {
                let twice = Fault::new(Code::Http, format!("`{name}` is there twice in the query"));
                if std::mem::replace(seen, true) { Err(twice) } else { Ok(()) }
            };
            match name {
                "sdkappid" => {
                    once(&mut seen.0)?;
                    query.sdkappid = given(name, value, true)?.map(|it| number(&it)).transpose()?;
                }
                "identifier" => {
                    once(&mut seen.1)?;
                    query.identifier = given(name, value, true)?;
                }
                "usersig" => {
                    once(&mut seen.2)?;
                    // No signature holds a blank; a token may hold a plus.
                    query.usersig = given(name, value, false)?;
                }
                "contenttype" => {
                    let format = given(name, value, true)?;
                    if format.is_some_and(|format| format != "json") {
                        return Err(Fault::new(Code::Http, "`contenttype` must be `json`"));
                    }
                }
                _ => {}
            }
        }
        Ok(query)
    }
}

fn number(text: &str) -> Result<u64, Fault> {
    digits(text).ok_or_else(|| Fault::new(Code::App, "`sdkappid` must be a number"))
}

fn given<'q>(name: &str, value: &'q str, blanks: bool) -> Result<Option<Cow<'q, str>>, Fault> {
    // What is no escape stands for itself.
    let decoded = Encoding { blanks, loose: true }.decode(value.as_bytes()).map_err(|_| {
        let message = format!("`{name}` in the query is not UTF-8 after percent-decoding");
        Fault::new(Code::Http, message)
    })?;
    Ok(Some(decoded).filter(|value| !value.is_empty()))
}
