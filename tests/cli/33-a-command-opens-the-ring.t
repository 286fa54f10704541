#!/usr/bin/env bash
# Goal of this test: a ring is made, opened and re-keyed by a command of the
# configuration, under its policy, and what goes wrong is told by exit code.
. "$(dirname "$0")/lib.sh"
mkdir -m 700 -p "$XDG_CONFIG_HOME/envelope" bin
conf=$XDG_CONFIG_HOME/envelope/config.json
secret=$(printf '%064d' 7) # TEST DATA
cat >bin/fetch <<'S'
#!/bin/sh
echo a-note-on-standard-error >&2
read -r secret <"$1" && echo "$secret"
S
chmod 700 bin/fetch
echo "$secret" >bin/secret
chmod 600 bin/secret
config() { printf '{"providers": {"fetch": {"type": "exec", "command": ["%s/bin/fetch", "%s/bin/secret"]%s}}}' "$tmp" "$tmp" "${1-}" >"$conf"; }
config
exits "a ring by a command" 0 e init --kid k1 --provider fetch
says_not "its standard error is not passed on" a-note
printf 'the value' | e encrypt --context a=b >v.env 2>/dev/null
first=$(sha256sum v.env)
exits "another process opens it" 0 e decrypt --context a=b v.env
is "to the value" "the value" "$(cat "$out")"
exits "doctor sees it" 0 e doctor
prints "and tries it" 'fetch \(exec\) opens it'

# Taken away, and brought back.
mv bin/fetch bin/away
exits "the command is gone" 15 e decrypt --context a=b v.env
says "the provider is named" "provider 'fetch'"
mv bin/away bin/fetch
mv bin/secret bin/secret.away
exits "it fails" 15 e decrypt --context a=b v.env
says "its exit code is told" "exit [0-9]+"
says_not "not what it says" 'No such|secret'
mv bin/secret.away bin/secret
exits "back again" 0 e decrypt --context a=b v.env
echo "$secret" | tr 7 8 >bin/other
chmod 600 bin/other
cp bin/secret bin/kept
cp bin/other bin/secret
exits "another secret" 12 e decrypt --context a=b v.env
cp bin/kept bin/secret
config ', "timeout_ms": 100'
cp bin/fetch bin/fast
printf '#!/bin/sh\nexec /bin/sleep 600\n' >bin/fetch
exits "no answer in time" 15 e decrypt --context a=b v.env
says "is told" '100 ms'
cp bin/fast bin/fetch
config

# The policy.
chmod 722 bin/fetch
exits "a command that others can write" 14 e decrypt --context a=b v.env
chmod 700 bin/fetch
chmod 777 bin
exits "in a folder that others can write" 14 e decrypt --context a=b v.env
chmod 700 bin
config ", \"sha256\": \"$(sha256sum bin/fetch | cut -d' ' -f1)\""
exits "pinned" 0 e decrypt --context a=b v.env
echo '# changed' >>bin/fetch
exits "changed" 14 e decrypt --context a=b v.env
says "is told" 'pinned'
config ', "environment": ["LD_PRELOAD"]'
exits "a variable that decides what runs" 2 e decrypt --context a=b v.env
config
chmod 666 "$conf"
exits "a configuration that others can write" 14 e decrypt --context a=b v.env
chmod 600 "$conf"

# Its root is changed: no row is touched.
cp bin/secret bin/kept
cp bin/other bin/secret
printf 'pass' >pass
chmod 600 pass
cp bin/kept bin/secret
e unlock add ana --new-passphrase-file pass --opslimit 2 --memlimit 64 -q >/dev/null
cp bin/other bin/secret
exits "a new secret for the entry" 0 e unlock change fetch --new-provider --passphrase-file pass
exits "it opens" 0 e decrypt --context a=b v.env
is "no row is touched" "$first" "$(sha256sum v.env)"
cp bin/kept bin/secret
exits "the former secret does not" 12 e decrypt --context a=b --unlock fetch v.env
is "the secret is in no file of ours" "" "$(grep -rl -e "$secret" "$XDG_STATE_HOME" "$XDG_DATA_HOME")"
is "the rig would find it" bin/kept "$(grep -rl -e "$secret" bin/kept)"
finish
