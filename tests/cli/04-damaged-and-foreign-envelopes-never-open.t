#!/usr/bin/env bash
# Goal of this test: damaged, truncated, spliced, newer and foreign envelopes
# do not open, nothing of them is written, and the answer is a clear one.
. "$(dirname "$0")/lib.sh"
init
e key add --kid w1 --use wrap --activate -q >/dev/null

# Every truncation, and a flipped bit in every byte, of each encoding.
printf 'hunter2' >v
for encoding in text binary; do
    for mode in derived wrapped; do
        e encrypt --encoding $encoding --mode $mode <v | tr -d '\n' >v.env
        python3 - "$envelope" <<'P'
import subprocess, sys
whole = open("v.env", "rb").read()
bad = []
def check(name, data):
    p = subprocess.run([sys.argv[1], "decrypt"], input=data, capture_output=True)
    if p.returncode not in (12, 13, 19) or p.stdout:
        bad.append((name, p.returncode, p.stdout))
step = max(1, len(whole) // 40)
for n in range(0, len(whole), step):
    check("cut at %d" % n, whole[:n])
    check("bit of %d" % n, whole[:n] + bytes([whole[n] ^ 1]) + whole[n + 1:])
check("one byte more", whole + b"A")
print(bad[:3] if bad else "none opened")
P
    done
done >results
is "none of them opened" "$(printf 'none opened\n%.0s' 1 2 3 4)" "$(cat results)"

# A stream: what was given out is authentic, and the exit code says not whole.
head -c 5000000 /dev/urandom >big
e encrypt --encoding binary --context a=b big >big.env
head -c 4000000 big.env >cut.env
exits "a stream that was cut" 12 e decrypt --context a=b cut.env
says "what was written is not the whole" 'not the whole: throw it away'
beginning() { [ -s given ] && cmp -n "$(stat -c %s given)" given big; }
mv "$out" given
ok "its output is a beginning of the plaintext" beginning
exits "the same with -o" 12 e decrypt --context a=b -o cut.out cut.env
not "no file appears" test -e cut.out
is "nothing else is left" "" "$(ls -A | grep '^\.envelope' || :)"
python3 - <<'P'
d = bytearray(open("big.env", "rb").read())
d[3000000] ^= 0x80
open("flip.env", "wb").write(d)
P
exits "a stream with a flipped bit" 12 e decrypt --context a=b flip.env
mv "$out" given
ok "its output is a beginning of the plaintext" beginning
# Chunks in another order, and a chunk of another stream.
e encrypt --encoding binary --context a=b big >big2.env
python3 - <<'P'
a, b = open("big.env", "rb").read(), open("big2.env", "rb").read()
h = 8 + 56
c = 16400
open("swap.env", "wb").write(a[:h] + a[h + c:h + 2 * c] + a[h:h + c] + a[h + 2 * c:])
open("splice.env", "wb").write(a[:h + c] + b[h + c:])
open("short.env", "wb").write(a[:h + 4 * c])
P
exits "two chunks exchanged" 12 e decrypt --context a=b swap.env
exits "chunks of another stream" 12 e decrypt --context a=b splice.env
exits "whole chunks only: the last one is missing" 19 e decrypt --context a=b short.env

# Foreign and newer.
exits_in "plaintext" 19 e decrypt < <(printf 'sk-live-0123')
says "notenv" 'not .*envelope'
exits_in "nothing" 19 e decrypt < <(printf '')
exits_in "a later version, text" 19 e decrypt < <(printf 'env2:k1:AAAA')
says "version" 'version'
says "upgrade" 'newer version'
exits_in "a later version, binary" 19 e decrypt < <(printf '\x9e\x45\x56\x02xxxx')
says "version" 'version'
exits_in "a later version, object" 19 e decrypt < <(printf '{"env":2,"payload":""}')
says "version" 'version'
exits_in "other case" 19 e decrypt < <(printf 'ENV1:k1:AAAA')
exits_in "an age file" 19 e decrypt < <(printf 'age-encryption.org/v1\n-> X25519')
exits_in "a JWE" 19 e decrypt < <(printf 'eyJhbGciOiJkaXIifQ..AAAA.BBBB.CCCC')
exits_in "a Vault string" 19 e decrypt < <(printf 'vault:v1:AAAA')
exits_in "JSON that is no envelope" 19 e decrypt < <(printf '{"a":1}')

# Keys that may not.
printf v | e encrypt --context a=b >v.env
e key add --kid k2 --activate -q >/dev/null
exits "the former key opens" 0 e decrypt --context a=b v.env
e key disable k1 -q >/dev/null
exits "a disabled key" 13 e decrypt --context a=b v.env
e key enable k1 -q >/dev/null
exits "enabled again" 0 e decrypt --context a=b v.env
sed 's/:k1:/:k9:/' v.env >k9.env
exits "an unknown kid" 13 e decrypt --context a=b k9.env
sed 's/:k1:/:w1:/' v.env >w1.env
exits "a kid of another use" 13 e decrypt --context a=b w1.env
finish
