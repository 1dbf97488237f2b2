//! The heads of plain requests: GET over HTTP/1.1, without a body and without headers that change the connection.

/// The longest head that is looked at, in bytes.
const MAX_HEAD: usize = 8 << 10;

/// Headers of requests that may have a body, or after which the connection is another one.
const NOT_PLAIN: [&[u8]; 7] = [
    b"content-length",
    b"transfer-encoding",
    b"connection",
    b"upgrade",
    b"expect",
    b"te",
    b"trailer",
];

/// What some bytes begin with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RequestStart<'b> {
    Plain(PlainHead<'b>),
    /// The beginning of what may be a plain request.
    Partial,
    /// Anything else, also what only a lenient reader would take for a plain request.
    Other,
}

/// The head of a plain request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct PlainHead<'b> {
    /// The number of its bytes, which are those of the request.
    pub(super) length: usize,
    pub(super) path: &'b str,
    /// The first `X-Request-Id`.
    pub(super) id: Option<&'b [u8]>,
    /// Whether it belongs to a trace.
    pub(super) is_traced: bool,
}

/// Reads the head at the beginning of some bytes.
pub(super) fn read(bytes: &[u8]) -> RequestStart<'_> {
    const METHOD: &[u8] = b"GET /";
    let begins = bytes.len().min(METHOD.len());
    if bytes.get(..begins) != METHOD.get(..begins) {
        return RequestStart::Other;
    }
    let (mut at, mut first, mut id, mut is_traced) = (0, None, None, false);
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(end) = rest.iter().position(|&byte| byte == b'\n') else {
            return if bytes.len() < MAX_HEAD {
                RequestStart::Partial
            } else {
                RequestStart::Other
            };
        };
        at += end + 1;
        let line = rest.get(..end).and_then(|line| line.strip_suffix(b"\r"));
        let Some(line) = line.filter(|line| !line.contains(&b'\r') && !line.contains(&0)) else {
            return RequestStart::Other;
        };
        let Some(path) = first else {
            let Some(path) = request_path(line) else { return RequestStart::Other };
            first = Some(path);
            continue;
        };
        if line.is_empty() {
            return RequestStart::Plain(PlainHead { length: at, path, id, is_traced });
        }
        let Some((name, value)) = header(line) else { return RequestStart::Other };
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        if NOT_PLAIN.iter().any(|known| is(known)) {
            return RequestStart::Other;
        }
        if is(b"x-request-id") {
            id = id.or(Some(value));
        }
        is_traced |= is(b"traceparent");
    }
}

/// The path of a request line, without the query.
fn request_path(line: &[u8]) -> Option<&str> {
    let target = line.strip_prefix(b"GET ")?.strip_suffix(b" HTTP/1.1")?;
    let target =
        str::from_utf8(target).ok().filter(|it| it.bytes().all(|byte| byte.is_ascii_graphic()))?;
    Some(target.split_once('?').map_or(target, |(path, _)| path))
}

/// The name and the value of a header line.
fn header(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let (name, value) = line.split_at_checked(colon)?;
    let is_name = !name.is_empty()
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    is_name.then(|| (name, value.get(1..).unwrap_or_default().trim_ascii()))
}
