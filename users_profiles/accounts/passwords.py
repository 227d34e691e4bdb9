"""Passwords that are known to have leaked. Only where a setting names a service to ask."""

from __future__ import annotations

import hashlib
import logging
from typing import Any

import requests
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

logger = logging.getLogger(__name__)

PATIENCE = 2  # seconds; somebody is waiting for the page


class BreachedPasswordValidator:
    """Refuses passwords that a service knows from other sites' breaches.

    The service learns five characters of a digest, which thousands of passwords share, and answers with all it knows
    of them. When it does not answer, the password is taken: a service that is down must not keep people out.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def validate(self, password: str, user: Any = None) -> None:
        digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
        if digest[5:] in self._known(digest[:5]):
            raise ValidationError(
                _("This password is known from a breach of another site. Choose another one."), code="breached"
            )

    def get_help_text(self) -> str:
        return _("Your password can’t be one that is known from a breach of another site.")

    def _known(self, prefix: str) -> set[str]:
        """The rest of every digest that begins so; those with a count of 0 are there to hide how many there are."""
        try:
            answer = requests.get(f"{self.url}/{prefix}", headers={"Add-Padding": "true"}, timeout=PATIENCE)
            answer.raise_for_status()
        except requests.RequestException as error:
            logger.warning("Whether a password was breached could not be asked (%s)", type(error).__name__)
            return set()
        lines = (line.strip().upper().partition(":") for line in answer.text.splitlines())
        return {rest for rest, _colon, count in lines if count != "0"}
