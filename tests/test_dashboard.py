"""The front page of the admin: every figure leads to the list it counts."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.urls import reverse
from django.utils import timezone

from tests.admin_pages import user_page
from users_profiles.models import Import, Profile, Role, User

INDEX = reverse("admin:index")


@pytest.fixture
def office(make_person):
    """Enough people for every figure and bar to be more than nothing."""
    for number in range(20):
        role = (Role.READER, Role.EDITOR, "", "")[number % 4]
        place = f"Place {number % 15:02}" if number % 9 else ""
        person = make_person(f"p{number:02}", role=role, location=place, is_active=bool(number % 3))
        moment = timezone.now() - timedelta(days=20 * number)
        User.objects.filter(pk=person.pk).update(date_joined=moment, last_login=moment if number % 2 else None)
    Profile.objects.filter(user__username="p01").update(phone_number="+4930123456", avatar="avatars/x.webp")


def dashboard_of(client):
    return client.get(INDEX).context["dashboard"]


def rows_behind(client, url):
    return client.get(url).context["cl"].result_count


@pytest.mark.parametrize("who", ["superuser", "admin", "editor", "reader"])
def test_every_figure_and_bar_leads_to_a_list_of_as_many_people(request, browse, office, who):
    client = browse(request.getfixturevalue(who))
    dashboard = dashboard_of(client)
    counts = [(figure["url"], figure["value"]) for figure in dashboard["figures"]]
    counts += [(bar["url"], bar["count"]) for name in ("by_role", "by_location", "joined") for bar in dashboard[name]]
    assert len(counts) == 6 + 5 + 12 + 12
    assert sum(1 for _url, count in counts if count) > 20
    for url, count in counts:
        assert rows_behind(client, url) == count, url


def test_the_page_shows_the_numbers(browse, admin, office):
    html = browse(admin).get(INDEX).content.decode()
    for text in ("Incomplete profiles", "Place 01", "No location", "Elsewhere", "Member"):
        assert text in html


def test_what_happened_lately_leads_to_whom_it_happened(browse, admin, superuser, stranger):
    LogEntry.objects.log_actions(superuser.pk, [stranger], CHANGE, "Deactivated")
    happening = dashboard_of(browse(admin))["recent"][0]
    assert (happening["who"], happening["what"]) == ("root", "Stan Stranger: Deactivated")
    assert happening["url"] == user_page(stranger)


def test_an_import_leads_to_its_page(browse, admin):
    job = Import.objects.create(owner=admin, filename="people.csv", size=1, state=Import.State.CHECKED)
    assert dashboard_of(browse(admin))["recent"][0]["url"] == reverse(
        "admin:users_profiles_import_change", args=[job.pk]
    )


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("admin", ["Find or edit a person", "Import people", "Export people"]),
        ("editor", ["Find or edit a person", "Import people", "Export people"]),
        ("reader", ["Find a person", "Export people"]),
    ],
)
def test_the_three_things_staff_come_for_are_one_click_away_for_who_may(request, browse, who, expected):
    client = browse(request.getfixturevalue(who))
    shortcuts = dashboard_of(client)["shortcuts"]
    assert [shortcut["label"] for shortcut in shortcuts] == expected
    for shortcut in shortcuts:
        assert client.get(shortcut["url"]).status_code == 200


def test_staff_who_may_see_nobody_see_no_figures(browse, make_person, office):
    dashboard = dashboard_of(browse(make_person("clerk", is_staff=True)))
    assert all(not part for part in dashboard.values())


def test_months_are_named_and_in_order(browse, admin):
    months = [bar["month"] for bar in dashboard_of(browse(admin))["joined"]]
    assert months == sorted(months)
    assert months[-1] == f"{timezone.localdate():%Y-%m}"
    assert date.fromisoformat(f"{months[0]}-01") < timezone.localdate() - timedelta(days=300)
