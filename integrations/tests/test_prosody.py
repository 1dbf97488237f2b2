"""peerage beside a real Prosody: what its clients receive, and what its log says."""

import asyncio
import os
import random
import signal
import time
from xml.etree import ElementTree

import pytest

pytest.importorskip("slixmpp")

from peerage_daemon import Daemon
from ports import wait_for
from prosody_server import Client, Prosody
from slixmpp import ComponentXMPP
from slixmpp.exceptions import XMPPError
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

POLICY = """
tags: [staff, guest]
rules: [{ name: staff, condition: hasTag(staff), outcome: [staff] }, { name: guests, condition: hasTag(guest), outcome: [staff] }]
users:
  alice@chat.test: { tags: [staff] }
  bob@chat.test: { tags: [staff] }
  carol@chat.test: { tags: [guest] }
  dave@chat.test: { tags: [guest] }
"""

SETTINGS = """
network_default_read_size = "*a"
peerage_socket = "{folder}/decide"
peerage_facts_socket = "{folder}/admin"
"""


class Both:
    """A daemon, and a Prosody that asks it."""

    def __init__(self, folder, policy=POLICY, settings="", module='"peerage"', users=("alice", "bob", "carol", "dave")):
        for name in ("daemon", "prosody"):
            (folder / name).mkdir()
        place = folder / "daemon"
        self.daemon = Daemon(place, policy, "--uds", str(place / "decide"), "--admin-uds", str(place / "admin"))
        self.prosody = Prosody(folder / "prosody", SETTINGS.format(folder=place) + settings, module)
        self.prosody.register(*users)
        self.prosody.start()

    def stop(self):
        self.prosody.stop()
        self.daemon.stop()

    def user(self, name):
        return self.daemon.get(f"/v1/facts/users/{name}@chat.test")[1]

    def group(self, name):
        status, group = self.daemon.get(f"/v1/facts/groups/{name}@rooms.chat.test")
        return group if status == 200 else None


@pytest.fixture
def both(request, tmp_path):
    options = getattr(request, "param", {})
    pair = Both(tmp_path, **options)
    yield pair
    pair.stop()


def scenario(both, names, play):
    """Plays a scenario with clients of these names, all of them online."""

    async def run():
        clients = [await Client(both.prosody, name).open() for name in names]
        try:
            await play(*clients)
        finally:
            for client in clients:
                await client.close()

    asyncio.run(run())


@pytest.mark.quick
def test_messages_and_requests_are_refused_with_the_policys_words(both):
    async def play(alice, bob, carol, dave):
        alice.say("bob", "hello")
        await bob.eventually("a message", lambda: ("alice@chat.test", "hello") in bob.received)
        carol.say("alice", "may I?")
        await alice.eventually("a message of a guest", lambda: ("carol@chat.test", "may I?") in alice.received)
        alice.say("carol", "no rule says so")
        await alice.eventually("an error", lambda: ("forbidden", "Not allowed: no_rule") in alice.refused)
        dave.say("carol", "among guests")
        await dave.eventually("an error", lambda: ("forbidden", "Not allowed: no_rule") in dave.refused)
        # Receipts and chat states are no messages.
        state = carol.make_message(mto="dave@chat.test", mtype="chat")
        state.xml.append(ElementTree.Element("{http://jabber.org/protocol/chatstates}composing"))
        state.send()
        carol.say("alice", "last")
        await alice.eventually("the last", lambda: ("carol@chat.test", "last") in alice.received)
        assert carol.received == [] and len(carol.refused) == 0
        alice.send_presence_subscription("bob@chat.test")
        await bob.eventually("a request", lambda: "alice@chat.test" in bob.asked)

    scenario(both, ["alice", "bob", "carol", "dave"], play)
    assert "Denied, since" not in both.prosody.log()


def test_blocks_and_rosters_flow_into_the_facts(both):
    async def play(alice, bob):
        alice.send_presence_subscription("bob@chat.test")
        await bob.eventually("a request", lambda: "alice@chat.test" in bob.asked)
        bob.send_presence(pto="alice@chat.test", ptype="subscribed")
        await bob.eventually("contacts", lambda: both.user("bob")["contacts"] == ["alice@chat.test"])
        await bob.eventually("contacts", lambda: both.user("alice")["contacts"] == ["bob@chat.test"])
        await bob.plugin["xep_0191"].block({"alice@chat.test"})
        await bob.eventually("a block", lambda: both.user("bob")["blocked"] == ["alice@chat.test"])
        alice.say("bob", "hello?")
        await alice.eventually("an error", lambda: ("forbidden", "Not allowed: blocked_by_resource") in alice.refused)
        assert bob.received == []
        await bob.plugin["xep_0191"].unblock({"alice@chat.test"})
        await bob.eventually("no block", lambda: both.user("bob")["blocked"] == [])
        alice.say("bob", "again")
        await bob.eventually("a message", lambda: ("alice@chat.test", "again") in bob.received)
        await alice.del_roster_item("bob@chat.test")
        await alice.eventually("no contacts", lambda: both.user("alice")["contacts"] == [])

    scenario(both, ["alice", "bob"], play)


