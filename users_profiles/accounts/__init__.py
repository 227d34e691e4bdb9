"""Signing in: how people are found and proven to be who they say, and what their sessions may do.

``addresses``: whose e-mail must be proven first. ``adapter``: what allauth does differently. ``identity``: how long ago
somebody proved who they are; ``proving``: forms that ask for it again. ``second_factor``: the second step at sign-in.
``sessions``: where somebody is signed in. ``single_sign_on``: signing in by another service. ``clock``: the
time zone they begin with. ``limits`` and ``passwords``: what stops guessing.
"""
