"""What allauth's rate limits do not say: when to try again."""

from __future__ import annotations

import math
import time

from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.translation import ngettext

APP = "allauth.account"


def seconds_to_wait(request: HttpRequest, action: str, key: str = "") -> float:
    """How long until this may be tried again: when the oldest attempts that still count are old enough.

    Reads the moments that allauth keeps in the cache, newest first, never more of them than the limit allows.
    """
    waits = [0.0]
    for rate in ratelimit.get_rates(app=APP, action=action):
        kept_as = ratelimit.get_cache_key(request, app=APP, action=action, rate=rate, key=key, user=request.user)
        moments = cache.get(kept_as, [])
        if len(moments) >= rate.amount:
            waits.append(moments[rate.amount - 1] + rate.duration - time.time())
    return max(waits)


def sentence(seconds: float) -> str:
    """Tell somebody who tried too often when to try again."""
    minutes = max(1, math.ceil(seconds / 60))
    return ngettext(
        "Too many attempts. Try again in %(minutes)s minute.",
        "Too many attempts. Try again in %(minutes)s minutes.",
        minutes,
    ) % {"minutes": minutes}
