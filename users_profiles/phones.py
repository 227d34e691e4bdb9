"""Phone numbers: whatever people type becomes E.164 (``+4930123456``), which sorts, compares and dials everywhere.

People see a number of the country they are in as everybody there writes it (``030 123456``), and others with their
country code (``+33 1 23 45 67 89``). Which country that is, the settings say: what is typed without a country code
is taken for a number of it, so what somebody reads and types again is the same number. Files always have E.164.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import phonenumbers
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

# ITU-T E.164: a plus sign and at most 15 digits, the first of them not 0.
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
# The parser takes letters for the digits on the same keys, and "0151abc" for somebody's number.
LETTER = re.compile(r"[^\W\d_]")


def normalise(number: str, region: str | None = None, *, doubting: bool = False) -> str:
    """Return ``number`` as E.164, or the empty text for a blank one.

    A number without a country code is taken to be from ``region`` (two letters), else from
    ``settings.PHONE_DEFAULT_REGION``. A number of a possible length is accepted even where the numbering plan does
    not know it: plans change, and refusing a colleague's real number is worse than keeping a wrong one. ``doubting``
    is for somebody who can be asked: without a country code, the plan of the region must know the number, or a
    German number typed as at home becomes an American one.

    Raises ``ValidationError`` with a sentence that says what to write instead.
    """
    number = (number or "").strip()
    if not number or E164.fullmatch(number):  # the cheap check spares the parser on nearly every row of an import
        return number
    dialled = re.sub(r"^00(?=[1-9])", "+", number)  # as half the world dials abroad, wherever the region is
    try:
        parsed = None if LETTER.search(number) else phonenumbers.parse(dialled, region or settings.PHONE_DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        parsed = None
    found = ""
    holds = phonenumbers.is_valid_number if doubting and dialled[0] != "+" else phonenumbers.is_possible_number
    if parsed is not None and not parsed.extension and holds(parsed):
        found = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if not E164.fullmatch(found):  # some plans allow numbers longer than the standard does
        raise ValidationError(
            _("%(number)s is not a phone number. Write it with the country code, such as +49 30 123456."),
            code="phone",
            params={"number": number},
        )
    return found


def pretty(number: str) -> str:
    """Return an E.164 number as people here write it; anything else unchanged."""
    return next(_spellings(number), number)


def spellings(number: str) -> set[str]:
    """All the forms in which people may have seen a stored number; the empty set for none."""
    return {number, *_spellings(number)} if number else set()


def _spellings(number: str) -> Iterator[str]:
    """How people write an E.164 number, the way they write it here first; nothing for what nobody could dial.

    Only what means this number again when it is typed: a few plans have some that look like others.
    """
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return
    ways = [phonenumbers.PhoneNumberFormat.INTERNATIONAL]
    if parsed.country_code == phonenumbers.country_code_for_region(settings.PHONE_DEFAULT_REGION):
        ways.insert(0, phonenumbers.PhoneNumberFormat.NATIONAL)
    for way in ways:
        written = phonenumbers.format_number(parsed, way)
        with suppress(ValidationError):
            if normalise(written, doubting=True) == number:
                yield written


def examples() -> dict[str, str]:
    """A number of this country and one of another, as people here write them, for a sentence that asks for one."""
    region = settings.PHONE_DEFAULT_REGION
    here = phonenumbers.example_number(region)
    return {
        "here": pretty(phonenumbers.format_number(here, phonenumbers.PhoneNumberFormat.E164)) if here else "",
        "elsewhere": "+33 1 23 45 67 89" if region == "DE" else "+49 30 123456",
    }


class PhoneFormField(forms.CharField):
    """Shows a number as people here write it, and takes it in any form."""

    def prepare_value(self, value: Any) -> Any:
        return pretty(value) if isinstance(value, str) else value

    def to_python(self, value: Any) -> str:
        return normalise(super().to_python(value) or "", doubting=True)


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
        return super().formfield(**{"form_class": PhoneFormField, "max_length": 40, "widget": widget, **kwargs})
