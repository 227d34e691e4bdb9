"""Whoever has never chosen a time zone gets that of their browser at the next sign-in, and can choose another.

It is kept with the person and not asked of the browser each time: mails and the hour of a report go by it, too.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from users_profiles import speaking
from users_profiles.models import User

COOKIE = "time_zone"  # written by clock.js on the pages on which people sign in


@receiver(user_logged_in, dispatch_uid="users_profiles.keep_time_zone")
def keep_time_zone(sender: Any, request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    """Keep the zone that the browser told, if it is one we offer and the person has none."""
    told = request.COOKIES.get(COOKIE, "") if request is not None else ""
    if not user.time_zone and told in speaking.zones():
        User.objects.filter(pk=user.pk, time_zone="").update(time_zone=told)
        user.time_zone = told
