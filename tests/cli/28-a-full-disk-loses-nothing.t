#!/usr/bin/env bash
# Goal of this test: with a full disk under the ring, the files to be rotated,
# the state or the log, a verb fails with its code and what was there is whole.
. "$(dirname "$0")/lib.sh"
if [ "$(id -u)" != 0 ] || ! unshare -m true 2>/dev/null; then
    skip "a full disk" "cannot mount here"
    finish
fi
# Each part runs in a mount namespace of its own, in this script again.
if [ "${1:-}" != inside ]; then
    e help >/dev/null
    tmp_inside=$(mktemp -d "$tmp/in.XXXXXX")
    TMPDIR=$tmp_inside unshare -m bash "$here/$(basename "$0")" inside >"$tmp/log" 2>&1
    cat "$tmp/log"
    trap - EXIT
    rm -rf "$tmp"
    exit
fi
mkdir disk
mount -t tmpfs -o size=256k,mode=700 none disk
on_exit() { umount disk; }
fill() { head -c 1000000 /dev/zero >disk/fill 2>/dev/null; }
drain() { rm -f disk/fill; }

# The ring.
e init --keyring disk/ring.json --key-file "$tmp/ring.key" --kid k1 -q >/dev/null 2>&1
export ENVELOPE_KEYRING=$tmp/disk/ring.json ENVELOPE_KEY_FILE=$tmp/ring.key
before=$(sha256sum disk/ring.json)
fill
for verb in "key add --kid k2" "key retire k1" "rotate --kid k3"; do
    exits "$verb" 1 e $verb
    says "says why" 'No space left'
    is "the ring is whole" "$before" "$(sha256sum disk/ring.json)"
done
is "nothing is left beside it" "fill ring.json" "$(ls -A disk | tr '\n' ' ' | sed 's/ $//')"
exits "it still opens" 0 e key list
drain
exits "and can be changed" 0 e key add --kid k2

# The files of a rotation.
for f in a b c; do printf "$f" | e encrypt >"disk/$f.env"; done
before=$(sha256sum disk/*.env)
cp disk/ring.json "$tmp/ring.json"
chmod 600 ring.json
export ENVELOPE_KEYRING=$tmp/ring.json
fill
exits "a rotation" 1 e rotate --kid k2 disk/a.env disk/b.env disk/c.env
says "says why" 'No space left'
is "every file is whole" "$before" "$(sha256sum disk/*.env)"
exits "and opens" 0 e decrypt disk/b.env
prints "the former must stay" b
drain
exits "run again" 0 e rotate --kid k2 disk/a.env disk/b.env disk/c.env
prints "finishes" '3 rotated'

# The log: nothing happens.  The state: a warning.
mkdir disk/log
export ENVELOPE_AUDIT=$tmp/disk/log/audit.jsonl
exits "a log there" 0 e key add --kid k4
fill
# The last page of the log still has room for some records.
for i in 1 2 3 4 5 6 7 8 9 10; do
    before=$(sha256sum ring.json)
    e key add --kid "f$i" >"$out" 2>"$err"
    rc=$?
    [ $rc -ne 0 ] && [ "$before" = "$(sha256sum ring.json)" ] && break
done
is "a full log is exit 17" 17 $rc
is "and the ring is as it was" "$before" "$(sha256sum ring.json)"
drain
exits "the log is whole" 0 e audit verify
unset ENVELOPE_AUDIT
export XDG_STATE_HOME=$tmp/disk/state ENVELOPE_AUDIT=$tmp/other.log
fill
exits "the state folder is full" 0 e key list
says "is a warning" 'warning: .*not remembered'
drain
exits "an output file" 0 sh -c "head -c 100000 /dev/urandom | '$envelope' encrypt -o disk/big.env"
before=$(sha256sum disk/big.env)
fill
exits "over an output file" 1 sh -c "head -c 200000 /dev/urandom | '$envelope' encrypt -o disk/big.env"
is "the old one is whole" "$before" "$(sha256sum disk/big.env)"
finish
