"""The forms behind a person's page. They own the rules; the admin classes only choose what is shown."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from users_profiles import roles
from users_profiles.accounts.proving import ProvesIdentity, ProvesIdentityForPeople
from users_profiles.conflicts import NoticesOtherEdits
from users_profiles.keys import KeysField
from users_profiles.models import Role, User
from users_profiles.models.user import has_email, has_username
from users_profiles.transfer import newcomers, usernames

# What says who may do what.
ACCESS_FIELDS = {"role", "is_active", "is_superuser", "is_staff", "groups", "user_permissions"}


# The database has them as Django wrote them, in English; the page says them in the reader's language.
PERMISSION_NAMES = (
    gettext_noop("Can add person"),
    gettext_noop("Can change person"),
    gettext_noop("Can delete person"),
    gettext_noop("Can view person"),
    gettext_noop("Can change profile"),
    gettext_noop("Can view profile"),
    gettext_noop("Can view import"),
    gettext_noop("Can import people"),
    gettext_noop("Can export people"),
    gettext_noop("Can give roles up to their own"),
    gettext_noop("Can deactivate and reactivate people"),
    gettext_noop("Can see birth dates and phone numbers"),
)


class PermissionsField(KeysField):
    """The permissions that mean something here, as tick boxes; those of the libraries' models are asked by nothing."""

    def __init__(self, **kwargs: Any) -> None:
        ours = Permission.objects.filter(content_type__app_label=User._meta.app_label)
        super().__init__(**{**kwargs, "queryset": ours.order_by("content_type__model", "pk"), "required": False})

    def label_from_instance(self, obj: Permission) -> str:
        return _(obj.name)


def meanings(granted: list[str]) -> SafeString:
    """What each of these roles may do, one below the other."""
    return format_html_join("", "<div>{}: {}</div>", ((roles.LABELS[role], roles.MEANINGS[role]) for role in granted))


class PersonForm(ProvesIdentityForPeople, NoticesOtherEdits):
    """A person's own fields and role, as far as ``actor`` may change them.

    ``actor`` and ``request`` are set on the class that the admin makes for each request.
    """

    role = forms.ChoiceField(label=gettext_lazy("Role"), required=False)
    actor: User

    class Meta:
        model = User
        fields = ("username", "first_name", "last_name", "email")
        field_classes = {"username": UsernameField}
        labels = {"is_superuser": gettext_lazy("Superuser"), "is_staff": gettext_lazy("Staff")}
        help_texts = {
            "username": gettext_lazy("Letters, digits and @.+-_ only. People sign in with it, or with their e-mail."),
            "is_active": gettext_lazy("Can sign in. Untick this instead of deleting somebody."),
            "is_superuser": gettext_lazy("May do everything, to everybody."),
            "is_staff": gettext_lazy("May open this back office; follows the role."),
            "groups": gettext_lazy("Beside the role."),
            "user_permissions": gettext_lazy("Beside those of the role and the groups."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        granted = roles.grantable(self.actor, None if self.instance._state.adding else self.instance)
        if granted:
            self.fields["role"].choices = [(role, roles.LABELS[role]) for role in granted]  # type: ignore[attr-defined]
            self.fields["role"].help_text = meanings(granted)
            self.initial.setdefault("role", self.instance.role if self.instance.pk else roles.MEMBER)
        else:
            del self.fields["role"]

        if "username" in self.fields:
            # Beside one's own password browsers would fill in one's own name here.
            self.fields["username"].widget.attrs["autocomplete"] = "off"
        if "groups" in self.initial:
            # That of the role is not in the list, and would always look taken away.
            self.initial["groups"] = [group for group in self.initial["groups"] if group.name not in Role.values]

    def _is_compared(self, name: str, field: forms.Field) -> bool:
        return name != "own_password" and super()._is_compared(name, field)

    def needs_proof(self) -> bool:
        """Say whether access changes; with the e-mail of staff it does, whose password link would go elsewhere."""
        sensitive = ACCESS_FIELDS | ({"email"} if self.instance.is_staff else set())
        return bool(sensitive.intersection(self.changed_data))

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        self._refuse_taken(has_username(username), _("{person} already has this username."))
        return username

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        self._refuse_taken(has_email(email), _("{person} already has this e-mail."))
        return email

    def _refuse_taken(self, by_whom: Q, sentence: str) -> None:
        """The constraint says the same, but not who it is, and not beside the field."""
        holder = User.objects.filter(by_whom).exclude(pk=self.instance.pk).first()
        if holder is not None:
            page = reverse("admin:users_profiles_user_change", args=[holder.pk])
            link = format_html('<a href="{}">{}</a>', page, holder)
            raise ValidationError(format_html(sentence, person=link), code="unique")

    def clean_groups(self) -> list[Group]:
        """Keep the group of the role: the list offers all others, the role has a field of its own."""
        return [*self.cleaned_data["groups"], *self.instance.groups.filter(name__in=Role.values)]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("is_superuser"):
            cleaned["is_staff"] = True  # a superuser who cannot open the admin is a surprise
        return cleaned

    @property
    def new_role(self) -> str | None:
        """The role to give once the person is saved; None when it stays as it is."""
        if "role" in self.cleaned_data and {"role", "is_superuser"}.intersection(self.changed_data):
            return str(self.cleaned_data["role"])
        return None


class AddPersonForm(PersonForm):
    """A new person. Nobody chooses a password for somebody else: the person does, by a link in a mail."""

    send_invitation = forms.BooleanField(
        label=gettext_lazy("Send an invitation"),
        required=False,
        initial=True,
        help_text=gettext_lazy("A mail with a link to set a password."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].required = False
        self.fields["username"].help_text = _("Leave it empty, and it is made from the name: ada.lovelace.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("username") == "":
            base = usernames.make("{first}.{last}", cleaned)
            if base:
                cleaned["username"] = newcomers.unused(base)
            else:
                self.add_error("username", _("Give a username, or a name to make one from."))
        if cleaned.get("send_invitation") and "email" in cleaned and not cleaned["email"]:
            self.add_error("email", _("An invitation needs an e-mail. Give one, or send no invitation."))
        return cleaned

    def save(self, commit: bool = True) -> User:
        self.instance.set_unusable_password()
        return super().save(commit)


class GroupForm(ProvesIdentity, forms.ModelForm):
    """A group, and what its members may do. ``request`` is set on the class that the admin makes for each request."""

    def needs_proof(self) -> bool:
        return bool(self.changed_data)
