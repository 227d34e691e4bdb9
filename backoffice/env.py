"""Reads the configuration from the environment, and stops the start with one sentence when it is wrong.

django-environ parses; what it lets pass (``DEBUG=maybe`` is False to it, ``"*"`` is a fine host) is refused here,
because a setting that was misread is found weeks later and a process that does not start is found at once.
"""

import os
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off"})

DATABASE_SCHEMES = frozenset({"sqlite", "postgres", "postgresql"})
CACHE_SCHEMES = frozenset({"locmemcache", "dbcache", "rediscache", "redis", "rediss"})
EMAIL_SCHEMES = frozenset({"consolemail", "smtp", "smtp+tls", "smtp+ssl", "filemail", "memorymail", "dummymail"})


def stop(sentence: str) -> NoReturn:
    """End the process with a sentence instead of a traceback: whoever starts the server must read it."""
    sys.exit(f"Backoffice cannot start: {sentence}")


class Settings:
    """Typed look-ups in the environment (and in ``.env``, which never overrides the environment)."""

    def __init__(self, dotenv: Path) -> None:
        if dotenv.is_file():
            environ.Env.read_env(dotenv)

    def text(self, name: str, default: str = "") -> str:
        """The value without blanks around it. A name that is set to nothing counts as not set."""
        # Not Env.str: that takes a value beginning with a dollar sign, as secrets may, for the name of another one.
        return os.environ.get(name, "").strip() or default

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

    def choice(self, name: str, default: str, known: Callable[[str], bool], example: str) -> str:
        """A word out of a list too long to print, such as the time zones."""
        word = self.text(name, default)
        if not known(word):
            stop(f"{name} is {word!r}, which is not known; write one such as {example}.")
        return word

    def hosts(self, name: str, default: tuple[str, ...]) -> list[str]:
        """Host names as people type them: Django compares them with the Host header, without scheme or port."""
        hosts = self.words(name, default)
        for host in hosts:
            if "/" in host or (":" in host and not host.startswith("[")):
                stop(f"{name} has {host!r}; write the name alone, such as people.example.com.")
        return hosts

    def origins(self, name: str) -> list[str]:
        origins = self.words(name)
        for origin in origins:
            self._web_address(name, origin)
        return origins

    def address(self, name: str, default: str) -> str:
        """The address of a web site, without a slash at the end."""
        return self._web_address(name, self.text(name, default)).rstrip("/")

    def optional_address(self, name: str) -> str:
        """The address of something that need not be there."""
        return self.address(name, "") if self.text(name) else ""

    def all_or_none(self, prefix: str, values: dict[str, str]) -> None:
        """Refuse half of what is of use together only; ``values`` by the rest of their names."""
        names = [f"{prefix}_{rest.upper()}" for rest in values]
        missing = [name for name, value in zip(names, values.values(), strict=True) if not value]
        if missing and len(missing) < len(names):
            stop(f"{missing[0]} is not set; set all of {', '.join(names)}, or none of them.")

    def pairs(self, name: str, known: tuple[str, ...]) -> dict[str, str]:
        """Words of somebody else's and what they mean here, such as ``hr=Editor,it=Admin``."""
        found = {}
        for pair in self.words(name):
            word, equals, meaning = (part.strip() for part in pair.rpartition("="))
            if not word or not equals or meaning not in known:
                stop(f"{name} has {pair!r}; write a word of theirs, =, and one of {', '.join(known)}.")
            found[word] = meaning
        return found

    def folder(self, name: str, default: Path) -> Path:
        """A folder that exists, or can be made."""
        path = Path(self.text(name, str(default))).expanduser().resolve()
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            stop(f"{name} is {str(path)!r}, which cannot be made a folder ({error.strerror}).")
        return path

    def database(self, name: str, default: str) -> dict[str, Any]:
        found = self._url(name, self.text(name, default), environ.Env.db_url_config, DATABASE_SCHEMES)
        if found["NAME"] in {"", ":memory:"}:
            stop(f"{name} names no database; .env.example shows the form.")
        if found["ENGINE"].endswith("sqlite3") and not Path(found["NAME"]).resolve().parent.is_dir():
            stop(f"{name} names a file in a folder that does not exist.")
        return found

    def replica(self, name: str, primary: dict[str, Any]) -> dict[str, Any] | None:
        """A copy of the primary database that is only read; None where there is none."""
        if not self.text(name):
            return None
        found = self.database(name, "")
        if any("postgresql" not in one["ENGINE"] for one in (found, primary)):
            stop(f"{name} names a read replica; that takes PostgreSQL, here and in DATABASE_URL.")
        return {**found, "OPTIONS": {**found.get("OPTIONS", {}), "connect_timeout": 3}}

    def cache(self, name: str, default: str) -> dict[str, Any]:
        found = self._url(name, self.text(name, default), environ.Env.cache_url_config, CACHE_SCHEMES)
        if not found["LOCATION"] and not found["BACKEND"].endswith("LocMemCache"):
            stop(f"{name} names no table or server; .env.example shows the form.")
        if found["BACKEND"].endswith("RedisCache"):
            # Somebody may be waiting for the page.
            found.setdefault("OPTIONS", {}).update(socket_connect_timeout=5, socket_timeout=5)
        return found

    def queue(self, name: str) -> str:
        """The address of a Redis server for background tasks; the empty text where the database has them."""
        raw = self.text(name)
        if not raw:
            return ""
        if raw.partition("://")[0] not in {"redis", "rediss"} or not urlsplit(raw).hostname:
            stop(f"{name} must be the address of a Redis server, such as redis://127.0.0.1:6379/1.")
        if find_spec("django_tasks_rq") is None:
            stop(f"{name} puts background tasks on Redis; install the package django-tasks-rq for that.")
        return raw

    def email(self, name: str, default: str) -> dict[str, Any]:
        raw = self.text(name, default)
        if not raw:
            stop(f"{name} is not set. Name the server that sends mail, such as smtp+tls://user:password@host:587.")
        found = self._url(name, raw, environ.Env.email_url_config, EMAIL_SCHEMES)
        if raw.startswith("smtp") and not found["EMAIL_HOST"]:
            stop(f"{name} names no host; .env.example shows the form.")
        return found

    def _url(
        self, name: str, raw: str, parse: Callable[[str], dict[str, Any]], schemes: frozenset[str]
    ) -> dict[str, Any]:
        # The value itself is never repeated: it may hold a password.
        if raw.partition(":")[0] not in schemes:
            stop(f"{name} must be an address that starts with one of {', '.join(sorted(schemes))}.")
        try:
            return dict(parse(raw))
        except (ImproperlyConfigured, ValueError, KeyError, AttributeError):
            stop(f"{name} is not an address that can be understood; .env.example shows the form.")

    def _web_address(self, name: str, raw: str) -> str:
        parts = urlsplit(raw)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            stop(f"{name} has {raw!r}; write an address such as https://people.example.com.")
        return raw
