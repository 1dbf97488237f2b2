# SPDX-License-Identifier: AGPL-3.0-or-later
"""The callbacks of Synapse: questions to the daemon before something happens, and facts after it."""

import json
import logging
from typing import Any, Optional, Union

from twisted.internet import reactor

from synapse.api.errors import Codes
from synapse.events.utils import format_event_for_client_v2
from synapse.module_api import NOT_SPAM, EventBase, ModuleApi

from . import rooms
from .client import Client
from .config import Config, FactsConfig, parse
from .facts import Commands, FactsQueue

logger = logging.getLogger(__name__)

IGNORED = "m.ignored_user_list"
DIRECT = "m.direct"

# How many of the rooms that an account lists for one user are looked at.
MOST_ROOMS = 10

# A room that is not there yet.
NEW_ROOM = "!new"

Answer = Union[str, tuple[Codes, dict]]


class PeerageModule:
    """The module, as `modules` in homeserver.yaml names it."""

    @staticmethod
    def parse_config(given: Any) -> Config:
        return parse(given)

    def __init__(self, config: Config, api: ModuleApi) -> None:
        self._config = config
        self._api = api
        self._client = Client(config.address, config.token)
        # Rooms whose creator made them direct. Others' words on it may only forbid something more.
        self._direct_rooms: set[str] = set()
        self._facts: Optional[Facts] = None
        api.register_spam_checker_callbacks(
            user_may_invite=self.user_may_invite,
            user_may_create_room=self.user_may_create_room,
            user_may_join_room=self.user_may_join_room,
            check_event_for_spam=self.check_event_for_spam,
            federated_user_may_invite=self.federated_user_may_invite,
            user_may_publish_room=self.user_may_publish_room,
            user_may_send_3pid_invite=self.user_may_send_3pid_invite,
        )
        if config.facts is not None:
            client = Client(config.facts.address, config.facts.token, connections=1)
            facts = Facts(api, config.facts, client, self._direct_rooms)
            api.register_third_party_rules_callbacks(on_new_event=facts.on_new_event)
            api.register_account_data_callbacks(
                on_account_data_updated=facts.on_account_data_updated
            )
            run = api.run_as_background_process
            reactor.callWhenRunning(lambda: run("peerage_facts", facts.run))
            self._facts = facts

    # Before something happens.

    async def user_may_invite(self, inviter: str, invitee: str, room_id: str) -> Answer:
        arguments = {"inviter": inviter, "invitee": invitee, "room_id": room_id}
        return await self._ask("user_may_invite", arguments, self._room_hint(room_id))

    async def user_may_send_3pid_invite(
        self, inviter: str, medium: str, address: str, room_id: str
    ) -> Answer:
        arguments = {
            "inviter": inviter,
            "medium": medium,
            "address": address,
            "room_id": room_id,
        }
        return await self._ask("user_may_send_3pid_invite", arguments, self._room_hint(room_id))

    async def federated_user_may_invite(self, event: EventBase) -> Answer:
        arguments = {"event": _event_dict(event)}
        return await self._ask("federated_user_may_invite", arguments, {})

    async def user_may_create_room(self, user_id: str, room_config: dict) -> Answer:
        answer = await self._ask("user_may_create_room", {"user_id": user_id}, {})
        if answer != NOT_SPAM or room_config.get("is_direct") is not True:
            return answer
        # Synapse would ask for each invitation once the room is there, and leave it behind.
        for invitee in room_config.get("invite") or []:
            arguments = {"inviter": user_id, "invitee": invitee, "room_id": NEW_ROOM}
            answer = await self._ask("user_may_invite", arguments, {"is_direct": True})
            if answer != NOT_SPAM:
                return answer
        return NOT_SPAM

    async def user_may_join_room(self, user_id: str, room_id: str, is_invited: bool) -> Answer:
        arguments = {"user": user_id, "room": room_id, "is_invited": is_invited}
        return await self._ask("user_may_join_room", arguments, self._room_hint(room_id))

    async def user_may_publish_room(self, user_id: str, room_id: str) -> Answer:
        arguments = {"user_id": user_id, "room_id": room_id}
        return await self._ask("user_may_publish_room", arguments, {})

    async def check_event_for_spam(self, event: EventBase) -> Answer:
        arguments = {"event": _event_dict(event)}
        if event.is_state():
            hint = self._room_hint(event.room_id) if event.type != rooms.CREATE else {}
            return await self._ask("check_event_for_spam", arguments, hint)
        other = await self._other_one(event.room_id, event.sender)
        hint = {} if other is None else {"other": other}
        if other is None or event.room_id in self._direct_rooms:
            return await self._ask("check_event_for_spam", arguments, hint)
        # That an account lists a room of two as direct does not free it from what holds in the group.
        answer = await self._ask("check_event_for_spam", arguments, {})
        if answer == NOT_SPAM:
            answer = await self._ask("check_event_for_spam", arguments, hint)
        return answer

    def _room_hint(self, room_id: str) -> dict[str, Any]:
        return {"is_direct": True} if room_id in self._direct_rooms else {}

    async def _other_one(self, room_id: str, user: str) -> Optional[str]:
        """The other one in a direct room of two."""
        # The members of a large room are not read for each message.
        if self._facts is not None and room_id in self._facts.crowded_rooms:
            return None
        members = await self._api.get_room_state(room_id, [(rooms.MEMBER, None)])
        other = rooms.other_one(members, user)
        if other is None or room_id in self._direct_rooms:
            return other
        for one, of in ((user, other), (other, user)):
            if self._api.is_mine(one) and room_id in await self._direct_list(one, of):
                return other
        return None

    async def _direct_list(self, user: str, other: str) -> list:
        direct = await self._api.account_data_manager.get_global(user, DIRECT)
        listed = (direct or {}).get(other)
        return list(listed) if isinstance(listed, (list, tuple)) else []

    async def _ask(self, callback: str, arguments: dict, hint: dict) -> Answer:
        """Asks the daemon; the answer is what Synapse takes from a callback."""
        if self._facts is not None:
            room_id = _room_in(arguments)
            if room_id is not None:
                await self._facts.settle_room(room_id, self._config.timeout)
        answer = await self._ask_once(callback, arguments, hint)
        if self._facts is None or answer == NOT_SPAM:
            return answer
        # Who has just registered is in no room yet, so the facts don't know them.
        if answer[1].get("peerage.reason") in ("unknown_subject", "unknown_resource"):
            if await self._facts.state_new_users(_users_in(arguments), self._config.timeout):
                return await self._ask_once(callback, arguments, hint)
        return answer

    async def _ask_once(self, callback: str, arguments: dict, hint: dict) -> Answer:
        path = f"/matrix/antispam/{callback}"
        body = {**arguments, "peerage": hint} if hint else arguments
        try:
            status, answer = await self._client.post(path, body, self._config.timeout)
        except Exception as error:
            return self._without_answer(callback, repr(error))
        if status == 200:
            return NOT_SPAM
        if status == 403 and "peerage.reason" in answer:
            logger.info("peerage: %s denied: %s", callback, answer)
            fields = {name: value for name, value in answer.items() if name != "errcode"}
            return Codes.FORBIDDEN, fields
        return self._without_answer(callback, f"status {status}: {answer}")

    def _without_answer(self, callback: str, why: str) -> Answer:
        """The fail policy, where the daemon does not answer in time, or not with a decision."""
        outcome = "allowed" if self._config.allow_on_error else "denied"
        logger.error("peerage: %s %s without an answer: %s", callback, outcome, why)
        if self._config.allow_on_error:
            return NOT_SPAM
        error = "The policy can't be asked now; try again in a moment"
        return Codes.FORBIDDEN, {"error": error, "peerage.reason": "unavailable"}


