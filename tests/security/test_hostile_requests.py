"""Values that no page of ours sends: they are answered with a page or a refusal, never with a server error."""

from __future__ import annotations

import pytest

from tests.admin_pages import PROFILES, USERS, act, user_page

HUGE = "9" * 25
USER, PROFILE = "/admin/users_profiles/user", "/admin/users_profiles/profile"
MODELS = ("user", "profile", "report", "import", "export", "trailentry")
SCRIPT, IMAGE = "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'


@pytest.mark.parametrize(
    "url",
    [
        f"/people/{HUGE}/avatar-64.webp",
        f"/people/1/avatar-{HUGE}.webp",
        *(f"{USER}/{key}/{page}/" for key in (HUGE, "x", "%00") for page in ("change", "history", "delete")),
        *(f"{PROFILE}/{key}/{page}/" for key in (HUGE, "x", "%00") for page in ("change", "history")),
        f"{USER}/export/?ids={HUGE}",
        f"{USER}/export/?ids=1,x,%00",
        f"{USER}/add/?first_name=%00&role=King&is_superuser=1",
        *(f"{USERS}?p={page}" for page in ("-1", "abc", HUGE)),
        *(f"{USERS}?o={order}" for order in ("99", "abc.1.-2.", HUGE)),
        *(f"{USERS}?q={text}" for text in ("%00", "a%20" * 500, HUGE * 10, "%25")),
        *(f"{USERS}?{name}=%00" for name in ("role", "active", "birthday", "joined_from", "signed_in", "complete")),
        f"{USERS}?_to_field=password",
        *(
            f"/admin/{kind}/1/{page}/?_to_field={field}"
            for kind in ("auth/group", *(f"users_profiles/{model}" for model in MODELS))
            for page in ("change", "delete", "history")
            for field in ("", "id", "password", "%00")
        ),
        f"{USERS}?%00=1",
        f"{USERS}?role=Editor&role=Admin",
        "/accounts/login/?next=%00",
        "/accounts/signup/?email=%00",
        "/accounts/confirm-email/%00/",
        f"/accounts/password/reset/key/{'z' * 25}-x/",
    ],
)
def test_a_hostile_address_is_no_server_error(browse, superuser, url):
    for who in (superuser, None):
        assert browse(who).get(url).status_code < 500


@pytest.mark.parametrize(
    ("url", "data"),
    [
        (USERS, {"action": "deactivate", "_selected_action": ["1"], "select_across": "x"}),
        (USERS, {"action": "deactivate", "_selected_action": ["1"], "index": "-9"}),
        (USERS, {"action": "x\0", "_selected_action": ["1"]}),
        (PROFILES, {"action": "delete_selected", "_selected_action": ["x"]}),
        ("/admin/auth/group/", {"action": "delete_selected", "_selected_action": ["x"]}),
        (f"{USER}/{HUGE}/send-link/", {}),
        (f"{USER}/add/", {"username": "\0", "email": "\0"}),
        (f"{USER}/add/", {"username": "ok", "_popup": "1", "_to_field": "password"}),
        ("/profile/edit/", {"first_name": "\0", "birth_date": HUGE * 20, "avatar": "x"}),
        ("/accounts/login/", {"login": "\0", "password": "\0"}),
        ("/accounts/login/", {"login": "x" * 100_000, "password": "y" * 100_000}),
        ("/accounts/password/reset/", {"email": "\0@example.com"}),
        ("/accounts/email/", {"email": "\0", "action_add": ""}),
    ],
)
def test_a_hostile_form_is_no_server_error(browse, superuser, url, data):
    for who in (superuser, None):
        assert browse(who).post(url, data).status_code < 500


def test_d7_a_script_in_a_name_is_inert_on_every_page_that_shows_it(browse, superuser, make_person):
    ada = make_person("ada", first_name=SCRIPT, last_name=IMAGE, location=IMAGE, bio=f"</textarea>{SCRIPT}")
    client = browse(superuser)
    pages = [USERS, user_page(ada), f"{USER}/{ada.pk}/delete/", "/admin/"]
    pages += [f"{USERS}?location={IMAGE}", f"{USERS}?location_has={SCRIPT}", f"{USERS}?q={SCRIPT}", f"{USERS}?q=ada"]
    answers = [client.get(page) for page in pages]
    answers += [act(client, "deactivate", [ada]), act(client, "deactivate", [ada, superuser], confirmed="1")]
    answers += [client.get("/admin/"), client.get(f"{USER}/{ada.pk}/history/"), browse(ada).get("/profile/")]
    for answer in answers:
        html = answer.content.decode()
        assert SCRIPT not in html
        assert "<img src=x" not in html
    assert "&lt;script&gt;alert(1)" in answers[0].content.decode()
