#!/usr/bin/env bash
# The main job end to end, on SQLite, on a private PostgreSQL, and on MongoDB
# where a server can be had: plaintext rows are swept into envelopes, verified,
# rotated, verified.  Each command is printed before its output, and each count
# is checked against the database.
#   demo.sh BUILD_FOLDER
set -euo pipefail
out=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
rows=${DEMO_ROWS:-10000}
demo=$(mktemp -d "${TMPDIR:-/tmp}/envelope-demo.XXXXXX")
pg= mongo=
finish() {
    if [ -n "$mongo" ]; then
        "$python" "$here/mongo_demo.py" drop || :
        sh "$here/../support/mongo_server.sh" stop "$mongo" || :
    fi
    [ -z "$pg" ] || sh "$here/../support/pg_cluster.sh" stop "$pg" fast || :
    rm -rf "$demo" ${pg:+"$pg"} ${mongo:+"$mongo"}
}
trap finish EXIT
cd "$demo"
export PATH=$out:$PATH HOME=$demo XDG_DATA_HOME=$demo/data \
    XDG_STATE_HOME=$demo/state XDG_CONFIG_HOME=$demo/config
unset ENVELOPE_KEYRING ENVELOPE_KEY_FILE ENVELOPE_PASSPHRASE_FILE

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' off=$'\e[0m'
else bold='' off=''; fi
say() { printf '\n%s# %s%s\n' "$bold" "$*" "$off"; }
run() { printf '%s$ %s%s\n' "$bold" "$*" "$off"; eval "$*"; }

# check WHAT WANT GOT: the demo's own arithmetic; a false count ends it.
check() {
    [ "$2" = "$3" ] || { echo "demo: $1: expected $2, found $3" >&2; exit 1; }
    echo "  checked with the database: $1 = $3"
}
# member NAME: the first number of that name in the JSON on stdin.
member() { grep -o "\"$1\": *[0-9]*" | head -1 | grep -o '[0-9]*$'; }

# The same rows for both databases: two secrets each, one inside a document
# with a number that a parser would change.
row_key="'-----BEGIN KEY----- demo-' || i || ' -----END KEY-----'"
row_doc="'{\"queue\":\"q' || (i % 7) || '\",\"limit\":1e3,\"scheduler_request\":{\"user\":\"u' || i || '\",\"token\":\"demo-token-' || i || '\"}}'"

cat >schema.sql <<'SQL'
CREATE TABLE allocations (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    ssh_private_key_enc TEXT,
    scheduler_metadata TEXT);
SQL
fields='"fields": [
        { "column": "ssh_private_key_enc" },
        { "column": "scheduler_metadata", "path": "scheduler_request",
          "into": "scheduler_request_enc", "encoding": "object" } ]'

cat >demo.json <<JSON
{ "envelope_job": 1, "name": "demo",
  "source": { "driver": "sqlite", "path": "demo.db" },
  "targets": [
    { "table": "allocations", "key": ["id"],
      $fields } ] }
JSON

# sweep JOB ROWS UNDER: migrate, verify, rotate, verify; two values a row, and
# UNDER KID says how many rows are under it.
sweep() {
    local job=$1 rows=$2 under=$3 values=$((2 * $2))
    say "What would happen?  Nothing is written."
    run "envelope plan $job"
    say "Sweep"
    run "envelope migrate $job --execute --json | tee migrate.json | tail -1"
    check "values sealed" "$values" "$(tail -1 migrate.json | member sealed)"
    check "rows under k1" "$rows" "$($under k1)"
    say "Open every envelope in its place"
    run "envelope verify $job"
    say "Rotate: a new key, every value sealed again under it"
    run "envelope rotate --kid k2 --job $job --execute"
    check "rows under k2" "$rows" "$($under k2)"
    check "rows under k1" 0 "$($under k1)"
    say "Verify again: k2 only"
    run "envelope verify $job"
    envelope verify "$job" --json >verify.json
    check "envelopes opened" "$values" "$(member opened <verify.json)"
}

say "A keyring with its first key"
run "envelope init --kid k1"

say "SQLite: $rows rows with plaintext secrets"
sqlite3 demo.db <schema.sql
sqlite3 demo.db "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $rows)
    INSERT INTO allocations SELECT i, 'node-' || i, $row_key, $row_doc FROM n"
run "sqlite3 demo.db 'SELECT * FROM allocations WHERE id = 42'"
sqlite_under() { sqlite_count "ssh_private_key_enc LIKE 'env1:$1:%'"; }
sqlite_count() { sqlite3 demo.db "SELECT count(*) FROM allocations WHERE $1"; }
check "rows in plaintext" "$rows" "$(sqlite_count "ssh_private_key_enc LIKE '%BEGIN%'")"
cp demo.db before.db
sweep demo.json $rows sqlite_under
run "sqlite3 demo.db 'SELECT id, name, substr(ssh_private_key_enc, 1, 60), substr(scheduler_metadata, 1, 110) FROM allocations WHERE id = 42'"
check "documents with their number untouched" "$rows" \
    "$(sqlite_count "instr(scheduler_metadata, '\"limit\":1e3') > 0")"
