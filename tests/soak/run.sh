#!/usr/bin/env bash
# The soak on a throwaway PostgreSQL, or on the server that SOAK_POSTGRES_URL names.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ -z "${SOAK_POSTGRES_URL:-}" ]; then
    postgres=$(.ci/postgres start) || { echo "The soak needs PostgreSQL: install it, or set SOAK_POSTGRES_URL." >&2; exit 1; }
    trap '.ci/postgres stop "$postgres"' EXIT
    SOAK_POSTGRES_URL=$(cat "$postgres/url")
    export SOAK_POSTGRES_URL
fi
.venv/bin/python -m tests.soak "$@"
