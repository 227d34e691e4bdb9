"""The field for a file that is imported: one chooses it or drags it there, and sees what it is before it is sent."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings


class DropZone(forms.FileInput):
    """An input for one file. Browsers take a file dropped on it by themselves; the script takes it anywhere on the page
    and says its name and size."""

    template_name = "admin/transfer/drop_zone.html"

    def __init__(self, endings: list[str], folder: Any, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"accept": ",".join(endings), **(attrs or {})})
        self.endings = endings
        self.folder = folder  # what to say of a folder, which browsers let one drop as if it were a file

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """What the script needs to know, so that nobody uploads for minutes what is refused at the end."""
        limits = {
            "endings": self.endings,
            "folder": self.folder,
            "max_bytes": settings.IMPORT_MAX_BYTES,
            "limit": settings.IMPORT_MAX_BYTES // 1024**2,
        }
        return {**super().get_context(name, value, attrs), **limits}
