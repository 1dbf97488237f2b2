//! The HTTP client of a running daemon, over TCP, TLS or a Unix socket.

use std::{
    io::{self, Read},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request,
    body::{Bytes, Incoming},
    client::conn::http1::{SendRequest, handshake},
    header::{AUTHORIZATION, CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    runtime::{Builder, Runtime},
    time::timeout,
};

use super::client_tls::{ClientTls, ClientTlsArgs};

/// The address of a running daemon, with the admin token for it.
#[derive(Clone, Debug)]
pub(super) enum DaemonTarget {
    /// `HOST:PORT`.
    Tcp { address: String, token: Option<String>, tls: Option<ClientTls> },
    /// The socket for administrators.
    Unix(PathBuf),
}

/// One connection to a daemon; its calls block.
#[derive(Debug)]
pub(super) struct DaemonClient {
    /// The runtime that drives the connection while a call waits.
    runtime: Runtime,
    sender: SendRequest<Full<Bytes>>,
    host: String,
    token: Option<String>,
    /// The TLS of a connection on which there was no response yet.
    unproven: Option<ClientTls>,
}

/// A response that was read whole.
#[derive(Clone, Debug)]
pub(super) struct DaemonResponse {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

/// The content of a request to a daemon.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct RequestContent<'s> {
    pub(super) body: &'s [u8],
    pub(super) idempotency_key: Option<&'s str>,
}

/// The longest wait for a daemon: to connect, for a response, and for each part of its body.
const PATIENCE: Duration = Duration::from_secs(120);

impl DaemonTarget {
    /// The daemon at a URL, with the token of a file, or at a socket; one of both is given.
    ///
    /// # Errors
    /// If the URL is not `http://HOST:PORT` or `https://HOST:PORT`, or a file can't be read or used.
    pub(super) fn new(
        url: Option<&str>,
        token_file: Option<&PathBuf>,
        tls: &ClientTlsArgs,
        socket: Option<&PathBuf>,
    ) -> Result<Self> {
        match (url, socket) {
            (None, Some(path)) => Ok(Self::Unix(path.clone())),
            (Some(url), None) => {
                let expected =
                    || anyhow!("`{url}`: expected http://HOST:PORT or https://HOST:PORT");
                let (scheme, rest) = url.split_once("://").ok_or_else(expected)?;
                let (is_tls, port) = match scheme {
                    "http" => (false, 80),
                    "https" => (true, 443),
                    _ => return Err(expected()),
                };
                if let Some(option) = tls.given().filter(|_| !is_tls) {
                    bail!(
                        "`{url}`: {option} is for https; the daemon must be reached by TLS for it"
                    );
                }
                let address = rest.trim_end_matches('/');
                ensure!(!address.contains('/'), "`{url}`: expected a URL without a path");
                let has_port =
                    address.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
                let address =
                    if has_port { address.to_owned() } else { format!("{address}:{port}") };
                let token = token_file.map(|path| {
                    let text = std::fs::read_to_string(path)
                        .with_context(|| format!("can't read the token in `{}`", path.display()))?;
                    Ok::<_, anyhow::Error>(text.trim().to_owned())
                });
                let tls = if is_tls { Some(ClientTls::new(&address, tls)?) } else { None };
                Ok(Self::Tcp { address, token: token.transpose()?, tls })
            }
            _ => bail!("no daemon is named; give its URL or --admin-uds"),
        }
    }

    /// Connects to the daemon.
    ///
    /// # Errors
    /// If nothing listens there.
    pub(super) fn connect(&self) -> Result<DaemonClient> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (sender, host, token, unproven) = match self {
            Self::Tcp { address, token, tls } => {
                let connecting = async {
                    let stream = TcpStream::connect(address).await?;
                    stream.set_nodelay(true)?;
                    match tls {
                        Some(tls) => open(tls.connect(stream).await?).await,
                        None => open(stream).await,
                    }
                };
                let sender = runtime
                    .block_on(in_time(connecting))
                    .with_context(|| format!("can't connect to {address}"))?;
                (sender, address.clone(), token.clone(), tls.clone())
            }
            Self::Unix(path) => {
                let connecting = async { open(UnixStream::connect(path).await?).await };
                let sender = runtime
                    .block_on(in_time(connecting))
                    .with_context(|| format!("can't connect to {}", path.display()))?;
                (sender, "localhost".to_owned(), None, None)
            }
        };
        Ok(DaemonClient { runtime, sender, host, token, unproven })
    }
}

