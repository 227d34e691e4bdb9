"""Invitations to the people an import created: the page, the mails, and how many people are many."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_tasks.base import Task

from tests.admin_pages import messages_of
from tests.import_pages import applied, html, page, text
from tests.importing import check
from tests.people import Browse
from users_profiles import invitations
from users_profiles.models import Errand, Import, Invitation, User
from users_profiles.transfer import invitees, lease

pytestmark = pytest.mark.django_db


def test_invitations_go_out_now_or_later_and_are_not_sent_twice(
    browse: Browse, editor: User, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    client = browse(editor)
    job = applied(client, "username,email\nada,ada@example.com\nbob,bob@example.com\ncarl,\n")
    assert not mail.outbox
    result = html(client, "change", job)
    assert "Choose whom to invite" in result
    assert page("invite", job) not in re.findall(r'<form[^>]* action="([^"]*)"', result)  # asked first, never at once
    assert messages_of(client.post(page("invite", job), follow=True)) == [
        "Nobody was invited: tick at least one person who can be mailed."
    ]
    assert "Send invitations to all 2 people" in html(client, "invite", job)
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(page("invite", job), {"who": "open"}, follow=True)
    assert messages_of(answer) == ["2 invitations are on their way."]
    assert sorted(sent.to[0] for sent in mail.outbox) == ["ada@example.com", "bob@example.com"]
    with django_capture_on_commit_callbacks(execute=True):
        client.post(page("invite", job), {"who": "open"})
    assert len(mail.outbox) == 2
    assert "Choose whom to invite" not in html(client, "change", job)


def test_only_some_are_invited_and_those_who_did_not_come_are_asked_again(
    browse: Browse, editor: User, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    client = browse(editor)
    job = applied(client, "username,email\n" + "".join(f"user{at},user{at}@example.com\n" for at in range(4)))
    with django_capture_on_commit_callbacks(execute=True):
        client.post(page("invite", job), {"who": "ticked", "row": ["2", "3"]})
    assert sorted(sent.to[0] for sent in mail.outbox) == ["user0@example.com", "user1@example.com"]
    User.objects.filter(username="user0").update(last_login=timezone.now())
    counted = text(html(client, "invite", job))
    for count in ("2 Not invited", "1 Invited, not in yet", "1 Have signed in"):
        assert count in counted
    mail.outbox.clear()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(page("invite", job), {"who": "again"})
    assert [sent.to[0] for sent in mail.outbox] == ["user1@example.com"]


@pytest.mark.parametrize("row", ["x", "-1", "²", "9" * 10, "9" * 25, "9" * 5000])
def test_a_forged_number_of_a_row_invites_nobody(browse: Browse, editor: User, row: str) -> None:
    client = browse(editor)
    job = applied(client, "username,email\nada,ada@example.com\n")
    answer = client.post(page("invite", job), {"who": "ticked", "row": [row]}, follow=True)
    assert messages_of(answer) == ["Nobody was invited: tick at least one person who can be mailed."]


def test_the_page_shows_how_far_the_mails_are(browse: Browse, editor: User) -> None:
    client = browse(editor)
    job = applied(client, "username,email\nada,ada@example.com\nbob,bob@example.com\n")
    invitees.queue(job, "open")  # and no worker has come by
    progress = reverse("admin:users_profiles_import_invite_progress", args=[job.pk])
    assert client.get(progress).json() | {"failed": 0} == {
        "under_way": True, "cursor": 0, "total": 2, "percent": 0, "sent": 0, "failed": 0, "stalled": False,
        "delayed": 0, "next_try": None,
    }  # fmt: skip
    assert "invitations sent" in html(client, "invite", job)
    invitations.send_invitations.call()
    assert client.get(progress).json()["under_way"] is False
    assert len(mail.outbox) == 2


def test_a_mail_that_is_refused_is_said_and_can_be_tried_again(
    browse: Browse, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browse(editor)
    job = applied(client, "username,email\nada,ada@example.com\nbob,bob@example.com\n")
    message = invitations.message

    def refuse_ada(person: User, language: str) -> Any:
        if person.username == "ada":
            raise OSError
        return message(person, language)

    monkeypatch.setattr(invitations, "message", refuse_ada)
    invitees.queue(job, "open")
    assert invitations.send_invitations.call() == {"sent": 1, "delayed": 1, "failed": 0}
    told = text(html(client, "invite", job))
    assert "1 invitation is not sent yet: the mail server did not take it. Next try at" in told
    assert "Not sent yet" in told
    monkeypatch.undo()
    client.post(page("invite", job), {"who": "waiting"})
    assert invitations.send_invitations.call() == {"sent": 1, "delayed": 0, "failed": 0}
    assert sorted(sent.to[0] for sent in mail.outbox) == ["ada@example.com", "bob@example.com"]


def test_nobody_goes_through_all_who_never_came_in_for_each_new_person(editor: User) -> None:
    """As PostgreSQL did right after an import, when it did not know yet how many there are of them."""
    job = check("username,email\nada,ada@example.com\n", editor)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
    for rows in (invitees.standing(job, "open"), invitees.standing(job, "again"), invitees.invitable(job)):
        assert "user_last_login" not in rows.explain()


def test_nobody_is_mailed_who_was_deactivated_while_the_mail_waited(browse: Browse, editor: User) -> None:
    job = applied(browse(editor), "username,email\nada,ada@example.com\n")
    invitees.queue(job, "open")
    User.objects.filter(username="ada").update(is_active=False)
    invitations.send_invitations.call()
    assert not mail.outbox


# A great many -------------------------------------------------------------------------------------------------------


@pytest.fixture
def many(browse: Browse, editor: User, monkeypatch: pytest.MonkeyPatch) -> Import:
    """An import of five people, where two are many and a request or a step sees to two of them."""
    monkeypatch.setattr(invitees, "MANY", 2)
    monkeypatch.setattr(invitees, "AT_ONCE", 2)
    return applied(browse(editor), "username,email\n" + "".join(f"p{at},p{at}@example.com\n" for at in range(5)))


def waiting(job: Import) -> int:
    return job.rows.filter(invited="queued", mail__state="waiting").count()


def tabs(client: Client, job: Import) -> list[int]:
    return [tab["count"] for tab in client.get(page("invite", job)).context["tabs"]]


def test_a_request_sees_to_the_first_and_the_worker_to_the_others(browse: Browse, editor: User, many: Import) -> None:
    client = browse(editor)
    answer = client.post(page("invite", many), {"who": "open"}, follow=True)
    assert messages_of(answer) == ["5 invitations are on their way."]
    assert (waiting(many), Import.objects.get().inviting) == (2, {"open": {"through": 3, "left": 3}})
    content = html(client, "invite", many, show="open")
    assert 'value="open">' not in content  # they have been asked for
    assert "0 of 5 invitations sent" in text(content)
    invitees.invite_wished.call()
    assert (waiting(many), Import.objects.get().inviting) == (5, {})
    assert not mail.outbox  # that is for the task which gives others their turn


def test_a_worker_that_is_stopped_leaves_the_rest_of_them_to_another(
    many: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    invitees.queue(many, "open")
    monkeypatch.setattr(lease, "is_stopping", lambda: True)
    invitees.invite_wished.call()
    assert waiting(many) == 2
    assert invitees.is_anything_due()
    monkeypatch.undo()
    invitees.invite_wished.call()
    assert waiting(many) == 5


@pytest.mark.usefixtures("at_once")
def test_who_is_asked_again_is_asked_once_however_soon_the_mail_went_out(many: Import) -> None:
    invitees.queue(many, "open")
    assert len(mail.outbox) == 5
    assert invitees.queue(Import.objects.get(), "again") == 5
    assert len(mail.outbox) == 10
    assert invitees.counts(many) == {"queued": 0, "sent": 5, "failed": 0}


def test_a_mail_whose_worker_died_before_it_could_say_so_is_not_sent_again(many: Import) -> None:
    invitees.queue(many, "open")
    for sent in Invitation.objects.all():
        sent.sent()
    invitees.queue(many, "waiting")
    assert not waiting(many)
    assert invitees.counts(many)["sent"] == 2


def test_nobody_waits_for_a_great_many_people_to_be_counted(
    browse: Browse,
    editor: User,
    many: Import,
    let_time_pass: Callable[[float], None],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    client = browse(editor)

    def counted() -> list[int]:
        with CaptureQueriesContext(connection) as captured:
            found = tabs(client, many)
        assert not [each for each in captured if "FILTER" in each["sql"] or "CASE WHEN" in each["sql"]]
        return found

    assert counted() == [5, 0, 0, 0]  # the worker has counted, before anybody asked
    client.post(page("invite", many), {"who": "ticked", "row": "2"})
    assert counted() == [5, 0, 0, 0]
    Errand.objects.all().delete()  # what was ordered above waits for a commit that never comes
    with django_capture_on_commit_callbacks(execute=True):
        client.post(page("invite", many), {"who": "ticked", "row": "3"})
    assert counted() == [3, 2, 0, 0]
    User.objects.filter(username="p1").update(last_login=timezone.now())
    let_time_pass(365 * 24 * 60 * 60)
    with django_capture_on_commit_callbacks(execute=True):
        assert counted() == [3, 2, 0, 0]
    assert counted() == [3, 1, 1, 0]


@pytest.mark.usefixtures("at_once")
def test_a_queue_that_is_away_breaks_no_page_and_loses_nobody(
    browse: Browse,
    editor: User,
    many: Import,
    let_time_pass: Callable[[float], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(self: Task[..., Any], *args: Any) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(Task, "enqueue", away)
        let_time_pass(invitees.COUNTED_FOR + 1)
        client = browse(editor)
        assert client.get(page("change", many)).status_code == 200
        assert client.post(page("invite", many), {"who": "open"}, follow=True).status_code == 200
    Errand.objects.update(ordered_at=None)  # some minutes later
    invitees.invite_wished.call()
    assert len(mail.outbox) == 5
