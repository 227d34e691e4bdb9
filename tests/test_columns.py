"""What the columns of a file mean."""

from __future__ import annotations

import pytest

from users_profiles.transfer import columns
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.options import Origin


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("username", "username"),
        ("LOGIN NAME", "username"),
        ("E-Mail-Adresse", "email"),
        ("Prénom", "first_name"),
        ("prenom", "first_name"),
        ("apellidos", "last_name"),
        ("Standort", "location"),
        ("date_of_birth", "birth_date"),
        ("  Téléphone: ", "phone_number"),
        ("Rôle", "role"),
        ("Activated", "is_active"),
        ("Über mich", "bio"),
    ],
)
def test_names_and_words_of_several_languages_are_sure(header: str, field: str) -> None:
    assert columns.recognise([header]) == ([field], [Origin.NAME])


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("Employee e-mail", "email"),
        ("EmployeeEmail", "email"),
        ("Mobile phone (private)", "phone_number"),
        ("Office location", "location"),
        ("Usernme", "username"),
        ("Geburtsdatun", "birth_date"),
        ("Vornamen", "first_name"),
    ],
)
def test_what_resembles_a_known_name_is_a_guess(header: str, field: str) -> None:
    assert columns.recognise([header]) == ([field], [Origin.GUESS])


@pytest.mark.parametrize(
    "header",
    [
        "Manager e-mail",
        "Emergency contact phone",
        "State",
        "Cost centre",
        "Employee number",
        "Location ID",
        "",
        "→",
        "Kostenstelle",
    ],
)
def test_what_is_somebody_elses_or_something_else_is_ignored(header: str) -> None:
    assert columns.recognise([header]) == ([""], [Origin.NONE])


@pytest.mark.parametrize("header", ["version", "Version", "last_login", "Last sign-in", "Left"])
def test_what_our_own_exports_add_is_known_and_left_alone(header: str) -> None:
    assert columns.recognise([header]) == ([""], [Origin.NONE])
    assert columns.is_read_only(header)
    assert not columns.is_read_only("Employee number")


def test_a_guess_never_takes_a_field_that_has_its_column() -> None:
    assert columns.recognise(["Old office place", "Work location", "Location", "E mail 2", "E mail work"]) == (
        ["", "", "location", "email", ""],
        [Origin.NONE, Origin.NONE, Origin.NAME, Origin.GUESS, Origin.NONE],
    )


def test_two_columns_for_one_field_are_both_named() -> None:
    """C10: a header twice."""
    mapping, _origins = columns.recognise(["username", "Phone", "Phone"])
    with pytest.raises(FileRefused, match="Phone / Phone are both taken for Phone number"):
        columns.check_mapping(["username", "Phone", "Phone"], mapping)


def test_a_file_that_does_not_say_who_people_are_is_refused() -> None:
    with pytest.raises(FileRefused, match="No column says who each person is"):
        columns.check_mapping(["Vorname"], ["first_name"])


@pytest.mark.parametrize("header", ["password", "Is Superuser", "is_staff", "USER_PERMISSIONS", "Mot de passe"])
def test_a_column_nobody_may_set_is_never_a_column(header: str) -> None:
    with pytest.raises(FileRefused, match="cannot be imported"):
        columns.recognise(["username", header])


def test_every_column_has_a_label_and_synonyms() -> None:
    assert set(columns.SYNONYMS) == set(columns.NAMES)
    assert set(columns.labels()) == {*columns.NAMES, *columns.READ_ONLY}


def test_no_synonym_means_two_fields() -> None:
    words = [(columns.header_key(word), name) for name, group in columns.SYNONYMS.items() for word in group]
    assert len(dict(words)) == len(set(words))


def test_who_somebody_is_cannot_be_a_default() -> None:
    assert "username" not in columns.DEFAULTABLE
    assert "email" not in columns.DEFAULTABLE
