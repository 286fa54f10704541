#!/usr/bin/env bash
# Goal of this test: rotate --kid KID FILE... replaces each file atomically,
# owner and mode kept, all checked before the first is written; what was
# interrupted is finished by running it again.
. "$(dirname "$0")/lib.sh"
init
e key add --kid w1 --use wrap --activate -q >/dev/null
c="--context app=shop"
head -c 2500000 /dev/urandom >big
printf 'hunter2' | e encrypt $c >a.env
printf '{"a":1}' | e encrypt $c --type json --encoding object >b.env
e encrypt $c --encoding binary big >c.env
e encrypt $c big >d.env
printf 'w' | e encrypt $c --mode wrapped >w.env
printf 'no newline' | e encrypt $c | tr -d '\n' >n.env
e encrypt $c --allow-nested a.env >nested.env
chmod 640 a.env
chmod 604 b.env
ln -s a.env link.env
before=$(sha256sum ./*.env)

printf 'plain' >p.txt
exits "one file is plaintext" 19 e rotate --kid k2 $c a.env b.env p.txt
says "names it" 'p\.txt'
is "nothing was touched" "$before" "$(sha256sum ./*.env)"
exits "no key was made" 13 e key activate k2
exits "another context" 12 e rotate --kid k2 --context app=other a.env b.env
exits "no such file" 10 e rotate --kid k2 $c a.env none.env
exits "a link" 14 e rotate --kid k2 $c link.env
ln a.env hard.env
exits "a file with two names" 14 e rotate --kid k2 $c a.env
rm hard.env
exits "a folder" 14 e rotate --kid k2 $c "$tmp"
exits "a file named twice" 2 e rotate --kid k2 $c a.env b.env ./a.env
says "names it" './a.env is named twice'
exits "no key was made" 13 e key activate k2
exits "no --kid" 2 e rotate $c a.env
exits "a kid that is none" 2 e rotate --kid K_2 $c a.env
is "nothing was touched" "$before" "$(sha256sum ./*.env)"

exits "rotate" 0 e rotate --kid k2 $c a.env b.env c.env d.env w.env n.env nested.env
says "the generation readers need" 'k2 is active in place of k1.*generation [0-9]+'
prints "what was done" '^k2: 7 rotated, 0 were under it already, 0 failed$'
prints "the former key" '^k1 may now be disabled, if nothing but these files'
for f in a b c d w n nested; do
    is "$f is under k2" '"k2"' "$(e inspect --json $f.env | json '["kid"]')"
done
is "owner and mode" "640 604" "$(mode_of a.env) $(mode_of b.env)"
is "text" hunter2 "$(e decrypt $c a.env)"
is "object" '{"a":1}' "$(e decrypt $c b.env)"
is "its encoding stays" '"object"' "$(e inspect --json b.env | json '["encoding"]')"
e decrypt $c c.env >back
ok "a stream" cmp big back
e decrypt $c d.env >back
ok "a stream in text form" cmp big back
is "a file without a newline stays one" 0 "$(wc -l <n.env)"
is "a file with one, too" 1 "$(wc -l <a.env)"
e decrypt $c nested.env >back
is "a nested one" env1:k1: "$(cut -c1-8 back)"
is "the type stays" '"json"' "$(printf '{"envelope":%s,"context":{"app":"shop"}}\n' "$(cat b.env)" | e open | json '["type"]')"
is "nothing else is left" "" "$(ls -A | grep -E '^\.env' || :)"

before=$(sha256sum ./*.env)
exits "again" 0 e rotate --kid k2 $c a.env b.env --json
is "is a no-op" "$before" "$(sha256sum ./*.env)"
is "and says so" '{"schema":1,"kid":"k2","former":"k1","generation":3,"rotated":0,"skipped":2,"failed":0,"former_may_be_disabled":true}' "$(cat "$out")"
exits "without files" 0 e rotate --kid k3
prints "the former must stay" '^k2 must stay'

# Interrupted: some under the new key, some not; run again.
exits "one file only" 0 e rotate --kid k4 $c a.env
exits "the rest" 0 e rotate --kid k4 $c a.env b.env c.env
prints "skips what was done" '^k4: 2 rotated, 1 were'
# A file that cannot be written: the others are done, exit 3, and again.
if [ "$(id -u)" != 0 ]; then
    mkdir ro && cp n.env ro/ && chmod 500 ro
    exits "one of two" 3 e rotate --kid k5 $c a.env ro/n.env
    says "which" 'ro'
    chmod 700 ro
    exits "again" 0 e rotate --kid k5 $c a.env ro/n.env
elif unshare -m true 2>/dev/null; then
    mkdir ro && cp n.env ro/
    exits "one of two" 3 unshare -m sh -c "mount --bind ro ro && mount -o remount,ro,bind ro && exec '$envelope' rotate --kid k5 $c a.env ro/n.env"
    says "which" 'ro'
    prints "counts" '1 rotated, 0 were under it already, 1 failed'
    prints "the former must stay" 'must stay'
    exits "again" 0 e rotate --kid k5 $c a.env ro/n.env
    prints "finishes" '1 rotated, 1 were under it already, 0 failed'
    if [ "$(id -u)" = 0 ]; then
        chown 65534:65534 a.env
        exits "root keeps the owner" 0 e rotate --kid k6 $c a.env
        is "owner" 65534:65534 "$(stat -c %u:%g a.env)"
    fi
else
    skip "a folder that cannot be written" "cannot mount here"
fi
e key disable k2 -q >/dev/null
exits "to a disabled key" 14 e rotate --kid k2 $c a.env
exits "to a wrapping key: only wrapped mode moves" 14 e rotate --kid w2 --use wrap $c a.env
exits "no key was made" 13 e key activate w2
exits "the log is whole" 0 e audit verify
finish
