#!/usr/bin/env bash
# Goal of this test: a sealed head shows a log that was cut off or written
# anew, and a verification's report is only what was written; checked with and
# without the keyring.  spec: AUD-40 to AUD-47
. "$(dirname "$0")/lib.sh"
init
exits "a key" 0 e audit key sign.key
prints "its public half" '^[A-Za-z0-9_-]{43}$'
is "for its owner only" 600 "$(mode_of sign.key)"
is "32 bytes" 32 "$(stat -c %s sign.key)"
is "beside it" "$(cat sign.key.pub)" "$(cat "$out")"
exits "not over another" 14 e audit key sign.key
e audit key other.key -q >/dev/null

e key add --kid k2 -q >/dev/null
exits "no key to sign" 2 e audit seal
says "says how" 'audit key FILE'
exits "no such key" 10 e audit seal --sign-key none.key
says "says how" 'audit key none.key'
exits "seal" 0 e audit seal --sign-key sign.key -o head.json
exits "check" 0 e audit check head.json --public-key sign.key.pub
prints "compares it with the log" 'holds them, and 1 more since'
exits "another key" 18 e audit check head.json --public-key other.key.pub
says "says so" 'signed by another key'
exits "anybody's key" 0 e audit check head.json
says "is worth a note" 'anybody can sign'
e key add --kid k3 -q >/dev/null
exits "after more records" 0 e audit check head.json --public-key sign.key.pub
log=$(e audit check head.json --json -q | json '["body"]["log"]' | tr -d '"')
cp "$log" whole.log

# What no chain shows: the end is gone.
head -2 whole.log >"$log"
exits "the log is whole to itself" 0 e audit verify
exits "a cut log" 18 e audit check head.json --public-key sign.key.pub
says "says so" 'cut off, or begun anew'
cp whole.log "$log"
# Or written anew by somebody who has the keyring: as many records.
rm "$log"
for _ in 1 2 3 4 5; do e key add --kid k2 -q >/dev/null 2>&1; done
exits "the new log is whole to itself" 0 e audit verify
exits "a log written anew" 18 e audit check head.json --public-key sign.key.pub
says "says so" 'written anew'
cp whole.log "$log"

# Documents that were helped along.
sed 's/"records":\([0-9]*\)/"records":1/' head.json >less.json
exits "a changed member" 18 e audit check less.json --public-key sign.key.pub
sed 's/}$/,"more":1}/' head.json >more.json
exits "a member behind the signature" 18 e audit check more.json
python3 -c '
import re
t = open("head.json").read()
t = re.sub(r"\"public\":\"[^\"]*\"", "\"public\":null", t)
open("unsigned.json", "w").write(re.sub(r"\"signature\":\"[^\"]*\"", "\"signature\":null", t))'
exits "without its signature" 18 e audit check unsigned.json --public-key sign.key.pub
exits "and without a pinned key" 18 e audit check unsigned.json
exits "no document" 18 e audit check sign.key.pub

if command -v sqlite3 >/dev/null && [ -e "$(dirname "$envelope")/envl-migrator-sqlite.so" ]; then
    sqlite3 shop.db "CREATE TABLE users(id INTEGER PRIMARY KEY, k TEXT);
        INSERT INTO users VALUES (1,'sk-live-1')"
    cat >job.json <<'J'
{ "envelope_job": 1, "name": "shop", "source": { "driver": "sqlite", "path": "shop.db" },
  "targets": [ { "table": "users", "key": ["id"], "fields": [ { "column": "k" } ] } ] }
J
    e migrate job.json --execute -q >/dev/null
    exits "a key without a report" 2 e verify job.json --sign-key sign.key
    exits "a report" 0 e verify job.json -o report.json --sign-key sign.key
    exits "check it" 0 e audit check report.json --public-key sign.key.pub
    prints "what it says" 'result   ok: 1 opened in their place, 0 amiss'
    is "no value is in it" 0 "$(grep -c sk-live report.json)"
    sed 's/"opened":1/"opened":9/' report.json >better.json
    exits "a better one" 18 e audit check better.json
    exits "by the MAC alone" 0 e verify job.json -o maced.json
    exits "check that" 0 e audit check maced.json
    sed 's/"opened":1/"opened":9/' maced.json >better.json
    exits "a better one" 18 e audit check better.json
    is "recorded with its counts" '1 0 0' "$(e audit show --json | python3 -c '
import json, sys
r = [json.loads(l) for l in sys.stdin]
c = [x for x in r if x["verb"] == "verify" and x["outcome"] == "ok"][-1]["counts"]
print(c["opened"], c["failed"], c["amiss"])')"
    sqlite3 shop.db "INSERT INTO users VALUES (2,'sk-live-2')"
    exits "a report of what is amiss" 4 e verify job.json -o bad.json --sign-key sign.key
    exits "is as good a document" 0 e audit check bad.json --public-key sign.key.pub
    prints "and says so" 'result   amiss: 1 opened in their place, 1 amiss'
    mv "$ring" away
    exits "the auditor has no keyring" 0 e audit check report.json --public-key sign.key.pub
    says "says what is checked" 'only the signature is checked'
    exits "a MAC needs one" 10 e audit check maced.json
    exits "and a pinned key a signature" 18 e audit check maced.json --public-key sign.key.pub
    mv away "$ring"
else
    skip "reports" "no sqlite3, or no plugin beside the command"
fi
exits "the record holds" 0 e audit verify
finish
