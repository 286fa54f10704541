#!/usr/bin/env bash
# Goal of this test: the demo runs to its end, its counts are true (it checks
# them itself), and it leaves nothing behind.  The twin: a wrong count ends it.
set -u
cd "$(dirname "$0")/../.." || exit 1
passed=0 failed=0
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
chmod 711 "$tmp" # the cluster's own user has to pass
export TMPDIR=$tmp
verdict() { if [ "$2" -eq 0 ]; then passed=$((passed + 1)); echo "ok $1"
            else failed=$((failed + 1)); echo "not ok $1"; fi; }

bash tests/demo/demo.sh build/release >"$tmp/log" 2>&1 </dev/null
rc=$?
[ $rc -eq 0 ] || tail -30 "$tmp/log"
verdict "demo runs to its end" $rc
left=$(find "$tmp" -mindepth 1 ! -name log | head -5)
[ -z "$left" ]; verdict "demo leaves nothing behind" $?
sed 's/^check() {/check() { set -- "$1" "$2" x;/' tests/demo/demo.sh >"$tmp/twin.sh"
sed -i "s|^here=.*|here=$PWD/tests/demo|" "$tmp/twin.sh"
DEMO_ROWS=10 bash "$tmp/twin.sh" build/release >"$tmp/log" 2>&1 </dev/null
[ $? -ne 0 ]; verdict "twin: a false count ends the demo" $?
echo "demo: $passed passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]