/// Opens an HTTP connection on a stream; a task of the runtime drives it.
async fn open(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<SendRequest<Full<Bytes>>> {
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        // The waiting call gets the connection's error.
        let _ = connection.await;
    });
    Ok(sender)
}

async fn in_time<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(PATIENCE, work)
        .await
        .map_err(|_| anyhow!("no response within {} s", PATIENCE.as_secs()))?
}

impl DaemonClient {
    /// Sends a request, and reads the whole response.
    ///
    /// # Errors
    /// If the connection fails before the response is complete.
    pub(super) fn request(
        &mut self,
        method: &str,
        path: &str,
        content: &RequestContent<'_>,
    ) -> Result<DaemonResponse> {
        let (status, mut body) = self.begin(method, path, content)?;
        let mut response = DaemonResponse { status, body: Vec::new() };
        body.read_to_end(&mut response.body)?;
        Ok(response)
    }

    /// Sends a request, and returns the status of the response and its body, which must be read to its end.
    ///
    /// # Errors
    /// If the connection fails before the head of the response is complete.
    pub(super) fn begin(
        &mut self,
        method: &str,
        path: &str,
        content: &RequestContent<'_>,
    ) -> Result<(u16, StreamedBody<'_>)> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.host)
            .header(CONTENT_TYPE, "application/json");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(key) = content.idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(content.body)))?;
        let sending = async {
            self.sender.ready().await?;
            self.sender.send_request(request).await
        };
        let failed = |error: &hyper::Error| match &self.unproven {
            Some(tls) => tls.explain_refusal(failure(error)),
            None => failure(error),
        };
        let response = self
            .runtime
            .block_on(in_time(async { sending.await.map_err(|error| failed(&error)) }))?;
        self.unproven = None;
        let status = response.status().as_u16();
        let body = response.into_body();
        Ok((status, StreamedBody { runtime: &self.runtime, body, part: Bytes::new() }))
    }
}

/// An error of the connection in words. The error itself is dropped: a broken pipe in it must not be
/// taken for one of standard output.
fn failure(error: &hyper::Error) -> anyhow::Error {
    if error.is_parse() {
        anyhow!("the response is not HTTP: {error}")
    } else {
        anyhow!("connection closed before the response was complete: {error}")
    }
}

impl DaemonResponse {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The message of an error response.
    pub(super) fn message(&self) -> String {
        let json = self.json();
        let message = json.pointer("/error/message").and_then(Value::as_str);
        message.map_or_else(|| format!("the daemon answered {}", self.status), str::to_owned)
    }
}

/// The body of a response as it arrives; ending early is an error.
pub(super) struct StreamedBody<'c> {
    runtime: &'c Runtime,
    body: Incoming,
    part: Bytes,
}

impl Read for StreamedBody<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.part.is_empty() {
            let next = async { timeout(PATIENCE, self.body.frame()).await };
            let Ok(next) = self.runtime.block_on(next) else {
                return Err(io::Error::from(io::ErrorKind::TimedOut));
            };
            let Some(frame) = next else { return Ok(0) };
            let frame = frame.map_err(|error| {
                let message =
                    format!("connection closed before the response was complete: {error}");
                io::Error::new(io::ErrorKind::UnexpectedEof, message)
            })?;
            // Trailers hold nothing of the body.
            self.part = frame.into_data().unwrap_or_default();
        }
        let some = self.part.split_to(self.part.len().min(buffer.len()));
        let (into, _) = buffer.split_at_mut(some.len());
        into.copy_from_slice(&some);
        Ok(some.len())
    }
}
