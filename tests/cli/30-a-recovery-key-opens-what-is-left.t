#!/usr/bin/env bash
# Goal of this test: a recovery key is made without a keyring, its words appear
# once, its public half lets it in, and with everything else gone the words and
# the pin open the ring.
. "$(dirname "$0")/lib.sh"
exits "made without any keyring" 0 e unlock recovery-key --out words.txt
prints "the public half" '^public +erp1[A-Za-z0-9_-]{48}$'
public=$(awk '/^public/ { print $2 }' "$out")
is "the file is private" 600 "$(mode_of words.txt)"
words=$(grep -v '^#' words.txt | tr '\n' ' ')
is "18 words" 18 "$(wc -w <<<"$words")"
is "no keyring came of it" 1 "$(test -e "$ring"; echo $?)"
exits "not over a file that is there" 14 e unlock recovery-key --out words.txt
exits "not into a pipe without being told" 2 e unlock recovery-key
prints_nothing() { is "$1" "" "$(cat "$out")"; }
prints_nothing "and no word is written"
exits "told, it is" 0 e unlock recovery-key --out -
is "18 words on standard output" 18 "$(grep -v '^#' "$out" | wc -w)"
exits "as JSON the words stay in the file" 0 e unlock recovery-key --json --out w2.txt
is "public and file" '["erp1", "w2.txt"]' "$(python3 -c '
import json,sys
d=json.load(open(sys.argv[1])); print(json.dumps([d["public"][:4], d["file"]]))' "$out")"
exits "JSON to standard output is refused" 2 e unlock recovery-key --json --out -

init
pin=$(e init --keyring "$tmp/other.json" --key-file "$tmp/other.key" 2>/dev/null | awk '/^pin/ { print $2 }')
export ENVELOPE_KEYRING=$tmp/other.json
printf 'the value' | e encrypt --key-file other.key --context a=b >v.env
first=$(sha256sum v.env)
exits "the words on the command line" 2 e unlock add safe --key-file other.key --recovery-public "$words"
says_not "are not repeated" "$(awk '{ print $3 }' <<<"$words")"
exits "a mistyped public half" 2 e unlock add safe --key-file other.key --recovery-public "${public%?}x"
exits "two ways at once" 2 e unlock add safe --key-file other.key --recovery-public "$public" --new-passphrase
exits "the public half" 0 e unlock add safe --key-file other.key --recovery-public "$public"
is "no row is touched" "$first" "$(sha256sum v.env)"
exits "it is listed" 0 e unlock list --key-file other.key
prints "by its type" '^safe +recovery$'
exits "the words open it" 0 e decrypt --context a=b --recovery-file words.txt v.env
is "to the value" "the value" "$(cat "$out")"
exits "other words do not" 12 e decrypt --context a=b --recovery-file w2.txt v.env
sed 's/^\([a-z]*\) \([a-z]*\)/\2 \1/' words.txt >swapped.txt
chmod 600 swapped.txt
exits "two words exchanged" 19 e decrypt --context a=b --recovery-file swapped.txt v.env
says "is said" 'do not fit each other'
sed '/^[a-z]/s/^[a-z]*/xxxxx/' words.txt >bad.txt
chmod 600 bad.txt
exits "a word that is none" 19 e decrypt --context a=b --recovery-file bad.txt v.env
says "is named by its number" 'word 1 '
chmod 644 words.txt
exits "a file that others can read" 14 e key list --recovery-file words.txt
chmod 600 words.txt

# Another machine: nothing but a copy of the ring, the words and the pin.
rm other.key
export XDG_STATE_HOME=$tmp/elsewhere
exits "without the pin" 14 e decrypt --context a=b --recovery-file words.txt v.env
says "the pin is asked for" 'pin'
ENVELOPE_PIN=$pin exits "with the pin" 0 env ENVELOPE_PIN="$pin" "$envelope" decrypt --context a=b --recovery-file words.txt v.env
is "the value" "the value" "$(cat "$out")"
exits "another pin" 18 env ENVELOPE_PIN="${pin//[0-9]/f}" "$envelope" decrypt --context a=b --recovery-file words.txt v.env
exits "a new way in" 0 env ENVELOPE_PIN="$pin" "$envelope" unlock change main --recovery-file words.txt --new-key-file "$tmp/new.key"
exits "which opens it" 0 e decrypt --context a=b --key-file new.key v.env
is "no row was touched" "$first" "$(sha256sum v.env)"

# By hand, on a terminal: the words are not shown.
cat >typing.py <<'P'
import os, pty, sys
words, command = sys.argv[1], sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
    os.execv(command[0], command)
seen = b""
while b"recovery key" not in seen:
    seen += os.read(fd, 4096)
os.write(fd, words.encode() + b"\n")
try:
    while True:
        more = os.read(fd, 4096)
        if not more:
            break
        seen += more
except OSError:
    pass
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
P
exits "typed" 0 timeout 60 python3 typing.py "$words" "$envelope" key list --recovery-file -
prints "opens it" 'k[0-9]'
is "no word is echoed" 0 "$(grep -c "$(awk '{ print $5 }' <<<"$words")" "$out")"

# credential:NAME, as systemd and Docker hand files out.
mkdir -m 700 creds
cp new.key creds/ring-key
chmod 600 creds/ring-key
export CREDENTIALS_DIRECTORY=$tmp/creds
exits "a key file that systemd gave" 0 e decrypt --context a=b --key-file credential:ring-key v.env
exits "from the environment" 0 env ENVELOPE_KEY_FILE=credential:ring-key "$envelope" decrypt --context a=b v.env
cp words.txt creds/words
chmod 600 creds/words
exits "the words" 0 e decrypt --context a=b --recovery-file credential:words v.env
exits "one that is not there" 10 e decrypt --context a=b --key-file credential:other v.env
exits "no path in it" 2 e decrypt --context a=b --key-file credential:../new.key v.env
chmod 620 creds/ring-key
exits "written by others" 14 e decrypt --context a=b --key-file credential:ring-key v.env
unset CREDENTIALS_DIRECTORY
exits "without a folder" 10 e decrypt --context a=b --key-file credential:ring-key v.env
says "where it was looked for" 'CREDENTIALS_DIRECTORY'
finish
