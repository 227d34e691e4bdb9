"""The project: settings, addresses, and what we lay over the admin's theme."""
