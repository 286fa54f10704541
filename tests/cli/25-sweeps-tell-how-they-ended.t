#!/usr/bin/env bash
# Goal of this test: plan, migrate, status, verify and rotate --job on SQLite,
# as the command shows them: exit codes, documents, hints, interruption and
# resuming.  What a sweep does to rows is tested under tests/integration.
. "$(dirname "$0")/lib.sh"
if ! command -v sqlite3 >/dev/null || [ ! -e "$(dirname "$envelope")/envl-migrator-sqlite.so" ]; then
    skip "sweeps" "no sqlite3, or no plugin beside the command"
    finish
fi
init
db() { sqlite3 shop.db "$1"; }
rows() {
    db "DROP TABLE IF EXISTS users; CREATE TABLE users(id INTEGER PRIMARY KEY, k TEXT);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
        INSERT INTO users SELECT i, 'sk-live-' || i FROM n"
}
rows 3000
cat >job.json <<'J'
{ "envelope_job": 1, "name": "shop", "source": { "driver": "sqlite", "path": "shop.db" },
  "targets": [ { "table": "users", "key": ["id"], "fields": [ { "column": "k" } ] } ] }
J

exits "no job file" 10 e plan none.json
says "names it" none.json
exits "no operand" 2 e migrate
exits "status before anything" 10 e status job.json
exits "plan" 0 e plan job.json
prints "the context as the application must say it" "--context 'field=users.k'"
prints "the context as the application must say it" "--context 'id=int:1'"
prints "nothing was written" 'nothing was written'
exits "plan --json" 0 e plan job.json --json
is "one document" 1 "$(wc -l <"$out")"
exits "plan --ddl" 0 e plan job.json --ddl
prints "the state schema" 'CREATE TABLE IF NOT EXISTS envelope_job'
exits "migrate without --execute is plan" 0 e migrate job.json
is "nothing was written" 3000 "$(db "SELECT count(*) FROM users WHERE k LIKE 'sk-live-%'")"
exits "verify before" 4 e verify job.json

exits "migrate" 0 e migrate job.json --execute --json
is "the last line is the summary" '"summary" "shop" 3000 0 0 0 0' "$(tail -1 "$out" | python3 -c '
import json,sys; d=json.load(sys.stdin)
print(json.dumps(d["type"]), json.dumps(d["job"]), d["sealed"], d["rotated"], d["skipped"], d["conflicts"], d["quarantined"])')"
is "every line is JSON" "" "$(python3 -c '
import json,sys
for l in open(sys.argv[1]): json.loads(l)' "$out" 2>&1)"
exits "again: nothing to do" 0 e migrate job.json --execute --json
is "all skipped" 3000 "$(tail -1 "$out" | json '["skipped"]')"
exits "verify" 0 e verify job.json --json
is "one document" 1 "$(wc -l <"$out")"
is "exactly" '1 true 3000 0 [{"target": "users", "field": "k", "state": "sealed_current", "count": 3000, "kid": "k1"}]' "$(python3 -c '
import json,sys; d=json.load(open(sys.argv[1]))
print(d["schema"], json.dumps(d["ok"]), d["opened"], d["failed"], json.dumps(d["census"]))' "$out")"
value=$(db "SELECT k FROM users WHERE id = 42")
is "a value opens in its place" sk-live-42 "$(printf %s "$value" | e decrypt --context field=users.k --context id=int:42)"
exits "status" 0 e status job.json --json
is "done" '"done"' "$(json '["phase"]' <"$out")"
mv "$ring" away
exits "status needs no keyring" 0 e status job.json
says "says what that means" 'without a keyring'
exits "verify does" 10 e verify job.json
mv away "$ring"

# Rotation.
exits "rotate without --execute" 0 e rotate --kid k2 --job job.json
says "says how" 'execute makes k2'
exits "no key was made" 13 e key activate k2
exits "rotate" 0 e rotate --kid k2 --job job.json --execute
says "the generation first" 'k2 is active in place of k1.*generation 2'
prints "the former key" '^k1 may now be disabled, if no other job'
exits "k2 only" 0 e verify job.json --json
is "k2 only" '["k2"]' "$(python3 -c '
import json,sys; print(json.dumps(sorted({c["kid"] for c in json.load(open(sys.argv[1]))["census"]})))' "$out")"
is "a value from before still opens" sk-live-42 "$(printf %s "$value" | e decrypt --context field=users.k --context id=int:42)"
sed 's/"k"/"nope"/' job.json >wrong.json
exits "a job that cannot run" 10 e rotate --kid k8 --job wrong.json --execute
exits "makes no key" 13 e key activate k8
e key retire k2 -q >/dev/null
exits "without an active key" 0 e rotate --kid k2b --job job.json --execute
e key activate k2 -q >/dev/null
exits "back" 0 e rotate --kid k2 --job job.json --execute
exits "a job and files" 2 e rotate --kid k3 --job job.json shop.db
exits "rotate --json" 0 e rotate --kid k3 --job job.json --execute --json
is "the last line" '"rotation" "k3" "k2" true true' "$(tail -1 "$out" | python3 -c '
import json,sys; d=json.load(sys.stdin)
print(*map(json.dumps, (d["type"], d["kid"], d["former"], d["verified"], d["former_may_be_disabled"])))')"

