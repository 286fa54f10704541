#!/usr/bin/env bash
# Goal of this test: each exit code that this command can give is given for
# its cause, with an error line that names the thing, and with --json one line.
. "$(dirname "$0")/lib.sh"

exits "10: no keyring" 10 e key list
says "names it" "$ring"
says "hint" 'envelope init'
init
printf v | e encrypt --context a=b >v.env

exits "0" 0 e key list
exits "1: standard output that fails" 1 sh -c "'$envelope' key list >/dev/full"
says "says why" 'standard output: No space left'
exits "2: no command" 2 e
exits "2: an unknown command" 2 e encrpyt
says "did you mean" 'did you mean .envelope encrypt'
exits "2: an unknown sub-verb" 2 e key lst
says "did you mean" 'did you mean .envelope key list'
exits "2: a heading alone" 2 e key
exits "2: an unknown option" 2 e encrypt --encodin
says "did you mean" 'did you mean --encoding|encoding needs'
exits "2: an unknown option" 2 e encrypt --padding 3
exits "2: an option without its argument" 2 e encrypt --kid
exits "2: too many files" 2 e decrypt a b
exits "2: an option twice" 2 e decrypt --scope a --scope b v.env
printf '%s\n' '{"value":"a"}' nonsense >lines
exits_in "3: one line of two failed" 3 e seal <lines
says "says how many" '1 of 2 lines'
exits "10: no such file" 10 e decrypt none.env
says "names it" none.env
exits "12: another context" 12 e decrypt --context a=c v.env
text12=$(cat "$err")
head -c 32 /dev/urandom >other.key
chmod 600 other.key
exits "12: another key file" 12 e key list --key-file other.key
exits "13: a kid that is not there" 13 e key activate k9
exits "14: refused" 14 e init
exits "17: a log that cannot be written" 17 env ENVELOPE_AUDIT=/dev/full "$envelope" key add --kid k2
exits "and nothing was done" 13 e key activate k2
exits "17: a log in no folder" 17 env ENVELOPE_AUDIT="$tmp/none/log" "$envelope" key add --kid k2
cp "$ring" good
sed -i 's/"generation":1/"generation":2/' "$ring"
exits "18: a ring that was changed" 18 e key list
cp good "$ring"
exits "19: not an envelope" 19 e decrypt /etc/hostname
name=$(cat "$err")
printf 'env2:k1:AAAA' >v2
exits "19: another version" 19 e decrypt v2
printf 'env1:k1:AAAA' >v3
exits "19: broken" 19 e decrypt v3

# --json: one line, all members; the same text otherwise.
e decrypt --context a=c --json v.env 2>"$err"
is "one line" 1 "$(wc -l <"$err")"
is "members" '["code", "hint", "message", "name", "type"]' "$(json '.keys().__iter__() and sorted(d)' <"$err" 2>/dev/null || python3 -c 'import json,sys; print(json.dumps(sorted(json.load(open(sys.argv[1])))))' "$err")"
is "code and name" '12 "auth"' "$(json '["code"]' <"$err") $(json '["name"]' <"$err")"
e frobnicate --json 2>"$err"
is "errors before the options are known" '2' "$(json '["code"]' <"$err")"

# auth: one text for wrong key, wrong context and tampering.
e key add --kid k2 -q >/dev/null
sed 's/^env1:k1:/env1:k2:/' v.env >relabelled.env
python3 - <<'P'
s = open("v.env").read().strip()
open("changed.env", "w").write(s[:-5] + ("A" if s[-5] != "A" else "B") + s[-4:])
P
for f in relabelled changed; do
    cp $f.env v.env.$f
    exits "12: $f" 12 e decrypt --context a=b $f.env
    is "the same words" "$(sed 's/v\.env/X/' <<<"$text12")" "$(sed "s/$f\.env/X/" "$err")"
done
finish
