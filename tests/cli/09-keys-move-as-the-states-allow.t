#!/usr/bin/env bash
# Goal of this test: keys are added, imported, activated, retired, disabled,
# enabled and destroyed as keyring-v1 section 3 allows, and not otherwise.
. "$(dirname "$0")/lib.sh"
init
state() { e key list --json | python3 -c 'import json,sys; print({k["kid"]: k["state"] for k in json.load(sys.stdin)["keys"]}.get(sys.argv[1]))' "$1"; }

exits "add" 0 e key add --kid k2
is "pre-active" pre-active "$(state k2)"
says "what to do next" 'key activate k2'
printf v | e encrypt --context a=b >v1.env
exits_in "it does not seal" 14 e encrypt --kid k2 < <(printf v)
exits "activate" 0 e key activate k2
is "active" active "$(state k2)"
is "the former" decrypt-only "$(state k1)"
is "seals under the new one" k2 "$(printf v | e encrypt | cut -d: -f2)"
exits "the former opens" 0 e decrypt --context a=b v1.env
exits "disable" 0 e key disable k1
exits "it opens nothing" 13 e decrypt --context a=b v1.env
exits "enable" 0 e key enable k1
is "decrypt-only" decrypt-only "$(state k1)"
exits "back again" 0 e key activate k1
is "k2 gave way" decrypt-only "$(state k2)"
exits "retire" 0 e key retire k1
exits_in "nothing seals" 13 e encrypt < <(printf v)
e key activate k1 -q >/dev/null

exits "an active key is not disabled" 14 e key disable k1
exits "an unknown key" 13 e key disable k9
exits "a kid twice" 14 e key add --kid k2
exits "no kid" 2 e key add
exits "a kid that is none" 2 e key add --kid K2
exits "an unknown use" 2 e key add --kid k5 --use sael
says "did you mean" 'did you mean seal'
exits "no operand" 2 e key activate
exits "--activate at once" 0 e key add --kid w1 --use wrap --activate
is "one active key for each use" "active active" "$(state k1) $(state w1)"
exits "a scope of its own" 0 e key add --kid acme-1 --scope acme --activate
is "k1 stays active" active "$(state k1)"
exits "an expiry" 0 e key add --kid k6 --expires 2030-01-31T00:00:00Z
exits "a date that is none" 2 e key add --kid k7 --expires 2030-02-31T00:00:00Z

# Import: 32 bytes, or 64 hex digits; never twice, never exposed.
head -c 32 /dev/urandom >raw.key
chmod 600 raw.key
exits "32 bytes" 0 e key add --kid raw --import raw.key
exits "the same material" 14 e key add --kid raw2 --import raw.key
xxd -p -c 64 raw.key >hex.key
chmod 600 hex.key
exits "the same in hex" 14 e key add --kid raw2 --import hex.key
head -c 32 /dev/urandom | xxd -p -c 64 | tr a-f A-F >hex.key
exits "64 hex digits" 0 e key add --kid hex --import hex.key
head -c 31 raw.key >short.key
chmod 600 short.key
exits "31 bytes" 2 e key add --kid s --import short.key
(head -c 63 hex.key; printf g) >bad.key
chmod 600 bad.key
exits "no hex digit" 2 e key add --kid s --import bad.key
head -c 32 /dev/urandom >exposed.key
chmod 644 exposed.key
exits "an exposed file" 0 e key add --kid s --import exposed.key
says "is warned of" 'warning: exposed.key can be read by others'
exits "no such file" 10 e key add --kid s --import none
(umask 077; head -c 32 /dev/zero >zeros.key)
exits "nothing but zeros" 14 e key add --kid zeros --import zeros.key

# Destroy: confirmed, for ever.
e key disable k2 -q >/dev/null
exits "not confirmed" 14 setsid -w "$envelope" key destroy k2
says "says how" '--yes=k2'
exits "another name" 14 e key destroy k2 --yes=k1
pin=$(ls "$XDG_STATE_HOME/envelope/rings"/*-*-*-*-*.json | grep -v at-)
before=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["pin"])' "$pin")
exits "destroy" 0 e key destroy k2 --yes=k2
is "destroyed" destroyed "$(state k2)"
prints "the new pin" 'new pin: [0-9a-f]{32}'
not "another pin" test "$before" = "$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["pin"])' "$pin")"
exits "never again" 14 e key enable k2
exits "the kid is not used again" 14 e key add --kid k2
exits "an active key is not destroyed" 14 e key destroy k1 --yes=k1
exits "the others still open" 0 e decrypt --context a=b v1.env
exits "the log goes on under the new ring key" 0 e audit verify

# Two at once: one wins, the other is told; nothing is lost.
for i in 1 2 3 4 5 6 7 8; do
    e key add --kid "p$i" -q >/dev/null 2>"$tmp/p$i" &
done
wait
lost=0
for i in 1 2 3 4 5 6 7 8; do
    if [ "$(state "p$i")" = pre-active ]; then continue; fi
    lost=$((lost + 1))
    grep -qE 'changed|locked|busy|another' "$tmp/p$i" || fail "p$i was neither added nor refused" "$(cat "$tmp/p$i")"
done
pass
exits "the ring is whole" 0 e key list
exits "the log is whole" 0 e audit verify
finish
