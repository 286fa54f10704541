#!/usr/bin/env bash
# Goal of this test: every verb that changes something records that it begins
# before it does, does nothing where it cannot, and audit verify names the
# first record that was changed, removed or added.
. "$(dirname "$0")/lib.sh"
init
log=$XDG_STATE_HOME/envelope/audit.jsonl
e key add --kid w1 --use wrap --activate -q >/dev/null
printf v | e encrypt >a.env
printf v | e encrypt --mode wrapped >w.env
e key add --kid k2 -q >/dev/null
e key add --kid old -q >/dev/null
e key disable old -q >/dev/null

# Each changing verb with a log that fails, in three ways: exit 17, no change.
printf 'correct horse' >pass
chmod 600 pass
cp "$ring" ring.before
cp a.env a.before
verbs=("key add --kid k9" "key activate k2" "key retire k1" "key disable k2" \
    "key enable old" "key destroy old --yes=old" "key backup --out copy.json" \
    "unlock add ana --new-passphrase-file pass --opslimit 2 --memlimit 64" \
    "rotate --kid k5 a.env" "rewrap --kid w1 w.env")
mkdir ro
mkfifo fifo
for verb in "${verbs[@]}"; do
    for bad in /dev/full "$tmp/none/log" "$tmp/ro" "$tmp/fifo"; do
        exits "$verb, log $(basename "$bad")" 17 env ENVELOPE_AUDIT="$bad" timeout 10 "$envelope" $verb
    done
    ok "$verb changed no ring" cmp "$ring" ring.before
    ok "$verb changed no file" cmp a.env a.before
done
exits "init" 17 env ENVELOPE_AUDIT=/dev/full "$envelope" init --keyring new.json --key-file new.key
not "made nothing" test -e new.json -o -e new.key
not "no backup" test -e copy.json

# And with a log: begin, then the end, whatever it is.
records() { e audit show | awk '{ $1 = ""; print }' | grep -cE "$1"; }
exits "a verb" 0 e key activate k2
is "begin and ok" "1 1" "$(records 'key activate +k2 begin') $(records 'key activate +k2 ok')"
exits "a verb that fails" 14 e key disable k2
is "begin and policy" "1 1" "$(records 'key disable +k2 begin') $(records 'key disable +k2 policy')"
exits "a rotation" 0 e rotate --kid k5 a.env
is "with its counts" 1 "$(records 'rotate +k5 ok rotated=1 skipped=0 failed=0')"
is "who and when" '["host", "uid", "user"]' "$(tail -1 "$log" | json '["actor"].keys()' 2>/dev/null || tail -1 "$log" | python3 -c 'import json,sys; print(json.dumps(sorted(json.load(sys.stdin)["actor"])))')"

exits "verify" 0 e audit verify
prints "how many" "$(wc -l <"$log") records, whole"
cp "$log" good
lines=$(wc -l <good)
try() { # DESCRIPTION LINE: verify must name LINE
    exits "$1" 18 e audit verify
    says "$1: names it" "record $2 is broken"
    cp good "$log"
}
sed -i '4s/"verb":"[a-z ]*"/"verb":"key list"/' "$log"; try "a changed record" 4
sed -i '4d' "$log"; try "a removed record" 4
sed -i '1d' "$log"; try "the first record removed" 1
sed -i '3{h;d};4{G}' "$log"; try "two exchanged" 3
sed -i "4p" "$log"; try "one twice" 5
sed -i '2s/"outcome":"ok"/"outcome":"no"/' "$log"; try "an outcome changed" 2
head -c -10 good >"$log"
exits "cut in the last record" 18 e audit verify
exits "nothing is appended to a log that is cut" 17 e key add --kid k7
cp good "$log"
sed '$d' good >"$log"
exits "the last record removed: not seen, as documented" 0 e audit verify
cp good "$log"
exits "no log" 10 e audit verify --log none
exits "no log" 10 e audit show --log none
echo nonsense >bad.log
exits "a file that is no log" 18 e audit show --log bad.log
exits "--tail" 0 e audit show --tail 3
is "three lines" 3 "$(wc -l <"$out")"
exits "--tail 0" 2 e audit show --tail 0
# Another ring's records are chained, but not authenticated by this one.
e init --keyring other.json --key-file other.key -q >/dev/null 2>&1
exits "another ring" 0 e audit verify --keyring other.json --key-file other.key
says "says so" "without an HMAC of this keyring"
finish
