#!/usr/bin/env bash
# Goal of this test: -o FILE appears only when it is whole, mode 0600 whatever
# the umask, in place of what was there; full disks, closed and broken outputs
# are errors and leave nothing behind.
. "$(dirname "$0")/lib.sh"
init
head -c 3000000 /dev/urandom >big
e encrypt --encoding binary big >big.env
left() { find . -name '.envelope-*'; }

umask 000
exits "encrypt -o" 0 e encrypt --encoding binary -o new.env big
exits "decrypt -o" 0 e decrypt -o new.txt new.env
ok "the same bytes" cmp big new.txt
is "modes" "600 600" "$(mode_of new.env) $(mode_of new.txt)"
umask 022
printf old >old.txt
chmod 644 old.txt
exits "over a file" 0 e decrypt -o old.txt big.env
ok "the new bytes" cmp big old.txt
is "mode" 600 "$(mode_of old.txt)"
printf old >old.txt
head -c 2000000 big.env >cut.env
exits "a failure" 12 e decrypt -o old.txt cut.env
is "the old file is still there" old "$(cat old.txt)"
exits "a failure" 12 e decrypt --context a=b -o none.txt big.env
not "no file" test -e none.txt
exits "no such folder" 10 e decrypt -o none/x big.env
exits "a folder" 2 e decrypt -o "$tmp" big.env
ln -s old.txt link.txt
exits "a link" 14 e decrypt -o link.txt big.env
is "the old file is still there" old "$(cat old.txt)"
exits "a device" 0 e decrypt -o /dev/null big.env
ok "is still a device" test -c /dev/null
exits "-o -" 0 e decrypt -o - big.env
mv "$out" given
ok "is standard output" cmp big given
is "nothing is left behind" "" "$(left)"

# A full disk: a small file system, else a limit on the size of a file.
exits_in "a limit on the size of a file" 1 sh -c "trap '' XFSZ; ulimit -f 1000; exec '$envelope' decrypt -o small.txt big.env"
says "says why" 'small.txt: '
not "no file" test -e small.txt
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
    mkdir disk
    exits "a full disk" 1 unshare -m sh -c "mount -t tmpfs -o size=1m none disk && '$envelope' decrypt -o disk/x big.env; rc=\$?; ls -A disk >&2; exit \$rc"
    says "says why" 'No space left'
    is "nothing was left on it" "" "$(sed 1d "$err" | grep -v hint)"
else
    skip "a full disk" "cannot mount here"
fi
exits "standard output full" 1 sh -c "'$envelope' decrypt big.env >/dev/full"
says "says why" 'standard output: No space left'
exits "standard output closed" 1 sh -c "'$envelope' decrypt big.env >&-"
says "says why" 'standard output: '
exits "standard output closed, a list" 1 sh -c "'$envelope' key list >&-"
exits "standard input closed" 1 sh -c "'$envelope' encrypt <&-"
says "says why" 'standard input: '
exits "all closed" 1 sh -c "'$envelope' decrypt big.env <&- >&- 2>&-"
before=$(sha256sum "$ring" "$key")
is "the ring was not written to" "$before" "$(sha256sum "$ring" "$key")"

# A reader that goes away ends the command as SIGPIPE would: no message.
bash -c "'$envelope' decrypt big.env | head -c 10 >/dev/null; exit \${PIPESTATUS[0]}" 2>"$err"
is "broken pipe" "141 0" "$? $(stat -c %s "$err")"
bash -c "'$envelope' help | true; exit \${PIPESTATUS[0]}" 2>"$err"
rc=$?
ok "help into a closed pipe" test $rc -eq 0 -o $rc -eq 141

# Killed at any moment: the old file or the new one, and nothing else.
printf old >target
for delay in 0.001 0.003 0.006 0.01 0.02 0.05; do
    "$envelope" decrypt -o target big.env &
    sleep $delay
    kill -9 $! 2>/dev/null
    wait $! 2>/dev/null
    [ "$(cat target)" = old ] 2>/dev/null || cmp -s big target || fail "a half-written file after $delay s"
    [ -z "$(left)" ] || fail "a temporary file after $delay s"
done 2>/dev/null
pass

# Memory does not grow with the file.
head -c 50000000 /dev/zero >huge
for encoding in binary text; do
    if [ -x /usr/bin/time ]; then
        /usr/bin/time -f %M -o rss "$envelope" encrypt --encoding $encoding huge >huge.env
        ok "encrypt 50 MB $encoding under 32 MiB ($(tail -1 rss) KiB)" test "$(tail -1 rss)" -lt 32768
        /usr/bin/time -f %M -o rss "$envelope" decrypt huge.env >huge.txt
        ok "decrypt 50 MB $encoding under 32 MiB ($(tail -1 rss) KiB)" test "$(tail -1 rss)" -lt 32768
        ok "the same bytes" cmp huge huge.txt
    else
        skip "memory, $encoding" "no /usr/bin/time"
    fi
done
finish