# Quarantine: exit 3, and status lists row ids and reasons, no values.
db "UPDATE users SET k = 'env1:canary-not-an-envelope' WHERE id = 7"
exits "one value is quarantined" 3 e migrate job.json --execute
says "where it is listed" 'envelope status'
exits "status" 0 e status job.json
prints "the row and the reason" 'users k row .*7.*prefix_collision'
not "no value" grep -q canary "$out" "$err"
exits "verify finds it" 4 e verify job.json
prints "the row" 'row .*7'
exits "a rotation ends with 3" 3 e rotate --kid k4 --job job.json --execute
prints "the former must stay" '^k3 must stay'
db "DELETE FROM users WHERE id = 7"
exits "again" 0 e rotate --kid k4 --job job.json --execute

# A moved value, and one under a key that is gone.
db "UPDATE users SET k = (SELECT k FROM users WHERE id = 1) WHERE id = 2"
exits "a moved value" 4 e verify job.json
prints "is found" 'sealed_wrong_context'
db "DELETE FROM users WHERE id = 2"

# Interrupted: 130 or 143, the resume command, and nothing lost.
if type timeout >/dev/null; then
    rows 60000
    sealed() { sqlite3 -cmd '.timeout 1000' shop.db "SELECT count(*) FROM users WHERE k LIKE 'env1:%'" 2>/dev/null; }
    interrupt() { # SIGNAL CODE
        before=$(sealed)
        "$envelope" migrate job.json --execute >"$out" 2>"$err" &
        pid=$!
        for _ in $(seq 200); do
            [ "$(sealed)" != "$before" ] && break
            sleep 0.01
        done
        kill -"$1" $pid
        wait $pid
        got=$?
        case $got in
        "$2") pass; says "SIG$1: the resume command" 'envelope migrate job.json --execute' ;;
        0) skip "SIG$1" "the sweep was faster" ;;
        *) fail "SIG$1: exit $2 wanted, $got given" "$(cat "$err")" ;;
        esac
    }
    interrupt INT 130
    if [ "$got" = 130 ]; then
        exits "a new ring key waits for the job" 14 e key destroy k1 --yes=k1
        says "names it" 'job.json'
    fi
    interrupt TERM 143
    exits "run again" 0 e migrate job.json --execute
    exits "verify" 0 e verify job.json
    is "all of them" 60000 "$(db "SELECT count(*) FROM users WHERE k LIKE 'env1:k4:%'")"
fi
# What rows hold cannot draw on the terminal, or forge a line.
db "CREATE TABLE t(id TEXT PRIMARY KEY NOT NULL, k TEXT);
    INSERT INTO t VALUES('a' || char(27) || '[31m' || char(10) || 'ok: 9 envelopes' || char(155) || 'b', 'env1:broken')"
cat >t.json <<'J'
{ "envelope_job": 1, "name": "t", "source": { "driver": "sqlite", "path": "shop.db" },
  "targets": [ { "table": "t", "key": ["id"], "fields": [ { "column": "k" } ] } ] }
J
exits "a row id with escapes" 3 e migrate t.json --execute
for verb in plan status verify; do
    e $verb t.json >"$out" 2>&1
    is "$verb shows no control characters" 0 "$(LC_ALL=C.UTF-8 grep -acP '[\x00-\x08\x0b-\x1f\x7f\x{80}-\x{9f}]' "$out")"
    is "$verb: no forged line" 0 "$(grep -c '^ok: 9' "$out")"
done
ok "the row is shown" grep -q 'a?.31m?ok: 9 envelopes?b' "$out"
db "UPDATE t SET id = 'a''; touch pasted; ''', k = 'v'"
e plan t.json >"$out" 2>&1
bash -c "echo $(sed -n 's/^ *\(--context .id=.*\)/\1/p' "$out")" >pasted.out
is "a context can be pasted into a shell" "--context id=str:a'; touch pasted; '" "$(cat pasted.out)"
not "and runs nothing" test -e pasted
db "DROP TABLE t"

# A scope without a key, and records that somebody changed.
sed 's/"name"/"scope": "nobody", "name"/' job.json >scope.json
exits "plan without a key to seal under" 13 e plan scope.json
says "names the scope" "scope 'nobody'"
exits "status of what is intact" 0 e status job.json
is "and says nothing else" "" "$(grep 'NOT AUTHENTIC' "$out")"
cp shop.db intact.db
db "UPDATE envelope_range SET body = x'00'"
exits "status of a changed range" 0 e status job.json
prints "says so" '^NOT AUTHENTIC: [0-9]* of their records'
db "UPDATE envelope_job SET body = x'00'"
exits "status of a changed job" 18 e status job.json
says "says so" 'was not written under this keyring, or was changed'
cp intact.db shop.db

e key disable k1 -q >/dev/null
exits "no job is under way any more" 0 e key destroy k1 --yes=k1
exits "records under the old ring key give way by consent" 18 e migrate job.json --execute

# A job that is wrong, in the words of the job file.
bad() { # DESCRIPTION CODE SED
    sed "$3" job.json >bad.json
    exits "$1" "$2" e plan bad.json
}
bad "an unknown member" 2 's/"column"/"colum"/'
says "names it" 'targets\[0\].fields\[0\].colum'
bad "no such column" 10 's/"k"/"nope"/'
says "names it" nope
bad "no such table" 10 's/"users"/"usrs"/'
bad "no such driver" 10 's/"sqlite"/"sqlight"/'
bad "no JSON" 2 's/{/[/'
exits "a database that is not there" 10 sh -c "sed 's/shop.db/none.db/' job.json >bad.json; exec '$envelope' plan bad.json"
exits "the log" 0 e audit verify
exits "a log that cannot be written: nothing is swept" 17 env ENVELOPE_AUDIT=/dev/full "$envelope" migrate job.json --execute
finish
