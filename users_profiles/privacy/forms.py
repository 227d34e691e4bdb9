"""The form before a person is erased: typed on purpose, by whoever proves that it is still them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from users_profiles.accounts.proving import ProvesIdentityToDelete
from users_profiles.models import User


class EraseForm(ProvesIdentityToDelete):
    """Asks for the username of the person, beside what deleting somebody asks for."""

    username = forms.CharField(
        label=gettext_lazy("Their username"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    field_order = ("username",)

    def __init__(self, data: Any, request: HttpRequest, person: User) -> None:
        super().__init__(data, request=request, label_suffix="")
        self.person = person

    def clean_username(self) -> str:
        typed: str = self.cleaned_data["username"]
        if typed != self.person.username:
            raise ValidationError(_("This is not their username."), code="typed")
        return typed
