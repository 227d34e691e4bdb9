"""Mails that are tried again: each a row that says whether it went out, why not, and when it is tried next."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self, TypeVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from users_profiles.models.jobs import ImportRow

# Whoever mails is given this long before somebody else tries: longer than any mail server is waited for.
MAILING = timedelta(minutes=5)
# Minutes to wait before each next try of a mail, about eight hours in all.
DELAYS = (1, 5, 15, 30, 60, 120, 240)
# For how many days it is known who was mailed what.
KEEP_DAYS = 90

AnyMail = TypeVar("AnyMail", bound="Mail")


class MailQuerySet(models.QuerySet[AnyMail]):
    """What we ask of mails, in words."""

    def ready(self, now: datetime) -> Self:
        """Keep those that somebody has to see to: not sent yet, not to wait, and left by whoever was at it.

        What is to wait for longer than anything does was put off by a clock that was ahead.
        """
        turn = models.Q(try_at__lte=now) | models.Q(try_at__gt=now + timedelta(minutes=2 * DELAYS[-1]))
        return self.filter(turn, state=Mail.State.WAITING)


class Mail(models.Model):
    """A mail on its way to one person."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Sent")
        SKIPPED = "skipped", _("Left out")
        FAILED = "failed", _("Failed")

    OVER: ClassVar[frozenset[Any]] = frozenset({State.SENT, State.SKIPPED, State.FAILED})

    state = models.CharField(_("state"), max_length=7, choices=State, default=State.WAITING)
    reason = models.TextField(_("reason"), blank=True)
    try_at = models.DateTimeField(_("next try"), default=timezone.now)
    attempts = models.PositiveSmallIntegerField(_("tries"), default=0)
    sent_at = models.DateTimeField(_("sent"), null=True)

    class Meta:
        abstract = True

    @classmethod
    def all_mails(cls) -> MailQuerySet[Any]:
        """All rows of this kind, with our words."""
        return cls._default_manager.all()  # type: ignore[return-value]

    @property
    def is_delayed(self) -> bool:
        """Whether it could not be sent so far, and is tried again."""
        return self.state == self.State.WAITING and bool(self.reason)

    @property
    def why(self) -> str:
        """The reason as whoever looks reads it; a worker, which writes it, speaks to nobody."""
        return gettext(self.reason) if self.reason else ""

    def claim(self, now: datetime) -> bool:
        """Become the one who mails this; True for one caller. Whoever dies at it leaves it to others after a while."""
        mine = self.all_mails().ready(now).filter(pk=self.pk, attempts=self.attempts)
        if mine.update(attempts=self.attempts + 1, try_at=now + MAILING, reason="") != 1:
            return False
        self.attempts += 1
        return True

    def sent(self) -> None:
        self._end(self.State.SENT, sent_at=timezone.now(), reason="")

    def skip(self, reason: str) -> None:
        self._end(self.State.SKIPPED, reason=reason)

    def fail(self, reason: str) -> None:
        self._end(self.State.FAILED, reason=reason)

    def put_off(self, reason: str) -> None:
        """Try again later, each time a little later; give up when the last try was one too many."""
        if self.attempts > len(DELAYS):
            self.fail(reason)
            return
        self.try_at = timezone.now() + timedelta(minutes=DELAYS[self.attempts - 1])
        self.reason = reason
        self.all_mails().filter(pk=self.pk).update(try_at=self.try_at, reason=reason)

    def _end(self, state: str, **values: Any) -> None:
        self.all_mails().filter(pk=self.pk).exclude(state__in=self.OVER).update(state=state, **values)
        self.state = state


class InvitationQuerySet(MailQuerySet["Invitation"]):
    def on_the_way(self, kind: str = "") -> Self:
        return self.filter(state=Invitation.State.WAITING, **({"kind": kind} if kind else {}))

    def hurry(self) -> int:
        """Try those again now that were to be tried later; not those that somebody is sending at this moment."""
        return self.on_the_way().exclude(reason="").update(try_at=timezone.now())


class Invitation(Mail):
    """A mail with a link that lets one person in, on its way; of an import, where it is of one of its rows.

    Staff ask for those with a link to set a password, which are rows from the start. What somebody asks for at the
    sign-in page goes out while they wait, and is a row only where the mail server did not take it.
    """

    class Kind(models.TextChoices):
        """Which mail it is, in words that a sentence can begin with."""

        PASSWORD = "password", _("The mail with the link to set a password")
        RESET = "reset", _("The mail with the link to set a new password")
        CONFIRM = "confirm", _("The mail to confirm the e-mail")
        KNOWN = "known", _("The mail that says there is an account already")

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="invitations")
    # Left alone when the row goes: a million rows are deleted without a look at the mails. We only come from the row.
    row = models.OneToOneField(
        ImportRow, on_delete=models.DO_NOTHING, null=True, related_name="mail", db_constraint=False
    )
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.PASSWORD, db_default=Kind.PASSWORD)
    # That of the browser it was asked for with, for whoever has chosen none.
    language = models.CharField(max_length=10, blank=True, default="", db_default="")
    asked_at = models.DateTimeField(_("asked for"), default=timezone.now)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ["-asked_at", "-pk"]
        indexes = [
            models.Index(fields=["try_at"], condition=models.Q(state="waiting"), name="invitation_waiting"),
            models.Index(fields=["person", "-asked_at"], name="invitation_of_person"),
            models.Index(fields=["asked_at"], name="invitation_asked"),
        ]
        default_permissions = ()

    def __str__(self) -> str:
        return f"to {self.person_id}"

    @classmethod
    def ask_for(cls, keys: Iterable[int]) -> None:
        """Have people mailed a link; who has one on its way already gets no second one, but that one sooner."""
        wanted = list(keys)
        waiting = cls.objects.on_the_way(cls.Kind.PASSWORD).filter(person__in=wanted)
        waiting.hurry()
        have = set(waiting.values_list("person", flat=True))
        cls.objects.bulk_create([cls(person_id=key) for key in wanted if key not in have], batch_size=1_000)

    @classmethod
    def ask_after_failure(cls, person: Any, kind: str, language: str) -> None:
        """Have somebody mailed whom we just failed to mail."""
        if not cls.objects.on_the_way(kind).filter(person=person).exists():
            later = timezone.now() + timedelta(minutes=DELAYS[0])
            cls.objects.create(
                person=person, kind=kind, language=language, attempts=1, reason=not_taken(), try_at=later
            )


def not_taken() -> str:
    """Why a mail is tried again; see ``Mail.why``."""
    return gettext_noop("The mail server did not take it.")
