"""Reports by mail: once to each who may have it, whatever else sends at the same time, and again when it failed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db.models import F
from django.urls import reverse
from django.utils import formats, timezone

from tests.people import Browse
from tests.reporting import saved
from tests.threads import all_at_once
from users_profiles import roles
from users_profiles.management.commands.worker import Reporting
from users_profiles.models import Delivery, Export, Report, Role, User
from users_profiles.models.mails import DELAYS, MAILING
from users_profiles.reports import mailing, running
from users_profiles.transfer import retention

pytestmark = pytest.mark.django_db

State = Delivery.State


class DownBackend(EmailBackend):
    """A mail server that is down."""

    def send_messages(self, messages: Any) -> int:
        raise ConnectionRefusedError("nobody listens")


@pytest.fixture
def down(settings: Any) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.DownBackend"


def states(report: Report) -> dict[str, str]:
    return {one.recipient.username: one.state for one in report.deliveries.filter(is_news=False)}


def let_it_be_tried_again() -> None:
    Delivery.objects.update(try_at=timezone.now())


# Who gets what ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)  # files are read on a connection of their own
def test_each_recipient_gets_a_link_to_a_file_of_their_own_and_no_file(
    browse: Browse, admin: User, editor: User, reader: User
) -> None:
    report = saved(admin, "Fire wardens", to=[editor, reader], query="role=Editor")
    assert vars(mailing.send_due()) == {"runs": 1, "mails": 2, "skipped": 0, "failed": 0}
    assert {message.to[0] for message in mail.outbox} == {editor.email, reader.email}
    for message in mail.outbox:
        assert message.attachments == []
        assert message.subject == "Report: Fire wardens"
        assert "edgar@example.com" not in message.body, message.body
    export = Export.objects.get(owner=editor)
    link = reverse("admin:users_profiles_export_change", args=[export.pk])
    to_editor = next(message for message in mail.outbox if message.to == [editor.email])
    assert link in to_editor.body
    assert link in str(to_editor.alternatives[0][0])  # type: ignore[attr-defined]
    assert "1 person." in to_editor.body, to_editor.body
    file = reverse("admin:users_profiles_export_file", args=[export.pk])
    assert b"edgar@example.com" in b"".join(browse(editor).get(file).streaming_content)  # type: ignore[attr-defined]
    assert browse(reader).get(file).status_code == 404
    assert "/login/" in browse(None).get(file)["Location"]
    assert states(report) == {"edgar": State.SENT, "rita": State.SENT}


@pytest.mark.django_db(transaction=True)
def test_a_link_mailed_before_a_long_weekend_still_leads_to_the_file_after_it(
    browse: Browse, admin: User, editor: User
) -> None:
    saved(admin, to=[editor])
    mailing.send_due()
    export = Export.objects.get(owner=editor)
    said = formats.date_format(timezone.localtime(export.expires_at), "DATETIME_FORMAT")
    assert f"The file is kept until {said}." in mail.outbox[0].body
    file = reverse("admin:users_profiles_export_file", args=[export.pk])
    Export.objects.update(expires_at=F("expires_at") - timedelta(days=4))  # Friday noon was four days ago
    retention.prune()
    assert browse(editor).get(file).status_code == 200
    Export.objects.update(expires_at=F("expires_at") - timedelta(days=3))
    retention.prune()
    assert "files are kept for 7 days" in browse(editor).get(file, follow=True).content.decode()


def test_nothing_is_sent_before_its_time_and_then_once(admin: User, editor: User) -> None:
    report = saved(admin, to=[editor], next_at=timezone.now() + timedelta(minutes=1))
    assert not mailing.is_anything_due()
    mailing.send_due()
    assert not mail.outbox
    Report.objects.update(next_at=timezone.now() - timedelta(days=40))  # forty runs were missed
    assert mailing.is_anything_due()
    mailing.send_due()
    mailing.send_due()
    assert len(mail.outbox) == 1
    report.refresh_from_db()
    assert report.next_at is not None
    assert timezone.now() < report.next_at < timezone.now() + timedelta(days=1, hours=1)
    assert not mailing.is_anything_due()


def test_what_somebody_may_have_is_worked_out_once_when_a_run_begins(
    admin: User, editor: User, reader: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, run = [], running.run

    def noted(report: Report, actor: User | None, days: running.Days | None = None) -> running.Run:
        asked.append(actor)
        return run(report, actor, days)

    monkeypatch.setattr(running, "run", noted)
    report = saved(admin, to=[editor, reader], query="q=edgar")
    assert mailing.take_on(report, timezone.now())
    assert asked == [editor, reader]
    assert [export.total for export in Export.objects.all()] == [1, 1]


@pytest.mark.parametrize("fate", ["demoted", "deactivated", "without e-mail", "no private fields"])
def test_who_may_not_have_it_is_left_out_and_the_owner_is_told(
    admin: User, editor: User, reader: User, fate: str
) -> None:
    report = saved(admin, to=[editor, reader], columns=["username"])
    if fate == "demoted":
        roles.assign([reader], roles.MEMBER)
    elif fate == "no private fields":
        Report.objects.update(columns=["username", "phone_number"])
    else:
        User.objects.filter(pk=reader.pk).update(**{"is_active": False} if fate == "deactivated" else {"email": ""})
    assert mailing.send_due().skipped == 1
    assert states(report) == {"edgar": State.SENT, "rita": State.SKIPPED}
    assert not Export.objects.filter(owner=reader).exists()
    [news] = [message for message in mail.outbox if message.to == [admin.email]]
    assert "Rita Reader" in news.body
    assert reverse("admin:users_profiles_report_change", args=[report.pk]) in news.body


def test_a_private_filter_is_not_mailed_to_who_may_not_use_it(admin: User, reader: User) -> None:
    report = saved(admin, to=[reader], query="birthday=3")
    mailing.send_due()
    assert states(report) == {"rita": State.SKIPPED}
    assert "birthday" in report.deliveries.get(is_news=False).reason


def test_who_loses_the_right_between_file_and_mail_gets_no_mail(
    admin: User, editor: User, down: None, settings: Any
) -> None:
    report = saved(admin, to=[editor], columns=["username", "phone_number"])
    mailing.send_due()
    roles.assign([editor], Role.READER)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    let_it_be_tried_again()
    mailing.send_due()
    assert states(report) == {"edgar": State.SKIPPED}
    assert not mail.outbox


def test_what_changed_is_mailed_from_run_to_run(admin: User, editor: User, ada: User) -> None:
    report = saved(admin, to=[editor], kind="changes", columns=["location"])
    mailing.send_due()
    first = Export.objects.get()
    ada.profile.location = "Paris"
    ada.save()
    Report.objects.update(next_at=timezone.now())
    mailing.send_due()
    second = Export.objects.latest("pk")
    assert second.since == first.until
    assert second.cursor == 1
    assert b"Paris" in second.file.read()
    report.refresh_from_db()
    assert report.ran_at == second.until
    assert "1 change from" in mail.outbox[-1].body


# When it does not work ----------------------------------------------------------------------------------------------


def test_a_mail_server_that_is_down_is_tried_again_and_said(
    browse: Browse, admin: User, editor: User, down: None, settings: Any
) -> None:
    report = saved(admin, to=[editor])
    assert vars(mailing.send_due()) == {"runs": 1, "mails": 0, "skipped": 0, "failed": 0}
    waiting = report.deliveries.get()
    assert (waiting.state, waiting.attempts) == (State.WAITING, 1)
    assert waiting.try_at > timezone.now()
    page = browse(admin).get(reverse("admin:users_profiles_report_change", args=[report.pk])).content.decode()
    assert "The mail server did not take it." in page
    mailing.send_due()
    assert report.deliveries.get().attempts == 1  # it is not time yet
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    let_it_be_tried_again()
    assert mailing.is_anything_due()
    assert mailing.send_due().mails == 1
    assert states(report) == {"edgar": State.SENT}
    assert Export.objects.count() == 1


def test_in_the_end_it_is_given_up(admin: User, editor: User, down: None) -> None:
    report = saved(admin, to=[editor])
    for _try in range(len(DELAYS)):
        mailing.send_due()
        let_it_be_tried_again()
    assert states(report) == {"edgar": State.WAITING}
    assert mailing.send_due().failed == 1
    assert states(report) == {"edgar": State.FAILED}
    assert not mailing.is_anything_due()


def test_a_file_that_could_not_be_made_is_no_mail_but_a_reason(admin: User, editor: User) -> None:
    report = saved(admin, to=[editor])
    now = timezone.now()
    assert mailing.take_on(report, now)
    Export.objects.get().fail("The disk is full.")
    mailing.send_due()
    assert states(report) == {"edgar": State.FAILED}
    assert "The disk is full." in report.deliveries.get().reason
    assert not mail.outbox


def test_a_file_that_somebody_else_is_making_is_waited_for(admin: User, editor: User) -> None:
    report = saved(admin, to=[editor])
    mailing.take_on(report, timezone.now())
    export = Export.objects.get()
    assert export.take_lease("another worker")
    mailing.send_due()
    assert (states(report), report.deliveries.get().attempts) == ({"edgar": State.WAITING}, 0)
    export.release_lease("another worker")
    let_it_be_tried_again()
    mailing.send_due()
    assert states(report) == {"edgar": State.SENT}


def test_whoever_dies_while_mailing_leaves_it_to_others_after_a_while(admin: User, editor: User) -> None:
    report = saved(admin, to=[editor])
    mailing.take_on(report, timezone.now())
    assert report.deliveries.get().claim(timezone.now())  # and is killed
    mailing.send_due()
    assert not mail.outbox
    Delivery.objects.update(try_at=timezone.now() - MAILING)
    mailing.send_due()
    assert len(mail.outbox) == 1


def test_one_report_that_fails_does_not_hold_the_others_up(
    admin: User, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, good = saved(admin, "Broken", to=[editor]), saved(admin, "Good", to=[editor])
    take_on = mailing.take_on

    def stumble(report: Report, now: Any) -> bool:
        if report == broken:
            raise RuntimeError("a mistake of ours")
        return take_on(report, now)

    monkeypatch.setattr(mailing, "take_on", stumble)
    assert mailing.send_due().mails == 1
    assert states(good) == {"edgar": State.SENT}


def test_what_was_mailed_long_ago_is_forgotten(admin: User, editor: User) -> None:
    report = saved(admin, to=[editor])
    long_ago = timezone.now() - timedelta(days=100)
    Delivery.objects.create(report=report, recipient=editor, run_at=long_ago, state=State.SENT)
    mailing.send_due()
    retention.prune()
    assert states(report) == {"edgar": State.SENT}
    assert report.deliveries.count() == 1


# Several at once ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_who_send_at_the_same_time_send_once(admin: User, editor: User, reader: User) -> None:
    saved(admin, to=[editor, reader])
    all_at_once(*[mailing.send_due] * 3)
    let_it_be_tried_again()  # whoever found the other at work on a file looks again soon
    mailing.send_due()
    assert sorted(message.to[0] for message in mail.outbox) == ["edgar@example.com", "rita@example.com"]
    assert Export.objects.count() == 2


@pytest.mark.usefixtures("at_once")
def test_the_worker_sends_by_itself_and_asks_only_now_and_then(
    admin: User, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(admin, to=[editor])
    beat = Reporting()
    beat()
    assert len(mail.outbox) == 1
    Report.objects.update(next_at=timezone.now())
    beat()
    assert len(mail.outbox) == 1  # it has just looked
    monkeypatch.setattr("users_profiles.management.commands.worker.REPORTS_EVERY", 0)
    beat = Reporting()
    beat()
    assert len(mail.outbox) == 2
