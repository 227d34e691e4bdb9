"""A person who can sign in. Names and e-mail live here, once; everything else about a person is on the profile."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar, Self

from django.contrib.auth.models import AbstractUser, Group
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.functions import Lower
from django.db.models.lookups import Exact
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from users_profiles.among import among
from users_profiles.models.folded import FoldedField, FoldingQuerySet, folded_names
from users_profiles.models.profile import Profile


class Role(models.TextChoices):
    """What somebody may do, by the name of the group that says so. Nobody needs one: the empty role is a member."""

    ADMIN = "Admin", _("Admin")
    EDITOR = "Editor", _("Editor")
    READER = "Reader", _("Reader")


# What a version of a person consists of, beside the profile, which has one of its own. When somebody last signed in, or
# which algorithm their password is hashed with, is no news to anybody.
VERSIONED = frozenset({"username", "email", "first_name", "last_name", "is_active", "is_staff", "is_superuser"})


# As people look for somebody in a list.
BY_NAME = ("last_name_folded", "first_name_folded", "username__lower")


def _next_version(values: Mapping[str, Any]) -> dict[str, Any]:
    """What goes along when these values are written to a person who is there already.

    The database counts and looks, not a copy in memory: two people who loaded version 5 and both save must end at
    version 7, and who was inactive before does not leave a second time.
    """
    along: dict[str, Any] = {"version": models.F("version") + 1} if VERSIONED.intersection(values) else {}
    if "is_active" in values:
        along["deactivated_at"] = _left_at(values["is_active"])
    return along


def _left_at(is_active: Any) -> Any:
    """Since when somebody is inactive to whom this is written."""
    leaves_now = models.When(is_active=True, then=models.Value(timezone.now()))
    if hasattr(is_active, "resolve_expression"):  # as bulk_update writes it, another value to each
        stays = models.When(models.ExpressionWrapper(is_active, models.BooleanField()), then=models.Value(None))
        return models.Case(stays, leaves_now, default=models.F("deactivated_at"))
    return None if is_active else models.Case(leaves_now, default=models.F("deactivated_at"))


def names_of_roles(memberships: models.QuerySet[Any]) -> dict[int, str]:
    """The role of everybody in these memberships; in two of them it is the first by name, as ``with_role()`` has it."""
    held = memberships.filter(group__name__in=Role.values).order_by("-group__name")
    return dict(held.values_list("user_id", "group__name"))


def has_username(username: str) -> models.Q:
    """The condition that a person has this username: as the constraint compares, word for word, so its index serves."""
    return models.Q(Exact(Lower("username"), Lower(models.Value(username))))


def has_email(email: str) -> models.Q:
    """The condition that a person has this e-mail, in the words of its constraint. Nobody has the blank one."""
    return ~models.Q(email="") & models.Q(Exact(Lower("email"), Lower(models.Value(email))))


class UserQuerySet(FoldingQuerySet["User"]):
    """What we ask of people, in words."""

    def with_profile(self) -> Self:
        """Load the profile in the same query."""
        return self.select_related("profile")

    def with_role(self) -> Self:
        """Add ``role_name``: the person's role, or the empty text.

        A subquery and not a join: a join on groups would double whoever a superuser put into two of them.
        """
        names = Group.objects.filter(user=models.OuterRef("pk"), name__in=Role.values).order_by("name").values("name")
        return self.annotate(
            role_name=models.functions.Coalesce(
                models.Subquery(names[:1]), models.Value(""), output_field=models.CharField()
            )
        )

    def by_name(self) -> Self:
        """Put people in the order in which one looks for them."""
        return self.order_by(*BY_NAME)

    def in_role(self, role: str) -> Self:
        """Keep people with this role; the empty text keeps those who have none."""
        if role:
            return self.filter(groups__name=role)
        return self.exclude(groups__name__in=Role.values)

    def without_profile(self) -> Self:
        """Keep people that break the guarantee: raw SQL and other programs can make them, we never do."""
        return self.filter(profile__isnull=True)

    def update(self, **values: Any) -> int:
        """Write to everybody in one statement; whose own fields it names gets a new version."""
        return super().update(**{**_next_version(values), **values})

    def bulk_create(self, objs: Iterable[User], *args: Any, **kwargs: Any) -> list[User]:
        """Create many people and the profiles they are guaranteed to have; no signal is sent for any of them."""
        with transaction.atomic(using=self.db):
            people: list[User] = super().bulk_create(objs, *args, **kwargs)
            self._create_missing_profiles(people)
        return people

    def _create_missing_profiles(self, people: Collection[User]) -> None:
        """Store the profile that came with a person, else an empty one; one that is there already is left alone."""
        keys = self._keys(people)
        profiles = []
        for person in people:
            key = keys.get(person.username)
            if key is None:
                continue  # not inserted: somebody else has the name in another spelling, or the e-mail
            profile = person._state.fields_cache.get("profile") or Profile()
            profile.user_id = key
            profiles.append(profile)
        Profile._base_manager.using(self.db).bulk_create(profiles, ignore_conflicts=True, batch_size=500)
        for profile in profiles:
            profile.remember()

    def _keys(self, people: Collection[User]) -> dict[str, int]:
        """The key of each person by username; with ``ignore_conflicts`` the database does not say, so we ask it."""
        keys = {person.username: person.pk for person in people if person.pk is not None}
        unknown = [person.username for person in people if person.pk is None]
        if unknown:
            stored = User._base_manager.using(self.db).filter(username__in=among(unknown))
            keys.update(stored.values_list("username", "pk"))
        return keys


class UserManager(DjangoUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Django's manager (``create_user``, ``create_superuser``) with our words."""

    use_in_migrations = False  # a migration must not run today's bulk_create on yesterday's tables

    def get_by_natural_key(self, username: str | None) -> User:
        """Find a person by username, without regard to case."""
        return self.get(has_username(username or ""))