def test_rooms_ask_and_are_told(both):
    async def play(alice, bob, carol):
        assert await alice.join("hall") is None
        await alice.plugin["xep_0045"].set_room_config("hall@rooms.chat.test", alice.plugin["xep_0004"].make_form(ftype="submit"))
        await alice.eventually("the room", lambda: both.group("hall"))
        await alice.eventually("its owner", lambda: both.group("hall")["super_admins"] == ["alice@chat.test"])
        assert await bob.join("hall") is None
        await bob.eventually("a member", lambda: both.group("hall")["members"] == ["bob@chat.test"])
        bob.say_in("hall", "hello all")
        await alice.eventually("a message", lambda: ("bob", "hello all") in alice.room_messages)
        # Muted by whoever administers the policy: the room's own roles know nothing of it.
        both.daemon.send([{"op": "mute_member", "group": "hall@rooms.chat.test", "member": "bob@chat.test"}])
        bob.say_in("hall", "still there?")
        await bob.eventually("an error", lambda: ("forbidden", "Not allowed: muted") in bob.refused)
        # Bob may not add guests: no rule leads to them.
        bob.plugin["xep_0045"].leave_muc("hall@rooms.chat.test", "bob")
        await bob.eventually("no member", lambda: both.group("hall")["members"] == [])
        await alice.plugin["xep_0045"].set_affiliation("hall@rooms.chat.test", "outcast", jid="carol@chat.test")
        await alice.eventually("a ban", lambda: both.group("hall")["banned"] == ["carol@chat.test"])
        assert await carol.join("hall") == "forbidden"

    scenario(both, ["alice", "bob", "carol"], play)


def test_what_a_message_carries_besides_is_asked_about(both):
    async def play(alice, bob, carol):
        assert await alice.join("hall") is None
        await alice.plugin["xep_0045"].set_room_config("hall@rooms.chat.test", alice.plugin["xep_0004"].make_form(ftype="submit"))
        await alice.eventually("the room", lambda: both.group("hall"))
        payloads = [
            ElementTree.Element("{urn:example:notes}note"),
            ElementTree.Element("{http://jabber.org/protocol/xhtml-im}html"),
            ElementTree.Element("{jabber:x:conference}x", jid="hall@rooms.chat.test"),
            ElementTree.Element("{jabber:x:conference}x", jid="elsewhere@rooms.example"),
        ]
        for number, payload in enumerate(payloads, 1):
            message = alice.make_message(mto="carol@chat.test", mtype="chat")
            message.xml.append(payload)
            message.send()
            await alice.eventually("an error", lambda: len(alice.refused) == number)
        # Bob could be added to the room, but blocks messages: an invitation takes none along.
        both.daemon.send([{"op": "put_user", "user": "bob@chat.test", "accepts": {"send_message": "nobody"}}])
        message = alice.make_message(mto="bob@chat.test", mbody="read this", mtype="chat")
        message.xml.append(ElementTree.Element("{jabber:x:conference}x", jid="hall@rooms.chat.test"))
        message.send()
        await alice.eventually("an error", lambda: ("forbidden", "Not allowed: not_in_audience") in alice.refused)
        assert bob.received == [] and carol.received == []

    scenario(both, ["alice", "bob", "carol"], play)


def test_who_may_not_start_is_not_invited(both):
    async def play(alice, carol):
        assert await alice.join("hall") is None
        await alice.plugin["xep_0045"].set_room_config("hall@rooms.chat.test", alice.plugin["xep_0004"].make_form(ftype="submit"))
        await alice.eventually("the room", lambda: both.group("hall"))
        alice.plugin["xep_0045"].invite("hall@rooms.chat.test", "carol@chat.test")
        await alice.eventually("an error", lambda: ("forbidden", "Not allowed: no_rule") in alice.refused)
        assert carol.received == []

    scenario(both, ["alice", "carol"], play)


