"""What it looks like when something is not there that all of us need: room on the disk, or the database.

Files, SQLite and PostgreSQL each say so in their own way.
"""

from __future__ import annotations

import errno
import sqlite3

from django.db import InterfaceError, OperationalError, connection

from users_profiles.sentences import sentence as _

# A lock that was not given, a deadlock, a connection that was cut: what may go better the next time. The driver's own
# errors, too: Django passes on as they are those of cursors that are being closed.
DATABASE_AWAY = (
    OperationalError,
    InterfaceError,
    connection.Database.OperationalError,  # type: ignore[attr-defined]
    connection.Database.InterfaceError,  # type: ignore[attr-defined]
)

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
