"""The files that commands write people's data to."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO, Any


def private_file(path: Path, mode: str = "wb") -> IO[Any]:
    """Open a file to write that only its owner may read; one that is there already is closed to all others first."""
    return open(path, mode, opener=_private)


def _private(name: str, flags: int) -> int:
    descriptor = os.open(name, flags, 0o600)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):  # /dev/null and pipes stay what they are
        os.fchmod(descriptor, 0o600)
    return descriptor
