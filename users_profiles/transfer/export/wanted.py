"""What is to be exported, and whether whoever asks may have it. Asked for by a page, a command, or a saved report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from users_profiles import roles, selection
from users_profiles.models import Export, Report, User
from users_profiles.models.exports import HELD
from users_profiles.models.user import UserQuerySet
from users_profiles.roles import Action
from users_profiles.sentences import sentence as _
from users_profiles.transfer import columns
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.export import xlsx

# What a file has that nobody chose columns for: what an import brings back, and what it was overtaken by. When somebody
# joined hardly ever changes, and databases leave its writing to us, which takes several times as long as all the rest.
USUAL: tuple[str, ...] = (*(name for name in columns.NAMES if name != "date_joined"), "version")


@dataclass
class Wanted:
    """Whom, in which order, with which columns, as what kind of file.

    ``query`` and ``order`` are in the words of selection.py; with ``keys``, only the ticked among those. Without an
    ``actor`` it is the operator of the host who asks, with all rights. With ``since`` and ``until`` not the people are
    wanted but what changed of them: whoever joined or left, and the columns as fields that changed.
    """

    actor: User | None
    query: str = ""
    order: str = ""
    keys: list[int] | None = None
    columns: Sequence[str] = field(default_factory=lambda: USUAL)
    format: str = Export.Format.CSV.value
    since: datetime | None = None
    until: datetime | None = None
    report: Report | None = None

    @classmethod
    def by(cls, export: Export) -> Wanted:
        """What an export in the ledger asked for. Raises ``FileRefused`` when whoever asked is not here any more."""
        if export.owner is None and not export.by_operator:
            raise FileRefused(_("Whoever asked for this export is not here any more."))
        named = ("query", "order", "keys", "columns", "format", "since", "until")
        return cls(export.owner, **{name: getattr(export, name) for name in named})

    @property
    def _title(self) -> str:
        return self.report.name if self.report else ""

    @property
    def filename(self) -> str:
        """What the file would be called if it were made now."""
        return Export(title=self._title, format=self.format).filename

    @property
    def is_about_changes(self) -> bool:
        return self.since is not None

    def count(self) -> int:
        """How many rows it will be; of changes nobody knows beforehand."""
        return 0 if self.is_about_changes else self.people().count()

    def people(self) -> UserQuerySet:
        """The people, in order. Raises ``FileRefused`` with a sentence when they cannot be selected like that."""
        try:
            found = selection.people(self.query, self.actor)
            if self.keys is not None:
                found = found.filter(pk__in=self.keys)
            return selection.ordered(found, self.order, self.actor)
        except selection.SelectionRefused as refusal:
            raise FileRefused(str(refusal)) from refusal

    def check(self, count: int = 0) -> None:
        """Raise ``FileRefused`` when the actor may not have this, or ``count`` people do not fit such a file."""
        if self.actor is not None and not roles.may(self.actor, Action.EXPORT):
            raise FileRefused(_("You may not export people."))
        if not self.columns:
            raise FileRefused(_("Choose at least one column."))
        allowed = exportable(self.actor)
        wrong = [name for name in self.columns if name not in allowed]
        if wrong or len(set(self.columns)) < len(self.columns):
            raise FileRefused(
                _("The columns cannot be exported like that. There are, each once: %(columns)s.")
                % {"columns": ", ".join(allowed)}
            )
        if self.format == Export.Format.XLSX and count > xlsx.MAX_ROWS:
            raise FileRefused(_("An Excel sheet holds 1,048,575 people. Narrow the selection, or choose CSV."))

    def entry(self, total: int) -> Export:
        """Write it down in the ledger, before the first row leaves."""
        return Export.objects.create(
            owner=self.actor,
            by_operator=self.actor is None,
            query=self.query,
            order=self.order,
            keys=self.keys,
            columns=list(self.columns),
            format=self.format,
            total=total,
            since=self.since,
            until=self.until,
            report=self.report,
            title=self._title,
        )


def exportable(actor: User | None) -> list[str]:
    """The columns that somebody may have."""
    return columns.exportable(actor is None or roles.may(actor, Action.VIEW_PRIVATE))


def to_begin_with(names: Iterable[str], actor: User | None) -> list[str]:
    """Of these columns those that somebody may have and, for who may import, the version.

    With it, a file that comes back says who was changed since; without it, it undoes what others did meanwhile.
    """
    kept = [name for name in names if name in exportable(actor) and name != "version"]
    return [*kept, "version"] if actor is None or roles.may(actor, Action.IMPORT) else kept


def last_export(actor: User) -> Export | None:
    """The latest for which the actor chose the columns; of a report the report chose."""
    return Export.objects.begun().filter(owner=actor, title="").exclude(format=HELD).order_by("-asked_at").first()


def last_choice(actor: User) -> Wanted:
    """What the actor chose the last time, as far as they may still have it."""
    latest = last_export(actor)
    if latest is None:
        return Wanted(actor, columns=to_begin_with(USUAL, actor), format=Export.Format.XLSX)
    kept = [name for name in latest.columns if name in exportable(actor)]
    return Wanted(actor, columns=kept or ["username"], format=latest.format)
