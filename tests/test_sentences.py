"""Sentences that are kept: each reader has them in their own language, whoever they were said to first."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from django.utils import translation

from tests.import_pages import page
from tests.people import Browse
from users_profiles.models import Import, User
from users_profiles.sentences import keep, say
from users_profiles.sentences import sentence as _
from users_profiles.storage import StorageDown
from users_profiles.transfer import importer, intake
from users_profiles.transfer.errors import FileRefused, too_many_columns


def test_a_sentence_is_text_in_the_present_language() -> None:
    with translation.override("de"):
        assert _("This file is empty.") == "Diese Datei ist leer."
        assert str(FileRefused(_("This file is empty."))) == "Diese Datei ist leer."


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_what_was_kept_in_one_language_is_said_in_another(language: str) -> None:
    with translation.override("fr"):
        kept = keep(too_many_columns(7))
    with translation.override(language):
        assert say(kept) == too_many_columns(7)
    assert "7" in say(kept)


def test_a_sentence_within_a_sentence_is_translated_with_it() -> None:
    with translation.override("de"):
        reason = _("a quotation mark is never closed, or stands in the middle of a cell")
        kept = keep(_("Row %(row)s: %(reason)s. Mend it there.") % {"row": 5, "reason": reason})
    with translation.override("en"):
        assert say(kept) == "Row 5: a quotation mark is never closed, or stands in the middle of a cell. Mend it there."


@pytest.mark.parametrize("text", ["", "100 % wrong", "{odd}", '{"no": "sentence"}'])
def test_other_text_is_kept_as_it_is(text: str) -> None:
    assert say(keep(text)) == text


def test_no_text_in_a_file_is_taken_for_a_sentence_of_ours() -> None:
    nasty = '{"sentence": "This file is empty.", "details": {}}'
    assert nasty in say(keep(_("Row %(row)s: %(reason)s. Mend it there.") % {"row": 1, "reason": nasty}))


@pytest.mark.django_db
def test_why_an_import_failed_is_read_by_each_in_their_language(browse: Browse, superuser: User, admin: User) -> None:
    for person, language in ((superuser, "de"), (admin, "en")):
        person.language = language
        person.save()
    job = intake.receive(ContentFile(b"username\n" + 30 * b"ada\n" + b'"bob'), "people.csv", superuser)
    job.start_check()
    importer.run(job)
    assert job.state == Import.State.FAILED
    assert (
        "Zeile 32: ein Anführungszeichen wird nie geschlossen"
        in browse(superuser).get(page("change", job)).content.decode()
    )
    assert "Row 32: a quotation mark is never closed" in browse(admin).get(page("change", job)).content.decode()


@pytest.mark.django_db
def test_it_outlives_an_undo_that_is_only_planned(superuser: User) -> None:
    job = intake.receive(ContentFile(b"username\nada\n"), "people.csv", superuser)
    job.start_check()
    importer.run(job)
    job.start_apply()
    with translation.override("de"):
        assert job.fail(_("This file is empty."))
        assert job.start_undo(superuser, write=False)
    with translation.override("fr"):
        job = Import.objects.get(pk=job.pk)
        assert job.finish_undo()
    assert Import.objects.get(pk=job.pk).failure == "This file is empty."


@pytest.mark.django_db
def test_so_does_why_the_storage_gave_none() -> None:
    job = Import.objects.create(filename="x.csv", size=1, state=Import.State.CHECKING)
    with translation.override("de"):
        assert job.fail(StorageDown().sentence)
    assert Import.objects.get().failure == "The file storage does not answer. Try again in a few minutes."
