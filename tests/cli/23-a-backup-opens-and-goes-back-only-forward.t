#!/usr/bin/env bash
# Goal of this test: key backup writes a copy that is proven to open; key
# restore puts it back, never an older or another ring without consent.
. "$(dirname "$0")/lib.sh"
init
id=$(e key list --json | json '["keyring"]' | tr -d '"')
printf v | e encrypt >v.env
exits "no --out" 2 e key backup
exits "backup" 0 e key backup --out b1.json
ok "is the ring" cmp b1.json "$ring"
is "mode" 600 "$(mode_of b1.json)"
exits "never over a file" 14 e key backup --out b1.json
exits "no such folder" 10 e key backup --out none/b.json
mkdir -m 777 open
exits "a folder of everybody" 14 e key backup --out open/b.json
not "nothing is left there" test -e open/b.json
e key add --kid k2 --activate -q >/dev/null
e key backup --out b2.json -q >/dev/null

rm "$ring"
exits "without a ring" 10 e decrypt v.env
exits "restore" 0 e key restore b2.json
prints "what it is" 'generation 2, restored'
exits "it opens" 0 e decrypt v.env
exits "restore the same again" 0 e key restore b2.json
exits "an older one" 18 e key restore b1.json
says "says which" 'generation 1.*generation|generation 1, the keyring was at 2'
rm "$ring"
exits "an older one where the ring is gone: it was seen" 18 e key restore b1.json
exits "with consent" 0 e key restore b1.json "--accept-ring=$id"
exits "k2 is gone" 13 e key activate k2
exits "and forward again" 0 e key restore b2.json
head -c 100 b2.json >cut.json
chmod 600 cut.json
exits "a backup that is cut" 18 e key restore cut.json
exits "no such backup" 10 e key restore none.json
chmod 666 b2.json
exits "a backup that others can write" 14 e key restore b2.json
chmod 600 b2.json
e init --keyring other.json --key-file "$key" --kid o -q >/dev/null 2>&1
exits "another ring" 14 e key restore other.json
says "says so" 'another keyring'
echo garbage >"$ring"
exits "over a ring that is damaged" 0 e key restore b2.json
exits "it opens" 0 e decrypt v.env
head -c 32 /dev/urandom >other.key
chmod 600 other.key
exits "a backup that nothing here opens" 12 e key restore b2.json --key-file other.key
e audit show >"$out"
prints "it is recorded" 'key restore +b2.json +ok'
exits "the log is whole" 0 e audit verify
finish
