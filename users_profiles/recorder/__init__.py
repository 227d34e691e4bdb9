"""Writes the trail: every change of a person, whichever road it takes, is noted where it happens.

What a form or a program saves is seen by receivers (``saves``). What is written past them, by one statement to many
people, says so itself (``note``). Imports do neither: their rows say what became of whom, and ``trail`` reads both.

Nothing here ever holds a password, only that there is a new one; of a picture only that there is one.
"""

from users_profiles.recorder import saves  # noqa: F401  (its receivers register themselves)
from users_profiles.recorder.notes import (
    Change,
    is_recording,
    looked_at,
    note,
    note_erasure,
    note_report,
    note_same,
    quietly,
    together,
)
from users_profiles.recorder.origin import by, marked, remember_request
from users_profiles.recorder.people import NOT_TRACKED, OTHER_FIELDS, PERSON_FIELDS, note_roles, roles_of, text

__all__ = [
    "NOT_TRACKED",
    "OTHER_FIELDS",
    "PERSON_FIELDS",
    "Change",
    "by",
    "is_recording",
    "looked_at",
    "marked",
    "note",
    "note_erasure",
    "note_report",
    "note_roles",
    "note_same",
    "quietly",
    "remember_request",
    "roles_of",
    "text",
    "together",
]
