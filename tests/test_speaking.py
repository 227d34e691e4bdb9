"""Everybody is spoken to in their own language and on their own clock, also where nobody sits before a browser."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core import mail
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from tests.admin_pages import USERS
from tests.data.images import picture
from tests.people import PASSWORD, Browse
from users_profiles import invitations, speaking
from users_profiles.models import Export, Import, TrailEntry, User
from users_profiles.transfer import intake, tasks

PAGE = reverse("profile_language")


def language_of_page(client: Client, address: str, **headers: str) -> str:
    html = client.get(address, headers=headers).content.decode()
    return html.partition('<html lang="')[2].partition('"')[0]


def choose(person: User, language: str = "", time_zone: str = "") -> User:
    person.language, person.time_zone = language, time_zone
    person.save(update_fields=["language", "time_zone"])
    return person


def test_a_page_comes_in_the_language_the_browser_asks_for(browse: Browse, ada: User) -> None:
    assert language_of_page(browse(ada), reverse("profile"), accept_language="fr-CA,fr;q=0.9,en;q=0.5") == "fr"
    assert language_of_page(browse(ada), reverse("profile"), accept_language="ja") == "en"


def test_a_choice_of_ones_own_counts_more_than_the_browser(browse: Browse, ada: User) -> None:
    client = browse(choose(ada, "de"))
    assert language_of_page(client, reverse("profile"), accept_language="fr") == "de"
    assert client.get(reverse("profile")).headers["Content-Language"] == "de"


def test_whoever_is_not_signed_in_chooses_on_the_page(db: None) -> None:
    client, page = Client(), reverse("account_login")
    assert 'value="es"' in client.get(page).content.decode()
    client.post(reverse("set_language"), {"language": "es", "next": page})
    assert language_of_page(client, page, accept_language="de") == "es"


def test_the_choice_is_made_on_a_page_of_ones_own(browse: Browse, ada: User) -> None:
    client = browse(ada)
    response = save_choice(client, language="de", time_zone="America/New_York")
    assert response.headers["Location"] == reverse("profile")
    assert client.cookies["django_language"].value == "de"
    ada.refresh_from_db()
    assert (ada.language, ada.time_zone) == ("de", "America/New_York")

    save_choice(client, language="", time_zone="")
    assert client.cookies["django_language"].value == ""
    ada.refresh_from_db()
    assert (ada.language, ada.time_zone) == ("", "")


@pytest.mark.parametrize(
    ("told", "chosen", "kept"),
    [
        ("Asia/Tokyo", "", "Asia/Tokyo"),
        ("Asia/Tokyo", "Europe/Berlin", "Europe/Berlin"),
        ("", "", ""),
        ("Mars/Olympus", "", ""),
        ("../etc/passwd", "", ""),
    ],
)
def test_whoever_has_chosen_no_clock_gets_that_of_the_browser_at_the_sign_in(
    ada: User, told: str, chosen: str, kept: str
) -> None:
    choose(ada, time_zone=chosen)
    client = Client()
    client.cookies["time_zone"] = told
    client.post(reverse("account_login"), {"login": ada.username, "password": PASSWORD})
    assert client.session["_auth_user_id"] == str(ada.pk)
    ada.refresh_from_db()
    assert ada.time_zone == kept


def test_the_page_of_the_choice_has_ones_picture_in_its_menu(browse: Browse, ada: User) -> None:
    ada.profile.avatar.save("me.png", ContentFile(picture()))
    assert ada.profile.avatar.thumbnail_url(64) in browse(ada).get(PAGE).content.decode()


def save_choice(client: Client, **values: str) -> Any:
    assert client.get(PAGE).status_code == 200
    return client.post(PAGE, values)


@pytest.mark.parametrize("values", [{"language": "tlh"}, {"time_zone": "Mars/Olympus"}])
def test_what_is_not_offered_is_not_taken(browse: Browse, ada: User, values: dict[str, str]) -> None:
    assert browse(ada).post(PAGE, values).context["form"].errors
    ada.refresh_from_db()
    assert (ada.language, ada.time_zone) == ("", "")


def test_the_choice_changes_nothing_about_the_person(browse: Browse, ada: User) -> None:
    version = ada.version
    save_choice(browse(ada), language="fr")
    ada.refresh_from_db()
    assert ada.version == version
    assert not TrailEntry.objects.filter(object_id=ada.pk, changes__has_key="language").exists()


def test_what_is_kept_for_everybody_is_kept_in_no_language(browse: Browse, admin: User) -> None:
    asked = {"name": "Feuerwehr", "sharing": "staff", "kind": "people", "format": "csv", "columns": ["username"]}
    browse(choose(admin, "de")).post(reverse("admin:users_profiles_report_add"), asked)
    entry = TrailEntry.objects.get(object_repr="Feuerwehr")
    assert entry.changes["sharing"][1] == "All staff"
    trail = reverse("admin:users_profiles_trailentry_changelist")
    assert "Das ganze Team" in browse(admin).get(trail).content.decode()


def test_times_are_on_the_clock_of_who_reads(browse: Browse, admin: User, ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(date_joined=datetime(2024, 5, 5, 23, 30, tzinfo=UTC))
    address = f"{USERS}?q=lovelace"
    assert "5 May 2024" in browse(admin).get(address).content.decode()
    assert "6 May 2024" in browse(choose(admin, time_zone="Europe/Berlin")).get(address).content.decode()
    assert timezone.get_current_timezone_name() == "UTC"  # nothing is left behind for who comes next


def test_a_zone_that_is_not_known_any_more_does_not_lock_anybody_out(browse: Browse, ada: User) -> None:
    assert browse(choose(ada, "tlh", "Mars/Olympus")).get(reverse("profile")).status_code == 200


def test_a_mail_is_in_the_language_of_who_gets_it(admin: User, ada: User, base_url: str) -> None:
    with translation.override("fr"):
        german = invitations.message(choose(ada, "de"))
        neutral = invitations.message(choose(ada))
        assert translation.get_language() == "fr"
    assert 'lang="de"' in str(german.alternatives[0].content)
    assert 'lang="en"' in str(neutral.alternatives[0].content)


def test_a_link_asked_for_comes_in_the_language_of_the_browser_that_asked(ada: User) -> None:
    Client().post(reverse("account_reset_password"), {"email": ada.email}, headers={"accept-language": "es"})
    Client().post(
        reverse("account_reset_password"), {"email": choose(ada, "fr").email}, headers={"accept-language": "es"}
    )
    assert ['lang="es"' in page_of(mail.outbox[0]), 'lang="fr"' in page_of(mail.outbox[1])] == [True, True]


def page_of(message: Any) -> str:
    return str(message.alternatives[0][0])


def test_a_job_keeps_the_language_it_was_started_in() -> None:
    with translation.override("de"):
        assert (Import().language, Export().language) == ("de", "de")
    with translation.override(None):
        assert Import().language == "en"


def test_a_worker_speaks_its_own_language_again_after_a_job(admin: User) -> None:
    with translation.override("de"):  # as the browser said; chosen is nothing
        job = intake.receive(ContentFile(b"username\n" + 30 * b"ada\n" + b'"bob'), "people.csv", admin)
    job.start_check()
    with translation.override("fr"):
        tasks.run_import.func(job.pk)
        assert translation.get_language() == "fr"
    with translation.override("de"):
        job.refresh_from_db()
    assert job.failure.startswith("Zeile 32:")


def test_the_hour_of_a_report_says_whose_clock_it_is_on(browse: Browse, admin: User) -> None:
    address = reverse("admin:users_profiles_report_add")
    assert "On the clock of UTC." not in browse(admin).get(address).content.decode()
    assert "On the clock of UTC." in browse(choose(admin, time_zone="Asia/Tokyo")).get(address).content.decode()


def test_whatever_no_person_is_asked_for_is_in_the_language_of_the_settings(settings: Any, ada: User) -> None:
    settings.LANGUAGE_CODE, settings.TIME_ZONE = "de", "Europe/Paris"
    with speaking.speaking_to(None):
        assert (translation.get_language(), timezone.get_current_timezone_name()) == ("de", "Europe/Paris")
    with speaking.speaking_to(choose(ada, time_zone="Asia/Tokyo"), "fr"):
        assert (translation.get_language(), timezone.get_current_timezone_name()) == ("fr", "Asia/Tokyo")
