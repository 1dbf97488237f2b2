# SPDX-License-Identifier: AGPL-3.0-or-later
"""Facts on their way to the daemon: the latest of each room and user, in order, again until they are written."""

import logging
import uuid
from typing import Any, Optional

from twisted.internet import defer, reactor

from synapse.logging.context import make_deferred_yieldable
from synapse.module_api import ModuleApi

from .client import Client

logger = logging.getLogger(__name__)

# The daemon takes up to 1000 commands in a batch.
MOST_COMMANDS = 1000
# A write waits for the disk, and behind others.
SECONDS = 10.0
LONGEST_PAUSE = 30.0

Commands = list[dict[str, Any]]


class FactsQueue:
    """Facts that wait to be written.

    What is stated of a room or a user is stated as a whole, so a later statement replaces one that still waits. So
    the queue holds at most one entry for each, however long the daemon is away.
    """

    def __init__(self, api: ModuleApi, client: Client) -> None:
        self._api = api
        self._client = client
        self._waiting: dict[str, Commands] = {}
        # The keys of the batch that is being written.
        self._writing: set[str] = set()
        self._wake: Optional[defer.Deferred] = None

    def put(self, key: str, commands: Commands) -> None:
        """States what is now known under a key."""
        # The latest place in the order is that of the latest statement.
        self._waiting.pop(key, None)
        self._waiting[key] = commands
        if self._wake is not None:
            wake, self._wake = self._wake, None
            wake.callback(None)

    async def settle(self, key: str, seconds: float) -> None:
        """Waits until what is stated under a key is written, but no longer than this."""
        end = reactor.seconds() + seconds
        while (key in self._waiting or key in self._writing) and reactor.seconds() < end:
            await self._api.sleep(0.005)

    async def run(self) -> None:
        """Writes what waits, for ever."""
        while True:
            if not self._waiting:
                self._wake = defer.Deferred()
                await make_deferred_yieldable(self._wake)
            batch = self._take()
            self._writing = set(batch)
            try:
                await self._write(batch)
            except Exception:
                logger.exception("peerage: facts of %s are lost", ", ".join(batch))
            self._writing = set()

    def _take(self) -> dict[str, Commands]:
        batch: dict[str, Commands] = {}
        size = 0
        for key, commands in self._waiting.items():
            size += len(commands)
            if batch and size > MOST_COMMANDS:
                break
            batch[key] = commands
        for key in batch:
            del self._waiting[key]
        return batch

    async def _write(self, batch: dict[str, Commands]) -> None:
        commands = [command for commands in batch.values() for command in commands]
        status, answer = await self._post_all(commands)
        if status == 200:
            logger.info("peerage: wrote facts of %s", ", ".join(batch))
        elif len(batch) > 1:
            # A batch is written whole or not at all: one that is refused must not keep others back.
            for key, commands in batch.items():
                await self._write({key: commands})
        else:
            # A room that a file states, for example, is the file's.
            logger.warning("peerage: facts of %s are refused: %s", ", ".join(batch), answer)

    async def _post_all(self, commands: Commands) -> tuple[int, Any]:
        """Posts commands in batches, the users of a large room before the room."""
        status, answer = 200, None
        for at in range(0, len(commands), MOST_COMMANDS):
            status, answer = await self._post(commands[at : at + MOST_COMMANDS])
            if status != 200:
                break
        return status, answer

    async def _post(self, commands: Commands) -> tuple[int, Any]:
        """Posts a batch again until it is answered. It takes effect once, since it has a key."""
        headers = {"Idempotency-Key": [str(uuid.uuid4())]}
        pause = 0.2
        while True:
            why: Any
            try:
                body = {"commands": commands}
                status, answer = await self._client.post("/v1/facts", body, SECONDS, headers)
                if status < 500 and status not in (401, 403, 408, 429):
                    return status, answer
                why = answer
            except Exception as error:
                why = repr(error)
            logger.warning("peerage: facts are not written yet: %s", why)
            await self._api.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
