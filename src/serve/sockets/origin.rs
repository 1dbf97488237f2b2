//! The origins whose pages may open a WebSocket.

use std::{fmt, str::FromStr};

use hyper::{
    HeaderMap, StatusCode, Uri,
    header::{HOST, ORIGIN},
};
use thiserror::Error;

use crate::serve::response::HttpError;

/// An origin whose pages may open a WebSocket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    Any,
    Site(SiteOrigin),
}

/// A scheme, a host and a port, in lower case; the port is omitted if it is the scheme's default.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SiteOrigin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

/// The error for a text that is not an origin.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("an origin is a scheme and a host, as https://chat.example, or `*` for any")]
pub struct OriginError;

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        match text {
            "*" => Ok(Self::Any),
            // An address bar shows the slash, and an origin has none.
            _ => SiteOrigin::read(text.strip_suffix('/').unwrap_or(text)).map(Self::Site),
        }
    }
}

impl SiteOrigin {
    fn read(text: &str) -> Result<Self, OriginError> {
        let (scheme, authority) = text.split_once("://").ok_or(OriginError)?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        if scheme.is_empty() || !scheme.chars().all(is_plain) {
            return Err(OriginError);
        }
        let scheme = scheme.to_ascii_lowercase();
        let (host, port) = host_and_port(authority, &scheme).ok_or(OriginError)?;
        Ok(Self { scheme, host, port })
    }
}

impl fmt::Display for SiteOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// The host in lower case, and the port if it is not the scheme's default.
fn host_and_port(authority: &str, scheme: &str) -> Option<(String, Option<u16>)> {
    let uri: Uri = format!("http://{authority}").parse().ok()?;
    let authority =
        uri.authority().filter(|it| it.as_str() == authority && !authority.contains('@'))?;
    let port = match authority.as_str().strip_prefix(authority.host())? {
        "" | ":" => None,
        text => Some(text.strip_prefix(':')?.parse().ok()?),
    };
    let usual = match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    };
    Some((authority.host().to_ascii_lowercase(), port.filter(|port| Some(*port) != usual)))
}

/// Checks that a page may open a WebSocket: it must be of an allowed origin, or, if there are none, of
/// the requested host. A caller without an `Origin` is not a page.
///
/// # Errors
/// If the page may not; the message names the option that would allow it.
pub(super) fn check(
    headers: &HeaderMap,
    allowed: &[Origin],
    dialect: &str,
) -> Result<(), HttpError> {
    let mut given = headers.get_all(ORIGIN).iter();
    let (origin, more) = (given.next(), given.next());
    let Some(origin) = origin else { return Ok(()) };
    if allowed.contains(&Origin::Any) {
        return Ok(());
    }
    let origin = origin.to_str().ok().filter(|_| more.is_none());
    let Some(Ok(origin)) = origin.map(SiteOrigin::read) else {
        return Err(forbidden(format!(
            "the page's origin is not allowed; allow any with --{dialect}-origin '*'"
        )));
    };
    let is_same = || {
        let host = headers.get(HOST)?.to_str().ok()?;
        let (host, port) = host_and_port(host, &origin.scheme)?;
        Some(host == origin.host && port == origin.port)
    };
    let may = if allowed.is_empty() {
        is_same() == Some(true)
    } else {
        allowed.contains(&Origin::Site(origin.clone()))
    };
    if may {
        return Ok(());
    }
    Err(forbidden(format!(
        "the page's origin is not allowed: {origin}; allow it with --{dialect}-origin {origin}"
    )))
}

fn forbidden(message: String) -> HttpError {
    HttpError::new(StatusCode::FORBIDDEN, message).with_at("Origin")
}
