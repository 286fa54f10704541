#!/usr/bin/env bash
# Goal of this test: init makes a keyring, a key file and a first key, with
# safe modes whatever the umask, and never overwrites anything.
. "$(dirname "$0")/lib.sh"

umask 000
exits "init" 0 e init --kid k1
is "mode of the ring" 600 "$(mode_of "$ring")"
is "mode of the key file" 600 "$(mode_of "$key")"
is "the key file is 32 bytes" 32 "$(stat -c %s "$key")"
is "mode of the data folder" 700 "$(mode_of "$XDG_DATA_HOME/envelope")"
is "mode of the state folder" 700 "$(mode_of "$XDG_STATE_HOME/envelope")"
is "mode of the audit log" 600 "$(mode_of "$XDG_STATE_HOME/envelope/audit.jsonl")"
is "no other file is exposed" "" "$(find "$XDG_DATA_HOME" "$XDG_STATE_HOME" -type f ! -perm 600)"
prints "the pin is shown" '^pin +[0-9a-f]{32}$'
prints "the key is shown" '^key +k1 +active$'
says "says how to back it up" 'envelope key backup'
says "warns that the key file lies beside the ring" 'beside the keyring'
umask 022

before=$(sha256sum "$ring" "$key")
exits "a second init" 14 e init
says "names the ring" "$ring"
is "nothing was overwritten" "$before" "$(sha256sum "$ring" "$key")"

exits "another ring, a key file that exists" 0 e init --keyring "$tmp/b.json" --key-file "$key" --kid k2
is "the key file is the old one" "$before" "$(sha256sum "$ring" "$key")"
exits "it opens with that key file" 0 e key list --keyring "$tmp/b.json" --key-file "$key"
exits "another ring in a folder of its own" 10 e init --keyring "$tmp/none/c.json"
is "no key file is left behind" "" "$(ls "$tmp"/none/* 2>/dev/null)"

exits "init --json" 0 e init --keyring "$tmp/d.json" --key-file "$tmp/d.key" --json
is "members" '["generation", "id", "key_file", "keyring", "kid", "path", "pin", "schema"]' \
    "$(python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); d["id"]=d["keyring"]; print(json.dumps(sorted(d)))' "$out")"
is "the default kid has the month" "\"k$(date -u +%Y-%m)\"" "$(json '["kid"]' <"$out")"

printf 'correct horse\n' >"$tmp/pass"
chmod 600 "$tmp/pass"
exits "a passphrase from a file" 0 e init --keyring "$tmp/p.json" --passphrase-file "$tmp/pass" --kid k1
not "no key file was made for it" test -e "$tmp/p.key"
exits "it opens with the passphrase" 0 e key list --keyring "$tmp/p.json" --passphrase-file "$tmp/pass"
exits_in "it opens with the passphrase from a descriptor" 0 e key list --keyring "$tmp/p.json" --passphrase-fd 3 3<"$tmp/pass" </dev/null
printf 'correct horse' >"$tmp/pass2"
chmod 600 "$tmp/pass2"
exits "one final LF is not part of it" 0 e key list --keyring "$tmp/p.json" --passphrase-file "$tmp/pass2"
printf 'wrong horse' >"$tmp/pass2"
exits "another passphrase" 12 e key list --keyring "$tmp/p.json" --passphrase-file "$tmp/pass2"
exits "a key file and a passphrase" 2 e init --keyring "$tmp/q.json" --key-file "$tmp/q.key" --passphrase
not "nothing was made" test -e "$tmp/q.key"
exits "a kid that is none" 2 e init --keyring "$tmp/r.json" --kid K_1
not "no key file is left behind" test -e "$tmp/r.key"
finish
