"""The demo: made-up people in any number, portraits, and ``setup_demo`` for a first start."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import phonenumbers
import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone
from PIL import Image

from users_profiles import avatars
from users_profiles.demo import seed
from users_profiles.demo.people import COMPANY_SIZE, MadeUp, make_up
from users_profiles.demo.portraits import portrait
from users_profiles.models import Profile, Role, User

DAY = date(2026, 1, 5)


def seed_demo(*options: str) -> str:
    out = io.StringIO()
    call_command("seed_demo", *options, stdout=out)
    return out.getvalue().strip()


def everything() -> list[Any]:
    people = User.objects.order_by("username").exclude(username="root")
    fields = ("username", "email", "first_name", "is_active", "is_staff", "date_joined", "last_login", "groups__name")
    return list(people.values_list(*fields, "profile__location", "profile__phone_number", "profile__bio"))


@pytest.fixture(scope="module")
def company() -> list[MadeUp]:
    return [make_up(number, 1, DAY) for number in range(COMPANY_SIZE)]


@pytest.fixture
def no_portraits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes most of the time, and only two tests look."""
    blank = io.BytesIO()
    Image.new("RGB", (8, 8)).save(blank, "PNG")
    monkeypatch.setattr(seed, "portrait", lambda key: blank.getvalue())


# The people ---------------------------------------------------------------------------------------------------------


def test_the_same_seed_makes_the_same_people(company: list[MadeUp]) -> None:
    assert company == [make_up(number, 1, DAY) for number in range(COMPANY_SIZE)]
    assert company[:20] != [make_up(number, 2, DAY) for number in range(20)]


def test_only_joining_signing_in_and_leaving_move_with_the_day(company: list[MadeUp]) -> None:
    later = [make_up(number, 1, DAY + timedelta(days=30)) for number in range(COMPANY_SIZE)]
    for before, after in zip(company, later, strict=True):
        assert after.joined == before.joined + timedelta(days=30)
        moving = {"joined": 0, "seen": 0, "left": 0}
        assert vars(before) | moving == vars(after) | moving


def test_the_company_is_as_mixed_as_a_real_one(company: list[MadeUp]) -> None:
    share = {
        "without e-mail": sum(not who.email for who in company),
        "inactive": sum(not who.is_active for who in company),
        "never signed in": sum(who.seen is None for who in company),
        "without role": sum(not who.role for who in company),
        "with portrait": sum(who.has_portrait for who in company),
    }
    assert 5 < share["without e-mail"] < 30
    assert 5 < share["inactive"] < 30
    assert 10 < share["never signed in"] < 50
    assert 140 < share["without role"] < 190
    assert 100 < share["with portrait"] < 140
    assert {who.role for who in company} == {"", *Role.values}
    assert len({who.location for who in company}) > 20


def test_names_come_in_many_scripts(company: list[MadeUp]) -> None:
    letters = "".join(who.first_name + who.last_name for who in company)
    for script in ("éçüøłŁ", "山田太郎", "Ольга", "محمد", "Σοφία", "김이박", "ễầạ"):
        assert set(script) & set(letters), script


def test_usernames_are_plain_and_nobody_shares_one() -> None:
    people = [make_up(number, 3, DAY) for number in range(3_000)]
    assert len({who.username for who in people}) == 3_000
    assert all(who.username.isascii() and who.username.islower() for who in people)


def test_every_phone_number_is_one_that_the_numbering_plan_knows() -> None:
    numbers = {who.phone_number for who in (make_up(number, 4, DAY) for number in range(3_000)) if who.phone_number}
    assert [number for number in numbers if not phonenumbers.is_valid_number(phonenumbers.parse(number))] == []


def test_nobody_joined_or_signed_in_in_the_future_or_before_they_joined(company: list[MadeUp]) -> None:
    for who in company:
        assert who.joined.date() < DAY
        assert who.seen is None or who.joined <= who.seen
        assert (who.left is None) is who.is_active
        assert who.left is None or ((who.seen or who.joined) <= who.left and who.left.date() <= DAY)
        assert who.seen is None or who.seen.date() < DAY


def test_portraits_are_pictures_that_differ_and_stay_the_same() -> None:
    drawn = [portrait(f"person{number}") for number in range(12)]
    assert len(set(drawn)) == 12
    assert drawn[0] == portrait("person0")
    assert Image.open(io.BytesIO(drawn[0])).size == (256, 256)


# The command --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_it_adds_people_with_profiles_that_pass_validation(no_portraits: None) -> None:
    assert seed_demo("--users", "60") == "60 people added, 0 were there already."
    assert not User.objects.without_profile().exists()
    broken = []
    for person in User.objects.with_profile():
        try:
            person.full_clean()
            person.profile.full_clean()
        except ValidationError as error:
            broken.append((person.username, error))
    assert broken == []
    assert not any(person.has_usable_password() for person in User.objects.all())


@pytest.mark.django_db
def test_it_gives_out_roles_as_the_admin_does(no_portraits: None) -> None:
    seed_demo("--users", "200")
    for person in User.objects.with_role():
        assert person.is_staff == bool(person.role)
    assert set(User.objects.with_role().values_list("role_name", flat=True)) == {"", *Role.values}


@pytest.mark.django_db
def test_a_second_run_adds_nothing_and_a_larger_one_the_rest(no_portraits: None) -> None:
    seed_demo("--users", "30", "--today", "2026-01-05")
    before = everything()
    assert seed_demo("--users", "30", "--today", "2026-05-05") == "0 people added, 30 were there already."
    assert everything() == before
    assert seed_demo("--users", "40") == "10 people added, 30 were there already."


