#!/usr/bin/env bash
# Goal of this test: a PostgreSQL sweep survives SIGKILL at numbered messages,
# lost backends, a crashed server, long locks and a second process.  The cases
# are in faults_postgres.py; POINTS and CUTS make it longer.
cd "$(dirname "$0")" || exit 1
if ! sh ../support/pg_cluster.sh check; then
    echo "faults_postgres: 0 passed, 0 failed, 1 skipped"
    exit 0
fi
exec /usr/bin/python3 faults_postgres.py --points "${POINTS:-15}" \
    --cuts "${CUTS:-8}"
