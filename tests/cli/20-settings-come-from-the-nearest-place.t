#!/usr/bin/env bash
# Goal of this test: flag, then environment, then the user's configuration,
# then the default; a configuration that is wrong or unsafe is refused.
. "$(dirname "$0")/lib.sh"
conf=$XDG_CONFIG_HOME/envelope/config.json
mkdir -m 700 -p "$XDG_CONFIG_HOME/envelope"
for n in default config env flag; do
    d=$tmp/$n
    [ $n = default ] && d=$XDG_DATA_HOME/envelope
    mkdir -m 700 -p "$d"
    e init --keyring "$d/keyring.json" --key-file "$d/keyring.key" --kid "$n" -q >/dev/null 2>&1
done
which_ring() { "$@" key list --json 2>/dev/null | python3 -c 'import json,sys; print(json.load(sys.stdin)["keys"][0]["kid"])' 2>/dev/null; }

is "default" default "$(which_ring "$envelope")"
echo "{\"keyring\": \"$tmp/config/keyring.json\"}" >"$conf"
is "configuration" config "$(which_ring "$envelope")"
export ENVELOPE_KEYRING=$tmp/env/keyring.json
is "environment" env "$(which_ring "$envelope")"
is "flag" flag "$(which_ring "$envelope" --keyring "$tmp/flag/keyring.json")"
unset ENVELOPE_KEYRING
export ENVELOPE_KEY_FILE=$tmp/env/keyring.key
is "each on its own: another key file" "" "$(which_ring "$envelope")"
is "the flag wins" config "$(which_ring "$envelope" --key-file "$tmp/config/keyring.key")"
unset ENVELOPE_KEY_FILE
echo "{\"keyring\": \"$tmp/config/keyring.json\", \"key_file\": \"$tmp/config/keyring.key\", \"audit\": \"$tmp/my.log\"}" >"$conf"
exits "the log of the configuration" 0 e key add --kid k2
is "is written" 2 "$(wc -l <my.log)"
is "mode" 600 "$(mode_of my.log)"
exits "an empty variable is as none" 0 env ENVELOPE_KEYRING= "$envelope" key list

bad() { # DESCRIPTION CODE TEXT
    printf '%s' "$3" >"$conf"
    exits "$1" "$2" e key list
    says "$1: names it" 'config\.json'
}
bad "no JSON" 2 '{'
bad "no object" 2 '[]'
bad "an unknown member" 2 '{"keyrnig": "/x"}'
bad "a member twice" 2 '{"audit": "/x", "audit": "/y"}'
bad "another type" 2 '{"keyring": 1}'
bad "a relative path" 2 '{"keyring": "x"}'
bad "key_dirs that is no list" 2 '{"key_dirs": "/x"}'
echo '{}' >"$conf"
exits "empty is fine" 0 e key list
chmod 666 "$conf"
exits "a file that others can write" 14 e key list
chmod 600 "$conf"
chmod 777 "$XDG_CONFIG_HOME/envelope"
exits "a folder that others can write" 14 e key list
chmod 700 "$XDG_CONFIG_HOME/envelope"
if [ "$(id -u)" = 0 ]; then
    chown 65534 "$conf"
    exits "a file of another user" 14 e key list
    rm "$conf"
fi
rm -f "$conf"
unset XDG_DATA_HOME XDG_STATE_HOME XDG_CONFIG_HOME
exits "without XDG folders: in the home" 0 e init
ok "data" test -f "$HOME/.local/share/envelope/keyring.json"
ok "state" test -f "$HOME/.local/state/envelope/audit.jsonl"
XDG_DATA_HOME=relative exits "a relative XDG folder is ignored" 14 e init
finish
