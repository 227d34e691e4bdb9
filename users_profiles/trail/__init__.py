"""Reads the trail: what was noted of people, and what imports did to them, as one story (``recorder`` writes it)."""

from users_profiles.trail.authors import Author, authors
from users_profiles.trail.entries import Change, Entry, label_of, owner, sees_everything, undoer, undone_at
from users_profiles.trail.pages import Filter, Page, everything, latest, of, of_group
from users_profiles.trail.telling import Changed, changes

__all__ = [
    "Author",
    "Change",
    "Changed",
    "Entry",
    "Filter",
    "Page",
    "authors",
    "changes",
    "everything",
    "label_of",
    "latest",
    "of",
    "of_group",
    "owner",
    "sees_everything",
    "undoer",
    "undone_at",
]
