"""Reports being changed: their filter in the list, staff found for their mails, and mails sent at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from tests.admin_pages import messages_of
from tests.people import Browse
from tests.reporting import ADD, form, page, saved
from users_profiles.admin import listing
from users_profiles.models import Report, Role, User

pytestmark = pytest.mark.django_db

STAFF = reverse("admin:users_profiles_report_staff")


# Whom it shows, said in words and changed in the list --------------------------------------------------------------


def test_the_filter_is_said_in_words_and_changed_in_the_list(browse: Browse, editor: User) -> None:
    report = saved(editor, "Fire wardens", query="role=Editor")
    client = browse(editor)
    html = client.get(page("edit", report)).content.decode()
    assert "<p>Role: Editor · <a" in html
    assert '<input type="hidden" name="query" value="role=Editor"' in html
    assert f'href="{listing.of_report(report)}"'.replace("&", "&amp;") in html
    assert "Fire wardens" in client.get(listing.of_report(report)).content.decode()


def test_a_filter_that_makes_no_sense_is_not_saved(browse: Browse, editor: User) -> None:
    html = browse(editor).post(ADD, form(query="colour=red")).content.decode()
    assert "There is no filter “colour”." in html
    assert not Report.objects.exists()


@pytest.mark.parametrize("order", ["3.-1", "birth_date"])
def test_an_order_that_cannot_be_is_not_saved_again(browse: Browse, reader: User, order: str) -> None:
    report = saved(reader, order=order)
    html = browse(reader).post(page("edit", report), form(name="Other", order=order)).content.decode()
    assert f"People cannot be put in order by “{order}”." in html
    report.refresh_from_db()
    assert report.name == "Editors"
    browse(reader).post(page("edit", report), form(name="Other", order=""))
    report.refresh_from_db()
    assert (report.name, report.order) == ("Other", "")


def test_a_new_report_has_what_its_filter_asks_about_after_who_somebody_is(
    browse: Browse, editor: User, reader: User
) -> None:
    def ticked(actor: User, query: str) -> list[str]:
        listed = browse(actor).get(ADD, {"query": query}).context["form"].listed
        return [name for name, _label, is_ticked in listed if is_ticked]

    assert ticked(editor, "birthday=3")[:5] == ["username", "email", "first_name", "last_name", "birth_date"]
    assert ticked(editor, "signed_in=never&role=Editor")[4:6] == ["last_login", "role"]
    assert "birth_date" not in ticked(reader, "birthday=3")
    assert ticked(editor, "colour=red") == ticked(editor, "")


# To whom it is mailed -----------------------------------------------------------------------------------------------


def test_staff_are_found_by_any_part_of_their_name_and_only_by_who_may_save_reports(
    browse: Browse, admin: User, reader: User, stranger: User, make_person: Callable[..., User]
) -> None:
    make_person("gone", role=Role.READER, last_name="Reader", is_active=False)
    found = browse(admin).get(STAFF, {"q": "READ rit"}).json()
    assert found == {"staff": [{"key": reader.pk, "label": "Rita Reader · Reader"}]}
    assert browse(admin).get(STAFF, {"q": "stranger"}).json() == {"staff": []}
    assert browse(stranger).get(STAFF).status_code == 403
    clerk = make_person("clerk", is_staff=True)
    assert browse(clerk).get(STAFF).status_code == 403


def test_whoever_was_found_among_many_can_be_ticked(
    browse: Browse, admin: User, editor: User, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("users_profiles.reports.forms.MANY", 1)
    client = browse(admin)
    assert f'data-find="{STAFF}"' in client.get(ADD).content.decode()
    refused = client.post(ADD, form(every="day", recipients=[editor.pk, stranger.pk]))
    assert "recipients" in refused.context["form"].errors
    client.post(ADD, form(every="day", recipients=[editor.pk]))
    assert list(Report.objects.get().recipients.all()) == [editor]


def test_who_makes_a_report_is_proposed_to_get_it_and_nobody_does_without_a_schedule(
    browse: Browse, admin: User, editor: User
) -> None:
    client = browse(admin)
    assert client.get(ADD).context["form"]["recipients"].initial == [admin.pk]
    client.post(ADD, form(every="", recipients=[admin.pk]))
    report = Report.objects.get()
    assert not report.recipients.exists()
    report.recipients.set([editor])
    assert client.get(page("edit", report)).context["form"]["recipients"].initial == [editor.pk]


# Sent at once -------------------------------------------------------------------------------------------------------


def test_a_report_is_sent_at_once_and_a_second_click_sends_nothing(
    browse: Browse, admin: User, editor: User, reader: User, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    due = timezone.now() + timedelta(hours=3)  # further off, a daily report was sent by a wrong clock
    report = saved(admin, to=[editor, reader], next_at=due)
    client = browse(admin)
    assert "Send now" in client.get(page("change", report)).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(page("send", report), follow=True)
        again = client.post(page("send", report), follow=True)
    assert messages_of(answer) == ["It is on its way to 2 people."]
    assert messages_of(again) == ["It was sent only a moment ago."]
    assert sorted(to for each in mail.outbox for to in each.to) == [editor.email, reader.email]
    report.refresh_from_db()
    assert report.next_at == due


def test_nobody_sends_what_is_not_theirs_or_what_goes_to_nobody(browse: Browse, editor: User, reader: User) -> None:
    shared = saved(editor, "Shared", to=[reader], sharing="staff")
    assert browse(reader).post(page("send", shared)).status_code == 403
    assert "Send now" not in browse(reader).get(page("change", shared)).content.decode()
    kept = saved(editor, "Kept")
    answer = browse(editor).post(page("send", kept), follow=True)
    assert messages_of(answer) == ["Nobody is mailed this report. Edit it to say who."]
    assert browse(editor).get(page("send", kept)).status_code == 405
    assert not mail.outbox
