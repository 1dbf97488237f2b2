"""A Synapse on a loopback port, with its log, and clients of it."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

from ports import PATIENCE, free_port, wait_for

REPOSITORY = Path(__file__).resolve().parents[2]

CONFIG = """
server_name: chat.test
pid_file: {folder}/pid
signing_key_path: {folder}/signing.key
media_store_path: {folder}/media
report_stats: false
trusted_key_servers: []
bcrypt_rounds: 4
enable_registration: true
enable_registration_without_verification: true
macaroon_secret_key: for-tests-alone
registration_shared_secret: for-tests-alone
log_config: {folder}/log.yaml
database: {{ name: sqlite3, args: {{ database: {folder}/db.sqlite }} }}
listeners:
  - {{ port: {port}, bind_addresses: [127.0.0.1], type: http, resources: [{{ names: [client] }}] }}
{limits}
"""

LOG = """
version: 1
disable_existing_loggers: false
formatters: { plain: { format: '%(asctime)s %(name)s %(levelname)s %(message)s' } }
handlers: { file: { class: logging.FileHandler, filename: FOLDER/server.log, formatter: plain } }
root: { level: INFO, handlers: [file] }
"""

LIMITS = [
    "rc_message",
    "rc_registration",
    "rc_room_creation",
    "rc_joins_per_room",
]


class Synapse:
    """A homeserver in a folder. `modules` is the YAML below `modules:`."""

    def __init__(self, folder, modules):
        self.folder = Path(folder)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        many = "{ per_second: 10000, burst_count: 10000 }"
        limits = "\n".join(f"{name}: {many}" for name in LIMITS)
        limits += f"\nrc_login: {{ address: {many}, account: {many}, failed_attempts: {many} }}"
        limits += f"\nrc_joins: {{ local: {many}, remote: {many} }}"
        limits += f"\nrc_invites: {{ per_room: {many}, per_user: {many}, per_issuer: {many} }}"
        config = CONFIG.format(folder=folder, port=self.port, limits=limits)
        (self.folder / "homeserver.yaml").write_text(config + "modules:\n" + modules)
        (self.folder / "log.yaml").write_text(LOG.replace("FOLDER", str(folder)))
        key = "ed25519 a_test BLcIyGFGwcXNNFqdJmUFYO3pZ3r9QU2VrNJn0IvN5oQ\n"
        (self.folder / "signing.key").write_text(key)
        self.process = None
        self.start()

    def start(self):
        path = str(REPOSITORY / "integrations" / "synapse")
        config = str(self.folder / "homeserver.yaml")
        with open(self.folder / "output", "ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "synapse.app.homeserver", "-c", config],
                env={**os.environ, "PYTHONPATH": path},
                stdout=output,
                stderr=output,
            )
        wait_for("Synapse", self._is_up)

    def _is_up(self):
        if self.process.poll() is not None:
            output = (self.folder / "output").read_text()
            raise AssertionError(f"Synapse ended: {output[-4000:]}")
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5):
                return True
        except OSError:
            return False

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)

    def log(self):
        return (self.folder / "server.log").read_text()

    def register(self, name):
        body = {"username": name, "password": "pass-word", "auth": {"type": "m.login.dummy"}}
        status, answer = self.request("POST", "/register", body)
        assert status == 200, answer
        return User(self, answer["user_id"], answer["access_token"])

    def request(self, method, path, body=None, token=None):
        """The status and the JSON of an answer of the client API."""
        request = urllib.request.Request(
            f"{self.url}/_matrix/client/v3{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


class User:
    """A client that is logged in. Each call returns the status and the answer."""

    def __init__(self, server, user_id, token):
        self.server = server
        self.id = user_id
        self.token = token
        self.count = 0

    def request(self, method, path, body=None):
        return self.server.request(method, path, body, self.token)

    def create_room(self, **body):
        return self.request("POST", "/createRoom", body)

    def invite(self, room, other):
        return self.request("POST", f"/rooms/{quote(room)}/invite", {"user_id": other.id})

    def join(self, room):
        return self.request("POST", f"/join/{quote(room)}", {})

    def send(self, room, text, kind="m.room.message"):
        self.count += 1
        content = {"msgtype": "m.text", "body": text}
        return self.request("PUT", f"/rooms/{quote(room)}/send/{kind}/{self.count}", content)

    def set_data(self, kind, content):
        path = f"/user/{quote(self.id)}/account_data/{kind}"
        status, answer = self.request("PUT", path, content)
        assert status == 200, answer

    def ignore(self, *others):
        self.set_data("m.ignored_user_list", {"ignored_users": {other.id: {} for other in others}})

    def texts(self, room):
        """The messages of a room as this client is shown them, the newest first."""
        status, answer = self.request("GET", f"/rooms/{quote(room)}/messages?dir=b&limit=50")
        assert status == 200, answer
        return [e["content"].get("body") for e in answer["chunk"] if e["type"] == "m.room.message"]

    def rooms(self):
        return self.request("GET", "/joined_rooms")[1]["joined_rooms"]
