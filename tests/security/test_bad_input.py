"""Whatever comes in through whatever door: no server error, nothing unescaped on a page, nothing stored that breaks."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests import addresses
from tests.admin_pages import USERS, filled_in, user_page
from tests.browser.company import Company, found
from tests.data import images
from tests.people import Browse
from tests.security.naughty import NAUGHTY, SCRIPT, TEXTS
from users_profiles.models import Import, Profile, User
from users_profiles.transfer import importer, intake
from users_profiles.transfer.errors import FileRefused

# Together what is likely to be taken together, so that one that is refused does not hide what the others do.
PERSON_FIELDS = (("first_name", "last_name", "profile-0-bio", "profile-0-location"), ("username",), ("email", "role"))
OWN_FIELDS = (("first_name", "location", "bio"), ("phone_number", "birth_date"), ("avatar",))
COLUMNS = (("first_name", "location", "bio"), ("email", "phone_number", "birth_date", "role", "active"))
FILTERS = ("role", "location_has", "joined_from", "birthday", "older", "person", "since", "order", "missing")
TRAIL, EXPORT = (reverse(f"admin:users_profiles_{name}") for name in ("trailentry_changelist", "user_export"))
# Every parameter that one of our addresses looks at, and those that Django's lists know beside.
PARAMETERS = (
    *("q", "p", "o", "all", "e", "_facets", "_popup", "_to_field", "_changelist_filters", "next", "ids", "ticked"),
    *("role", "active", "picture", "complete", "missing", "location", "location_has", "birthday", "joined", "left"),
    *("joined_from", "joined_to", "signed_in", "show", "page", "older", "person", "actor", "field", "road", "since"),
    *("until", "state__exact", "format__exact", "asked_at__year", "subject__exact", "order", "columns", "term", "v"),
    *("app_label", "model_name", "field_name", "code", "report", "kind", "every", "looks"),
)


def assert_inert(response: Any) -> None:
    """No server error, and no script of the text's own on the page."""
    assert response.status_code < 500
    if "html" in response.get("Content-Type", ""):
        html = response.content.decode("utf-8", "replace")
        assert SCRIPT not in html
        assert "<img src=x" not in html
        assert 'href="javascript:' not in html


# Each text through each door ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", NAUGHTY)
def test_a_persons_form_takes_it_or_says_why_not(browse: Browse, superuser: User, ada: User, kind: str) -> None:
    client = browse(superuser)
    values = filled_in(client, user_page(ada))
    for fields in PERSON_FIELDS:
        assert_inert(client.post(user_page(ada), {**values, **dict.fromkeys(fields, sendable(NAUGHTY[kind]))}))
    for page in (user_page(ada), USERS, TRAIL, f"{user_page(ada)}../history/", "/admin/"):
        assert_inert(client.get(page))


@pytest.mark.parametrize("kind", NAUGHTY)
def test_ones_own_form_takes_it_or_says_why_not(browse: Browse, ada: User, kind: str) -> None:
    client = browse(ada)
    for fields in OWN_FIELDS:
        assert_inert(client.post(reverse("profile_edit"), dict.fromkeys(fields, sendable(NAUGHTY[kind]))))
        assert_inert(client.get(reverse("profile")))


def sendable(text: str) -> str:
    """What a browser could send: half a character has no form on the wire, and becomes a question mark."""
    return text.encode("utf-8", "replace").decode()


@pytest.mark.parametrize("kind", NAUGHTY)
def test_an_import_takes_it_or_refuses_the_row_or_the_file(browse: Browse, admin: User, kind: str) -> None:
    text, client = NAUGHTY[kind].replace('"', '""'), browse(admin)
    for columns in COLUMNS:
        assert_imports(client, admin, f"username,{','.join(columns)}\nbob" + f',"{text}"' * len(columns) + "\n")
    assert_imports(client, admin, f'username,"{text}"\nbob,x\n')
    assert_imports(client, admin, f'username\n"{text}"\n')


def assert_imports(client: Client, owner: User, content: str) -> None:
    try:
        job = intake.receive(ContentFile(content.encode("utf-8", "surrogatepass")), "staff.csv", owner)
    except FileRefused:
        return
    if not job.start_apply(unchecked=True):
        return
    importer.run(job)
    job.refresh_from_db()
    assert job.state in {Import.State.DONE, Import.State.FAILED}
    assert job.failure == "" or "our side" not in job.failure
    for shown in ("new", "refused"):
        assert_inert(client.get(reverse("admin:users_profiles_import_change", args=[job.pk]), {"show": shown}))


@pytest.mark.parametrize("kind", NAUGHTY)
def test_search_and_every_filter_bear_it(browse: Browse, superuser: User, ada: User, kind: str) -> None:
    client = browse(superuser)
    text = quote(NAUGHTY[kind][:2_000].encode("utf-8", "surrogatepass"))
    for page in (USERS, TRAIL, EXPORT):
        assert_inert(client.get(f"{page}?q={text}", follow=True))
        for filters in (FILTERS[:3], FILTERS[3:6], FILTERS[6:]):
            assert_inert(client.get(f"{page}?{'&'.join(f'{name}={text}' for name in filters)}", follow=True))


@pytest.mark.parametrize("kind", NAUGHTY)
def test_an_address_bears_it(browse: Browse, superuser: User, ada: User, kind: str) -> None:
    client = browse(superuser)
    text = quote(NAUGHTY[kind][:500].encode("utf-8", "surrogatepass"), safe="")
    for address in ("/{}", "/admin/{}/", "/admin/users_profiles/user/{}/change/", "/people/{}/avatar-64.webp"):
        assert_inert(client.get(address.format(text)))
    assert_inert(client.get(f"/accounts/password/reset/key/{text}-{text}/"))
    assert_inert(client.get(f"/accounts/confirm-email/{text}/"))


