"""What staff say of a report: its name, whom and what it shows, who may use it, and who is mailed it when."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Case, Q, When
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from users_profiles import recorder, roles, selection
from users_profiles.keys import KeysField, is_key
from users_profiles.models import Report, User
from users_profiles.models.user import BY_NAME, has_username
from users_profiles.reports import running, schedule
from users_profiles.transfer import columns
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.export.forms import ExportForm
from users_profiles.transfer.export.wanted import Wanted

# More staff than these are not ticked but named.
MANY = 200
# So many of those are found at a time, by so many words.
FOUND, FEW = 20, 5
# What of a report is told in the trail when it changes.
TOLD = ("name", "sharing", "kind", "query", "order", "columns", "format", "every", "weekday", "monthday", "hour")


class Recipients(KeysField):
    """Staff to tick, each with name and role."""

    def label_from_instance(self, obj: User) -> str:
        return label_of(obj)


def label_of(person: User) -> str:
    """A member of staff in a list to choose from."""
    role = _("Superuser") if person.is_superuser else str(roles.LABELS[person.role])
    return f"{person} · {role}"


def staff_like(text: str) -> list[dict[str, Any]]:
    """The first staff who have every word of a text in their name, username or e-mail: key and label of each."""
    staff = User.objects.filter(is_staff=True, is_active=True)
    for word in text.replace("\x00", "").split()[:FEW]:
        anywhere = Q()
        for name in ("first_name", "last_name", "username", "email"):
            anywhere |= Q(**{f"{name}__icontains": word})
        staff = staff.filter(anywhere)
    found = staff.with_role().by_name()[:FOUND]
    return [{"key": person.pk, "label": label_of(person)} for person in found]


class ReportForm(ExportForm):
    """A report as a form; it owns the rules of saving one. What ``actor`` may not export cannot be saved either."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    kind = forms.ChoiceField(
        label=gettext_lazy("What it shows"),
        choices=Report.Kind.choices,
        help_text=gettext_lazy(
            "What changed: who joined or left, and which of the columns have another value, since it last ran."
        ),
    )
    query = forms.CharField(
        label=gettext_lazy("Whom it shows"),
        required=False,
        max_length=2_000,
        widget=forms.HiddenInput,  # as the address of the list says it; people read it in words
    )
    order = forms.ChoiceField(label=gettext_lazy("Order"), required=False)
    sharing = forms.ChoiceField(label=gettext_lazy("Who may use it"), choices=Report.Sharing.choices)
    every = forms.ChoiceField(label=gettext_lazy("Send it by mail"), choices=Report.Every.choices, required=False)
    weekday = forms.TypedChoiceField(
        label=gettext_lazy("On"), choices=Report.Weekday.choices, coerce=int, required=False, empty_value=None
    )
    monthday = forms.IntegerField(
        label=gettext_lazy("On day"),
        min_value=1,
        max_value=31,
        required=False,
        help_text=gettext_lazy("In shorter months, on their last day."),
    )
    hour = forms.TypedChoiceField(
        label=gettext_lazy("At"),
        choices=[(hour, f"{hour:02}:00") for hour in range(24)],
        coerce=int,
        required=False,
        empty_value=None,
    )
    recipients = Recipients(label=gettext_lazy("To"), queryset=User.objects.none(), required=False)
    others = forms.CharField(
        label=gettext_lazy("And to"),
        required=False,
        help_text=gettext_lazy("Usernames of other staff, with commas between."),
    )

    def __init__(self, data: Any = None, *, actor: User, report: Report) -> None:
        self.report = report
        self._actor = actor
        wanted = Wanted(actor, report.query, report.order, columns=report.columns, format=report.format)
        super().__init__(data, wanted=wanted, count=0)
        for name in ("name", "kind", "query", "sharing", "every", "weekday", "monthday", "hour"):
            self.fields[name].initial = getattr(report, name)
        if timezone.get_current_timezone_name() != timezone.get_default_timezone_name():
            self.fields["hour"].help_text = _("On the clock of %(zone)s.") % {"zone": settings.TIME_ZONE}
        self._offer_orders()
        self._offer_staff()
        if not self._owner_role:
            mine, staff = Report.Sharing.MINE, Report.Sharing.STAFF
            self.fields["sharing"].choices = [(mine, mine.label), (staff, staff.label)]  # type: ignore[attr-defined]

    @property
    def _owner_role(self) -> str:
        return self.report.owner.role if self.report.owner else self.report.role

    def _offer_orders(self) -> None:
        """Up and down by each of the columns people can be put in order by, and what the report has already."""
        labels = columns.labels()
        choices = [("", _("Name"))]
        for name in roles.visible_fields(self._actor, selection.ORDERS):
            choices += [(name, str(labels[name])), (f"-{name}", _("%(column)s, backwards") % {"column": labels[name]})]
        self.fields["order"].choices = choices  # type: ignore[attr-defined]
        self.fields["order"].initial = self.report.order
        self.offer_order(self.report.order)

    def offer_order(self, order: str) -> None:
        """Offer an order by several columns, too, as the list can have it; whether it makes sense is asked later."""
        field: Any = self.fields["order"]
        words = dict(field.choices)
        if order not in words:
            field.choices = [*field.choices, (order, ", ".join(words.get(name, name) for name in order.split(",")))]

    def _offer_staff(self) -> None:
        if self.report.pk:
            chosen = list(self.report.recipients.values_list("pk", flat=True))
        else:  # who makes a report to be mailed mostly wants it too
            chosen = [self._actor.pk] if self._actor.is_staff and self._actor.email else []
        staff = User.objects.filter(Q(is_staff=True, is_active=True) | Q(pk__in=chosen))
        if staff.count() > MANY:
            sent: list[str] = self.data.getlist("recipients") if self.is_bound else []  # type: ignore[attr-defined]
            staff = staff.filter(pk__in=[*chosen, *filter(is_key, sent)])
        else:
            del self.fields["others"]
        field: Any = self.fields["recipients"]
        self.many_staff = "others" in self.fields
        first = Case(When(pk__in=chosen, then=0), default=1)  # the list scrolls, and who is in it is to be seen
        field.queryset = staff.with_role().order_by(first, *BY_NAME)
        field.initial = chosen

    # What is sent -----------------------------------------------------------------------------------------------------

    def clean_query(self) -> str:
        query = str(self.cleaned_data["query"]).strip().removeprefix("?")
        try:
            running.check(Wanted(self._actor, query, columns=["username"]))
        except FileRefused as refusal:
            raise ValidationError(str(refusal)) from refusal
        return query

    def clean_order(self) -> str:
        """Refuse what the report has already where it cannot be, or whoever saves it may not see it."""
        order = str(self.cleaned_data["order"])
        try:
            selection.ordered(User.objects.all(), order, self._actor)
        except selection.SelectionRefused as refusal:
            raise ValidationError(str(refusal)) from refusal
        return order

    def clean_others(self) -> list[User]:
        names = [name.strip() for name in str(self.cleaned_data["others"]).split(",") if name.strip()]
        found = []
        for name in names:
            person = User.objects.filter(has_username(name), is_staff=True, is_active=True).first()
            if person is None:
                raise ValidationError(_("Nobody on the staff has the username %(name)s.") % {"name": name[:40]})
            found.append(person)
        return found

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.errors:
            return cleaned
        self._fill(cleaned)
        try:
            self.report.validate_constraints()
        except ValidationError as error:
            self.add_error("name", error.messages[0])
        if self.report.every:
            self._check_recipients(self.to)
        return cleaned

    @property
    def to(self) -> list[User]:
        """Who is mailed, whether ticked or named."""
        ticked = {person.pk: person for person in self.cleaned_data["recipients"]}
        return list({**ticked, **{person.pk: person for person in self.cleaned_data.get("others", [])}}.values())

    def _fill(self, cleaned: dict[str, Any]) -> None:
        """Have the report be as the form says; nothing is stored yet."""
        self._before = _told(self.report)
        for name in TOLD:
            if cleaned[name] is not None:  # a moment that the rhythm does not need may be left out
                setattr(self.report, name, cleaned[name])
        self.report.role = self._owner_role if self.report.sharing == Report.Sharing.ROLE else ""

    def _check_recipients(self, people: Iterable[User]) -> None:
        reasons = [(person, running.refusal(self.report, person)) for person in people]
        if not reasons:
            self.add_error("recipients", _("Choose who is to get it."))
        for person, reason in reasons:
            if reason:
                self.add_error("recipients", f"{person} {reason}.")

    # What is stored ---------------------------------------------------------------------------------------------------

    def keep(self) -> bool:
        """Store the report; False, and said at its name, where the same was saved between our look and our write."""
        try:
            with transaction.atomic():
                self.save()
        except IntegrityError:
            self.add_error("name", _("You already have a report of this name."))
            return False
        return True

    def save(self) -> Report:
        """Store the report, with the moment it is due next, and note in the trail what is different now."""
        report, is_new = self.report, self.report.pk is None
        before = self._before
        rhythm = {"every", "weekday", "monthday", "hour"}
        now = _told(report)
        with transaction.atomic():
            if is_new or any(before[name] != now[name] for name in rhythm):
                report.next_at = schedule.next_moment(report, timezone.now())
            report.save()
            before["recipients"] = "" if is_new else _keys(report)
            report.recipients.set(self.to if report.every or not is_new else [])
            now["recipients"] = _keys(report)
            changed: dict[str, recorder.Change] = {
                name: [before[name], text] for name, text in now.items() if before[name] != text
            }
            recorder.note_report(report, changed, is_new=is_new)
        return report


def _told(report: Report) -> dict[str, str]:
    """What the trail says of a report, as text; in English, which whoever reads it translates."""
    found = {}
    with translation.override("en"):
        for name in TOLD:
            value = getattr(report, name)
            shown = getattr(report, f"get_{name}_display", None)
            found[name] = ", ".join(value) if isinstance(value, list) else str(shown() if shown else value)
    return found


def _keys(report: Report) -> str:
    """Whom it is mailed to, by key: the trail is no place for names of people it is not about."""
    keys = report.recipients.order_by("pk").values_list("pk", flat=True)
    return ", ".join(f"#{key}" for key in keys)
