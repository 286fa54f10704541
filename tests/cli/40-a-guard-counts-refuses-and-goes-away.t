#!/usr/bin/env bash
# Goal of this test: envelope guard as a person uses it, on SQLite: observe
# before a sweep, moderate after it, strict when nothing is left, off without
# a trace; what it says, records, and answers when somebody interferes.
. "$(dirname "$0")/lib.sh"
if ! command -v sqlite3 >/dev/null || [ ! -e "$(dirname "$envelope")/envl-migrator-sqlite.so" ]; then
    skip "guards" "no sqlite3, or no plugin beside the command"
    finish
fi
init
db() { sqlite3 shop.db "$1"; }
db "CREATE TABLE users(id INTEGER PRIMARY KEY, k TEXT, n INT);
    INSERT INTO users VALUES (1,'sk-live-1',0),(2,'sk-live-2',0)"
cat >job.json <<'J'
{ "envelope_job": 1, "name": "shop", "source": { "driver": "sqlite", "path": "shop.db" },
  "targets": [ { "table": "users", "key": ["id"], "fields": [ { "column": "k" } ] } ] }
J
before=$(db .schema)
stage() { e guard job.json --json | json '["guard"][0]["stage"]'; }
writes() { e guard job.json --json | json '["guard"][0]["plaintext_writes"]'; }

exits "nothing is in force" 0 e guard job.json
prints "says so" '^guard of users: off$'
exits "a stage that is none" 2 e guard job.json stern
exits "too many words" 2 e guard job.json observe now
exits "observe" 0 e guard job.json observe
prints "since when" 'guard of users: observe; 0 writes of plaintext counted since 20'
prints "what it does not cover" 'not covered: '
db "INSERT INTO users VALUES (3,'sk-live-3',0)"
is "it counts" 1 "$(writes)"
exits "strict is too early" 4 e guard job.json strict
says "how many are left" '3 rows of users hold plaintext'
says "what to do" 'envelope migrate'
is "it stays as it was" '"observe"' "$(stage)"
exits "the sweep passes the guard" 0 e migrate job.json --execute
is "without being counted" 1 "$(writes)"
exits "moderate" 0 e guard job.json moderate
not "refused" db "INSERT INTO users VALUES (4,'sk-live-4',0)"
is "without the value" "" "$(db "INSERT INTO users VALUES (4,'sk-live-4',0)" 2>&1 | grep -o 'sk-live')"
ok "other columns can change" db "UPDATE users SET n = 1"
exits "strict" 0 e guard job.json strict
exits "status shows it" 0 e status job.json
prints "status shows it" '^guard of users: strict; 1 writes'
db "DROP TRIGGER $(db "SELECT name FROM sqlite_schema WHERE name LIKE 'envelope_guard%u'")"
exits "what was taken away is a finding" 4 e guard job.json
prints "says it" 'off, NOT AS SET: strict'
says "and the remedy" 'makes it anew'
exits "made anew" 0 e guard job.json strict
exits "off" 0 e guard job.json off
db "DROP TABLE envelope_job; DROP TABLE envelope_range; DROP TABLE envelope_quarantine"
is "no trace" "$before" "$(db .schema)"
# Two targets on one table have a guard each.
db "CREATE TABLE two(id INTEGER PRIMARY KEY, a TEXT, b TEXT, kind TEXT)"
cat >two.json <<'J'
{ "envelope_job": 1, "name": "two", "source": { "driver": "sqlite", "path": "shop.db" },
  "targets": [ { "table": "two", "key": ["id"], "where": "kind = 'a'", "fields": [ { "column": "a" } ] },
               { "table": "two", "key": ["id"], "where": "kind = 'b'", "fields": [ { "column": "b" } ] } ] }
J
exits "a guard for each" 0 e guard two.json strict
exits "both stand" 0 e guard two.json
not "the first" db "INSERT INTO two VALUES (1,'sk-live',NULL,'a')"
not "the second" db "INSERT INTO two VALUES (1,NULL,'sk-live','b')"
ok "and nothing else" db "INSERT INTO two VALUES (1,'plain','plain','c')"
exits "off" 0 e guard two.json off
is "no trace" 0 "$(db "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'envelope_%'")"
is "recorded" '"guard off"' "$(e audit show --tail 1 --json | json '["verb"]')"
exits "the record holds" 0 e audit verify
finish
