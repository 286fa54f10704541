#!/usr/bin/env bash
# Goal of this test: a ring or key file that others can read, write or replace,
# that is missing, cut short, or reached by a link in an unsafe folder, is
# refused by its reason before it is used.
. "$(dirname "$0")/lib.sh"
init
state() { rm -rf "$XDG_STATE_HOME/envelope/rings"; }

for m in 640 604 660 644 666; do
    chmod $m "$key"
    exits "key file of mode $m" 14 e key list
    says "names it" "$(basename "$key")"
done
chmod 400 "$key"
exits "key file of mode 400" 0 e key list
chmod 600 "$key"

for m in 660 602 666; do
    chmod $m "$ring"
    exits "ring of mode $m" 14 e key list
    says "names it" keyring.json
done
chmod 644 "$ring"
exits "a ring that others read" 0 e key list
chmod 600 "$ring"

for m in 770 702 777; do
    chmod $m "$XDG_DATA_HOME/envelope"
    exits "folder of mode $m" 14 e key list
done
chmod 700 "$XDG_DATA_HOME/envelope"

cp "$key" "$tmp/good.key"
head -c 31 "$tmp/good.key" >"$key"
exits "31 bytes" 19 e key list
says "says the length" '31 bytes'
(cat "$tmp/good.key"; echo) >"$key"
exits "33 bytes" 19 e key list
: >"$key"
exits "empty" 19 e key list
cp "$tmp/good.key" "$key"
head -c 32 /dev/urandom >"$key"
exits "another key" 12 e key list
cp "$tmp/good.key" "$key"
exits "the right one again" 0 e key list

exits "no such key file" 10 e key list --key-file "$tmp/none.key"
says "names it" none.key
says "says what to do" 'hint: name it: --key-file'
exits "no such passphrase file" 10 e key list --passphrase-file "$tmp/none.pass"
says "says what to do" 'hint: name it: --passphrase-file'
cp "$ring" "$tmp/whole.json"
head -c 300 "$tmp/whole.json" >"$ring"
exits "a ring that is cut" 18 e key list
says "names it" "'$ring' is damaged"
says "says what to do" 'hint: restore it'
cp "$tmp/whole.json" "$ring"
mkdir "$tmp/dir.key"
not "a folder as key file" e key list --key-file "$tmp/dir.key"
mkfifo -m 600 "$tmp/fifo.key"
exits "a pipe as key file" 14 timeout 5 "$envelope" key list --key-file "$tmp/fifo.key"

# Links: followed where only the user could have put them.
ln -s "$key" "$tmp/link.key"
exits "a link in a folder of one's own" 0 e key list --key-file "$tmp/link.key"
mkdir -m 1777 "$tmp/sticky"
ln -s "$key" "$tmp/sticky/link.key"
exits "a link in a folder of everybody" 14 e key list --key-file "$tmp/sticky/link.key"
cp "$key" "$tmp/sticky/copy.key"
chmod 600 "$tmp/sticky/copy.key"
exits "a key file in a folder of everybody" 14 e key list --key-file "$tmp/sticky/copy.key"

# A ring that is not whole.
cp "$ring" "$tmp/good.json"
size=$(stat -c %s "$ring")
for n in 0 1 $((size / 2)) $((size - 1)); do
    head -c "$n" "$tmp/good.json" >"$ring"
    exits "a ring of $n bytes" 18 e key list
done
(cat "$tmp/good.json"; echo) >"$ring"
exits "a line more" 18 e key list
sed 's/"active"/"decrypt-only"/' "$tmp/good.json" >"$ring"
exits "a state that was changed" 18 e key list
sed 's/"kid":"k1"/"kid":"k1","kid":"k1"/' "$tmp/good.json" >"$ring"
exits "a member twice" 18 e key list
cp "$tmp/good.json" "$ring"
exits "whole again" 0 e key list

if [ "$(id -u)" = 0 ]; then
    chown 65534 "$key"
    exits "a key file of another user" 14 e key list
    chown 0 "$key"
    chown 65534 "$ring"
    exits "a ring of another user" 14 e key list
    chown 0 "$ring"
else
    skip "files of another user" "not root"
fi
chmod 000 "$key"
if [ "$(id -u)" = 0 ]; then
    exits "root reads what has no mode" 0 e key list
else
    exits "a key file that cannot be read" 1 e key list
fi
chmod 600 "$key"

# Credentials as systemd and Docker hand them out.
mkdir -m 755 "$tmp/creds"
cp "$key" "$tmp/creds/envelope.key"
chmod 440 "$tmp/creds/envelope.key"
mv "$key" "$tmp/away.key"
if [ "$(id -u)" = 0 ]; then
    exits "a systemd credential, found by itself" 0 env CREDENTIALS_DIRECTORY="$tmp/creds" "$envelope" key list
    exits "the same by its name" 0 env CREDENTIALS_DIRECTORY="$tmp/creds" "$envelope" key list --key-file "$tmp/creds/envelope.key"
    mkdir -m 700 -p "$XDG_CONFIG_HOME/envelope"
    printf '{"key_dirs":["%s"]}' "$tmp/creds" >"$XDG_CONFIG_HOME/envelope/config.json"
    exits "a folder of key_dirs" 0 e key list --key-file "$tmp/creds/envelope.key"
    rm "$XDG_CONFIG_HOME/envelope/config.json"
else
    skip "secret mounts" "they hold files of root's"
fi
exits "the same file elsewhere" 14 e key list --key-file "$tmp/creds/envelope.key"
exits "no key file at all" 10 e key list
says "names the key file" 'keyring.key'
mv "$tmp/away.key" "$key"
finish
