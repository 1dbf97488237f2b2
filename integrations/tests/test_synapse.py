"""peerage beside a real Synapse: what its clients receive, and what its log says."""

import http.server
import re
import signal
import sys
import threading
import time
import urllib.request
from urllib.parse import quote

import pytest

pytest.importorskip("synapse")

from peerage_daemon import REPOSITORY, Daemon
from ports import wait_for
from synapse_server import Synapse

sys.path.insert(0, str(REPOSITORY / "integrations" / "synapse"))

from peerage_synapse.config import parse
from synapse.module_api.errors import ConfigError

POLICY = """
moderation: { managers: nobody }
"""

MODULE = """
  - module: peerage_synapse.PeerageModule
    config:
      url: {url}
      timeout: {timeout}
      on_error: {on_error}
      facts: {{ url: '{facts}', token_path: {token} }}
"""

ANTISPAM = """
  - module: synapse_http_antispam.HTTPAntispam
    config:
      base_url: {url}/matrix/antispam
      do_ping: true
      enabled_callbacks: [user_may_invite, user_may_create_room, user_may_join_room, check_event_for_spam]
      fail_open: {{ check_event_for_spam: false }}
"""


SOCKETS = """
  - module: peerage_synapse.PeerageModule
    config:
      url: unix:{folder}/decide
      facts: {{ url: 'unix:{folder}/admin' }}
"""


