"""No page says anything in English that could not be said in another language.

Every page is asked for with each translated text in brackets; what people would read outside of them is either a name
or a value out of the database, or somebody forgot to mark it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import translation

from tests.admin_pages import USERS, act
from tests.browser import company as companies
from tests.browser import pages
from users_profiles import invitations
from users_profiles.models import Report, User
from users_profiles.speaking import zones
from users_profiles.transfer import countries

# What people read that is no text: attributes that a browser shows or reads out.
READ = {"title", "alt", "placeholder", "aria-label", "label"}
# Names and values of the company on the pages, and what is the same in every language.
VALUES = re.compile(
    r"""
    \S+@\S+ | https?:\S+ | \S+\.(?:csv|xlsx|zip|png|jpg|webp|json)\S* | \b[0-9a-f]{8,}\b | \b[A-Z2-7]{32}\b |
    \b(?:Backoffice|English|Deutsch|Français|Español|CSV|JSON|Excel|XLSX|ZIP|SHA-256|UTC|MB|KB|ID)\b
    """,
    re.X,
)
WORD = re.compile(r"[^\W\d_]{2,}")


class _Visible(HTMLParser):
    """Collects what people read of a page, a piece at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._mute = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._mute += tag in {"script", "style"}
        self.pieces += [value for name, value in attributes if name in READ and value]
        found = dict(attributes)
        if tag == "input" and found.get("type") in {"submit", "button"}:
            self.pieces.append(found.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        self._mute -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        if not self._mute:
            self.pieces.append(data)


def outside_of_brackets(html: str) -> Iterator[str]:
    """The pieces with words that are in no brackets. What is in them may be in brackets too, or in several pieces."""
    reader = _Visible()
    reader.feed(html)
    depth = 0
    for piece in reader.pieces:
        kept = []
        for letter in piece:
            depth += letter == "⟦"
            if not depth:
                kept.append(letter)
            depth -= letter == "⟧"
        text = VALUES.sub(" ", "".join(kept))
        if WORD.search(text):
            yield " ".join(text.split())


@pytest.fixture
def bracketed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every translated text in brackets."""
    for name in ("gettext", "pgettext", "ngettext", "npgettext"):
        real: Callable[..., str] = getattr(translation._trans, name)  # type: ignore[attr-defined]
        monkeypatch.setattr(translation._trans, name, lambda *args, real=real: f"⟦{real(*args)}⟧")  # type: ignore[attr-defined]


class _OnlyAddresses:
    """Stands in for a browser where a page is opened by its address alone; anything else it cannot do."""

    address = ""

    def goto(self, address: str) -> None:
        self.address = address


def addresses(company: companies.Company) -> Iterator[tuple[str, str, str]]:
    """Of every page that has one: what it is called, who looks, and the address."""
    for shown in pages.PAGES:
        browser = _OnlyAddresses()
        with suppress(AttributeError):
            shown.opens(browser, company)  # type: ignore[arg-type]
            yield str(shown), shown.who, browser.address


def words_of(company: companies.Company) -> set[str]:
    """Every word that is a value: of people, of the file that was imported, of what somebody named."""
    values = [companies.FILE, "The disk is full. Theirs Their place Paris London Helsinki", *CODES, *zones()]
    values += [name for _code, name in countries.choices()]  # Babel has those in every language
    values += [str(value) for row in User.objects.values_list(*PERSON) for value in row]
    values += [person.initials for person in User.objects.all()]
    values += [*Report.objects.values_list("name", flat=True), *Group.objects.values_list("name", flat=True)]
    return set(WORD.findall(" ".join(values)))


PERSON = ("username", "first_name", "last_name", "profile__location", "profile__bio")
# What stays as it is: names of columns, words in files, encodings, the words of a filter in an address.
CODES = (
    *("username email first_name last_name is_active role phone_number location bio birth_date date_joined q").split(),
    *("yes no Member Superuser Editor UTF zzz Passkey role").split(),
)


def test_every_word_on_every_page_can_be_translated(
    bracketed: None, superuser: User, make_person: Callable[..., User], browse: Callable[[User | None], Client]
) -> None:
    company = companies.found(superuser, make_person)
    found: dict[str, str] = {}
    words = words_of(company)
    for name, who, address in addresses(company):
        client = browse(None if who == pages.NOBODY else getattr(company, who))
        for text in outside_of_brackets(client.get(address, follow=True).content.decode()):
            if not words.issuperset(WORD.findall(text)):
                found.setdefault(text, name)
    assert not found


def test_every_word_of_what_is_asked_and_answered_can_be_translated(
    bracketed: None, superuser: User, make_person: Callable[..., User], browse: Callable[[User | None], Client]
) -> None:
    ada, client = make_person("ada", role="Editor"), browse(superuser)
    found = []
    for action in ("activate", "deactivate", "set_role", "send_invitation", "delete_selected"):
        for confirmed in ({}, {"confirmed": "1", "role": "Reader"}):
            html = act(client, action, [ada], url=f"{USERS}?q=ada", **confirmed).content.decode()
            found += [text for text in outside_of_brackets(html) if not {"ada", "root"}.issuperset(WORD.findall(text))]
    assert not found


def test_every_word_of_a_mail_can_be_translated(bracketed: None, ada: User) -> None:
    ada.set_unusable_password()
    for _kind in ("invitation", "new password"):
        message = invitations.message(ada)
        html = str(message.alternatives[0].content)
        for text in outside_of_brackets(f"<p>{message.subject}<p>{message.body}{html}"):
            assert {"Ada", "Lovelace", "ada"}.issuperset(WORD.findall(text))
        ada.set_password("correct-horse-battery")
