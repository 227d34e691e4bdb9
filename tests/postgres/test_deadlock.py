"""What only a database with row locks can do to an import."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import psycopg
import pytest
from django.db import connection

from tests.importing import take_in
from users_profiles.models import Import, Profile, User
from users_profiles.transfer import importer

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def connect() -> psycopg.Connection:
    own = connection.settings_dict
    address = {"host": own["HOST"], "port": own["PORT"], "user": own["USER"], "password": own["PASSWORD"]}
    return psycopg.connect(**address, dbname=own["NAME"])


def wait_until_somebody_waits_for_a_lock(observer: psycopg.Connection) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    end = time.monotonic() + 30
    while observer.execute(waiting).fetchone() == (0,):
        observer.rollback()  # the view stands still within a transaction
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


def test_an_import_that_loses_a_deadlock_is_tried_again_and_writes_every_row_once(
    make_person: Callable[..., User], caplog: pytest.LogCaptureFixture
) -> None:
    first, second = make_person("ada"), make_person("bob")
    versions = set(Profile.objects.values_list("version", flat=True))
    job = take_in("username,location\nada,Paris\nbob,Paris\ncarl,Paris\n")
    assert job.start_apply(unchecked=True)
    locks = "UPDATE users_profiles_user SET last_name = 'Edited' WHERE id = %s"
    errors: list[Exception] = []
    has_second = threading.Event()

    def edit_in_the_other_order() -> None:
        try:
            with connect() as rival, connect() as observer:
                rival.execute(locks, [second.pk])
                has_second.set()
                wait_until_somebody_waits_for_a_lock(observer)
                # At once: the import has waited longer, so it is the one that PostgreSQL finds in the deadlock.
                rival.execute(locks, [first.pk])
        except Exception as error:
            errors.append(error)

    rival = threading.Thread(target=edit_in_the_other_order)
    rival.start()
    has_second.wait(30)
    with caplog.at_level(logging.WARNING):
        importer.run(job)
    rival.join()
    job.refresh_from_db()
    assert errors == []
    assert "deadlock detected" in caplog.text
    assert (job.state, job.updated, job.created) == (Import.State.DONE, 2, 1)
    assert User.objects.filter(profile__location="Paris", last_name="Edited").count() == 2
    assert set(Profile.objects.exclude(user__username="carl").values_list("version", flat=True)) == {
        version + 1 for version in versions
    }
