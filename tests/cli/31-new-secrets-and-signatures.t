#!/usr/bin/env bash
# Goal of this test: generate makes secrets that nobody has seen, and manifest
# tells a changed file, a changed signature and another key from what was
# signed.
. "$(dirname "$0")/lib.sh"
exits "a secret needs no keyring" 0 e generate
is "32 bytes as base64url" 43 "$(tr -d '\n' <"$out" | wc -c)"
first=$(cat "$out")
exits "again" 0 e generate
is "another" yes "$([ "$first" != "$(cat "$out")" ] && echo yes)"
exits "as hex" 0 e generate --bytes 24 --form hex
prints "48 digits" '^[0-9a-f]{48}$'
exits "with a prefix" 0 e generate --bytes 24 --prefix whsec_ --form base64
prints "behind it" '^whsec_[A-Za-z0-9+/]{32}$'
exits "too few bytes" 2 e generate --bytes 15
exits "a prefix with a space" 2 e generate --prefix 'a b'
exits "a context without --seal" 2 e generate --context a=b
exits "a kid without --seal" 2 e generate --kid k1
exits "--seal without a keyring" 10 e generate --seal
init
exits "sealed at once" 0 e generate --prefix whsec_ --seal --context field=hook
prints "an envelope" '^env1:k1:'
is "no secret is shown" 0 "$(grep -c whsec_ "$out")"
cp "$out" s.env
exits "it opens in its place" 0 e decrypt --context field=hook s.env
prints "to the secret" '^whsec_[A-Za-z0-9_-]{43}$'
exits "not elsewhere" 12 e decrypt --context field=other s.env
exits "--show needs a place for the envelope" 2 e generate --seal --show
exits "shown once" 0 e generate --seal --show -o t.env
secret=$(cat "$out")
is "it is what was sealed" "$secret" "$(e decrypt t.env)"
exits "binary" 0 e generate --seal --encoding binary -o b.env
is "it opens, too" 43 "$(e decrypt b.env | wc -c)"

echo hello >file
exits "no key of use mac" 13 e manifest sign file
says "says how" 'key add --kid KID --use mac'
python3 -c 'import sys; sys.stdout.buffer.write(bytes(range(32)))' >m.key # TEST DATA
chmod 600 m.key
e key add --kid m1 --use mac --activate --import m.key -q >/dev/null
exits "signed" 0 e manifest sign -o file.mac file
# spec: MAN-3: the example of the specification
is "as the specification has it" "$(grep -o 'envmac1:m1:.*' "$repo/spec/manifest-v1.md")" "$(cat file.mac)"
exits "from standard input" 0 bash -c "'$envelope' manifest sign <file"
is "the same" "$(cat file.mac)" "$(cat "$out")"
exits "verified" 0 e manifest verify file
prints "names the key" 'key m1'
exits "as JSON" 0 e manifest verify --json file
is "ok" '[true, "m1"]' "$(python3 -c '
import json,sys; d=json.load(open(sys.argv[1])); print(json.dumps([d["ok"], d["kid"]]))' "$out")"
# spec: MAN-4
auth=$(cp file.mac x.mac; echo Hello >x; e manifest verify x 2>&1 | head -1)
exits "a changed file" 12 e manifest verify x
echo hello >x
sed 's/m1:\(.\)\(.\)/m1:\2\1/' file.mac >x.mac
is "a changed signature: one answer" "$auth" "$(e manifest verify x 2>&1 | head -1)"
e key add --kid m2 --use mac -q >/dev/null
sed 's/:m1:/:m2:/' file.mac >x.mac
is "another key: one answer" "$auth" "$(e manifest verify x 2>&1 | head -1)"
# spec: MAN-2
for text in 'hello:19' 'envmac2:m1:AAAA:19' 'envmac1:m1:AAAA:19' 'envmac1:M1:AAAA:19' \
    "$(cat file.mac) :19" "$(cat file.mac)=:19" ':19'; do
    printf '%s\n' "${text%:*}" >x.mac
    exits "signature '${text%:*}'" "${text##*:}" e manifest verify x
done
printf '%s' "$(cat file.mac)" >x.mac
exits "without its line feed" 0 e manifest verify x
printf '%s\n\n' "$(cat file.mac)" >x.mac
exits "with two" 19 e manifest verify x
exits "no signature" 10 e manifest verify --signature none file
exits "only that key" 13 e manifest verify --kid m2 file
# spec: MAN-5
e key activate m2 -q >/dev/null
exits "a former key verifies" 0 e manifest verify file
exits "and does not sign" 14 e manifest sign --kid m1 file
exits "nor does one of another use" 13 e manifest sign --kid k1 file
e key disable m1 -q >/dev/null
exits "a disabled one verifies nothing" 13 e manifest verify file
finish
