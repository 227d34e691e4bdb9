"""The countries that phone numbers can be from, as people know them."""

from __future__ import annotations

from typing import Any

import phonenumbers
import pytest
from django.utils import translation

from tests.import_pages import choose, page, upload
from tests.importing import take_in
from tests.people import Browse
from users_profiles.models import Import, User
from users_profiles.transfer import countries
from users_profiles.transfer.forms import ColumnsForm


@pytest.mark.parametrize(
    ("language", "germany", "austria"),
    [
        ("en", "Germany (+49)", "Austria (+43)"),
        ("de", "Deutschland (+49)", "Österreich (+43)"),
        ("fr", "Allemagne (+49)", "Autriche (+43)"),
        ("es", "Alemania (+49)", "Austria (+43)"),
    ],
)
def test_each_country_has_its_name_in_every_language(language: str, germany: str, austria: str) -> None:
    with translation.override(language):
        assert (countries.label("DE"), countries.label("AT")) == (germany, austria)
        found = dict(countries.choices())
    assert set(found) == phonenumbers.SUPPORTED_REGIONS
    assert not [code for code, label in found.items() if label.startswith(f"{code} ")]


def test_they_are_sorted_by_name_with_accents_in_their_place() -> None:
    with translation.override("de"):
        names = [label for _code, label in countries.choices()]
    at = {name.partition(" (+")[0]: place for place, name in enumerate(names)}
    assert at["Ägypten"] < at["Deutschland"] < at["Oman"] < at["Österreich"] < at["Polen"] < at["Zypern"]


@pytest.mark.parametrize("language", ["ar", "zh-hans", "pt-br", "xx-lolcat"])
def test_a_language_we_do_not_offer_breaks_nothing(language: str) -> None:
    with translation.override(language):
        assert countries.label("DE").endswith(" (+49)")


@pytest.mark.django_db
def test_the_likely_ones_come_first_ours_and_those_chosen_lately(settings: Any) -> None:
    settings.PHONE_DEFAULT_REGION = "CH"
    for region in ("FR", "AT", "FR", "", "nonsense"):
        take_in("username\nada\n", region=region)
    assert [code for code, _label in countries.likely()] == ["CH", "FR", "AT"]
    form = ColumnsForm(job=Import.objects.latest("pk"), names=["username"])
    (_likely, first), (_all, everything) = form.fields["region"].choices  # type: ignore[attr-defined]
    assert first == countries.likely()
    assert everything == countries.choices()


@pytest.mark.django_db
def test_the_page_offers_names_and_the_check_says_which_was_taken(browse: Browse, superuser: User) -> None:
    superuser.language = "de"
    superuser.save()
    client = browse(superuser)
    upload(client, b"username,email,Telefon\nada,a@example.com,030 123456\n")
    job = Import.objects.latest("pk")
    offered = client.get(page("columns", job)).content.decode()
    assert '<option value="AT">Österreich (+43)</option>' in offered
    choose(client, job, region="AT")
    checked = client.get(page("change", job)).content.decode()
    assert "Österreich (+43)" in checked
