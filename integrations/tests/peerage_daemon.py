"""A daemon on a loopback port, and requests to it."""

import json
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("PEERAGE", str(REPOSITORY / "target" / "debug" / "peerage"))
TOKEN = "0123456789abcdef-token"


class Daemon:
    """`peerage serve` with a policy, in a folder. A later start takes the same port."""

    def __init__(self, folder, policy, *arguments, store=True):
        self.folder = Path(folder)
        self.arguments = list(arguments)
        (self.folder / "policy.yaml").write_text(policy)
        self.token_file = self.folder / "token"
        self.token_file.write_text(TOKEN)
        self.token_file.chmod(0o600)
        self.arguments += ["--admin-token-file", str(self.token_file)]
        if store:
            self.arguments += ["--store", str(self.folder / "facts.redb")]
        self.address = "127.0.0.1:0"
        self.process = None
        self.start()

    def start(self):
        command = [BINARY, "serve", str(self.folder / "policy.yaml"), "--listen", self.address]
        with open(self.folder / "daemon.log", "ab") as log:
            self.process = subprocess.Popen(
                command + self.arguments, stdout=subprocess.PIPE, stderr=log, text=True
            )
        line = self.process.stdout.readline()
        found = re.fullmatch(r"listening on http://(\S+)\n", line)
        assert found, (line, (self.folder / "daemon.log").read_text())
        self.address = found[1]
        self.url = f"http://{self.address}"

    def send_signal(self, which):
        self.process.send_signal(which)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)

    def kill(self):
        self.process.kill()
        self.process.wait(30)

    def write(self, *commands):
        """Writes facts as an administrator."""
        status, answer = self.get("/v1/facts", {"commands": commands})
        assert status == 200, answer

    def get(self, path, body=None):
        """The status and the JSON of an answer to an administrator; with a body, to a POST of it."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data)
        request.add_header("Authorization", f"Bearer {TOKEN}")
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def text(self, path):
        with urllib.request.urlopen(self.url + path, timeout=30) as response:
            return response.read().decode()

    def send(self, commands):
        """Carries out commands as an administrator."""
        request = urllib.request.Request(
            self.url + "/v1/facts", data=json.dumps({"commands": commands}).encode()
        )
        request.add_header("Authorization", f"Bearer {TOKEN}")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)
