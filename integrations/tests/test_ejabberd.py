"""peerage beside a real ejabberd: what its clients receive, and what its log says."""

import asyncio
import signal
import time
from xml.etree import ElementTree

import pytest

pytest.importorskip("slixmpp")

from ejabberd_server import Ejabberd
from peerage_daemon import Daemon
from prosody_server import Client, refusal

POLICY = """
tags: [staff, guest]
rules: [{ name: staff, condition: hasTag(staff), outcome: [staff] }, { name: guests, condition: hasTag(guest), outcome: [staff] }]
users:
  alice@chat.test: { tags: [staff] }
  bob@chat.test: { tags: [staff] }
  carol@chat.test: { tags: [guest] }
  dave@other.test: { tags: [guest] }
groups:
  hall@rooms.chat.test: { creator: alice@chat.test, members: [bob@chat.test, dave@other.test] }
"""
USERS = [("alice", "chat.test"), ("bob", "chat.test"), ("carol", "chat.test"), ("dave", "other.test")]
UNDECIDED = ("resource-constraint", "This can't be decided now")


class Both:
    """A daemon, and an ejabberd that asks it over a Unix socket."""

    def __init__(self, folder, **options):
        for name in ("daemon", "ejabberd"):
            (folder / name).mkdir()
        decide = folder / "daemon" / "decide"
        self.daemon = Daemon(folder / "daemon", POLICY, "--uds", str(decide))
        self.ejabberd = Ejabberd(folder / "ejabberd", {"socket": str(decide)} | options)
        self.ejabberd.start(USERS)

    def stop(self):
        self.ejabberd.stop()
        self.daemon.stop()


@pytest.fixture
def both(request, tmp_path):
    pair = Both(tmp_path, **getattr(request, "param", {}))
    yield pair
    pair.stop()


class User(Client):
    """A client of either host."""

    def __init__(self, server, name):
        super().__init__(server, name)
        domain = dict(USERS)[name]
        self.requested_jid.domain = self.boundjid.domain = self.default_domain = domain
        self.stream_header = self.stream_header.replace("'chat.test'", f"'{domain}'")


def scenario(both, names, play):
    async def run():
        clients = [await User(both.ejabberd, name).open() for name in names]
        try:
            await play(*clients)
        finally:
            for client in clients:
                await client.close()

    asyncio.run(run())


@pytest.mark.quick
def test_messages_requests_and_rosters_are_refused_with_the_policys_words(both):
    async def play(alice, bob, carol):
        alice.say("bob", "hello")
        await bob.eventually("a message", lambda: ("alice@chat.test", "hello") in bob.received)
        alice.say("carol", "no rule says so")
        await alice.eventually("an error", lambda: ("forbidden", "Not allowed: no_rule") in alice.refused)
        # Chat states are no messages.
        state = alice.make_message(mto="carol@chat.test", mtype="chat")
        state.xml.append(ElementTree.Element("{http://jabber.org/protocol/chatstates}composing"))
        state.send()
        carol.say("alice", "may I?")
        await alice.eventually("a message of a guest", lambda: ("carol@chat.test", "may I?") in alice.received)
        assert carol.received == [] and len(alice.refused) == 1
        # What the module does not know is one, and so is a subject alone.
        note = alice.make_message(mto="carol@chat.test", mtype="chat")
        note.xml.append(ElementTree.Element("{urn:example:notes}note"))
        note.send()
        await alice.eventually("an error", lambda: len(alice.refused) == 2)
        alice.send_message(mto="carol@chat.test", mbody="", msubject="read this", mtype="normal")
        await alice.eventually("an error", lambda: len(alice.refused) == 3)
        assert carol.received == []
        both.daemon.send([{"op": "block", "from": "bob@chat.test", "to": "alice@chat.test"}])
        alice.send_presence_subscription("bob@chat.test")
        blocked = ("forbidden", "Not allowed: blocked_by_resource")
        await alice.eventually("an error", lambda: blocked in alice.refused)
        entry = alice.Iq()
        entry["type"] = "set"
        entry["roster"]["items"] = {"bob@chat.test": {"name": "Bob", "subscription": "none", "groups": []}}
        assert await refusal(entry) == blocked
        assert bob.asked == []

    scenario(both, ["alice", "bob", "carol"], play)
    assert "can't be asked" not in both.ejabberd.log()
    assert "Opened c2s session for alice@chat.test" in both.ejabberd.log()


