"""Cuts a call between two users the moment they may not call each other any more.

`server.py http://127.0.0.1:7411`; a caller connects to `/?from=ID&to=ID`, with `websockets` of PyPI. A real server takes
the caller from its own session, not from the URL.
"""

import asyncio
import json
import sys
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

from websockets.asyncio.server import serve


def allowed(caller, callee):
    """Yields whether the call is allowed, at first and whenever that changes; ends with the daemon."""
    question = {"subject": caller, "action": "start_chat", "resource": callee}
    headers = {"Content-Type": "application/x-ndjson"}
    with urlopen(Request(f"{sys.argv[1]}/v1/watch", json.dumps(question).encode(), headers)) as answers:
        for line in answers:
            yield json.loads(line)


async def call(socket):
    ids = parse_qs(urlsplit(socket.request.path).query)
    answers = allowed(ids["from"][0], ids["to"][0])
    # Who hears nothing from the daemon any more is not known to be allowed: the call ends then too.
    while (answer := await asyncio.to_thread(next, answers, {"reason": "daemon gone"})).get("decision"):
        await socket.send("in call")
    await socket.close(4403, answer["reason"])


async def main():
    async with serve(call, "127.0.0.1", 0) as server:
        print("ws://127.0.0.1:%d" % server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


asyncio.run(main())
