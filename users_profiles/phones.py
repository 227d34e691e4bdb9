"""Phone numbers: whatever people type becomes E.164 (``+4930123456``), which sorts, compares and dials everywhere."""

import re
from typing import Any

import phonenumbers
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

# ITU-T E.164: a plus sign and at most 15 digits, the first of them not 0.
E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def normalise(number: str, region: str | None = None) -> str:
    """Return ``number`` as E.164, or the empty text for a blank one.

    A number without a country code is taken to be from ``region`` (two letters), else from
    ``settings.PHONE_DEFAULT_REGION``. A number of a possible length is accepted even where the numbering plan does
    not know it: plans change, and refusing a colleague's real number is worse than keeping a wrong one.

    Raises ``ValidationError`` with a sentence that says what to write instead.
    """
    number = (number or "").strip()
    if not number or E164.fullmatch(number):  # the cheap check spares the parser on nearly every row of an import
        return number
    try:
        parsed = phonenumbers.parse(number, region or settings.PHONE_DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        parsed = None
    found = ""
    if parsed is not None and not parsed.extension and phonenumbers.is_possible_number(parsed):
        found = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if not E164.fullmatch(found):  # some plans allow numbers longer than the standard does
        raise ValidationError(
            _("%(number)s is not a phone number. Write it with the country code, such as +49 30 123456."),
            code="phone",
            params={"number": number},
        )
    return found


def pretty(number: str) -> str:
    """Return an E.164 number with the spaces people read it by; anything else unchanged."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


class PhoneField(models.CharField):
    """A phone number; validation turns whatever was typed into E.164."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 16)
        super().__init__(*args, **kwargs)

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        return super().clean(normalise(value), model_instance)

    def formfield(self, **kwargs: Any) -> Any:
        """Typed numbers have spaces and brackets, so the form allows more characters than are stored."""
        widget = forms.TextInput(attrs={"type": "tel"})
        return super().formfield(**{"max_length": 40, "widget": widget, **kwargs})
