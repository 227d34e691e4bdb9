"""Keys out of an address or a form."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError

from users_profiles.keys import KeysField, is_key, read_number


@pytest.mark.parametrize(
    ("text", "fits"),
    [("1", True), ("9" * 18, True), ("9" * 19, False), ("", False), ("-1", False), ("1.5", False), ("٣", False)],
)
def test_a_key_is_a_number_that_fits_the_database(text: str, fits: bool) -> None:
    assert is_key(text) == fits


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("17", 17),
        ("9" * 9, 999_999_999),
        ("9" * 10, None),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("²", None),
    ],
)
def test_a_number_is_read_where_it_fits_every_column(text: str, number: int | None) -> None:
    assert read_number(text) == number


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["9" * 25, "-1", "x", "", "\0", "٣"])
def test_what_can_be_no_key_is_an_error_of_the_form(key: str) -> None:
    field = KeysField(queryset=Group.objects.all())
    for read in (field.clean, field.to_python):
        with pytest.raises(ValidationError):
            read([str(Group.objects.first().pk), key])


@pytest.mark.django_db
def test_what_is_offered_is_taken() -> None:
    group = Group.objects.get(name="Reader")
    field = KeysField(queryset=Group.objects.all(), required=False)
    assert list(field.clean([str(group.pk)])) == [group]
    assert list(field.clean([])) == []