@pytest.mark.parametrize("both", [{"settings": "peerage_timeout = 0.3\n"}], indirect=True)
def test_a_daemon_that_is_gone_or_says_nothing_costs_no_more_than_the_timeout(both):
    async def play(alice, bob):
        alice.say("bob", "one")
        await bob.eventually("a message", lambda: ("alice@chat.test", "one") in bob.received)
        both.daemon.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        bob.say("alice", "two")
        await bob.eventually("an error", lambda: ("resource-constraint", "This can't be decided now") in bob.refused)
        assert time.monotonic() - began < 3
        both.daemon.send_signal(signal.SIGCONT)
        both.daemon.kill()
        alice.say("bob", "three")
        await alice.eventually("an error", lambda: ("resource-constraint", "This can't be decided now") in alice.refused)
        both.daemon.start()

        async def heard():
            for attempt in range(100):
                alice.say("bob", f"four {attempt}")
                await asyncio.sleep(0.1)
                if any(text.startswith("four") for _, text in bob.received):
                    return True
            return False

        assert await heard()
        assert all(text not in ("two", "three") for _, text in alice.received + bob.received)

    scenario(both, ["alice", "bob"], play)
    assert "Denied, since peerage can't be asked" in both.prosody.log()


@pytest.mark.parametrize("settings, is_heard", [("peerage_on_failure = 'allow'\npeerage_cache = 0\n", True), ("peerage_on_failure = 'last'\n", True), ("", False)])
def test_what_holds_without_the_daemon_is_a_matter_of_configuration(tmp_path, settings, is_heard):
    both = Both(tmp_path, settings=settings)

    async def play(alice, bob):
        alice.say("bob", "one")
        await bob.eventually("a message", lambda: ("alice@chat.test", "one") in bob.received)
        both.daemon.kill()
        await asyncio.sleep(0)
        wait_for("the end of the stream", lambda: "stream of changes ended" in both.prosody.log())
        alice.say("bob", "two")
        if is_heard:
            await bob.eventually("a message", lambda: ("alice@chat.test", "two") in bob.received)
        else:
            await alice.eventually("an error", lambda: any(it[0] == "resource-constraint" for it in alice.refused))

    try:
        scenario(both, ["alice", "bob"], play)
    finally:
        both.stop()


def test_ten_thousand_messages_at_once_arrive_in_order(both):
    many = 10_000

    async def play(alice, bob):
        for number in range(many):
            alice.say("bob", str(number))
        await bob.eventually("all messages", lambda: len(bob.received) >= many, patience=300)
        assert [text for _, text in bob.received] == [str(number) for number in range(many)]
        assert alice.refused == []

    scenario(both, ["alice", "bob"], play)


def test_a_call_is_cut_when_two_users_unmatch(both):
    async def play(alice, bob):
        jingle = "{urn:xmpp:jingle:1}"
        ended = {alice: [], bob: []}

        def on_iq(client):
            def handle(iq):
                found = iq.xml.find(f"{jingle}jingle")
                if found is not None and found.get("action") == "session-terminate":
                    ended[client].append(found.get("sid"))
                reply = client.make_iq_result(id=iq["id"], ito=iq["from"])
                reply.send()

            return handle

        for client in (alice, bob):
            path = f"{{jabber:client}}iq/{jingle}jingle"
            client.register_handler(Callback("jingle", MatchXPath(path), on_iq(client)))
        iq = alice.make_iq_set(ito=bob.boundjid.full)
        session = ElementTree.SubElement(iq.xml, f"{jingle}jingle", action="session-initiate", sid="call-1", initiator=alice.boundjid.full)
        content = ElementTree.SubElement(session, f"{jingle}content", creator="initiator", name="voice")
        ElementTree.SubElement(content, "{urn:xmpp:jingle:apps:rtp:1}description", media="audio")
        await iq.send(timeout=10)
        wait_for("a standing question", lambda: 'peerage_streams{route="/v1/watch"} 1' in both.daemon.text("/metrics"))
        assert ended == {alice: [], bob: []}
        both.daemon.send([{"op": "block", "from": "bob@chat.test", "to": "alice@chat.test"}])
        await alice.eventually("the end of the call", lambda: ended == {alice: ["call-1"], bob: ["call-1"]})

    scenario(both, ["alice", "bob"], play)
    assert "is cut: blocked_by_resource" in both.prosody.log()


