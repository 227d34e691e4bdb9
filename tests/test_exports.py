"""The ledger of exports and the work behind it: sent while somebody waits, or made by the worker."""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Permission
from django.db import OperationalError
from django.utils import timezone

from tests.importing import crowd
from tests.workers import Nursery
from users_profiles.models import Export, User, Worker
from users_profiles.models.leases import MOST_ATTEMPTS
from users_profiles.models.profile import PRIVATE_FIELDS
from users_profiles.transfer import lease, retention, tasks
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.export import formats, making
from users_profiles.transfer.export.sending import Sending
from users_profiles.transfer.export.wanted import USUAL, Wanted, last_choice

pytestmark = pytest.mark.django_db
State = Export.State


def entry(actor: User | None = None, **wanted: Any) -> Export:
    return Wanted(actor, columns=["username", "email"], **wanted).entry(0)


def making_of(actor: User | None = None, **wanted: Any) -> Export:
    export = entry(actor, **wanted)
    assert export.start_making()
    return export


# Whom, and whether ---------------------------------------------------------------------------------------------------


def test_people_are_those_of_the_list_in_its_order(editor: User, reader: User, stranger: User) -> None:
    assert [person.username for person in Wanted(editor, "role=Editor").people()] == ["edgar"]
    assert [person.username for person in Wanted(None, order="-username").people()] == ["stan", "rita", "edgar"]
    keys = [reader.pk, stranger.pk, 4711]
    assert [person.username for person in Wanted(editor, keys=keys, order="username").people()] == ["rita", "stan"]
    assert not Wanted(editor, keys=[]).people()


@pytest.mark.parametrize(
    "wrong",
    [
        {"columns": []},
        {"columns": ["password"]},
        {"columns": ["username", "username"]},
        {"columns": ["username", "phone_number"]},
        {"columns": ["birth_date"]},
    ],
)
def test_what_may_not_leave_is_refused(reader: User, wrong: dict[str, Any]) -> None:
    with pytest.raises(FileRefused):
        Wanted(reader, **wrong).check()


@pytest.mark.parametrize(("query", "order"), [("birthday=3", ""), ("colour=red", ""), ("", "phone_number")])
def test_a_selection_that_cannot_be_made_is_refused(reader: User, query: str, order: str) -> None:
    with pytest.raises(FileRefused):
        Wanted(reader, query, order).people()


def test_who_may_not_export_is_refused_and_the_operator_of_the_host_never(stranger: User) -> None:
    with pytest.raises(FileRefused, match="may not export"):
        Wanted(stranger, columns=["username"]).check()
    Wanted(None).check()


def test_more_people_than_a_sheet_holds_are_refused_for_excel_alone() -> None:
    with pytest.raises(FileRefused, match="1,048,575"):
        Wanted(None, format="xlsx").check(2_000_000)
    Wanted(None, format="csv").check(2_000_000)


def test_the_last_choice_is_remembered_as_far_as_it_is_still_allowed(editor: User, reader: User) -> None:
    assert last_choice(editor).columns == list(USUAL)
    assert last_choice(reader).columns == [name for name in USUAL[:-1] if name not in PRIVATE_FIELDS]
    Wanted(editor, columns=["phone_number", "username"], format="jsonl").entry(1)
    Export.objects.update(state=State.DONE)
    assert (last_choice(editor).columns, last_choice(editor).format) == (["phone_number", "username"], "jsonl")
    editor.groups.get().permissions.remove(Permission.objects.get(codename="view_private_fields"))
    editor = User.objects.get(pk=editor.pk)
    assert last_choice(editor).columns == ["username"]


# Sent while somebody waits -------------------------------------------------------------------------------------------


def test_what_was_sent_is_written_down_with_its_digest(editor: User, reader: User) -> None:
    export = entry(editor)
    assert export.state == State.CHOSEN
    data = b"".join(Sending(export))
    export.refresh_from_db()
    assert (export.state, export.cursor, export.total, export.size) == (State.DONE, 2, 2, len(data))
    assert export.digest == hashlib.sha256(data).hexdigest()
    assert (export.owner, export.by_operator, export.finished_at is not None) == (editor, False, True)
    assert not export.can_be_downloaded


def test_a_download_that_is_broken_off_says_so(editor: User) -> None:
    Sending(entry(editor)).close()  # the reader was gone before the first block
    export = entry(editor)
    sending = Sending(export)
    assert export.state == State.SENDING
    data = next(sending)
    sending.close()
    assert [one.state for one in Export.objects.order_by("pk")] == [State.BROKEN_OFF] * 2
    export.refresh_from_db()
    assert (export.size, export.digest) == (len(data), hashlib.sha256(data).hexdigest())


