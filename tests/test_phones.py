"""Phone numbers: whatever people type becomes E.164, or a sentence."""

from __future__ import annotations

from typing import Any

import phonenumbers
import pytest
from django.core.exceptions import ValidationError
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from users_profiles import phones
from users_profiles.models import Profile, User
from users_profiles.phones import E164, normalise, pretty


@pytest.mark.parametrize(
    ("typed", "region", "stored"),
    [
        ("+4930123456", None, "+4930123456"),
        (" +49 (0)30 12 34 56 ", None, "+4930123456"),
        ("0049 30 123456", "DE", "+4930123456"),
        ("0049 30 123456", "US", "+4930123456"),  # where 011 is dialled
        ("030/123456", "DE", "+4930123456"),
        ("895-137-2034", "US", "+18951372034"),  # of a possible length, though no such area is in use
        ("(512) 234-5678", "US", "+15122345678"),
        ("020 7123 4567", "GB", "+442071234567"),
        ("+٤٩٣٠١٢٣٤٥٦", None, "+4930123456"),
        ("", None, ""),
        ("   ", None, ""),
    ],
)
def test_a_number_is_stored_as_it_is_dialled_from_anywhere(typed: str, region: str | None, stored: str) -> None:
    assert normalise(typed, region) == stored


def test_a_number_without_country_is_from_the_country_in_the_settings(settings: Any) -> None:
    settings.PHONE_DEFAULT_REGION = "DE"
    assert normalise("030 123456") == "+4930123456"


@pytest.mark.parametrize(
    "typed",
    [
        "call me",
        "12",
        "+",
        "+49",
        "0" * 40,
        "030 123456 ext. 7",
        "1e5",
        "=1+1",
        "\x00",
        "+999 1234 5678",
        "0151abc",
        "0800-BLUMEN",
    ],
)
def test_what_is_no_number_is_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(ValidationError, match=r"is not a phone number\. Write it with the country code"):
        normalise(typed)


@pytest.mark.parametrize("typed", ["151 2345678", "089-1234567", "0891234567"])
def test_who_can_be_asked_is_asked_before_a_number_becomes_an_american_one(typed: str) -> None:
    with pytest.raises(ValidationError, match=r"is not a phone number\. Write it with the country code"):
        phones.PhoneFormField().clean(typed)
    assert phones.PhoneFormField().clean(f"+49 {typed.lstrip('0')}").startswith("+49")


def test_a_number_that_its_plan_does_not_know_is_shown_so_that_the_form_takes_it_again() -> None:
    assert pretty("+18951372034") == "+1 895-137-2034"
    assert phones.PhoneFormField().clean(pretty("+18951372034")) == "+18951372034"


@given(
    st.one_of(st.text(max_size=40), st.from_regex(r"\+?[0-9 ()/.-]{1,24}", fullmatch=True)),
    st.sampled_from(["US", "DE", "GB"]),
)
def test_the_result_is_e164_and_stays_what_it_is(typed: str, region: str) -> None:
    try:
        stored = normalise(typed, region)
    except ValidationError:
        return
    assert stored == "" or E164.fullmatch(stored)
    assert normalise(stored) == stored


@given(st.from_regex(E164, fullmatch=True))
def test_what_is_stored_already_is_never_changed(number: str) -> None:
    assert normalise(number) == number


@pytest.mark.parametrize(
    ("stored", "home", "shown"),
    [
        ("+4930123456", "DE", "030 123456"),
        ("+4930123456", "US", "+49 30 123456"),
        ("+33123456789", "FR", "01 23 45 67 89"),
        ("+34912345678", "ES", "912 34 56 78"),
        ("+12015550123", "US", "(201) 555-0123"),
        ("+18951372034", "US", "+1 895-137-2034"),  # no such area: typed like that, one would be asked
        ("+442079460000", "DE", "+44 20 7946 0000"),
        ("+390612345678", "IT", "06 1234 5678"),
        ("+491", "DE", "+491"),  # too short to be one
        ("", "DE", ""),
        ("nonsense", "DE", "nonsense"),
        ("+1", "US", "+1"),
    ],
)
def test_a_number_of_this_country_is_shown_as_people_write_it_here_and_others_as_they_are_dialled(
    stored: str, home: str, shown: str, settings: Any
) -> None:
    settings.PHONE_DEFAULT_REGION = home
    assert pretty(stored) == shown


@pytest.mark.parametrize("home", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_what_is_shown_and_typed_again_is_the_same_number_in_every_country(home: str, settings: Any) -> None:
    settings.PHONE_DEFAULT_REGION = home
    for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE):
        example = phonenumbers.example_number_for_type(home, kind)
        if example is not None:
            stored = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
            assert normalise(pretty(stored)) == stored
    assert all(phones.examples().values())


@given(
    st.from_regex(r"\+(1|7|33|34|39|44|49|54)[0-9]{6,11}", fullmatch=True), st.sampled_from(["US", "DE", "AR", "RU"])
)
@pytest.mark.filterwarnings("ignore")
def test_no_number_is_shown_as_another_one(number: str, home: str) -> None:
    with override_settings(PHONE_DEFAULT_REGION=home):
        assert normalise(pretty(number)) == number


def test_all_the_spellings_of_a_number_are_known(settings: Any) -> None:
    settings.PHONE_DEFAULT_REGION = "DE"
    assert phones.spellings("+4930123456") == {"+4930123456", "030 123456", "+49 30 123456"}
    assert phones.spellings("+442079460000") == {"+442079460000", "+44 20 7946 0000"}
    assert phones.spellings("") == set()


@pytest.mark.django_db
def test_validating_a_profile_normalises_its_number() -> None:
    profile = User.objects.create(username="ada").profile
    profile.phone_number = "+49 30 123456"
    profile.full_clean()
    assert profile.phone_number == "+4930123456"
    profile.phone_number = "call me"
    with pytest.raises(ValidationError) as refused:
        profile.full_clean()
    assert list(refused.value.message_dict) == ["phone_number"]


def test_the_form_shows_a_number_as_people_write_it_and_takes_more_characters_than_are_stored(settings: Any) -> None:
    settings.PHONE_DEFAULT_REGION = "DE"
    field = Profile._meta.get_field("phone_number").formfield()
    assert isinstance(field, phones.PhoneFormField)
    assert field.widget.input_type == "tel"
    assert field.prepare_value("+4930123456") == "030 123456"
    assert field.prepare_value("call me") == "call me"
    assert field.clean("+49 (0) 30 / 12 34 56 - 78") == "+493012345678"
    assert not field.has_changed("+4930123456", "030 123456")
    assert field.has_changed("+4930123456", "030 123457")
