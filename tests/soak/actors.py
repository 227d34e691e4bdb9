"""The staff. Each remembers what it tried, and which of that was answered: the oracle holds the product to it."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.soak.browser import Answer, Browser, Diary

PASSWORD = "correct-horse-battery"
PEOPLE = "/admin/users_profiles/user/"
IMPORTS = "/admin/users_profiles/import/"
EXPORTS = "/admin/users_profiles/export/"
SIZES = (40, 150, 400, 1_500)
# Every so manieth row of a file cannot be taken.
BAD = 50


@dataclass
class Attempt:
    """Something that was asked for. Unless it was answered it may have happened or not, but not half, nor twice."""

    value: str
    answered: bool = False


@dataclass
class Round:
    """What one importer did with one set of people: the imports in their order, and what it was told of each."""

    prefix: str
    rows: int
    jobs: list[int] = field(default_factory=list)
    seen_done: set[int] = field(default_factory=set)
    seen_undone: set[int] = field(default_factory=set)


@dataclass
class Memory:
    """All that was tried."""

    edits: dict[int, list[Attempt]] = field(default_factory=dict)
    added: list[Attempt] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    # Digests of the files that arrived whole.
    downloads: list[str] = field(default_factory=list)

    @property
    def has_something(self) -> bool:
        """Whether something of each kind was answered."""
        edited = any(attempt.answered for tried in [*self.edits.values()] for attempt in tried)
        return edited and bool(self.downloads) and any(this.seen_done for this in [*self.rounds])


class Actor(threading.Thread):
    """Somebody who does the same thing all day."""

    def __init__(self, login: str, addresses: list[str], diary: Diary, memory: Memory, seed: str) -> None:
        super().__init__(name=login, daemon=True)
        self.login, self.diary, self.memory = login, diary, memory
        self.chance = random.Random(seed)
        self.over = threading.Event()
        self.browser = Browser(addresses, diary, self.chance, self.over)
        self.turn = 0

    def run(self) -> None:
        try:
            self.browser.sign_in(self.login, PASSWORD)
            while not self.over.is_set():
                self.turn += 1
                self.act()
                self.over.wait(self.chance.uniform(0, 0.2))
        except Exception as error:
            self.diary.trouble(f"{self.login} gave up: {error!r}")

    def act(self) -> None:
        raise NotImplementedError

    def get(self, what: str, path: str) -> Answer | None:
        return self.browser.until_answered(lambda: self.browser.get(what, path))

    def insist(self, what: str, path: str, data: dict[str, Any], files: Any = None) -> Answer | None:
        """Send the same form until there is an answer, as somebody does who presses Reload."""
        return self.browser.until_answered(lambda: self.browser.post(what, path, data, files))

    def maybe_insist(self, what: str, path: str, data: dict[str, Any]) -> Answer | None:
        """Send a form; where no answer comes, send it again, or leave it at that."""
        answer = self.browser.post(what, path, data)
        return self.insist(what, path, data) if answer is None and self.chance.random() < 0.7 else answer


class Reader(Actor):
    """Looks around."""

    def act(self) -> None:
        word = self.chance.choice(["soak1", "berlin", "ada", "person 7", "@example.com"])
        what, path = self.chance.choice(
            [
                ("list", PEOPLE),
                ("list", f"{PEOPLE}?p={self.chance.randint(1, 9)}"),
                ("list", f"{PEOPLE}?columns=updated_at,complete&o=-updated_at"),
                ("search", f"{PEOPLE}?q={word}"),
                ("search", f"{PEOPLE}?q={word}&active=yes"),
                ("dashboard", "/admin/"),
                ("own profile", "/profile/"),
            ]
        )
        self.get(what, path)


class Editor(Actor):
    """Changes where people are; nobody else changes these people."""

    keys: list[int]

    def act(self) -> None:
        key = self.chance.choice(self.keys)
        page = self.get("person", f"{PEOPLE}{key}/change/")
        if page is None:
            return
        attempt = Attempt(f"{self.login} {self.turn}")
        form = {**page.form("user_form"), "profile-0-location": attempt.value}
        self.memory.edits.setdefault(key, []).append(attempt)
        answer = self.maybe_insist("edit", f"{PEOPLE}{key}/change/", form)
        if answer is not None and answer.status == 302:
            attempt.answered = True
        elif answer is not None:
            self.diary.trouble(f"an edit of {key} was refused: {_errors(answer)}")


class Adder(Actor):
    """Adds people one by one."""

    def act(self) -> None:
        page = self.get("person", f"{PEOPLE}add/")
        if page is None:
            return
        attempt = Attempt(f"{self.login}-{self.turn}")
        form = {**page.form("user_form"), "username": attempt.value, "email": f"{attempt.value}@example.com"}
        form.pop("send_invitation", None)
        self.memory.added.append(attempt)
        answer = self.maybe_insist("add", f"{PEOPLE}add/", form)
        if answer is None:
            return
        # Sent again after the first answer was lost, it is refused: that person is there already.
        attempt.answered = answer.status == 302 or "already has this username" in answer.text
        if not attempt.answered:
            self.diary.trouble(f"{attempt.value} was not added: {_errors(answer)}")


class Exporter(Actor):
    """Takes people out: few at once, many by the worker."""

    def act(self) -> None:
        many = self.turn % 2 == 0
        path = f"{PEOPLE}export/" if many else f"{PEOPLE}export/?q=soak1"
        data = {"format": self.chance.choice(["csv", "xlsx", "jsonl"]), "columns": ["username", "email", "location"]}
        answer = self.browser.post("export", path, data)
        if answer is None:
            return
        if answer.status == 200:
            if b"errorlist" in answer.content or b"<html" in answer.content[:200]:
                self.diary.trouble(f"an export was refused: {_errors(answer)}")
            self.memory.downloads.append(answer.digest)
            return
        key = answer.key
        if _wait(self, f"{EXPORTS}{key}/progress/"):
            self._fetch(key)

    def _fetch(self, key: int) -> None:
        answer = self.get("download", f"{EXPORTS}{key}/file/")
        if answer is not None and answer.status == 200:
            self.memory.downloads.append(answer.digest)
            return
        page = self.get("export page", f"{EXPORTS}{key}/change/") if answer is not None else None
        if page is not None and "Something went wrong on our side" not in page.text:
            self.diary.trouble(f"export {key} has no file and does not say why")


class Importer(Actor):
    """Brings in people it alone has, changes them by a second file, and takes some of that back."""

    def act(self) -> None:
        this = Round(f"{self.login}r{self.turn}x", self.chance.choice(SIZES))
        self.memory.rounds.append(this)
        if not self._import(this, "Rome"):
            return
        plan = self.chance.choice(["stay", "change", "undo", "change and undo"])
        if "change" in plan and not self._import(this, "Oslo"):
            return
        if "undo" in plan:
            self._undo(this)

    def _import(self, this: Round, place: str) -> bool:
        content = _file(this.prefix, this.rows, place)
        answer = self.insist("upload", f"{PEOPLE}import/", {}, {"file": ("staff.csv", content)})
        if answer is None or answer.status != 302:
            return False
        key = answer.key
        this.jobs.append(key)
        page = self.get("columns", f"{IMPORTS}{key}/columns/")
        if page is None or page.status != 200:
            return False
        choices = {"mode": "upsert", "match": "username", "region": "US", "date_order": ""}
        mapping = {f"column_{at}": name for at, name in enumerate(["username", "email", "first_name", "location"])}
        if self.insist("check", f"{IMPORTS}{key}/columns/", {**choices, **mapping}) is None:
            return False
        if not _wait(self, f"{IMPORTS}{key}/progress/"):
            return False
        return self._press(this, key, "apply", "Import finished", {"understood": "yes"}, this.seen_done)

    def _undo(self, this: Round) -> None:
        key = this.jobs[-1]
        if self.insist("undo", f"{IMPORTS}{key}/undo/plan/", {}) and _wait(self, f"{IMPORTS}{key}/progress/"):
            self._press(this, key, "undo", "Import undone", {}, this.seen_undone)

    def _press(self, this: Round, key: int, end: str, title: str, data: dict[str, str], seen: set[int]) -> bool:
        """Press the button, again where no answer came, and look until the page says what became of it."""
        what = "import" if end == "apply" else end
        if self.insist(what, f"{IMPORTS}{key}/{end}/", data) is None:
            return False
        if not _wait(self, f"{IMPORTS}{key}/progress/"):
            return False
        page = self.get("import page", f"{IMPORTS}{key}/change/")
        if page is not None and title in page.text:
            seen.add(key)
            return True
        if page is not None and "Something went wrong on our side" not in page.text:
            self.diary.trouble(f"after {end} the page of import {key} does not say {title!r}")
        return False


def _file(prefix: str, rows: int, place: str) -> bytes:
    lines = ["username,email,first_name,location"]
    for at in range(rows):
        email = "nonsense" if at % BAD == BAD - 1 else f"{prefix}{at}@example.com"
        lines.append(f"{prefix}{at},{email},Person {at % 97},{place} {at % 13}")
    return "\n".join(lines).encode()


def _wait(actor: Actor, path: str) -> bool:
    """Look at the progress until it is over; False when the day was over before."""
    while (answer := actor.get("progress", path)) is not None and answer.status == 200:
        if not answer.json["under_way"]:
            return True
        if actor.over.wait(0.3):
            return False
    return False


def _errors(answer: Answer) -> str:
    """What a page has to say about what was typed, without its tags."""
    found = re.search(r'class="[^"]*(?:error|notice-bad)[^"]*".{,1500}', answer.text, re.DOTALL)
    text = found[0] if found else answer.text.partition("<main")[2][:1_500]
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())[:300]


def cast(
    addresses: list[str], diary: Diary, memory: Memory, seed: int, keys: list[int]
) -> tuple[list[Actor], dict[str, str]]:
    """Everybody, and the role of each."""
    roles: dict[str, str] = {}

    def make(kind: Callable[..., Actor], login: str, role: str) -> Any:
        roles[login] = role
        return kind(login, addresses, diary, memory, f"{seed} {login}")

    editors = [make(Editor, "soak-edna", "Editor"), make(Editor, "soak-edgar", "Admin")]
    for at, editor in enumerate(editors):
        editor.keys = keys[at :: len(editors)][:40]
    others = [
        make(Reader, "soak-rita", "Reader"),
        make(Adder, "soak-adam", "Editor"),
        make(Exporter, "soak-exia", "Editor"),
        make(Importer, "soak-ivy", "Editor"),
        make(Importer, "soak-igor", "Admin"),
    ]
    return [*editors, *others], roles


def work(actors: list[Actor], seconds: float, memory: Memory) -> None:
    """Let everybody work for so long; on a machine that is busy, until there is something to show for it."""
    for actor in actors:
        actor.start()
    began = time.monotonic()
    while any(actor.is_alive() for actor in actors):
        passed = time.monotonic() - began
        if passed > seconds and (memory.has_something or passed > 3 * seconds):
            break
        time.sleep(0.2)
    for actor in actors:
        actor.over.set()
    for actor in actors:
        actor.join()
