"""Lists and searches with the people who are there, ours beside a stock admin: ``python -m benchmarks.lists``.

Prints one JSON object: for each look the median of several, in milliseconds, for us and for a plain ``ModelAdmin`` with
the same number of people a page on the same data; both are drawn with our templates, so what differs is the asking.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
django.setup()

from django.conf import settings
from django.contrib.admin import AdminSite, ModelAdmin, display
from django.db import connection
from django.test import Client
from django.urls import include, path

from users_profiles import selection
from users_profiles.models import Report, User
from users_profiles.search import settling
from users_profiles.transfer.export import formats
from users_profiles.transfer.export.wanted import USUAL

LOOKS = 5
PER_PAGE = 50
NAMES = ("username", "first_name", "last_name", "email")


class StockPeople(ModelAdmin[User]):
    list_display = ("username", "email", "first_name", "last_name", "is_staff", "place")
    list_filter = ("is_staff", "is_superuser", "is_active", "groups")
    search_fields = (*NAMES, "profile__location", "profile__phone_number")
    ordering = ("last_name_folded", "first_name_folded")  # which has an index, as we have it
    list_per_page = PER_PAGE
    list_select_related = ("profile",)

    @display(ordering="profile__location")
    def place(self, person: User) -> str:
        return person.profile.location


class StockReports(ModelAdmin[Report]):
    autocomplete_fields = ("recipients",)


stock = AdminSite(name="stock")
stock.register(User, StockPeople)
stock.register(Report, StockReports)

urlpatterns = [path("stock/", stock.urls), path("", include("backoffice.urls"))]


def main() -> None:
    settings.DEBUG = False  # it keeps every query
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.ROOT_URLCONF = "benchmarks.lists"
    began = time.perf_counter()
    people = settling.settle()
    found: dict[str, Any] = {"people": User.objects.count(), "newly_findable": people}
    found["findable_seconds"] = round(time.perf_counter() - began, 1)
    if connection.vendor == "postgresql":  # which would do so by itself, but later
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    client = Client()
    client.force_login(User.objects.create_superuser(f"bench{time.time_ns()}"))
    for name, (ours, theirs) in addresses(found["people"]).items():
        figures = {"ours_ms": median(lambda ours=ours: look(client, "/admin/", ours))}
        figures["stock_ms"] = median(lambda theirs=theirs: look(client, "/stock/", theirs))
        found[name] = {**figures, "times_stock": round(figures["stock_ms"] / figures["ours_ms"], 1)}
    found["export, first rows"] = {"ours_ms": median(first_rows)}
    print(json.dumps(found))


def addresses(people: int) -> dict[str, tuple[str, str]]:
    """What is looked at, by us and by the other."""
    everybody = "users_profiles/user/"
    typing = "autocomplete/?app_label=users_profiles&model_name=report&field_name=recipients&term="
    few, pages = f"person{people * 7 // 9}", people // PER_PAGE
    same = {
        "first page": everybody,
        "search, few": f"{everybody}?q={few}",
        "search, a tenth": f"{everybody}?q=lovelace",
        "search, two words": f"{everybody}?q=lovelace+ada",
        "page in the middle": f"{everybody}?p={pages // 2}",
        "last page but one": f"{everybody}?p={pages - 1}",
        "while typing": f"{typing}{few}",
    }
    return {
        **{name: (address, address) for name, address in same.items()},
        "filter with counts": (f"{everybody}?active=yes&_facets=True", f"{everybody}?is_active__exact=1&_facets=True"),
        "by e-mail": (f"{everybody}?o=email", f"{everybody}?o=2"),
        "by location": (f"{everybody}?o=location", f"{everybody}?o=6"),
    }


def look(client: Client, base: str, address: str) -> None:
    answer = client.get(f"{base}{address}")
    if answer.status_code != 200:
        raise SystemExit(f"{base}{address} answers {answer.status_code}")


def first_rows() -> None:
    """What a download of nine in ten waits for: the head of the file, and the first people in it."""
    blocks = formats.blocks(selection.ordered(selection.people("active=yes", None), "", None), USUAL, "csv")
    while not next(blocks)[1]:
        pass


def median(run: Callable[[], None]) -> float:
    """How long something takes, in milliseconds; the first time does not count."""
    run()
    taken = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        run()
        taken.append((time.perf_counter() - began) * 1_000)
    return round(statistics.median(taken), 1)


if __name__ == "__main__":
    main()
