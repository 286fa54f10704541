#!/usr/bin/env bash
# Goal of this test: the whole way on PostgreSQL: observe, sweep, moderate,
# rotate under it, strict, verify, off; what plan says of it before and after.
. "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2154 # repo is lib.sh's
cluster=$repo/tests/support/pg_cluster.sh
if ! why=$(sh "$cluster" check 2>&1) || [ ! -e "$(dirname "$envelope")/envl-migrator-postgres.so" ]; then
    skip "guards on PostgreSQL" "${why:-no plugin beside the command}"
    finish
fi
pg=$(mktemp -d "${TMPDIR:-/tmp}/envl-pg.XXXXXX")
on_exit() { sh "$cluster" stop "$pg" immediate; rm -rf "$pg"; }
sh "$cluster" start "$pg" log_min_duration_statement=0 >/dev/null || { fail "the server does not start"; finish; }
db() { psql -qAtX -h "$pg/s" -U "${2:-postgres}" -d postgres -c "$1" 2>&1; }
db "CREATE ROLE app LOGIN; CREATE ROLE keeper LOGIN; GRANT CREATE ON DATABASE postgres TO keeper;
    CREATE TABLE public.alloc(id int PRIMARY KEY, k text, meta jsonb, n int DEFAULT 0);
    ALTER TABLE alloc OWNER TO keeper; GRANT SELECT, INSERT, UPDATE ON alloc TO app;
    INSERT INTO alloc SELECT i, 'plain-key-' || i, jsonb_build_object('request', 'plain-req-' || i, 'n', i)
    FROM generate_series(1, 2000) i"
init
export DATABASE_URL="host=$pg/s user=keeper dbname=postgres"
cat >job.json <<'J'
{ "envelope_job": 1, "name": "alloc", "source": { "driver": "postgres", "dsn_env": "DATABASE_URL" },
  "targets": [ { "table": "public.alloc", "key": ["id"], "fields": [ { "column": "k" },
    { "column": "meta", "path": "request", "into": "request_enc", "encoding": "object" } ] } ] }
J
stage() { e guard job.json --json -q | json '["guard"][0]["stage"]'; }
writes() { e guard job.json --json -q | json '["guard"][0]["plaintext_writes"]'; }
schema() { pg_dump --schema-only -h "$pg/s" -U postgres postgres | grep -v restrict; }

exits "plan --ddl" 0 e plan job.json --ddl
prints "what a guard needs" 'envelope guard. on public.alloc runs as the table.s owner'
prints "exactly" 'GRANT USAGE, CREATE ON SCHEMA envelope TO keeper'
before=$(schema)
exits "observe" 0 e guard job.json observe
is "the application writes as before" "" "$(db "INSERT INTO alloc VALUES (3001, 'plain-new', '{}')" app)"
is "counted" 1 "$(writes)"
exits "off" 0 e guard job.json off
is "nothing is left of it" "$before" "$(schema)"
exits "observe again" 0 e guard job.json observe
exits "a sweep under it" 0 e migrate job.json --execute --workers 2
is "not counted" 0 "$(writes)"
exits "moderate" 0 e guard job.json moderate
said=$(db "UPDATE alloc SET k = 'plain-canary-41' WHERE id = 7" app)
is "refused, with the place" 1 "$(grep -c 'plaintext is refused in public.alloc (k, meta.request) by the envelope guard of job alloc' <<<"$said")"
is "without the value" 0 "$(grep -v '^LINE' <<<"$said" | grep -c canary)"
is "untouched rows change" "" "$(db "UPDATE alloc SET n = n + 1 WHERE id < 50" app)"
exits "a rotation under it" 0 e rotate --kid k2 --job job.json --execute
exits "strict" 0 e guard job.json strict
is "strict" '"strict"' "$(stage)"
exits "what the guard made is nothing to decide" 0 e plan job.json
exits "a sweep under strict" 0 e migrate job.json --execute
exits "verify" 0 e verify job.json
# A dump that is restored elsewhere brings its guard along.
db "CREATE DATABASE copied" >/dev/null
pg_dump -h "$pg/s" -U postgres postgres | psql -qX -v ON_ERROR_STOP=1 -h "$pg/s" -U postgres copied >/dev/null 2>"$tmp/restore.err"
is "restored" "" "$(cat "$tmp/restore.err")"
exits "the guard of the copy" 0 env DATABASE_URL="host=$pg/s user=keeper dbname=copied" "$envelope" guard job.json --keyring "$ring"
prints "is as it was" '^guard of public.alloc: strict; 1 writes'
is "and refuses" 1 "$(psql -qAtX -h "$pg/s" -U app -d copied -c "UPDATE alloc SET k = 'plain-copy' WHERE id = 7" 2>&1 | grep -c 'plaintext is refused')"
db "ALTER TABLE alloc DISABLE TRIGGER USER" >/dev/null
exits "somebody turned it off" 4 e guard job.json
exits "status says so" 0 e status job.json
prints "status says so" 'NOT AS SET: strict'
exits "strict again" 0 e guard job.json strict
exits "as another role" 14 env DATABASE_URL="host=$pg/s user=app dbname=postgres" "$envelope" guard job.json off --keyring "$ring"
exits "off" 0 e guard job.json off
is "no trigger, no check" 0 "$(db "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'zz_envelope%'")"
finish
