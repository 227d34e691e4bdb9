"""A database that goes away in the middle of a request (check F4, in the web process)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection
from django.db.models import Q
from django.test import Client
from django.urls import reverse

from tests.admin_pages import USERS, filled_in, user_page
from tests.people import Browse
from users_profiles import room
from users_profiles.admin.users import UserAdmin
from users_profiles.models import Export, User
from users_profiles.transfer.export import source
from users_profiles.transfer.export.sending import Measured, Sending
from users_profiles.transfer.export.wanted import Wanted


class Broken:
    """Has a method fail the first times it is called."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, error: type[Exception], times: int
    ) -> None:
        self.calls = 0
        whole = getattr(owner, name)

        def fails_first(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.calls <= times:
                raise error("server closed the connection unexpectedly at 10.0.0.7")
            return whole(*args, **kwargs)

        monkeypatch.setattr(owner, name, fails_first)


@pytest.fixture
def patient(browse: Browse, editor: User) -> Client:
    """An editor's browser that shows error pages, as browsers do."""
    client = browse(editor)
    client.raise_request_exception = False
    return client


@pytest.mark.django_db
def test_f4_a_page_is_made_once_more_and_nobody_notices(patient: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Broken(monkeypatch, UserAdmin, "get_queryset", OperationalError, times=1)
    assert patient.get(USERS).status_code == 200
    assert broken.calls > 1


@pytest.mark.django_db
def test_f4_where_that_does_not_help_a_page_says_so_in_words(
    patient: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Broken(monkeypatch, UserAdmin, "get_queryset", OperationalError, times=99)
    answer = patient.get(USERS)
    assert (answer.status_code, answer.headers["Retry-After"], broken.calls) == (503, "5", 2)
    content = answer.content.decode()
    assert "The database does not answer" in content
    assert "10.0.0.7" not in content
    assert "10.0.0.7" in caplog.text  # the operator sees why


@pytest.mark.django_db
def test_f4_what_changes_something_is_never_sent_twice_by_itself(
    patient: Client, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = filled_in(patient, user_page(ada))
    broken = Broken(monkeypatch, UserAdmin, "save_model", OperationalError, times=1)
    answer = patient.post(user_page(ada), {**form, "first_name": "Augusta"})
    assert (answer.status_code, broken.calls) == (503, 1)
    assert User.objects.get(pk=ada.pk).first_name == "Ada"
    assert patient.post(user_page(ada), {**form, "first_name": "Augusta"}).status_code == 302


@pytest.mark.django_db
def test_a_mistake_of_ours_is_not_blamed_on_the_database(patient: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Broken(monkeypatch, UserAdmin, "get_queryset", ZeroDivisionError, times=99)
    answer = patient.get(USERS)
    assert (answer.status_code, broken.calls) == (500, 1)
    assert "Something went wrong on our side" in answer.content.decode()


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any, str], list[int]]]:
    """Has this process's own connection cut by the database just before a method is called for the first time."""
    own = connection.settings_dict
    address = {"host": own["HOST"], "port": own["PORT"], "user": own["USER"], "password": own["PASSWORD"]}
    with psycopg.connect(**address, dbname="postgres", autocommit=True) as admin:

        def before(owner: Any, name: str) -> list[int]:
            whole, calls = getattr(owner, name), []

            def cuts_first(*args: Any, **kwargs: Any) -> Any:
                calls.append(connection.connection.info.backend_pid)
                if len(calls) == 1:
                    admin.execute("SELECT pg_terminate_backend(%s, 5000)", calls)
                return whole(*args, **kwargs)

            monkeypatch.setattr(owner, name, cuts_first)
            return calls

        yield before


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_f4_a_connection_cut_in_the_middle_of_a_page_is_replaced(
    patient: Client, cut: Callable[[Any, str], list[int]]
) -> None:
    calls = cut(UserAdmin, "get_queryset")
    assert patient.get(USERS).status_code == 200
    assert len(set(calls)) == 2


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_f4_a_connection_cut_in_the_middle_of_a_save_leaves_nothing_half_done(
    patient: Client, ada: User, cut: Callable[[Any, str], list[int]]
) -> None:
    form = {**filled_in(patient, user_page(ada)), "first_name": "Augusta", "profile-0-location": "Paris"}
    cut(UserAdmin, "save_related")  # the person is written by then, and the profile is not
    assert patient.post(user_page(ada), form).status_code == 503
    person = User.objects.with_profile().get(pk=ada.pk)
    assert (person.first_name, person.profile.location) == ("Ada", "London")
    before = person.profile.version
    assert patient.post(user_page(ada), form).status_code == 302
    person = User.objects.with_profile().get(pk=ada.pk)
    assert (person.first_name, person.profile.location, person.profile.version) == ("Augusta", "Paris", before + 1)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_f4_nobody_is_told_that_an_email_is_taken_because_the_connection_was_cut_over_the_question(
    patient: Client, cut: Callable[[Any, str], list[int]]
) -> None:
    address = reverse("admin:users_profiles_user_add")
    form = {**filled_in(patient, address), "username": "ada", "email": "ada@example.com"}
    form.pop("send_invitation", None)
    cut(Q, "check")
    assert patient.post(address, form).status_code == 503
    assert patient.post(address, form).status_code == 302


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_f4_a_download_whose_connection_is_cut_is_said_to_have_failed(
    editor: User, cut: Callable[[Any, str], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "CHUNK", 2)
    User.objects.bulk_create([User(username=f"p{at}") for at in range(10)])
    sending = Sending(Wanted(editor, columns=["username", "role"], format="jsonl").entry(11))
    next(sending)
    cut(Measured, "add")
    with pytest.raises(room.DATABASE_AWAY):
        for _block in sending:
            pass
    export = Export.objects.get()
    assert (export.state, bool(export.failure)) == (Export.State.FAILED, True)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["OperationalError", "InterfaceError"])
def test_f4_the_errors_of_the_driver_itself_are_understood_as_well(
    patient: Client, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    Broken(monkeypatch, UserAdmin, "get_queryset", getattr(psycopg, kind), times=99)
    assert patient.get(USERS).status_code == 503


@pytest.mark.django_db
def test_f4_also_whoever_is_not_signed_in_yet_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from allauth.account.views import LoginView

    Broken(monkeypatch, LoginView, "get", OperationalError, times=99)
    answer = Client(raise_request_exception=False).get(reverse("account_login"))
    assert answer.status_code == 503
