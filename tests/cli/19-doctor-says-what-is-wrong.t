#!/usr/bin/env bash
# Goal of this test: doctor looks at libraries, keyring, log, machine and
# plugins, and says what to do about each thing that is not right.
. "$(dirname "$0")/lib.sh"
exits "no keyring" 4 e doctor
prints "fails" '\[fail\].*no keyring'
prints "says how" 'hint: .*envelope init'
init
exits "a fresh keyring" 0 e doctor
for line in 'envelope [0-9]' 'libcrypto 3' 'libsodium 1' 'jansson 2' \
    'self-test: [0-9]+ known answers' 'keyring.json opens' \
    'unlock entry main \(keyfile\) opens it' 'key k1 \(seal, default\) has been active' \
    'leaves no core file' 'swap is' 'clock says' 'records, whole'; do
    prints "$line" "\[( ok |warn)\]  .*$line"
done
prints "no backup" '\[warn\]  no backup'
prints "key file beside the ring" '\[warn\]  the key file lies beside'
prints "one way in" '\[warn\]  only one unlock entry'
ok "plugins are looked for" grep -qE '^plugins$' "$out"
e key backup --out b.json -q >/dev/null
printf 'correct horse' >pass
chmod 600 pass
e unlock add ana --new-passphrase-file pass --opslimit 2 --memlimit 64 -q >/dev/null
exits "after a backup and a second way in" 0 e doctor
prints "the backup is old by now" '\[warn\]  the last backup.*generation 1; the keyring is at 2'
prints "a secret that is not at hand" 'ana \(passphrase\): its secret is not at hand'
e key backup --out c.json -q >/dev/null
exits "backed up" 0 e doctor
prints "backed up" '\[ ok \]  backed up at'
e key retire k1 -q >/dev/null
exits "nothing seals" 0 e doctor
prints "no active key" '\[warn\]  no active key'
if command -v faketime >/dev/null; then
    e key activate k1 -q >/dev/null
    exits "100 days on" 0 faketime -f '+100d' "$envelope" doctor
    prints "the key is old" '\[warn\]  key k1 has sealed for 100 days'
else
    skip "an old key" "no faketime"
fi
sed -i 's/"verb":"init"/"verb":"inut"/' "$XDG_STATE_HOME/envelope/audit.jsonl"
exits "a broken log" 4 e doctor
prints "is found" '\[fail\]  record 1 is broken'
chmod 644 "$key"
exits "an exposed key file" 4 e doctor
prints "is found" '\[fail\].*(read|exposed|others)'
exits "as JSON" 4 e doctor --json
is "ok is false" false "$(json '["ok"]' <"$out")"
is "levels" '["fail", "ok"]' "$(python3 -c '
import json,sys
d=json.load(open(sys.argv[1]))
print(json.dumps(sorted({c["level"] for s in d["sections"] for c in s["checks"]} - {"warn"})))' "$out")"
exits "selftest" 0 e selftest
is "all of them" 0 "$(grep -vc '^\[ ok \]' "$out")"
finish
