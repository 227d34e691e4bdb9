"""The history of a person, and the page on which the whole trail is looked through."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.admin_pages import queries_of, save, user_page
from users_profiles.models import TrailEntry

TRAIL = reverse("admin:users_profiles_trailentry_changelist")


def history_of(person):
    return reverse("admin:users_profiles_user_history", args=[person.pk])


def text_of(response):
    assert response.status_code == 200
    return response.content.decode()


def test_the_history_shows_old_and_new(browse, editor, ada):
    client = browse(editor)
    save(client, user_page(ada), **{"first_name": "Augusta", "profile-0-location": "Paris"})
    html = text_of(client.get(history_of(ada)))
    for part in ("<del>Ada</del>", "<ins>Augusta</ins>", "<del>London</del>", "<ins>Paris</ins>", "Edgar Editor"):
        assert part in html


def test_the_history_hides_from_a_reader_what_is_private(browse, editor, reader, ada):
    changes = {"profile-0-phone_number": "+4930123456", "profile-0-birth_date": "1991-01-02"}
    save(browse(editor), user_page(ada), **changes)
    html = text_of(browse(reader).get(history_of(ada)))
    for part in ("+4930123456", "+442079460000", "1991", "1990", "Phone", "Birth", "127.0.0.1"):
        assert part not in html


def test_what_was_typed_is_shown_and_not_run(browse, admin, ada):
    ada.first_name = "<script>alert(1)</script>"
    ada.save()
    for page in (history_of(ada), TRAIL, user_page(ada)):
        html = text_of(browse(admin).get(page))
        assert "<script>alert" not in html


def test_a_history_without_an_entry_says_so(browse, reader, ada):
    TrailEntry.objects.forget()
    assert "Nothing has been changed here yet." in text_of(browse(reader).get(history_of(ada)))


def test_the_history_of_nobody_is_not_found(browse, admin, db):
    for key in ("999999", "x", "9" * 40):
        assert browse(admin).get(f"/admin/users_profiles/user/{key}/history/").status_code == 404


def test_looking_at_the_history_is_looking_at_the_person(browse, editor, ada):
    TrailEntry.objects.forget()
    browse(editor).get(history_of(ada))
    assert TrailEntry.objects.get().action == TrailEntry.Action.ACCESS


def test_private_fields_on_the_page_of_the_trail_are_looked_at(browse, admin, editor, ada):
    looks = TrailEntry.objects.filter(action=TrailEntry.Action.ACCESS, actor=admin)
    TrailEntry.objects.forget()
    save(browse(editor), user_page(ada), first_name="Augusta")
    browse(admin).get(TRAIL)
    assert not looks.exists()
    save(browse(editor), user_page(ada), **{"profile-0-phone_number": "+4930123456"})
    browse(admin).get(TRAIL)
    assert looks.get().object_repr == "Trail"


def test_the_history_is_of_changes_and_says_who_looked_to_who_asks(browse, admin, editor, ada):
    client = browse(admin)
    save(client, user_page(ada), first_name="Augusta")
    html = text_of(client.get(history_of(ada)))
    assert "Augusta" in html
    assert "Looked at private fields" not in html
    html = text_of(client.get(history_of(ada), {"looks": "yes"}))
    assert "Augusta" in html
    assert "Looked at private fields" in html
    html = text_of(browse(editor).get(history_of(ada), {"looks": "yes"}))
    for part in ("Looked at private fields", "And who looked"):
        assert part not in html


@pytest.mark.parametrize("who", ["reader", "editor", "stranger"])
def test_only_who_gives_roles_opens_the_trail(browse, request, who):
    client = browse(request.getfixturevalue(who))
    assert client.get(TRAIL).status_code == client.post(TRAIL).status_code == 403


def test_the_trail_offers_nothing_but_to_look(browse, superuser, ada):
    client = browse(superuser)
    key = TrailEntry.objects.latest("pk").pk
    for path in ("add/", f"{key}/change/", f"{key}/delete/", f"{key}/history/"):
        assert client.get(f"{TRAIL}{path}").status_code == 404
    html = text_of(client.get(TRAIL))
    assert 'method="post"' not in html.partition("<main")[2]


def test_the_form_keeps_what_was_asked_and_pages_keep_it_too(browse, admin, ada):
    for number in range(30):
        ada.first_name = f"A{number}"
        ada.save()
    client = browse(admin)
    response = client.get(TRAIL, {"person": "ada", "field": "first_name", "since": f"{timezone.localdate():%Y-%m-%d}"})
    page = response.context["page"]
    assert (len(page.entries), 'value="ada"' in text_of(response)) == (25, True)
    assert f"person=ada&amp;field=first_name&amp;since={timezone.localdate()}&amp;older={page.older}" in text_of(
        response
    )
    older = client.get(TRAIL, {"person": "ada", "field": "first_name", "older": page.older}).context["page"]
    assert (len(older.entries), older.older) == (6, "")


@pytest.mark.parametrize(
    "query",
    [
        "person=%00&actor=%00",
        "field=nonsense",
        "road='--",
        "since=yesterday&until=9999-12-31",
        "until=9999-12-30",
        "older=%00",
        "older=99999999999999999999-1-1",
        "since=0001-01-01",
        "person=" + "x" * 400,
    ],
)
def test_a_hostile_question_is_answered(browse, admin, ada, query):
    assert browse(admin).get(f"{TRAIL}?{query}").status_code == 200


def test_the_trail_takes_as_many_queries_for_many_entries_as_for_few(browse, admin, make_person):
    client = browse(admin)
    make_person("p0")
    few = queries_of(client, TRAIL)
    for number in range(1, 20):
        make_person(f"p{number}")
    assert queries_of(client, TRAIL) == few
