#!/usr/bin/env bash
# Goal of this test: a ring of a lower generation, of the same generation with
# another content, or another ring in its place is exit 18 until it is accepted
# by its id, which is recorded; and opening works where nothing can be written.
. "$(dirname "$0")/lib.sh"
init
cp "$ring" gen1.json
id=$(e key list --json | json '["keyring"]' | tr -d '"')
e key add --kid k2 -q >/dev/null
cp "$ring" gen2.json
marks=$XDG_STATE_HOME/envelope/rings

cp gen1.json "$ring"
exits "an earlier generation" 18 e key list
says "says which" "$id is older"
says "says how to accept it" "accept-ring=$id"
printf v >v
exits "nothing seals under it" 18 e encrypt v
exits "--accept-ring of another id" 2 e key list --accept-ring=3f2c1a9e-0b7d-4c55-9a61-5d2f7e8b9c01
exits "still refused" 18 e key list
exits "--accept-ring" 0 e key list "--accept-ring=$id"
exits "accepted for good" 0 e key list
e audit show >"$out"
prints "it is recorded" "accept-ring +$id +ok"

# The same generation, another content: made from the same earlier ring.
e key add --kid k3 -q >/dev/null
cp gen2.json "$ring"
exits "the same generation with another mac" 18 e key list
exits "accepted" 0 e key list "--accept-ring=$id"

# Another ring in the same place, opened by the same key file.
e init --keyring "$tmp/other.json" --key-file "$key" --kid k1 -q >/dev/null
cp "$ring" mine.json
cp "$tmp/other.json" "$ring"
exits "another ring in its place" 18 e key list
other=$(e key list --keyring "$tmp/other.json" --key-file "$key" --json | json '["keyring"]' | tr -d '"')
says "names the other" "$other"
exits "accepted" 0 e key list "--accept-ring=$other"
cp mine.json "$ring"
exits "and back" 18 e key list
exits "accepted" 0 e key list "--accept-ring=$id"

# Unrecordable acceptance does not happen.
cp gen1.json "$ring"
exits "acceptance that cannot be recorded" 17 env ENVELOPE_AUDIT=/dev/full "$envelope" key list "--accept-ring=$id"
exits "still refused" 18 e key list
cp gen2.json "$ring"

# The pin.
pin=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["pin"])' "$marks/$id.json")
exits "the configured pin" 0 env ENVELOPE_PIN="$pin" "$envelope" key list
exits "another pin" 18 env ENVELOPE_PIN=00000000000000000000000000000000 "$envelope" key list
says "acceptance does not help there" 'hint: .*configure the pin'
exits "nor does it" 18 env ENVELOPE_PIN=00000000000000000000000000000000 "$envelope" key list "--accept-ring=$id"
exits "a pin that is none" 2 env ENVELOPE_PIN=xyz "$envelope" key list

# What is remembered can be damaged, too.
cp "$marks/$id.json" mark
echo '{' >"$marks/$id.json"
exits "a damaged mark" 18 e key list
chmod 666 mark
cp -p mark "$marks/$id.json"
exits "a mark that others can write" 14 e key list
rm "$marks/$id.json"
exits "without a mark" 0 e key list
is "it is remembered again" 600 "$(mode_of "$marks/$id.json")"

# A machine that remembers nothing and cannot write.
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
    ro() { unshare -m sh -c 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && shift 0 && exec "$@"' "$tmp" "$@"; }
    printf v | e encrypt >v.env
    rm -rf "$XDG_STATE_HOME/envelope/rings"
    unshare -m sh -c "mount --bind '$tmp' '$tmp' && mount -o remount,ro,bind '$tmp' && exec '$envelope' decrypt '$tmp/v.env'" >/dev/shm/envl.$$ 2>/dev/shm/envl-err.$$
    is "a read-only file system" "0 v" "$? $(cat /dev/shm/envl.$$)"
    is "with a warning" 1 "$(grep -c '^envelope: warning: ' /dev/shm/envl-err.$$)"
    rm -f /dev/shm/envl.$$ /dev/shm/envl-err.$$
else
    chmod 500 "$XDG_STATE_HOME/envelope"
    skip "a read-only file system" "cannot mount here"
fi
finish
