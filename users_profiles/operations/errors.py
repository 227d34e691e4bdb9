"""What goes wrong with a backup, in a sentence for whoever typed the command."""


class BackupError(Exception):
    """Nothing was backed up, or nothing was restored; the message says why."""