class Facts:
    """What rooms and accounts say, as commands."""

    def __init__(
        self, api: ModuleApi, config: FactsConfig, client: Client, direct_rooms: set[str]
    ) -> None:
        self._api = api
        self._config = config
        self._client = client
        self._queue = FactsQueue(api, client)
        self._direct_rooms = direct_rooms
        # The rooms with more than two users.
        self.crowded_rooms: set[str] = set()
        self._stated_rooms: set[str] = set()

    async def settle_room(self, room_id: str, seconds: float) -> None:
        """Waits until the daemon knows who is in a room, but no longer than this.

        Else what is asked of a room that was just made would be decided as of one that is no group.
        """
        if room_id not in self._stated_rooms:
            state = await self._api.get_room_state(room_id, rooms.STATES)
            if not state:
                return
            self._state_room(room_id, state)
        await self._queue.settle(_room_key(room_id), seconds)

    async def run(self) -> None:
        """States everything once, where this process is the one for it, and then what changes."""
        if self._api.worker_app is None:
            try:
                await self._state_all()
            except Exception:
                logger.exception("peerage: not all facts could be read")
        await self._queue.run()

    async def state_new_users(self, users: list[str], seconds: float) -> bool:
        """States those of the users who have an account here. Returns whether there are any."""
        known = [
            user
            for user in users
            if self._api.is_mine(user) and await self._api.check_user_exists(user)
        ]
        if not known:
            return False
        try:
            status, answer = await self._client.post(
                "/v1/facts", {"commands": _users(known)}, seconds
            )
        except Exception as error:
            status, answer = 0, repr(error)
        if status != 200:
            logger.warning("peerage: new users are not stated: %s", answer)
        return status == 200

    async def on_new_event(self, event: EventBase, state: rooms.State) -> None:
        if not event.is_state() or event.type not in rooms.STATE_TYPES:
            return
        create = state.get((rooms.CREATE, ""))
        is_creators = create is not None and create.sender == event.sender
        if is_creators and event.type == rooms.MEMBER and event.content.get("is_direct") is True:
            self._direct_rooms.add(event.room_id)
        # One with more is a group like others, however it was made.
        if len(rooms.present(state, ("join", "invite"))) > 2:
            self._direct_rooms.discard(event.room_id)
            self.crowded_rooms.add(event.room_id)
        else:
            self.crowded_rooms.discard(event.room_id)
        self._state_room(event.room_id, state)

    async def on_account_data_updated(
        self, user_id: str, room_id: Optional[str], kind: str, content: dict
    ) -> None:
        if room_id is None:
            await self._state_account(user_id, kind, content)

    async def _state_all(self) -> None:
        def read(txn: Any) -> tuple[list, list]:
            kinds = "account_data_type IN ('m.ignored_user_list', 'm.direct')"
            txn.execute(
                f"SELECT user_id, account_data_type, content FROM account_data WHERE {kinds}"
            )
            accounts = list(txn)
            txn.execute("SELECT DISTINCT room_id FROM current_state_events")
            return accounts, [room for (room,) in txn]

        accounts, room_ids = await self._api.run_db_interaction("peerage_facts", read)
        for user, kind, content in accounts:
            await self._state_account(user, kind, json.loads(content))
        for room_id in room_ids:
            self._state_room(room_id, await self._api.get_room_state(room_id, rooms.STATES))

    def _state_room(self, room_id: str, state: rooms.State) -> None:
        """States who is in a room; one that all have left is no group any longer."""
        roles = rooms.roles(state, self._config.admin_level, self._config.super_admin_level)
        key = _room_key(room_id)
        self._stated_rooms.add(room_id)
        if not roles:
            # Only a group that is known can be deleted, so it is stated before.
            group = {"op": "put_group", "group": room_id, "matrix": "dm"}
            self._queue.put(key, [group, {"op": "delete_group", "group": room_id}])
            return
        lists: dict[str, list[str]] = {"super_admins": [], "admins": [], "members": []}
        for user, role in roles.items():
            lists[role].append(user)
        is_public = rooms.is_public(state)
        matrix = self._config.public_matrix if is_public else self._config.matrix
        group = {"op": "put_group", "group": room_id, "matrix": matrix, **lists}
        # The daemon remembers it; that a room is not direct is never stated.
        if room_id in self._direct_rooms:
            group["merge_metadata"] = {"is_direct": True}
        self._queue.put(key, [*_users(roles), group])

    async def _share_room(self, user: str, other: str, room_ids: list) -> bool:
        """Whether two users, and nobody else, have joined one of these rooms.

        The list is the user's own. A conversation frees from rules for new ones, so the other one must have joined.
        """
        for room_id in room_ids[:MOST_ROOMS]:
            if isinstance(room_id, str):
                state = await self._api.get_room_state(room_id, [(rooms.MEMBER, None)])
                if rooms.present(state) == sorted([user, other]):
                    return True
        return False

    async def _state_account(self, user: str, kind: str, content: dict) -> None:
        if kind == IGNORED:
            listed = content.get("ignored_users")
            ignored = sorted(listed) if isinstance(listed, dict) else []
            ignored = [other for other in ignored if other != user]
            commands = [*_users([user, *ignored]), {"op": "put_user", "user": user, "blocked": ignored}]
            self._queue.put(f"blocks of {user}", commands)
        elif kind == DIRECT:
            others = [
                other
                for other, listed in sorted(content.items())
                if isinstance(listed, list) and await self._share_room(user, other, listed)
            ]
            opened = [{"op": "open_conversation", "users": [user, other]} for other in others]
            if opened:
                self._queue.put(f"chats of {user}", [*_users([user, *others]), *opened])


def _room_key(room_id: str) -> str:
    return f"room {room_id}"


def _room_in(arguments: dict) -> Optional[str]:
    """The room that a question is about, if it is there."""
    room_id = arguments.get("room_id") or arguments.get("room")
    room_id = room_id or arguments.get("event", {}).get("room_id")
    return None if room_id == NEW_ROOM else room_id


def _users_in(arguments: dict) -> list[str]:
    """The users whom a question is about."""
    found = [arguments.get(name) for name in ("user", "user_id", "inviter", "invitee")]
    found.append(arguments.get("event", {}).get("sender"))
    return [user for user in found if isinstance(user, str)]


def _users(ids: Any) -> Commands:
    """Commands by which users are known."""
    return [{"op": "put_user", "user": user} for user in ids]


def _event_dict(event: EventBase) -> dict:
    """An event as clients see it."""
    as_dict = format_event_for_client_v2(event.get_dict())
    as_dict["event_id"] = event.event_id
    return as_dict
