#!/usr/bin/env bash
# Goal of this test: the README's quickstart runs as it is printed.
set -u
cd "$(dirname "$0")/../.." || exit 1
repo=$PWD
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
sed -n '/^```sh$/,/^```$/p' README.md | grep -v '^```' >"$tmp/quickstart.sh"
lines=$(grep -c . "$tmp/quickstart.sh")
cd "$tmp" || exit 1
export PATH=$repo/build/release:$PATH HOME=$tmp XDG_DATA_HOME=$tmp/data \
    XDG_STATE_HOME=$tmp/state XDG_CONFIG_HOME=$tmp/config
passed=0 failed=0
is() { if [ "$2" = "$3" ]; then passed=$((passed + 1)); echo "ok $1"
       else failed=$((failed + 1)); echo "not ok $1: expected '$2', got '$3'"; fi; }
bash -eu "$tmp/quickstart.sh" >"$tmp/out" 2>"$tmp/err"; rc=$?
[ $rc -eq 0 ] || tail -5 "$tmp/err"
is "the quickstart runs ($lines lines)" 0 $rc
is "the value comes back" 1 "$(grep -c '^sk-live-0123$' "$tmp/out")"
is "a moved value does not open" 1 "$(grep -c '^moved: exit 12$' "$tmp/out")"
is "both rows are under k2" 2 "$(sqlite3 shop.db "SELECT count(*) FROM users WHERE api_key LIKE 'env1:k2:%'")"
echo "quickstart: $passed passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]
