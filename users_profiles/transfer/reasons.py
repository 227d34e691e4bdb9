"""Why a row, or a picture in an archive, is refused: kept by a code, said to each reader in their own language.

The code is stored with what goes into its sentence. Texts of a million rows are never put together unless somebody
reads them, and whoever reads them need not speak the language of whoever had the file checked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from users_profiles import avatars

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

REASONS: dict[str, StrPromise] = {
    # A cell that cannot be taken
    "hidden": _("This has an invisible character (U+%(code)04X). Type the value anew."),
    "long": _("This has %(length)s characters; shorten it to %(longest)s."),
    "long_cell": _("This cell has %(length)s characters; more than %(longest)s are not read. Shorten it."),
    "failed": _("The formula in this cell has failed. Write the value itself."),
    "lookalikes": _("This username has look-alike characters. Write it as %(plain)s."),
    "alphabets": _("This username mixes alphabets that look alike. Write all of it in one alphabet."),
    "username": _("A username has only letters, digits and @ . + - _ in it."),
    "email": _("This is not an e-mail address. Write it like name@example.com."),
    "flag": _("This is neither yes nor no. Write yes or no."),
    "role": _("There is no such role. Write Admin, Editor, Reader or Member."),
    "phone": _("This is not a phone number. Write it with the country code, such as +49 30 123456."),
    "day": _("This is not a date. Write it like 1990-12-31."),
    "two_days": _(
        "This date can mean two days. Write it like %(one)s, or choose on the Columns step which comes first."
    ),
    "birth_date": _("A birth date lies between 1900 and today."),
    "arrival": _("A date of joining lies between 1900 and a year from now."),
    # A row that cannot be taken
    "wide": _("This row has %(found)s cells where the header has %(wanted)s. Look for a stray separator."),
    "nameless": _("This row does not say who it is about, because this cell is empty."),
    "repeated": _("Row %(row)s has the same. Keep one of the two rows."),
    "taken": _("This already belongs to %(who)s."),
    "other_person": _(
        "%(who)s is somebody else, with another e-mail. Write their username just so, or choose another."
    ),
    "unknown": _("There is nobody like this yet, and only people we know were to be changed."),
    "no_username": _("A new person needs a username. Add one in this row."),
    "unmade": _("No username can be made from this row. Add a column with usernames and write one here."),
    "like_person": _("This username looks just like %(name)s, which somebody else has. Choose another."),
    "like_row": _("This username looks just like %(name)s, which is in this file too. Choose another."),
    # What may not be done
    "superuser_made": _("Nobody becomes a superuser by a file."),
    "superuser_kept": _("This person is a superuser; a file cannot change their role or deactivate them."),
    "above": _("You may not change this person, whose role is above yours."),
    "may_not_add": _("You may not add people."),
    "may_not_give": _("You may not give this role."),
    "may_not_regrade": _("You may not change this person's role."),
    "may_not_activate": _("You may not activate or deactivate this person."),
    "deleted": _("This person has been deleted since the check."),
    # A picture that cannot be taken
    "nobody": _("Nobody has the username or e-mail %(name)s. Name the file after the person."),
    "no_pictures": _("People in the role of this person have no picture."),
    "second_picture": _("%(path)s is for the same person. Keep one of the two."),
    "link": _("This is a link to a file and not a file."),
    "archive": _("This is an archive inside the archive. Put its pictures straight into the outer one."),
    "packed": _("This file is packed in an unusual way. Pack it anew as a plain ZIP archive."),
    "large": _("This file is larger than %(limit)s MB."),
    "damaged": _("This file is damaged in the archive. Pack it anew."),
    "pixels": avatars.TOO_LARGE,
    "unreadable": avatars.UNREADABLE,
}

# Where something goes into a sentence.
_DETAIL = re.compile(r"%\(\w+\)\w+")


class Refused(ValueError):
    """Something cannot be taken, for one of the reasons above. As text it is the sentence, in the present language."""

    def __init__(self, code: str, /, **details: Any) -> None:
        super().__init__(code)
        self.code, self.details = code, details

    def __str__(self) -> str:
        return say(self.code, self.details)


def say(code: str, details: Mapping[str, Any]) -> str:
    """The sentence for a reason, in the present language."""
    return str(REASONS[code]) % details if code in REASONS else code


def with_word(word: str) -> list[str]:
    """The reasons whose sentence has this word in it, in the present language."""
    return [code for code, text in REASONS.items() if word.casefold() in _DETAIL.sub("", str(text)).casefold()]