say "One value, opened in its place, is what it was"
run "sqlite3 -noheader demo.db 'SELECT ssh_private_key_enc FROM allocations WHERE id = 42' | envelope decrypt --context field=allocations.ssh_private_key_enc --context id=int:42"
echo
check "the key of row 42" \
    "$(sqlite3 before.db 'SELECT ssh_private_key_enc FROM allocations WHERE id = 42')" \
    "$(sqlite3 demo.db 'SELECT ssh_private_key_enc FROM allocations WHERE id = 42' |
       envelope decrypt --context field=allocations.ssh_private_key_enc --context id=int:42)"
say "In another row's place it does not open"
run "sqlite3 -noheader demo.db 'SELECT ssh_private_key_enc FROM allocations WHERE id = 42' | envelope decrypt --context field=allocations.ssh_private_key_enc --context id=int:43 || echo exit \$?"

if ! sh "$here/../support/pg_cluster.sh" check; then
    echo "demo: no PostgreSQL on this machine; the rest needs one" >&2
    exit 1
fi
say "PostgreSQL: a private cluster, the same table, and a ring of its own"
pg=$(mktemp -d "${TMPDIR:-/tmp}/envelope-demo-pg.XXXXXX")
sh "$here/../support/pg_cluster.sh" start "$pg"
export DATABASE_URL="host=$pg/s user=postgres dbname=postgres"
sed 's/TEXT);/JSONB);/' schema.sql | psql -q "$DATABASE_URL"
psql -q "$DATABASE_URL" -c "INSERT INTO allocations SELECT i, 'node-' || i, $row_key, ($row_doc)::jsonb FROM generate_series(1, $rows) AS n(i)"
cat >cpod.json <<JSON
{ "envelope_job": 1, "name": "cpod-secrets",
  "source": { "driver": "postgres", "dsn_env": "DATABASE_URL" },
  "targets": [
    { "table": "public.allocations", "key": ["id"],
      $fields } ] }
JSON
export ENVELOPE_KEYRING=$demo/pg/keyring.json ENVELOPE_KEY_FILE=$demo/pg/keyring.key
mkdir -m 700 pg
run "envelope init --kid k1"
run "psql -At \"\$DATABASE_URL\" -c 'SELECT * FROM allocations WHERE id = 42'"
pg_under() { pg_count "ssh_private_key_enc LIKE 'env1:$1:%'"; }
pg_count() { psql -At "$DATABASE_URL" -c "SELECT count(*) FROM allocations WHERE $1"; }
check "rows in plaintext" "$rows" "$(pg_count "ssh_private_key_enc LIKE '%BEGIN%'")"
sweep cpod.json $rows pg_under
run "psql -At \"\$DATABASE_URL\" -c 'SELECT id, name, substr(ssh_private_key_enc, 1, 60), substr(scheduler_metadata::text, 1, 110) FROM allocations WHERE id = 42'"
check "documents that still hold a token" 0 "$(pg_count "scheduler_metadata::text LIKE '%demo-token%'")"

if ! python=$(sh "$here/../support/venv.sh" mongo 2>no-mongo) ||
    ! sh "$here/../support/mongo_server.sh" check 2>no-mongo; then
    say "No MongoDB here ($(sed 's/.*skipped: //' no-mongo | head -1)); \`make deps\` gets what a demo needs"
    say "Done: both databases hold envelopes under k2 only, and nothing else changed"
    exit 0
fi
say "MongoDB: documents with a key each, and headers inside an array"
mongo=$(mktemp -d "${TMPDIR:-/tmp}/envelope-demo-mongo.XXXXXX")
sh "$here/../support/mongo_server.sh" start "$mongo"
MONGODB_URL=$(cat "$mongo/uri")
export MONGODB_URL DEMO_DATABASE=envelope_demo_$$
docs() { "$python" "$here/mongo_demo.py" "$@"; }
mongo_under() { docs under "$1"; }
documents=$((rows < 2000 ? rows : 2000))
docs fill "$documents"
cat >tools.json <<JSON
{ "envelope_job": 1, "name": "demo-$$",
  "source": { "driver": "mongo", "dsn_env": "MONGODB_URL",
              "database": "$DEMO_DATABASE" },
  "targets": [
    { "collection": "tools",
      "fields": [ { "path": "api_key" },
                  { "path": "servers[*].headers.*" } ] } ] }
JSON
export ENVELOPE_KEYRING=$demo/mongo/keyring.json ENVELOPE_KEY_FILE=$demo/mongo/keyring.key
mkdir -m 700 mongo
run "envelope init --kid k1"
run "docs show 42"
check "documents in plaintext" "$documents" "$(docs plain)"
sweep tools.json $documents mongo_under
run "docs show 42"
check "documents in plaintext" 0 "$(docs plain)"
check "documents whose other fields stand" "$documents" "$(docs untouched)"
say "Done: all three databases hold envelopes under k2 only, and nothing else changed"
