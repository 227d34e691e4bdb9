"""What may be wrong with a file as a whole. (What is wrong with a row is an outcome, not an exception.)"""


class FileRefused(Exception):
    """The file cannot be imported; the text is a sentence for the person who chose it and names the cure."""