def slow_way(url, seconds):
    """An address from which requests reach the daemon after a while."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(seconds)
            names = ("Authorization", "Content-Type", "Idempotency-Key")
            headers = {name: self.headers[name] for name in names if self.headers[name]}
            request = urllib.request.Request(url + self.path, body, headers)
            with urllib.request.urlopen(request) as response:
                answer = response.read()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


class Both:
    """A daemon, and a Synapse with a module that asks it."""

    def __init__(self, folder, policy=POLICY, module=MODULE, sockets=False, delay=0, on_error="deny", timeout=2):
        for name in ("daemon", "synapse"):
            (folder / name).mkdir()
        place = folder / "daemon"
        arguments = ["--dialect", "matrix"]
        if sockets:
            arguments += ["--uds", str(place / "decide"), "--admin-uds", str(place / "admin")]
        self.daemon = Daemon(place, policy, *arguments)
        values = {"url": self.daemon.url, "token": self.daemon.token_file, "folder": place}
        values["facts"] = slow_way(self.daemon.url, delay) if delay else self.daemon.url
        modules = module.format(**values, on_error=on_error, timeout=timeout)
        try:
            self.synapse = Synapse(folder / "synapse", modules)
        except BaseException:
            self.daemon.stop()
            raise

    def stop(self):
        self.synapse.stop()
        self.daemon.stop()

    def wait_for_decision(self, expected, subject, action, resource):
        query = f"subject={quote(subject.id)}&action={action}&resource={quote(resource.id)}"

        def reached():
            return self.daemon.get(f"/v1/decide?{query}")[1].get("reason") == expected

        wait_for(f"{expected} of {query}", reached)

    def wait_for_group(self, room, condition):
        path = f"/v1/facts/groups/{quote(room, safe='')}"

        def reached():
            status, group = self.daemon.get(path)
            return status == 200 and condition(group) and group

        return wait_for(f"the group of {room}", reached)


@pytest.fixture
def both(tmp_path):
    started = []

    def start(**options):
        started.append(Both(tmp_path, **options))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def denied(answer, action, reason):
    status, body = answer
    assert status == 403, body
    assert body["errcode"] == "M_FORBIDDEN", body
    assert (body.get("peerage.action"), body["peerage.reason"]) == (action, reason), body
    assert body["error"]


def allowed(answer):
    status, body = answer
    assert status == 200, body
    return body


@pytest.mark.quick
def test_a_block_of_a_client_ends_a_direct_chat(both):
    pair = both()
    synapse = pair.synapse
    ann, bob = synapse.register("ann"), synapse.register("bob")
    bob.ignore(ann)
    pair.wait_for_decision("blocked_by_resource", ann, "start_chat", bob)
    refused = ann.create_room(is_direct=True, preset="trusted_private_chat", invite=[bob.id])
    denied(refused, "start_chat", "blocked_by_resource")
    assert ann.rooms() == [], "no room is left behind"
    assert "peerage: user_may_invite denied" in synapse.log()

    bob.ignore()
    pair.wait_for_decision("allowed", ann, "start_chat", bob)
    created = ann.create_room(is_direct=True, preset="trusted_private_chat", invite=[bob.id])
    room = allowed(created)["room_id"]
    allowed(bob.join(room))
    allowed(ann.send(room, "one"))

    bob.ignore(ann)
    pair.wait_for_decision("blocked_by_resource", ann, "send_message", bob)
    denied(ann.send(room, "two"), "send_message", "blocked_by_resource")
    denied(bob.send(room, "three"), "send_message", "blocked_by_subject")
    assert bob.request("GET", "/joined_rooms")[0] == 200
    assert ann.texts(room) == ["one"]
    assert "peerage: check_event_for_spam denied" in synapse.log()
    bob.ignore()
    pair.wait_for_decision("allowed", ann, "send_message", bob)
    allowed(ann.send(room, "four"))
    assert bob.texts(room) == ["four", "one"]


def test_power_levels_are_roles(both):
    pair = both()
    synapse = pair.synapse
    ann, bob, cat = (synapse.register(name) for name in ("ann", "bob", "cat"))
    created = ann.create_room(preset="private_chat", room_version="11", invite=[bob.id])
    room = allowed(created)["room_id"]
    allowed(bob.join(room))
    group = pair.wait_for_group(room, lambda group: bob.id in group["members"])
    assert group["super_admins"] == [ann.id]
    levels = ann.request("GET", f"/rooms/{quote(room)}/state/m.room.power_levels")[1]
    levels["users"][bob.id] = 50
    allowed(ann.request("PUT", f"/rooms/{quote(room)}/state/m.room.power_levels", levels))
    pair.wait_for_group(room, lambda group: group["admins"] == [bob.id])
    # Only admins add members under the matrix of the configuration.
    allowed(bob.invite(room, cat))
    allowed(cat.join(room))
    pair.wait_for_group(room, lambda group: group["members"] == [cat.id])
    dan = synapse.register("dan")
    levels["invite"] = 0
    allowed(ann.request("PUT", f"/rooms/{quote(room)}/state/m.room.power_levels", levels))
    denied(cat.invite(room, dan), "add_member", "needs_admin")
    assert "peerage: user_may_invite denied: " in synapse.log()
    assert f"peerage: wrote facts of room {room}" in synapse.log()
    for user in (ann, bob, cat):
        allowed(user.request("POST", f"/rooms/{quote(room)}/leave", {}))
    gone = f"/v1/facts/groups/{quote(room, safe='')}"
    wait_for("the end of the group", lambda: pair.daemon.get(gone)[0] == 404)


def test_a_new_room_is_a_group_at_once(both):
    policy = """
