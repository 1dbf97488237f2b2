"""A Prosody on a loopback port, with its log, and clients of it."""

import asyncio
import os
import signal
import socket
import subprocess
from pathlib import Path

from ports import free_port, wait_for
from slixmpp import ClientXMPP
from slixmpp.exceptions import IqError, XMPPError

REPOSITORY = Path(__file__).resolve().parents[2]

CONFIG = """
run_as_root = true
daemonize = false
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
plugin_paths = {{ "{plugins}" }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
s2s_ports = {{}}
component_ports = {{ {component_port} }}
component_interfaces = {{ "127.0.0.1" }}
modules_enabled = {{ "roster", "saslauth", "disco", "presence", "message", "iq", "blocklist", "carbons", "posix" }}
modules_disabled = {{ "s2s", "http", "tls", "offline" }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
storage = "internal"
log = {{ debug = "{folder}/prosody.log" }}
{settings}

VirtualHost "chat.test"
modules_enabled = {{ {module} }}

Component "rooms.chat.test" "muc"
modules_enabled = {{ {module} }}

Component "bridge.test"
component_secret = "between us"
"""


class Prosody:
    """A server in a folder. `settings` are lines of its global section; without a module, it asks nobody."""

    def __init__(self, folder, settings="", module='"peerage"'):
        self.folder = Path(folder)
        self.port, self.component_port = free_port(), free_port()
        (self.folder / "data").mkdir()
        text = CONFIG.format(
            folder=folder,
            plugins=REPOSITORY / "integrations" / "prosody",
            port=self.port,
            component_port=self.component_port,
            settings=settings,
            module=module,
        )
        self.config = self.folder / "prosody.cfg.lua"
        self.config.write_text(text)
        self.process = None

    def register(self, *names):
        for name in names:
            command = ["prosodyctl", "--config", str(self.config), "register", name, "chat.test", "pw"]
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr

    def start(self):
        with open(self.folder / "output", "ab") as output:
            self.process = subprocess.Popen(
                ["prosody", "--config", str(self.config), "-F"],
                stdout=output,
                stderr=output,
                cwd=self.folder,
            )
        wait_for("Prosody", self._is_up)

    def _is_up(self):
        if self.process.poll() is not None:
            raise AssertionError(f"Prosody ended: {(self.folder / 'output').read_text()[-4000:]}")
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(30)

    def log(self):
        return (self.folder / "prosody.log").read_text()


class Client(ClientXMPP):
    """A client that keeps what it receives."""

    def __init__(self, server, name, resource="phone"):
        super().__init__(f"{name}@chat.test/{resource}", "pw")
        self.xmpp_server = server
        self.received = []
        self.refused = []
        self.asked = []
        self.calls = []
        for plugin in ("xep_0030", "xep_0045", "xep_0191", "feature_mechanisms"):
            self.register_plugin(plugin)
        self.plugin["feature_mechanisms"].unencrypted_scram = True
        self.plugin["feature_mechanisms"].unencrypted_plain = True
        self.enable_starttls = False
        self.enable_direct_tls = False
        self.enable_plaintext = True
        self.auto_authorize = None
        self.add_event_handler("message", self._on_message)
        self.add_event_handler("groupchat_message", self._on_group_message)
        self.add_event_handler("message_error", self._on_error)
        self.add_event_handler("presence_error", self._on_error)
        self.add_event_handler("presence_subscribe", lambda it: self.asked.append(it["from"].bare))
        self.room_messages = []

    def _on_message(self, message):
        if message["type"] in ("chat", "normal") and message["body"]:
            self.received.append((message["from"].bare, message["body"]))

    def _on_group_message(self, message):
        self.room_messages.append((message["from"].resource, message["body"]))

    def _on_error(self, stanza):
        self.refused.append((stanza["error"]["condition"], stanza["error"]["text"]))

    async def open(self):
        started = asyncio.get_running_loop().create_future()

        async def on_start(_event):
            self.send_presence()
            await self.get_roster()
            if not started.done():
                started.set_result(None)

        def on_failure(event):
            if not started.done():
                started.set_exception(AssertionError(f"no session: {event}"))

        self.add_event_handler("session_start", on_start)
        self.add_event_handler("failed_auth", on_failure)
        self.connect("127.0.0.1", self.xmpp_server.port)
        await asyncio.wait_for(started, 30)
        return self

    async def close(self):
        await asyncio.wait_for(self.disconnect(wait=1), 10)

    def say(self, to, text):
        self.send_message(mto=f"{to}@chat.test", mbody=text, mtype="chat")

    def say_in(self, room, text):
        self.send_message(mto=f"{room}@rooms.chat.test", mbody=text, mtype="groupchat")

    async def join(self, room):
        """Joins a room; the condition of the error if it is refused."""
        joining = self.plugin["xep_0045"].join_muc_wait(f"{room}@rooms.chat.test", self.boundjid.user, timeout=30)
        joining = asyncio.ensure_future(joining)
        before = len(self.refused)
        # It does not always notice the error.
        refused = asyncio.ensure_future(self.eventually("an answer", lambda: len(self.refused) > before, 30))
        try:
            await asyncio.wait({joining, refused}, return_when=asyncio.FIRST_COMPLETED)
            if joining.done():
                joining.result()
                return None
            return self.refused[-1][0]
        except XMPPError as error:
            return error.condition
        finally:
            joining.cancel()
            refused.cancel()

    async def eventually(self, what, condition, patience=20):
        end = asyncio.get_running_loop().time() + patience
        while asyncio.get_running_loop().time() < end:
            found = condition()
            if found:
                return found
            await asyncio.sleep(0.02)
        raise AssertionError(f"waited in vain for {what}: {self.received} {self.refused} {self.room_messages}")


async def refusal(iq):
    """Sends an IQ; the condition and the text of its error, or nothing."""
    try:
        await iq.send(timeout=10)
        return None
    except IqError as error:
        return error.condition, error.text
