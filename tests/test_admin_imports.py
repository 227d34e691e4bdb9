"""The pages of an import after its columns: check, ticks, warnings, result, history."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.admin_pages import user_page
from tests.import_pages import HISTORY, applied, checked, choose, html, page, text, upload
from tests.importing import check, take_in
from tests.people import Browse, Make
from users_profiles import roles
from users_profiles.models import Import, ImportRow, TrailEntry, User
from users_profiles.transfer import importer

pytestmark = pytest.mark.django_db


# Looks ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["change", "refused"])
def test_who_is_shown_private_fields_of_an_import_is_noted(
    browse: Browse, editor: User, admin: User, name: str
) -> None:
    looks = TrailEntry.objects.filter(action=TrailEntry.Action.ACCESS, actor=admin)
    plain = check("username,location\nada,Paris\n,Rome\n", editor)
    private = check("username,phone\nada,+442079460000\n,+442079460001\n", editor)
    browse(admin).get(page(name, plain))
    assert not looks.exists()
    browse(admin).get(page(name, private))
    assert looks.get().object_repr == f"Import {private.pk}"


# Result -------------------------------------------------------------------------------------------------------------


def test_the_result_leads_to_each_person_and_each_person_back_to_the_row(
    browse: Browse, editor: User, reader: User, make_person: Make
) -> None:
    make_person("ada", location="Berlin")
    client = browse(editor)
    job = applied(client, "username,location\nada,Paris\nbob,Rome\n")
    bob = User.objects.get(username="bob")
    assert user_page(bob) in html(client, "change", job, show="new")
    content = client.get(user_page(bob)).content.decode()
    assert "Added by row 3 of staff.csv" in content
    assert "Edgar Editor" in content
    back = re.search(r'href="(/admin/users_profiles/import/[^"]+)"', content)
    assert back is not None
    rows = client.get(back[1].replace("&amp;", "&")).context["rows"]
    assert [row["number"] for row in rows] == [3]
    changed = client.get(user_page(User.objects.get(username="ada"))).content.decode()
    assert "Changed by row 2 of staff.csv" in changed
    read = browse(reader).get(user_page(bob)).content.decode()
    assert "Added by row 3 of staff.csv" in read
    assert page("change", job) not in read


def test_a_check_leaves_no_trace_on_a_person(browse: Browse, editor: User, make_person: Make) -> None:
    ada = make_person("ada", location="Berlin")
    client = browse(editor)
    checked(client, "username,location\nada,Paris\n")
    assert "From imports" not in client.get(user_page(ada)).content.decode()


def test_rows_that_a_cancelled_import_never_came_to_are_not_shown_as_done(
    browse: Browse, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "CHUNK", 2)
    job = check("username\nuser0\nuser1\nuser2\nuser3\n", editor)
    assert job.start_apply()
    importer.run(job, after_chunk=lambda running: running.cancel())
    rows = browse(editor).get(page("change", job), {"show": "new"}).context["rows"]
    assert [row["number"] for row in rows] == [2, 3]
    assert "Cancelled. What is counted here is stored; nothing more will be." in html(browse(editor), "change", job)


def test_a_check_that_was_cancelled_is_not_said_to_have_stored_anything(browse: Browse, editor: User) -> None:
    job = take_in("username\nada\n", editor)
    assert job.start_check()
    client = browse(editor)
    content = client.post(page("cancel", job), follow=True).content.decode()
    assert "Cancelled before anything was changed." in content
    assert "stored" not in text(content)


def test_the_history_says_who_when_what_and_how_long(browse: Browse, editor: User, admin: User) -> None:
    job = applied(browse(editor), "username\nada\nbob\n")
    listed = text(browse(admin).get(HISTORY).content.decode())
    for fact in ("staff.csv", "Edgar Editor", "Done", "just now"):
        assert fact in listed
    about = text(html(browse(admin), "change", job))
    for fact in (job.digest, "username → Username", "Edgar Editor"):
        assert fact in about


def test_the_pages_ask_no_more_of_the_database_for_more_rows(browse: Browse, editor: User) -> None:
    client = browse(editor)

    def queries(rows: int) -> list[int]:
        job = applied(client, "username\n" + "".join(f"u{rows}x{at}\n" for at in range(rows)))
        client.post(page("plan_undo", job))
        found = []
        for name in ("change", "invite", "undo"):
            html(client, name, job)
            with CaptureQueriesContext(connection) as captured:
                html(client, name, job)
            found.append(len(captured))
        return found

    assert queries(2) == queries(30)


# Who sees what, steps, and files that are gone -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tick", "undo", "plan_undo", "invite", "invite_progress"])
def test_the_new_pages_do_not_exist_for_others(browse: Browse, editor: User, reader: User, name: str) -> None:
    job = applied(browse(editor), "username\nada\n")
    roles.assign([editor], "Reader")
    for person in (editor, reader):
        client = browse(person)
        method = client.get if name == "invite_progress" else client.post
        assert method(page(name, job)).status_code in {403, 404}
    assert ImportRow.objects.filter(ticked=True, invited="").count() == 1


def current_step(client: Client, address: str) -> str:
    content = client.get(address, follow=True).content.decode()
    found = re.search(r'<ol class="steps".*?</ol>', content, re.DOTALL)
    assert found
    return text(re.findall(r'<li aria-current="step">.*?</li>', found[0])[0])


def test_an_import_that_stopped_shows_the_step_in_which_it_did(browse: Browse, editor: User) -> None:
    client = browse(editor)
    job = checked(client, "username\nada\n")
    for state, applied_at, step in (
        ("failed", None, "Check"),
        ("cancelled", None, "Check"),
        ("failed", timezone.now(), "Apply"),
        ("cancelled", timezone.now(), "Apply"),
        ("done", timezone.now(), "Done"),
    ):
        Import.objects.update(state=state, applied_at=applied_at)
        assert current_step(client, page("change", job)) == step, (state, applied_at)
    Import.objects.update(state="failed", applied_at=None, subject=Import.Subject.PICTURES)
    assert current_step(client, page("change", job)) == "Check"


def test_an_import_that_is_taken_back_has_no_steps_left(browse: Browse, editor: User) -> None:
    client = browse(editor)
    job = applied(client, "username\nada\n")
    assert '<ol class="steps"' in html(client, "change", job)
    client.post(page("plan_undo", job))
    client.post(page("undo", job))
    for name in ("change", "undo"):
        assert '<ol class="steps"' not in html(client, name, job)
    Import.objects.update(state="undoing", undo={**Import.objects.get().undo, "started": timezone.now().isoformat()})
    assert '<ol class="steps"' not in html(client, "change", job)


@pytest.mark.parametrize("how", ["forgotten", "lost"])
@pytest.mark.parametrize("state", ["uploaded", "checked", "failed"])
def test_without_its_file_every_page_of_an_import_says_so(browse: Browse, editor: User, how: str, state: str) -> None:
    client = browse(editor)
    job = checked(client, "username,email\nada,x\n")
    job.file.storage.delete(job.file.name)
    Import.objects.update(state=state, **({"file": ""} if how == "forgotten" else {}))
    for request in (
        lambda: client.get(page("columns", job), follow=True),
        lambda: client.post(page("columns", job), {"reread": "1", "reading-header_row": "1"}, follow=True),
        lambda: choose(client, job),
        lambda: client.get(page("refused", job), follow=True),
    ):
        answer = request()
        assert answer.redirect_chain[-1][0] == page("change", job)
        assert "not kept any more" in answer.content.decode()
    if state == "checked":
        client.post(page("apply", job))
        job.refresh_from_db()
        assert (job.state, job.failure) == ("failed", "The file of this import is not kept any more. Upload it again.")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("username\nada\n", "This is not an Excel file, though its name ends in .xlsx."),
        ("<table><tr><td>username</td></tr></table>", "This is a web page or XML."),
    ],
)
def test_a_file_that_only_its_name_calls_excel_is_refused(browse: Browse, editor: User, content: str, why: str) -> None:
    answer = upload(browse(editor), content.encode(), "Staff.XLSX")
    assert why in answer.content.decode()
    assert not Import.objects.exists()
