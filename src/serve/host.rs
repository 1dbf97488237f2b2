//! The check of the host that a request names against the names of a loopback listener.
//!
//! Decisions on loopback need no token, so a page in a browser on the same machine must not reach
//! them: a page that rebinds its own name to a loopback address is recognized by that name.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use hyper::{StatusCode, Version, header::HOST, http::request::Parts};
use thiserror::Error;

use super::response::HttpError;

/// The listener by which a request came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ListenerPolicy {
    pub(super) audience: ListenerAudience,
    pub(super) host_check: HostCheck,
    /// Whether the routes of administrators are answered; elsewhere they are not found.
    pub(super) answers_admin: bool,
    /// Whether decisions and the status may take a token, as over TCP.
    pub(super) takes_tokens: bool,
}

/// The processes that can reach a listener.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ListenerAudience {
    Anyone,
    /// Only administrators, who need no token.
    Administrators,
}

/// Whether a listener checks the host that a request names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum HostCheck {
    /// A browser on the same machine can reach the listener, so only known hosts are accepted.
    KnownHosts,
    AnyHost,
}

impl ListenerPolicy {
    /// Whether all callers of the listener are administrators.
    pub(super) fn is_trusted(self) -> bool {
        self.audience == ListenerAudience::Administrators
    }
}

/// A name of a loopback listener, besides its addresses and `localhost`: lower case, without a port and
/// without a trailing dot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostName(String);

/// The error of a text that is not a host name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error(
    "invalid host name; it may hold letters, digits, `-`, `_` and `.`: give no scheme, port, path or `*`"
)]
pub struct HostNameError;

impl FromStr for HostName {
    type Err = HostNameError;

    fn from_str(text: &str) -> Result<Self, HostNameError> {
        let name = without_dot(text);
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || name.starts_with('.') || !name.bytes().all(is_plain) {
            return Err(HostNameError);
        }
        Ok(Self(name.to_ascii_lowercase()))
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The host of an authority.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Host<'a> {
    Address,
    /// Without a trailing dot; empty if the authority has no host.
    Name(&'a str),
}

impl<'a> Host<'a> {
    /// The host of `HOST` or `HOST:PORT` by RFC 3986, without user information.
    fn parse(authority: &'a str) -> Option<Self> {
        let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(rest) = authority.strip_prefix('[') {
            let (address, port) = rest.split_once(']')?;
            let port = if port.is_empty() { port } else { port.strip_prefix(':')? };
            let is_address = address.parse::<Ipv6Addr>().is_ok() && is_port(port);
            return is_address.then_some(Self::Address);
        }
        let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
        if !is_port(port) || !is_registered_name(host) {
            return None;
        }
        let name = without_dot(host);
        Some(if name.parse::<Ipv4Addr>().is_ok() { Self::Address } else { Self::Name(name) })
    }

    fn is_loopback(self) -> bool {
        let Self::Name(name) = self else { return true };
        let is_localhost = |name: &str| name.eq_ignore_ascii_case("localhost");
        is_localhost(name) || name.rsplit_once('.').is_some_and(|(_, last)| is_localhost(last))
    }
}

/// Checks that a request names one host (RFC 9112, 3.2), and, if `known` is given, that the host is an
/// address, a name of this machine, or a known name.
///
/// A request of HTTP/1.0 may name no host: browsers send none. The authority of an absolute target
/// takes precedence over the header.
///
/// # Errors
/// 400 if the host is missing, malformed, or given twice; 421 if it is unknown.
pub(super) fn check(head: &Parts, known: Option<&[HostName]>) -> Result<(), HttpError> {
    let mut given = head.headers.get_all(HOST).iter();
    let host = match (given.next(), given.next()) {
        (None, _) if head.version == Version::HTTP_11 => {
            return Err(malformed("the header is missing"));
        }
        (None, _) => None,
        (Some(_), Some(_)) => return Err(malformed("the header is given twice")),
        (Some(value), None) => {
            let host = value.to_str().ok().and_then(Host::parse);
            Some(host.ok_or_else(|| malformed("it is no `HOST` or `HOST:PORT`"))?)
        }
    };
    let host = match head.uri.authority() {
        Some(authority) => {
            let host = Host::parse(authority.as_str());
            Some(host.ok_or_else(|| malformed("the target names no `HOST` or `HOST:PORT`"))?)
        }
        None => host,
    };
    let (Some(known), Some(host)) = (known, host) else { return Ok(()) };
    match host {
        _ if host.is_loopback() => Ok(()),
        Host::Name(name) if known.iter().any(|it| it.0.eq_ignore_ascii_case(name)) => Ok(()),
        Host::Name(name) => Err(foreign(name)),
        Host::Address => Ok(()),
    }
}

fn malformed(message: &str) -> HttpError {
    HttpError::bad_request("Host", format!("the host of the request: {message}"))
}

fn foreign(name: &str) -> HttpError {
    let message = if name.is_empty() {
        "the request names no host; on a loopback address, send that address or `localhost`"
            .to_owned()
    } else {
        let name: String = name.chars().take(253).collect();
        format!("unknown host `{name}`; if it is this daemon's, start it with --host {name}")
    };
    HttpError::new(StatusCode::MISDIRECTED_REQUEST, message).with_at("Host")
}

fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// `reg-name` of RFC 3986, which may be empty.
fn is_registered_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(&byte);
    let is_escape = |part: &str| part.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    text.bytes().all(is_plain) && text.split('%').skip(1).all(is_escape)
}
