//! The path and the query of the request that a proxy asks about.

use std::borrow::Cow;

use hyper::{
    HeaderMap,
    header::{HeaderName, HeaderValue},
    http::request::Parts,
};

use crate::wire::PercentEncoding;

/// The path and the query of the request that a proxy asks about.
#[derive(Debug)]
pub(super) struct OriginalUri<'r> {
    /// The segments of the path, decoded.
    pub(super) segments: Vec<Cow<'r, str>>,
    query: &'r str,
}

/// The headers in which proxies send it: nginx by its configuration, Caddy and Traefik by themselves.
const HEADERS: [HeaderName; 2] =
    [HeaderName::from_static("x-original-uri"), HeaderName::from_static("x-forwarded-uri")];

impl<'r> OriginalUri<'r> {
    /// The URI in a header, or what follows the path `base`, where Envoy appends it. Where there are several, they
    /// must be the same: one of them may be of the proxy's client.
    pub(super) fn find(head: &'r Parts, base: &str) -> Result<Self, String> {
        let own = head.uri.path_and_query().map_or("", |uri| uri.as_str());
        let own = own.strip_prefix(base).unwrap_or_default();
        let mut found = own.starts_with('/').then_some(own);
        for name in &HEADERS {
            let Some(sent) = only_header(&head.headers, name)? else { continue };
            if found.is_some_and(|other| other != sent) {
                return Err(format!("{name} contradicts another URI of the request"));
            }
            found = Some(sent);
        }
        match found {
            Some(uri) => Self::parse(uri),
            // A request that is sent here itself has a query, and no path.
            None => {
                Ok(Self { segments: Vec::new(), query: own.strip_prefix('?').unwrap_or_default() })
            }
        }
    }

    fn parse(uri: &'r str) -> Result<Self, String> {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let Some(path) = path.strip_prefix('/') else {
            return Err("the URI of the request does not begin with `/`".to_owned());
        };
        let decode = |segment: &'r str| {
            PercentEncoding::Path.decode(segment.as_bytes()).map_err(|error| error.to_string())
        };
        // One slash at the end is of no account.
        let path = path.strip_suffix('/').unwrap_or(path);
        let segments = path.split('/').map(decode).collect::<Result<Vec<_>, _>>()?;
        // The server behind the proxy would take them for another path.
        if segments.iter().any(|segment| is_ambiguous(segment)) && !path.is_empty() {
            return Err(
                "the path of the request has an empty segment, `.`, `..` or a slash in one"
                    .to_owned(),
            );
        }
        Ok(Self { segments, query })
    }

    /// The value of a parameter that occurs once.
    pub(super) fn parameter(&self, name: &str) -> Result<Option<Cow<'r, str>>, String> {
        let decode = |text: &'r str| {
            PercentEncoding::Form.decode(text.as_bytes()).map_err(|error| error.to_string())
        };
        let mut found = None;
        for pair in self.query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if decode(key)? != name {
                continue;
            }
            if found.replace(decode(value)?).is_some() {
                return Err(format!("the parameter `{name}` is given twice"));
            }
        }
        Ok(found)
    }
}

/// Whether servers differ in how they read a path with this segment.
fn is_ambiguous(segment: &str) -> bool {
    matches!(segment, "" | "." | "..") || segment.contains(['/', '\\'])
}

/// The value of a header that may occur once.
pub(super) fn only_header<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'h str>, String> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(format!("the header {name} is given twice"));
    }
    str::from_utf8(HeaderValue::as_bytes(value))
        .map(Some)
        .map_err(|_| format!("the header {name} is not UTF-8"))
}
