use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpStream, ToSocketAddrs as _},
    os::unix::net::UnixStream,
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde_json::Value;

/// Where a running daemon is, and what it is shown.
#[derive(Clone, Debug)]
pub(super) enum DaemonTarget {
    /// `HOST:PORT`.
    Tcp { address: String, token: Option<String> },
    /// The socket for administrators.
    Unix(PathBuf),
}

/// One connection to a daemon.
pub(super) struct DaemonClient {
    stream: BufReader<Box<dyn Stream>>,
    host: String,
    token: Option<String>,
}

trait Stream: Read + Write {}

impl<S: Read + Write> Stream for S {}

/// An answer that was read whole.
#[derive(Clone, Debug)]
pub(super) struct DaemonResponse {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

/// How long to wait for a daemon at most.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long a line of an answer's head may be, and how many it may have.
const LONGEST_LINE: u64 = 64 << 10;
const MOST_LINES: usize = 200;

impl DaemonTarget {
    /// That at a URL with the admin token of a file, or at a socket; one of both is given.
    pub(super) fn new(
        url: Option<&str>,
        token_file: Option<&PathBuf>,
        socket: Option<&PathBuf>,
    ) -> Result<Self> {
        match (url, socket) {
            (None, Some(path)) => Ok(Self::Unix(path.clone())),
            (Some(url), None) => {
                let rest = url.strip_prefix("http://").ok_or_else(|| {
                    anyhow!("`{url}`: it takes http://HOST:PORT; TLS is for a proxy or a tunnel")
                })?;
                let address = rest.trim_end_matches('/');
                ensure!(
                    !address.contains('/'),
                    "`{url}`: it takes http://HOST:PORT without a path"
                );
                let address = if address.contains(':') {
                    address.to_owned()
                } else {
                    format!("{address}:80")
                };
                let token = token_file.map(|path| {
                    let text = std::fs::read_to_string(path).with_context(|| {
                        format!("can't read the admin token in `{}`", path.display())
                    })?;
                    Ok::<_, anyhow::Error>(text.trim().to_owned())
                });
                Ok(Self::Tcp { address, token: token.transpose()? })
            }
            _ => bail!("say which daemon, by its URL or by --admin-uds"),
        }
    }

    pub(super) fn connect(&self) -> Result<DaemonClient> {
        match self {
            Self::Tcp { address, token } => {
                let failed = || format!("can't connect to {address}");
                let mut places = address.to_socket_addrs().with_context(failed)?;
                let place = places.next().with_context(failed)?;
                let stream = TcpStream::connect_timeout(&place, PATIENCE).with_context(failed)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                Ok(DaemonClient::new(Box::new(stream), address.clone(), token.clone()))
            }
            Self::Unix(path) => {
                let stream = UnixStream::connect(path)
                    .with_context(|| format!("can't connect to {}", path.display()))?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                Ok(DaemonClient::new(Box::new(stream), "localhost".to_owned(), None))
            }
        }
    }
}

impl DaemonClient {
    fn new(stream: Box<dyn Stream>, host: String, token: Option<String>) -> Self {
        Self { stream: BufReader::new(stream), host, token }
    }

    /// Asks, and reads the whole answer.
    pub(super) fn request(
        &mut self,
        method: &str,
        path: &str,
        sent: &RequestContent<'_>,
    ) -> Result<DaemonResponse> {
        let (status, mut body) = self.begin(method, path, sent)?;
        let mut answer = DaemonResponse { status, body: Vec::new() };
        body.read_to_end(&mut answer.body)?;
        Ok(answer)
    }

    /// Asks, and gives the status of the answer and its body, to be read to its end.
    pub(super) fn begin(
        &mut self,
        method: &str,
        path: &str,
        sent: &RequestContent<'_>,
    ) -> Result<(u16, StreamedBody<'_>)> {
        let header = |name: &str, value: Option<&str>| {
            value.map_or_else(String::new, |value| format!("{name}: {value}\r\n"))
        };
        let authorization = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let head = [
            format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.host),
            header("Authorization", authorization.as_deref()),
            header("Idempotency-Key", sent.idempotency_key),
            header("Content-Type", Some("application/json")),
            format!("Content-Length: {}\r\n\r\n", sent.body.len()),
        ]
        .concat();
        let stream = self.stream.get_mut();
        let written = stream.write_all(head.as_bytes());
        let written = written.and_then(|()| stream.write_all(sent.body));
        // Told in words: a pipe that breaks on standard output is no error, this is one.
        written
            .and_then(|()| stream.flush())
            .map_err(|error| anyhow!("the daemon closed the connection: {error}"))?;
        self.head()
    }

    fn head(&mut self) -> Result<(u16, StreamedBody<'_>)> {
        let first = self.line()?;
        let status = first.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
        let status: u16 = status.ok_or_else(|| anyhow!("what answers there is no HTTP server"))?;
        let mut left = Left::Bytes(0);
        for _ in 0..MOST_LINES {
            let line = self.line()?;
            if line.is_empty() {
                return Ok((status, StreamedBody { stream: &mut self.stream, left }));
            }
            let Some((name, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                left = Left::Bytes(value.parse().context("a wrong Content-Length")?);
            } else if name.eq_ignore_ascii_case("transfer-encoding")
                && value.eq_ignore_ascii_case("chunked")
            {
                left = Left::Chunks(0);
            }
        }
        bail!("the head of the answer is too long")
    }

    fn line(&mut self) -> Result<String> {
        Ok(line(&mut self.stream)?)
    }
}

/// What goes along with a request.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct RequestContent<'s> {
    pub(super) body: &'s [u8],
    /// An idempotency key.
    pub(super) idempotency_key: Option<&'s str>,
}

impl DaemonResponse {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// What a refusal says.
    pub(super) fn message(&self) -> String {
        let json = self.json();
        let message = json.pointer("/error/message").and_then(Value::as_str);
        message.map_or_else(|| format!("the daemon answered {}", self.status), str::to_owned)
    }
}

/// The body of an answer as it comes. That it ends too early is an error.
pub(super) struct StreamedBody<'c> {
    stream: &'c mut BufReader<Box<dyn Stream>>,
    left: Left,
}

/// What is left of a body.
enum Left {
    Bytes(u64),
    /// As many bytes of the chunk that is read, with its end; then more of them.
    Chunks(u64),
}

impl Read for StreamedBody<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if let Left::Chunks(0) = self.left {
            let size = line(self.stream)?;
            let size = size.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16)
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a wrong chunk"))?;
            if size == 0 {
                while !line(self.stream)?.is_empty() {}
                self.left = Left::Bytes(0);
            } else {
                self.left = Left::Chunks(size);
            }
        }
        let (Left::Bytes(left) | Left::Chunks(left)) = &mut self.left;
        let most = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(part) = buffer.get_mut(..most).filter(|part| !part.is_empty()) else {
            return Ok(0);
        };
        let read = self.stream.read(part)?;
        if read == 0 {
            let why = "the daemon broke off in the midst of its answer";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
        }
        *left -= read as u64;
        if let Left::Chunks(0) = self.left {
            line(self.stream)?;
        }
        Ok(read)
    }
}

fn line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    let read = stream.take(LONGEST_LINE).read_line(&mut line)?;
    if read == 0 || !line.ends_with('\n') {
        let why = "the daemon broke the connection off";
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
    }
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(line)
}
