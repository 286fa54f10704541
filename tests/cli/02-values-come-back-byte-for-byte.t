#!/usr/bin/env bash
# Goal of this test: what encrypt seals, decrypt gives back to the byte, for
# every encoding, type, size around the limits, mode and scope.
. "$(dirname "$0")/lib.sh"
init
e key add --kid w1 --use wrap --activate -q >/dev/null
e key add --kid acme-1 --scope acme --activate -q >/dev/null

for size in 0 1 15 4096 4097 65536 1048576 1048577 3000000; do
    head -c $size /dev/urandom >v
    for encoding in text object binary; do
        for mode in derived wrapped; do
            e encrypt --encoding $encoding --mode $mode --context a=b <v >v.env &&
                e decrypt --context a=b <v.env >v.back
            ok "$size bytes, $encoding, $mode" cmp v v.back
        done
    done
done

printf 'hunter2' | e encrypt >v.env
is "one line of text" "1 env1:k1:" "$(wc -l <v.env) $(cut -c1-8 v.env)"
printf 'hunter2' | e encrypt --encoding object >v.obj
is "an object" '{"env":1,"kid":"k1","mode":"derived"' "$(cut -d, -f1-3 v.obj)"
printf 'hunter2' | e encrypt --encoding binary >v.bin
is "binary has no newline" "9e4556 01" "$(head -c3 v.bin | xxd -p) $(head -c4 v.bin | tail -c1 | xxd -p)"
is "a JSON pretty printer does no harm" hunter2 "$(python3 -m json.tool v.obj | e decrypt)"

# The key decides the mode: one that it does not have is not lost in silence.
exits_in "wrapped under a data key" 2 e encrypt --mode wrapped --kid k1 <v.env
says "names both" 'key k1 is of use seal and cannot seal in mode wrapped'
exits_in "derived under a wrapping key" 2 e seal --mode derived --kid w1 <v.env
exits_in "wrapped under a wrapping key" 0 sh -c "printf w | '$envelope' encrypt --mode wrapped --kid w1"

# Padding hides the length of a short value.
a=$(printf 'x' | e encrypt | wc -c) b=$(printf 'xxxxxxxxxxxxxxxxxxxx' | e encrypt | wc -c)
is "1 and 20 bytes look the same" "$a" "$b"
c=$(printf 'x' | e encrypt --pad none | wc -c)
not "--pad none does not pad" test "$a" -eq "$c"
is "--pad 256" "$(printf 'x' | e encrypt --pad 256 | wc -c)" "$(head -c 200 /dev/zero | e encrypt --pad 256 --type bytes | wc -c)"
exits "--pad 1" 2 e encrypt --pad 1
exits "--pad 4097" 2 e encrypt --pad 4097
exits "--pad x" 2 e encrypt --pad x
head -c 1048577 /dev/zero >big
exits_in "--pad on a stream" 2 e encrypt --pad 64 <big

# Types.
printf '\377' | e encrypt | e decrypt >v.back
is "bytes that are no text" ff "$(xxd -p v.back)"
exits_in "text that is no UTF-8" 2 e encrypt --type text < <(printf '\377')
exits_in "json that is none" 2 e encrypt --type json < <(printf '{"a":')
is "json" '{"a": 1.0e3}' "$(printf '{"a": 1.0e3}' | e encrypt --type json | e decrypt)"
exits "an unknown type" 2 e encrypt --type jsn
says "did you mean" 'did you mean json'

# The context is part of the key, in any order.
printf 'v' | e encrypt --context a=1 --context b=2 >v.env
is "the other order" v "$(e decrypt --context b=2 --context a=1 v.env)"
exits "one pair less" 12 e decrypt --context a=1 v.env
exits "another value" 12 e decrypt --context a=1 --context b=3 v.env
exits "no context" 12 e decrypt v.env
exits "a name twice" 2 e decrypt --context a=1 --context a=1 v.env
exits "no name" 2 e decrypt --context =1 v.env
exits "no pair" 2 e decrypt --context a v.env
exits_in "an empty value" 0 e encrypt --context a= < <(printf v)
many=$(for i in $(seq 33); do printf ' --context n%d=v' "$i"; done)
exits "33 pairs" 2 e decrypt $many v.env

# Keys, modes, scopes.
exits_in "an unknown kid" 13 e encrypt --kid k9 < <(printf v)
printf v | e encrypt --kid w1 | e inspect --json >v.json
is "a wrapping key makes it wrapped" '"wrapped"' "$(json '["mode"]' <v.json)"
printf v | e encrypt --scope acme >v.env
exits "another tenant does not open it" 13 e decrypt v.env
is "the tenant does" v "$(e decrypt --scope acme v.env)"

# What is an envelope already is refused.
printf v | e encrypt >v.env
exits "nesting" 14 e encrypt v.env
says "says how" 'allow'
is "nesting that is allowed" "$(cat v.env)" "$(e encrypt --allow-nested v.env | e decrypt)"

# Newlines: one is accepted after text and object, none in binary, no more.
tr -d '\n' <v.env | e decrypt >v.back
is "without its newline" v "$(cat v.back)"
(cat v.env; echo) >v.two
exits "two newlines" 19 e decrypt v.two
(printf v | e encrypt --encoding binary; echo) >v.bin
exits "a newline after binary" 12 e decrypt v.bin
printf 'a\n\n' | e encrypt | e decrypt >v.back
is "newlines of the value stay" "610a0a" "$(xxd -p v.back)"
finish
