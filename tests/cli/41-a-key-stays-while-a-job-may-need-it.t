#!/usr/bin/env bash
# Goal of this test: key disable and key destroy go by the last full verify of
# every job that wrote under the keyring, wherever it was run from, and say
# why not and what to do.  spec: KEY-130 to KEY-136
. "$(dirname "$0")/lib.sh"
if ! command -v sqlite3 >/dev/null || [ ! -e "$(dirname "$envelope")/envl-migrator-sqlite.so" ]; then
    skip "jobs and keys" "no sqlite3, or no plugin beside the command"
    finish
fi
init
db() { sqlite3 shop.db "$1"; }
db "CREATE TABLE users(id INTEGER PRIMARY KEY, k TEXT);
    INSERT INTO users VALUES (1,'sk-live-1'),(2,'sk-live-2')"
cat >job.json <<'J'
{ "envelope_job": 1, "name": "shop", "source": { "driver": "sqlite", "path": "shop.db" },
  "targets": [ { "table": "users", "key": ["id"], "fields": [ { "column": "k" } ] } ] }
J
# An entry's member changed, and the MAC with it only where we can: not.
entry() { python3 -c '
import json, sys
print(json.dumps(json.loads(open(sys.argv[1]).readline())["entries"][0][sys.argv[2]]))' "$ring.jobs" "$1"; }

exits "no job yet" 0 e key jobs
prints "says so" 'no job has written'
exits "the sweep" 0 e migrate job.json --execute
ok "it is registered beside the keyring" test -e "$ring.jobs"
is "only its owner reads it" 600 "$(mode_of "$ring.jobs")"
is "what wrote is done" false "$(entry open)"
is "never verified" null "$(entry verified)"
e key add --kid k2 --activate -q >/dev/null
exits "not verified: k1 stays" 14 e key disable k1
says "why" 'job shop was never fully verified'
says "and what to do" 'envelope verify .*job.json'
exits "verify finds k1" 4 e verify job.json
exits "k1 is in use" 14 e key disable k1
says "how many" 'found 2 values under k1'
exits "an incident alone does not" 14 e key disable k1 --incident INC-1
exits "nor with another name" 14 e key disable k1 --incident INC-1 --yes=k2
exits "an incident that is confirmed does" 0 e key disable k1 --incident INC-1 --yes=k1
says "and says what it means" 'a job still needs k1'
e key enable k1 -q >/dev/null
exits "listed" 0 e key jobs --json
is "one job" '"shop"' "$(json '["jobs"][0]["job"]' <"$out")"
is "with what was found" 2 "$(json '["jobs"][0]["kids"]["k1"]' <"$out")"
exits "rotate" 0 e rotate --kid k2 --job job.json --execute
cp "$ring.jobs" good.jobs

sleep 1.1
exits "a later write" 0 e migrate job.json --execute
exits "makes the verify stale" 14 e key disable k1
says "says so" 'last verified at .*, before its last write'
exits "verify again" 0 e verify job.json
exits "a key that still seals" 14 e key disable k2
says "seals" 'found 2 values under k2|still sealed'
exits "k1 may go now" 0 e key disable k1
says "and what is not known" '1 registered job needs k1 no more; files'
is "recorded as refused and done" '["policy", "ok"]' "$(e audit show --json | python3 -c '
import json, sys
r = [json.loads(l) for l in sys.stdin]
o = [x["outcome"] for x in r if x["verb"] == "key disable" and x["object"] == "k1" and x["outcome"] != "begin"]
print(json.dumps([o[0], o[-1]]))')"

# One that was active at the verify, and retired after.
e key add --kid k3 --activate -q >/dev/null
e verify job.json >/dev/null 2>&1
e key activate k2 -q >/dev/null
exits "k3 sealed when it was verified" 14 e key disable k3
says "says so" 'k3 still sealed when job shop was verified'
exits "verified since" 0 e verify job.json
exits "k3 may go" 0 e key disable k3

exits "destroy goes by the same" 0 e key destroy k1 --yes=k1
exits "under the new ring key the list holds" 0 e key jobs --json
not "and what was verified, too" test "$(json '["jobs"][0]["verified"]' <"$out")" = null
e key retire k2 -q >/dev/null
e key add --kid k4 --activate -q >/dev/null
exits "k2 is found" 14 e key disable k2

# Many jobs at once, and each is remembered.
for i in 1 2 3 4 5 6; do
    sqlite3 "db$i" "CREATE TABLE users(id INTEGER PRIMARY KEY, k TEXT); INSERT INTO users VALUES (1,'sk-live')"
    sed "s/shop.db/db$i/; s/\"shop\"/\"job$i\"/" job.json >"job$i.json"
done
for i in 1 2 3 4 5 6; do
    { e migrate "job$i.json" --execute -q && e verify "job$i.json" -q; } >/dev/null 2>&1 &
done
wait
is "six more, all verified" '7 []' "$(e key jobs --json | python3 -c '
import json, sys
j = json.load(sys.stdin)["jobs"]
print(len(j), [x["job"] for x in j if x["open"] or not x["verified"]])')"
for i in 1 2 3 4 5 6; do e key jobs --forget "job$i" --yes="job$i" -q >/dev/null; done

# Somebody helps the file along.
cp "$ring.jobs" now.jobs
sed 's/"k2":2/"k2":0/' now.jobs >"$ring.jobs"
exits "a list that was changed is refused" 18 e key disable k2
says "and named" 'jobs was not written under this keyring, or was changed'
cp good.jobs "$ring.jobs"
exits "one of a former ring key counts as not verified" 14 e key disable k2
says "says so" 'never fully verified under this ring key'
cp now.jobs "$ring.jobs"

# A job whose database is gone.
rm shop.db
exits "it cannot be verified" 10 e verify job.json
exits "forgetting wants the name" 14 e key jobs --forget shop --yes=shp
exits "no such job" 10 e key jobs --forget shp --yes=shp
exits "forget it" 0 e key jobs --forget shop --yes=shop
exits "k2 may go" 0 e key disable k2
exits "the record holds" 0 e audit verify
finish
