"""An ejabberd on a loopback port, with its log, in a folder of its own."""

import glob
import json
import os
import signal
import socket
import subprocess
from pathlib import Path

from ports import free_port, wait_for

REPOSITORY = Path(__file__).resolve().parents[2]
EBIN = sorted(glob.glob("/usr/lib/*/ejabberd-*/ebin") + glob.glob("/usr/lib/ejabberd/ebin"))

CONFIG = """
hosts: [chat.test, other.test]
loglevel: info
auth_method: internal
auth_password_format: plain
listen:
  - {{ port: {port}, ip: "127.0.0.1", module: ejabberd_c2s, access: all, shaper: none }}
acl: {{}}
access_rules: {{}}
modules:
  mod_disco: {{}}
  mod_roster: {{}}
  mod_blocking: {{}}
  mod_privacy: {{}}
  mod_admin_extra: {{}}
host_config:
  chat.test:
    modules:
      mod_disco: {{}}
      mod_roster: {{}}
      mod_muc: {{ host: rooms.chat.test, default_room_options: {{ persistent: true }} }}
      {module}
"""


class Ejabberd:
    """A server with the hosts chat.test, which has the module with these options, and other.test, which has not."""

    def __init__(self, folder, options):
        self.folder = Path(folder)
        self.port = free_port()
        build = [str(REPOSITORY / "integrations" / "ejabberd" / "build"), str(self.folder / "ebin")]
        done = subprocess.run(build, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        module = "mod_peerage: {" + ", ".join(f"{name}: {json.dumps(value)}" for name, value in options.items()) + "}"
        (self.folder / "ejabberd.yml").write_text(CONFIG.format(port=self.port, module=module))
        self.process = None

    def _environment(self):
        # A node without a name needs no epmd.
        return os.environ | {
            "HOME": str(self.folder),
            "EJABBERD_CONFIG_PATH": str(self.folder / "ejabberd.yml"),
            "EJABBERD_LOG_PATH": str(self.folder / "ejabberd.log"),
        }

    def start(self, users):
        # Accounts are made by the node itself, once it runs.
        accounts = ",".join(f'ejabberd_auth:try_register(<<"{name}">>,<<"{host}">>,<<"pw">>)' for name, host in users)
        command = ["erl", "-noinput", "-pa", EBIN[-1], "-pa", str(self.folder / "ebin")]
        command += ["-mnesia", "dir", f'"{self.folder / "spool"}"']
        command += ["-s", "ejabberd", "-eval", f'ejabberd:start(),{accounts},file:write_file("{self.folder}/up",<<>>).']
        with open(self.folder / "output", "ab") as output:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.folder, env=self._environment()
            )
        wait_for("ejabberd", self._is_up)

    def _is_up(self):
        if self.process.poll() is not None:
            raise AssertionError(f"ejabberd ended: {(self.folder / 'output').read_text()[-6000:]}")
        if not (self.folder / "up").exists():
            return False
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(20)

    def log(self):
        return (self.folder / "ejabberd.log").read_text()
