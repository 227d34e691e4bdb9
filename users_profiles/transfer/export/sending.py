"""An export for somebody who waits: sent as it is made, and written down whatever becomes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Self

from django.db import connections

from users_profiles import replica
from users_profiles.models import Export
from users_profiles.sentences import sentence as _
from users_profiles.speaking import speaking_to
from users_profiles.transfer import lease
from users_profiles.transfer.export import formats
from users_profiles.transfer.export.source import Block
from users_profiles.transfer.export.wanted import Wanted


class Measured:
    """Counts what goes by: rows, bytes, and their SHA-256."""

    def __init__(self) -> None:
        self.rows = 0
        self.size = 0
        self._sha = hashlib.sha256()

    def add(self, block: Block) -> bytes:
        data, rows = block
        self.rows += rows
        self.size += len(data)
        self._sha.update(data)
        return data

    @property
    def sums(self) -> tuple[int, int, str]:
        """Rows, bytes and digest so far, as ``Export.finish`` wants them."""
        return self.rows, self.size, self._sha.hexdigest()


class Sending:
    """The bytes of an export, one block after the other; the ledger is told how it ended.

    A server that loses its reader calls ``close``: the export was then broken off, and the ledger says after how many
    rows. Raises ``FileRefused`` at once when it may not be sent.
    """

    def __init__(self, export: Export, after_block: Callable[[int], object] | None = None) -> None:
        wanted = Wanted.by(export)
        wanted.check(export.total)
        self.export = export
        self.measured = Measured()
        self._after_block = after_block
        self._alias = replica.alias_for(export.owner_id)
        self._blocks: Iterator[Block] = formats.blocks_of(wanted, connections[self._alias])
        export.start_sending()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        try:
            # The server asks for this when the answer is on its way, and what the middleware chose is gone.
            with speaking_to(self.export.owner, self.export.language):
                data = self.measured.add(next(self._blocks))
        except StopIteration:
            self.export.finish(*self.measured.sums)
            raise
        except Exception:
            replica.let_down(self._alias, self.export.owner_id)
            lease.recover()  # it may be the connection that is broken, on which nothing can be written down
            self.export.fail(_("Something went wrong on our side while this was being sent. Try again."))
            raise
        if self._after_block:
            self._after_block(self.measured.rows)
        return data

    def close(self) -> None:
        """Nobody wants the rest; does nothing when there is none."""
        self._blocks.close()  # type: ignore[attr-defined]
        self.export.break_off(*self.measured.sums)
