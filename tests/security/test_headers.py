"""What every answer says to the browser about itself: one strict policy, on every kind of page."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse

from tests.admin_pages import USERS, save, user_page
from tests.data import images
from tests.importing import check
from tests.people import Browse
from tests.production import ROOT, SOUND
from users_profiles.models import User

CHANGE = "admin:users_profiles_import_change"

# Every kind of answer there is: who asks, and for what.
KINDS: dict[str, tuple[str, Callable[[Client, User], Any]]] = {
    "the dashboard": ("admin", lambda client, ada: client.get(reverse("admin:index"))),
    "a list": ("admin", lambda client, ada: client.get(USERS)),
    "a form": ("admin", lambda client, ada: client.get(user_page(ada))),
    "a form with mistakes": ("admin", lambda client, ada: client.post(user_page(ada), {})),
    "a preview": ("admin", lambda client, ada: client.get(reverse(CHANGE, args=[a_job(client)]))),
    "an answer to a script": (
        "admin",
        lambda client, ada: client.get(reverse("admin:users_profiles_import_progress", args=[a_job(client)])),
    ),
    "an export": (
        "admin",
        lambda client, ada: client.post(
            reverse("admin:users_profiles_user_export"), {"format": "csv", "columns": ["username"]}
        ),
    ),
    "all that is held": (
        "admin",
        lambda client, ada: client.post(reverse("admin:users_profiles_user_held", args=[ada.pk])),
    ),
    "a picture": ("admin", lambda client, ada: client.get(f"/people/{ada.pk}/avatar-64.webp")),
    "a redirect": ("admin", lambda client, ada: client.get("/")),
    "one's own profile": ("ada", lambda client, ada: client.get(reverse("profile"))),
    "a refusal": ("ada", lambda client, ada: client.get(reverse("admin:index"))),
    "a page that is not there": ("admin", lambda client, ada: client.get("/nothing/")),
    "a forged request": ("admin", lambda client, ada: client.get(f"{USERS}?password__startswith=a")),
    "a form from elsewhere": ("", lambda client, ada: Client(enforce_csrf_checks=True).post("/accounts/login/")),
    "the way in": ("", lambda client, ada: client.get(reverse("account_login"))),
    "a forgotten password": ("", lambda client, ada: client.get(reverse("account_reset_password"))),
    "an error of ours": ("admin", lambda client, ada: client.get(reverse("profile"))),
}


def a_job(client: Client) -> int:
    return check("username\nbob\n", User.objects.get(pk=client.session["_auth_user_id"])).pk


@pytest.fixture
def answer(browse: Browse, admin: User, ada: User, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    def ask(kind: str) -> Any:
        who, do = KINDS[kind]
        save(browse(admin), user_page(ada), **{"profile-0-avatar": images.upload(images.picture())})
        client = browse({"admin": admin, "ada": ada, "": None}[who])
        if kind == "an error of ours":
            client.raise_request_exception = False
            monkeypatch.setattr("users_profiles.views.ProfileView.get_context_data", lambda *args, **kwargs: 1 / 0)
        return do(client, ada)

    return ask


@pytest.mark.parametrize("kind", KINDS)
def test_the_headers_of(answer: Callable[[str], Any], kind: str) -> None:
    response = answer(kind)
    policy = dict(part.strip().partition(" ")[::2] for part in response["Content-Security-Policy"].split(";"))
    assert policy["script-src"] == policy["style-src"] == policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == "'none'"
    assert policy["form-action"] == "'self'"
    for forbidden in ("unsafe-inline", "unsafe-eval", "http:", "https:", "*"):
        assert forbidden not in response["Content-Security-Policy"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert {"camera=()", "geolocation=()", "microphone=()"} <= set(response["Permissions-Policy"].split(", "))


def test_each_kind_is_what_it_says(answer: Callable[[str], Any]) -> None:
    expected = {
        "a refusal": 403,
        "a page that is not there": 404,
        "a forged request": 400,
        "a form from elsewhere": 403,
        "an error of ours": 500,
        "a redirect": 302,
    }
    got = {kind: answer(kind).status_code for kind in KINDS}
    assert got == {kind: expected.get(kind, 200) for kind in KINDS}


def test_pages_with_personal_data_are_kept_by_nobody_on_the_way(browse: Browse, admin: User, ada: User) -> None:
    for page in (USERS, user_page(ada), reverse("profile"), reverse("profile_data"), reverse("profile_edit")):
        directives = browse(admin).get(page)["Cache-Control"]
        assert "private" in directives
        assert "no-store" in directives


# With DEBUG off ------------------------------------------------------------------------------------------------------

NAMES = (
    "SESSION_COOKIE_SECURE",
    "CSRF_COOKIE_SECURE",
    "SECURE_SSL_REDIRECT",
    "SECURE_HSTS_SECONDS",
    "SECURE_HSTS_INCLUDE_SUBDOMAINS",
    "SECURE_HSTS_PRELOAD",
    "SESSION_COOKIE_HTTPONLY",
    "SESSION_COOKIE_SAMESITE",
)


@pytest.fixture(scope="module")
def in_production(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What these settings come to with nothing in the environment but what the README names."""
    code = (
        f"import json; from django.conf import settings as s; print(json.dumps({{n: getattr(s, n) for n in {NAMES}}}))"
    )
    given = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path_factory.mktemp("data")), "ENV_FILE": os.devnull}
    ended = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", code],
        cwd=ROOT, env={**given, **SOUND}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


@pytest.fixture
def production(in_production: dict[str, Any], settings: Any) -> None:
    for name, value in in_production.items():
        setattr(settings, name, value)


@pytest.mark.usefixtures("production")
def test_http_leads_to_https(db: None) -> None:
    response = Client().get("/accounts/login/")
    assert (response.status_code, response["Location"]) == (301, "https://testserver/accounts/login/")


@pytest.mark.usefixtures("production")
def test_browsers_are_told_to_use_nothing_but_https_for_a_year(db: None) -> None:
    response = Client().get("/accounts/login/", secure=True)
    assert response["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"


@pytest.mark.usefixtures("production")
def test_cookies_travel_by_https_alone_and_no_script_reads_the_session(ada: User) -> None:
    client = Client()
    login = {"login": "ada", "password": "correct-horse-battery"}
    client.get("/accounts/login/", secure=True)
    client.post("/accounts/login/", login, secure=True)
    session, csrf = (
        client.cookies[name] for name in (django_settings.SESSION_COOKIE_NAME, django_settings.CSRF_COOKIE_NAME)
    )
    assert session["secure"]
    assert csrf["secure"]
    assert session["httponly"]
    assert session["samesite"] == csrf["samesite"] == "Lax"
