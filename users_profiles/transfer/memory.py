"""What staff chose for a file is offered again for the next one with the same columns."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence

from django.contrib.auth.models import AnonymousUser

from users_profiles import roles
from users_profiles.models import Import, User
from users_profiles.transfer import columns, refused
from users_profiles.transfer.options import DateOrder, Options, Origin

_CHOICES = ("mode", "match", "blank_clears", "region", "username_pattern")


def digest_of(headers: Sequence[str]) -> str:
    """The fingerprint of a set of column names, in whatever order and spelling they come.

    Without what our file of refused rows adds: it comes back, mended, to the choices of the file it is of.
    """
    theirs = list(headers)
    while theirs and theirs[-1] in {"", refused.REASON}:
        theirs.pop()
    names = sorted(columns.header_key(header) for header in theirs)
    return hashlib.sha256(json.dumps(names).encode()).hexdigest()


def recall(options: Options, actor: User | AnonymousUser) -> None:
    """Take mapping and choices from the latest import of such a file by the same person, else by anybody.

    What the person may not see or grant is not taken over, and what the file itself says about its dates goes before.
    """
    alike = Import.objects.filter(headers_digest=digest_of(options.headers)).order_by("-uploaded_at")
    latest = alike.filter(owner_id=actor.pk).first() or alike.first()
    if latest is None:
        return
    before = Options.from_json(latest.options)
    _recall_mapping(options, before, set(roles.visible_fields(actor, columns.NAMES)))
    for name in _CHOICES:
        setattr(options, name, getattr(before, name))
    if options.date_order is DateOrder.ASK:
        options.date_order = before.date_order
    granted = roles.grantable(actor)
    options.defaults = {
        name: text for name, text in before.defaults.items() if name != "role" or text in granted or not text
    }


def _recall_mapping(options: Options, before: Options, visible: set[str]) -> None:
    """By name and not by place: the columns may have changed places, and of two with one name the first stays first."""
    stored = defaultdict(list)
    for header, name in zip(before.headers, before.mapping, strict=True):
        stored[columns.header_key(header)].append(name)
    for at, header in enumerate(options.headers):
        known = stored[columns.header_key(header)]
        name = known.pop(0) if known else ""
        name = name if name in visible else ""
        if name != options.mapping[at] or options.origins[at] is Origin.GUESS:
            options.mapping[at], options.origins[at] = name, Origin.BEFORE if name else Origin.NONE