def test_closing_what_was_sent_whole_changes_nothing(editor: User) -> None:
    sending = Sending(entry(editor))
    list(sending)
    sending.close()
    assert Export.objects.get().state == State.DONE


def test_an_error_while_sending_is_written_down_and_not_swallowed(
    editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: Any) -> Iterator[tuple[bytes, int]]:
        yield b"x", 0
        raise OperationalError("gone")

    monkeypatch.setattr(formats, "blocks", fails)
    with pytest.raises(OperationalError):
        list(Sending(entry(editor)))
    export = Export.objects.get()
    assert (export.state, bool(export.failure)) == (State.FAILED, True)


def test_rights_are_looked_at_again_when_it_is_sent(editor: User) -> None:
    export = Wanted(editor, columns=["username", "phone_number"]).entry(0)
    editor.groups.clear()
    with pytest.raises(FileRefused):
        Sending(Export.objects.get(pk=export.pk))


# Made by the worker --------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("file_format", Export.Format.values)
def test_the_worker_makes_the_file_that_would_have_been_sent(editor: User, reader: User, file_format: str) -> None:
    sent = b"".join(Sending(entry(editor, format=file_format)))
    export = making_of(editor, format=file_format)
    tasks.run_export.call(export.pk)
    export.refresh_from_db()
    assert (export.state, export.cursor, export.failure) == (State.DONE, 2, "")
    made = Path(export.file.path).read_bytes()
    assert (export.size, export.digest) == (len(made), hashlib.sha256(made).hexdigest())
    if file_format != "xlsx":  # a workbook says when it was made
        assert made == sent
    assert export.can_be_downloaded
    assert export.expires_at > timezone.now() + timedelta(days=django_settings.EXPORT_KEEP_DAYS, hours=-1)
    assert "people" not in str(export.file)


@pytest.mark.django_db(transaction=True)
def test_a_cancelled_export_leaves_no_file(editor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "TELL_EVERY", 0)
    export = making_of(editor)

    def cancel(held: Export) -> None:
        assert Export.objects.get(pk=held.pk).cancel()

    making.run(export, cancel)
    export.refresh_from_db()
    assert (export.state, Path(export.file.path).exists()) == (State.CANCELLED, False)
    assert export.start_making()  # and can be asked for again
    making.run(export)
    assert Export.objects.get().state == State.DONE


@pytest.mark.django_db(transaction=True)
def test_one_that_was_cancelled_at_the_last_moment_keeps_no_file(editor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    export = making_of(editor)
    finish = Export.finish

    def too_late(self: Export, *args: Any, **kwargs: Any) -> bool:
        Export.objects.get(pk=self.pk).cancel()
        return finish(self, *args, **kwargs)

    monkeypatch.setattr(Export, "finish", too_late)
    making.run(export)
    export.refresh_from_db()
    assert (export.state, Path(export.file.path).exists()) == (State.CANCELLED, False)


@pytest.mark.django_db(transaction=True)
def test_a_worker_told_to_stop_leaves_the_export_to_the_next(editor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "TELL_EVERY", 0)
    export = making_of(editor)
    monkeypatch.setattr(lease, "is_stopping", lambda: True)
    making.run(export)
    assert list(Export.objects.adrift()) == [export]
    monkeypatch.undo()
    making.run(export)
    assert Export.objects.get().state == State.DONE


def test_rights_are_looked_at_again_when_it_is_made(editor: User, make_person: Callable[..., User]) -> None:
    lost, deleted = making_of(editor), making_of(make_person("gone", role="Editor"))
    editor.groups.clear()
    User.objects.get(username="gone").delete()
    for export in (lost, deleted):
        making.run(Export.objects.get(pk=export.pk))
        assert Export.objects.get(pk=export.pk).state == State.FAILED


def test_what_kills_its_workers_again_and_again_is_given_up() -> None:
    export = making_of()
    for attempt in range(MOST_ATTEMPTS):
        assert export.take_lease(f"worker {attempt}")
        assert export.advance(f"worker {attempt}", 10)  # as far as ever: it begins anew each time
        Export.objects.update(lease_until=None)
    making.run(export)
    assert Export.objects.get().state == State.FAILED


def test_an_export_left_behind_is_queued_once_however_often_somebody_looks(settings: Any) -> None:
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}
    export = making_of()
    assert tasks.queue(export)
    assert tasks.sweep() == 0
    Export.objects.update(queued_at=timezone.now() - tasks.TASK_LOST * 2)
    assert [tasks.sweep() for _look in range(2)] == [1, 0]
    assert export.take_lease("somebody")
    assert tasks.sweep() == 0