def test_a_component_is_trusted_only_where_it_is_named(tmp_path):
    for number, (settings, is_heard) in enumerate([("", False), ('peerage_components = { ["bridge.test"] = "trust" }\n', True)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        both = Both(folder, settings=settings)

        async def play(alice):
            bridge = ComponentXMPP("bridge.test", "between us", "127.0.0.1", both.prosody.component_port)
            started = asyncio.get_running_loop().create_future()
            bridge.add_event_handler("session_start", lambda _: started.set_result(None))
            errors = []
            bridge.add_event_handler("message_error", lambda it: errors.append(it["error"]["condition"]))
            bridge.connect()
            await asyncio.wait_for(started, 20)
            bridge.send_message(mto="alice@chat.test", mfrom="zoe@bridge.test", mbody="from afar", mtype="chat")
            if is_heard:
                await alice.eventually("a message", lambda: ("zoe@bridge.test", "from afar") in alice.received)
            else:
                await alice.eventually("an error", lambda: errors)
                assert alice.received == []
            await bridge.disconnect(wait=1)

        try:
            scenario(both, ["alice"], play)
        finally:
            both.stop()


def agrees(both, clients, names):
    """What differs between what Prosody's clients see and what the facts say; nothing, if they agree."""
    seen = {}
    for name, client in zip(names, clients):
        contacts = {
            jid for jid in client.client_roster if client.client_roster[jid]["subscription"] in ("both", "from", "to")
        }
        facts = both.user(name)
        if set(facts["contacts"]) != {str(jid) for jid in contacts}:
            seen[name] = ("contacts", facts["contacts"], sorted(map(str, contacts)))
    return seen


@pytest.mark.parametrize("both", [{"users": tuple(f"u{n}" for n in range(6)), "policy": "{}\n"}], indirect=True)
def test_facts_and_server_agree_after_a_random_hour(both):
    """Blocks, rosters, joins, kicks, and restarts of either side, from a seed; an hour of them in two minutes."""
    chance = random.Random(7)
    names = [f"u{n}" for n in range(6)]
    blocked = {name: set() for name in names}
    affiliations = {}
    seconds = float(os.environ.get("SECONDS", "110"))

    async def run():
        clients = [await Client(both.prosody, name).open() for name in names]
        for client in clients:
            client.auto_authorize = True
            client.auto_subscribe = False
        owner = clients[0]
        assert await owner.join("hall") is None
        await owner.plugin["xep_0045"].set_room_config(
            "hall@rooms.chat.test", owner.plugin["xep_0004"].make_form(ftype="submit")
        )
        end = time.monotonic() + seconds
        steps, refused = 0, {}
        while time.monotonic() < end:
            steps += 1
            at = chance.randrange(6)
            other = chance.choice([n for n in range(6) if n != at])
            client, jid = clients[at], f"{names[other]}@chat.test"
            step = chance.randrange(100)
            if step < 25:
                await client.plugin["xep_0191"].block({jid})
                blocked[names[at]].add(jid)
            elif step < 45:
                await client.plugin["xep_0191"].unblock({jid})
                blocked[names[at]].discard(jid)
            elif step < 65:
                client.send_presence_subscription(jid)
            elif step < 75:
                try:
                    await client.del_roster_item(jid)
                except XMPPError:
                    pass
            elif step < 95 and at > 0:
                affiliation = chance.choice(["member", "none", "admin", "outcast"])
                target = f"{names[at]}@chat.test"
                try:
                    await owner.plugin["xep_0045"].set_affiliation("hall@rooms.chat.test", affiliation, jid=target)
                    affiliations[target] = affiliation
                except XMPPError as error:
                    refused[error.condition] = refused.get(error.condition, 0) + 1
            elif step == 95:
                both.daemon.kill()
                await asyncio.sleep(chance.random())
                both.daemon.start()
            elif step == 96:
                for it in clients:
                    await it.close()
                both.prosody.stop(signal.SIGKILL if chance.random() < 0.3 else signal.SIGTERM)
                both.prosody.start()
                for number, name in enumerate(names):
                    clients[number] = await Client(both.prosody, name).open()
                    clients[number].auto_authorize = True
                    clients[number].auto_subscribe = False
                owner = clients[0]
                # A room that is not persistent ends with the server.
                affiliations.clear()
                await owner.join("hall")
                await owner.plugin["xep_0045"].set_room_config(
                    "hall@rooms.chat.test", owner.plugin["xep_0004"].make_form(ftype="submit")
                )
            await asyncio.sleep(0.02)

        def members():
            group = both.group("hall") or {}
            expected = {"super_admins": {"u0@chat.test"}, "admins": set(), "members": set(), "banned": set()}
            lists = {"admin": "admins", "member": "members", "outcast": "banned"}
            for jid, affiliation in affiliations.items():
                if affiliation in lists:
                    expected[lists[affiliation]].add(jid)
            return {name: set(group.get(name, [])) for name in expected} == expected

        def settled():
            facts = {name: set(both.user(name)["blocked"]) for name in names}
            return facts == blocked and members() and not agrees(both, clients, names)

        try:
            await owner.eventually("agreement", settled, patience=30)
        except AssertionError:
            facts = {name: both.user(name)["blocked"] for name in names}
            raise AssertionError(
                f"after {steps} steps: {facts} {blocked} {both.group('hall')} {affiliations} {agrees(both, clients, names)}"
            ) from None
        for client in clients:
            await client.close()
        print(f"{steps} steps, refused {refused}")

    asyncio.run(run())