users: { "@ann:chat.test": { permissions: { start_chat: false } } }
"""
    pair = both(policy=policy, delay=0.3, timeout=5)
    ann, bob = pair.synapse.register("ann"), pair.synapse.register("bob")
    denied(ann.create_room(is_direct=True, invite=[bob.id]), "start_chat", "permission_off")
    for _ in range(2):
        room = allowed(ann.create_room(invite=[bob.id]))["room_id"]
        allowed(bob.join(room))
        allowed(bob.send(room, "hello"))


def test_direct_rooms_are_conversations(both):
    pair = both()
    synapse = pair.synapse
    ann, bob = synapse.register("ann"), synapse.register("bob")
    room = allowed(ann.create_room(invite=[bob.id]))["room_id"]
    allowed(bob.join(room))
    pair.wait_for_group(room, lambda group: len(group["super_admins"] + group["members"]) == 2)
    # What an account says of rooms that the other one has not joined is no conversation.
    cat = synapse.register("cat")
    alone = allowed(ann.create_room(invite=[cat.id]))["room_id"]
    ann.set_data("m.direct", {cat.id: [alone], bob.id: [room, "!none:chat.test"]})

    def conversations():
        return pair.daemon.get(f"/v1/facts/users/{quote(ann.id)}")[1]["conversations"]

    wait_for("a conversation", lambda: conversations() == [bob.id])
    # The room is direct from then on, also after Synapse is started again.
    synapse.stop()
    synapse.start()
    bob.ignore(ann)
    pair.wait_for_decision("blocked_by_resource", ann, "send_message", bob)
    denied(ann.send(room, "two"), "send_message", "blocked_by_resource")
    assert "peerage: check_event_for_spam denied: " in synapse.log()


def test_a_list_of_an_account_frees_from_nothing(both):
    pair = both()
    synapse = pair.synapse
    ann, bob, cat = (synapse.register(name) for name in ("ann", "bob", "cat"))
    room = allowed(ann.create_room(invite=[bob.id], room_version="11"))["room_id"]
    allowed(bob.join(room))
    pair.wait_for_group(room, lambda group: bob.id in group["members"])
    pair.daemon.write({"op": "mute_member", "group": room, "member": bob.id})
    bob.set_data("m.direct", {ann.id: [room]})
    denied(bob.send(room, "psst"), "send_message", "muted")
    levels = ann.request("GET", f"/rooms/{quote(room)}/state/m.room.power_levels")[1]
    allowed(
        ann.request(
            "PUT", f"/rooms/{quote(room)}/state/m.room.power_levels", {**levels, "invite": 0}
        )
    )
    denied(bob.invite(room, cat), "add_member", "needs_admin")
    content = {"membership": "invite", "is_direct": True}
    path = f"/rooms/{quote(room)}/state/m.room.member/{quote(cat.id)}"
    denied(bob.request("PUT", path, content), "add_member", "needs_admin")


def test_facts_of_before_the_module_are_stated_at_the_start(both):
    pair = both()
    synapse = pair.synapse
    ann, bob = synapse.register("ann"), synapse.register("bob")
    bob.ignore(ann)
    room = allowed(ann.create_room(preset="public_chat"))["room_id"]
    allowed(bob.join(room))
    group = pair.wait_for_group(room, lambda group: bob.id in group["members"])
    # In the newest rooms, who makes one is above all power levels.
    assert group["super_admins"] == [ann.id]
    assert group["matrix"] == "open"
    pair.wait_for_decision("blocked_by_resource", ann, "start_chat", bob)
    synapse.stop()
    pair.daemon.stop()
    (pair.daemon.folder / "facts.redb").unlink()
    pair.daemon.start()
    synapse.start()
    pair.wait_for_group(room, lambda group: bob.id in group["members"])
    pair.wait_for_decision("blocked_by_resource", ann, "start_chat", bob)


@pytest.mark.parametrize("on_error", ["deny", "allow"])
def test_a_daemon_that_does_not_answer(both, on_error):
    pair = both(on_error=on_error, timeout=0.5)
    synapse = pair.synapse
    ann = synapse.register("ann")
    room = allowed(ann.create_room(room_version="11"))["room_id"]
    pair.wait_for_group(room, lambda group: ann.id in group["super_admins"])
    allowed(ann.send(room, "one"))

    def without_answer(text):
        begun = time.monotonic()
        answer = ann.send(room, text)
        # Synapse's own client would wait for a minute.
        assert time.monotonic() - begun < 30
        if on_error == "deny":
            denied(answer, None, "unavailable")
        else:
            allowed(answer)

    pair.daemon.send_signal(signal.SIGSTOP)
    without_answer("two")
    pair.daemon.send_signal(signal.SIGCONT)
    wait_for("an answer", lambda: ann.send(room, "three")[0] == 200)
    pair.daemon.kill()
    without_answer("four")
    # What changes meanwhile is written later.
    bob = synapse.register("bob")
    bob.ignore(ann)
    log = synapse.log()
    outcome = "denied" if on_error == "deny" else "allowed"
    assert f"peerage: check_event_for_spam {outcome} without an answer" in log
    pair.daemon.start()
    pair.wait_for_decision("blocked_by_resource", ann, "start_chat", bob)
    allowed(ann.send(room, "five"))


def test_over_unix_sockets(both):
    pair = both(module=SOCKETS, sockets=True)
    ann, bob = pair.synapse.register("ann"), pair.synapse.register("bob")
    bob.ignore(ann)
    pair.wait_for_decision("blocked_by_resource", ann, "start_chat", bob)
    denied(ann.create_room(is_direct=True, invite=[bob.id]), "start_chat", "blocked_by_resource")
    assert "peerage: user_may_invite denied: " in pair.synapse.log()


def test_a_fact_that_is_refused_keeps_no_other_back(both):
    policy = """
