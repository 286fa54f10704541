#!/usr/bin/env bash
# Goal of this test: rewrap moves wrapped-mode envelopes to another wrapping
# key after checking them under their context, the payload unchanged.
. "$(dirname "$0")/lib.sh"
init
e key add --kid w1 --use wrap --activate -q >/dev/null
c="--context app=shop"
for encoding in text object binary; do
    printf 'hunter2' | e encrypt $c --mode wrapped --encoding $encoding >$encoding.env
done
printf v | e encrypt $c >derived.env
payload() { e decrypt $c "$1" >/dev/null && python3 - "$1" <<'P'
import base64, json, sys
d = open(sys.argv[1], "rb").read().rstrip(b"\n") if not sys.argv[1].startswith("binary") else open(sys.argv[1], "rb").read()
if d[:1] == b"\x9e":
    n = d[5]; w = int.from_bytes(d[6+n:8+n], "big"); print(d[8+n+w:].hex())
elif d[:1] == b"{":
    p = json.loads(d)["payload"]; print(base64.urlsafe_b64decode(p + "=" * (-len(p) % 4)).hex())
else:
    b = d.split(b":")[2]; b = base64.urlsafe_b64decode(b + b"=" * (-len(b) % 4))
    w = int.from_bytes(b[1:3], "big"); print(b[3+w:].hex())
P
}
for f in text object binary; do payload $f.env >$f.payload; done
e key add --kid w2 --use wrap --activate -q >/dev/null
before=$(sha256sum ./*.env)
exits "another context" 12 e rewrap --context app=other text.env binary.env
exits "one in derived mode" 14 e rewrap $c text.env derived.env
says "what does it" 'envelope rotate'
exits "to a key of another use" 14 e rewrap $c --kid k1 text.env
exits "to an unknown key" 13 e rewrap $c --kid w9 text.env
is "nothing was touched" "$before" "$(sha256sum ./*.env)"

exits "rewrap" 0 e rewrap $c text.env object.env binary.env
prints "what was done" '^3 rewrapped to w2, 0 were already, 0 failed$'
for f in text object binary; do
    is "$f is under w2" '"w2"' "$(e inspect --json $f.env | json '["kid"]')"
    is "$f: the payload is the same" "$(cat $f.payload)" "$(payload $f.env)"
    is "$f opens" hunter2 "$(e decrypt $c $f.env)"
done
exits "again" 0 e rewrap $c --json text.env
is "a no-op" '{"schema":1,"kid":"w2","rewrapped":0,"skipped":1,"failed":0}' "$(cat "$out")"
e key add --kid w3 --use wrap --activate -q >/dev/null
exits_in "standard input to standard output" 0 e rewrap $c <text.env
is "a line" "1 env1:w3:" "$(wc -l <"$out") $(cut -c1-8 "$out")"
exits_in "to a key that no longer wraps" 14 e rewrap $c --kid w1 <text.env
exits "a rotation to a wrapping key does the same" 0 e rotate --kid w4 --use wrap $c text.env
is "text is under w4" "\"w4\"" "$(e inspect --json text.env | json "[\"kid\"]")"
is "the payload is the same" "$(cat text.payload)" "$(payload text.env)"
# A file of any size: only its head is made new, in bounded memory.
head -c 50000000 /dev/urandom >big
for encoding in text binary; do
    e encrypt $c --mode wrapped --encoding $encoding big >big.env
    tail -c 45000000 big.env >tail.before
    e key add --kid x-$encoding --use wrap --activate -q >/dev/null
    if [ -x /usr/bin/time ]; then
        exits "a large file, $encoding" 0 /usr/bin/time -o rss -f %M "$envelope" rewrap $c big.env
        ok "under 96 MiB, the mapped file counted ($(tail -1 rss) KiB)" test "$(tail -1 rss)" -lt 98304
    else
        exits "a large file, $encoding" 0 e rewrap $c big.env
    fi
    is "is under the new key" "\"x-$encoding\"" "$(e inspect --json big.env | json '["kid"]')"
    tail -c 45000000 big.env >tail.after
    ok "the rest is the same" cmp tail.before tail.after
    e decrypt $c big.env >back
    ok "and opens" cmp big back
    exits "another context" 12 e rewrap --kid w3 --context app=other big.env
done
exits "the log is whole" 0 e audit verify
finish
