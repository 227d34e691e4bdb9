"""What we know of a person beside how they sign in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from users_profiles import avatars, phones
from users_profiles.models.folded import FoldedField, FoldingQuerySet, folded_names

# What a person may fill in; the rest of the row is bookkeeping.
PROFILE_FIELDS = ("avatar", "bio", "location", "birth_date", "phone_number")
PRIVATE_FIELDS = ("birth_date", "phone_number")


class Profile(models.Model):
    """One per user, always: ``user`` is the primary key, so a second one cannot exist."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="profile",
        verbose_name=_("person"),
    )
    avatar = avatars.AvatarField(_("picture"), upload_to=avatars.random_name, blank=True, db_default="")
    bio = models.TextField(_("about"), blank=True, validators=[MaxLengthValidator(2_000)])
    location = models.CharField(_("location"), max_length=150, blank=True)
    birth_date = models.DateField(_("birth date"), null=True, blank=True)
    phone_number = phones.PhoneField(
        _("phone number"), blank=True, help_text=_("With country code, such as +49 30 123456.")
    )
    version = models.PositiveIntegerField(_("version"), default=1, db_default=1, editable=False)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now, editable=False)
    location_folded = FoldedField(of="location")

    objects = FoldingQuerySet.as_manager()

    class Meta:
        verbose_name = _("profile")
        verbose_name_plural = _("profiles")
        ordering = ["user__username"]
        indexes = [models.Index(fields=["location"], name="profile_location")]
        default_permissions = ("view", "change")  # a profile comes and goes with its person
        permissions = [("view_private_fields", "Can see birth dates and phone numbers")]

    def __str__(self) -> str:
        return str(self.user)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the row as its next version.

        The database counts, not this copy: two people who loaded version 5 and both save must end at version 7.
        """
        if not self._state.adding:
            self.version = models.F("version") + 1
        self.updated_at = timezone.now()
        update_fields = kwargs.get("update_fields")
        if update_fields is not None:
            kwargs["update_fields"] = {*update_fields, "version", "updated_at", *folded_names(Profile, update_fields)}
        super().save(*args, **kwargs)
        if not isinstance(self.version, int):
            del self.version  # read again when somebody asks for it
        self.remember(update_fields)

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Self:
        """Remember what was loaded, so that only what changed since is ever written back."""
        profile = super().from_db(*args, **kwargs)
        profile.remember()
        return profile

    def refresh_from_db(
        self,
        using: str | None = None,
        fields: Iterable[str] | None = None,
        from_queryset: models.QuerySet[Profile] | None = None,
    ) -> None:
        """Load again; with ``fields`` (as Django does for a deferred one) edits of the others stay pending."""
        fields = None if fields is None else list(fields)
        super().refresh_from_db(using=using, fields=fields, from_queryset=from_queryset)
        self.remember(fields)

    def remember(self, names: Iterable[str] | None = None) -> None:
        """Take the present values of these fields (of all, when none are named) for what the database holds."""
        names = PROFILE_FIELDS if names is None else set(names)
        loaded = {name: self._value(name) for name in PROFILE_FIELDS if name in names and name in self.__dict__}
        self._loaded = {**self.__dict__.get("_loaded", {}), **loaded}

    def _value(self, name: str) -> Any:
        """A comparable value: a picture is its name, a picture not yet stored is never equal to what was."""
        if name == "avatar":
            return (self.avatar.name or "") if self.avatar._committed else object()  # type: ignore[attr-defined]
        return self.__dict__[name] or (None if name == "birth_date" else "")

    def changed_fields(self) -> list[str]:
        """The names of the fields that differ from what was loaded; all of them for a profile never stored."""
        if self._state.adding:
            return list(PROFILE_FIELDS)
        loaded = self.__dict__.get("_loaded", {})
        return [
            name
            for name in PROFILE_FIELDS
            if name in self.__dict__ and (name not in loaded or loaded[name] != self._value(name))
        ]

    def save_changes(self, using: str | None = None) -> None:
        """Write the fields that changed since this copy was loaded, and nothing else.

        A stale copy in somebody's memory must not overwrite what somebody newer wrote to other fields.
        """
        changed = self.changed_fields()
        if changed:
            self.save(using=using, update_fields=None if self._state.adding else changed)


# What each field holds when there is nothing in it. The picture is a file, which goes its own ways.
BLANKS: dict[str, Any] = {
    name: None if Profile._meta.get_field(name).null else "" for name in PROFILE_FIELDS if name != "avatar"
}
