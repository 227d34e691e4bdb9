"""A member of staff at a browser: signed in for real, one request after the other, to whichever web process."""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.admin_pages import filled_in_from

TIMEOUT = 60
OK, AWAY, ERROR, NONE = "ok", "away", "error", "no answer"


@dataclass(frozen=True)
class Timed:
    """One request: what it was for, how long it took in seconds, and what came of it."""

    what: str
    seconds: float
    outcome: str


class Diary:
    """What everybody was answered, kept for the report; safe for threads, as appending to a list is."""

    def __init__(self) -> None:
        self.requests: list[Timed] = []
        self.troubles: list[str] = []

    def trouble(self, sentence: str) -> None:
        """Note what should not have been answered, whatever was killed."""
        self.troubles.append(sentence)


@dataclass(frozen=True)
class Answer:
    """What came back, whole."""

    status: int
    content: bytes
    location: str

    @property
    def text(self) -> str:
        return self.content.decode(errors="replace")

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def key(self) -> int:
        """The number in the address it leads on to."""
        return next(int(part) for part in self.location.split("/") if part.isdecimal())

    def form(self, form_id: str) -> dict[str, Any]:
        """What a browser would send back from a form of this page."""
        return filled_in_from(self.text, form_id)


class Browser:
    """Sends requests, to one of the web processes at random, and writes down what it was like."""

    def __init__(self, addresses: list[str], diary: Diary, chance: random.Random, over: threading.Event) -> None:
        self._addresses, self._diary, self._chance, self._over = addresses, diary, chance, over
        self._session = requests.Session()

    def sign_in(self, login: str, password: str) -> None:
        def signs_in() -> Answer | None:
            self.get("sign in", "/accounts/login/")
            return self.post("sign in", "/accounts/login/", {"login": login, "password": password})

        answer = self.until_answered(signs_in)
        if answer is not None and answer.status != 302:
            self._diary.trouble(f"{login} could not sign in: {answer.status}")

    def get(self, what: str, path: str) -> Answer | None:
        """The page, or None when there was none to be had: no answer, or one that says to try again."""
        return self._send(what, "GET", path)

    def post(self, what: str, path: str, data: dict[str, Any], files: Any = None) -> Answer | None:
        data = {"csrfmiddlewaretoken": self._session.cookies.get("csrftoken", ""), **data}
        return self._send(what, "POST", path, data=data, files=files)

    def until_answered(self, ask: Callable[[], Answer | None]) -> Answer | None:
        """Ask again and again, the very same, until there is an answer; None when the day was over before."""
        while (answer := ask()) is None:
            if self._over.wait(self._chance.uniform(0.1, 0.5)):
                return None
        return answer

    def _send(self, what: str, method: str, path: str, **more: Any) -> Answer | None:
        began = time.perf_counter()
        try:
            address = self._chance.choice(self._addresses) + path
            found = self._session.request(method, address, allow_redirects=False, timeout=TIMEOUT, **more)
        except requests.RequestException:
            self._note(what, began, NONE)
            return None
        answer = Answer(found.status_code, found.content, found.headers.get("Location", ""))
        outcome = AWAY if answer.status == 503 else ERROR if answer.status >= 500 else OK
        self._note(what, began, outcome)
        self._judge(what, path, answer)
        return answer if outcome == OK else None

    def _note(self, what: str, began: float, outcome: str) -> None:
        self._diary.requests.append(Timed(what, time.perf_counter() - began, outcome))

    def _judge(self, what: str, path: str, answer: Answer) -> None:
        if answer.status >= 400 and answer.status != 503:
            self._diary.trouble(f"{what}: {answer.status} from {path}")
        elif what != "sign in" and urlsplit(answer.location).path == "/accounts/login/":
            self._diary.trouble(f"{what}: signed out")
        elif b"Traceback (most recent call last)" in answer.content:
            self._diary.trouble(f"{what}: a trace of the program from {path}")
