#!/usr/bin/env bash
# Goal of this test: pause, resume and set work from another process on a job
# that is at work, survive it, and say what they did; on SQLite.
. "$(dirname "$0")/lib.sh"
if ! command -v sqlite3 >/dev/null || [ ! -e "$(dirname "$envelope")/envl-migrator-sqlite.so" ]; then
    skip "orders" "no sqlite3, or no plugin beside the command"
    finish
fi
init
db() { sqlite3 -cmd '.timeout 5000' shop.db "$1"; }
db "CREATE TABLE users(id INTEGER PRIMARY KEY, k TEXT);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
    INSERT INTO users SELECT i, 'sk-live-' || i FROM n"
job() { # MORE
    cat >job.json <<J
{ "envelope_job": 1, "name": "shop", "source": { "driver": "sqlite", "path": "shop.db" },$1
  "targets": [ { "table": "users", "key": ["id"], "fields": [ { "column": "k" } ] } ] }
J
}
sealed() { db "SELECT count(*) FROM users WHERE k LIKE 'env1:%'"; }
until_true() { # COMMAND...: for a minute at most
    for _ in $(seq 600); do
        "$@" && return
        sleep 0.1
    done
    fail "timed out: $*"
}
job ' "pace": { "rows": [10, 10], "max_rows_per_s": 100 },'

exits "a job that was never run" 10 e pause job.json
exits "set without a job" 2 e set
"$envelope" migrate job.json --execute --json >m.out 2>m.err &
pid=$!
begun() { [ "$(sealed)" -gt 0 ]; }
until_true begun
exits "pause" 0 e pause job.json
prints "says so" '^job shop is paused, and processes work on it \(.*@'
waiting() { grep -q '"type": *"waiting".*"reason": *"paused"' m.out; }
until_true waiting
sleep 1
before=$(sealed)
sleep 1
is "nothing is written while it is paused" "$before" "$(sealed)"
exits "status" 0 e status job.json --json
is "status says what it waits for" '"paused"' "$(json '["waiting"]["reason"]' <"$out")"
is "status says who said it" 'true' "$(json '["control"]["paused"]' <"$out")"
exits "status as text" 0 e status job.json
prints "how far" '^[0-9,]+ of about 3,000 rows \([0-9.]+ %\)'
prints "what it waits for, and since when" '^waits [0-9]+ s: paused by '
prints "who is at work" '^process [0-9]+ on .*: leads, 1 range$'
"$envelope" status job.json --watch --json >w.out 2>w.err &
watcher=$!
exits "a setting that is none" 2 e set job.json speed=9
says "names those there are" 'target_ms, rows'
exits "a bad value" 2 e set job.json target_ms=0
exits "set" 0 e set job.json max_rows_per_s=0 rows=50,5000 --json
is "says what is set" '{"rows": [50, 5000], "max_rows_per_s": 0}' "$(json '["control"]["set"]' <"$out")"
exits "resume" 0 e resume job.json
prints "says so" '^job shop is not paused'
wait $pid
is "it went on by itself" 0 $?
is "to the end" 3000 "$(sealed)"
wait $watcher
is "a watch ends with the job" 0 $?
is "each look is a line" '"done"' "$(tail -1 w.out | json '["phase"]')"
ok "it saw the pause" grep -q '"reason": *"paused"' w.out
sed 's/"rows": .10, 10./"rows": [20, 20]/' job.json >other.json
exits "status with another job file" 0 e status other.json
prints "tells that it changed" '^note: the job file was changed'
exits "set without settings shows them" 0 e set job.json
prints "shows them" '"max_rows_per_s": ?0'
exits "and takes them back" 0 e set job.json max_rows_per_s= rows=
exits "show" 0 e set job.json
is "nothing is set" 0 "$(grep -c '^set:' "$out")"
ok "each order is in the audit log" sh -c "'$envelope' audit show --json | grep -q '\"verb\":\"pause\".*\"object\":\"shop\"'"

# A paused job stays paused; who does not want to wait ends.
exits "pause without a keyring" 0 env ENVELOPE_KEYRING="$tmp/none.json" "$envelope" pause job.json
exits "resume without a keyring" 2 env ENVELOPE_KEYRING="$tmp/none.json" "$envelope" resume job.json
exits "a paused job with --no-wait" 14 e migrate job.json --execute --no-wait
says "says that it is paused" 'paused'
says "says how it goes on" 'envelope resume'
exits "resume" 0 e resume job.json
exits "goes on" 0 e migrate job.json --execute --no-wait

# The window and the query, as a job says them.
job ' "pace": { "window": "22:00-06:00 Europe/Nowhere" },'
exits "an unknown zone" 2 e plan job.json
says "names it" 'Europe/Nowhere'
job ' "yield_to": { "replica_lag_s": 3 },'
exits "what SQLite has not" 2 e plan job.json
says "is named" 'yield_to.replica_lag_s'
job ' "yield_to": { "query": "DELETE FROM users" },'
exits "a query that writes" 2 e plan job.json
says "is refused" 'yield_to.query'
is "and wrote nothing" 3000 "$(sealed)"
job ' "yield_to": { "query": "SELECT count(*) FROM brake" },'
db "CREATE TABLE brake(i); INSERT INTO brake VALUES(1)"
"$envelope" migrate job.json --execute --json >m.out 2>m.err &
pid=$!
waiting() { grep -q '"reason": *"query"' m.out; }
until_true waiting
db "DELETE FROM brake"
wait $pid
is "a query makes it wait until it is false" 0 $?
finish
