"""All addresses that the product answers at, by their names."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import URLResolver, get_resolver

ADMIN = "admin:"


def patterns(
    resolver: URLResolver | None = None, space: str = "", names: tuple[str, ...] = ()
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every name, with what its path carries. Addresses without one lead to others, or to the page of 404."""
    for pattern in (resolver or get_resolver()).url_patterns:
        found = names + tuple(pattern.pattern.regex.groupindex)
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern, f"{pattern.namespace}:" if pattern.namespace else space, found)
        elif pattern.name:
            yield space + pattern.name, found


def names() -> set[str]:
    return {name for name, _carried in patterns()}


def names_in_the_admin() -> set[str]:
    """Those of the admin's pages, without its own name in front."""
    return {name.removeprefix(ADMIN) for name in names() if name.startswith(ADMIN)}
