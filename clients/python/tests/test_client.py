"""The client against a real daemon: `PEERAGE` names the program."""

import os
import re
import secrets
import subprocess
import tempfile
import unittest
from pathlib import Path

from peerage_client import Client, ConnectionFailed, Question, RequestError

ROOT = Path(__file__).resolve().parents[3]
PEERAGE = os.environ.get("PEERAGE", str(ROOT / "target/debug/peerage"))


class Daemon(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        folder = Path(self.folder.name)
        self.token = secrets.token_urlsafe(24)
        (folder / "token").write_text(self.token)
        (folder / "token").chmod(0o600)
        self.port, self.folder_path = 0, folder
        self.start()
        self.client = Client(f"http://127.0.0.1:{self.port}", token=self.token)
        self.addCleanup(self.client.close)

    def start(self):
        folder = self.folder_path
        self.process = subprocess.Popen(
            [PEERAGE, "serve", str(ROOT / "policies/stores"), "--listen", f"127.0.0.1:{self.port}",
             "--store", str(folder / "facts.redb"), "--admin-token-file", str(folder / "token"),
             "--admin-uds", str(folder / "admin.sock")],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        self.addCleanup(self.stop, self.process)
        for line in self.process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
                return
        self.fail("the daemon has ended")

    @staticmethod
    def stop(process):
        process.kill()
        process.wait()
        process.stdout.close()

    def block(self):
        return self.client.write_facts([{"op": "block", "from": "2", "to": "3"}])

    def test_decides(self):
        self.assertTrue(self.client.decide(Question("3", "start_chat", "2")).decision)
        explained = self.client.decide(Question("5", "start_chat", "5"), explain=True)
        self.assertIn("gates", explained.body)
        many = self.client.decide_many([Question("3", "start_chat", "2"), Question("3", "start_chat", "4")])
        self.assertEqual([(it.decision, it.reason) for it in many], [(True, "allowed"), (False, "no_rule")])

    def test_allows_by_status(self):
        self.assertTrue(self.client.allow(Question("3", "start_chat", "2")).allowed)
        denied = self.client.allow(Question("3", "start_chat", "4"))
        self.assertEqual((denied.allowed, denied.reason), (False, "no_rule"))

    def test_lists_by_pages(self):
        for page in (1, 3, 1000):
            found = list(self.client.reach(subject="5", action="start_chat", page=page))
            self.assertEqual(found, ["2", "3", "4", "6"])

    def test_connects_over_a_unix_socket(self):
        with Client(uds=str(self.folder_path / "admin.sock")) as client:
            self.assertTrue(client.write_facts([{"op": "ban", "user": "4"}]).outcomes[0]["changed"])
            self.assertFalse(client.decide(Question("4", "start_chat", "2")).decision)

    def test_keeps_its_connection(self):
        self.client.decide(Question("3", "start_chat", "2"))
        kept = self.client._kept.sock
        self.client.decide(Question("3", "start_chat", "4"))
        self.assertIs(self.client._kept.sock, kept)

    def test_writes_once_under_a_key(self):
        commands = [{"op": "block", "from": "2", "to": "3"}]
        first = self.client.write_facts(commands, idempotency_key="a")
        self.assertEqual(self.client.write_facts(commands, idempotency_key="a"), first)

    def test_raises_what_the_daemon_refuses(self):
        with self.assertRaises(RequestError) as raised:
            self.client.decide(Question("3", "no_such_action", "2"))
        self.assertEqual((raised.exception.status, raised.exception.at), (400, "action"))
        with self.assertRaises(RequestError) as raised:
            self.client.write_facts([{"op": "add_tags", "user": "2", "tags": ["Berlin"]}])
        self.assertEqual(raised.exception.status, 409)
        self.assertEqual(raised.exception.body["outcomes"][0]["reason"], "stated_by_file")
        with Client(f"http://127.0.0.1:{self.port}") as other, self.assertRaises(RequestError) as raised:
            other.write_facts([{"op": "ban", "user": "4"}])
        self.assertEqual(raised.exception.status, 401)

    def test_raises_where_no_daemon_is(self):
        self.stop(self.process)
        with self.assertRaises(ConnectionFailed):
            self.client.decide(Question("3", "start_chat", "2"))

    def test_survives_a_restart(self):
        self.client.decide(Question("3", "start_chat", "2"))
        self.stop(self.process)
        self.start()
        self.assertTrue(self.client.decide(Question("3", "start_chat", "2")).decision)

    def test_watches(self):
        answers = self.client.watch([Question("3", "start_chat", "2"), Question("3", "start_chat", "4")])
        self.assertEqual({next(answers).at for _ in range(2)}, {0, 1})
        self.block()
        answer = next(answers)
        self.assertEqual((answer.at, answer.reason), (0, "blocked_by_resource"))
        answers.close()

    def test_follows_changes_over_a_restart(self):
        since = self.view()
        self.block()
        changes = self.client.changes(since=since, pause=0.05)
        first = next(changes)
        self.assertEqual((first.users, first.missed), (("2", "3"), False))
        self.stop(self.process)
        self.start()
        # The ids of another process are not known to this one: the client is told that it missed some.
        second = next(changes)
        self.assertTrue(second.all and second.missed)
        changes.close()

    def view(self):
        response, _ = self.client._call("GET", "/healthz")
        return response.headers["Peerage-View"]


if __name__ == "__main__":
    unittest.main()
