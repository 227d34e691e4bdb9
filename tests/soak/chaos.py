"""What breaks: processes killed with -9, one after the other or while they answer, and connections cut."""

from __future__ import annotations

import random
import threading
from collections import Counter
from typing import Any

import psycopg

from tests.soak.site import Server, Site

KINDS = ("kill a web process", "kill a web server", "kill a worker", "cut a connection", "cut every connection")


class Chaos(threading.Thread):
    """Breaks something every now and then. All that is random comes from one seed.

    With ``hurry``, what a dead process has left behind is let go at once: as if the half minute after which the living
    take it over had passed. A test has no half minute to spare.
    """

    def __init__(self, site: Site, seed: int, every: float, hurry: bool) -> None:
        super().__init__(name="chaos", daemon=True)
        self.done: Counter[str] = Counter()
        self._site, self._every, self._hurry = site, every, hurry
        self._chance = random.Random(f"{seed} chaos")
        self._over = threading.Event()
        self._bag: list[str] = []
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            with psycopg.connect(self._site.database_url, autocommit=True) as database:
                while not self._over.wait(self._chance.uniform(0.5, 1.5) * self._every):
                    self._break(database)
        except Exception as error:
            self.error = error

    def stop(self) -> None:
        """Break nothing more; whatever was killed is up again."""
        self._over.set()
        self.join()

    def _break(self, database: Any) -> None:
        if not self._bag:  # every kind once, then again
            self._bag = self._chance.sample(KINDS, len(KINDS))
        kind = self._bag.pop()
        if kind.startswith("cut"):
            everything = "TRUE" if kind == "cut every connection" else "pid = (SELECT pid FROM others)"
            database.execute(
                "WITH others AS (SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1)"
                " SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                f" AND pid <> pg_backend_pid() AND {everything}"
            )
        elif kind == "kill a web process":
            self._bury(database, self._chance.choice(self._site.webs).kill_child())
        else:
            servers = self._site.webs if kind == "kill a web server" else self._site.workers
            self._restart(database, self._chance.choice(servers))
        self.done[kind] += 1

    def _restart(self, database: Any, server: Server) -> None:
        pids = server.kill()
        self._over.wait(self._chance.uniform(0, 1))
        server.start()
        self._bury(database, pids)

    def _bury(self, database: Any, pids: list[int]) -> None:
        """Let what the dead held run out, as it does by itself after half a minute."""
        if not self._hurry:
            return
        for pid in pids:
            held = f"%:{pid}:%"
            for table in ("users_profiles_import", "users_profiles_export"):
                database.execute(
                    f"UPDATE {table} SET lease_until = now() - interval '1 second', queued_at = NULL"
                    " WHERE lease_holder LIKE %s AND lease_until > now()",
                    [held],
                )
                database.execute(f"UPDATE {table} SET queued_at = NULL WHERE lease_until IS NULL")
            database.execute(
                "UPDATE users_profiles_worker SET seen_at = now() - interval '1 hour' WHERE name LIKE %s", [held]
            )
