"""The pages on which an import is taken back: what that would do, who may, and what is said afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from tests.import_pages import HISTORY, applied, html, page, text
from tests.people import Browse, Make
from users_profiles.models import User

pytestmark = pytest.mark.django_db


def test_an_undo_is_shown_first_and_done_when_told_so(
    browse: Browse, admin: User, superuser: User, make_person: Make
) -> None:
    make_person("ada", location="Berlin")
    make_person("kept", location="Berlin")
    client = browse(admin)
    job = applied(client, "username,location\nada,Paris\nkept,Paris\nbob,Rome\nused,Rome\n")
    User.objects.filter(username="used").update(last_login=timezone.now())
    kept = User.objects.get(username="kept")
    kept.profile.location = "Oslo"
    kept.save()
    preview = client.post(page("plan_undo", job), follow=True).content.decode()
    assert "Undo: remove 1, deactivate 1, restore 1" in preview
    assert "has signed in since" in html(client, "undo", job, show="deactivated")
    assert "Location: was changed again since" in html(client, "undo", job, show="kept")
    assert "<del>Paris</del> → <ins>Berlin</ins>" in html(client, "undo", job, show="restored")
    assert User.objects.filter(username="bob").exists()
    result = text(client.post(page("undo", job), follow=True).content.decode())
    assert "This import was undone. Removed: 1, deactivated: 1, restored: 1, kept: 1." in result
    assert not User.objects.filter(username="bob").exists()
    assert "Undone by: Alice Admin." in text(html(client, "undo", job))
    job.refresh_from_db()
    assert job.undone_by == admin
    User.objects.filter(pk=admin.pk).delete()
    assert "Undone by: Somebody who has been deleted." in text(html(browse(superuser), "undo", job))


def test_an_undo_says_how_many_of_those_it_removes_hold_an_invitation(browse: Browse, admin: User) -> None:
    client = browse(admin)
    job = applied(client, "username,email\n" + "".join(f"p{at},p{at}@example.com\n" for at in range(4)))
    said = "2 of those who would be removed have been invited already."
    assert "been invited already" not in client.post(page("plan_undo", job), follow=True).content.decode()
    client.post(page("invite", job), {"who": "ticked", "row": ["2", "3", "4"]})
    User.objects.filter(username="p2").update(last_login=timezone.now())  # is kept, and so is the link
    assert said in client.post(page("plan_undo", job), follow=True).content.decode()
    client.post(page("undo", job))
    assert "been invited already" not in html(client, "undo", job)


def test_an_undo_that_nobody_has_looked_at_is_not_done(browse: Browse, editor: User) -> None:
    client = browse(editor)
    job = applied(client, "username\nada\n")
    client.post(page("undo", job))
    assert User.objects.filter(username="ada").exists()


def test_an_admin_undoes_an_editors_import_and_a_stranger_to_it_does_not(
    browse: Browse, editor: User, admin: User, make_person: Make
) -> None:
    job = applied(browse(editor), "username\nada\n")
    other = browse(make_person("other", role="Editor"))
    assert other.post(page("plan_undo", job)).status_code == 404
    assert other.post(page("undo", job)).status_code == 404
    client = browse(admin)
    client.post(page("plan_undo", job))
    client.post(page("undo", job))
    assert not User.objects.filter(username="ada").exists()


def test_a_large_undo_is_left_to_the_worker_and_can_be_stopped_by_who_began_it(
    browse: Browse, editor: User, admin: User, settings: Any
) -> None:
    job = applied(browse(editor), "username\nada\nbob\n")
    settings.IMPORT_SYNC_ROWS = 1
    client = browse(admin)
    waiting = client.post(page("plan_undo", job), follow=True)
    assert "Undoing staff.csv" in waiting.content.decode()
    assert client.get(page("progress", job)).json()["under_way"] is True
    assert client.post(page("cancel", job)).status_code == 302
    job.refresh_from_db()
    assert (job.state, job.is_planned) == ("done", False)


def test_the_undone_import_stays_in_the_history_with_what_it_did(browse: Browse, editor: User) -> None:
    client = browse(editor)
    job = applied(client, "username\nada\n")
    client.post(page("plan_undo", job))
    client.post(page("undo", job))
    assert "Undone" in text(client.get(HISTORY).content.decode())
    rows = client.get(page("change", job), {"show": "new"}).context["rows"]
    assert [(row["label"], str(row["undone"].label), row["person"]) for row in rows] == [("ada", "Removed", "")]
