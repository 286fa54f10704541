#!/usr/bin/env bash
# Goal of this test: what a command, a safe or a token yields, and what is
# generated, is in no argument, variable, log, state file, temporary file or
# core, and leaves the process only where it should; a ring is opened with one
# run of the command, however many values follow.
. "$(dirname "$0")/lib.sh"
mkdir -m 700 -p "$XDG_CONFIG_HOME/envelope" bin
conf=$XDG_CONFIG_HOME/envelope/config.json
canary=$(printf 'c0ffee%058d' 42) # TEST DATA, hex
b64=$(printf %s "$canary" | xxd -r -p | base64 -w0)
printf '#!/bin/sh\necho run >>%s/runs\nread -r secret <%s/bin/secret\necho "$secret"\necho "$secret" >&2\n' "$tmp" "$tmp" >bin/fetch
chmod 700 bin/fetch
echo "$canary" >bin/secret
chmod 600 bin/secret
printf '{"providers": {"fetch": {"type": "exec", "command": ["%s/bin/fetch"]}}}' "$tmp" >"$conf"
found() { grep -rlaF -e "$canary" -e "${b64:0:40}" "$@" 2>/dev/null; }
e init --kid k1 --provider fetch >all.out 2>&1
e unlock recovery-key --out words.txt >>all.out 2>&1
word=$(grep -v '^#' words.txt | awk '{ print $2, $3, $4; exit }')
e unlock add safe --recovery-public "$(grep -o 'erp1[A-Za-z0-9_-]*' all.out | head -1)" >>all.out 2>&1
e key list --recovery-file words.txt >>all.out 2>&1
e doctor >>all.out 2>&1
e generate --seal --context a=b -o sealed.env >>all.out 2>&1
secret=$(e decrypt --context a=b sealed.env)
printf 'TOKEN=%s\n' "$(printf %s "$secret" | e encrypt --context field=TOKEN)" >app.env
chmod 600 app.env
# In every way that fails.
sed -i 's/^echo "$secret"$/echo "x$secret"/' bin/fetch
e key list >>all.out 2>&1
sed -i 's/^echo "x$secret"$/echo "$secret"; exit 9/' bin/fetch
e key list >>all.out 2>&1
sed -i 's/^echo "$secret"; exit 9$/echo "$secret"/' bin/fetch
e key list --recovery-file bin/secret >>all.out 2>&1
e unlock add x --recovery-public "$(cat words.txt)" >>all.out 2>&1
is "the command's secret is in no output" "" "$(found all.out)"
is "nor in state, log or ring" "" "$(found "$XDG_STATE_HOME" "$XDG_DATA_HOME")"
is "the words are in none of them" "" "$(grep -rlF -e "$word" all.out "$XDG_STATE_HOME" "$XDG_DATA_HOME")"
is "nor is what was generated" "" "$(grep -rlF -e "$secret" all.out sealed.env app.env "$XDG_STATE_HOME" "$XDG_DATA_HOME")"
is "the search finds what is there" "bin/secret words.txt" "$(echo $(found bin; grep -lF -e "$word" words.txt))"
is "no temporary file" "" "$(find "$tmp" -name '.envelope-*' -o -name 'core*' -type f)"

# One run of the command opens a ring, for any number of values.
rm -f runs
for i in $(seq 200); do printf '{"value":"v%d","context":{"id":"%d"}}\n' "$i" "$i"; done >lines
exits_in "200 values are sealed" 0 e seal <lines
is "with one run" 1 "$(wc -l <runs)"
cp "$out" sealed
rm runs
python3 -c '
import json
for i, line in enumerate(open("sealed"), 1):
    print(json.dumps({"envelope": json.loads(line)["envelope"], "context": {"id": str(i)}}))' >open
exits_in "and opened" 0 e open <open
is "with one run" 1 "$(wc -l <runs)"

if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
    out_calls=write,writev,pwrite64,sendto,sendmsg,execve,openat,rename,linkat
    strace -f -s 8192 -e trace=$out_calls -o trace "$envelope" generate --seal --context a=b -o s2.env >/dev/null
    two=$(e decrypt --context a=b s2.env)
    is "what was generated leaves in no call" 0 "$(grep -cF -e "$two" trace)"
    strace -f -s 8192 -e trace=$out_calls -o trace "$envelope" key list >/dev/null
    # The child itself writes it, to the pipe and to where nothing is read.
    is "the secret is written by the command alone" 0 "$(awk '/execve\(.*envelope/ { pid = $1 } { print }' trace | awk 'NR == 1 { pid = $1 } $1 == pid' | grep -cF -e "$canary")"
    is "the trace sees it there" 2 "$(grep -cF -e "write(1, \"$canary" -e "write(2, \"$canary" trace)"
    strace -f -s 8192 -e trace=$out_calls -o trace "$envelope" unlock recovery-key --out w3.txt >/dev/null 2>&1
    is "words leave in one write, to their file" 1 "$(grep -cF -e "$(grep -v '^#' w3.txt | awk '{ print $2, $3; exit }')" trace)"
else
    skip "calls" "no strace"
fi

# run: the secret is in the command, not in our arguments.
mkfifo gate
"$envelope" run --env-file app.env --by fd -- sh -c 'read -r x <gate; cat "$TOKEN_FILE"' >got &
pid=$!
for _ in $(seq 200); do grep -qa 'TOKEN_FILE' "/proc/$pid/environ" 2>/dev/null && break; sleep 0.05; done
is "by descriptor it is in no variable" 0 "$(tr '\0' '\n' <"/proc/$pid/environ" | grep -cF -e "$secret")"
is "nor in the arguments" 0 "$(tr '\0' '\n' <"/proc/$pid/cmdline" | grep -cF -e "$secret")"
is "no core file can be written" 0 "$(awk '/Max core file size/ { print $5 }' "/proc/$pid/limits")"
echo go >gate
wait $pid
is "the command has it" "$secret" "$(cat got)"
finish
