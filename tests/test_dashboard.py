"""The front page of the admin: every figure leads to the list it counts."""

from __future__ import annotations

import hashlib
import re
from datetime import date, timedelta

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.admin_pages import user_page
from users_profiles.figures import store
from users_profiles.models import Import, Profile, Role, Snapshot, User, Worker

INDEX = reverse("admin:index")
STATIC = django_settings.BASE_DIR / "backoffice" / "static" / "backoffice"
VENDORED = STATIC / "vendor" / "chart.js-4.6.1"


@pytest.fixture
def office(make_person):
    """Enough people for every figure and bar to be more than nothing."""
    for number in range(20):
        role = (Role.READER, Role.EDITOR, "", "")[number % 4]
        place = f"Place {number % 15:02}" if number % 9 else ""
        birthday = timezone.localdate() + timedelta(days=number - 3)
        person = make_person(
            f"p{number:02}",
            role=role,
            location=place,
            is_active=bool(number % 3),
            first_name="Pat" if number % 7 else "",
            birth_date=date(1988, birthday.month, birthday.day) if number % 5 else None,
        )
        moment = timezone.now() - timedelta(days=20 * number)
        gone = None if number % 3 else timezone.now() - timedelta(days=5 * number)
        User.objects.filter(pk=person.pk).update(
            date_joined=moment, last_login=moment if number % 2 else None, deactivated_at=gone
        )
    Profile.objects.filter(user__username__in=["p01", "p02"]).update(
        phone_number="+4930123456", avatar="avatars/x.webp"
    )


def dashboard_of(client):
    return client.get(INDEX).context["dashboard"]


def rows_behind(client, url):
    return client.get(url).context["cl"].result_count


def numbers_of(dashboard):
    """Every number on the page with the address behind it."""
    asides = [shown["aside"] for shown in (*dashboard["figures"], *dashboard["charts"].values()) if shown["aside"]]
    return [
        *((figure["url"], figure["value"]) for figure in dashboard["figures"]),
        *((aside["url"], aside["value"]) for aside in asides if aside["value"] is not None),
        *((bar["url"], bar["count"]) for chart in dashboard["charts"].values() for bar in chart["bars"]),
    ]


# What it counts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "figures", "fields"), [("superuser", 6, 7), ("admin", 6, 7), ("editor", 6, 7), ("reader", 5, 5)]
)
def test_every_number_and_bar_leads_to_a_list_of_as_many_people(request, browse, office, who, figures, fields):
    client = browse(request.getfixturevalue(who))
    counts = numbers_of(dashboard_of(client))
    assert len(counts) == figures + 4 + 1 + 24 + 5 + fields + 12
    assert sum(1 for _url, count in counts if count) > 30
    for url, count in counts:
        assert rows_behind(client, url) == count, url


def test_the_page_says_what_its_charts_show_in_tables_of_links(browse, admin, office):
    html = browse(admin).get(INDEX).content.decode()
    for text in ("Incomplete profiles", "Place 01", "No location", "Elsewhere", "Member", "Missing in active profiles"):
        assert text in html
    assert "A profile is complete with: location and phone number." in html
    tables = re.findall(r"<table.*?</table>", html, re.DOTALL)
    assert [len(re.findall(r'<th scope="row"><a href', table)) for table in tables] == [24, 5, 7, 12]


def test_what_is_drawn_is_what_the_tables_say(browse, reader, office):
    dashboard = dashboard_of(browse(reader))
    assert [chart["name"] for chart in dashboard["drawn"]] == ["joined", "role", "missing", "place"]
    for chart in dashboard["drawn"]:
        assert chart["bars"] == dashboard["charts"][chart["name"]]["bars"]
    assert "hone number" not in str(dashboard["drawn"])


def test_months_are_in_order_and_end_with_this_one(browse, admin, make_person):
    make_person("ada")
    urls = [bar["url"] for bar in dashboard_of(browse(admin))["charts"]["joined"]["bars"]]
    assert urls == sorted(urls)
    assert f"joined_from={timezone.localdate():%Y-%m}-01" in urls[-1]


def test_staff_who_may_see_nobody_see_no_figures(browse, make_person, office):
    dashboard = dashboard_of(browse(make_person("clerk", is_staff=True)))
    assert all(not part for part in dashboard.values())


def test_who_is_alone_is_told_how_to_begin_and_shown_no_charts(browse, superuser):
    answer = browse(superuser).get(INDEX)
    assert "You are the only one here so far." in answer.content.decode()
    assert "figures" not in answer.context["dashboard"]
    assert "chart.umd" not in answer.content.decode()


