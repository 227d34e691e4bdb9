"""Figures about people for the dashboard.

``counting`` asks the database, ``store`` keeps the answer where asking takes long, ``showing`` says it in words with
the filter parameters of the list behind each number, ``lately`` tells what is under way and what happened. None of
them knows an address: addresses belong to the admin.
"""
