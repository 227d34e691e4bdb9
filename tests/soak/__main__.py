"""``python -m tests.soak [--seconds N] [--people N] [--every N] [--seed N] [--json FILE]``: see ``make soak``.

Needs SOAK_POSTGRES_URL: the address of a server on which a database may be created.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from tests.soak import site

NAME = "backoffice_soak"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=120, help="how long the staff work")
    parser.add_argument("--people", type=int, default=5_000, help="how many there are to begin with")
    parser.add_argument("--every", type=float, default=3, help="seconds between two things that break")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--hurry", action="store_true", help="let go of what the dead held at once")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--keep", type=Path, help="keep logs and files in this folder")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    server = os.environ["SOAK_POSTGRES_URL"]
    with tempfile.TemporaryDirectory(prefix="backoffice-soak-") as name:
        folder = options.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        url = urlunsplit(urlsplit(server)._replace(path=f"/{NAME}"))
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {NAME}")
        found = _run(options, url, folder)
    print(found)
    if options.json:
        options.json.write_text(json.dumps(found.to_json(), indent=1) + "\n")
    sys.exit(bool(found.wrong))


def _run(options: argparse.Namespace, url: str, folder: Path):  # type: ignore[no-untyped-def]
    environment = site.environment(url, folder)
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=site.ROOT, env=environment, check=True)
    os.environ.update(environment)
    import django

    django.setup()
    from tests.soak import run

    plan = run.Plan(options.seed, options.seconds, options.people, options.every, options.hurry)
    return run.run(plan, url, folder)


if __name__ == "__main__":
    main()
