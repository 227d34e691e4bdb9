"""Reads the configuration from the environment, and stops the start with one sentence when it is wrong.

django-environ parses; what it lets pass (``DEBUG=maybe`` is False to it, ``"*"`` is a fine host) is refused here,
because a setting that was misread is found weeks later and a process that does not start is found at once.
"""

import sys
from pathlib import Path
from typing import NoReturn

import environ
from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off", ""})


def stop(sentence: str) -> NoReturn:
    """End the process with a sentence instead of a traceback: whoever starts the server must read it."""
    sys.exit(f"Backoffice cannot start: {sentence}")


class Settings:
    """Typed look-ups in the environment (and in ``.env``, which never overrides the environment)."""

    def __init__(self, dotenv: Path) -> None:
        self._env = environ.Env()
        if dotenv.is_file():
            self._env.read_env(dotenv)

    def text(self, name: str, default: str = "") -> str:
        return self._env.str(name, default=default).strip()

    def flag(self, name: str, default: bool) -> bool:
        word = self.text(name, str(default)).lower()
        if word not in TRUE_WORDS | FALSE_WORDS:
            stop(f"{name} is {word!r}; write on or off.")
        return word in TRUE_WORDS

    def number(self, name: str, default: int, at_least: int = 0) -> int:
        raw = self.text(name, str(default))
        if not raw.isascii() or not raw.isdigit() or int(raw) < at_least:
            stop(f"{name} is {raw!r}; write a whole number, {at_least} or more.")
        return int(raw)

    def words(self, name: str, default: tuple[str, ...] = ()) -> list[str]:
        raw = self.text(name, ",".join(default))
        return [word.strip() for word in raw.split(",") if word.strip()]

    def database(self, name: str, default: str) -> dict[str, object]:
        return dict(self._url(name, default, self._env.db_url_config, {"sqlite", "postgres", "postgresql"}))

    def cache(self, name: str, default: str) -> dict[str, object]:
        schemes = {"locmemcache", "dbcache", "rediscache", "redis", "rediss"}
        return dict(self._url(name, default, self._env.cache_url_config, schemes))

    def email(self, name: str, default: str) -> dict[str, object]:
        schemes = {"consolemail", "smtp", "smtp+tls", "smtp+ssl", "filemail", "memorymail", "dummymail"}
        return dict(self._url(name, default, self._env.email_url_config, schemes))

    def _url(self, name, default, parse, schemes):  # type: ignore[no-untyped-def]
        raw = self.text(name, default)
        if raw.partition(":")[0] not in schemes:
            # The value itself is not repeated: it may hold a password.
            stop(f"{name} must be an address that starts with one of {', '.join(sorted(schemes))}.")
        try:
            return parse(raw)
        except (ImproperlyConfigured, ValueError, KeyError):
            stop(f"{name} is not an address that can be understood; .env.example shows the form.")
