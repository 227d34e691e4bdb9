"""Saved reports: a question about people that is asked again, by whoever may use it, and by mail when it is due."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from users_profiles.models.exports import Export
from users_profiles.models.mails import Mail, MailQuerySet
from users_profiles.models.user import Role

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

# What changed before a report ran for the first time: nobody wants to begin with nothing.
FIRST = timedelta(days=30)
# Whoever sends a report by hand and does so again within this has pressed the button twice.
TWICE = timedelta(minutes=1)
# The longest that anything waits from one run to the next, with the hour by which a clock is changed in spring.
FARTHEST = {"day": timedelta(days=1, hours=2), "week": timedelta(days=7, hours=2), "month": timedelta(days=31, hours=2)}


class ReportQuerySet(models.QuerySet["Report"]):
    """What we ask of reports, in words."""

    def visible_to(self, actor: Any) -> Self:
        """Keep the reports somebody may use: their own, those shared with them or mailed to them; all for admins."""
        if not actor.has_perm("users_profiles.export_user"):
            return self.none()
        if actor.has_perm("users_profiles.grant_role"):
            return self
        shared = models.Q(sharing=Report.Sharing.STAFF)
        if actor.role:
            shared |= models.Q(sharing=Report.Sharing.ROLE, role=actor.role)
        mailed = models.Q(pk__in=Report.recipients.through._default_manager.filter(user=actor).values("report"))
        return self.filter(models.Q(owner=actor) | shared | mailed)

    def too_far(self, now: datetime) -> Self:
        """Keep those that are due later than any schedule says: they were last sent by a clock that was ahead."""
        found = models.Q()
        for every, most in FARTHEST.items():
            found |= models.Q(every=every, next_at__gt=now + most)
        return self.filter(found)

    def due(self, now: datetime) -> Self:
        """Keep those whose moment has come."""
        return self.filter(next_at__lte=now)


class Report(models.Model):
    """A saved question. Who runs it gets what they may see, and nothing else: it lends nobody the eyes of its owner."""

    class Kind(models.TextChoices):
        PEOPLE = "people", _("The people themselves")
        CHANGES = "changes", _("What changed")

    class Sharing(models.TextChoices):
        MINE = "mine", _("Only me")
        ROLE = "role", _("Everybody with my role")
        STAFF = "staff", _("All staff")

    class Every(models.TextChoices):
        NEVER = "", _("Not by itself")
        DAY = "day", _("Every day")
        WEEK = "week", _("Every week")
        MONTH = "month", _("Every month")

    class Weekday(models.IntegerChoices):
        MONDAY = 0, _("Monday")
        TUESDAY = 1, _("Tuesday")
        WEDNESDAY = 2, _("Wednesday")
        THURSDAY = 3, _("Thursday")
        FRIDAY = 4, _("Friday")
        SATURDAY = 5, _("Saturday")
        SUNDAY = 6, _("Sunday")

    name = models.CharField(_("name"), max_length=80)
    # When its owner is deleted, what was shared goes on; only admins can change it then.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="reports",
        verbose_name=_("owner"),
    )
    sharing = models.CharField(_("who may use it"), max_length=5, choices=Sharing, default=Sharing.MINE)
    # The owner's when it was saved: who changes roles does not take the report along.
    role = models.CharField(max_length=20, choices=Role, blank=True)
    kind = models.CharField(_("what it shows"), max_length=7, choices=Kind, default=Kind.PEOPLE)

    # In the words of selection.py and of the export's columns.
    query = models.TextField(_("filter"), blank=True)
    order = models.CharField(_("order"), max_length=300, blank=True)
    columns = models.JSONField(_("columns"), default=list)
    format = models.CharField(_("format"), max_length=5, choices=Export.Format, default=Export.Format.XLSX)

    every = models.CharField(_("sent by mail"), max_length=5, choices=Every, default=Every.NEVER, blank=True)
    weekday = models.PositiveSmallIntegerField(_("on"), choices=Weekday, default=Weekday.MONDAY)
    # Months that are shorter have it on their last day.
    monthday = models.PositiveSmallIntegerField(
        _("on day"), default=1, validators=[MinValueValidator(1), MaxValueValidator(31)]
    )
    hour = models.PositiveSmallIntegerField(_("at"), default=6, validators=[MaxValueValidator(23)])
    recipients = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="reports_by_mail", blank=True, verbose_name=_("mailed to")
    )
    next_at = models.DateTimeField(_("sent next"), null=True)

    created_at = models.DateTimeField(_("saved"), default=timezone.now)
    # Until when the changes are known that somebody has been given; the next ones begin there.
    ran_at = models.DateTimeField(_("last run"), null=True)

    objects = ReportQuerySet.as_manager()

    deliveries: RelatedManager[Delivery]

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                "owner",
                Lower("name"),
                name="report_name_unique",
                violation_error_message=_("You already have a report of this name."),
            ),
        ]
        indexes = [
            models.Index(fields=["next_at"], condition=models.Q(next_at__isnull=False), name="report_next"),
        ]
        default_permissions = ()

    def __str__(self) -> str:
        return self.name

    @property
    def is_about_changes(self) -> bool:
        return self.kind == self.Kind.CHANGES

    def claim(self, now: datetime, next_at: datetime | None) -> bool:
        """Take on a run that is due; True for the one caller who is to send it."""
        taken = Report.objects.due(now).filter(pk=self.pk, next_at=self.next_at)
        if taken.update(next_at=next_at, ran_at=now) != 1:
            return False
        self.next_at, self.ran_at = next_at, now
        return True

    def claim_now(self, now: datetime) -> bool:
        """Take on a run out of turn; True for the one caller who is to send it. When it is due next stays as it is."""
        mine = Report.objects.filter(pk=self.pk, ran_at=self.ran_at)
        if mine.exclude(ran_at__gt=now - TWICE).update(ran_at=now) != 1:
            return False
        self.ran_at = now
        return True

    def bring_back(self, now: datetime, next_at: datetime | None) -> None:
        """Undo what a clock that was ahead has left: be due as the schedule says, and tell again what changed lately.

        Until when people were told, only that clock knew. A period is told twice rather than left out.
        """
        last = None if self.ran_at is None else min(self.ran_at, now - FARTHEST[self.every])
        Report.objects.filter(pk=self.pk, next_at=self.next_at).update(next_at=next_at, ran_at=last)

    @property
    def began_at(self) -> datetime:
        """From when on the next run tells what changed: since the last one; before there was one, some time back."""
        return self.ran_at or self.created_at - FIRST

    def note_run(self, since: datetime, until: datetime) -> None:
        """Somebody has been given the changes of that time; the next run goes on from there, if that leaves no gap.

        What is mailed keeps its own count: nobody's download makes the next mail skip a thing.
        """
        if not self.every and since <= self.began_at < until:
            Report.objects.filter(pk=self.pk, ran_at=self.ran_at).update(ran_at=until)


class Delivery(Mail):
    """One report on its way to one person, or to its owner the news that somebody could not have it."""

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="deliveries")
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # None where the mail is only news to the owner.
    export = models.ForeignKey(Export, on_delete=models.SET_NULL, null=True, related_name="+")
    is_news = models.BooleanField(default=False)
    run_at = models.DateTimeField(_("run"))

    objects = MailQuerySet["Delivery"].as_manager()

    class Meta:
        verbose_name = _("mail of a report")
        verbose_name_plural = _("mails of reports")
        ordering = ["-run_at", "pk"]
        indexes = [
            models.Index(fields=["try_at"], condition=models.Q(state="waiting"), name="delivery_waiting"),
            models.Index(fields=["report", "-run_at"], name="delivery_of_report"),
        ]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.report_id} to {self.recipient_id}"

    def wait(self) -> None:
        """The file is not there yet, which is nobody's failure; look again soon."""
        soon = timezone.now() + timedelta(seconds=30)
        Delivery.objects.filter(pk=self.pk).update(try_at=soon, attempts=0)
