#!/usr/bin/env bash
# Goal of this test: redact masks what is secret, keeps every other byte,
# answers line by line, and fails closed.
. "$(dirname "$0")/lib.sh"
drawn() { head -c 400 /dev/urandom | base64 -w0 | tr -d '+/=' | head -c "$1"; }
canary=Zz9$(drawn 20)aB3 # TEST DATA

printf 'start\tpassword=%s ok\n\377raw\n{"api_key":"%s","n": 1.50}\nAuthorization: Bearer %s\n' \
    "$canary" "$canary" "$canary" >log
printf 'start\tpassword=[redacted] ok\n\377raw\n{"api_key":"[redacted]","n": 1.50}\nAuthorization: [redacted]\n' >want
exits "a log" 0 e redact log
ok "byte for byte" cmp -s "$out" want
exits_in "from standard input" 0 e redact <log
ok "the same" cmp -s "$out" want
exits "into a file" 0 e redact -o done log
ok "the same" cmp -s done want
is "no value anywhere" 0 "$(cat "$out" "$err" done | grep -c "$canary")"

# A line goes on as soon as it is whole.
coproc R { "$envelope" redact 2>/dev/null; }
printf 'token=%s\n' "$canary" >&"${R[1]}"
IFS= read -r -t 20 line <&"${R[0]}"
is "an answer before the end of input" 'token=[redacted]' "$line"
eval "exec ${R[1]}>&-"
wait "$R_PID" 2>/dev/null

exits_in "its own names and mask" 0 e redact --names iban --except token --mask '***' \
    <<<"IBAN=DE1 token=kept password=$canary"
is "masked" 'IBAN=*** token=kept password=***' "$(cat "$out")"
exits_in "a mask that would break JSON" 2 e redact --mask '"' <<<x

exits_in "no JSON where JSON should be" 3 e redact --input json <<<"{\"a\": $canary"
is "masked whole" '"[redacted]"' "$(cat "$out")"
says "it is said" '1 lines could not be read'
printf '{\n  "password": "%s",\n  "kept": [1, 2]\n}\n' "$canary" >doc.json
exits "a document of several lines" 0 e redact --input document doc.json
is "masked in place" '  "password": "[redacted]",' "$(sed -n 2p "$out")"
is "the rest as it was" '  "kept": [1, 2]' "$(sed -n 3p "$out")"
printf -- '-----BEGIN PRIVATE KEY-----\n%s\n' "$canary" >half
exits "a key without an end" 3 e redact half
is "is masked to the end" '[redacted]' "$(cat "$out")"
head -c 3000000 /dev/zero | tr '\0' a >long
exits "a line that is too long" 3 e redact long
is "is masked whole" '[redacted]' "$(cat "$out")"
exits "no such file" 10 e redact none

# Who writes the log must not be able to stop the filter.
python3 -c 'print("a=" * 500000)' >square
exits "an unkind line" 0 timeout 60 "$envelope" redact square
finish