# What it costs ------------------------------------------------------------------------------------------------------


def test_the_page_costs_the_same_for_many_as_for_few(browse, admin, office, make_person):
    client = browse(admin)

    def ask():
        with CaptureQueriesContext(connection) as queries:
            client.get(INDEX)
        return len(queries)

    ask()
    before = ask()
    for number in range(20):
        person = make_person(f"q{number}", role=Role.READER, location=f"Town {number}")
        person.save()
        Import.objects.create(owner=admin, filename="a.csv", size=1, state=Import.State.DONE)
    assert ask() == before


def test_with_many_people_the_page_counts_nobody_and_says_how_old_its_figures_are(browse, admin, office, settings):
    settings.FIGURES_SYNC_PEOPLE = 10
    store.refresh.call()
    Snapshot.objects.update(counted_at=timezone.now() - timedelta(minutes=3))
    settings.FIGURES_SECONDS = 600
    User.objects.filter(username="p01").delete()
    with CaptureQueriesContext(connection) as queries:
        answer = browse(admin).get(INDEX)
    assert "3 min ago</time>" in answer.content.decode()
    assert answer.context["dashboard"]["figures"][0]["value"] == 21
    counted = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
    assert counted == []


def test_before_the_first_count_the_page_says_that_it_is_being_made(browse, admin, office, settings, monkeypatch):
    settings.FIGURES_SYNC_PEOPLE = 10
    monkeypatch.setattr(store, "refresh", type("Task", (), {"enqueue": staticmethod(lambda: None)}))
    client = browse(admin)
    html = client.get(INDEX).content.decode()
    assert "People are being counted." in html
    assert "Nobody is counting at the moment" in html
    Worker.objects.create(name="somebody")
    assert "Nobody is counting at the moment" not in client.get(INDEX).content.decode()


# What is under way, what happened, what to do -----------------------------------------------------------------------


def test_what_happened_lately_leads_to_whom_it_happened(browse, admin, superuser, stranger):
    stranger.is_active = False
    stranger.save()
    happening = dashboard_of(browse(admin))["recent"][0]
    assert (happening["who"], happening["what"]) == ("Command line", "Stan Stranger: Deactivated")
    assert happening["url"] == user_page(stranger)


def test_an_import_leads_to_its_page(browse, admin):
    job = Import.objects.create(
        owner=admin, filename="people.csv", size=1, state=Import.State.APPLYING, started_at=timezone.now()
    )
    page = reverse("admin:users_profiles_import_change", args=[job.pk])
    dashboard = dashboard_of(browse(admin))
    assert dashboard["recent"][0]["url"] == page
    assert [(shown["what"], shown["url"]) for shown in dashboard["jobs"]] == [("Import of people.csv", page)]


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("admin", ["Export people", "Import people", "Add person"]),
        ("editor", ["Export people", "Import people", "Add person"]),
        ("reader", ["Export people"]),
    ],
)
def test_what_staff_come_for_is_one_click_away_for_who_may(request, browse, who, expected):
    client = browse(request.getfixturevalue(who))
    shortcuts = dashboard_of(client)["shortcuts"]
    assert [shortcut["label"] for shortcut in shortcuts] == expected
    for shortcut in shortcuts:
        assert client.get(shortcut["url"]).status_code == 200


# The library that draws ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        # As released, but for the last line, which named a file for debuggers that is not here.
        ("chart.umd.min.js", "c17f2ce49fb9c71ef7fb39c03f868804ac5ab34730149976eebe6b7f807bef0c"),
        ("LICENSE.md", "41a84aa2caba645f966a18d9c2056b73e6d3a81d80bc0046bc0011a2634d4cce"),
    ],
)
def test_the_library_is_the_one_that_was_looked_at(name, digest):
    assert hashlib.sha256((VENDORED / name).read_bytes()).hexdigest() == digest


def test_the_library_says_its_version_and_evaluates_no_text():
    code = (VENDORED / "chart.umd.min.js").read_text(encoding="utf-8")
    assert "Chart.js v4.6.1" in code[:100]
    for forbidden in ("eval(", "new Function", "innerHTML", "sourceMappingURL"):
        assert forbidden not in code


def test_the_library_is_loaded_on_the_dashboard_only(browse, admin, office):
    client = browse(admin)
    assert "chart.umd.min.js" in client.get(INDEX).content.decode()
    assert "chart.umd.min.js" not in client.get(user_page(admin)).content.decode()
