#!/usr/bin/env bash
# Goal of this test: unlock entries are added, changed and removed without
# touching a key or a sealed value, and the last one stays.
. "$(dirname "$0")/lib.sh"
init
printf v | e encrypt >v.env
pass_file() { printf '%s' "$2" >"$1"; chmod 600 "$1"; }
pass_file p1 'correct horse'
pass_file p2 'battery staple'
fast="--opslimit 2 --memlimit 64"

exits "add a passphrase" 0 e unlock add ana --new-passphrase-file p1 $fast
exits "it opens" 0 e decrypt --passphrase-file p1 v.env
is "the value" v "$(cat "$out")"
exits "the key file, too" 0 e decrypt v.env
exits "list" 0 e unlock list --json
is "the list" '[{"name": "main", "type": "keyfile"}, {"name": "ana", "type": "passphrase"}]' "$(json '["unlock"]' <"$out")"
exits "change it" 0 e unlock change ana --new-passphrase-file p2 $fast
exits "the old one" 12 e decrypt --passphrase-file p1 v.env
exits "the new one" 0 e decrypt --passphrase-file p2 v.env
exits "a key file, made" 0 e unlock add host --new-key-file host.key
is "its mode and size" "600 32" "$(mode_of host.key) $(stat -c %s host.key)"
exits "it opens" 0 e decrypt --key-file host.key v.env
exits "a name twice" 14 e unlock add host --new-key-file host2.key
not "no key file is left" test -e host2.key
exits "nothing that shall open it" 2 e unlock add x
exits "two things" 2 e unlock add x --new-key-file y --new-passphrase
exits "cost below the bound" 2 e unlock add x --new-passphrase-file p1 --opslimit 1
exits "cost below the bound" 2 e unlock add x --new-passphrase-file p1 --memlimit 63
exits "cost above the bound" 2 e unlock add x --new-passphrase-file p1 --memlimit 2049
pass_file empty ""
exits "an empty passphrase" 2 e unlock add x --new-passphrase-file empty
exits "a device" 14 e unlock add x --new-passphrase-file /dev/null
exits "no such entry" 10 e unlock change nobody --new-passphrase-file p1 $fast

# Remove: a new ring key; entries whose secret is not at hand go, too.
exits "not confirmed" 14 setsid -w "$envelope" unlock remove host
exits "remove" 0 e unlock remove host --yes=host --passphrase-file p2 --key-file "$key"
prints "the new pin" 'new pin'
exits "it no longer opens" 12 e decrypt --key-file host.key v.env
exits "the others do" 0 e decrypt --passphrase-file p2 v.env
exits "the others do" 0 e decrypt v.env
exits "remove with others' secrets away" 0 e unlock remove ana --yes=ana
prints "nothing was dropped unsaid" 'new pin'
exits "the last one stays" 14 e unlock remove main --yes=main
exits "nobody" 10 e unlock remove nobody --yes=nobody
e unlock add bob --new-passphrase-file p1 $fast -q >/dev/null
e unlock add eve --new-passphrase-file p2 $fast -q >/dev/null
exits "an entry whose secret is away is dropped with consent" 0 e unlock remove eve --yes=eve
says "it is listed" 'dropped: bob'
exits "it no longer opens" 12 e decrypt --passphrase-file p1 v.env
exits "the value still opens" 0 e decrypt v.env
exits "the log is whole" 0 e audit verify

# Passphrase files: nobody else may write them, or should read them.
e unlock add ana --new-passphrase-file p1 $fast -q >/dev/null
chmod 644 p1
exits "an exposed passphrase file" 0 e decrypt --passphrase-file p1 v.env
says "is warned of" 'warning: passphrase file p1 can be read by others'
chmod 666 p1
exits "one that others can write" 14 e decrypt --passphrase-file p1 v.env
chmod 600 p1
exits_in "a descriptor" 0 e decrypt --passphrase-fd 3 v.env 3<p1
exits "a descriptor that is not open" 2 e decrypt --passphrase-fd 9 v.env
exits "no descriptor" 2 e decrypt --passphrase-fd x v.env
exits "both" 2 e decrypt --passphrase-fd 3 --passphrase-file p1 v.env
exits "the environment names the file" 0 env ENVELOPE_PASSPHRASE_FILE="$tmp/p1" ENVELOPE_KEY_FILE= "$envelope" decrypt v.env

# The ring is written and only its record fails: the new key file is the only
# one that opens it, and stays.  The log is filled until the first of the two
# records still fits below a limit on the size of files.
audit=$XDG_STATE_HOME/envelope/audit.jsonl
fits=
for i in $(seq 60); do
    e unlock change main --new-key-file same.key -q >/dev/null
    size=$(wc -c <"$audit")
    record=$(($(tail -1 "$audit" | wc -c) + 4))
    blocks=$(((size + record) / 512 + 1)) # of 512 bytes each
    export ENVELOPE_KEY_FILE=$tmp/same.key
    [ $((size + 2 * record - 16)) -gt $((blocks * 512)) ] && fits=1 && break
done
is "the log can be filled" 1 "$fits"
exits "changed, but not recorded" 1 sh -c "trap '' XFSZ; ulimit -f $blocks; exec '$envelope' unlock change main --new-key-file next.key"
says "which is told" 'done, but its end could not be recorded'
exits "the new key file opens the ring" 0 e key list --key-file next.key
exits "the former does not" 12 e key list --key-file same.key
finish
