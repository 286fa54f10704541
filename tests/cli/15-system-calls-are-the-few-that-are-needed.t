#!/usr/bin/env bash
# Goal of this test: one seal reads no configuration of OpenSSL and starts no
# thread; a long stream makes no system call but getrandom, read and write.
. "$(dirname "$0")/lib.sh"
if ! command -v strace >/dev/null || ! strace -o /dev/null true 2>/dev/null; then
    skip "system calls" "no strace"
    finish
fi
init
printf 'hunter2' >v
strace -f -o trace "$envelope" encrypt v >v.env
is "no configuration of OpenSSL" "" "$(grep -E 'openssl|ossl-modules|\.cnf' trace)"
is "no thread" "" "$(grep -E '(clone|clone3|fork|vfork)\(' trace)"
is "nothing is opened for writing" "" "$(grep -E 'O_(WRONLY|RDWR)' trace)"
is "no network" "" "$(grep -E '(socket|connect)\(' trace)"
strace -f -o trace "$envelope" decrypt v.env >/dev/null
is "no configuration of OpenSSL to open" "" "$(grep -E 'openssl|ossl-modules|\.cnf' trace)"

python3 -c '
for i in range(100000): print("{\"value\":\"v%d\",\"context\":{\"id\":\"%d\"}}" % (i, i))' >many
strace -o trace "$envelope" seal <many >many.env
# Between the first and the last line that is read.
calls=$(awk '/^read\(0,/ { on = 1 } on { print } /^read\(0, "", / { exit }' trace |
    sed 's/(.*//' | sort | uniq -c | awk '{ print $2 }' | tr '\n' ' ')
for call in $calls; do
    case $call in
    read | write | getrandom | brk | mmap | munmap | mremap) ;;
    *) fail "a stream calls $call" ;;
    esac
done
pass
# Memory is asked for while buffers grow, and not again afterwards.
grown=$(awk '/^read\(0,/ { n++ } n > 20 { print } /^read\(0, "", / { exit }' trace |
    grep -cE '^(brk|mmap|munmap|mremap)\(')
ok "no memory is asked for once buffers have grown ($grown calls)" test "$grown" -le 4
reads=$(grep -c '^read(0,' trace) writes=$(grep -c '^write(1,' trace)
ok "few reads ($reads) and writes ($writes) for 100000 lines" test $((reads + writes)) -lt 1000
finish
