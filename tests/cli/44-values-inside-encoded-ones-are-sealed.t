#!/usr/bin/env bash
# Goal of this test: a column of base64 that holds JSON, swept on SQLite: what
# `select` finds is sealed where it stands, all other bytes stay, and verify,
# rotate, decrypt and guard say what they should.  spec: JOB-28
. "$(dirname "$0")/lib.sh"
if ! command -v sqlite3 >/dev/null || [ ! -e "$(dirname "$envelope")/envl-migrator-sqlite.so" ]; then
    skip "values inside values" "no sqlite3, or no plugin beside the command"
    finish
fi
init
db() { sqlite3 tools.db "$1"; }
python3 - <<'P'
import base64, json, sqlite3
db = sqlite3.connect("tools.db")
db.execute("CREATE TABLE mcptools(id INTEGER PRIMARY KEY, headers TEXT)")
def add(text): db.execute("INSERT INTO mcptools(headers) VALUES (?)", (text,))
for i in range(1, 501):
    text = '{"v": 1e3,\n "h": {"Authorization": "Bearer sk-%d", "X-é": "k%d?"}, "t": null}' % (i, i)
    raw = text.encode()
    if i % 3 == 0: add(base64.b64encode(raw).decode().rstrip("="))
    elif i % 3 == 1: add(base64.encodebytes(raw).decode())
    else: add(base64.urlsafe_b64encode(raw).decode())
add("%%% no base64")
add(base64.b64encode(b'{"h":{}}').decode())
add(None)
db.commit()
P
cp tools.db before.db
cat >job.json <<'J'
{ "envelope_job": 1, "name": "tools", "source": { "driver": "sqlite", "path": "tools.db" },
  "targets": [ { "table": "mcptools", "key": ["id"],
    "fields": [ { "column": "headers", "codec": ["base64"], "select": "h.*" } ] } ] }
J
exits "plan" 0 e plan job.json
prints "the context of what is inside" "--context 'field=mcptools.headers.h.Authorization'"
exits "migrate: one is no base64" 3 e migrate job.json --execute --json
is "two values a row" '1000 1 2' "$(tail -1 "$out" | python3 -c '
import json,sys; d=json.load(sys.stdin)
print(d["sealed"], d["quarantined"], d["skipped"])')"
# Each whole decodes as before but for the two envelopes, and is of its form.
cat >same.py <<'P'
import base64, re, sqlite3
def rows(f): return dict(sqlite3.connect(f).execute("SELECT id, headers FROM mcptools WHERE id <= 500"))
def load(t): return base64.b64decode(t.replace("\n", "").replace("-", "+").replace("_", "/") + "==")
was, now, bad = rows("before.db"), rows("tools.db"), []
for i, text in now.items():
    raw = load(text)
    i3 = i % 3
    form = (base64.b64encode(raw).decode().rstrip("=") if i3 == 0 else
            base64.encodebytes(raw).decode() if i3 == 1 else
            base64.urlsafe_b64encode(raw).decode())
    # A text without - or _ and = does not show what it is (JOB-28).
    shown = i3 < 2 or re.search("[-_=]", was[i])
    hidden = i3 == 0 and len(was[i]) % 4 == 0
    plain = re.sub(rb'"env1:k1:[^"]*"', b'""', raw)
    want = re.sub(rb'"(Bearer sk-\d+|k\d+\?)"', b'""', load(was[i]))
    if plain != want or (shown and not hidden and form != text): bad.append(i)
print(len(now), bad)
P
is "every other byte is as it was" "500 []" "$(python3 same.py)"
exits "again: nothing to do but what is listed" 3 e migrate job.json --execute --json
is "none sealed twice" 0 "$(tail -1 "$out" | json '["sealed"]')"
value=$(db "SELECT headers FROM mcptools WHERE id = 1" | python3 -c '
import base64,json,sys; print(json.loads(base64.b64decode(sys.stdin.read()))["h"]["Authorization"])')
is "a value opens in its place" "Bearer sk-1" "$(printf %s "$value" |
    e decrypt --context field=mcptools.headers.h.Authorization --context id=int:1)"
db "DELETE FROM mcptools WHERE id = 501"
exits "verify" 0 e verify job.json --json
is "all opened" "1000" "$(json '["opened"]' <"$out")"
exits "rotate" 0 e rotate --kid k2 --job job.json --execute
exits "and all is under the new key" 0 e verify job.json --json
is "by name" "1000" "$(python3 -c '
import json,sys
print(sum(c["count"] for c in json.load(open(sys.argv[1]))["census"] if c.get("kid") == "k2"))' "$out")"
exits "no store can guard it" 14 e guard job.json strict
says "says so" "inside an encoded one"
finish
