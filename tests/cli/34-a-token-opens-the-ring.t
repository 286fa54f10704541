#!/usr/bin/env bash
# Goal of this test: a PKCS#11 token (SoftHSM) opens a ring, wraps values that
# are opened by another process, is exchanged for another key with no row
# touched, taken away and brought back, and its PIN shows nowhere.
. "$(dirname "$0")/lib.sh"
module=/usr/lib/softhsm/libsofthsm2.so
if ! [ -r $module ] || ! command -v pkcs11-tool >/dev/null; then
    skip "tokens" "no softhsm2 or no opensc"
    finish
fi
pin=94630517 # TEST DATA
mkdir -m 700 tokens
printf 'directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n' "$tmp" >softhsm2.conf
export SOFTHSM2_CONF=$tmp/softhsm2.conf
softhsm2-util --init-token --free --label shop --so-pin 12345678 --pin $pin >/dev/null
# As docs/providers.md has it.
new_key() {
    pkcs11-tool --module $module --token-label shop --login --pin $pin --keygen \
        --key-type AES:32 --label "$1" --sensitive --usage-wrap >/dev/null 2>&1
}
new_key ring-1
new_key ring-2
new_key values
printf '%s\n' $pin >pin
chmod 600 pin
mkdir -m 700 -p "$XDG_CONFIG_HOME/envelope"
conf=$XDG_CONFIG_HOME/envelope/config.json
entry() { printf '"%s": {"type": "pkcs11", "uri": "pkcs11:token=shop;object=%s", "module": "%s", "pin_file": "%s/pin"}' "$1" "$2" $module "$tmp"; }
config() { printf '{"providers": {%s, %s}}' "$(entry hsm "$1")" "$(entry values values)" >"$conf"; }
config ring-1
exits "a ring by a token" 0 e init --kid k1 --provider hsm
newpin=$(awk '/^pin/ { print $2 }' "$out")
printf 'the value' | e encrypt --context a=b >v.env
exits "another process opens it" 0 e decrypt --context a=b v.env
is "to the value" "the value" "$(cat "$out")"
exits "a key for values" 0 e key add --kid w1 --use wrap --provider values --activate
exits "it wraps" 0 bash -c "printf 'wrapped value' | '$envelope' encrypt --mode wrapped --context a=b -o w.env"
prints_mode() { "$envelope" inspect --json w.env | json '["mode"]'; }
is "in wrapped mode" '"wrapped"' "$(prints_mode)"
exits "and unwraps" 0 e decrypt --context a=b w.env
is "to the value" "wrapped value" "$(cat "$out")"
exits "not in another place" 12 e decrypt --context a=c w.env
exits "one key is not both" 14 e key add --kid w2 --use wrap --provider hsm
exits "doctor tries it" 0 e doctor
prints "and it opens" 'hsm \(pkcs11\) opens it'
rows=$(cat v.env w.env | sha256sum)

# Another machine knows neither ring nor pin.
exits "elsewhere the pin is asked for" 14 env XDG_STATE_HOME="$tmp/else" "$envelope" key list
exits "with it" 0 env XDG_STATE_HOME="$tmp/else" ENVELOPE_PIN="$newpin" "$envelope" key list

# Taken away, and brought back.
mv tokens away
mkdir -m 700 tokens
exits "the token is gone" 15 e decrypt --context a=b v.env
says "the provider is named" "provider 'hsm'"
rmdir tokens
mv away tokens
exits "it is back" 0 e decrypt --context a=b v.env
mv pin pin.away
exits "without its PIN" 15 e decrypt --context a=b v.env
says "is told" 'PIN'
printf '00000000\n' >pin
chmod 600 pin
exits "with a wrong one" 15 e decrypt --context a=b v.env
says "is told" 'refuses the PIN'
mv pin.away pin
exits "with the right one" 0 e decrypt --context a=b v.env

# A new root: no row is touched.
printf pass >pass
chmod 600 pass
e unlock add ana --new-passphrase-file pass --opslimit 2 --memlimit 64 -q >/dev/null
config ring-2
exits "the entry of another key" 12 e key list --unlock hsm
exits "is made again" 0 e unlock change hsm --new-provider --passphrase-file pass
exits "and opens" 0 e decrypt --context a=b v.env
is "no row is touched" "$rows" "$(cat v.env w.env | sha256sum)"
config ring-1
exits "the former key does not open" 12 e key list --unlock hsm
exits "three ways: the passphrase" 0 e key list --passphrase-file pass
config ring-2

# Without a module's name those that are registered with p11-kit are searched.
if [ -r /usr/share/p11-kit/modules/softhsm2.module ]; then
    cp "$conf" kept.conf
    sed -i 's/"module": "[^"]*", //g' "$conf"
    exits "a registered module" 0 e key list --unlock hsm
    cp kept.conf "$conf"
else
    skip "registered modules" "softhsm2 is not registered with p11-kit"
fi

# The PIN: in no file of ours, no argument and no output.
e doctor >all.out 2>&1
e key list --json >>all.out 2>&1
is "in nothing that we wrote" "" "$(grep -rl $pin "$XDG_STATE_HOME" "$XDG_DATA_HOME" "$XDG_CONFIG_HOME" all.out)"
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
    strace -f -s 4096 -e trace=execve,write,sendto,writev,openat -o trace "$envelope" decrypt --context a=b v.env >/dev/null
    is "in no call that carries it elsewhere" 0 "$(grep -c $pin trace)"
    strace -f -s 4096 -e trace=read -o trace "$envelope" decrypt --context a=b v.env >/dev/null
    is "the trace sees it where it is read" 1 "$(grep -c $pin trace)"
else
    skip "calls that carry the PIN" "no strace"
fi
finish
