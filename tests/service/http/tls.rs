//! TLS with certificates of a real openssl, asked by a real curl.

use std::{
    fs,
    io::{self, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio},
    time::{Duration, Instant},
};

use peerage::serve::{ExpiryWarning, TlsFiles, TlsIdentity};

use crate::{
    http::facts::{POLICY, TOKEN},
    support::{
        client::Client,
        daemon::{Daemon, NEVER, run, serve},
    },
};

const DECIDE: &str = "/v1/decide?subject=ann&action=sign_in";

/// An authority, and the files of certificates that it signs.
struct Authority {
    folder: tempfile::TempDir,
}

#[track_caller]
fn openssl(folder: &Path, args: &str) {
    let output = Command::new("openssl").args(args.split(' ')).current_dir(folder).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
}

const CURVE: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";

impl Authority {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        openssl(
            folder.path(),
            &format!("req -x509 {CURVE} -days 2 -subj /CN=authority -keyout ca.key -out ca.pem"),
        );
        let names = "subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1\n";
        fs::write(folder.path().join("names"), names).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Signs a certificate of two days, in `NAME.pem` with `NAME.key`.
    fn sign(&self, name: &str) {
        self.sign_for(name, 2);
    }

    fn sign_for(&self, name: &str, days: u32) {
        let folder = self.folder.path();
        openssl(
            folder,
            &format!("req -new {CURVE} -subj /CN={name} -keyout {name}.key -out {name}.csr"),
        );
        let signing = "x509 -req -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names";
        openssl(folder, &format!("{signing} -days {days} -in {name}.csr -out {name}.pem"));
    }

    /// Puts a certificate and its key in the place of another.
    fn install(&self, certificate: &str, key: &str) {
        fs::copy(self.path(&format!("{key}.key")), self.path("served.key")).unwrap();
        fs::copy(self.path(&format!("{certificate}.pem")), self.path("served.pem")).unwrap();
    }

    fn command(&self, options: &[&str]) -> Command {
        fs::write(self.path("policy.yaml"), POLICY).unwrap();
        let mut command = serve();
        command.arg(self.path("policy.yaml")).args(["--listen", "127.0.0.1:0"]).args(options);
        command.arg("--tls-cert").arg(self.path("served.pem"));
        command.arg("--tls-key").arg(self.path("served.key"));
        command
    }

    fn serve(&self, options: &[&str]) -> Daemon {
        self.sign("first");
        self.install("first", "first");
        Daemon::start(&mut self.command(options))
    }

    /// Asks by curl, which prints the body, the version of HTTP and the status.
    fn curl(&self, daemon: &Daemon, path: &str, args: &[&str]) -> Output {
        let mut command = Command::new("curl");
        command.args(["-sS", "-w", " %{http_version} %{http_code}", "--cacert"]);
        command.arg(self.path("ca.pem")).args(args);
        run(command.arg(format!("https://127.0.0.1:{}{path}", daemon.address().port())))
    }

