#!/usr/bin/env bash
# Goal of this test: every `$` line of docs/runbooks, in its order, does on a
# fresh machine what the page says: exit 0, or what stands behind it.
. "$(dirname "$0")/lib.sh"
if ! command -v sqlite3 >/dev/null || [ ! -e "$(dirname "$envelope")/envl-migrator-sqlite.so" ]; then
    skip "runbooks" "no sqlite3, or no plugin beside the command"
    finish
fi
mkdir bin
ln -s "$envelope" bin/envelope
PATH=$tmp/bin:$PATH
# shellcheck disable=SC2154 # repo is lib.sh's
books=$repo/docs/runbooks

# A machine as the page expects it; the jobs's rows are $1 plaintext ones.
fresh() {
    rm -rf "$HOME" "$XDG_DATA_HOME" "$XDG_STATE_HOME" "$tmp/work"
    mkdir -m 700 "$HOME" "$tmp/work"
    cd "$tmp/work" || exit 1
    "$envelope" init --kid k2026-11 -q >/dev/null 2>&1
    sqlite3 shop.db "CREATE TABLE users(id INTEGER PRIMARY KEY, k TEXT);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
        INSERT INTO users SELECT i, 'sk-live-' || i FROM n"
    cat >job.json <<'J'
{ "envelope_job": 1, "name": "shop", "source": { "driver": "sqlite", "path": "shop.db" },
  "targets": [ { "table": "users", "key": ["id"], "fields": [ { "column": "k" } ] } ] }
J
}
swept() { fresh "$1"; e migrate job.json --execute -q >/dev/null 2>&1; }

# Run the page's commands.
follow() {
    local line want n=0
    while IFS= read -r line; do
        want=0
        [[ $line =~ \#\ exit\ ([0-9]+) ]] && want=${BASH_REMATCH[1]}
        exits "$1: ${line%%#*}" "$want" bash -c "${line%%#*}"
        n=$((n + 1))
    done < <(awk '/^```console/ { on = 1; next } /^```/ { on = 0 }
                  on && /^\$ / { print substr($0, 3) }' "$books/$1.md")
    [ "$n" -ge 4 ] || fail "$1: only $n commands"
}
plain() { sqlite3 shop.db "SELECT count(*) FROM users WHERE k NOT LIKE 'env1:%'"; }
under() { sqlite3 shop.db "SELECT count(*) FROM users WHERE k LIKE 'env1:$1:%'"; }

fresh 300
follow first-sweep
is "all is sealed" 0 "$(plain)"
not "and plaintext refused" sqlite3 shop.db "INSERT INTO users VALUES (999, 'sk-live')"

swept 300
follow rotation
is "all is under the new key" 300 "$(under k2026-12)"

fresh 30000
"$envelope" migrate job.json --execute -q >/dev/null 2>&1 &
pid=$!
disown $pid
for _ in $(seq 600); do
    [ "$(under k2026-11 2>/dev/null || echo 0)" -gt 0 ] && break
    sleep 0.05
done
kill -9 $pid 2>/dev/null
while kill -0 $pid 2>/dev/null; do sleep 0.05; done
follow half-finished-sweep
is "all is sealed" 0 "$(plain)"

# A backup, a rotation, the former key disabled; and then the backup.
swept 300
cp shop.db before.db
e rotate --kid k2026-12 --job job.json --execute -q >/dev/null 2>&1
e verify job.json -q >/dev/null
exits "the former key goes" 0 e key disable k2026-11
cp before.db shop.db
follow older-backup
is "all is under the new key" 300 "$(under k2026-12)"

swept 300
e audit key sign.key -q >/dev/null
follow suspected-compromise
is "all is under the new key" 300 "$(under k2026-12)"

for page in "$books"/*.md; do
    [ "$(basename "$page")" = README.md ] || grep -q "($(basename "$page"))" "$books/README.md" ||
        fail "$(basename "$page") is not in README.md"
done
finish