class User(AbstractUser):
    """A person; ``username`` and a non-blank ``email`` are unique without regard to case."""

    # Not unique=True: the constraint below says more, and every index costs, a million times over.
    username = models.CharField(
        _("username"),
        max_length=150,
        help_text=_("At most 150 letters, digits and @ . + - _"),
        validators=[UnicodeUsernameValidator()],
    )
    email = models.EmailField(_("e-mail"), blank=True)
    # Bulk writers do not name it, so the database knows where to begin, too.
    version = models.PositiveIntegerField(_("version"), default=1, db_default=1, editable=False)
    # Null while somebody is active, and where nobody knows: the person is older than this, or came inactive.
    deactivated_at = models.DateTimeField(_("deactivated"), null=True, editable=False)
    # How they are spoken to, see ``speaking``; blank is as their browser says, and the time zone of the settings.
    # Matters of taste and no facts: neither versioned nor told in the trail.
    language = models.CharField(_("language"), max_length=10, blank=True, default="", db_default="")
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, default="", db_default="")

    first_name_folded = FoldedField(of="first_name")
    last_name_folded = FoldedField(of="last_name")

    objects: ClassVar[UserManager] = UserManager()

    profile: Profile

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            models.UniqueConstraint(
                Lower("username"),
                name="user_username_unique",
                violation_error_message=_("Somebody already has this username."),
            ),
            models.UniqueConstraint(
                Lower("email"),
                condition=~models.Q(email=""),
                name="user_email_unique",
                violation_error_message=_("Somebody already has this e-mail."),
            ),
        ]
        indexes = [
            models.Index(fields=["-date_joined"], name="user_joined"),
            models.Index(fields=["last_login"], name="user_last_login"),
            models.Index(fields=["last_name_folded", "first_name_folded"], name="user_name_folded"),
            # Few have left among many, and the question is who did since when.
            models.Index(
                fields=["-deactivated_at"], condition=models.Q(deactivated_at__isnull=False), name="user_deactivated"
            ),
        ]
        permissions = [
            ("import_user", "Can import people"),
            ("export_user", "Can export people"),
            ("grant_role", "Can give roles up to their own"),
            ("deactivate_user", "Can deactivate and reactivate people"),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Refuse what a constraint refuses. To Django a database that goes away over the question says so, too.

        Nobody is to be told that somebody else has their e-mail because a connection was cut.
        """
        try:
            super().validate_constraints(exclude)
        except ValidationError:
            type(self)._base_manager.exists()  # raises the error that was swallowed
            raise

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the person and, by the receiver in signals.py, pending edits of a loaded profile: both or neither.

        What is written becomes the person's next version.
        """
        along = {} if self._state.adding else self._goes_along(kwargs.get("update_fields"))
        if along and kwargs.get("update_fields") is not None:
            names = set(kwargs["update_fields"])
            kwargs["update_fields"] = {*names, *along, *folded_names(User, names)}
        self.__dict__.update(along)
        try:
            with transaction.atomic(using=kwargs.get("using")):
                super().save(*args, **kwargs)
        finally:
            for name in along:
                if hasattr(self.__dict__.get(name), "resolve_expression"):
                    delattr(self, name)  # read again when somebody asks for it

    def _goes_along(self, update_fields: Iterable[str] | None) -> dict[str, Any]:
        """The version, and the moment of leaving, as far as they follow from what is saved."""
        names = VERSIONED if update_fields is None else VERSIONED.intersection(update_fields)
        return _next_version({name: self.__dict__[name] for name in names if name in self.__dict__})

    @cached_property
    def role(self) -> str:
        """The name of this person's role, or the empty text; taken from ``with_role()`` where that was used."""
        annotated: str | None = self.__dict__.get("role_name")
        if annotated is not None:
            return annotated
        return self.groups.filter(name__in=Role.values).order_by("name").values_list("name", flat=True).first() or ""

    @property
    def initials(self) -> str:
        """One or two letters that stand in for a picture."""
        names = [name for name in (self.first_name, self.last_name) if name] or [self.username]
        # The first letter and not the first character: Thijs 't Hart is TT.
        return "".join(next(filter(str.isalnum, name), name[0]) for name in names).upper()


# So that people can be put in order by ``username__lower``, which the index of the constraint above has ready.
for name in ("username", "email"):
    User._meta.get_field(name).register_lookup(Lower)  # type: ignore[union-attr]
