"""Commands for pipelines, whose exit code says what became of the work."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class PipelineCommand(BaseCommand):
    """Ends with 1 where it is called wrongly: for argparse that is 2, which here is a work done in part."""

    def create_parser(self, *args: Any, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(*args, **kwargs)
        leave = parser.exit
        parser.exit = lambda status=0, message=None: leave(min(status, 1), message)  # type: ignore[method-assign]
        return parser