@pytest.mark.django_db
def test_the_same_seed_and_day_fill_the_database_the_same(no_portraits: None) -> None:
    seed_demo("--users", "30", "--seed", "5", "--today", "2026-01-05")
    before = everything()
    User.objects.all().delete()
    seed_demo("--users", "30", "--seed", "5", "--today", "2026-01-05")
    assert everything() == before


@pytest.mark.django_db
def test_it_never_touches_who_is_there(no_portraits: None, make_person: Callable[..., User]) -> None:
    first, second = make_up(0, 1, DAY), make_up(1, 1, DAY)
    make_person(first.username.upper(), email="", location="Mine")
    make_person("somebody", email=second.email.upper(), location="Mine")
    before = list(User.objects.order_by("pk").values()), list(Profile.objects.order_by("pk").values())
    assert seed_demo("--users", "10") == "8 people added, 2 were there already."
    mine = User.objects.filter(profile__location="Mine").order_by("pk")
    assert (list(mine.values()), list(Profile.objects.filter(user__in=mine).order_by("pk").values())) == before


@pytest.mark.django_db
def test_it_works_through_many_in_chunks(monkeypatch: pytest.MonkeyPatch, no_portraits: None) -> None:
    monkeypatch.setattr(seed, "CHUNK", 7)
    reported: list[int] = []
    seed.seed_people(20, 1, DAY, after_chunk=lambda seeded: reported.append(seeded.added))
    assert reported == [7, 14, 20]
    assert User.objects.count() == 20


@pytest.mark.django_db
def test_portraits_are_stored_as_any_picture_is() -> None:
    seed_demo("--users", "6")
    pictured = [profile.avatar for profile in Profile.objects.exclude(avatar="")]
    assert pictured
    for avatar in pictured:
        assert avatar.name.startswith("avatars/")
        with Image.open(avatar.open()) as image:
            assert image.format == "WEBP"
            assert max(image.size) <= avatars.EDGE


@pytest.mark.parametrize("count", ["-1", "many", "1.5"])
def test_a_silly_number_of_people_is_refused(count: str) -> None:
    with pytest.raises(CommandError, match="write a whole number"):
        seed_demo(f"--users={count}")


# The first start ----------------------------------------------------------------------------------------------------


@pytest.fixture
def setup_demo(settings: Any, no_portraits: None, unused_port: str, db: None) -> Callable[..., str]:
    settings.DEBUG = True

    def run() -> str:
        out = io.StringIO()
        call_command("setup_demo", "--port", unused_port, stdout=out)
        return out.getvalue()

    return run


@pytest.fixture
def unused_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def password_in(text: str) -> str:
    (line,) = [line for line in text.splitlines() if "Password" in line]
    return line.split()[1]


def test_the_first_start_makes_a_company_and_an_admin_and_shows_the_password_once(
    setup_demo: Callable[..., str], unused_port: str
) -> None:
    shown = setup_demo()
    assert f"http://127.0.0.1:{unused_port}/admin/" in shown
    assert f"BASE_URL=http://127.0.0.1:{unused_port} has them lead here" in shown
    admin = User.objects.get(username="admin")
    assert admin.is_superuser
    assert admin.check_password(password_in(shown))
    assert User.objects.count() == COMPANY_SIZE + 1


def test_where_mails_lead_is_said_without_advice_where_it_is_right(
    setup_demo: Callable[..., str], unused_port: str, settings: Any
) -> None:
    settings.BASE_URL = f"http://127.0.0.1:{unused_port}"  # as `make run` has it
    assert f"Mails lead to {settings.BASE_URL}/\n" in setup_demo()


def test_a_later_start_loses_and_doubles_nothing(setup_demo: Callable[..., str]) -> None:
    password = password_in(setup_demo())
    Profile.objects.filter(user__username="admin").update(bio="Mine.")
    before = list(User.objects.order_by("pk").values()), list(Profile.objects.order_by("pk").values())
    assert password not in setup_demo()
    assert (list(User.objects.order_by("pk").values()), list(Profile.objects.order_by("pk").values())) == before


def test_a_database_with_people_gets_an_admin_and_no_company(setup_demo: Callable[..., str], reader: User) -> None:
    setup_demo()
    assert set(User.objects.values_list("username", flat=True)) == {"admin", reader.username}


def test_the_environment_sets_and_resets_the_password_and_it_is_never_shown(
    setup_demo: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for password in ("first-secret", "second-secret"):
        monkeypatch.setenv("ADMIN_PASSWORD", password)
        assert password not in setup_demo()
        assert User.objects.get(username="admin").check_password(password)


def test_it_refuses_to_run_without_debug(settings: Any) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="needs DEBUG=on"):
        call_command("setup_demo")


@pytest.mark.parametrize("port", ["http", "0", "70000"])
def test_a_silly_port_is_refused(settings: Any, port: str) -> None:
    settings.DEBUG = True
    with pytest.raises(CommandError, match="write a number from 1 to 65535"):
        call_command("setup_demo", "--port", port)


def test_a_port_in_use_is_named_before_anything_is_made(settings: Any) -> None:
    settings.DEBUG = True
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=f"port {port} cannot be used"):
            call_command("setup_demo", "--port", str(port))


@pytest.mark.django_db
def test_newcomers_joined_this_month_some_left_and_people_were_in_lately(no_portraits: None) -> None:
    seed_demo()
    now = timezone.now()
    assert User.objects.filter(date_joined__gte=now - timedelta(days=31)).exists()
    assert User.objects.filter(is_active=False, deactivated_at__gte=now - timedelta(days=62)).count() > 1
    assert User.objects.filter(last_login__gte=now - timedelta(days=2)).count() > 10
