"""The form before a person is erased: typed on purpose, by whoever proves that it is still them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from users_profiles.accounts import identity
from users_profiles.models import User


class EraseForm(forms.Form):
    """Asks for the username of the person and, where the sign-in is old, for one's own password."""

    username = forms.CharField(
        label=gettext_lazy("Their username"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label=gettext_lazy("Your password"), widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )

    def __init__(self, data: Any, request: HttpRequest, person: User) -> None:
        super().__init__(data, label_suffix="")
        self.request, self.person = request, person
        if identity.is_fresh(request):
            del self.fields["password"]

    def clean_username(self) -> str:
        typed: str = self.cleaned_data["username"]
        if typed != self.person.username:
            raise ValidationError(_("This is not their username."), code="typed")
        return typed

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        identity.prove_by_password(self.request, password)
        return password