    /// The subject of the certificate that is shown.
    fn shown(&self, daemon: &Daemon) -> String {
        let output = self.curl(daemon, DECIDE, &["-v"]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let subject = text.lines().find_map(|line| line.split_once("subject: CN=")).unwrap().1;
        subject.to_owned()
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn tcp_is_served_by_tls_in_both_versions_of_http() {
    let authority = Authority::new();
    let socket = authority.path("plain");
    let daemon =
        authority.serve(&["--uds", socket.to_str().unwrap(), "--admin-listen", "127.0.0.1:0"]);
    for (args, version) in [(&[][..], "2"), (&["--http1.1"], "1.1"), (&["--tls-max", "1.2"], "2")] {
        let output = authority.curl(&daemon, DECIDE, args);
        let text = text(&output);
        assert!(text.contains("\"decision\":true"), "{args:?} {output:?}");
        assert!(text.ends_with(&format!(" {version} 200")), "{args:?} {text}");
    }
    let found = authority.curl(&daemon, "/.well-known/authzen-configuration", &[]);
    assert!(text(&found).contains("https://127.0.0.1:"), "{found:?}");
    // In clear text there is nothing, neither there nor for administrators.
    for address in daemon.addresses() {
        let mut client = Client::tcp(*address);
        client.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert!(client.answer("GET").is_err());
    }
    assert_eq!(Client::unix(&socket).get(DECIDE).status, 200);
    // Another authority's certificate is not trusted.
    let other = Authority::new();
    assert!(!other.curl(&daemon, DECIDE, &[]).status.success());
}

#[test]
fn clients_show_a_certificate_where_an_authority_for_them_is_given() {
    let authority = Authority::new();
    let ca = authority.path("ca.pem");
    authority.sign("client");
    let daemon = authority.serve(&["--tls-client-ca", ca.to_str().unwrap()]);
    let other = Authority::new();
    other.sign("client");
    let shown = |authority: &Authority| {
        ["client.pem", "client.key"].map(|name| authority.path(name).display().to_string())
    };
    let [certificate, key] = shown(&authority);
    let output = authority.curl(&daemon, DECIDE, &["--cert", &certificate, "--key", &key]);
    assert!(text(&output).ends_with(" 2 200"), "{output:?}");
    let [certificate, key] = shown(&other);
    for args in [&[][..], &["--cert", &certificate, "--key", &key]] {
        let output = authority.curl(&daemon, DECIDE, args);
        assert!(!output.status.success(), "{args:?} {output:?}");
        assert!(!text(&output).contains("decision"), "{args:?}");
    }
}

/// A connection by openssl's client.
struct Secured {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
}

impl Secured {
    fn connect(daemon: &Daemon) -> Client<Self> {
        let address = daemon.address().to_string();
        let mut command = Command::new("openssl");
        command.args(["s_client", "-quiet", "-connect", &address]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Client::over(Self { child, input, output })
    }
}

impl Read for Secured {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.output.read(buffer)
    }
}

impl Write for Secured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.input.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.input.flush()
    }
}

impl Drop for Secured {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn certificates_are_replaced_under_open_connections() {
    let authority = Authority::new();
    let daemon = authority.serve(&[]);
    assert_eq!(authority.shown(&daemon), "first");
    let mut open = Secured::connect(&daemon);
    assert_eq!(open.get(DECIDE).status, 200);
    authority.sign("second");
    authority.install("second", "second");
    daemon.wait_for("the second", |daemon| (authority.shown(daemon) == "second").then_some(()));
    assert_eq!(open.get(DECIDE).status, 200);
}

#[test]
fn unusable_certificates_leave_those_before() {
    let authority = Authority::new();
    let daemon = authority.serve(&[]);
    authority.sign("second");
    let error = |daemon: &Daemon| {
        let output = authority.curl(daemon, "/v1/status", &["-w", ""]);
        let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        status["tls"]["error"].as_str().map(str::to_owned)
    };
    assert_eq!(error(&daemon), None);
    // A key of another certificate; nonsense; nothing.
    authority.install("second", "first");
    let seen = daemon.wait_for("an error", error);
    assert!(seen.contains("do not fit together"), "{seen}");
    fs::write(authority.path("served.key"), "nonsense").unwrap();
    daemon.wait_for("another", |daemon| error(daemon).filter(|it| it.contains("no private key")));
    fs::remove_file(authority.path("served.pem")).unwrap();
    daemon.wait_for("a third", |daemon| error(daemon).filter(|it| it.contains("can't read")));
    assert_eq!(authority.shown(&daemon), "first");
    authority.install("second", "second");
    daemon.wait_for("none", |daemon| error(daemon).is_none().then_some(()));
    assert_eq!(authority.shown(&daemon), "second");
    daemon.signal("TERM");
    let errors = daemon.ended().errors;
    assert!(errors.contains("the TLS certificate stays as it was"), "{errors}");
}

#[test]
fn the_end_of_a_certificate_is_told() {
    let authority = Authority::new();
    let socket = authority.path("plain");
    for (name, days) in [("soon", 13), ("late", 15), ("ended", 0), ("far", 15_000)] {
        authority.sign_for(name, days);
    }
    authority.install("soon", "soon");
    let daemon = Daemon::start(&mut authority.command(&["--uds", socket.to_str().unwrap()]));
    let expires = || {
        let mut client = Client::unix(&socket);
        let metrics = client.get("/metrics");
        let name = "peerage_certificate_expiry_timestamp_seconds ";
        let metric = metrics.text().lines().find_map(|line| line.strip_prefix(name)).unwrap();
        let status = client.get("/v1/status").json()["tls"]["expires_at"].as_u64();
        // A certificate may be replaced between the two.
        status.filter(|status| status.to_string() == metric)
    };
    let seconds = |name: &str| {
        let mut command = Command::new("openssl");
        command.args(["x509", "-noout", "-enddate", "-in"]).arg(authority.path(name));
        let end = text(&run(&mut command));
        let end = end.trim().strip_prefix("notAfter=").unwrap();
        let seconds = run(Command::new("date").args(["-d", end, "+%s"]));
        text(&seconds).trim().parse::<u64>().unwrap()
    };
    assert_eq!(expires(), Some(seconds("soon.pem")));
    // The intermediate one ends first.
    let chain = ["far.pem", "late.pem"].map(|name| fs::read(authority.path(name)).unwrap());
    fs::write(authority.path("chain.pem"), chain.concat()).unwrap();
    for (certificate, key, end) in [
        ("far", "far", "far.pem"),
        ("chain", "far", "late.pem"),
        ("late", "late", "late.pem"),
        ("ended", "ended", "ended.pem"),
    ] {
        authority.install(certificate, key);
        let end = seconds(end);
        daemon.wait_for(certificate, |_| (expires() == Some(end)).then_some(()));
    }
    daemon.signal("TERM");
    let errors = daemon.ended().errors;
    let warned = |text: &str| errors.lines().filter(|line| line.contains(text)).count();
    assert_eq!(warned("` expires at "), 1, "{errors}");
    assert_eq!(warned("` expired at "), 1, "{errors}");
}

/// The contents of a certificate and its key.
fn files((certificate, key): &(Vec<u8>, Vec<u8>)) -> TlsFiles<'_> {
    TlsFiles { certificate, key, client_ca: None }
}

#[test]
fn warnings_of_the_end_of_a_certificate_are_given_again_each_day() {
    const HOUR: Duration = Duration::from_secs(3600);
    let authority = Authority::new();
    for (name, days) in [("first", 20), ("second", 30)] {
        authority.sign_for(name, days);
    }
    let read =
        |name: &str, suffix: &str| fs::read(authority.path(&format!("{name}.{suffix}"))).unwrap();
    let [first, second] = ["first", "second"].map(|name| (read(name, "pem"), read(name, "key")));
    let identity = TlsIdentity::new(files(&first)).unwrap();
    let soon = identity.expires() - 14 * 24 * HOUR;
    assert_eq!(identity.expiry_warning(soon), None);
    let soon = soon + HOUR;
    assert_eq!(identity.expiry_warning(soon), Some(ExpiryWarning::Soon));
    assert_eq!(identity.expiry_warning(soon + 23 * HOUR), None);
    assert_eq!(identity.expiry_warning(soon + 24 * HOUR), Some(ExpiryWarning::Soon));
    // Under a clock that was set back, it is given at once.
    assert_eq!(identity.expiry_warning(soon), Some(ExpiryWarning::Soon));
    // The end is told when it comes, then each day.
    let end = identity.expires();
    assert_eq!(identity.expiry_warning(end - HOUR), Some(ExpiryWarning::Soon));
    assert_eq!(identity.expiry_warning(end + HOUR), Some(ExpiryWarning::Expired));
    assert_eq!(identity.expiry_warning(end + 2 * HOUR), None);
    assert_eq!(identity.expiry_warning(end + 26 * HOUR), Some(ExpiryWarning::Expired));
    // A replacement is another certificate, also if it is the same.
    identity.replace(files(&first)).unwrap();
    assert_eq!(identity.expiry_warning(end + 27 * HOUR), Some(ExpiryWarning::Expired));
    identity.replace(files(&second)).unwrap();
    assert_eq!(identity.expiry_warning(end + 27 * HOUR), Some(ExpiryWarning::Soon));
    identity.replace(files(&second)).unwrap();
    assert_eq!(identity.expiry_warning(end - 5 * 24 * HOUR), None);
}

#[test]
fn unusable_files_are_refused_at_the_start() {
    let authority = Authority::new();
    for name in ["first", "second"] {
        authority.sign(name);
    }
    authority.install("first", "second");
    let refused = run(&mut authority.command(&[]));
    assert_eq!(refused.status.code(), Some(2));
    let errors = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(errors.contains("do not fit together"), "{errors}");
    authority.install("first", "first");
    // An intermediate certificate that is none.
    let mut chain = fs::read_to_string(authority.path("first.pem")).unwrap();
    chain += "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n";
    fs::write(authority.path("served.pem"), chain).unwrap();
    let refused = run(&mut authority.command(&[]));
    assert_eq!(refused.status.code(), Some(2));
    let errors = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(errors.contains("can't be read"), "{errors}");
    authority.install("first", "first");
    for (option, file, expected) in [
        ("--tls-client-ca", "policy.yaml", "no certificate in PEM"),
        ("--tls-client-ca", "nowhere", "can't read clients' authorities"),
    ] {
        let file = authority.path(file).display().to_string();
        let refused = run(&mut authority.command(&[option, &file]));
        assert_eq!(refused.status.code(), Some(2));
        let errors = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(errors.contains(expected), "{errors}");
    }
    let mut alone = serve();
    alone.arg(authority.path("policy.yaml")).arg("--tls-cert").arg(authority.path("served.pem"));
    assert_eq!(run(&mut alone).status.code(), Some(2));
}

#[test]
fn slow_handshakes_keep_nobody_out() {
    let authority = Authority::new();
    let socket = authority.path("plain");
    let daemon = authority.serve(&["--uds", socket.to_str().unwrap()]);
    let mut slow: Vec<TcpStream> =
        (0..100).map(|_| TcpStream::connect(daemon.address()).unwrap()).collect();
    assert!(text(&authority.curl(&daemon, DECIDE, &[])).ends_with(" 2 200"));
    assert_eq!(Client::unix(&socket).get(DECIDE).status, 200);
    // They are closed by themselves.
    for stream in &mut slow {
        stream.set_read_timeout(Some(NEVER)).unwrap();
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    }
}

#[test]
fn with_tls_other_machines_may_reach_the_daemon() {
    let authority = Authority::new();
    authority.sign("first");
    authority.install("first", "first");
    let ca = authority.path("ca.pem").display().to_string();
    for options in [&[][..], &["--tls-client-ca", &ca]] {
        let options = [options, &["--listen", "0.0.0.0:0"]].concat();
        drop(Daemon::start(&mut authority.command(&options)));
    }
}

#[test]
fn the_command_line_speaks_tls() {
    let authority = Authority::new();
    fs::write(authority.path("token"), TOKEN).unwrap();
    let (store, token) = (authority.path("facts.redb"), authority.path("token"));
    let daemon = authority.serve(&[
        "--store",
        store.to_str().unwrap(),
        "--admin-token-file",
        token.to_str().unwrap(),
    ]);
    let url = format!("https://localhost:{}", daemon.address().port());
    let peerage = |args: &[&str], ca: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_peerage"));
        run(command.args(args).arg("--ca").arg(ca).current_dir(authority.folder.path()))
    };
    let other = Authority::new();
    let token = token.to_str().unwrap();
    fs::write(authority.path("lines"), "{\"id\":\"zoe\",\"tags\":[\"a\"]}\n").unwrap();
    for args in [
        &["health", &url][..],
        &["facts", "import", "lines", "--to", &url, "--admin-token-file", token],
        &["facts", "export", "--from", &url, "--admin-token-file", token],
        &["store", "backup", "--from", &url, "--admin-token-file", token, "--to", "copy.redb"],
    ] {
        let output = peerage(args, &authority.path("ca.pem"));
        assert!(output.status.success(), "{args:?} {output:?}");
        let refused = peerage(args, &other.path("ca.pem"));
        assert!(!refused.status.success(), "{args:?} {refused:?}");
    }
    let exported = peerage(
        &["facts", "export", "--from", &url, "--admin-token-file", token],
        &authority.path("ca.pem"),
    );
    assert!(text(&exported).contains("zoe"), "{exported:?}");
    // A name that the certificate does not have.
    let address = format!("https://127.0.0.2:{}", daemon.address().port());
    assert!(!peerage(&["health", &address], &authority.path("ca.pem")).status.success());
    // The usual self-signed certificate, which is an authority's.
    authority.install("ca", "ca");
    let deadline = Instant::now() + NEVER;
    loop {
        let output = peerage(&["health", &url], &authority.path("ca.pem"));
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        if errors.contains("must not be an authority") {
            break;
        }
        assert!(Instant::now() < deadline, "{errors}");
    }
}

