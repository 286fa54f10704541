#!/usr/bin/env bash
# Goal of this test: what docs/providers.md shows for pkcs11, exec, recovery,
# keyfile and passphrase works as it stands there, run from top to bottom by a
# new user.
. "$(dirname "$0")/lib.sh"
unset XDG_DATA_HOME XDG_STATE_HOME XDG_CONFIG_HOME
mkdir bin-of-envelope
ln -s "$envelope" bin-of-envelope/envelope
PATH=$tmp/bin-of-envelope:$PATH

# The blocks of one name, in their order.
blocks() {
    python3 - "$repo/docs/providers.md" "$1" <<'P'
import re, sys
text = open(sys.argv[1]).read()
found = re.findall(r"<!-- run: %s -->\n```sh\n(.*?)```" % sys.argv[2], text, re.S)
print("\n".join(found))
P
}
follow() {
    export HOME=$tmp/home-$1
    mkdir -m 700 "$HOME"
    { echo 'set -eu; cd'; blocks "$1"; } >"$1.sh"
    ok "$1: there are steps" test "$(wc -l <"$1.sh")" -gt 5
    exits "$1: every step" 0 bash "$1.sh"
    prints "$1: opened" 'secret'
}
follow keyfile
follow passphrase
follow exec
follow recovery
if [ -r /usr/lib/softhsm/libsofthsm2.so ] && command -v pkcs11-tool >/dev/null; then
    follow pkcs11
else
    skip "pkcs11" "no softhsm2 or no opensc"
fi
# The rig notices a step that fails.
printf 'set -eu\nenvelope decrypt no-such-file\n' >bad.sh
exits "a step that fails is noticed" 10 bash bad.sh
finish
