"""The demo against a real daemon: a call goes on until a block, and ends by it."""

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from urllib.request import Request, urlopen

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

ROOT = Path(__file__).resolve().parents[2]
PEERAGE = os.environ.get("PEERAGE", str(ROOT / "target/debug/peerage"))
TOKEN = "0123456789abcdef-token"


class Call(unittest.TestCase):
    def start(self, command, pattern):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return next(found[0] for line in process.stdout if (found := re.search(pattern, line)))

    def test_a_block_cuts_the_call(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        token = Path(folder.name, "token")
        token.write_text(TOKEN)
        token.chmod(0o600)
        url = self.start(
            [PEERAGE, "serve", str(ROOT / "policies/stores"), "--listen", "127.0.0.1:0",
             "--store", f"{folder.name}/facts.redb", "--admin-token-file", str(token)], r"http://\S+")
        server = self.start([sys.executable, str(Path(__file__).with_name("server.py")), url], r"ws://\S+")
        asyncio.run(asyncio.wait_for(self.call(url, server), 30))

    async def call(self, url, server):
        async with connect(f"{server}/?from=3&to=2") as socket:
            self.assertEqual(await socket.recv(), "in call")
            body = json.dumps({"commands": [{"op": "block", "from": "2", "to": "3"}]}).encode()
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
            await asyncio.to_thread(urlopen, Request(f"{url}/v1/facts", body, headers))
            with self.assertRaises(ConnectionClosed) as closed:
                await socket.recv()
        self.assertEqual((closed.exception.rcvd.code, closed.exception.rcvd.reason), (4403, "blocked_by_resource"))


if __name__ == "__main__":
    unittest.main()
