"""What is held about one person: to be given out as a whole, and to be erased as a whole.

``places``: where it lies. ``names``: what tells in a text who is meant. ``uploads``: which files tell. ``holding``: all
of it in one file. ``erasing``: none of it any more.
"""