#[test]
fn the_command_line_shows_certificates_to_daemons_that_require_them() {
    let authority = Authority::new();
    let ca = authority.path("ca.pem").display().to_string();
    fs::write(authority.path("token"), TOKEN).unwrap();
    fs::write(authority.path("lines"), "{\"id\":\"zoe\",\"tags\":[\"a\"]}\n").unwrap();
    for name in ["client", "another"] {
        authority.sign(name);
    }
    let (store, token) = (authority.path("facts.redb"), authority.path("token"));
    let (store, token) = (store.to_str().unwrap(), token.to_str().unwrap());
    let options = ["--tls-client-ca", &ca, "--store", store, "--admin-token-file", token];
    let daemon = authority.serve(&options);
    let url = format!("https://localhost:{}", daemon.address().port());
    let peerage = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_peerage"));
        run(command.args(args).current_dir(authority.folder.path()))
    };
    let errors = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let shown = ["--ca", &ca, "--client-cert", "client.pem", "--client-key", "client.key"];
    let other = Authority::new();
    other.sign("client");
    let [strange, secret] =
        ["client.pem", "client.key"].map(|name| other.path(name).display().to_string());
    for command in [
        &["health", &url][..],
        &["facts", "export", "--from", &url, "--admin-token-file", token],
        &["store", "backup", "--from", &url, "--admin-token-file", token, "--to", "copy.redb"],
        &["facts", "import", "lines", "--to", &url, "--admin-token-file", token],
    ] {
        let output = peerage(&[command, &shown].concat());
        assert!(output.status.success(), "{command:?} {output:?}");
        if command.contains(&"import") {
            continue;
        }
        let output = peerage(&[command, &["--ca", &ca]].concat());
        assert!(!output.status.success(), "{command:?}");
        let expected = "requires a certificate of its clients; give --client-cert";
        assert!(errors(&output).contains(expected), "{command:?} {}", errors(&output));
        let others = ["--ca", &ca, "--client-cert", &strange, "--client-key", &secret];
        let output = peerage(&[command, &others].concat());
        assert!(!output.status.success(), "{command:?}");
        let expected = format!("does not accept the certificate in `{strange}`");
        assert!(errors(&output).contains(&expected), "{command:?} {}", errors(&output));
    }
    // Mistakes name the file or the option.
    let plain = url.replace("https", "http");
    for (url, args, expected) in [
        (&url, &["--client-cert", "client.pem"][..], "--client-key"),
        (&url, &["--client-key", "client.key"], "--client-cert"),
        (
            &url,
            &["--client-cert", "no", "--client-key", "client.key"],
            "can't read the certificate in `no`",
        ),
        (
            &url,
            &["--client-cert", "client.pem", "--client-key", "no"],
            "can't read the key of the certificate in `no`",
        ),
        (
            &url,
            &["--client-cert", "lines", "--client-key", "client.key"],
            "`lines` holds no certificate in PEM",
        ),
        (
            &url,
            &["--client-cert", "client.pem", "--client-key", "lines"],
            "`lines` holds no private key in PEM",
        ),
        (
            &url,
            &["--client-cert", "client.pem", "--client-key", "another.key"],
            "`client.pem` and `another.key` do not fit together",
        ),
        (
            &plain,
            &["--client-cert", "client.pem", "--client-key", "client.key"],
            "--client-cert is for https",
        ),
    ] {
        let output = peerage(&[&["health", url], args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(errors(&output).contains(expected), "{args:?} {}", errors(&output));
    }
    let refused = peerage(&["health", "--uds", "socket", "--ca", &ca]);
    assert_eq!(refused.status.code(), Some(2));
}
