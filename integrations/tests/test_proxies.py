"""peerage behind proxies: what their clients receive, what the server behind them sees, and what their logs say."""

import base64
import http.client
import http.server
import os
import re
import shlex
import shutil
import signal
import subprocess
import threading
import urllib.request
from pathlib import Path

import pytest

from peerage_daemon import REPOSITORY, Daemon
from ports import free_port, wait_for

PROXIES = REPOSITORY / "integrations" / "proxies"
PAGE = (REPOSITORY / "docs" / "integrations" / "proxies.md").read_text()

POLICY = """
users: { ann: {}, cat: { moderation: silenced }, dan: {} }
groups: { club: { matrix: all_members, creator: ann, members: [cat] } }
"""

GOOD = "/rooms/club/send"


def lines(name):
    """A file of the page, which shows all of it."""
    text = (PROXIES / name).read_text()
    assert f"```text\n{text}```" in PAGE, f"docs/integrations/proxies.md does not show {name} as it is"
    return text


def map_arguments():
    """The arguments of `peerage serve policies` as the page has them."""
    return shlex.split(lines("peerage.sh").replace("\\\n", ""))[3:]


class Behind:
    """The server behind a proxy, which notes the paths that reach it."""

    def __init__(self):
        paths = self.paths = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                paths.append(self.path)
                self.send_response(200)
                self.send_header("Content-Length", "5")
                self.end_headers()
                self.wfile.write(b"hello")

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Proxy:
    """A proxy in a folder, between clients and the server."""

    # The status while the daemon hangs, where it is another than while it is down.
    hangs = None

    def __init__(self, folder, daemon, behind):
        self.folder = Path(folder)
        self.port = free_port()
        self.daemon = daemon
        self.behind = behind
        self.process = None

    def config(self, name):
        text = lines(name)
        changes = [
            ("127.0.0.1:8000", f"127.0.0.1:{self.port}"),
            ("127.0.0.1:8080", self.behind.address),
            ("127.0.0.1:7411", self.daemon.address),
        ]
        for shown, real in changes:
            text = text.replace(shown, real)
        return text

    def start(self, *command, **options):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, **options)

        def is_up():
            assert self.process.poll() is None, self.log()
            return self.get(GOOD)[0]

        wait_for("the proxy", is_up)
        del self.behind.paths[:]

    def log(self):
        return (self.folder / "log").read_text()

    def get(self, path, user=None, headers=()):
        """The status, the reason of a denial and the body that a client receives; status 0 before it is up."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.putrequest("GET", path, skip_accept_encoding=True)
            if user:
                word = base64.b64encode(f"{user}:{user}-word".encode()).decode()
                connection.putheader("Authorization", f"Basic {word}")
            for name, value in headers:
                connection.putheader(name, value)
            connection.endheaders()
            response = connection.getresponse()
            return response.status, response.headers.get("Peerage-Reason"), response.read()
        except ConnectionError:
            return 0, None, b""
        finally:
            connection.close()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)


class Nginx(Proxy):
    program = "nginx"
    down = 500

    def run(self):
        users = self.folder / "users"
        users.write_text("".join(f"{name}:{{PLAIN}}{name}-word\n" for name in ("ann", "cat")))
        config = self.config("nginx.conf").replace("/etc/nginx/users", str(users))
        paths = " ".join(
            f"{kind}_temp_path {self.folder}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (self.folder / "nginx.conf").write_text(
            f"daemon off; worker_processes 1; pid {self.folder}/pid; user root;\n"
            f"error_log {self.folder}/error.log info;\nevents {{}}\n"
            f"http {{ access_log {self.folder}/access.log; {paths}\n{config}\n}}\n"
        )
        self.start("nginx", "-c", str(self.folder / "nginx.conf"), "-p", str(self.folder))

    def log(self):
        names = ("access.log", "error.log", "log")
        files = [self.folder / name for name in names if (self.folder / name).exists()]
        return "".join(file.read_text() for file in files)

    def logged(self):
        return re.search(r'cat \[.*"GET /rooms/club/send HTTP/1.1" 403', self.log())


class HAProxy(Proxy):
    program = "haproxy"
    down = 403

    def run(self):
        script = self.folder / "peerage.lua"
        script.write_text(self.config("peerage.lua"))
        config = self.config("haproxy.cfg").replace("/etc/haproxy/peerage.lua", str(script))
        config = config.replace("global\n", "global\n    log stdout format raw local0\n")
        config = config.replace("defaults\n", "defaults\n    log global\n    option httplog\n")
        (self.folder / "haproxy.cfg").write_text(config)
        self.start("haproxy", "-db", "-f", str(self.folder / "haproxy.cfg"))

    def logged(self):
        return re.search(r'403 .*"GET /rooms/club/send HTTP/1.1"', self.log())


class Caddy(Proxy):
    program = "caddy"
    down = 502
    hangs = 504

    def run(self):
        config = self.config("Caddyfile")
        for name in ("ann", "cat"):
            hashed = subprocess.run(
                ["caddy", "hash-password", "--plaintext", f"{name}-word"],
                capture_output=True,
                text=True,
                check=True,
            ).stdout.strip()
            config = config.replace(f"{name.upper()}-HASH", hashed)
        config = config.replace("basicauth", "log\n\tbasicauth")
        (self.folder / "Caddyfile").write_text("{\n\tadmin off\n}\n" + config)
        self.start(
            *("caddy", "run", "--adapter", "caddyfile", "--config", str(self.folder / "Caddyfile")),
            env={**os.environ, "HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder)},
        )

    def logged(self):
        return re.search(r'"uri": ?"/rooms/club/send".*"status": ?403', self.log())


@pytest.fixture
def stack(tmp_path):
    started = []

    def start(proxy):
        if shutil.which(proxy.program) is None:
            pytest.skip(f"{proxy.program} is not installed")
        daemon = Daemon(tmp_path, POLICY, *map_arguments(), store=False)
        started.append(daemon)
        folder = tmp_path / proxy.program
        folder.mkdir()
        one = proxy(folder, daemon, Behind())
        started.append(one)
        one.run()
        return one

    yield start
    for one in reversed(started):
        one.stop()


@pytest.mark.parametrize(
    "kind", [pytest.param(Nginx, marks=pytest.mark.quick), HAProxy, Caddy], ids=lambda it: it.program
)
def test_requests_are_decided(stack, kind):
    proxy = stack(kind)
    assert proxy.get(GOOD, "ann")[::2] == (200, b"hello")
    assert proxy.get("/rooms/%63lub/send?x=1", "ann")[0] == 200
    assert proxy.get(GOOD, "cat")[:2] == (403, "silenced")
    assert proxy.get("/rooms/none/send", "ann")[:2] == (403, "unknown_resource")
    assert proxy.get(GOOD)[0] == 401
    # No map is for these paths, or servers read them differently.
    for path in ("/", "/other", "/rooms/none/../club/send", "/rooms//club/send", "/rooms/a%2fb/send"):
        assert proxy.get(path, "ann")[0] == 403, path
    # What a client adds opens nothing.
    for headers in (
        [("X-User", "ann")],
        [("X-User", "ann"), ("X-User", "ann")],
        [("Peerage-Subject", "ann")],
        [("X-Forwarded-Uri", "/rooms/other/send"), ("Peerage-Subject", "ann")],
    ):
        assert proxy.get(GOOD, "cat", headers)[0] == 403, headers
    for name in ("X-Forwarded-Uri", "X-Original-URI", "X-Original-Uri"):
        assert proxy.get("/rooms/none/send", "ann", [(name, GOOD)])[0] == 403, name
    assert proxy.behind.paths == [GOOD, "/rooms/%63lub/send?x=1"]
    wait_for("the line of the log", proxy.logged)

    proxy.daemon.kill()
    assert proxy.get(GOOD, "ann")[0] == proxy.down
    assert len(proxy.behind.paths) == 2
    proxy.daemon.start()
    assert wait_for("an answer", lambda: proxy.get(GOOD, "ann")[0] == 200)


@pytest.mark.parametrize("kind", [Nginx, HAProxy, Caddy], ids=lambda it: it.program)
def test_a_daemon_that_hangs_denies(stack, kind):
    proxy = stack(kind)
    assert proxy.get(GOOD, "ann")[0] == 200
    proxy.daemon.send_signal(signal.SIGSTOP)
    try:
        assert proxy.get(GOOD, "ann")[0] in (proxy.down, proxy.hangs)
    finally:
        proxy.daemon.send_signal(signal.SIGCONT)
    assert proxy.behind.paths == [GOOD]
    assert wait_for("an answer", lambda: proxy.get(GOOD, "ann")[0] == 200)


def asked(daemon, method, path, headers):
    """What the daemon answers to a proxy that sends this."""
    request = urllib.request.Request(daemon.url + path, method=method)
    for name, value in headers:
        request.add_unredirected_header(name, value)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.headers.get("Peerage-Reason")
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("Peerage-Reason")


def traefik(daemon, path, user):
    """What Traefik's forwardAuth sends, as its documentation says."""
    lines("traefik.yaml")
    forwarded = [
        ("X-Forwarded-Method", "POST"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "chat.test"),
        ("X-Forwarded-Uri", path),
        ("X-Forwarded-For", "192.0.2.1"),
    ]
    return asked(daemon, "GET", "/v1/allow", [*forwarded, ("X-User", user)])


def envoy(daemon, path, user):
    """What Envoy's ext_authz sends over HTTP, as its documentation says: the path is appended, the method kept."""
    lines("envoy.yaml")
    return asked(daemon, "POST", "/v1/allow" + path, [("X-User", user), ("Content-Length", "0")])


@pytest.mark.parametrize("proxy, allowed", [(traefik, 204), (envoy, 200)])
def test_by_the_documented_contract(tmp_path, proxy, allowed):
    # Envoy takes no other status than 200 for a yes.
    status = ["--allow-status", str(allowed)]
    daemon = Daemon(tmp_path, POLICY, *map_arguments(), *status, store=False)
    try:
        assert proxy(daemon, GOOD, "ann") == (allowed, "allowed")
        assert proxy(daemon, GOOD + "?x=1", "ann") == (allowed, "allowed")
        assert proxy(daemon, GOOD, "cat") == (403, "silenced")
        assert proxy(daemon, "/rooms/none/send", "ann") == (403, "unknown_resource")
        assert proxy(daemon, "/other", "ann") == (403, None)
        assert proxy(daemon, "/rooms/none/../club/send", "ann") == (403, None)
    finally:
        daemon.stop()
