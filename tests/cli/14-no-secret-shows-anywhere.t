#!/usr/bin/env bash
# Goal of this test: a canary in every input never appears in standard error,
# the audit log, state files, argv, the environment, temporary files, a core
# file, or anything that another process could read.
. "$(dirname "$0")/lib.sh"
init
canary=CANARY7f3a9c7f3a9c7f3a9c7f3a9c7f3a9c
b64=$(printf %s "$canary" | base64 -w0)
hex=$(printf %s "$canary" | xxd -p -c 200)
found() { grep -rlaF -e "$canary" -e "${b64:0:40}" -e "$hex" "$@" 2>/dev/null; }
: >all.err

run() { "$@" >>all.out 2>>all.err; }
printf %s "$canary" >pass
chmod 600 pass
printf %s "$canary" | e encrypt --context a=b >v.env 2>>all.err
# Wrong in every way, with the canary as the value.
printf '{"value":"%s"' "$canary" | run e seal
printf '{"value":"%s","x":1}\n{"%s":1}\n%s\n{"value":"a","type":"%s"}\n' "$canary" "$canary" "$canary" "$canary" | run e seal
printf '{"envelope":"%s"}\n{"envelope":{"env":1,"kid":"%s","payload":"%s"}}\n' "$canary" "$canary" "$canary" | run e open
printf '{"a":"%s' "$canary" | run e encrypt --type json
printf '%s\377' "$canary" | run e encrypt --type text
printf 'env1:k1:%s' "$canary" | run e decrypt
printf '{"env":1,"kid":"%s","payload":"%s"}' "$canary" "$canary" | run e decrypt
printf %s "$canary" | run e decrypt
printf %s "$canary" | run e inspect
printf %s "$canary" | run e rewrap
printf %s "$canary" >plain
run e rotate --kid k2 plain
run e decrypt --context a=c v.env
run e key list --passphrase-file pass
run e unlock add ana --new-passphrase-file pass --opslimit 2 --memlimit 64
run e decrypt --passphrase-file pass --context a=b -o /dev/null v.env
cp pass key32
truncate -s 33 key32
run e key list --key-file key32
run e key add --kid x --import key32
printf '{"keyring": 1, "%s": "%s"' "$canary" "$canary" >bad.json
chmod 600 bad.json
run e key list --keyring bad.json
mkdir -m 700 -p "$XDG_CONFIG_HOME/envelope"
printf '{"keyring": "%s' "$canary" >"$XDG_CONFIG_HOME/envelope/config.json"
run e key list
rm "$XDG_CONFIG_HOME/envelope/config.json"
# Secrets on the command line are refused without being repeated.
run e init --passphrase="$canary"
run e init --password="$canary"
run e encrypt --value="$canary"
run e plan "postgres://u:$canary@h/d"
run e plan "host=h password=$canary"
run e doctor
run e audit show
is "standard error and listings" "" "$(found all.err all.out)"
is "state and log" "" "$(found "$XDG_STATE_HOME")"
is "the ring" "" "$(found "$XDG_DATA_HOME")"
is "temporary files" "" "$(find "$tmp" -name '.envelope-*')"
# The rig can find it.
is "the search finds what is there" "$tmp/plain" "$(found "$tmp/plain")"

# argv and environment of a running command, and nobody can look into it.
mkfifo in
"$envelope" seal <in >sealed &
pid=$!
exec 8>in
printf '{"value":"%s"}\n' "$canary" >&8
for _ in $(seq 100); do [ -s sealed ] && break; sleep 0.05; done
is "it has answered" 1 "$(wc -l <sealed)"
is "argv" "" "$(tr '\0' '\n' <"/proc/$pid/cmdline" | grep -F "$canary")"
is "not dumpable: its files belong to root" root "$(stat -c %U "/proc/$pid/environ")"
is "no core file can be written" 0 "$(awk '/Max core file size/ { print $5 }' "/proc/$pid/limits")"
if [ "$(id -u)" != 0 ]; then
    not "its memory cannot be read" cat "/proc/$pid/mem"
    not "its environment cannot be read" cat "/proc/$pid/environ"
fi
{ kill -ABRT "$pid"
wait "$pid"; } 2>/dev/null
exec 8>&-
is "no core file" "" "$(find . -name 'core*' -type f)"

# Every system call that could carry it elsewhere.
# (Without root a tracer cannot read the strings of what is not dumpable.)
if [ "$(id -u)" = 0 ] && command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
    printf %s "$canary" >v
    strace -f -s 65535 -o trace "$envelope" encrypt --context a=b v >v.env
    is "seal: written nowhere" "" "$(grep -E '^[0-9]+ +(write|writev|sendto|sendmsg|execve|pwrite64)' trace | grep -F "$canary")"
    strace -f -s 65535 -o trace "$envelope" decrypt --context a=b v.env >/dev/null
    is "open: written to standard output only" "write(1," "$(grep -E '^[0-9]+ +(write|writev|sendto|sendmsg|execve|pwrite64)' trace | grep -F "$canary" | grep -oE 'write\(1,' | sort -u)"
    is "no process is started" 1 "$(grep -c execve trace)"
    printf '%s' "$canary" >pass
    strace -f -s 65535 -o trace "$envelope" decrypt --passphrase-file pass --context a=b v.env >/dev/null 2>&1
    is "a passphrase: written nowhere" "" "$(grep -E '^[0-9]+ +(write|writev|sendto|execve)\((2|3|4|5)' trace | grep -F "$canary")"
else
    skip "system calls" "no strace, or not root"
fi
finish
