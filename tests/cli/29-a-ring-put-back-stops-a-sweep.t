#!/usr/bin/env bash
# Goal of this test: a sweep whose keyring is replaced by an older copy, or
# taken away, stops: nobody could open what it goes on to seal.  spec: JOB-53
. "$(dirname "$0")/lib.sh"
if ! command -v sqlite3 >/dev/null || [ ! -e "$(dirname "$envelope")/envl-migrator-sqlite.so" ]; then
    skip "sweeps" "no sqlite3, or no plugin beside the command"
    finish
fi
init
sqlite3 shop.db "CREATE TABLE users(id INTEGER PRIMARY KEY, k TEXT);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
    INSERT INTO users SELECT i, 'sk-live-' || i FROM n"
cat >job.json <<'J'
{ "envelope_job": 1, "name": "shop", "source": { "driver": "sqlite", "path": "shop.db" },
  "pace": { "rows": [50, 50] }, "yield_to": { "flag_file": "wait" },
  "targets": [ { "table": "users", "key": ["id"], "fields": [ { "column": "k" } ] } ] }
J
cp "$ring" older
e key add --kid k2 --activate -q >/dev/null
cp "$ring" newer

# While the flag is there the sweep waits, its key proven and in memory.
during() { # DESCRIPTION CODE COMMAND...
    touch wait
    : >"$err" # or the words of the run before would be found
    timeout 20 "$envelope" migrate job.json --execute >"$out" 2>"$err" &
    pid=$!
    for _ in $(seq 200); do
        grep -q yielding "$err" && break
        sleep 0.05
    done
    says "$1: the sweep was under way" yielding
    "${@:3}"
    wait $pid
    is "$1" "$2" $?
    rm -f wait
    cp newer "$ring"
}
during "an older ring is put back" 18 cp older "$ring"
says "says so" 'older than one seen before'
says "and what to do" 'put the keyring of before back'
during "the ring is taken away" 10 rm "$ring"
says "and what to do" 'put the keyring of before back'
exits "the ring is back: the sweep goes on" 0 e migrate job.json --execute
exits "and all opens" 0 e verify job.json
finish
