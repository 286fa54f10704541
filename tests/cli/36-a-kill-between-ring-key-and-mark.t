#!/usr/bin/env bash
# Goal of this test: a process that is killed after a new ring key has taken
# over, and before that is remembered, leaves a ring that opens; without what
# was remembered beforehand it would be taken for a foreign one.
. "$(dirname "$0")/lib.sh"
init
e key add --kid k2 -q >/dev/null
e key disable k2 -q >/dev/null
printf v | e encrypt --context a=b >v.env
state=$(ls "$XDG_STATE_HOME"/envelope/rings/*-*-*.json)

# The pin is a result: --quiet does not lose it.
cp -a "$XDG_DATA_HOME" data.was
cp -a "$XDG_STATE_HOME" state.was
put_back() { rm -rf "$XDG_DATA_HOME" "$XDG_STATE_HOME"; cp -a data.was "$XDG_DATA_HOME"; cp -a state.was "$XDG_STATE_HOME"; }
exits "quiet" 0 e key destroy k2 --yes=k2 --quiet
prints "the new pin is there" 'new pin: [0-9a-f]{32}'
put_back
exits "as JSON" 0 e key destroy k2 --yes=k2 --json
is "too" 32 "$(json '["pin"]' <"$out" | tr -d '"\n' | wc -c)"
put_back

if ! command -v strace >/dev/null || ! strace -o /dev/null true 2>/dev/null; then
    skip "a kill between the two" "no strace"
    finish
fi
calls=rename,renameat,renameat2,linkat,fsync
strace -f -e trace=$calls -o trace "$envelope" key destroy k2 --yes=k2 -q >/dev/null 2>&1
# The sync of the folder that follows the rename of the ring.
nth=$(awk '/fsync\(/ { n++ } /rename.*keyring\.json/ { print n + 1; exit }' trace)
ok "the rename is found" test -n "$nth"
put_back
before=$(sha256sum <"$ring")
bash -c 'strace "$@"; :' _ -f -e trace=fsync -e inject=fsync:signal=KILL:when="$nth" -o trace "$envelope" key destroy k2 --yes=k2 -q >/dev/null 2>&1
ok "the ring has changed" test "$before" != "$(sha256sum <"$ring")"
ok "what may come next is remembered" grep -q '"next"' "$state"
cp -a "$XDG_STATE_HOME" state.killed
# The rig bites: with the mark alone it is another ring.
python3 - "$state" <<'P'
import json, sys
d = json.load(open(sys.argv[1])); del d["next"]
json.dump(d, open(sys.argv[1], "w"))
P
exits "without it: another pin than before" 18 e decrypt --context a=b v.env
rm -rf "$XDG_STATE_HOME"
cp -a state.killed "$XDG_STATE_HOME"
python3 - "$state" <<'P'
import json, sys
d = json.load(open(sys.argv[1])); d["next"]["mac"] = "0" * 64
json.dump(d, open(sys.argv[1], "w"))
P
exits "another ring than the one that was to come" 18 e decrypt --context a=b v.env
rm -rf "$XDG_STATE_HOME"
cp -a state.killed "$XDG_STATE_HOME"
exits "it opens" 0 e decrypt --context a=b v.env
is "to the value" v "$(cat "$out")"
not "and the rest is forgotten" grep -q '"next"' "$state"
cp data.was/envelope/keyring.json "$ring"
exits "the ring of before does not come back" 18 e decrypt --context a=b v.env

# Killed before the rename: the ring is the old one, and opens.
put_back
bash -c 'strace "$@"; :' _ -f -e trace=fsync -e inject=fsync:signal=KILL:when="$((nth - 1))" -o trace "$envelope" key destroy k2 --yes=k2 -q >/dev/null 2>&1
is "the ring has not changed" "$before" "$(sha256sum <"$ring")"
exits "it opens" 0 e decrypt --context a=b v.env
exits "and is changed later" 0 e key destroy k2 --yes=k2 -q

# The lock of what is remembered: a process that was stopped is not waited for.
if command -v flock >/dev/null; then
    flock "$XDG_STATE_HOME/envelope/rings" sleep 60 &
    holder=$!
    for _ in $(seq 100); do
        flock -n "$XDG_STATE_HOME/envelope/rings" true || break
        sleep 0.05
    done
    e key add --kid k9 --keyring "$ring" -q >/dev/null 2>"$err"
    is "the change is made" 0 $?
    exits "a warning at most" 0 e key list
    kill $holder 2>/dev/null
    wait $holder 2>/dev/null
else
    skip "a lock that is held" "no flock"
fi
finish