PICTURES = {
    "too many pixels": images.bomb(20_000, 20_000),
    "cut off": images.picture("JPEG")[:200],
    "a cut off GIF": images.picture("GIF")[:40],
    "a script": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "a TIFF": images.picture("TIFF"),
    "a bitmap": images.picture("BMP"),
    "nothing": b"",
    "zeros": b"\0" * 5_000,
    "a page": b"\x89PNG\r\n\x1a\n<html><script>alert(1)</script>",
}


@pytest.mark.parametrize("kind", PICTURES)
def test_what_is_no_picture_is_refused_by_every_form(browse: Browse, superuser: User, ada: User, kind: str) -> None:
    for name, person, url, field in (
        ("me.png", superuser, user_page(ada), "profile-0-avatar"),
        ("../../x.php.png", ada, reverse("profile_edit"), "avatar"),
    ):
        client = browse(person)
        values = filled_in(client, user_page(ada)) if person == superuser else {}
        response = client.post(url, {**values, field: SimpleUploadedFile(name, PICTURES[kind], "image/png")})
        assert response.status_code == 200
        assert_inert(response)
    assert Profile.objects.exclude(avatar="").count() == 0


# Every address, with anything ---------------------------------------------------------------------------------------


@pytest.fixture
def company(superuser: User, make_person: Callable[..., User], settings: Any) -> Company:
    settings.PHONE_DEFAULT_REGION = "GB"
    return found(superuser, make_person)


def arguments(company: Company) -> dict[str, list[Any]]:
    """What the path of an address may carry, so that all states of everything are asked for."""
    jobs = [job.pk for job in company.jobs.values()]
    exports = [export.pk for export in company.exports.values()]
    return {
        "pk": [company.ada.pk, 0],
        "key": [*jobs, *exports, "1:x", 10**17],
        "object_id": [company.ada.pk, *jobs, *exports, 1, "x"],
        "ending": ["csv", "x"],
        "mark": [company.mark, UUID(int=0), UUID(int=2**128 - 1)],
        "edge": [64, 192, 7],
        "number": [2, 0, 10**17],
        "uidb36": ["1", "zzzz"],
        "content_type_id": [1, 0],
        "app_label": ["users_profiles", "auth"],
        "provider_id": ["sso"],
    }


def addresses_of(company: Company) -> list[str]:
    """Every address of the product, for every thing it can be about."""
    known, urls = arguments(company), []
    for name, names in sorted(set(addresses.patterns())):
        for chosen in itertools.product(*(known[part] for part in names)):
            try:
                urls.append(reverse(name, kwargs=dict(zip(names, chosen, strict=True))))
            except NoReverseMatch:
                continue
    return sorted(set(urls))


class _Names(HTMLParser):
    """What the forms of a page would send, as it stands."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        if tag in {"input", "select", "textarea", "button"} and found.get("name"):
            self.values[found["name"] or ""] = found.get("value") or ""


class Walker:
    """Asks for addresses as somebody, and leaves everything as it was."""

    def __init__(self, browse: Browse, people: list[User | None]) -> None:
        self._clients = [browse(person) for person in people]
        self._cookies = [dict(client.cookies) for client in self._clients]
        self._forms: dict[tuple[int, str], dict[str, str]] = {}

    def ask(self, who: int, method: str, url: str, data: dict[str, Any]) -> Any:
        client = self._clients[who]
        with transaction.atomic():
            response = getattr(client, method)(url, data)
            if response.streaming:
                b"".join(response.streaming_content)
            transaction.set_rollback(True)
        client.cookies.clear()
        client.cookies.update(self._cookies[who])
        return response

    def form(self, who: int, url: str) -> dict[str, str]:
        """What the forms of a page send; asked for once."""
        if (who, url) not in self._forms:
            response, names = self.ask(who, "get", url, {}), _Names()
            if not response.streaming:
                names.feed(response.content.decode("utf-8", "replace"))
            self._forms[who, url] = names.values
        return self._forms[who, url]


@pytest.fixture
def walker(browse: Browse, company: Company) -> Walker:
    return Walker(browse, [company.superuser, company.reader, company.member, None])


def test_every_address_answers_everybody(walker: Walker, company: Company) -> None:
    urls = addresses_of(company)
    assert len(urls) > 150
    for number, url in enumerate(urls):
        for method in ("get", "post"):
            assert walker.ask(number % 4, method, url, {}).status_code < 500, (method, url)


TEXT = st.one_of(
    st.sampled_from([text[:3_000] for text in TEXTS]).map(sendable),
    st.integers(-(10**25), 10**25).map(str),
    st.text(st.characters(codec="utf-8"), max_size=40),
)
NAME = st.one_of(st.sampled_from(PARAMETERS), st.text(st.characters(codec="utf-8"), min_size=1, max_size=8))
CHANGES = st.dictionaries(NAME, st.one_of(TEXT, st.lists(TEXT, max_size=3)), max_size=4)


@hypothesis_settings(
    max_examples=350,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_no_address_breaks_whatever_it_is_asked(walker: Walker, company: Company, data: st.DataObject) -> None:
    url = data.draw(st.sampled_from(addresses_of(company)))
    who, method = data.draw(st.integers(0, 3)), data.draw(st.sampled_from(["get", "post"]))
    query, body = data.draw(CHANGES), {}
    if method == "post":
        form = walker.form(who, url)
        spoilt = data.draw(st.lists(st.sampled_from(sorted(form)), max_size=5)) if form else []
        body = {**form, **{name: data.draw(TEXT) for name in spoilt}, **data.draw(CHANGES)}
    full = f"{url}?{urlencode(query, doseq=True)}"
    assert_inert(walker.ask(who, method, full if method == "post" else url, body or query))