def test_it_waits_for_a_worker_and_says_so() -> None:
    export = making_of()
    Export.objects.update(started_at=timezone.now() - tasks.PATIENCE * 2)
    export.refresh_from_db()
    assert tasks.needs_worker(export)
    Worker.objects.create(name="one")
    assert not tasks.needs_worker(export)


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_is_followed_by_one_that_makes_the_whole_file() -> None:
    crowd(15_000)
    export = making_of(order="username", format="xlsx")  # which takes longest
    with Nursery() as nursery:
        nursery.start()
        while not Export.objects.get().lease_holder:
            time.sleep(0.02)
        nursery.kill()
        assert Export.objects.get().state == State.MAKING
        Export.objects.update(lease_until=timezone.now() - timedelta(seconds=1), queued_at=None)
        nursery.start()
        assert nursery.wait() == 0
    export.refresh_from_db()
    assert (export.state, export.cursor, export.attempts) == (State.DONE, 15_000, 2)
    sheet = openpyxl.load_workbook(io.BytesIO(Path(export.file.path).read_bytes()), read_only=True).active
    assert [row[0] for row in sheet.iter_rows(min_row=2, values_only=True)] == [f"p{at:05}" for at in range(15_000)]


# Who sees it, and for how long ----------------------------------------------------------------------------------------


def test_people_see_their_own_exports_and_who_grants_roles_sees_all(
    editor: User, admin: User, reader: User, stranger: User
) -> None:
    own, others = entry(editor), entry(admin)
    assert set(Export.objects.visible_to(editor)) == {own}
    assert set(Export.objects.visible_to(admin)) == {own, others}
    assert not Export.objects.visible_to(reader)
    assert not Export.objects.visible_to(stranger)
    assert not Export.objects.begun()


def test_the_ledger_outlives_who_exported(editor: User) -> None:
    export = entry(editor)
    editor.delete()
    export.refresh_from_db()
    assert (export.owner, export.by_operator) == (None, False)


@pytest.mark.django_db(transaction=True)
def test_a_file_is_gone_after_its_time_and_the_entry_stays(editor: User) -> None:
    export = making_of(editor)
    making.run(export)
    path = Path(export.file.path)
    assert retention.prune() == retention.Pruned()
    Export.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    export.refresh_from_db()
    assert not export.can_be_downloaded
    assert retention.prune(dry_run=True) == retention.Pruned(exports=1)
    assert path.exists()
    assert retention.prune() == retention.Pruned(exports=1)
    assert not path.exists()
    export.refresh_from_db()
    assert (export.state, export.file.name, bool(export.digest)) == (State.DONE, "", True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("end", [State.CANCELLED, State.FAILED])
def test_a_file_whose_worker_died_before_it_said_so_does_not_stay(
    editor: User, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    export = making_of(editor)

    def die(*args: Any, **kwargs: Any) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(Export, "finish", die)
    with pytest.raises(KeyboardInterrupt):
        making.run(export)
    path = Path(export.file.path)
    assert path.exists()
    Export.objects.update(state=end, finished_at=timezone.now() - timedelta(hours=23))
    assert retention.prune() == retention.Pruned()  # somebody may ask for it again
    Export.objects.update(finished_at=timezone.now() - timedelta(hours=25))
    assert retention.prune() == retention.Pruned(exports=1)
    assert not path.exists()
    assert retention.prune() == retention.Pruned()


def test_ticks_that_were_never_exported_do_not_stay(editor: User) -> None:
    entry(editor, keys=[1])
    retention.prune()
    assert Export.objects.count() == 1
    Export.objects.update(asked_at=timezone.now() - timedelta(days=2))
    retention.prune()
    assert Export.objects.count() == 0


def test_a_download_whose_server_was_killed_is_said_to_be_broken_off(editor: User) -> None:
    lost = entry(editor)
    assert lost.start_sending()
    tasks.sweep()
    lost.refresh_from_db()
    assert lost.state == State.SENDING
    Export.objects.update(started_at=timezone.now() - timedelta(hours=2))
    tasks.sweep()
    lost.refresh_from_db()
    assert lost.state == State.BROKEN_OFF


def test_a_file_of_json_lines_can_be_read_line_by_line(editor: User) -> None:
    data = b"".join(Sending(entry(editor, format="jsonl")))
    assert [json.loads(line)["username"] for line in data.splitlines()] == ["edgar"]
