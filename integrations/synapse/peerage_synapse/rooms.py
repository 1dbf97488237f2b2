# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the state of a room says: who is in it, in which role, and whether it is direct."""

from typing import Any, Mapping, Optional

MEMBER = "m.room.member"
POWER_LEVELS = "m.room.power_levels"
CREATE = "m.room.create"
JOIN_RULES = "m.room.join_rules"

State = Mapping[tuple[str, str], Any]

# The states that the facts about a room come from.
STATES = [(MEMBER, None), (POWER_LEVELS, ""), (CREATE, ""), (JOIN_RULES, "")]
STATE_TYPES = {MEMBER, POWER_LEVELS, CREATE, JOIN_RULES}


def present(state: State, memberships: tuple[str, ...] = ("join",)) -> list[str]:
    """The users who are in a room, in order."""
    return sorted(
        key
        for (kind, key), event in state.items()
        if kind == MEMBER and event.content.get("membership") in memberships
    )


def other_one(state: State, user: str) -> Optional[str]:
    """The other one in a room of two, invited ones included; None in any other room."""
    users = present(state, ("join", "invite"))
    others = [other for other in users if other != user]
    return others[0] if user in users and len(others) == 1 else None


def is_public(state: State) -> bool:
    """Whether everyone may join."""
    rules = state.get((JOIN_RULES, ""))
    return rules is not None and rules.content.get("join_rule") == "public"


def roles(state: State, admin: int, super_admin: int) -> dict[str, str]:
    """The role of each user in a room, by their power levels.

    Someone has to be super admin: without anybody at that level, those with the most power are.
    """
    users = present(state)
    levels = {user: power(state, user) for user in users}
    most = min(super_admin, max(levels.values(), default=super_admin))

    def role(level: float) -> str:
        if level >= most:
            return "super_admins"
        return "admins" if level >= admin else "members"

    return {user: role(level) for user, level in levels.items()}


def power(state: State, user: str) -> float:
    """The power level of a user; without power levels, and in the newest rooms, creators have all."""
    create = state.get((CREATE, ""))
    levels = state.get((POWER_LEVELS, ""))
    if create is not None:
        creators = [create.sender, *create.content.get("additional_creators", [])]
        is_above_levels = create.room_version.msc4289_creator_power_enabled
        if user in creators and (is_above_levels or levels is None):
            return float("inf")
    content = levels.content if levels is not None else {}
    users = content.get("users", {})
    level = users.get(user, content.get("users_default", 0)) if isinstance(users, Mapping) else 0
    try:
        return int(level)
    except (TypeError, ValueError):
        return 0
