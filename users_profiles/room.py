"""What it looks like when a disk is full: files, SQLite and PostgreSQL each say so in their own way."""

from __future__ import annotations

import errno
import sqlite3

from django.utils.translation import gettext as _

# No room on the disk, none left for this account, none for so large a file.
_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_SQLSTATE = "53100"  # what PostgreSQL calls disk_full


def is_lacking(error: BaseException | None) -> bool:
    """Whether this error came of a full disk, be it by way of other errors."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _ERRORS:
            return True
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            return True
        if getattr(error, "sqlstate", None) == _SQLSTATE:
            return True
        error = error.__cause__
    return False


def sorry() -> str:
    """What to tell people: it is not their mistake, and they cannot mend it."""
    return _("There is no room left on the server's disk. Ask whoever runs this server to make some, then try again.")
