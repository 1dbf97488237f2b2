# SPDX-License-Identifier: AGPL-3.0-or-later
"""The options of the module, as they stand in homeserver.yaml."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from synapse.module_api.errors import ConfigError


@dataclass(frozen=True)
class FactsConfig:
    """Where facts are written, and how the states of a room are those of a group."""

    address: str
    token: Optional[str]
    matrix: str
    public_matrix: str
    admin_level: int
    super_admin_level: int


@dataclass(frozen=True)
class Config:
    """The checked options."""

    address: str
    token: Optional[str]
    timeout: float
    allow_on_error: bool
    facts: Optional[FactsConfig]


def parse(given: Any) -> Config:
    """Checks the options. A mistake ends Synapse's start with its place."""
    options = _Options(given, "")
    facts = options.take("facts", dict, None)
    config = Config(
        address=_address(options, "url", "http://127.0.0.1:7411"),
        token=_token(options),
        timeout=_positive(options, "timeout", 0.25),
        allow_on_error=_word(options, "on_error", ("deny", "allow"), "deny") == "allow",
        facts=None if facts is None else _facts(_Options(facts, "facts.")),
    )
    options.finish()
    return config


def _facts(options: "_Options") -> FactsConfig:
    facts = FactsConfig(
        address=_address(options, "url", "http://127.0.0.1:7411"),
        token=_token(options),
        matrix=options.take("matrix", str, "admins_only"),
        public_matrix=options.take("public_matrix", str, "open"),
        admin_level=options.take("admin_level", int, 50),
        super_admin_level=options.take("super_admin_level", int, 100),
    )
    options.finish()
    return facts


class _Options:
    def __init__(self, given: Any, place: str) -> None:
        if not isinstance(given, dict):
            raise ConfigError(f"peerage: `{place or 'config'}` must be a mapping")
        self._given = dict(given)
        self._place = place

    def take(self, name: str, kind: type, default: Any) -> Any:
        value = self._given.pop(name, default)
        is_flag = isinstance(value, bool) and kind is not bool
        if value is not default and (is_flag or not isinstance(value, kind)):
            raise ConfigError(f"peerage: `{self._place}{name}` has a value of the wrong type")
        return value

    def error(self, name: str, message: str) -> ConfigError:
        return ConfigError(f"peerage: `{self._place}{name}` {message}")

    def finish(self) -> None:
        for name in self._given:
            raise self.error(name, "is not known")


def _address(options: _Options, name: str, default: str) -> str:
    address = options.take(name, str, default)
    if address.startswith("unix:/") or address.startswith("http://"):
        return address.rstrip("/")
    raise options.error(name, "must be http://HOST:PORT or unix:/PATH")


def _token(options: _Options) -> Optional[str]:
    path = options.take("token_path", str, None)
    if path is None:
        return None
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise options.error("token_path", f"can't be read: {error}") from error


def _positive(options: _Options, name: str, default: float) -> float:
    value = options.take(name, (int, float), default)
    if value > 0:
        return float(value)
    raise options.error(name, "must be more than 0 seconds")


def _word(options: _Options, name: str, words: tuple[str, ...], default: str) -> str:
    value = options.take(name, str, default)
    if value in words:
        return value
    raise options.error(name, f"must be {' or '.join(words)}")
