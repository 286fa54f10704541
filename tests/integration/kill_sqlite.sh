#!/usr/bin/env bash
# Goal of this test: a SQLite sweep survives SIGKILL at any moment.  The cases
# and the checks are in sweep_sqlite.py; POINTS and KILLS make it longer.
cd "$(dirname "$0")" || exit 1
exec /usr/bin/python3 sweep_sqlite.py --points "${POINTS:-40}" \
    --kills "${KILLS:-20}"
