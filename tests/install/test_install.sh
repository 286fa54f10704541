#!/usr/bin/env bash
# Goal of this test: what `make install` lays out serves a stranger's program,
# shared and static, and a command that finds its plugins.
set -u
cd "$(dirname "$0")/../.." || exit 1
passed=0 failed=0
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
ok() { if "${@:2}" >"$tmp/log" 2>&1; then passed=$((passed + 1)); echo "ok $1"
       else failed=$((failed + 1)); echo "not ok $1"; tail -5 "$tmp/log"; fi; }

make --no-print-directory install DESTDIR="$tmp" PREFIX=/usr >"$tmp/log" 2>&1 ||
    { cat "$tmp/log"; echo "install: 0 passed, 1 failed, 0 skipped"; exit 1; }
root=$tmp/usr
export PKG_CONFIG_PATH=$root/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$tmp
export HOME=$tmp/home XDG_DATA_HOME=$tmp/home/data XDG_STATE_HOME=$tmp/home/state \
    XDG_CONFIG_HOME=$tmp/home/config
mkdir -m 700 "$HOME"
warn="-std=c17 -Wall -Wextra -Werror"
ok "the shared library links by pkg-config" sh -c \
    "${CC:-gcc} $warn tests/install/use.c -o '$tmp/shared' \$(pkg-config --cflags --libs libenvelope)"
ok "the static library links by pkg-config" sh -c \
    "${CC:-gcc} $warn tests/install/use.c -o '$tmp/static' $root/lib/libenvelope.a -I$root/include -lcrypto -lsodium -ljansson -lpthread"
ok "the soname is versioned" sh -c \
    "readelf -d '$tmp/shared' | grep -q 'NEEDED.*libenvelope.so.0\]'"
ok "the installed command makes a ring" "$root/bin/envelope" init --kid k1
ring=$XDG_DATA_HOME/envelope/keyring.json
key=$(ls "$XDG_DATA_HOME"/envelope/*key* 2>/dev/null | grep -v keyring.json | head -1)
ok "a program opens it, shared" env LD_LIBRARY_PATH="$root/lib" "$tmp/shared" "$ring" "$key"
ok "a program opens it, static" "$tmp/static" "$ring" "$key"
sqlite3 "$tmp/home/t.db" "CREATE TABLE t(id INTEGER PRIMARY KEY, s TEXT); INSERT INTO t VALUES(1,'x')"
cat >"$tmp/home/job.json" <<JSON
{"envelope_job":1,"name":"i","source":{"driver":"sqlite","path":"$tmp/home/t.db"},
 "targets":[{"table":"t","key":["id"],"fields":[{"column":"s"}]}]}
JSON
ok "the installed command finds its plugins" "$root/bin/envelope" migrate "$tmp/home/job.json" --execute
mkdir -p -m 700 "$tmp/home/config/envelope"
cat >"$tmp/home/config/envelope/config.json" <<JSON
{"providers":{
  "v": {"type": "vault-kv", "address": "https://127.0.0.1:1", "path": "x",
        "auth": {"method": "token", "token_file": "/nonexistent"}},
  "a": {"type": "aws-kms", "region": "eu-central-1", "key": "alias/x"}}}
JSON
chmod 600 "$tmp/home/config/envelope/config.json"
for name in 'v \(vault-kv\)' 'a \(aws-kms\)'; do
    ok "the installed command finds its provider modules: $name" sh -c \
        "'$root/bin/envelope' doctor | grep -qE '$name is described, and loads'"
done
ok "man pages are installed" test -f "$root/share/man/man1/envelope.1"
make --no-print-directory uninstall DESTDIR="$tmp" PREFIX=/usr >/dev/null 2>&1
ok "uninstall leaves nothing" sh -c "[ -z \"\$(find '$root' -type f -o -type l)\" ]"
echo "install: $passed passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]