limits: { blocked: 1 }
"""
    pair = both(policy=policy)
    ann, bob = pair.synapse.register("ann"), pair.synapse.register("bob")
    cat = pair.synapse.register("cat")
    bob.ignore(ann, cat)
    cat.ignore(ann)
    pair.wait_for_decision("blocked_by_resource", ann, "start_chat", cat)
    refused = f"peerage: facts of blocks of {bob.id} are refused"
    wait_for("the refusal", lambda: refused in pair.synapse.log())
    # It is refused whole, with the user whom it states.
    pair.wait_for_decision("unknown_resource", ann, "start_chat", bob)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"urll": "http://a"}, "`urll` is not known"),
        ({"url": "https://a"}, "`url` must be http://HOST:PORT or unix:/PATH"),
        ({"url": 7}, "`url` has a value of the wrong type"),
        ({"timeout": 0}, "`timeout` must be more than 0 seconds"),
        ({"timeout": True}, "`timeout` has a value of the wrong type"),
        ({"on_error": "ignore"}, "`on_error` must be deny or allow"),
        ({"token_path": "/nowhere"}, "`token_path` can't be read"),
        ({"facts": {"admin_level": "high"}}, "`facts.admin_level` has a value of the wrong type"),
        ({"facts": {"tokens": "x"}}, "`facts.tokens` is not known"),
        (["url"], "`config` must be a mapping"),
    ],
)
def test_mistakes_in_the_configuration(options, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        parse(options)


def test_antispam_by_the_dialect(both):
    policy = """
users:
  "@ann:chat.test": {}
  "@bob:chat.test": { blocked: ["@ann:chat.test"] }
  "@cat:chat.test": { moderation: silenced }
"""
    pair = both(policy=policy, module=ANTISPAM)
    synapse = pair.synapse
    ann, bob, cat = (synapse.register(name) for name in ("ann", "bob", "cat"))
    wait_for("the ping", lambda: "Successfully pinged antispam server" in synapse.log())
    room = allowed(ann.create_room(preset="public_chat"))["room_id"]
    denied(ann.invite(room, bob), "start_chat", "blocked_by_resource")
    assert "Blocking invite due to spam checker" in synapse.log()
    allowed(ann.invite(room, cat))
    allowed(cat.join(room))
    denied(cat.send(room, "hush"), "post", "silenced")
    denied(cat.create_room(), "create_group", "silenced")
    allowed(ann.send(room, "hello"))
    assert cat.texts(room) == ["hello"]
    pair.daemon.kill()
    status, body = ann.send(room, "more")
    assert (status, body["errcode"]) == (403, "M_UNKNOWN"), body
