"""What may be wrong with a file as a whole. (What is wrong with a row is an outcome, not an exception.)"""

from django.conf import settings

from users_profiles.sentences import sentence as _


class FileRefused(Exception):
    """The file cannot be imported, or not be made; the text is a sentence for who asked for it and names the cure."""

    @property
    def sentence(self) -> str:
        """The text with what it is made of, to be kept."""
        text: str = self.args[0]
        return text


def too_many_columns(number: int) -> str:
    """The sentence for a row that is wider than a file may be, whatever kind of file it is."""
    return _("Row %(row)s has more than %(limit)s columns. Delete what does not belong there.") % {
        "row": number,
        "limit": settings.IMPORT_MAX_COLUMNS,
    }
