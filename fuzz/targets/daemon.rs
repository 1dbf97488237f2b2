//! One daemon in the process itself, so that its coverage is seen, and connections to it.

use std::{
    env, fs,
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process,
    sync::LazyLock,
    thread,
    time::{Duration, Instant},
};

/// The time after which an answer is overdue.
pub const OVERDUE: Duration = Duration::from_secs(20);

pub const ISSUERS: &str =
    r#"[{"secret": "first secret", "issuer": "any", "audience": "venueless"}]"#;
pub const JWT_SECRET: &str = "first secret";
pub const USERSIG_KEY: &str = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e";
pub const APP: &str = "1400000001";

/// The sockets of the daemon.
#[derive(Debug)]
pub struct Daemon {
    /// The socket of callers who need credentials for more than decisions.
    pub callers: PathBuf,
    /// The socket of administrators.
    pub administrators: PathBuf,
}

pub static DAEMON: LazyLock<Daemon> = LazyLock::new(Daemon::start);

/// A new folder below that of this process.
pub fn scratch(name: &str) -> PathBuf {
    let folder = scratch_root().join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    folder
}

/// The folder of this process, in memory where the system has such a place.
pub fn scratch_root() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_owned() } else { env::temp_dir() };
    let place = env::var_os("PEERAGE_FUZZ_FOLDER").map_or(place, PathBuf::from);
    place.join(format!("peerage-fuzz-{}", process::id()))
}

impl Daemon {
    /// Serves a policy with a store and all dialects.
    fn start() -> Self {
        let folder = scratch("daemon");
        let place = |name: &str| folder.join(name);
        let write = |name: &str, text: &str| {
            fs::write(place(name), text).unwrap_or_else(|error| panic!("{name}: {error}"));
        };
        fs::create_dir_all(place("policy")).unwrap_or_else(|error| panic!("{error}"));
        write("policy/policy.yaml", include_str!("../../tests/service/http/club.yaml"));
        write("issuers", ISSUERS);
        write("key", USERSIG_KEY);
        let shown = |name: &str| place(name).display().to_string();
        let arguments = [
            "peerage".to_owned(),
            "serve".to_owned(),
            shown("policy"),
            "--uds".to_owned(),
            shown("callers"),
            "--admin-uds".to_owned(),
            shown("administrators"),
            "--store".to_owned(),
            shown("facts"),
            "--dialect=all".to_owned(),
            "--venueless-new-guests=4000000000".to_owned(),
            "--venueless-jwt-file".to_owned(),
            shown("issuers"),
            "--tencent-key-file".to_owned(),
            shown("key"),
            "--tencent-sdkappid".to_owned(),
            APP.to_owned(),
        ];
        thread::spawn(|| peerage::cli::run(arguments));
        let daemon = Self { callers: place("callers"), administrators: place("administrators") };
        let deadline = Instant::now() + OVERDUE;
        while UnixStream::connect(&daemon.administrators).is_err() {
            assert!(Instant::now() < deadline, "the daemon does not start");
            thread::sleep(Duration::from_millis(2));
        }
        daemon
    }
}

/// Connects to a socket of the daemon.
pub fn connect(socket: &Path) -> UnixStream {
    let stream = UnixStream::connect(socket).unwrap_or_else(|error| panic!("{error}"));
    let set = stream.set_read_timeout(Some(OVERDUE));
    set.and(stream.set_write_timeout(Some(OVERDUE))).unwrap_or_else(|error| panic!("{error}"));
    stream
}

/// A response as it came.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub body: Vec<u8>,
    /// Whether the connection can take another request.
    pub stays_open: bool,
}

/// Sends a request and reads its response. Of a stream, only the head is read.
///
/// # Errors
/// If the connection ends before.
pub fn exchange(stream: &mut UnixStream, request: &[u8]) -> io::Result<Response> {
    // The response may come before all of the request is taken.
    let _ = stream.write_all(request);
    let mut read = Vec::new();
    let head = loop {
        if let Some(end) = find(&read, b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&read[..end]).to_ascii_lowercase();
            read.drain(..end + 4);
            if !head.starts_with("http/1.1 100") {
                break head;
            }
        }
        more(stream, &mut read)?;
    };
    let status = head.get(9..12).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("no status line: {head}")))?;
    if status == 101 {
        return Ok(Response { status, body: read, stays_open: false });
    }
    let header = |name: &str| {
        head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned))
    };
    let kind = header("content-type").unwrap_or_default();
    let is_stream = kind.contains("event-stream") || kind.contains("ndjson");
    let mut stays_open = !is_stream && header("connection").as_deref() != Some("close");
    if let Some(length) = header("content-length").and_then(|length| length.parse().ok()) {
        while read.len() < length && !request.starts_with(b"HEAD ") {
            more(stream, &mut read)?;
        }
    } else if header("transfer-encoding").is_some() && !is_stream {
        // No chunk of a text ends so but the last.
        while !read.ends_with(b"\r\n0\r\n\r\n") && read != b"0\r\n\r\n" {
            more(stream, &mut read)?;
        }
        stays_open = false;
    }
    Ok(Response { status, body: read, stays_open })
}

fn more(stream: &mut UnixStream, into: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = [0; 16 << 10];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                into.extend_from_slice(&buffer[..count]);
                return Ok(());
            }
            // libFuzzer's timer: a read with a deadline is not taken up again by itself.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The first place of a part in bytes.
pub fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