def test_calls_and_invitations_are_asked_about(both):
    async def play(alice, carol):
        for kind in ("audio", "video"):
            call = alice.make_iq_set(ito="carol@chat.test/phone")
            jingle = ElementTree.SubElement(call.xml, "{urn:xmpp:jingle:1}jingle", action="session-initiate", sid=kind)
            content = ElementTree.SubElement(jingle, "{urn:xmpp:jingle:1}content", creator="initiator", name=kind)
            ElementTree.SubElement(content, "{urn:xmpp:jingle:apps:rtp:1}description", media=kind)
            assert await refusal(call) == ("forbidden", "Not allowed: no_rule")
        invitation = alice.make_message(mto="carol@chat.test")
        invitation.xml.append(ElementTree.Element("{jabber:x:conference}x", jid="hall@rooms.chat.test"))
        invitation.send()
        await alice.eventually("an error", lambda: len(alice.refused) == 1)
        assert await alice.join("hall") is None
        alice.plugin["xep_0045"].invite("hall@rooms.chat.test", "carol@chat.test")
        await alice.eventually("an error", lambda: len(alice.refused) == 2)
        assert set(alice.refused) == {("forbidden", "Not allowed: no_rule")}

    scenario(both, ["alice", "carol"], play)


def test_rooms_hold_back_whom_the_policy_mutes_from_either_host(both):
    async def play(alice, bob, dave):
        for client in (alice, bob, dave):
            assert await client.join("hall") is None
        for client in (bob, dave):
            name = client.boundjid.user
            client.say_in("hall", f"{name} is here")
            await alice.eventually("a message", lambda: (name, f"{name} is here") in alice.room_messages)
            both.daemon.send([{"op": "mute_member", "group": "hall@rooms.chat.test", "member": client.boundjid.bare}])
            client.say_in("hall", "still there?")
            await client.eventually("an error", lambda: ("forbidden", "Not allowed: muted") in client.refused)
        alice.say_in("hall", "the last")
        await bob.eventually("the last", lambda: ("alice", "the last") in bob.room_messages)
        assert all(text != "still there?" for _, text in alice.room_messages)

    scenario(both, ["alice", "bob", "dave"], play)


def test_a_daemon_that_is_gone_or_says_nothing_costs_no_more_than_the_timeout(both):
    async def play(alice, bob):
        alice.say("bob", "one")
        await bob.eventually("a message", lambda: ("alice@chat.test", "one") in bob.received)
        both.daemon.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        bob.say("alice", "two")
        await bob.eventually("an error", lambda: UNDECIDED in bob.refused)
        # The timeout is 0.25 s; the rest is for a busy machine.
        assert time.monotonic() - began < 3
        both.daemon.send_signal(signal.SIGCONT)
        both.daemon.kill()
        alice.say("bob", "three")
        await alice.eventually("an error", lambda: UNDECIDED in alice.refused)
        (both.daemon.folder / "decide").unlink(missing_ok=True)
        both.daemon.start()
        for attempt in range(100):
            alice.say("bob", f"four {attempt}")
            await asyncio.sleep(0.1)
            if any(text.startswith("four") for _, text in bob.received):
                break
        texts = [text for _, text in alice.received + bob.received]
        assert any(text.startswith("four") for text in texts)
        assert "two" not in texts and "three" not in texts

    scenario(both, ["alice", "bob"], play)
    log = both.ejabberd.log()
    assert "peerage can't be asked" in log and "peerage answers again" in log


@pytest.mark.parametrize(
    "both, is_heard, is_new_heard",
    [({"on_failure": "allow"}, True, True), ({"on_failure": "last"}, True, False), ({}, False, False)],
    indirect=["both"],
)
def test_what_holds_without_the_daemon_is_a_matter_of_configuration(both, is_heard, is_new_heard):
    async def play(alice, bob):
        alice.say("bob", "one")
        await bob.eventually("a message", lambda: ("alice@chat.test", "one") in bob.received)
        both.daemon.kill()
        alice.say("bob", "two")
        if is_heard:
            await bob.eventually("a message", lambda: ("alice@chat.test", "two") in bob.received)
        else:
            await alice.eventually("an error", lambda: UNDECIDED in alice.refused)
        bob.say("alice", "never decided before")
        if is_new_heard:
            await alice.eventually("a message", lambda: ("bob@chat.test", "never decided before") in alice.received)
        else:
            await bob.eventually("an error", lambda: UNDECIDED in bob.refused)

    scenario(both, ["alice", "bob"], play)


@pytest.mark.parametrize("both", [{"texts": {"unknown_subject": "Who are you?"}, "ids": "node", "timeout": 2000}], indirect=True)
def test_ids_and_texts_are_a_matter_of_configuration(both):
    async def play(alice):
        # The policy knows no user of this name without a host.
        alice.say("bob", "hello")
        await alice.eventually("an error", lambda: ("forbidden", "Who are you?") in alice.refused)

    scenario(both, ["alice"], play)


def test_what_is_sent_at_once_arrives_whole_and_in_order(both):
    count = 10000

    async def play(alice, bob):
        for number in range(count):
            alice.say("bob", str(number))
        await bob.eventually("all of them", lambda: len(bob.received) == count, 120)
        assert [text for _, text in bob.received] == [str(number) for number in range(count)]

    scenario(both, ["alice", "bob"], play)
